#!/usr/bin/python3
"""flooder - a face terminal that is a good one until it is told to flood; a process of its own.

    flooder.py serve isapi|dahua       prints its port; then a line on stdin each: "good", "flood PLACE KIND",
                                       "count" (answers that flooded), "record"; PLACE: answers or stream; KIND: chunked, bomb or part
    flooder.py push PORT PATH KIND SECONDS     what pushes: chunked, bomb, part, connections

A process of its own, and a nice one: a terminal is another machine, and those who measure must not share a
processor with it more than they have to.
"""
import argparse
import atexit
import gzip
import os
import resource
import shutil
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sim"))
import dahua  # noqa: E402
import isapi  # noqa: E402

MUCH = 100 << 20
PIECE = os.urandom(65536)
CONNECTIONS = 10000


def bomb():
    return gzip.compress(bytes(MUCH), 9)


# ---- Answers

class Floods:
    """Beside a handler of a good terminal: its answers, while the terminal is told to flood."""

    def flooding(self):
        place, kind = self.terminal.flood or (None, None)
        is_stream = "eventManager" in self.path or "alertStream" in self.path
        return kind if place == ("stream" if is_stream else "answers") else None

    def serve_or_flood(self, good):
        kind = self.flooding()
        if kind is None:
            good()
            return
        self.terminal.floods += 1
        self.close_connection = True
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        try:
            getattr(self, "send_" + kind)()
        except OSError:
            pass

    def begin(self, **headers):
        is_stream = "eventManager" in self.path or "alertStream" in self.path
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=myboundary" if is_stream
                         else "application/json")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def send_chunked(self):
        self.begin(Transfer_Encoding="chunked")
        while self.terminal.flood:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(PIECE), PIECE))

    def send_bomb(self):
        self.begin(Content_Encoding="gzip", Content_Length=str(len(self.terminal.bomb)))
        self.wfile.write(self.terminal.bomb)

    def send_part(self):
        self.begin(Connection="close")
        self.wfile.write(b"--myboundary\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % MUCH)
        for _ in range(MUCH // len(PIECE)):
            if not self.terminal.flood:
                return
            self.wfile.write(PIECE)


class DahuaHandler(Floods, dahua.Handler):
    def do_GET(self):
        self.serve_or_flood(super().do_GET)


class Dahua(dahua.Terminal):
    def boot(self):
        self.flood, self.floods, self.bomb = None, 0, bomb()
        super().boot()
        self.server.RequestHandlerClass = DahuaHandler

    def add(self):
        return self.remember()


class IsapiHandler(Floods, isapi.Handler):
    def do_GET(self):
        self.serve_or_flood(super().serve)

    do_POST = do_PUT = do_GET


class Isapi(isapi.Terminal):
    def __init__(self):
        self.flood, self.floods, self.bomb = None, 0, bomb()
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder, True)
        super().__init__(argparse.Namespace(folder=folder, user=dahua.USER, password=dahua.PASSWORD, quirk=[],
                                            serial="DS-1", beat=1.0, page=30, backlog=41))
        IsapiHandler.terminal = self
        self.server = isapi.Server(("127.0.0.1", 0), IsapiHandler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def add(self):
        return self.happen(5, 75, "8001")["serialNo"]

    def hang_up(self):
        self.session = None


def serve(kind):
    terminal = Isapi() if kind == "isapi" else Dahua()
    print(terminal.port, flush=True)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "record":
            print(terminal.add(), flush=True)
            continue
        if word != "count":
            terminal.flood, terminal.floods = (tuple(rest) if word == "flood" else None), 0
            terminal.hang_up()
        print(terminal.floods, flush=True)


# ---- Pushes

def try_to_send(port, head, pieces):
    """One request, as far as it gets."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as line:
            line.sendall(head)
            for piece in pieces:
                line.sendall(piece)
            line.settimeout(2)
            line.recv(4096)
    except OSError:
        pass


def head_of(path, *lines):
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def push_chunked(port, path, until):
    def pieces():
        while time.monotonic() < until:
            yield b"%x\r\n%s\r\n" % (len(PIECE), PIECE)
    try_to_send(port, head_of(path, "Transfer-Encoding: chunked"), pieces())


def push_bomb(port, path, until):
    body = bomb()
    lines = ["Content-Type: application/json", "Content-Encoding: gzip", f"Content-Length: {len(body)}"]
    while time.monotonic() < until:
        try_to_send(port, head_of(path, *lines), [body])


def push_part(port, path, until):
    begin = b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % MUCH
    lines = ["Content-Type: multipart/form-data; boundary=b", f"Content-Length: {MUCH + len(begin)}"]

    def pieces():
        yield begin
        for _ in range(MUCH // len(PIECE)):
            yield PIECE
    while time.monotonic() < until:
        try_to_send(port, head_of(path, *lines), pieces())


def push_connections(port, path, until):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count, lines = min(CONNECTIONS, most - 50), []
    begin = head_of(path, "Content-Length: 99999") + b"x" * 60000
    while time.monotonic() < until:
        while len(lines) < count:
            line = socket.socket()
            line.setblocking(False)
            line.connect_ex(("127.0.0.1", port))
            lines.append(line)
        for line in lines[:200]:
            try:
                line.send(begin)
            except OSError:
                pass
        time.sleep(0.1)
    print(len(lines), flush=True)


def main():
    os.nice(19)
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        port, path, kind, seconds = sys.argv[2:]
        deed = {"chunked": push_chunked, "bomb": push_bomb, "part": push_part, "connections": push_connections}
        until = time.monotonic() + float(seconds)
        while time.monotonic() < until:
            deed[kind](int(port), path, until)


if __name__ == "__main__":
    main()
