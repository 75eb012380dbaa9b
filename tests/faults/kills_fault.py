"""kill -9 of every program, again and again, while straps open and close.

The station is a FIFO, so that no edge can be missed: what it does not have room for has not happened.
The test restarts keeper, city and broker, as systemd would; the keeper restarts its children. In the
end the station's log and the city's database must tell the same story, edge by edge.
"""
import os
import random
import signal
import threading
import time

import pytest
import town

PROGRAMS = ["keeper", "host", "uplink", "city", "broker"]
BANDS = 12


class Edges(threading.Thread):
    """Opens and closes straps in turn, evenly over `seconds` or as fast as the FIFO takes them."""

    def __init__(self, station, count, seconds):
        super().__init__(daemon=True)
        self.station, self.count, self.pause = station, count, seconds / count
        self.done = 0

    def run(self):
        while self.done < self.count:
            band = self.done % BANDS + 1
            is_open = self.done // BANDS % 2 == 0
            if self.station.may("strap", band=band, open=is_open):
                self.done += 1
            time.sleep(self.pause)


class Town:
    """The five programs and how each is killed and comes back."""

    def __init__(self, tmp_path, broker, city, station, office):
        self.broker, self.city, self.station, self.office = broker, city, station, office
        self.kills = dict.fromkeys(PROGRAMS, 0)

    def kill(self, name):
        if name in ("host", "uplink"):
            pid, = town.wait_for(lambda: self.office.children().get(name), 90, f"a {name} to kill")
            os.kill(pid, signal.SIGKILL)
        else:
            program = {"keeper": self.office, "city": self.city, "broker": self.broker}[name]
            program.kill()
            time.sleep(random.random() * 0.5)
            program.start()
        self.kills[name] += 1


def by_band(edges):
    """{tag: [kind, ...]} in the order told."""
    found = {}
    for tag, kind in edges:
        found.setdefault(tag, []).append(kind)
    return found


def told_by_station(station):
    return by_band((line["tag"], "wristband." + line["what"]) for line in station.happened()
                   if line["what"].startswith("strap_"))


def told_by_city(city):
    return by_band((event["data"]["band"].lower(), event["type"])
                   for event in city.events("wristband.strap_*"))


@pytest.mark.parametrize("rounds, count, seconds", [
    pytest.param(1, 100, 8, id="quick"),
    pytest.param(20, 2000, 200, id="2000", marks=pytest.mark.slow),
])
def test_no_edge_is_lost_or_told_twice(rounds, count, seconds, tmp_path, broker, city, started, seed):
    random.seed(seed)
    station = started(town.Station(tmp_path, "rf433-fifo", bands=BANDS, beat=0))
    office = started(town.Office(tmp_path / "office", city, broker,
                                 station.plugin(poll='"100ms"', lost_after='"1d"')))
    city.wait_for("wristband.seen", BANDS)
    there = Town(tmp_path, broker, city, station, office)
    edges = Edges(station, count, seconds)
    edges.start()
    for _ in range(rounds):
        for name in random.sample(PROGRAMS, len(PROGRAMS)):
            time.sleep(random.random() * 1.5)
            there.kill(name)
    edges.join(600)
    assert edges.done == count
    town.wait_for(lambda: len(city.events("wristband.strap_*")) >= count, 400, "every edge", 0.5)
    time.sleep(2)  # for what should not come
    assert told_by_city(city) == told_by_station(station)
    assert set(there.kills.values()) == {rounds}
    assert office.stop() == 0
    assert city.stop() == 0
    office.verify()
    city.verify()
    print(f"kills: {there.kills}, {count} edges, 0 lost, 0 twice")
