"""Every kind of line to a device: TCP both ways, UDP and a serial line, through the real host and its boundary."""
import os
import socket
import socketserver
import sys
import threading
import time

import pytest
import serial
import town

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "faults"))
import programs  # noqa: E402


class Reader(socketserver.ThreadingTCPServer):
    """A reader of cards: whoever connects is told each card that is shown, in lines, in small pieces."""

    daemon_threads = allow_reuse_address = True

    def __init__(self):
        self.cards, self.changed, self.cut = [], threading.Condition(), 0
        super().__init__(("127.0.0.1", 0), Reader.Line)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def show(self, card):
        with self.changed:
            self.cards.append(card)
            self.changed.notify_all()

    def hang_up(self):
        with self.changed:
            self.cut += 1
            self.changed.notify_all()

    class Line(socketserver.BaseRequestHandler):
        def handle(self):
            reader, cut = self.server, self.server.cut
            while True:
                with reader.changed:
                    reader.changed.wait_for(lambda: reader.cards or reader.cut != cut)
                    if reader.cut != cut:
                        return
                    line = (reader.cards.pop(0) + "\r\n").encode()
                for at in range(0, len(line), 3):
                    self.request.sendall(line[at:at + 3])
                    time.sleep(0.005)


class Tracker:
    """A tracker that keeps each report until it is acknowledged, and connects again when it must."""

    def __init__(self, port, number):
        self.port, self.number, self.acknowledged, self.line = port, number, -1, None

    @staticmethod
    def frame(body):
        check = 0
        for byte in body:
            check ^= byte
        text = body + bytes([check])
        return b"\x7e" + text.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"

    def report(self, seq, text):
        """Sends it until it is acknowledged; how often that took."""
        sent, end = self.frame(bytes([self.number]) + seq.to_bytes(2, "big") + text), time.monotonic() + 30 * town.PATIENCE
        wanted = self.frame(bytes([self.number]) + seq.to_bytes(2, "big"))
        for attempt in range(1, 10000):
            assert time.monotonic() < end, f"report {seq} of {self.number} is not acknowledged"
            try:
                self.connect()
                self.line.sendall(sent[:5])
                time.sleep(0.002)
                self.line.sendall(sent[5:])
                if self.hears(wanted):
                    return attempt
            except OSError:
                time.sleep(0.02)
            self.hang_up()
        return None

    def hears(self, wanted):
        heard = b""
        while len(heard) < len(wanted):
            more = self.line.recv(len(wanted) - len(heard))
            if not more:
                return False
            heard += more
        return heard == wanted

    def connect(self):
        if self.line is None:
            self.line = socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def hang_up(self):
        if self.line is not None:
            self.line.close()
        self.line = None


@pytest.fixture
def reader():
    server = Reader()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def ends(tmp_path):
    folder = tmp_path / "ends"
    folder.mkdir()
    return folder


@pytest.fixture
def office(tmp_path, city, broker, reader, ends, started):
    """An office whose plugin waits for trackers and beacons, and looks for a reader and a scale."""
    trackers, beacons = town.free_port(), town.free_port()
    plugins = (f'plugin "lines" "all" {{ trackers = "tcp://127.0.0.1:{trackers}", '
               f'reader = "tcp://localhost:{reader.server_address[1]}", '
               f'scale = "serial://{ends}/office.tty?baud=19200", beacons = "udp://0.0.0.0:{beacons}" }}\n')
    office = programs.TickingOffice(tmp_path / "office", city, broker, 1, plugins=plugins)
    office.trackers, office.beacons = trackers, beacons
    started(office)
    town.wait_for(lambda: town.listens(trackers), 10, "the port of the trackers")
    return office


def texts(city, kind):
    return [event["data"]["text"] for event in city.events(kind)]


def test_devices_on_every_kind_of_line_are_heard(office, city, reader, ends, started):
    cable, _, station_end = town.serial_pair(ends)
    started(cable)
    reader.show("card 0001")
    reader.show("card 0002")
    city.wait_for("reader.card", 2)
    reader.hang_up()
    reader.show("card 0003")
    assert [e["data"]["text"] for e in city.wait_for("reader.card", 3)] == [
        "card 0001", "card 0002", "card 0003"]
    with serial.Serial(station_end, 19200) as scale:
        for weight in (b"12.5 kg", b"13.0 kg"):
            town.wait_for(lambda w=weight: say_weight(scale, w, city), 10, f"{weight} at the city")
    beacon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for number in range(5):
        beacon.sendto(b"beacon %d" % number, ("127.0.0.1", office.beacons))
    beacon.sendto(b"x" * 4000, ("127.0.0.1", office.beacons))
    beacon.close()
    city.wait_for("beacon.heard", 5)
    assert texts(city, "beacon.heard") == [f"beacon {n}" for n in range(5)]
    Tracker(office.trackers, 1).report(0, b"\x7e here \x7d")
    assert city.wait_for("tracker.report")[0]["data"]["text"] == "\x7e here \x7d"


def say_weight(scale, weight, city):
    """The adapter may just have been plugged in: it is said until it is heard."""
    scale.write(weight)
    scale.flush()
    time.sleep(0.5)
    return weight.decode() in texts(city, "scale.weight")


def test_a_tracker_is_acknowledged_what_is_durable_and_nothing_is_there_twice(office, city):
    trackers = [Tracker(office.trackers, number) for number in range(4)]
    stop = threading.Event()

    def kill_and_start():
        for _ in range(3):
            if stop.wait(1.0):
                return
            office.kill()
            office.start()
    killer = threading.Thread(target=kill_and_start)
    killer.start()
    try:
        talk_all(trackers, 40)
    finally:
        stop.set()
        killer.join()
    city.wait_for("tracker.report", 160, seconds=30)
    for tracker in trackers:
        numbers = [event["data"]["number"] for event in city.events("tracker.report")
                   if event["data"]["from"] == str(tracker.number)]
        assert numbers == list(range(40))


def talk_all(trackers, count):
    """All at once; what one of them could not say is raised here."""
    failed = []

    def talk(tracker):
        try:
            for seq in range(count):
                tracker.report(seq, b"report \x7d\x7e %d" % seq)
                time.sleep(0.05)
        except AssertionError as why:
            failed.append(why)
        finally:
            tracker.hang_up()
    threads = [threading.Thread(target=talk, args=(tracker,)) for tracker in trackers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed


def test_what_the_configuration_does_not_name_is_denied(office):
    town.wait_for(lambda: "elsewhere: " in office.text(), 10, "the plugin to try")
    assert "elsewhere: denied, denied, denied" in office.text()


def test_more_trackers_than_there_is_room_for_do_not_hurt_the_others(office, city):
    lines = [socket.create_connection(("127.0.0.1", office.trackers)) for _ in range(7)]
    tracker = Tracker(office.trackers, 9)
    tracker.report(0, b"the eighth")
    refused = socket.create_connection(("127.0.0.1", office.trackers))
    refused.settimeout(60)
    assert refused.recv(1) == b""
    tracker.report(1, b"still here")
    for line in lines + [refused]:
        line.close()
    assert [e["data"]["text"] for e in city.wait_for("tracker.report", 2)] == ["the eighth", "still here"]
    tracker.hang_up()
