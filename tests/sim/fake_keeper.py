"""fake_keeper - a keeper that only knows the uplink: a journal in memory, the line, receipts.

Speaks the protocol of core/wire over a SOCK_SEQPACKET pair, as file descriptor 3 of the uplink it
starts. It checks every receipt with the city's public key (by openssl) before it moves a mark, signs
checkpoints, and starts the uplink again when it has died. Written from wire/talk.h and the C2SP
notes, not from our C, so that the two can disagree.
"""
import base64
import bisect
import errno
import hashlib
import json
import os
import select
import socket
import struct
import subprocess
import tempfile
import threading
import time

LANES = ("alarm", "record", "telemetry")
HELLO, START, DONE, FETCH, EVENTS, CANCEL, RECEIPT = 1, 2, 4, 8, 9, 10, 11
MARK, CHECKPOINT, HEALTH, PING, PONG, STOP, STALLED = 12, 13, 14, 15, 16, 17, 20
T_CONFIG, T_LIMIT, T_SEQ, T_LANE, T_ENTRY, T_BODY, T_ERROR, T_TEXT = 2, 14, 17, 18, 20, 21, 22, 23
DASH = "\u2014 "


def field(tag, value):
    if isinstance(value, int):
        value = struct.pack("<q", value)
    return struct.pack("<I", len(value) << 8 | tag) + value


def frame(kind, ident, *fields):
    return struct.pack("<BBBBI", ord("O"), 1, kind, 0, ident) + b"".join(fields)


def fields_of(datagram):
    found, at = {}, 8
    while at < len(datagram):
        head, = struct.unpack_from("<I", datagram, at)
        length = head >> 8
        found[head & 0xff] = datagram[at + 4:at + 4 + length]
        at += 4 + length
    return found


def number(value):
    return struct.unpack("<q", value)[0]


class Signer:
    """An Ed25519 key and its notes, by openssl."""

    def __init__(self, name):
        self.name = name
        self.temporary = tempfile.TemporaryDirectory(prefix="signer-")  # goes with us
        self.folder = self.temporary.name
        self.pem = os.path.join(self.folder, "key.pem")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.pem], check=True)
        der = subprocess.run(["openssl", "pkey", "-in", self.pem, "-pubout", "-outform", "DER"],
                             check=True, capture_output=True).stdout
        self.public = b"\x01" + der[-32:]
        self.ident = hashlib.sha256(name.encode() + b"\n" + self.public).digest()[:4]

    def vkey(self):
        return f"{self.name}+{self.ident.hex()}+{base64.b64encode(self.public).decode()}"

    def note(self, text):
        path = os.path.join(self.folder, "text")
        with open(path, "wb") as out:
            out.write(text.encode())
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.pem, "-in",
                                    path], check=True, capture_output=True).stdout
        return f"{text}\n{DASH}{self.name} {base64.b64encode(self.ident + signature).decode()}\n"


class Verifier:
    """Checks notes with a vkey line, by openssl."""

    def __init__(self, vkey):
        self.name, _, public = vkey.strip().split("+", 2)
        self.temporary = tempfile.TemporaryDirectory(prefix="verifier-")
        self.folder = self.temporary.name
        self.pem = os.path.join(self.folder, "key.pem")
        raw = base64.b64decode(public)[1:]
        der = bytes.fromhex("302a300506032b6570032100") + raw
        with open(self.pem, "w", encoding="ascii") as out:
            out.write("-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(der).decode() +
                      "\n-----END PUBLIC KEY-----\n")

    def text_of(self, note):
        """The note's text; an AssertionError when the signature does not fit."""
        text, signatures = note.rsplit("\n\n", 1)
        line = next(s for s in signatures.splitlines() if s.startswith(DASH + self.name + " "))
        raw = base64.b64decode(line.rsplit(" ", 1)[1])[4:]
        for name, value in (("text", (text + "\n").encode()), ("signature", raw)):
            with open(os.path.join(self.folder, name), "wb") as out:
                out.write(value)
        done = subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", self.pem,
                               "-in", os.path.join(self.folder, "text"), "-sigfile",
                               os.path.join(self.folder, "signature")], check=False,
                              capture_output=True)
        assert done.returncode == 0, "a receipt with a wrong signature"
        return text + "\n"


class Tree:
    """The right edge of an RFC 9162 tree."""

    def __init__(self):
        self.size, self.edge = 0, []

    def append(self, body):
        node, size = hashlib.sha256(b"\0" + body).digest(), self.size
        while size & 1:
            node = hashlib.sha256(b"\1" + self.edge.pop() + node).digest()
            size >>= 1
        self.edge.append(node)
        self.size += 1

    def root(self):
        node = self.edge[-1]
        for left in reversed(self.edge[:-1]):
            node = hashlib.sha256(b"\1" + left + node).digest()
        return node


class FakeKeeper:
    def __init__(self, uplink, broker_url, city_vkey, office="350105-003", log="9c41e07a", folder="."):
        self.uplink, self.url, self.office, self.log = uplink, broker_url, office, log
        self.city = Verifier(city_vkey)
        self.tls = {}  # ca, cert, key: paths
        self.floor_us = 0
        self.environment = None  # of the uplink; None: ours
        self.stalls = []  # (lane, why)
        self.signer = Signer(f"outpost/{office}")
        self.bodies, self.lane_of = [], []
        self.seqs = {lane: [] for lane in range(3)}
        self.marks = [-1, -1, -1]
        self.fetches = {}  # id -> (lane, from, limit)
        self.tree, self.checkpoint = Tree(), None
        self.receipts = self.starts = self.verified = 0
        self.health, self.child, self.line = None, None, None
        self.lock = threading.RLock()
        self.ending = self.stopped = False
        self.error = None
        self.log_path = os.path.join(str(folder), "uplink.log")
        self.thread = threading.Thread(target=self._guarded, daemon=True)

    # -- what a test does

    def start(self):
        self.thread.start()
        return self

    def emit(self, lane, data="{}", kind=None):
        """Commits one event; returns its sequence."""
        with self.lock:
            seq = len(self.bodies)
            self.bodies.append(self._compose(seq, LANES[lane], data, kind))
            self.lane_of.append(lane)
            self.seqs[lane].append(seq)
            self.tree.append(self.bodies[-1])
            self._answer_fetches()
            return seq

    def sign_checkpoint(self):
        with self.lock:
            root = base64.b64encode(self.tree.root()).decode()
            self.checkpoint = self.signer.note(
                f"outpost/{self.office}/{self.log}\n{self.tree.size}\n{root}\n")
            self._send(frame(CHECKPOINT, 0, field(T_TEXT, self.checkpoint.encode())))

    def lasts(self):
        return [self.seqs[lane][-1] if self.seqs[lane] else -1 for lane in range(3)]

    def kill_uplink(self):
        with self.lock:
            if self.child and self.child.poll() is None:
                self.child.kill()

    def stop(self, seconds=5):
        """Says STOP; the uplink's exit code and how long it took."""
        begun = time.monotonic()
        with self.lock:
            self.ending = True
            self._send(frame(STOP, 0))
        code = self.child.wait(seconds)
        self.stopped = True
        self.thread.join(5)
        return code, time.monotonic() - begun

    # -- the line

    def _compose(self, seq, lane, data, kind):
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() // 1000 % 10**6:06d}Z"
        return json.dumps({
            "specversion": "1.0", "id": f"{self.office}/{self.log}/{seq}",
            "source": f"/{self.office}/wristband/gate", "type": kind or f"test.{lane}", "time": now,
            "subject": "person/3501050012", "datacontenttype": "application/json",
            "office": self.office, "log": self.log, "sequence": f"{seq:016d}", "lane": lane,
            "recorded": now, "boot": "b", "mono": "1", "clock": "synced",
            "salt": os.urandom(16).hex(), "data": json.loads(data)}, separators=(",", ":")).encode()

    def _spawn(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 512 * 1024)
        high = os.dup(theirs.fileno())
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(
                ["/bin/bash", "-c", f'exec "$0" 3<&{high} {high}<&-', self.uplink],
                pass_fds=(high,), stderr=log, stdin=subprocess.DEVNULL, env=self.environment)
        os.close(high)
        theirs.close()
        self.line, self.fetches = ours, {}
        self.starts += 1

    def _send(self, datagram):
        if self.line is None:
            return
        try:
            self.line.send(datagram)
        except OSError:
            pass  # it is dead or dying; the end of the line is seen when reading

    def _greet(self):
        config = {"office": self.office, "log": self.log, "version": "0.1.0", "boot": f"boot-{self.starts}",
                  "city": {"url": self.url, "verifier": "x", **self.tls}, "size": 0, "root": "",
                  "floor_us": self.floor_us,
                  "verifier_office": self.signer.vkey()}
        self._send(frame(START, 0, field(T_CONFIG, json.dumps(config).encode())))
        for lane in range(3):
            self._tell_mark(lane)
        if self.checkpoint:
            self._send(frame(CHECKPOINT, 0, field(T_TEXT, self.checkpoint.encode())))

    def _tell_mark(self, lane):
        self._send(frame(MARK, 0, field(T_LANE, lane), field(T_SEQ, self.marks[lane])))

    def _answer_fetches(self):
        for ident, (lane, start, limit) in list(self.fetches.items()):
            at = bisect.bisect_left(self.seqs[lane], start)
            if at == len(self.seqs[lane]):
                continue
            entries, size = [], 0
            while at < len(self.seqs[lane]) and (size == 0 or size < limit):
                seq = self.seqs[lane][at]
                entries.append(field(T_ENTRY, field(T_SEQ, seq) + field(T_LANE, lane) +
                                     field(T_BODY, self.bodies[seq])))
                size += len(self.bodies[seq])
                at += 1
            del self.fetches[ident]
            self._send(frame(EVENTS, ident, *entries, field(T_SEQ, seq + 1)))

    def _take_receipt(self, note):
        text = self.city.text_of(note)
        self.receipts += 1
        lines = text.splitlines()
        if lines[0] != f"outpost-receipt/{self.office}/{self.log}":
            return errno.EPROTO  # of the log that this office had before
        marks = [-1, -1, -1]
        for line in lines[2:]:
            words = line.split()
            if words[0] == "lane":
                marks[LANES.index(words[1])] = int(words[2])
            elif words[0] == "checkpoint":
                self.verified = int(words[1])
        for lane in range(3):
            if marks[lane] != self.marks[lane]:
                self.marks[lane] = marks[lane]
                self._tell_mark(lane)
        return 0

    def _came(self, datagram):
        kind, ident = datagram[2], struct.unpack_from("<I", datagram, 4)[0]
        fields = fields_of(datagram)
        if kind == HELLO:
            self._greet()
        elif kind == FETCH:
            self.fetches[ident] = (number(fields[T_LANE]), number(fields[T_SEQ]), number(fields[T_LIMIT]))
            self._answer_fetches()
        elif kind == CANCEL:
            self.fetches.pop(ident, None)
        elif kind == RECEIPT:
            error = self._take_receipt(fields[T_TEXT].decode())
            self._send(frame(DONE, ident, field(T_ERROR, error), field(T_SEQ, -1)))
        elif kind == HEALTH:
            self.health = json.loads(fields[T_TEXT])
        elif kind == STALLED:
            self.stalls.append((number(fields[T_LANE]), fields[T_TEXT].decode()))
        else:
            assert kind == PONG, f"the uplink sent a frame of type {kind}"

    def _turn(self):
        ready = select.select([self.line], [], [], 0.1)[0]
        if not ready:
            return
        with self.lock:
            try:
                datagram = self.line.recv(300000)
            except OSError:
                datagram = b""
            if datagram:
                self._came(datagram)
                return
            self.line.close()
            self.line = None
            self.child.wait()
        if not self.ending:
            time.sleep(0.1)

    def _guarded(self):
        try:
            while not self.stopped:
                if self.line is None:
                    if self.ending:
                        return
                    with self.lock:
                        self._spawn()
                self._turn()
        except Exception as why:  # pylint: disable=broad-except
            self.error = why
            raise
