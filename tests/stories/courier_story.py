"""Evidence files on their way to the city: the real courier, a real tus server, real certificates, the real
city; only the keeper is one in memory. What went over the line is told by the server's own log."""
import json
import os
import socket
import threading
import time

import pytest

import dispatch
import fake_keeper
import faketime
import secure
import town
import uploads

COURIER = os.path.join(town.BUILD, "libexec", "outpost", "courier")
UPLINK = os.path.join(town.BUILD, "libexec", "outpost", "uplink")
MISSING = uploads.why_not()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
MB = 1000 * 1000


class Relay:
    """A line to a port that can be cut: all that stands on it is reset, and nothing new comes through; or
    it is silent first, and reset when it is mended, as by a router that has forgotten it."""

    def __init__(self, port, at=("127.0.0.1", 0)):
        self.to, self.up, self.pairs = port, True, []
        self.flows = threading.Event()
        self.flows.set()
        self.listening = socket.create_server(at)
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            if not self.up:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                near.close()
                continue
            self.pairs.append((near, far))
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source, target):
        try:
            while part := source.recv(1 << 16):
                self.flows.wait()
                target.sendall(part)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.up = False
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs.clear()

    def silence(self):
        self.up = False
        self.flows.clear()

    def mend(self):
        if not self.flows.is_set():
            self.cut()
            self.flows.set()
        self.up = True

    def close(self):
        self.listening.close()
        self.cut()
        self.flows.set()


class City(town.City):
    def __init__(self, folder, broker, server):
        super().__init__(folder, broker)
        self.argv += ("--uploads", server.home)


class World:
    def __init__(self, folder, started, closing, most=None):
        self.folder, self.closing = folder, closing
        self.authority = secure.Authority(folder)
        self.authority.run("office", town.OFFICE_ID)
        self.server = started(uploads.Uploads(folder, self.authority.sign("uploads", "uploads"), most))
        self.broker = started(town.Broker(folder))
        self.city = started(City(folder, self.broker, self.server))
        with open(self.city.verifier, encoding="ascii") as line:
            self.vkey = line.read()
        self.office = fake_keeper.FakeKeeper(UPLINK, self.broker.url, self.vkey, folder=folder).start()
        closing(self)

    def close(self):
        self.office.stop()

    def courier(self, port=None, rate=None, clock=None, floor_us=0, **more):
        """A keeper in memory with its courier."""
        host = f"https://127.0.0.1:{port or self.server.port}/"
        settings = {"url": host + "files/", "receipts": host + "receipts/",
                    **self.authority.pair("offices/" + town.OFFICE_ID, "bulk"), **more}
        if rate:
            settings["hours"] = [{"from": 0, "until": 1440, "rate": rate * 8}]
        keeper = dispatch.Dispatch(COURIER, settings, self.vkey, self.folder)
        keeper.environment, keeper.floor_us = clock, floor_us
        return self.closing(keeper.start())

    def record(self, courier, size, tells=True):
        """A file that the office has, and has recorded."""
        path = os.path.join(str(self.folder), f"clip-{len(courier.files)}")
        with open(path, "wb") as out:
            for _ in range(0, size, MB):
                out.write(os.urandom(min(MB, size - out.tell())))
        file = courier.put(path, len(self.office.bodies))
        if tells:
            self.tell(file)
        return file

    def tell(self, file):
        names = {"sha256": file.sha256, "sm3": file.sm3, "size": file.size}
        assert self.office.emit(1, json.dumps(names), "test.recorded") == file.seq

    def wait_for(self, courier, file, seconds=60):
        town.wait_for(lambda: file.receipt or courier.error, seconds, f"a receipt; {courier.text()}")
        assert courier.error is None, courier.error
        kept = self.server.path("evidence", file.sha256[:2], file.sha256[2:])
        assert dispatch.digests(kept) == (file.sha256, file.sm3)
        assert os.stat(kept).st_mode & 0o222 == 0, "evidence that can be written"
        assert not self.server.sent_twice(), self.server.sent_twice()
        assert self.city.rows("SELECT seq, size FROM evidence WHERE sha256 = ?", file.sha256) == [
            (file.seq, file.size)]


@pytest.fixture
def world(tmp_path, started, closing):
    return World(tmp_path, started, closing)


def test_a_file_arrives_whole_and_once_and_its_receipt_comes_home(world):
    courier = world.courier()
    files = [world.record(courier, size) for size in (3 * MB, 0, 1, 65536)]
    for file in files:
        world.wait_for(courier, file)
    assert len(world.server.creations()) == len(files)
    assert world.server.stored() == sum(file.size for file in files)
    assert world.server.partial() == 0


def test_whatever_is_cut_no_confirmed_byte_is_sent_again(world):
    relay = world.closing(Relay(world.server.port))
    courier = world.courier(relay.port, rate=2 * MB)
    file = world.record(courier, 12 * MB)

    def go_on_to(share):
        town.wait_for(lambda: world.server.partial() > share * file.size, 60, f"{share}; {courier.text()}")

    go_on_to(0.1)
    courier.kill_courier()
    go_on_to(0.25)
    relay.cut()
    time.sleep(0.5)
    relay.mend()
    go_on_to(0.4)
    world.server.kill()
    world.server.start()
    go_on_to(0.6)
    courier.kill_courier()
    relay.cut()
    relay.mend()
    world.wait_for(courier, file)
    assert len(world.server.creations()) == 1
    assert courier.starts >= 3 and len(courier.drawn) >= 5
    assert world.server.stored() <= file.size, "bytes were stored twice"


def test_one_whose_bytes_changed_has_no_receipt_until_it_came_again(world):
    courier = world.courier(rate=2 * MB)
    file = world.record(courier, 4 * MB)
    town.wait_for(lambda: world.server.partial() > MB, 30, "some bytes")
    upload, = [n[:-5] for n in os.listdir(world.server.home) if n.endswith(".json")]
    with open(world.server.path(upload), "r+b") as stored:
        first = stored.read(1)
        stored.seek(0)
        stored.write(bytes([first[0] ^ 1]))
    town.wait_for(lambda: world.city.rows("SELECT reason FROM rejected WHERE topic = ?", "upload/" + upload),
                  30, f"the refusal; {world.city.text()}")
    assert "another hash" in world.city.text()
    assert os.path.exists(world.server.path("refused", upload))
    town.wait_for(lambda: courier.health.get("anew") == 1, 30, "its being told of")
    world.wait_for(courier, file)
    assert len(world.server.creations()) == 2


def test_a_file_waits_at_the_city_for_its_event(world):
    courier = world.courier()
    file = world.record(courier, MB, tells=False)
    town.wait_for(lambda: world.server.stored() == MB, 30, "the file")
    town.wait_for(lambda: courier.health["without_receipt"] == 1, 30, "its waiting to be told")
    assert file.receipt is None and not os.listdir(world.server.path("evidence"))
    world.tell(file)
    world.wait_for(courier, file)


def test_however_many_the_server_refuses_the_next_one_goes(tmp_path, started, closing):
    world = World(tmp_path, started, closing, most=1000)
    courier = world.courier()
    refused = [world.record(courier, 1001 + i) for i in range(66)]
    world.wait_for(courier, world.record(courier, 999))
    town.wait_for(lambda: all(file.aside for file in refused), 60, f"their being set aside; {courier.text()}")
    assert {(file.aside, file.why) for file in refused} == {(600000, "the server answers 413")}
    assert len(world.server.creations()) == 1


def minute_of_the_office():
    """In Asia/Shanghai, which knows no summer time."""
    return (int(time.time()) // 60 + 8 * 60) % 1440


def test_outside_its_hours_nothing_goes(world):
    opens = (minute_of_the_office() + 120) % 1440
    courier = world.courier(hours=[{"from": opens, "until": (opens + 60) % 1440 or 1440, "rate": 0}])
    world.record(courier, 1000)
    town.wait_for(lambda: courier.health and courier.health["state"] == "closed", 30, "its being closed")
    time.sleep(1)
    assert not [line for line in world.server.happened() if "method" in line]


def test_an_office_whose_clock_is_not_set_uploads(world, tmp_path):
    """Its certificates are judged by the floor; nobody knows the hour, so the slowest rate counts."""
    clock = faketime.Clock(tmp_path, "@1970-01-02 00:00:00")
    hour = (1440 + minute_of_the_office() + 120) % 1440
    courier = world.courier(clock=clock.environment, floor_us=int(time.time() * 1e6),
                            hours=[{"from": hour, "until": (hour + 60) % 1440 or 1440, "rate": 8 * MB}])
    world.wait_for(courier, world.record(courier, 1000))


def test_a_clock_set_back_makes_no_expired_certificate_good(world, tmp_path):
    clock = faketime.Clock(tmp_path, "-1d")
    late = int((time.time() + 3 * 365 * 86400) * 1e6)
    courier = world.courier(clock=clock.environment, floor_us=late)
    world.record(courier, 1000)
    town.wait_for(lambda: "expired" in courier.text(), 30, f"the refusal; {courier.text()}")


def test_it_is_not_faster_than_its_hour_allows(world):
    courier = world.courier(rate=300 * 1000)
    begun = time.monotonic()
    file = world.record(courier, MB)
    while file.receipt is None and time.monotonic() - begun < 60:
        partial, passed = world.server.partial(), time.monotonic() - begun
        assert partial <= 2 * 300 * 1000 * passed + 300 * 1000, f"after {passed} s"
        time.sleep(0.1)
    world.wait_for(courier, file)


def test_a_server_that_is_not_trusted_gets_nothing_and_is_left_alone(world, tmp_path):
    other = secure.Authority(tmp_path, "other")
    courier = world.courier(ca=other.path("ca.pem"))
    world.record(courier, 1000)
    town.wait_for(lambda: "next try in" in courier.text(), 30, "the warning")
    time.sleep(3)
    said = [line for line in courier.text().splitlines() if "next try in" in line]
    assert len(said) == 1 and int(said[0].split("next try in ")[1].split()[0]) >= 300
    assert not [line for line in world.server.happened() if "method" in line]


def test_an_office_uploads_only_in_its_own_name(world):
    world.authority.run("office", "350105-004")
    courier = world.courier(**world.authority.pair("offices/350105-004", "bulk"))
    world.record(courier, 1000)
    town.wait_for(lambda: "the server answers 403" in courier.text(), 30, "the refusal")
    assert not world.server.creations()


def test_memory_does_not_depend_on_the_size(world):
    courier = world.courier()
    file = world.record(courier, 100 * MB)
    peak = 0

    def look():
        nonlocal peak
        with open(f"/proc/{courier.child.pid}/status", encoding="ascii") as status:
            peak = max(peak, *(int(l.split()[1]) for l in status if l.startswith("VmHWM")))
        return file.receipt
    town.wait_for(look, 120, f"a receipt; {courier.text()}")
    assert peak < 30000, f"{peak} kB at the most"
    world.wait_for(courier, file)
