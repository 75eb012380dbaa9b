#!/usr/bin/python3
"""isapi.py - a simulated face terminal that speaks ISAPI, with the quirks of real ones.

    isapi.py --port 0 --control 0 --folder DIR [--beat 25] [--page 30] [--quirk by-time ...]

On Python's own http.server; digest by RFC 7616. The first line on standard output says where it
listens: {"http": PORT, "control": PORT}. What it has recorded lies in DIR/records.jsonl, one JSON
object a line in the order of recording: that is the truth that tests count by, and what is there again
after a reboot or a kill. The control port takes one JSON object a line and answers each with one:

    {"do": "visit", "person": "8001"}      face recognised, and the lock opens and closes
    {"do": "record", "major": 5, "minor": 76, "person": ""}
    {"do": "fill", "count": 1000}          as many records of the past
    {"do": "clock", "by": -7200}           its clock jumps
    {"do": "reset", "wipe": true}          serial numbers begin again at 1; its memory may be empty then
    {"do": "reboot", "for": 1.0}           nobody answers for so long; httpHosts are forgotten
    {"do": "stall"}                        the stream says nothing more, but stays open
    {"do": "busy", "for": 5}               the stream's session is taken
    {"do": "password", "is": "..."}        somebody changes the password
    {"do": "quirks", "are": ["by-time"]}   {"do": "state"}

Quirks: by-time (pages are sorted by time), empty-more (a last page says MORE and is empty), no-status,
no-range (a range of serial numbers is refused), no-search, no-push (httpHosts are kept and nothing is
ever posted), no-current (events do not say whether they are live), no-serial (nor their number),
keep-hosts (a reboot does not forget them), stale (every nonce is good for one request), plain-push
(JSON without multipart and pictures), dashes (boundary --myboundary), lf (lines end in LF).
"""
import argparse
import bisect
import datetime
import hashlib
import http.client
import http.server
import json
import os
import queue
import re
import socket
import socketserver
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

SERIAL, MODEL, MAC = "DS-K1T344MX-E120260101V043100CH000000001", "DS-K1T344MX-E1", "a4:d5:c2:00:00:01"
REALM = "IP Camera(51253)"
LOCKED_AFTER, LOCKED_S = 5, 1800
FACE = b"\xff\xd8SIMULATED-FACE\r\n--MIME_boundary\r\n\xff\xd9"
ZONE = datetime.timezone(datetime.timedelta(hours=8))
SPACE = 'version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"'
OK = {"statusCode": 1, "statusString": "OK", "subStatusCode": "ok"}
PUSH_TRIES = 3


def told(seconds):
    return datetime.datetime.fromtimestamp(int(seconds), ZONE).isoformat()


class Memory:
    """What the terminal has recorded, and what of it is still stored; survives a kill."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "records.jsonl")
        self.stored, self.serials, self.last = [], [], 0
        self.lock = threading.RLock()
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as lines:
                for line in lines:
                    self.keep(json.loads(line))
        self.log = open(self.path, "a", encoding="utf-8")

    def keep(self, record):
        """Takes over a record, or a reset that was written between them."""
        if "reset" in record:
            self.last = 0
            if record["reset"] == "wipe":
                self.stored, self.serials = [], []
            return
        self.last = record["serialNo"]
        at = bisect.bisect_right(self.serials, self.last)
        self.serials.insert(at, self.last)
        self.stored.insert(at, record)

    def write(self, *lines):
        with self.lock:
            for line in lines:
                self.log.write(json.dumps(line) + "\n")
                self.keep(line)
            self.log.flush()

    def record(self, seconds, major, minor, person, at=None):
        with self.lock:
            record = {"serialNo": self.last + 1, "major": major, "minor": minor, "time": told(seconds),
                      "at": at or int(time.time() * 1e6)}
            if person is not None:
                record["employeeNoString"] = person
            self.write(record)
            return record

    def between(self, first, last):
        with self.lock:
            return self.stored[bisect.bisect_left(self.serials, first):
                               bisect.bisect_right(self.serials, last)]


class Login:
    """Digest with qop=auth, a lock after five wrong answers, and a count of all attempts."""

    def __init__(self, user, password):
        self.user, self.password = user, password
        self.nonces, self.wrong, self.attempts, self.locked_until = {}, 0, 0, 0
        self.lock = threading.Lock()

    def challenge(self, stale):
        nonce = os.urandom(8).hex()
        with self.lock:
            self.nonces[nonce] = 0
        return (f'Digest realm="{REALM}", domain="::", qop="auth", nonce="{nonce}", opaque="", '
                f'algorithm="MD5", stale="{"TRUE" if stale else "FALSE"}"')

    def check(self, method, header, once):
        """True, False, or "stale" when only the nonce is used up."""
        said = dict((k, v.strip('"')) for k, v in re.findall(r'(\w+)=("[^"]*"|[^\s,]+)', header))
        def md5(text):
            return hashlib.md5(text.encode()).hexdigest()
        with self.lock:
            if time.monotonic() < self.locked_until:
                return False
            wanted = md5(f"{md5(f'{self.user}:{REALM}:{self.password}')}:{said.get('nonce')}:"
                         f"{said.get('nc')}:{said.get('cnonce')}:auth:{md5(method + ':' + said.get('uri', ''))}")
            if wanted != said.get("response") or said.get("username") != self.user:
                self.attempts += 1
                self.wrong += 1
                if self.wrong >= LOCKED_AFTER:
                    self.locked_until = time.monotonic() + LOCKED_S
                return False
            if said["nonce"] not in self.nonces:
                return "stale"
            self.nonces[said["nonce"]] += 1
            self.wrong = 0
            return "stale" if once and self.nonces[said["nonce"]] > 1 else True

    def unlocks_in(self):
        return max(0, int(self.locked_until - time.monotonic()))


class Terminal:
    """All of it: memory, clock, people, who is told."""

    def __init__(self, options):
        self.options, self.memory = options, Memory(options.folder)
        self.login = Login(options.user, options.password)
        self.quirks = set(options.quirk)
        self.skew, self.hosts, self.people, self.faces = 0.0, {}, {}, {}
        self.session, self.stalled, self.busy_until, self.off_until = None, False, 0.0, 0.0
        self.streams, self.requests, self.pushes = 0, 0, queue.Queue()
        threading.Thread(target=self.push_for_ever, daemon=True).start()

    def now(self):
        return time.time() + self.skew

    # -- happenings

    def happen(self, major, minor, person=None):
        record = self.memory.record(self.now(), major, minor, person)
        session = self.session
        if session is not None:
            session.put((record, True))
        self.pushes.put(record)
        return record

    def visit(self, person):
        first = self.happen(5, 75, person)
        self.happen(5, 21)
        self.happen(5, 22)
        return first

    def fill(self, count, back=90 * 86400, jump=None):
        """Records of the past, a minute and a half apart; at number `jump` the clock loses two hours."""
        lines, moment = [], self.now() - back
        for i in range(count):
            moment += 90 if i != jump else -7200
            kind = i % 3
            line = {"serialNo": self.memory.last + i + 1, "major": 5, "minor": (75, 21, 22)[kind],
                    "time": told(moment), "at": int(time.time() * 1e6)}
            if kind == 0:
                line["employeeNoString"] = str(8000 + i % 50)
            lines.append(line)
        self.memory.write(*lines)

    # -- pushing

    def push_for_ever(self):
        while True:
            record = self.pushes.get()
            for _ in range(PUSH_TRIES):
                hosts = [] if "no-push" in self.quirks else list(self.hosts.values())
                if all([self.push(host, record) for host in hosts]):
                    break
                time.sleep(0.5)

    def push(self, host, record):
        """Whether the host said 200."""
        body, kind = self.message(record, True), 'application/json; charset="UTF-8"'
        if "plain-push" not in self.quirks:
            body, kind = form(body, FACE if record["minor"] == 75 else None)
        try:
            line = http.client.HTTPConnection(host["ip"], host["port"], timeout=8)
            line.request("POST", host["url"], body, {"Content-Type": kind, "Connection": "close"})
            return line.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

    def message(self, record, live):
        event = {"deviceName": "MARKER-DEVICE", "majorEventType": record["major"],
                 "subEventType": record["minor"], "name": "MARKER-NAME", "cardNo": "MARKER-CARD",
                 "cardReaderNo": 1, "doorNo": 1, "currentVerifyMode": "faceOrFpOrCardOrPw", "label": "",
                 "serialNo": record["serialNo"], "frontSerialNo": record["serialNo"] - 1,
                 "currentEvent": live}
        if "employeeNoString" in record:
            event["employeeNoString"] = record["employeeNoString"]
        if record["minor"] == 75 and "plain-push" not in self.quirks:
            event["picturesNumber"] = 1
        for quirk, names in (("no-current", ["currentEvent"]), ("no-serial", ["serialNo", "frontSerialNo"])):
            if quirk in self.quirks:
                for name in names:
                    del event[name]
        return json.dumps({"ipAddress": "192.168.1.64", "portNo": 80, "protocol": "HTTP", "macAddress": MAC,
                           "channelID": 1, "dateTime": record["time"], "activePostCount": 1,
                           "eventType": "AccessControllerEvent", "eventState": "active",
                           "eventDescription": "Access Controller Event", "AccessControllerEvent": event},
                          indent="\t").encode()

    def beat(self):
        return json.dumps({"ipAddress": "192.168.1.64", "macAddress": MAC, "dateTime": told(self.now()),
                           "activePostCount": 1, "eventType": "videoloss", "eventState": "inactive",
                           "eventDescription": "videoloss alarm"}, indent="\t").encode()

    # -- searching

    def search(self, cond):
        """(status, object) of an AcsEvent request."""
        if "major" not in cond or "minor" not in cond:
            missing = "major" if "major" not in cond else "minor"
            return 400, {"statusCode": 6, "subStatusCode": "MessageParametersLack", "errorMsg": missing}
        by_serial = "beginSerialNo" in cond
        if by_serial and ("no-range" in self.quirks or "endSerialNo" not in cond):
            return 400, {"statusCode": 6, "subStatusCode": "badJsonContent", "errorMsg": "endSerialNo"}
        found = self.memory.between(cond.get("beginSerialNo", 0), cond.get("endSerialNo", 1 << 40))
        if not by_serial:
            found = [r for r in found if when(cond["startTime"]) <= when(r["time"]) <= when(cond["endTime"])]
        if "by-time" in self.quirks or not by_serial:
            found = sorted(found, key=lambda r: (r["time"], -r["serialNo"]))
        position, most = cond["searchResultPosition"], min(cond["maxResults"], self.options.page)
        page = found[position:position + most]
        more = position + len(page) < len(found) or page and "empty-more" in self.quirks
        answer = {"searchID": cond["searchID"], "totalMatches": len(found), "numOfMatches": len(page),
                  "responseStatusStrg": "MORE" if more else "OK" if found else "NO MATCH"}
        if "no-status" in self.quirks:
            del answer["responseStatusStrg"]
        if page:
            answer["InfoList"] = [self.item(record) for record in page]
        return 200, {"AcsEvent": answer}

    @staticmethod
    def item(record):
        item = {key: record[key] for key in ("major", "minor", "time", "serialNo")}
        item.update(cardNo="MARKER-CARD", name="MARKER-NAME", cardReaderNo=1, doorNo=1,
                    currentVerifyMode="faceOrFpOrCardOrPw", mask="no",
                    employeeNoString=record.get("employeeNoString", ""))
        if record["minor"] == 75:
            item["pictureURL"] = f"http://192.168.1.64/LOCALS/pic/{record['serialNo']}.jpeg@WEB000001"
        return item


def when(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def form(message, picture, boundary="MIME_boundary"):
    """(body, content type) of a push."""
    parts = [part(message, boundary, name="AccessControllerEvent")]
    if picture:
        parts.append(part(picture, boundary, "image/jpeg", "Picture"))
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def part(body, boundary, kind='application/json; charset="UTF-8"', name=None, eol="\r\n"):
    head = [f"--{boundary}"]
    if name:
        head.append(f'Content-Disposition: form-data; name="{name}"')
    head += [f"Content-Type: {kind}", f"Content-Length: {len(body)}", "", ""]
    return eol.join(head).encode() + body + eol.encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    terminal = None

    def log_message(self, *_args):
        pass

    def respond(self, status, body, kind="application/json", **headers):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def xml(self, text):
        self.respond(200, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(), "application/xml")

    def serve(self):
        terminal = self.terminal
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if time.monotonic() < terminal.off_until:
            self.close_connection = True
            return
        terminal.requests += 1
        login = self.headers.get("Authorization")
        good = terminal.login.check(self.command, login, "stale" in terminal.quirks) if login else False
        if good is not True:
            self.refuse(login, good == "stale")
            return
        path = self.path.split("?")[0]
        for pattern, method, deed in PAGES:
            found = re.fullmatch(pattern, path)
            if found and method == self.command:
                deed(self, *found.groups())
                return
        self.respond(404, {"statusCode": 4, "subStatusCode": "notSupport"})

    do_GET = do_POST = do_PUT = serve

    def refuse(self, login, stale):
        wait = self.terminal.login.unlocks_in()
        state = f"<lockStatus>{'locked' if wait else 'unlock'}</lockStatus>"
        state += f"<unlockTime>{wait}</unlockTime>" if wait else ""
        body = f"<userCheck><statusValue>401</statusValue>{state if login else ''}</userCheck>"
        self.respond(401, body.encode(), "application/xml",
                     WWW_Authenticate=self.terminal.login.challenge(stale))

    # -- pages

    def info(self):
        self.xml(f"<DeviceInfo {SPACE}><deviceName>MARKER-DEVICE</deviceName><model>{MODEL}</model>"
                 f"<serialNumber>{self.terminal.options.serial}</serialNumber><macAddress>{MAC}</macAddress>"
                 "<firmwareVersion>V4.31.0</firmwareVersion><deviceType>ACS</deviceType></DeviceInfo>")

    def picture(self):
        self.respond(200, FACE, "image/jpeg")

    def get_time(self):
        self.xml(f"<Time {SPACE}><timeMode>manual</timeMode><localTime>{told(self.terminal.now())}</localTime>"
                 "<timeZone>CST-8:00:00</timeZone></Time>")

    def put_time(self):
        said = {e.tag.split("}")[-1]: e.text for e in ElementTree.fromstring(self.body)}
        self.terminal.skew = when(said["localTime"]) - time.time()
        self.respond(200, OK)

    def acs(self):
        if "no-search" in self.terminal.quirks:
            self.respond(404, {"statusCode": 4, "subStatusCode": "notSupport"})
            return
        self.respond(*self.terminal.search(json.loads(self.body)["AcsEventCond"]))

    def get_hosts(self):
        hosts = "".join(f"<HttpHostNotification><id>{i}</id><url>{h['url']}</url><ipAddress>{h['ip']}"
                        f"</ipAddress><portNo>{h['port']}</portNo></HttpHostNotification>"
                        for i, h in self.terminal.hosts.items())
        self.xml(f"<HttpHostNotificationList {SPACE}>{hosts}</HttpHostNotificationList>")

    def put_host(self, number):
        said = {e.tag.split("}")[-1]: e.text for e in ElementTree.fromstring(self.body)}
        self.terminal.hosts[number] = {"url": said["url"], "ip": said["ipAddress"],
                                       "port": int(said["portNo"])}
        self.respond(200, OK)

    def person(self, deed):
        people, said = self.terminal.people, json.loads(self.body)
        if deed == "Search":
            at = said["UserInfoSearchCond"]["searchResultPosition"]
            rows = [{"employeeNo": n, "name": "MARKER-NAME", "numOfFace": int(n in self.terminal.faces),
                     "Valid": {"enable": True}} for n in sorted(people)]
            page = rows[at:at + 30]
            self.respond(200, {"UserInfoSearch": {
                "responseStatusStrg": "MORE" if at + len(page) < len(rows) else "OK" if rows else "NO MATCH",
                "numOfMatches": len(page), "totalMatches": len(rows), "UserInfo": page}})
            return
        if deed == "Delete":
            for one in said["UserInfoDelCond"]["EmployeeNoList"]:
                people.pop(one["employeeNo"], None)
                self.terminal.faces.pop(one["employeeNo"], None)
        else:
            number = said["UserInfo"]["employeeNo"]
            if (deed == "Record") == (number in people):
                sub = "employeeNoAlreadyExist" if deed == "Record" else "employeeNoNotExist"
                self.respond(200, {"statusCode": 6, "statusString": "Invalid Operation", "subStatusCode": sub})
                return
            people[number] = said["UserInfo"]
        self.respond(200, OK)

    def face(self):
        found = re.search(rb'\r\n\r\n(\{.*?\})\r\n.*?name="FaceImage".*?\r\n\r\n(.*)\r\n--', self.body, re.S)
        number = found and json.loads(found[1])["FPID"]
        if not found or not found[2].startswith(b"\xff\xd8") or number not in self.terminal.people:
            self.respond(400, {"statusCode": 6, "subStatusCode": "noFacePic"})
            return
        self.terminal.faces[number] = len(found[2])
        self.respond(200, OK)

    def forget_face(self):
        for one in json.loads(self.body)["FPID"]:
            self.terminal.faces.pop(one["value"], None)
        self.respond(200, OK)

    # -- the stream

    def stream(self):
        terminal, mine = self.terminal, queue.Queue()
        if terminal.session is not None or time.monotonic() < terminal.busy_until:
            self.respond(404, b"")
            return
        terminal.session = mine
        terminal.streams += 1
        terminal.stalled = False
        token = "--myboundary" if "dashes" in terminal.quirks else "MIME_boundary"
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/mixed; boundary={token}")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            self.tell(mine, token, "\n" if "lf" in terminal.quirks else "\r\n")
        except OSError:
            pass
        finally:
            terminal.session = None

    def tell(self, mine, token, eol):
        terminal = self.terminal
        for record in terminal.memory.between(0, 1 << 40)[-terminal.options.backlog:]:
            self.event(record, False, token, eol)
        while terminal.session is mine and time.monotonic() >= terminal.off_until:
            try:
                item = mine.get(timeout=terminal.options.beat)
            except queue.Empty:
                item = None
            while terminal.stalled:
                time.sleep(0.05)
                if self.is_gone():
                    return
            if item is None:
                self.wfile.write(part(terminal.beat(), token, eol=eol))
            else:
                self.event(*item, token, eol)

    def is_gone(self):
        self.connection.setblocking(False)
        try:
            return self.connection.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        finally:
            self.connection.setblocking(True)

    def event(self, record, live, token, eol):
        terminal = self.terminal
        self.wfile.write(part(terminal.message(record, live), token, name="AccessControllerEvent", eol=eol))
        if live and record["minor"] == 75 and "plain-push" not in terminal.quirks:
            self.wfile.write(part(FACE, token, "image/jpeg", "Picture", eol))


ACCESS, EVENTS = "/ISAPI/AccessControl/", "/ISAPI/Event/notification/"
PAGES = [
    ("/ISAPI/System/deviceInfo", "GET", Handler.info),
    ("/ISAPI/System/time", "GET", Handler.get_time), ("/ISAPI/System/time", "PUT", Handler.put_time),
    (ACCESS + "AcsEvent", "POST", Handler.acs),
    (ACCESS + "UserInfo/(Search|Record)", "POST", Handler.person),
    (ACCESS + "UserInfo/(Modify|Delete)", "PUT", Handler.person),
    (EVENTS + "httpHosts", "GET", Handler.get_hosts), (EVENTS + r"httpHosts/(\d+)", "PUT", Handler.put_host),
    (EVENTS + "alertStream", "GET", Handler.stream),
    ("/LOCALS/pic/.*", "GET", Handler.picture),
    ("/ISAPI/Intelligent/FDLib/FaceDataRecord", "POST", Handler.face),
    ("/ISAPI/Intelligent/FDLib/FDSearch/Delete", "PUT", Handler.forget_face),
]


class Control(socketserver.StreamRequestHandler):
    terminal = None

    def handle(self):
        for line in self.rfile:
            said = json.loads(line)
            try:
                answer = {"ok": True, **(self.do(said.pop("do"), **said) or {})}
            except (KeyError, TypeError, ValueError) as why:
                answer = {"ok": False, "why": repr(why)}
            self.wfile.write(json.dumps(answer).encode() + b"\n")

    def do(self, word, **more):
        return getattr(self, "do_" + word)(**more)

    def do_visit(self, person):
        return self.terminal.visit(person)

    def do_record(self, major, minor, person=None):
        return self.terminal.happen(major, minor, person)

    def do_fill(self, **more):
        self.terminal.fill(**more)

    def do_clock(self, by):
        self.terminal.skew += by

    def do_reset(self, wipe=False):
        self.terminal.memory.write({"reset": "wipe" if wipe else "keep"})

    def do_reboot(self, **more):
        terminal = self.terminal
        terminal.off_until = time.monotonic() + more["for"]
        terminal.session = None
        if "keep-hosts" not in terminal.quirks:
            terminal.hosts = {}
        terminal.happen(2, 1024)

    def do_stall(self):
        self.terminal.stalled = True

    def do_busy(self, **more):
        self.terminal.busy_until = time.monotonic() + more["for"]

    def do_password(self, **more):
        self.terminal.login.password = more["is"]

    def do_quirks(self, are):
        self.terminal.quirks = set(are)

    def do_state(self):
        terminal = self.terminal
        return {"last": terminal.memory.last, "streams": terminal.streams, "requests": terminal.requests,
                "attempts": terminal.login.attempts, "skew": terminal.skew, "hosts": len(terminal.hosts),
                "people": sorted(terminal.people), "faces": sorted(terminal.faces),
                "streaming": terminal.session is not None, "waiting": terminal.pushes.qsize()}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads, block_on_close, request_queue_size = True, False, 64

    def handle_error(self, request, client_address):
        pass


class ControlServer(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True


def main():
    words = argparse.ArgumentParser(description="A simulated ISAPI face terminal.")
    words.add_argument("--port", type=int, default=0)
    words.add_argument("--control", type=int, default=0)
    words.add_argument("--folder", required=True)
    words.add_argument("--serial", default=SERIAL)
    words.add_argument("--user", default="outpost")
    words.add_argument("--password", default="Outpost-2026")
    words.add_argument("--beat", type=float, default=25.0)
    words.add_argument("--page", type=int, default=30)
    words.add_argument("--backlog", type=int, default=41)
    words.add_argument("--quirk", action="append", default=[])
    Handler.terminal = Control.terminal = Terminal(words.parse_args())
    options = Handler.terminal.options
    server = Server(("127.0.0.1", options.port), Handler)
    control = ControlServer(("127.0.0.1", options.control), Control)
    threading.Thread(target=control.serve_forever, daemon=True).start()
    print(json.dumps({"http": server.server_port, "control": control.server_address[1]}), flush=True)
    try:
        server.serve_forever(0.05)
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
