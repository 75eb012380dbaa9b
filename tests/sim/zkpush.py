"""zkpush - a ZKTeco face terminal that pushes, on Python's own http.client.

It keeps its records as real ones do: in a memory that it sends from a mark on, in chunks of up to 128
lines, and again when it has not heard "OK: n". It polls for commands and does them. What goes wrong is
steered: it sends all of its memory again, hangs up before it has heard the answer, sets its clock.

Written by the maker's documents, without any of our own code. `made` is everything it has recorded,
in order; what has been heard of it must be exactly that.
"""
import datetime
import hashlib
import http.client
import random
import threading
import time
import urllib.parse

CHUNK = 128
CHINA = datetime.timezone(datetime.timedelta(hours=8))
AGENT = {"User-Agent": "iClock Proxy/1.09", "Connection": "close", "Accept": "*/*"}


class Refused(Exception):
    """Not what a terminal goes on with: no answer, or another than 200."""


class Terminal:
    """An attendance terminal. `source` is its own address on loopback."""

    def __init__(self, port, serial="VGU6244700001", source="127.0.0.1", seed=1, suffix=""):
        self.port, self.serial, self.source, self.suffix = port, serial, source, suffix
        self.chance = random.Random(seed)
        self.ahead = 0.0  # seconds that its clock is ahead
        self.made, self.sent = [], 0  # lines, and how many of them were answered
        self.persons, self.templates = {}, []
        self.results, self.options = [], {}
        self.drops = 0.0  # how often it hangs up before the answer
        self.cookie, self.answers = None, []
        self.lock = threading.Lock()

    # ---- Its own clock and memory

    def now(self):
        return datetime.datetime.fromtimestamp(time.time() + self.ahead, CHINA)

    def punch(self, pin, verify=15, at=None, extra="\t0\t0\t0\t0\t0\t0\t"):
        """Somebody stands before it; the line that it records."""
        moment = at or self.now().strftime("%Y-%m-%d %H:%M:%S")
        line = f"{pin}\t{moment}\t255\t{verify}{extra}"
        with self.lock:
            self.made.append(line)
        return line

    def fill(self, count, first=1, day="2026-08-19", people=40):
        """A memory of so many records, a minute apart."""
        start = datetime.datetime.strptime(day, "%Y-%m-%d")
        for i in range(first, first + count):
            moment = start + datetime.timedelta(minutes=i)
            self.punch(i % people + 1, at=moment.strftime("%Y-%m-%d %H:%M:%S"))

    # ---- Talking

    def ask(self, method, path, body=None, **query):
        """The body of the answer; Refused when there is none, or it is not 200."""
        text = urllib.parse.urlencode({"SN": self.serial, **query})
        headers = dict(AGENT, **({"Cookie": f"token={self.cookie}"} if self.cookie else {}))
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60,
                                            source_address=(self.source, 0))
        try:
            client.request(method, f"/iclock/{path}{self.suffix}?{text}", body, headers)
            if body and self.chance.random() < self.drops:
                raise Refused("hung up")
            answer = client.getresponse()
            heard = answer.read()
        except (OSError, http.client.HTTPException) as why:
            raise Refused(str(why)) from None
        finally:
            client.close()
        self.answers.append(answer.status)
        if answer.status != 200:
            raise Refused(f"{answer.status}")
        return heard.decode("gb18030")  # as terminals do that speak Chinese; letters are the same

    def connect(self):
        told = self.ask("GET", "cdata", options="all", language="83", pushver="2.4.1",
                        DeviceType="att", PushOptionsFlag="1")
        self.options = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
        return self

    def post(self, table, body, **query):
        return self.ask("POST", "cdata", body.encode() if isinstance(body, str) else body,
                        table=table, **query)

    def send(self, first=None):
        """All that was not answered yet, or all from `first` on; False when an answer fails."""
        at = self.sent if first is None else first
        while at < len(self.made):
            chunk = self.made[at:at + CHUNK]
            try:
                told = self.post("ATTLOG", "\n".join(chunk) + "\n", Stamp="9999")
            except Refused:
                return False
            if told.strip() != f"OK: {len(chunk)}":
                return False
            at += len(chunk)
            self.sent = max(self.sent, at)
        return True

    def send_all(self, first=None, seconds=60):
        """Until all is answered, as terminals do: they never give up."""
        end = time.monotonic() + seconds
        while not self.send(first):
            assert time.monotonic() < end, f"{self.sent} of {len(self.made)} records answered"
            time.sleep(0.05)

    # ---- Commands

    def poll(self):
        """Fetches commands, does them, answers; how many there were."""
        told = self.ask("GET", "getrequest").strip()
        commands = [line.split(":", 2) for line in told.splitlines() if line.startswith("C:")]
        for _, number, text in commands:
            code = self.perform(text)
            self.ask("POST", "devicecmd", f"ID={number}&Return={code}&CMD={text.split(' ')[0]}\n")
        return len(commands)

    def perform(self, text):
        self.results.append(text)
        words, _, values = text.partition("PIN=")
        fields = dict(pair.split("=", 1) for pair in ("PIN=" + values).split("\t") if "=" in pair)
        if words.startswith("DATA UPDATE USERINFO"):
            self.persons[fields["PIN"]] = fields
        elif words.startswith("DATA DELETE USERINFO"):
            if self.persons.pop(fields["PIN"], None) is None:
                return -10
        elif text == "DATA QUERY USERINFO":
            self.post("OPERLOG", "".join(f"USER PIN={pin}\tName={one.get('Name', '')}\tPri=0\n"
                                         for pin, one in self.persons.items()) or "\n")
        elif text.startswith("DATA QUERY ATTLOG"):
            return 0 if self.resend(text) else -1
        elif text.startswith("SET OPTION DateTime="):
            self.ahead = decode(int(text.rsplit("=", 1)[1])) - time.time()
        else:
            return -1002
        return 0

    def resend(self, text):
        """DATA QUERY ATTLOG StartTime=...\\tEndTime=...: those records once more."""
        first, last = (pair.split("=", 1)[1] for pair in text.split("ATTLOG ")[1].split("\t"))
        lines = [line for line in self.made if first <= line.split("\t")[1] <= last]
        for at in range(0, len(lines), CHUNK):
            chunk = lines[at:at + CHUNK]
            if self.post("ATTLOG", "\n".join(chunk) + "\n", Stamp="9999") != f"OK: {len(chunk)}":
                return False
        return True


class Living(threading.Thread):
    """A terminal that does by itself what one does: connects, sends, polls."""

    def __init__(self, terminal, poll=0.2):
        super().__init__(daemon=True)
        self.terminal, self.pause, self.ending = terminal, poll, threading.Event()
        self.start()

    def run(self):
        connected = False
        while not self.ending.wait(self.pause):
            try:
                if not connected:
                    self.terminal.connect()
                    connected = True
                connected = self.terminal.send()
                self.terminal.poll()
            except Refused:
                connected = False

    def stop(self):
        self.ending.set()
        self.join()


class Guard(Terminal):
    """A terminal of security PUSH: it registers, shows a token, and posts events at doors."""

    index = 0

    def connect(self):
        told = self.ask("GET", "cdata", options="all", pushver="3.0.1", DeviceType="acc")
        settings = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
        code = settings.get("RegistryCode")
        if not code:
            code = self.ask("POST", "registry", b"DeviceType=acc,~DeviceName=F20/M,FirmVer=Ver 8.0.1.3"
                            b",LockCount=1,authKey=dassas").split("=", 1)[1].strip()
            told = self.ask("POST", "push", b"")
            settings = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
        self.options = settings
        self.cookie = hashlib.md5((code + self.serial + settings["SessionID"]).encode()).hexdigest()
        return self

    def event(self, pin, number, verify=15, door=1):
        self.index += 1
        moment = self.now().strftime("%Y-%m-%d %H:%M:%S")
        line = (f"time={moment}\tpin={pin}\tcardno=0\teventaddr={door}\tevent={number}\tinoutstatus=0\t"
                f"verifytype={verify}\tindex={self.index}")
        self.made.append(line)
        return line

    def perform(self, text):
        self.results.append(text)
        fields = dict(pair.split("=", 1) for pair in text.replace(" ", "\t").split("\t") if "=" in pair)
        if text.startswith("DATA UPDATE user "):
            self.persons[fields["Pin"]] = fields
        elif text.startswith("DATA DELETE user "):
            return 0 if self.persons.pop(fields["Pin"], None) else -10
        elif text.startswith("DATA QUERY tablename=user,"):
            body = "".join(f"user uid={i}\tpin={pin}\tname=\n" for i, pin in enumerate(self.persons))
            told = self.ask("POST", "querydata", body.encode(), type="tabledata", tablename="user",
                            count=str(len(self.persons)), packcnt="1", packidx="1")
            return len(self.persons) if told == f"user={len(self.persons)}" else -1
        elif text.startswith("DATA QUERY tablename=transaction,"):
            body = "".join(stored(line) + "\n" for line in self.made)
            told = self.ask("POST", "querydata", body.encode(), type="tabledata",
                            tablename="transaction", count=str(len(self.made)))
            return len(self.made) if told == f"transaction={len(self.made)}" else -1
        elif text.startswith("SET OPTIONS DateTime="):
            self.ahead = decode(int(text.rsplit("=", 1)[1])) - time.time()
        else:
            return -708
        return 0

    def send(self, first=None):
        for at in range(self.sent if first is None else first, len(self.made)):
            try:
                if self.post("rtlog", self.made[at]) != "OK":
                    return False
            except Refused:
                return False
            self.sent = max(self.sent, at + 1)
        return True


def stored(line):
    """A pushed event as it lies in the terminal's table, with the maker's counting of time."""
    names = {"eventaddr": "doorid", "event": "eventtype", "inoutstatus": "inoutstate",
             "verifytype": "verified"}
    fields = dict(pair.split("=", 1) for pair in line.split("\t"))
    at = datetime.datetime.strptime(fields.pop("time"), "%Y-%m-%d %H:%M:%S")
    number = (((at.year - 2000) * 372 + (at.month - 1) * 31 + at.day - 1) * 86400
              + at.hour * 3600 + at.minute * 60 + at.second)
    return "transaction " + "\t".join(f"{names.get(name, name)}={value}" for name, value in
                                      [*fields.items(), ("time_second", number)])


def decode(number):
    """Seconds since 1970 of the maker's own counting, local time of China."""
    number, second = divmod(number, 60)
    number, minute = divmod(number, 60)
    number, hour = divmod(number, 24)
    number, day = divmod(number, 31)
    year, month = divmod(number, 12)
    return datetime.datetime(year + 2000, month + 1, day + 1, hour, minute, second,
                             tzinfo=CHINA).timestamp()
