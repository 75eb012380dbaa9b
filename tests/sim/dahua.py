"""dahua - a Dahua face terminal: eventManager, recordFinder and EventHttpUpload, with the faults of real ones.

On Python's http.server, digest by RFC 7616. The terminal remembers its records; what it says on its streams or
pushes is what it is told to say. Its paging is as broken as that of the firmware: `offset` is ignored, at most
`cap` records come, times are understood in one form only.
"""
import datetime
import gzip
import hashlib
import http.client
import http.server
import json
import os
import queue
import re
import threading
import time
import urllib.parse
import zlib

USER, PASSWORD = "admin", "Outpost-2026"
LOCKED_AFTER = 5
CHINA_S = 8 * 3600
BOUNDARY = "myboundary"


def parse(header):
    return {k: v.strip('"') for k, v in re.findall(r'(\w+)=("[^"]*"|[^\s,]+)', header)}


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def local(seconds):
    return datetime.datetime.fromtimestamp(seconds + CHINA_S, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def raw_deflate(body):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(body) + packer.flush()


PACKERS = {"gzip": gzip.compress, "zlib": zlib.compress, "raw": raw_deflate, "plain": lambda body: body}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args):
        pass

    @property
    def terminal(self):
        return self.server.terminal

    def respond(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode() if isinstance(body, str) else body)

    def do_GET(self):
        login = self.headers.get("Authorization")
        good = self.terminal.check(self.command, login) if login else None
        where = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(where.query))
        self.terminal.seen.append((where.path, query, good))
        if not good:
            self.respond("", 401, WWW_Authenticate=self.terminal.challenge())
            return
        deed = getattr(self, "do_" + where.path.rsplit("/", 1)[-1].replace(".cgi", ""), None)
        try:
            if deed is None:
                self.respond("Error\r\nBad Request!\r\n")
            else:
                deed(query)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def do_magicBox(self, query):
        if query.get("action") == "getSystemInfo":
            self.respond(f"deviceType=ASI7213X\r\nserialNumber={self.terminal.serial}\r\nupdateSerial=ASI7213X\r\n")
        else:
            self.respond("version=1.000.0000000.8.R,build:2024-03-01\r\n")

    def do_global(self, _query):
        self.respond(f"result={local(self.terminal.clock())}\r\n")

    def do_recordFinder(self, query):
        self.respond(self.terminal.find(query.get("StartTime", ""), query.get("EndTime", "")))

    def do_eventManager(self, query):
        """One session, as on the real ones: the next who comes hears nothing."""
        beat = float(query.get("heartbeat", "5"))
        mailbox = self.terminal.open_stream()
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while not self.terminal.over:
                try:
                    text = mailbox.get(timeout=beat)
                except queue.Empty:
                    text = "Heartbeat"
                if text is None:
                    return
                while self.terminal.stalled and not self.terminal.over:
                    time.sleep(0.02)
                self.wfile.write(f"--{BOUNDARY}\r\nContent-Type: text/plain\r\nContent-Length:{len(text)}\r\n\r\n"
                                 f"{text}\r\n\r\n".encode())
        finally:
            self.terminal.close_stream(mailbox)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


class Terminal:
    """Runs until close(). cap: records in one answer; form: "epoch" or "text"; ahead: seconds of its clock."""

    def __init__(self, serial="5PGM37", cap=1024, form="epoch", ahead=0):
        self.serial, self.cap, self.form, self.ahead = serial, cap, form, ahead
        self.records, self.seen, self.bad = [], [], 0
        self.nonces, self.streams, self.lock = set(), [], threading.Lock()
        self.stalled, self.over = False, False
        self.server = None
        self.port = 0
        self.boot()

    def boot(self):
        self.over = False
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.terminal = self
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self.over = True
        self.hang_up()
        self.server.shutdown()
        self.server.server_close()

    def reboot(self):
        self.close()
        time.sleep(0.3)
        self.boot()

    def plugin(self, instance="hall", **settings):
        settings = {"url": f'"{self.url}"', "password": f'"{PASSWORD}"', **settings}
        inside = ", ".join(f"{name} = {value}" for name, value in settings.items())
        return f'plugin "face-dahua" "{instance}" {{ {inside} }}\n'

    def clock(self):
        return int(time.time()) + self.ahead

    # -- login

    def challenge(self):
        nonce = os.urandom(8).hex()
        with self.lock:
            self.nonces.add(nonce)
        return f'Digest realm="Login to ASI7213X", qop="auth", nonce="{nonce}", opaque="x"'

    def check(self, method, header):
        got = parse(header)
        if not header.startswith("Digest "):
            return False
        ha1, ha2 = md5(f"{USER}:{got['realm']}:{PASSWORD}"), md5(f"{method}:{got['uri']}")
        wanted = md5(f"{ha1}:{got['nonce']}:{got['nc']}:{got['cnonce']}:{got['qop']}:{ha2}")
        with self.lock:
            good = wanted == got["response"] and got["nonce"] in self.nonces and self.bad < LOCKED_AFTER
            self.bad += not good
        return good

    def attempts(self):
        """Requests with a login."""
        return sum(good is not None for _, _, good in self.seen)

    # -- what it remembers

    def remember(self, user="1001", serial=None, at=None, **more):
        """A record more; its number."""
        with self.lock:
            number = serial if serial is not None else (self.records[-1]["RecNo"] + 1 if self.records else 1)
            self.records.append({"RecNo": number, "CreateTime": self.clock() if at is None else at, "UserID": user,
                                 "Status": 1, "Method": 15, "Door": 0, **more})
            return number

    def find(self, first, last):
        is_text = "-" in first
        if is_text != (self.form == "text"):
            return "Error\r\nBad Request!\r\n"
        if is_text:
            first, last = (time.mktime(time.strptime(t, "%Y-%m-%d %H:%M:%S")) - time.timezone - CHINA_S
                           for t in (first, last))
        with self.lock:
            rows = [r for r in self.records if float(first) <= r["CreateTime"] <= float(last)]
        rows = sorted(rows, key=lambda r: r["CreateTime"])[:self.cap]
        lines = [f"records[{i}].{name}={local(value) if is_text and name == 'CreateTime' else value}"
                 for i, row in enumerate(rows) for name, value in row.items()]
        return "\r\n".join([f"found={len(rows)}", *lines, ""]) if rows else "Error: No Events\r\n"

    # -- what it says

    def open_stream(self):
        mailbox = queue.Queue()
        with self.lock:
            self.streams.append(mailbox)
        return mailbox

    def close_stream(self, mailbox):
        with self.lock:
            self.streams = [one for one in self.streams if one is not mailbox]

    def is_heard(self):
        return bool(self.streams)

    def say(self, code, **data):
        text = f"Code={code};action=Pulse;index=0;data={json.dumps(data, indent=3)}"
        for mailbox in list(self.streams):
            mailbox.put(text)

    def hang_up(self):
        for mailbox in list(self.streams):
            mailbox.put(None)

    def event(self, user="1001", serial=None, at=None, **more):
        return {"UserID": user, "RealUTC": self.clock() if at is None else at, "Status": 1, "ErrorCode": 0,
                "Method": 15, "Door": 0, **({} if serial is None else {"RecNo": serial}), **more}

    def push(self, port, data, packing="plain", said=None, client=None, picture=None):
        """Whether the office said that it has it. `said`: what the header says about packing."""
        body = json.dumps({"Code": "AccessControl", "Action": "Pulse", "Index": 0, "Data": data}).encode()
        kind = "application/json"
        if picture:
            body = (b"--b\r\nContent-Type: text/plain\r\n\r\n%s\r\n--b\r\nContent-Type: image/jpeg\r\n"
                    b"Content-Length: %d\r\n\r\n%s\r\n--b--\r\n" % (body, len(picture), picture))
            kind = "multipart/mixed; boundary=b"
        body = PACKERS[packing](body)
        headers = {"Content-Type": kind, **({"Content-Encoding": said} if said else {})}
        try:
            client = client or http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            client.request("POST", "/", body, headers)
            answer = client.getresponse()
            answer.read()
            return answer.status == 200
        except (OSError, http.client.HTTPException):
            return False
