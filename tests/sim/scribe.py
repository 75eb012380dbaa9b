#!/usr/bin/python3
"""scribe - a real journal without devices: the real keeper, and a plugin host that only writes.

As a module: write(state, count) has the keeper journal `count` events and stop in good order; with a
city's key, receipts come back too. As a program it is the stand-in for libexec/outpost/host: it speaks
the wire's protocol on descriptor 3, commits what SCRIBE_COUNT says in groups, and waits to be stopped.
Under the name `uplink` it gives the city's receipt for the checkpoint that covers all of it.
"""
import base64
import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.abspath(__file__)
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BUILD = os.environ.get("OUTPOST_BUILD", os.path.join(ROOT, "build", "release"))
OFFICE = "350105-003"
TYPES = {"scribe.rang": "alarm", "scribe.wrote": "record", "scribe.heard": "telemetry"}
LANES = ["alarm", "record", "telemetry"]
HELLO, COMMIT, DONE, FETCH, EVENTS, RECEIPT, CHECKPOINT, PING, PONG, STOP = (
    1, 3, 4, 8, 9, 11, 13, 15, 16, 17)
VERSION, EVENT, TYPE, DATA, LIMIT, SEQ, LANE, PATTERN, ENTRY, ERROR, TEXT = (
    1, 3, 4, 7, 14, 17, 18, 19, 20, 22, 23)
GROUP, GROUP_BYTES = 16, 150000
UNDER_WAY = 4  # commits, where many bytes are written: a lone one waits for company


def field(tag, value):
    return struct.pack("<I", len(value) << 8 | tag) + value


def frame(kind, number, *fields):
    return struct.pack("<cBBBI", b"O", 1, kind, 0, number) + b"".join(fields)


def number(value):
    return struct.pack("<q", value)


def fields(text):
    """(tag, value) of each field."""
    at = 0
    while at < len(text):
        head, = struct.unpack_from("<I", text, at)
        yield head & 255, text[at + 4:at + 4 + (head >> 8)]
        at += 4 + (head >> 8)


def numbers(text):
    """{tag: number} of the fields of eight bytes."""
    return {tag: struct.unpack("<q", value)[0] for tag, value in fields(text) if len(value) == 8}


def event(at, count, noise=0):
    """The last one is an alarm, after which a checkpoint comes at once. Telemetry carries `noise` bytes
    that do not compress to less than half."""
    kind = list(TYPES)[0 if at % 97 == 0 or at == count - 1 else 1 + at % 2]
    text = os.urandom(noise // 2).hex() if noise and kind == "scribe.heard" else "x" * (at * 7 % 300)
    data = json.dumps({"number": at, "text": text})
    return field(EVENT, field(TYPE, kind.encode()) + field(DATA, data.encode()))


def leaf(body):
    """RFC 9162's hash of a leaf."""
    return hashlib.sha256(b"\0" + body).digest()


def sign(text, key):
    """A signed note, made without any code of ours but the key file."""
    with open(key + ".pub", encoding="ascii") as file:
        name, key_id, _ = file.read().split("+", 2)
    with tempfile.NamedTemporaryFile() as plain:
        plain.write(text.encode())
        plain.flush()
        signed = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in",
                                 plain.name], check=True, stdout=subprocess.PIPE).stdout
    code = base64.b64encode(bytes.fromhex(key_id) + signed).decode()
    return f"{text}\n\u2014 {name} {code}\n"


class Child:
    """A child's end of the line."""

    def __init__(self):
        self.line = socket.socket(fileno=3)
        self.line.send(frame(HELLO, 1, field(VERSION, b"0.1.0")))

    def hear(self, *kinds):
        """The next frame of one of these types, or of any: (type, fields)."""
        while True:
            datagram = self.line.recv(1 << 18)
            if not datagram or datagram[2] == STOP:
                sys.exit(0)
            if datagram[2] == PING:
                self.line.send(frame(PONG, struct.unpack_from("<I", datagram, 4)[0]))
            elif not kinds or datagram[2] in kinds:
                return datagram[2], datagram[8:]

    def ask(self, kind, answer, *parts):
        self.line.send(frame(kind, 2, *parts))
        return self.hear(answer)[1]

    def done(self, name):
        with open(os.environ["SCRIBE_DONE"] + name, "w", encoding="ascii") as done:
            done.write("done\n")


class Host(Child):
    def run(self, count, noise):
        size, waiting = min(GROUP, max(1, GROUP_BYTES // (noise + 1))), 0
        most = UNDER_WAY if noise else 1
        for first in range(0, count, size):
            group = [event(at, count, noise) for at in range(first, min(first + size, count))]
            self.line.send(frame(COMMIT, 2, *group))
            waiting += 1
            while waiting == most or waiting and first + size >= count:
                assert numbers(self.hear(DONE)[1])[ERROR] == 0, "a commit was refused"
                waiting -= 1
        self.done("host")
        self.hear(STOP)


class Uplink(Child):
    def lasts(self, size):
        """The last event of each lane below `size`, -1 none."""
        last, at = [-1, -1, -1], 0
        while at < size:
            answer = self.ask(FETCH, EVENTS, field(PATTERN, b"*"), field(SEQ, number(at)),
                              field(LIMIT, number(65536)))
            for tag, value in fields(answer):
                entry = numbers(value) if tag == ENTRY else None
                if entry and entry[SEQ] < size:
                    last[entry[LANE]] = entry[SEQ]
            at = numbers(answer)[SEQ]
        return last

    def receipt(self, checkpoint, key):
        origin, size, root = checkpoint.decode().split("\n")[:3]
        lines = [origin.replace("outpost/", "outpost-receipt/", 1),
                 time.strftime("time %Y-%m-%dT%H:%M:%SZ", time.gmtime())]
        lines += [f"lane {lane} {seq}" for lane, seq in zip(LANES, self.lasts(int(size))) if seq >= 0]
        return sign("\n".join(lines + [f"checkpoint {size} {root}", ""]), key)

    def run(self, count, key):
        while True:
            checkpoint = dict(fields(self.hear(CHECKPOINT)[1]))[TEXT]
            if int(checkpoint.split(b"\n")[1]) > count:
                break
        answer = self.ask(RECEIPT, DONE, field(TEXT, self.receipt(checkpoint, key).encode()))
        assert numbers(answer)[ERROR] == 0, "the receipt was refused"
        self.done("uplink")
        self.hear(STOP)


def configuration(suite, city, storage):
    plugin = {"plugin": "scribe", "instance": "desk", "folder": "/", "needs": [], "config": {},
              "events": TYPES}
    what = {"office": {"id": OFFICE, "name": "office", "timezone": "UTC", "suite": suite},
            "lua": "/", "plugins": [plugin], "limits": {"messages": 1000000, "bytes": 1 << 30}}
    if storage:
        what["storage"] = storage
    if city:
        what["city"] = {"url": "mqtt://127.0.0.1:1", "verifier": city + ".pub"}
    return what


def start(state, count, folder, suite="sha256+ed25519", city=None, noise=0, storage=None):
    """A keeper at work on `count` more events, as a process; `folder` is for what the test needs."""
    libexec, config = os.path.join(folder, "libexec"), os.path.join(folder, "config.json")
    os.makedirs(libexec)
    for name in ("host", "uplink"):
        os.symlink(HERE, os.path.join(libexec, name))
    with open(config, "w", encoding="utf-8") as file:
        json.dump(configuration(suite, city, storage), file)
    with open(config, "rb") as file:
        return subprocess.Popen(
            [os.path.join(BUILD, "libexec", "outpost", "keeper"), "--state", str(state), "--libexec",
             libexec, "--config-fd", str(file.fileno())], pass_fds=[file.fileno()],
            stderr=subprocess.PIPE, text=True,
            env={**os.environ, "SCRIBE_COUNT": str(count), "SCRIBE_CITY": city or "",
                 "SCRIBE_NOISE": str(noise),
                 "SCRIBE_DONE": os.path.join(folder, "done-"), "OUTPOST_LOG": "warn"})


def write(state, count, suite="sha256+ed25519", city=None, end=signal.SIGTERM, noise=0, storage=None,
          rest=0):
    """Journals `count` more events into `state`, then ends the keeper by the signal `end`, `rest` seconds
    later. `city` is a key file made by keygen: a receipt signed with it arrives too. Returns the journal's
    folder."""
    with tempfile.TemporaryDirectory() as folder:
        keeper = start(state, count, folder, suite, city, noise, storage)
        awaited = [os.path.join(folder, "done-" + name) for name in ["host"] + ["uplink"] * bool(city)]
        until = time.monotonic() + 240
        while keeper.poll() is None and time.monotonic() < until:
            if all(map(os.path.exists, awaited)):
                break
            time.sleep(0.02)
        time.sleep(rest)
        keeper.send_signal(end)
        errors = keeper.communicate(timeout=90)[1]
        assert all(map(os.path.exists, awaited)), f"not done, exit {keeper.returncode}: {errors}"
        assert end == signal.SIGKILL or keeper.returncode == 0, errors
    return os.path.join(str(state), "journal")


if __name__ == "__main__":
    if os.path.basename(sys.argv[0]) == "uplink":
        Uplink().run(int(os.environ["SCRIBE_COUNT"]), os.environ["SCRIBE_CITY"])
    else:
        Host().run(int(os.environ["SCRIBE_COUNT"]), int(os.environ["SCRIBE_NOISE"]))
