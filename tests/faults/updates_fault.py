"""Bad updates, one after the other, while straps open and close.

Each is reloaded as a person would do it. It must be refused, or be returned from by itself, and the
office must then run the version it ran before; nobody restarts anything. The station is a FIFO, so no
edge can be missed: in the end its log and the city's database must tell the same story, edge by edge.
"""
import os
import random

import pytest
import town
import updates

from kills_fault import BANDS, Edges, told_by_city, told_by_station

START = "function plugin.start(host, config)"
ROUND = "host.every(config.poll, function() watch.round(self) end)"
ENDLESS_IN_C = "(('a'):rep(60)):find(('a?'):rep(60) .. ('a'):rep(60))"

# kind: [(what is replaced, by what), ...]. Those in REFUSED do not check.
CODE = {
    "syntax": [(START, "function plugin.start(host, config"), ("return plugin", "return return"),
               ("local plugin = {", "local plugin = {{")],
    "schema": [('default = "10m"', 'default = "10 parsecs"'), ("schema.record {", "schema.recrod {"),
               ("max = 1000, default = {}", "max = 1000, default = 5")],
    "wrong API version": [("api = 1", "api = 2"), ("api = 1", "api = 0"), ("api = 1,", "")],
    "module that is not there": [('require "watch"', 'require "wacht"')],
    "crash at start": [(START, START + "\n    error('boom')"),
                       (START, START + "\n    local none; none.such()"),
                       (START, START + "\n    " + ENDLESS_IN_C)],
    "no start": [("function plugin.start", "function plugin.begin")],
    "crash after a while": [
        (START, START + "\n    host.sleep('200ms') error('later')"),
        (ROUND, ROUND + f" host.after('1s', function() {ENDLESS_IN_C} end)"),
        (ROUND, ROUND + f" host.after('2s', function() {ENDLESS_IN_C} end)")],
    "endless loop": [(START, START + "\n    while true do end"),
                     (ROUND, "host.every('20ms', function() while true do end end)"),
                     (ROUND, "host.after('500ms', function() while true do pcall(error) end end)")],
    "device no longer read": [(ROUND, ""), (ROUND, "host.every('1h', function() end)"),
                              ("watch.start(self)", "watch.start(self) config.url = config.url:gsub("
                               "':%d+', ':1')"),
                              ("watch.round(self) end", "error('each time') end")],
}
REFUSED = {"syntax", "schema", "wrong API version", "module that is not there", "no start"}


class Updates:
    """The office, its bad updates, and what became of them."""

    def __init__(self, office, station, city, broker):
        self.office, self.station, self.city, self.broker = office, station, city, broker
        self.version = office.versions()["gate"]
        self.done = 0

    def code(self, kind):
        self.office.installed.change("wristband", *random.choice(CODE[kind]))
        self.reload(kind)
        self.office.installed.restore("wristband")

    def settings(self):
        """A station that is not there."""
        said = self.station.plugin(poll='"50ms"', lost_after='"1d"')
        wrong = said.replace(self.station.url, f"modbus-tcp://127.0.0.1:{town.free_port()}")
        self.office.configure(wrong, self.city, self.broker)
        self.reload("settings")
        self.office.configure(said, self.city, self.broker)

    def reload(self, kind):
        told, done = self.office.reload(expect=1 if kind in REFUSED else 3)
        if kind in REFUSED:
            assert told == {} and "nothing is changed" in done.stderr, done.stderr
        else:
            assert told["gate"][0] == "returned", told
        self.office.run_all()
        assert self.office.versions()["gate"] == self.version, kind
        self.done += 1
        print(f"{self.done}: {kind}: {told.get('gate', ('refused', ''))[1] or 'refused'}", flush=True)


@pytest.mark.parametrize("count, edges, seconds", [
    pytest.param(10, 200, 20, id="quick"),
    pytest.param(50, 1500, 100, id="50", marks=pytest.mark.slow),
])
def test_bad_updates_are_returned_from_and_no_edge_is_lost_or_told_twice(
        count, edges, seconds, tmp_path, broker, city, started, seed):
    random.seed(seed)
    station = started(town.Station(tmp_path, "rf433-fifo", bands=BANDS, beat=0))
    installed = updates.Installed(tmp_path / "programs")
    office = updates.UpdatedOffice(tmp_path / "office", installed, city, broker,
                                   station.plugin(poll='"50ms"', lost_after='"1d"'))
    started(office).run_all()
    city.wait_for("wristband.seen", BANDS)
    bad = Updates(office, station, city, broker)
    kinds = [*CODE, "settings"]
    doing = Edges(station, edges, seconds)
    doing.start()
    for i in range(count):
        if kinds[i % len(kinds)] == "settings":
            bad.settings()
        else:
            bad.code(kinds[i % len(kinds)])
    doing.join(300)
    assert doing.done == edges
    town.wait_for(lambda: len(city.events("wristband.strap_*")) >= edges, 60, "every edge", 0.5)
    town.wait_for(lambda: told_by_city(city) == told_by_station(station), 5, "the same story")
    returned = sum(kinds[i % len(kinds)] not in REFUSED for i in range(count))
    town.wait_for(lambda: len(city.events("plugin.returned")) == returned, 10, "all to be told")
    assert not city.events("plugin.updated")
    assert len(os.listdir(os.path.join(office.state, "versions"))) == 2
    installed.change("wristband", START, START + "\n    host.log.info('a good one')")
    assert office.reload()[0]["gate"] == ("accepted", "")
    assert office.stop() == 0
    office.verify()
    print(f"{bad.done} bad updates, all on the old version; {edges} edges, 0 lost, 0 twice")
