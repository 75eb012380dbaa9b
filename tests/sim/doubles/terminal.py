"""terminal - a face terminal's web server with digest login, and everything a bad one does.

On Python's http.server; the digest is checked by RFC 7616 with hashlib. `seen` lists every request:
method, path, whether it carried a login and whether that was right, and the body's length.
"""
import gzip
import hashlib
import http.server
import json
import os
import re
import threading
import time

USER, PASSWORD = "admin", "Outpost-2026"
REALM = "IP Camera(51253)"
LOCKED_AFTER = 5
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


def part(body, kind="application/json", counted=True, boundary="MIME_boundary"):
    if isinstance(body, str):
        body = body.encode()
    length = f"Content-Length: {len(body)}\r\n" if counted else ""
    return f"--{boundary}\r\nContent-Type: {kind}\r\n{length}\r\n".encode() + body + b"\r\n"


def parse(header):
    return {k: v.strip('"') for k, v in re.findall(r'(\w+)=("[^"]*"|[^\s,]+)', header)}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args):
        pass

    def respond(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def serve(self):
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(length)
        path = self.path.split("?")[0]
        login = self.headers.get("Authorization")
        good = self.server.terminal.check(self.command, login) if login else None
        self.server.terminal.seen.append({
            "method": self.command, "path": self.path, "login": login is not None, "good": good,
            "length": length, "type": self.headers.get("Content-Type"),
            "peer": self.client_address[1], "headers": dict(self.headers)})
        if path.startswith("/open/") or good is True:
            deed = getattr(self, "do_" + path.rsplit("/", 1)[1].replace("-", "_"))
            try:
                deed()
            except (BrokenPipeError, ConnectionResetError):
                self.server.terminal.broken += 1
                self.close_connection = True
        else:
            self.respond(401, b"<lockStatus/>",
                         WWW_Authenticate=self.server.terminal.challenge(good == "stale"))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve

    # -- what it answers

    def do_echo(self):
        self.respond(200, self.body, Content_Type="application/octet-stream", X_Twice="a")

    def do_ok(self):
        self.respond(200, json.dumps({"ok": True}).encode(), Content_Type="application/json")

    def do_missing(self):
        self.respond(404, b"nothing here")

    def do_back(self):
        self.respond(302, b"", Location="/open/ok")

    def do_circle(self):
        self.respond(302, b"", Location="/open/circle")

    def do_away(self):
        self.respond(302, b"", Location=self.server.terminal.elsewhere + "/ok")

    def do_stall(self):
        time.sleep(3)
        self.close_connection = True

    def do_hang_up(self):
        self.connection.close()
        self.close_connection = True

    def do_noise(self):
        self.wfile.write(b"\x00\x01 this is no HTTP at all\r\n\r\n" * 20)
        self.close_connection = True

    def do_long_head(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(20000):
            self.wfile.write(b"X-Number-%d: %s\r\n" % (number, b"x" * 200))
        self.close_connection = True

    def do_bomb(self):
        packed = gzip.compress(bytes(100 << 20), 6)
        self.respond(200, packed, Content_Encoding="gzip")

    def do_packed(self):
        self.respond(200, gzip.compress(b"unpacked " * 100), Content_Encoding="gzip")

    def begin(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def do_chunked_for_ever(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            self.chunk(b"y" * 16384)
            self.server.terminal.sent += 16384

    def do_bad_chunk(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"zz\r\nwhat\r\n")
        self.close_connection = True

    def do_drip(self):
        self.begin("text/plain")
        for _ in range(100):
            self.wfile.write(b".")
            time.sleep(0.1)

    def do_alerts(self):
        """Events and heartbeats, then silence."""
        self.begin("multipart/mixed; boundary=MIME_boundary")
        for number in range(3):
            self.wfile.write(part(json.dumps({"eventType": "AccessControllerEvent", "n": number})))
        self.wfile.flush()
        self.server.terminal.go.wait(10)

    def do_huge_part(self):
        self.begin("multipart/x-mixed-replace; boundary=MIME_boundary")
        self.wfile.write(part("first", "text/plain"))
        self.wfile.write(b"--MIME_boundary\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n"
                         % (100 << 20))
        block = os.urandom(1 << 20)
        for _ in range(100):
            self.wfile.write(block)
        self.wfile.write(b"\r\n" + part("last", "text/plain") + b"--MIME_boundary--\r\n")

    def do_torrent(self):
        """A stream that sends as fast as it is read; `sent` tells how much went out."""
        self.begin("application/octet-stream")
        self.connection.setsockopt(1, 7, 65536)  # SO_SNDBUF: what is on the way is small
        until = time.monotonic() + 20
        while time.monotonic() < until:
            self.wfile.write(b"z" * 65536)
            self.server.terminal.sent += 65536


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        pass


class Terminal:
    """Runs until close(). algorithm: MD5 or SHA-256; `stale` right logins are told that their nonce is."""

    def __init__(self, algorithm="MD5", stale=0, elsewhere="", tls=None, say_algorithm=True):
        self.algorithm, self.stale, self.elsewhere = algorithm, stale, elsewhere
        self.say_algorithm = say_algorithm
        self.seen, self.sent, self.broken, self.bad = [], 0, 0, 0
        self.nonces, self.lock = set(), threading.Lock()
        self.go = threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.terminal = self
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        self.go.set()
        self.server.shutdown()
        self.server.server_close()

    def digest(self, text):
        return HASHES[self.algorithm](text.encode()).hexdigest()

    def challenge(self, stale=False):
        nonce = os.urandom(8).hex()
        with self.lock:
            self.nonces.add(nonce)
        algorithm = f", algorithm={self.algorithm}" if self.say_algorithm else ""
        return (f'Digest realm="{REALM}", qop="auth", nonce="{nonce}", opaque=""{algorithm}'
                + (", stale=true" if stale else ""))

    def check(self, method, header):
        """True, False, or "stale" when only the nonce is used up. Five wrong ones lock it."""
        got = parse(header)
        if not header.startswith("Digest "):
            return False
        ha1 = self.digest(f"{USER}:{REALM}:{PASSWORD}")
        ha2 = self.digest(f"{method}:{got['uri']}")
        wanted = self.digest(f"{ha1}:{got['nonce']}:{got['nc']}:{got['cnonce']}:{got['qop']}:{ha2}")
        with self.lock:
            if wanted != got["response"] or got["nonce"] not in self.nonces or self.locked():
                self.bad += 1
                return False
            self.stale -= 1
            return True if self.stale < 0 else "stale"

    def locked(self):
        return self.bad >= LOCKED_AFTER

    def requests(self, path):
        return [seen for seen in self.seen if seen["path"] == path]


