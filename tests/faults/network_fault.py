"""The wire between office and city goes bad in every way a wire can, while straps are cut.

Broker and city stand behind a wire of our own (nets.py). A ticker produces all the time, so that there is
a backlog; a strap is cut twice while the wire is bad. Afterwards all that the station did and all that
the ticker counted must be in the city's database, once, in order, and the straps before the backlog.
"""
import contextlib
import threading
import time

import history
import nets
import programs
import pytest
import town

TICKS = 320   # ten in each commit, four commits a second: eight seconds
BAD_S = 6     # longer than the alarm connection waits for an acknowledgement
LONG_S = 17   # longer than either
MOST_S = 90   # until all has arrived, on the slowest wire
BACKLOG = 100 # at least so many older events an alarm overtakes when both connections begin anew


@pytest.fixture
def net():
    with nets.opened() as net:
        yield net


class Line:
    """An office on one side of the wire, broker and city on the other; and a history."""

    def __init__(self, folder, net, started, ticks=TICKS):
        self.net = net
        self.broker = started(nets.Broker(folder, net))
        self.city = started(nets.City(folder, self.broker, net))
        self.station = started(town.Station(folder))
        self.office = started(programs.TickingOffice(
            folder / "office", self.city, self.broker, ticks, group=10, pause="250ms",
            plugins=self.station.plugin(poll='"100ms"', lost_after='"1d"')))
        self.city.wait_for("wristband.seen", 12)

    def told(self):
        return history.ticks(self.office.count) + history.edges(self.station)

    def cut(self, band):
        """Cuts a strap; when that was."""
        self.station.do("strap", band, open=True)
        return time.monotonic()

    def has_cut(self, count):
        return len(self.city.events("wristband.strap_opened")) >= count

    def wait_for_cuts(self, count):
        """Seconds until `count` cuts are at the city."""
        begun = time.monotonic()
        town.wait_for(lambda: self.has_cut(count), MOST_S, f"{count} cuts at the city")
        assert time.monotonic() - begun <= MOST_S
        return time.monotonic() - begun

    def wait_for_all(self):
        """Seconds until the city has as much as was produced."""
        begun, want = time.monotonic(), len(self.told())
        town.wait_for(lambda: len(history.contents(history.rows(self.city.database))) >= want, MOST_S,
                      f"all of it; {self.city.census()}", 0.2)
        return time.monotonic() - begun

    def check(self):
        time.sleep(1)  # for what should not come
        found = history.rows(self.city.database)
        assert history.findings(self.told(), found) == []
        return found


@contextlib.contextmanager
def flapping(net):
    """One second dead, one second alive, and so on."""
    over = threading.Event()

    def flap():
        while not over.is_set():
            net.partition()
            over.wait(1)
            net.heal()
            over.wait(1)
    thread = threading.Thread(target=flap)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def lasting(net, begin, *values, drops=True):
    begin(*values)
    yield
    assert not drops or net.dropped() > 0
    net.heal()


class Fault:
    """`begin(line)` is the fault while it lasts. `meanwhile`: whether a strap that is cut arrives while
    it lasts; None: it may. After LONG_S both connections are dead, so that the alarm overtakes."""

    def __init__(self, begin, meanwhile=False, seconds=BAD_S):
        self.begin, self.meanwhile, self.seconds = begin, meanwhile, seconds


FAULTS = {
    "partition": Fault(lambda line: lasting(line.net, line.net.partition), seconds=LONG_S),
    "up is lost": Fault(lambda line: lasting(line.net, line.net.deaf), seconds=LONG_S),
    "down is lost": Fault(lambda line: lasting(line.net, line.net.mute), meanwhile=True),
    "link down": Fault(lambda line: lasting(line.net, line.net.down, drops=False)),
    "30 percent lost": Fault(lambda line: lasting(line.net, line.net.loss, 30), meanwhile=True),
    "64 kbit/s": Fault(lambda line: lasting(line.net, line.net.rate, 64, drops=False), meanwhile=True),
    "flapping": Fault(lambda line: flapping(line.net), meanwhile=True),
    "half-open": Fault(lambda line: lasting(line.net, line.net.half_open, line.broker.port), meanwhile=True),
    "big are lost": Fault(lambda line: lasting(line.net, line.net.big_are_lost), meanwhile=None),
}


def endure(line, fault, seconds):
    """Two cuts while the wire is bad, all of it afterwards; what there is to tell."""
    with fault.begin(line):
        line.cut(1)
        during = f"{line.wait_for_cuts(1):.1f} s" if fault.meanwhile else "-"
        time.sleep(seconds)
        line.cut(2)
        assert fault.meanwhile is not False or not line.has_cut(1), "the fault was none"
    cut = line.wait_for_cuts(2)
    rest = line.wait_for_all()
    found = line.check()
    newest = [row for row in found if row.type == "wristband.strap_opened"][-1]
    overtook = history.overtaken(found, newest)
    assert fault.seconds < LONG_S or overtook >= BACKLOG
    return (f"cut meanwhile {during}; after it healed {cut:.1f} s to the alarm, {rest:.1f} s more to all; "
            f"{len(line.told())} produced, 0 lost, 0 twice; the alarm overtook {overtook}")


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.long if name in ("up is lost", "link down") else pytest.mark.slow)
    for name in FAULTS
])
def test_nothing_is_lost_on_a_bad_wire(name, net, tmp_path, started):
    line = Line(tmp_path, net, started)
    print(f"network: {name}: {endure(line, FAULTS[name], FAULTS[name].seconds)}")


@pytest.mark.long
@pytest.mark.parametrize("name", ["30 percent lost", "flapping"])
def test_nothing_is_lost_on_a_wire_that_is_bad_for_ten_minutes(name, net, tmp_path, started):
    line = Line(tmp_path, net, started, ticks=24000)
    print(f"network: ten minutes: {name}: {endure(line, FAULTS[name], 600)}")
