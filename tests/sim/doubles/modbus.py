"""modbus - a Modbus device that misbehaves on purpose, over TCP or over a serial line.

The register at address A holds the value A, a coil is on when its address is odd: so every answer
says which question it answers, and a wrong attribution shows. A fault strikes at a given rate;
all other requests are answered well. Written from the standard with plain sockets, because a
Modbus library would not let itself be misused like this.

    /usr/bin/python3 modbus.py tcp FAULT [RATE [TIMEOUT_MS]]     prints the port
    /usr/bin/python3 modbus.py DEVICE FAULT [RATE [TIMEOUT_MS]]  serves the serial line
"""

import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time
import tty

READ_BITS, READ_REGISTERS, ECHO, ECHO_MANY = (1, 2), (3, 4), (5, 6), (15, 16)


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def answer_to(pdu):
    """The right answer."""
    function, address, count = struct.unpack(">BHH", pdu[:5])
    if function in READ_REGISTERS:
        words = [(address + i) & 0xFFFF for i in range(count)]
        return struct.pack(">BB%dH" % count, function, 2 * count, *words)
    if function in READ_BITS:
        size = (count + 7) // 8
        bits = sum(((address + i) & 1) << i for i in range(count))
        return struct.pack("BB", function, size) + bits.to_bytes(size, "little")
    if function in ECHO or function in ECHO_MANY:
        return pdu[:5]
    return struct.pack("BB", function | 0x80, 1)


class Line:
    """How a message travels: `wrap` makes one, `read` takes one apart."""

    def __init__(self, device, send, receive):
        self.device, self.send, self.receive, self.rest = device, send, receive, b""

    def need(self, count):
        while len(self.rest) < count:
            more = self.receive()
            if not more:
                raise ConnectionError
            self.rest += more

    def take(self, count):
        self.need(count)
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken


class TcpLine(Line):
    def read(self):
        transaction, _, length, unit = struct.unpack(">HHHB", self.take(7))
        return transaction, unit, self.take(length - 1)

    def wrap(self, transaction, unit, pdu, length=None):
        counted = len(pdu) + 1 if length is None else length
        return struct.pack(">HHHB", transaction, 0, counted & 0xFFFF, unit) + pdu


class SerialLine(Line):
    def read(self):
        self.need(8)
        length = 9 + self.rest[6] if self.rest[1] in ECHO_MANY else 8
        message = self.take(length)
        return 0, message[0], message[1:-2]

    def wrap(self, _transaction, unit, pdu, length=None):
        if length is not None:
            pdu = pdu[:1] + bytes([length & 0xFF]) + pdu[2:]
        return bytes([unit]) + pdu + crc(bytes([unit]) + pdu)


# ---- Faults. Each is called with the line, the request and the right answer.

def good(line, transaction, unit, pdu):
    line.send(line.wrap(transaction, unit, pdu))


def hang(_line, _transaction, _unit, _pdu):
    pass


def exception(line, transaction, unit, pdu):
    line.send(line.wrap(transaction, unit, bytes([pdu[0] | 0x80, 2])))


def busy(line, transaction, unit, pdu):
    line.send(line.wrap(transaction, unit, bytes([pdu[0] | 0x80, 6])))


def short(line, transaction, unit, pdu):
    message = line.wrap(transaction, unit, pdu)
    line.send(message[:len(message) // 2])


def drip(line, transaction, unit, pdu):
    for byte in line.wrap(transaction, unit, pdu):
        line.send(bytes([byte]))
        time.sleep(line.device.timeout_s * 0.4)


def wrong_transaction(line, transaction, unit, pdu):
    line.send(line.wrap(transaction ^ 1, unit, pdu))


def wrong_checksum(line, transaction, unit, pdu):
    message = line.wrap(transaction, unit, pdu)
    line.send(message[:-1] + bytes([message[-1] ^ 0x40]))


def wrong_unit(line, transaction, unit, pdu):
    line.send(line.wrap(transaction, unit ^ 3, pdu))


def wrong_function(line, transaction, unit, pdu):
    line.send(line.wrap(transaction, unit, bytes([pdu[0] ^ 7]) + pdu[1:]))


def wrong_length(line, transaction, unit, pdu):
    line.send(line.wrap(transaction, unit, pdu, length=len(pdu) + 3))


def fewer(line, transaction, unit, pdu):
    line.send(line.wrap(transaction, unit, pdu[:1] + bytes([pdu[1] - 2]) + pdu[2:-2]))


def garbage(line, _transaction, _unit, _pdu):
    line.send(bytes(line.device.random.randrange(256) for _ in range(40)))


def twice(line, transaction, unit, pdu):
    line.send(line.wrap(transaction, unit, pdu) * 2)


def late(line, transaction, unit, pdu):
    """After the asker has given up: what comes then is the answer of the question before."""
    time.sleep(line.device.timeout_s * line.device.random.uniform(1.1, 1.8))
    line.send(line.wrap(transaction, unit, pdu))


def later(line, transaction, unit, pdu):
    """So late that nobody waits for it any more."""
    time.sleep(line.device.timeout_s * line.device.random.uniform(2.5, 6))
    line.send(line.wrap(transaction, unit, pdu))


def close(_line, _transaction, _unit, _pdu):
    raise ConnectionError


FAULTS = {f.__name__: f for f in (
    good, hang, exception, busy, short, drip, wrong_transaction, wrong_checksum, wrong_unit,
    wrong_function, wrong_length, fewer, garbage, twice, late, later, close)}


class Device:
    def __init__(self, fault, rate=1.0, timeout_s=0.1, seed=1):
        self.fault, self.rate, self.timeout_s = FAULTS[fault], rate, timeout_s
        self.random = random.Random(seed)
        self.asked = self.struck = 0

    def answer(self, line):
        transaction, unit, pdu = line.read()
        strikes = self.random.random() < self.rate
        self.asked += 1
        self.struck += strikes
        (self.fault if strikes else good)(line, transaction, unit, answer_to(pdu))

    def serve(self, line):
        try:
            while True:
                self.answer(line)
        except (ConnectionError, OSError, struct.error):
            pass


class TcpDevice(Device):
    def __init__(self, *settings, **named):
        super().__init__(*settings, **named)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = "modbus-tcp://127.0.0.1:%d" % self.port
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                one, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.connected, args=(one,), daemon=True).start()

    def connected(self, one):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with one:
            self.serve(TcpLine(self, one.sendall, lambda: one.recv(4096)))

    def close(self):
        self.socket.close()


class SerialDevice(Device):
    """On one end of a pair of pseudo terminals; socat makes the pair."""

    def __init__(self, folder, *settings, **named):
        super().__init__(*settings, **named)
        ours, theirs = os.path.join(folder, "device"), os.path.join(folder, "line")
        self.socat = subprocess.Popen(["socat", "pty,raw,echo=0,link=" + ours,
                                       "pty,raw,echo=0,link=" + theirs])
        until = time.monotonic() + 60
        while not (os.path.exists(ours) and os.path.exists(theirs)):
            if time.monotonic() > until:
                raise TimeoutError("socat made no pair of terminals")
            time.sleep(0.01)
        self.fd = open_terminal(ours)
        self.url = "modbus-rtu://%s?baud=115200" % theirs
        threading.Thread(target=self.serve_for_ever, daemon=True).start()

    def serve_for_ever(self):
        serve_terminal(self, self.fd)

    def close(self):
        self.socat.terminate()
        self.socat.wait()


def open_terminal(path):
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    return fd


def serve_terminal(device, fd):
    def receive():
        select.select([fd], [], [])
        return os.read(fd, 4096)
    device.serve(SerialLine(device, lambda data: os.write(fd, data), receive))


def main(where, fault, rate="1", timeout_ms="100"):
    settings = (fault, float(rate), float(timeout_ms) / 1000)
    if where == "tcp":
        device = TcpDevice(*settings)
        print(device.port, flush=True)
        threading.Event().wait()
    else:
        serve_terminal(Device(*settings), open_terminal(where))


if __name__ == "__main__":
    main(*sys.argv[1:])
