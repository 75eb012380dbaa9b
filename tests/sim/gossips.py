"""gossips - face terminals of three makes that tell everything they know about persons.

Each says more than was asked for: names, numbers of identity cards and cards in every field that has
room for one, pictures beside and within the records, templates, and error texts, headers and addresses that
name somebody. Written by the makers' documents; nothing of it is wrong for a real one.
"""
import base64
import http.client
import http.server
import json
import random
import threading
import time
import urllib.parse

import zkpush

PASSWORD = "Gossip-2026"


def china(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S+08:00", time.gmtime(seconds + 8 * 3600))


class Persons:
    """Who stands before a terminal: the i-th visit has the i-th of each kind of marker."""

    def __init__(self, planted):
        self.planted = planted

    def of(self, i):
        return {kind: markers[i % len(markers)].value for kind, markers in self.planted.items()}

    def number(self, i):
        """What the office gave as the number at the terminal: some are identity cards, some names."""
        one = self.of(i)
        return (str(1000 + i), one["identity"], one["name"], one["card"])[i % 4]


class Server:
    """A terminal with a web server that believes every login. `answer(handler)` is the maker's."""

    def __init__(self, persons, count=0):
        self.persons, self.visits, self.begun = persons, count, time.time() - 4000
        self.asked = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            server_version = urllib.parse.quote(persons.of(0)["name"])

            def log_message(self, *_args):
                pass

            def handle_any(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                owner.asked.append(f"{self.command} {self.path}")
                try:
                    if "Authorization" in self.headers:
                        owner.answer(self)
                    else:
                        self.challenge()
                except OSError:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = handle_any

            def challenge(self):
                self.send_response(401)
                self.send_header("WWW-Authenticate", f'Digest realm="{persons.of(5)["card"]}", '
                                                     'qop="auth", nonce="4b1d0f7a55", algorithm=MD5')
                self.send_header("Content-Length", "0")
                self.end_headers()

            def say(self, body, kind="text/plain", status=200):
                body = body.encode() if isinstance(body, str) else body
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("X-Owner", urllib.parse.quote(persons.of(1)["name"]))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def begin_stream(self, kind):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.close_connection = True

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.ending = threading.Event()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.ending.set()
        self.server.shutdown()
        self.server.server_close()


def post(port, path, body, kind):
    """The status of a push to the office."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    client.request("POST", path, body, {"Content-Type": kind})
    status = client.getresponse().status
    client.close()
    return status


# ---- Hikvision ISAPI

INFO = """<?xml version="1.0" encoding="UTF-8"?>
<DeviceInfo version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><deviceName>{name}</deviceName>
<deviceID>{identity}</deviceID><deviceLocation>{name}</deviceLocation><systemContact>{name} {card}</systemContact>
<model>DS-K1T344</model><serialNumber>{serial}</serialNumber><macAddress>a4:d5:c2:00:00:01</macAddress>
<firmwareVersion>V4.31</firmwareVersion></DeviceInfo>"""
MINORS = (75, 76, 80, 1, 9, 104, 21, 38, 8, 151, 1234)


class Isapi(Server):
    def __init__(self, persons, serial, count=0):
        super().__init__(persons, count)
        self.serial, self.streamed, self.hosts = serial, 0, "<HttpHostNotificationList/>"

    def record(self, i):
        one, picture = self.persons.of(i), f"{self.url}/LOCALS/pic/{self.persons.of(i)['name']}.jpeg@WEB01"
        return {"major": 5, "minor": MINORS[i % len(MINORS)], "time": china(self.begun + i),
                "serialNo": i + 1, "employeeNoString": self.persons.number(i), "name": one["name"],
                "cardNo": one["card"], "cardType": 1, "doorNo": 1, "userType": "normal",
                "label": one["identity"], "pictureURL": picture, "currentVerifyMode": "cardOrFace",
                "FaceRect": {"height": 0.1}, "faceTemplate": one["template"],
                "IDCardInfo": {"IDNumber": one["identity"], "name": one["name"]}}

    def alert(self, i):
        record = self.record(i)
        event = {**record, "majorEventType": record["major"], "subEventType": record["minor"],
                 "currentEvent": True, "deviceName": record["name"],
                 "picture": base64.b64encode(self.persons.of(i)["picture"]).decode()}
        return json.dumps({"ipAddress": "127.0.0.1", "dateTime": record["time"], "activePostCount": 1,
                           "eventType": "AccessControllerEvent", "eventState": "active",
                           "eventDescription": record["name"], "AccessControllerEvent": event},
                          ensure_ascii=bool(i % 2)).encode()

    def search(self, body):
        cond = json.loads(body)["AcsEventCond"]
        first, last = cond.get("beginSerialNo", 1), cond.get("endSerialNo", 3000000000)
        found = [self.record(i) for i in range(self.visits) if first <= i + 1 <= last]
        at = cond["searchResultPosition"]
        page = found[at:at + min(30, cond["maxResults"])]
        more = "MORE" if at + len(page) < len(found) else "OK" if found else "NO MATCH"
        return json.dumps({"AcsEvent": {
            "searchID": cond["searchID"], "totalMatches": len(found), "responseStatusStrg": more,
            "numOfMatches": len(page), "InfoList": page}}, ensure_ascii=False)

    def stream(self, handler):
        handler.begin_stream("multipart/mixed; boundary=MIME_boundary")
        while not self.ending.is_set():
            while self.streamed < self.visits:
                self.write_parts(handler, self.streamed)
                self.streamed += 1
            self.ending.wait(0.1)

    def write_parts(self, handler, i):
        one = self.persons.of(i)
        parts = [('application/json', 'name="AccessControllerEvent"', self.alert(i)),
                 ('image/jpeg', f'name="Picture"; filename="{urllib.parse.quote(one["name"])}.jpg"',
                  one["picture"])]
        for kind, name, body in parts:
            handler.wfile.write(f"--MIME_boundary\r\nContent-Type: {kind}\r\nContent-Disposition: form-data; "
                                f"{name}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body + b"\r\n")

    def push(self, port, i):
        one = self.persons.of(i)
        body = b"".join(
            f'--B\r\nContent-Disposition: form-data; name="{name}"; filename="{one["card"]}.jpg"\r\n'
            f"Content-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data + b"\r\n"
            for name, kind, data in (("event_log", "application/json", self.alert(i)),
                                     ("Picture", "image/jpeg", one["picture"]))) + b"--B--\r\n"
        return post(port, "/isapi?" + urllib.parse.quote(one["name"]), body,
                    "multipart/form-data; boundary=B")

    def answer(self, handler):
        path, one = handler.path.split("?")[0], self.persons.of(2)
        if path == "/ISAPI/System/deviceInfo":
            handler.say(INFO.format(serial=self.serial, **{k: one[k] for k in ("name", "identity", "card")}),
                        "application/xml")
        elif path == "/ISAPI/System/time":
            handler.say(f"<Time><timeMode>manual</timeMode><localTime>{china(time.time())}</localTime>"
                        "<timeZone>CST-8:00:00</timeZone></Time>", "application/xml")
        elif path == "/ISAPI/AccessControl/AcsEvent":
            handler.say(self.search(handler.body), "application/json")
        elif path.endswith("/alertStream") and self.streams:
            self.stream(handler)
        elif path.endswith("/httpHosts") and handler.command == "GET":
            handler.say(self.hosts, "application/xml")
        elif "/httpHosts/" in path and handler.command == "PUT":
            self.hosts = handler.body.decode()
            handler.say("<ResponseStatus><statusCode>1</statusCode></ResponseStatus>", "application/xml")
        else:
            handler.say(json.dumps({"statusCode": 4, "statusString": one["name"],
                                    "errorMsg": f"{one['name']} {one['identity']}"}),
                        "application/json", 403)

    streams = False


# ---- Dahua CGI

class Dahua(Server):
    def __init__(self, persons, serial, count=0):
        super().__init__(persons, count)
        self.serial, self.streamed = serial, 0

    def row(self, i):
        one = self.persons.of(i)
        return {"RecNo": i + 1, "CreateTime": int(self.begun) + i, "CardNo": one["card"],
                "CardName": one["name"], "UserID": self.persons.number(i), "Type": "Entry",
                "Method": (15, 1, 0, 21, 77)[i % 5], "Status": int(i % 3 > 0), "Door": 0,
                "ErrorCode": 0 if i % 3 else 16, "CitizenIDNo": one["identity"],
                "URL": f"/mnt/appdata1/{one['name']}_{one['card']}.jpg", "FaceTemplate": one["template"],
                "Notes": one["name"], "Password": one["identity"]}

    def event(self, i):
        row = self.row(i)
        data = {**row, "UTC": row["CreateTime"], "RealUTC": row["CreateTime"], "Similarity": 91,
                "SnapURL": row["URL"], "Image": base64.b64encode(self.persons.of(i)["picture"]).decode()}
        return data

    def find(self, query):
        values = dict(urllib.parse.parse_qsl(query))
        try:
            first, last = int(values["StartTime"]), int(values["EndTime"])
        except ValueError:
            return f"Error\r\nBad Request! {self.persons.of(3)['name']}\r\n"
        rows = [row for row in map(self.row, range(self.visits)) if first <= row["CreateTime"] <= last]
        rows = rows[:int(values.get("count", 100))]
        text = "".join(f"records[{n}].{name}={value}\r\n" for n, row in enumerate(rows)
                       for name, value in row.items())
        return f"totalCount={len(rows)}\r\nfound={len(rows)}\r\n{text}" if rows else "Error: No Events\r\n"

    def stream(self, handler):
        handler.begin_stream("multipart/x-mixed-replace; boundary=myboundary")
        beat = 0
        while not self.ending.is_set():
            while self.streamed < self.visits:
                text = ("Code=AccessControl;action=Pulse;index=0;data="
                        + json.dumps(self.event(self.streamed), ensure_ascii=False))
                self.write_part(handler, text.encode())
                self.streamed += 1
            beat += 1
            if beat % 10 == 1:
                self.write_part(handler, b"Heartbeat")
            self.ending.wait(0.1)

    @staticmethod
    def write_part(handler, body):
        handler.wfile.write(b"--myboundary\r\nContent-Type: text/plain\r\nContent-Length:%d\r\n\r\n"
                            % len(body) + body + b"\r\n\r\n")

    def push(self, port, i):
        body = {"Code": "AccessControl", "Action": "Pulse", "Index": 0, "Data": self.event(i),
                "PhysicalAddress": "aa:bb:cc:dd:ee:ff", "DeviceName": self.persons.of(i)["name"]}
        return post(port, "/" + urllib.parse.quote(self.persons.of(i)["name"]),
                    json.dumps(body).encode(), "application/json")

    def answer(self, handler):
        path, _, query = handler.path.partition("?")
        one = self.persons.of(4)
        if path.endswith("/recordFinder.cgi"):
            handler.say(self.find(query))
        elif path.endswith("/eventManager.cgi"):
            self.stream(handler)
        elif "getSystemInfo" in query:
            handler.say(f"deviceType=ASI7213X\r\nserialNumber={self.serial}\r\nowner={one['name']}\r\n")
        elif "getSoftwareVersion" in query:
            handler.say("version=2.000.0000000.1.R,build:2020-01-01\r\n")
        elif "getCurrentTime" in query:
            handler.say(f"result={china(time.time())[:19].replace('T', ' ')}\r\n")
        else:
            handler.say(f"Error\r\n{one['name']} {one['identity']}\r\n", status=400)


# ---- ZKTeco PUSH

class Zkteco(zkpush.Terminal):
    """Uploads what an attendance terminal has, asked for or not."""

    def __init__(self, persons, port, serial):
        super().__init__(port, serial)
        self.persons_known = persons

    def gossip(self, count):
        """Everything about so many visits; the statuses that are not 200."""
        refused = []
        for i in range(count):
            one, number = self.persons_known.of(i), self.persons_known.number(i)
            moment = self.now().strftime("%Y-%m-%d ") + time.strftime("%H:%M:%S", time.gmtime(i))
            for table, body in self.uploads(one, number, moment):
                try:
                    self.post(table, body, PIN=number, Name=one["name"], Stamp=one["card"])
                except zkpush.Refused as why:
                    refused.append(f"{table}: {why}")
        return refused

    @staticmethod
    def uploads(one, number, moment):
        name, card, picture = one["name"], one["card"], one["picture"]
        based = base64.b64encode(picture).decode()
        return [
            ("ATTLOG", f"{number}\t{moment}\t0\t15\t{card}\t{name}\t0\t{one['identity']}\t0\n"
                       f"{one['identity']}\t{moment}\t0\t15\t0\t0\t0\t0\t0\t0\t\n"
                       f"{name}\t{name}\t0\t1\n{name}\n"),
            ("OPERLOG", f"OPLOG 30\t{one['identity']}\t{moment}\t{number}\t{card}\t{name}\t0\n"
                        f"OPLOG 32\t0\t{moment}\t{one['identity']}\t0\t0\t0\nOPLOG 4\t{name}\t{name}\n"
                        f"USER PIN={number}\tName={name}\tPri=0\tPasswd={card}\tCard={card}\n"
                        f"FP PIN={number}\tFID=0\tTMP={one['template']}\n"
                        f"FACE PIN={number}\tFID=0\tTMP={one['template']}\n"
                        f"USERPIC PIN={number}\tFileName={name}.jpg\tContent={based}\n"
                        f"BIOPHOTO PIN={number}\tFileName={card}.jpg\tContent={based}\n{name} {card}\n"),
            ("BIODATA", f"BIODATA Pin={number}\tNo=0\tType=9\tTmp={one['template']}\n"),
            ("IDCARD", f"IDCARD PIN=0\tIDNum={one['identity']}\tName={name}\tPhoto={based}\n"),
            ("ATTPHOTO", f"PIN=20260819080000-0-{number}-{one['identity']}.jpg\nSN=1\nsize={len(picture)}\n"
                         f"CMD=uploadphoto\0".encode() + picture),
            ("rtlog", f"time={moment}\tpin={number}\tcardno={card}\teventaddr=1\tevent=0\tinoutstatus=0\t"
                      f"verifytype=15\tindex={time.time_ns() % 10 ** 9}\tname={name}"),
            ("options", f"~DeviceName={name},FWVersion={name} {card},Owner={one['identity']}"),
            ("ERRORLOG", f"ERRORLOG ErrCode=D01E0005\tErrMsg={name}\tAdditional={based}"),
            (name, f"{one['identity']}\n{one['template']}\n"),
        ]

    def pry(self):
        """Requests that are none of a terminal's, with somebody's name in them."""
        one = self.persons_known.of(random.Random(5).randrange(40))
        for serial in (one["name"], one["identity"]):
            stranger = zkpush.Terminal(self.port, serial)
            for path in ("getrequest", urllib.parse.quote(one["name"])):
                try:
                    stranger.ask("GET", path, INFO=one["card"])
                except zkpush.Refused:
                    pass
