"""dock - file servers: pyftpdlib in a thread, which tells facts (MLSD); vsftpd as a process, which does
not; and a liar, a socket that says what it is told to say.

    dock.py FOLDER PORT FIRST        the first of them as a process, with eight ports of data from FIRST on
"""
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

USER, PASSWORD = "dock", "Dock-2026"
VSFTPD = shutil.which("vsftpd") or shutil.which("vsftpd", path="/usr/sbin")
logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())  # else it makes one that prints


def free_range(count):
    """The first of so many ports in a row, of which none is in use now."""
    for first in range(42000 + os.getpid() % 500 * 20, 60000, count):
        taken = []
        try:
            for port in range(first, first + count):
                sock = socket.socket()
                taken.append(sock)
                sock.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for sock in taken:
                sock.close()
    raise RuntimeError("no free ports")


class Dock:
    """pyftpdlib over `folder`, at `port` and with the `ports` from `first` on for data, or at free ones.
    `handler` changes what it can and knows."""

    def __init__(self, folder, ports=8, port=0, first=None, **handler):
        authorizer = DummyAuthorizer()
        authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmw")
        first = first or free_range(ports)
        self.commands, self.sessions = [], 0
        dock = self

        class Handler(FTPHandler):
            def on_connect(self):
                dock.sessions += 1

            def pre_process_command(self, line, cmd, arg):
                dock.commands.append(line)
                super().pre_process_command(line, cmd, arg)

        members = {"authorizer": authorizer, "passive_ports": range(first, first + ports), **handler}
        for name, value in members.items():
            setattr(Handler, name, value)
        if "without" in handler:
            Handler.proto_cmds = {name: value for name, value in FTPHandler.proto_cmds.items()
                                  if name not in handler["without"]}
        self.range = f"{first}-{first + ports - 1}"
        self.server = FTPServer(("127.0.0.1", port), Handler, ioloop=IOLoop())
        self.port = self.server.address[1]
        self.running = True
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while self.running:
            self.server.ioloop.loop(timeout=0.05, blocking=False)

    def url(self, scheme="ftp", way="passive", ports=None):
        return f"{scheme}://127.0.0.1:{self.port}?{way}={ports or self.range}"

    def close(self):
        self.running = False
        self.thread.join(5)
        self.server.close_all()


class Vsftpd:
    """vsftpd over `folder`, for everybody, to be read only."""

    def __init__(self, work, folder, certificate=None, implicit=False):
        first = free_range(9)
        self.port, self.range = first, f"{first + 1}-{first + 8}"
        lines = {"listen": "YES", "listen_address": "127.0.0.1", "listen_port": self.port,
                 "background": "NO", "anonymous_enable": "YES", "anon_root": folder,
                 "no_anon_password": "YES", "run_as_launching_user": "YES", "seccomp_sandbox": "NO",
                 "pasv_min_port": first + 1, "pasv_max_port": first + 8, "use_localtime": "NO"}
        if certificate:
            lines.update(ssl_enable="YES", allow_anon_ssl="YES", force_anon_logins_ssl="YES",
                         force_anon_data_ssl="YES", rsa_cert_file=certificate, require_ssl_reuse="YES",
                         implicit_ssl="YES" if implicit else "NO")
        path = os.path.join(str(work), "vsftpd.conf")
        with open(path, "w", encoding="ascii") as conf:
            conf.writelines(f"{name}={value}\n" for name, value in lines.items())
        os.chmod(path, 0o600)
        self.process = subprocess.Popen([VSFTPD, path], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait()

    def wait(self):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError("vsftpd does not listen")

    def url(self, scheme="ftp"):
        return f"{scheme}://127.0.0.1:{self.port}?passive={self.range}"

    def close(self):
        self.process.kill()
        self.process.wait()


class Liar:
    """Answers each command by a table of beginnings; `data` is sent over each connection of its data.
    A reply of None says nothing; "close" ends the connection."""

    REPLIES = {"USER": "331 who", "PASS": "230 in", "PWD": '257 "/"', "TYPE": "200 so", "CWD": "250 so",
               "MLSD": "150 now", "LIST": "150 now", "RETR": "150 now", "SIZE": "213 1", "MDTM": "213 20261121030405",
               "QUIT": "221 bye", "EPSV": "229 (|||PORT|)"}

    def __init__(self, data=b"", end="226 done", greeting="220 hello", data_port=None, **replies):
        self.replies = {**self.REPLIES, **replies}
        self.data, self.end, self.greeting, self.data_port = data, end, greeting, data_port
        self.commands, self.sockets = [], []
        self.control, self.port = self.listen(0)
        self.data_listener, self.data_port_own = self.listen(free_range(1))
        threading.Thread(target=self.accept, daemon=True).start()

    def listen(self, port):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen(8)
        self.sockets.append(sock)
        return sock, sock.getsockname()[1]

    def url(self):
        return f"ftp://127.0.0.1:{self.port}?passive={self.data_port_own}"

    def accept(self):
        try:
            while True:
                sock, _ = self.control.accept()
                self.sockets.append(sock)
                threading.Thread(target=self.talk, args=(sock,), daemon=True).start()
        except OSError:
            pass

    def say(self, sock, text):
        sock.sendall(text.replace("PORT", str(self.data_port or self.data_port_own)).encode() + b"\r\n")

    def talk(self, sock):
        try:
            if self.greeting:
                self.say(sock, self.greeting)
            for line in sock.makefile("r", encoding="latin-1"):
                self.commands.append(line.strip())
                verb = line.split()[0].upper()
                reply = self.replies.get(verb, "502 what")
                if reply == "close":
                    sock.close()
                    return
                if reply is not None:
                    self.say(sock, reply)
                if reply and reply.startswith("150"):
                    self.send(sock)
        except OSError:
            pass

    def send(self, sock):
        data, _ = self.data_listener.accept()
        self.sockets.append(data)
        for piece in [self.data] if isinstance(self.data, bytes) else self.data:
            data.sendall(piece)
        if self.end != "stay":
            data.close()
            if self.end:
                self.say(sock, self.end)

    def close(self):
        for sock in self.sockets:
            sock.close()


if __name__ == "__main__":
    Dock(sys.argv[1], port=int(sys.argv[2]), first=int(sys.argv[3])).thread.join()
