"""brokers - brokers that misbehave, and a line that does.

Between stands between an office and a real mosquitto, reads every MQTT 5 packet and lets it pass, or does
what a broken broker does; `mode` says which and may be changed while connections live. Below MQTT it can
hold bytes back, let them trickle, and end connections in every way TCP has. It shares no code with the
product. Lasting is a mosquitto that keeps its database on disk, to be killed and robbed of it.
"""
import os
import random
import socket
import struct
import threading
import time

import town

PUBLISH, PUBACK, PINGRESP, DISCONNECT = 3, 4, 13, 14
PINGREQ = b"\xc0\0"
ROOM = 4096  # of the socket that an office writes to: a reader that stops is felt soon


def packet(kind, flags, body):
    """Any MQTT packet: its first byte, the length of the rest, the rest."""
    length, rest = len(body), b""
    while True:
        length, digit = divmod(length, 128)
        rest += bytes([digit | (128 if length else 0)])
        if not length:
            return bytes([kind << 4 | flags]) + rest + body


def puback(number, reason):
    return packet(PUBACK, 0, struct.pack(">HBB", number, reason, 0))


def disconnect(reason):
    return packet(DISCONNECT, 0, bytes([reason, 0]))


def read_all(sock, count):
    text = b""
    while len(text) < count:
        more = sock.recv(count - len(text))
        if not more:
            raise ConnectionError("closed")
        text += more
    return text


class Packet:
    """One packet as it came: `raw` to pass on, and what a broker must know of it."""

    def __init__(self, sock):
        first = read_all(sock, 1)
        length, shift, head = 0, 0, first
        while True:
            digit = read_all(sock, 1)
            head += digit
            length |= (digit[0] & 127) << shift
            shift += 7
            if digit[0] < 128:
                break
        self.body = read_all(sock, length)
        self.raw = head + self.body
        self.kind, self.qos = first[0] >> 4, first[0] >> 1 & 3

    def number(self):
        """The packet identifier of a PUBLISH with QoS 1."""
        topic, = struct.unpack_from(">H", self.body)
        return struct.unpack_from(">H", self.body, 2 + topic)[0]


class Pair:
    """One connection of an office and the one to mosquitto that belongs to it."""

    def __init__(self, between, office):
        self.between, self.office = between, office
        self.broker = socket.create_connection(("127.0.0.1", between.broker_port))
        self.lock = threading.Lock()  # both directions may write to the office
        self.threads = [threading.Thread(target=self.run, args=(ways,), daemon=True)
                        for ways in ((office, self.up), (self.broker, self.down))]
        for thread in self.threads:
            thread.start()

    def run(self, ways):
        source, passed = ways
        try:
            while True:
                passed(Packet(source))
        except OSError:
            pass
        self.close()

    def close(self):
        for sock in (self.office, self.broker):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def end(self):
        self.close()
        for thread in self.threads:
            thread.join(10)
        self.office.close()
        self.broker.close()

    def reset(self):
        """The office gets an RST, not an end."""
        self.office.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.office.close()
        self.close()

    def to_office(self, text):
        with self.lock:
            self.office.sendall(text)

    def up(self, came):
        self.between.mode.up(self, came)

    def down(self, came):
        self.between.mode.down(self, came)


class Honest:
    """Everything passes, as it came."""

    def up(self, pair, came):
        pair.broker.sendall(came.raw)

    def down(self, pair, came):
        pair.to_office(came.raw)


class Mute(Honest):
    """Takes connections and never says CONNACK, nor anything else."""

    def up(self, pair, came):
        pass


class NeverAcks(Honest):
    """Takes and delivers every publish, but its PUBACKs never come."""

    def down(self, pair, came):
        if came.kind != PUBACK:
            super().down(pair, came)


class Answers(Honest):
    """Answers every publish with `reason` and throws it away: 0 is a lie, 0x87 an access list."""

    def __init__(self, reason):
        self.reason, self.taken = reason, 0

    def up(self, pair, came):
        if came.kind != PUBLISH or came.qos != 1:
            super().up(pair, came)
            return
        self.taken += 1
        pair.broker.sendall(PINGREQ)  # mosquitto must go on thinking that its client lives
        pair.to_office(puback(came.number(), self.reason))

    def down(self, pair, came):
        if came.kind != PINGRESP:
            super().down(pair, came)


class StopsReading(Honest):
    """Reads nothing any more: the window closes. Goes on when the mode is another."""

    def up(self, pair, came):
        while pair.between.mode is self:
            time.sleep(0.05)
        super().up(pair, came)


class Throws(Honest):
    """Sends `text` (bytes, or a function that makes some) instead of the first answer to a publish,
    and ends the connection."""

    def __init__(self, text):
        self.text, self.thrown = text, 0

    def up(self, pair, came):
        if came.kind != PUBLISH:
            super().up(pair, came)
            return
        self.thrown += 1
        pair.to_office(self.text() if callable(self.text) else self.text)
        time.sleep(0.05)
        pair.close()


class Trickles(Honest):
    """A byte at a time to the office, with `pause` between."""

    def __init__(self, pause):
        self.pause = pause

    def down(self, pair, came):
        for byte in came.raw:
            pair.to_office(bytes([byte]))
            time.sleep(self.pause)


class Delays(Honest):
    """Every packet is `pause` late, in both directions."""

    def __init__(self, pause):
        self.pause = pause

    def up(self, pair, came):
        time.sleep(self.pause)
        super().up(pair, came)

    def down(self, pair, came):
        time.sleep(self.pause)
        super().down(pair, came)


class Resets(Honest):
    """RST at every publish."""

    def up(self, pair, came):
        if came.kind == PUBLISH:
            pair.reset()
        else:
            super().up(pair, came)


class HalfCloses(Honest):
    """Ends its own direction at the first publish and goes on reading what the office sends."""

    def up(self, pair, came):
        if came.kind == PUBLISH:
            pair.office.shutdown(socket.SHUT_WR)
        super().up(pair, came)


def garbage():
    return random.randbytes(random.randrange(1, 2000))


def oversized():
    """The head of a PUBLISH of 256 MB, and a beginning."""
    return b"\x32\xff\xff\xff\x7f" + bytes(5000)


def unknown_property():
    """A PUBLISH with a property that MQTT 5 does not have."""
    return packet(PUBLISH, 2, struct.pack(">H", 1) + b"t" + struct.pack(">HBB", 1, 1, 0x7E))


def half():
    """Half of a PUBLISH: the rest never comes."""
    whole = packet(PUBLISH, 2, struct.pack(">H", 40) + b"t" * 40 + struct.pack(">HB", 1, 0) + bytes(900))
    return whole[:len(whole) // 2]


class Between:
    """The line. An office is given `url`."""

    def __init__(self, broker):
        self.broker_port = broker.port
        self.port = town.free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.mode, self.pairs = Honest(), []
        self.listener = None

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()
        return self

    def accept(self):
        while True:
            try:
                office, _ = self.listener.accept()
            except OSError:
                return
            office.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.pairs.append(Pair(self, office))
            except OSError:
                office.close()  # mosquitto is away

    def cut(self):
        """Ends every connection of the moment."""
        for pair in self.pairs:
            pair.end()
        self.pairs = []

    # The fixture `started` stops it like a program and looks for sanitizers' words.

    def runs(self):
        return self.listener is not None

    def stop(self):
        self.mode = Honest()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)
        self.listener = None
        self.cut()

    def text(self):
        return ""


class Lasting(town.Broker):
    """mosquitto with persistence; rob() is what a disk does that is lost with the broker."""

    def __init__(self, folder):
        super().__init__(folder)
        self.database = os.path.join(self.folder, "mosquitto.db")
        with open(os.path.join(self.folder, "mosquitto.conf"), "a", encoding="ascii") as out:
            out.write(f"persistence true\npersistence_location {self.folder}/\nautosave_interval 1\n"
                      "max_queued_messages 0\n")

    def rob(self):
        for name in os.listdir(self.folder):
            if name.startswith("mosquitto.db"):
                os.remove(os.path.join(self.folder, name))
