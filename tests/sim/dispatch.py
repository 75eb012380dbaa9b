"""dispatch - a keeper that only knows the courier: files, what was noted of them, receipts.

Speaks the protocol of core/wire over file descriptor 3 of the courier it starts, as fake_keeper.py does
with the uplink; starts it again when it has died. It checks each receipt by openssl.
"""
import array
import hashlib
import json
import os
import select
import socket
import struct
import subprocess
import threading
import time

from fake_keeper import Verifier, field, fields_of, frame, number

HELLO, START, DONE, HEALTH, PING, PONG, STOP = 1, 2, 4, 14, 15, 16, 17
PARCELS, NOTE, DRAW, DRAWN, HANDOVER = 34, 35, 36, 37, 38
T_CONFIG, T_VALUE, T_LIMIT, T_NAME, T_SEQ, T_ENTRY, T_ERROR, T_TEXT = 2, 12, 14, 16, 17, 20, 22, 23
T_DIGEST, T_SM3, T_SIZE, T_OFFSET = 27, 28, 29, 31
ENOENT, EBADMSG = 2, 74


class File:
    def __init__(self, path, seq, kind):
        self.path, self.seq, self.kind = path, seq, kind
        self.note, self.receipt = None, None
        self.aside, self.until, self.why = None, 0, None  # ms; when that is over; for people
        self.size = os.path.getsize(path)
        self.sha256, self.sm3 = digests(path)


def digests(path):
    """(SHA-256, SM3) of a file, as hex."""
    hashes = [hashlib.sha256(), hashlib.new("sm3")]
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            for each in hashes:
                each.update(part)
    return tuple(each.hexdigest() for each in hashes)


class Dispatch:
    def __init__(self, courier, settings, city_vkey, folder, office="350105-003", log="9c41e07a"):
        self.courier, self.settings, self.office, self.log = courier, settings, office, log
        self.city = Verifier(city_vkey)
        self.files = {}
        self.health, self.starts, self.drawn, self.error = None, 0, [], None
        self.floor_us, self.environment = 0, None
        self.log_path = os.path.join(str(folder), "courier.log")
        self.lock, self.ending = threading.RLock(), False
        self.child, self.line = None, None
        self.thread = threading.Thread(target=self._guarded, daemon=True)

    # -- what a test does

    def start(self):
        self.thread.start()
        return self

    def put(self, path, seq, kind="important"):
        with self.lock:
            file = File(path, seq, kind)
            self.files[file.sha256] = file
            return file

    def text(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def kill_courier(self):
        with self.lock:
            if self.child and self.child.poll() is None:
                self.child.kill()

    def close(self):
        """Says STOP; the courier's exit code."""
        with self.lock:
            self.ending = True
            self._send(frame(STOP, 0))
        code = self.child.wait(10)
        self.thread.join(10)
        assert self.error is None, self.error
        return code

    # -- the line

    def _spawn(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        high = os.dup(theirs.fileno())
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(["/bin/bash", "-c", f'exec "$0" 3<&{high} {high}<&-', self.courier],
                                          pass_fds=(high,), stderr=log, stdin=subprocess.DEVNULL,
                                          env=self.environment)
        os.close(high)
        theirs.close()
        self.line = ours
        self.starts += 1

    def _send(self, datagram, descriptor=None):
        rights = []
        if descriptor is not None:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
        try:
            if self.line is not None:
                self.line.sendmsg([datagram], rights)
        except OSError:
            pass  # it is dead or dying; the end of the line is seen when reading

    def _list(self, ident):
        entries = []
        for file in [f for f in self.files.values() if f.receipt is None and f.until <= time.monotonic()][:64]:
            note = field(T_VALUE, file.note) if file.note else b""
            note += field(T_LIMIT, file.aside) if file.aside else b""
            entries.append(field(T_ENTRY, field(T_DIGEST, file.sha256.encode()) +
                                 field(T_SM3, file.sm3.encode()) + field(T_SIZE, file.size) +
                                 field(T_NAME, file.kind.encode()) + field(T_SEQ, file.seq) + note))
        self._send(frame(PARCELS, ident, *entries))

    def _draw(self, ident, sha256, offset):
        file = self.files[sha256]
        reading, writing = os.pipe()
        self.drawn.append((sha256, offset))
        threading.Thread(target=pour, args=(file.path, offset, writing), daemon=True).start()
        self._send(frame(DRAWN, ident, field(T_ERROR, 0)), reading)
        os.close(reading)

    def _handover(self, note):
        lines = self.city.text_of(note).splitlines()
        begin = f"outpost-handover/{self.office}/{self.log}/"
        if not lines[0].startswith(begin):
            return EBADMSG
        file = self.files.get(lines[2].split()[1])
        if file is None:
            return ENOENT
        assert lines[2:] == [f"sha256 {file.sha256}", f"sm3 {file.sm3}", f"size {file.size}"], lines
        assert lines[0] == begin + str(file.seq)
        assert file.receipt is None, "a receipt came twice"
        file.receipt = note
        return 0

    def _came(self, datagram):
        kind, ident = datagram[2], struct.unpack_from("<I", datagram, 4)[0]
        fields = fields_of(datagram)
        if kind == HELLO:
            config = {"office": self.office, "log": self.log, "timezone": "Asia/Shanghai", "floor_us": self.floor_us,
                      "courier": self.settings}
            self._send(frame(START, 0, field(T_CONFIG, json.dumps(config).encode())))
        elif kind == PARCELS:
            self._list(ident)
        elif kind == NOTE:
            file = self.files[fields[T_DIGEST].decode()]
            file.note = fields[T_VALUE]
            if T_LIMIT in fields:
                file.aside, file.why = number(fields[T_LIMIT]), fields[T_TEXT].decode()
                file.until = time.monotonic() + file.aside / 1000
            self._send(frame(DONE, ident, field(T_ERROR, 0), field(T_SEQ, -1)))
        elif kind == DRAW:
            self._draw(ident, fields[T_DIGEST].decode(), number(fields[T_OFFSET]))
        elif kind == HANDOVER:
            error = self._handover(fields[T_TEXT].decode())
            self._send(frame(DONE, ident, field(T_ERROR, error), field(T_SEQ, -1)))
        elif kind == HEALTH:
            self.health = json.loads(fields[T_TEXT])
        else:
            assert kind == PONG, f"the courier sent a frame of type {kind}"

    def _turn(self):
        if not select.select([self.line], [], [], 0.1)[0]:
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
            while not (self.ending and self.line is None):
                if self.line is None:
                    with self.lock:
                        self._spawn()
                self._turn()
        except Exception as why:  # pylint: disable=broad-except
            self.error = why
            raise


def pour(path, offset, descriptor):
    """As a scribe does: the bytes from there on into a pipe, until nobody reads."""
    with open(path, "rb") as file, open(descriptor, "wb", buffering=0) as pipe:
        file.seek(offset)
        try:
            while part := file.read(1 << 16):
                pipe.write(part)
        except BrokenPipeError:
            pass
