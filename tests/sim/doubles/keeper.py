"""keeper - plays the keeper to one real host: enough of wire/talk.h to drive a plugin.

Events and the store live in memory. It is for tests that look at the host alone; whatever is about
durability belongs to stories with the real keeper.
"""

import json
import os
import select
import socket
import struct
import subprocess
import time

(HELLO, START, COMMIT, DONE, GET, RANGE, VALUES, FETCH, EVENTS, CANCEL, RECEIPT, MARK, CHECKPOINT,
 HEALTH, PING, PONG, STOP) = range(1, 18)
(VERSION, CONFIG, EVENT, TYPE, TIME, SUBJECT, DATA, PUT, REMOVE, CONSUMED, KEY, VALUE, UNTIL, LIMIT,
 MORE, NAME, SEQ, LANE, PATTERN, ENTRY, BODY, ERROR, TEXT) = range(1, 24)

CHILD_FD = 3
FRAME_MAX = 256 * 1024


def field(tag, value):
    if isinstance(value, int):
        value = struct.pack("<q", value)
    elif isinstance(value, str):
        value = value.encode()
    return struct.pack("<I", len(value) << 8 | tag) + value


def frame(kind, number, *fields):
    return struct.pack("<cBBBI", b"O", 1, kind, 0, number) + b"".join(fields)


def fields(data):
    found = []
    while data:
        (head,) = struct.unpack_from("<I", data)
        length = head >> 8
        found.append((head & 255, data[4:4 + length]))
        data = data[4 + length:]
    return found


def number(value):
    return struct.unpack("<q", value)[0]


def matches(pattern, kind):
    return kind.startswith(pattern[:-1]) if pattern.endswith("*") else kind == pattern


class KeeperDouble:
    def __init__(self, host, folder, library, config=None, events=None, log=None, refuse=None,
                 needs=()):
        self.events = []        # (type, subject, data)
        self.bodies = []
        self.store = {}
        self.cursors = {}
        self.waiting = []       # fetches without an answer
        self.commits = 0
        self.health = None
        self.refuse = refuse    # a function of a commit's fields: None, or the errno to answer
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket = ours
        self.start = {"office": "1", "plugin": os.path.basename(folder), "instance": "test",
                      "folder": folder, "lua": library, "needs": list(needs), "config": config or {},
                      "events": events or {}}

        def place():
            os.dup2(theirs.fileno(), CHILD_FD)

        self.process = subprocess.Popen([host, "run"], pass_fds=(CHILD_FD,), preexec_fn=place,
                                        stderr=log)
        theirs.close()

    def close(self, patience=3):
        """Tells the host to stop; returns its exit code."""
        if self.process.poll() is None:
            try:
                self.socket.send(frame(STOP, 0))
                self.run(lambda: self.process.poll() is not None, patience)
            except OSError:
                pass
        if self.process.poll() is None:
            self.process.kill()
        code = self.process.wait()
        self.socket.close()
        return code

    def run(self, done, seconds):
        """Serves the host until done() holds; False when that takes too long or the line ends."""
        until = time.monotonic() + seconds
        while not done():
            left = until - time.monotonic()
            if left <= 0:
                return False
            ready, _, _ = select.select([self.socket], [], [], min(left, 0.05))
            if ready:
                data = self.socket.recv(FRAME_MAX)
                if not data:
                    self.process.wait(60)
                    return done()
                self.hear(data)
        return True

    def hear(self, data):
        kind, number_of = data[2], struct.unpack_from("<I", data, 4)[0]
        heard = {HELLO: self.hello, COMMIT: self.commit, GET: self.get, RANGE: self.range,
                 FETCH: self.fetch, HEALTH: self.hear_health}
        if kind in heard:
            heard[kind](number_of, fields(data[8:]))

    def hello(self, _number, _fields):
        self.socket.send(frame(START, 0, field(CONFIG, json.dumps(self.start))))

    def hear_health(self, _number, got):
        self.health = json.loads(dict(got)[TEXT])

    def commit(self, number_of, got):
        err = self.refuse(got) if self.refuse else None
        if err:
            self.socket.send(frame(DONE, number_of, field(ERROR, err), field(TEXT, "refused")))
            return
        first = -1
        for tag, value in got:
            parts = dict(fields(value))
            if tag == EVENT:
                first = len(self.events) if first < 0 else first
                self.add_event(parts)
            elif tag == PUT:
                self.store[parts[KEY].decode()] = parts[VALUE]
            elif tag == REMOVE:
                self.store.pop(parts[KEY].decode(), None)
            elif tag == CONSUMED:
                self.cursors[parts[NAME].decode()] = number(parts[SEQ])
        self.commits += 1
        self.socket.send(frame(DONE, number_of, field(ERROR, 0), field(SEQ, first)))
        self.answer_fetches()

    def add_event(self, parts):
        data = json.loads(parts[DATA])
        subject = parts[SUBJECT].decode() if SUBJECT in parts else None
        self.add(parts[TYPE].decode(), data, subject)

    def add(self, kind, data, subject=None):
        self.events.append((kind, subject, data))
        self.bodies.append(json.dumps({"type": kind, "data": data, "subject": subject or "office",
                                       "sequence": "%016d" % len(self.bodies)}))

    def get(self, number_of, got):
        key = dict(got)[KEY]
        value = self.store.get(key.decode())
        put = [field(PUT, field(KEY, key) + field(VALUE, value))] if value is not None else []
        self.socket.send(frame(VALUES, number_of, *put))

    def range(self, number_of, got):
        parts = dict(got)
        low, limit = parts[KEY].decode(), number(parts[LIMIT])
        high = parts[UNTIL].decode() if UNTIL in parts else None
        keys = sorted(k for k in self.store if k >= low and (high is None or k < high))
        out = [field(PUT, field(KEY, k) + field(VALUE, self.store[k])) for k in keys[:limit]]
        if len(keys) > limit:
            out.append(field(MORE, b""))
        self.socket.send(frame(VALUES, number_of, *out))

    def fetch(self, number_of, got):
        parts = dict(got)
        if SEQ in parts:
            at = number(parts[SEQ])
        else:
            at = self.cursors.get(parts[NAME].decode(), -1) + 1
        self.waiting.append((number_of, parts[PATTERN].decode(), at, number(parts[LIMIT])))
        self.answer_fetches()

    def answer_fetches(self):
        still = []
        for number_of, pattern, at, limit in self.waiting:
            out, size = [], 0
            while at < len(self.events) and size < limit:
                if matches(pattern, self.events[at][0]):
                    body = self.bodies[at]
                    size += len(body) + 40
                    out.append(field(ENTRY, field(SEQ, at) + field(LANE, 1) + field(BODY, body)))
                at += 1
            if out:
                self.socket.send(frame(EVENTS, number_of, *out, field(SEQ, at)))
            else:
                still.append((number_of, pattern, at, limit))
        self.waiting = still
