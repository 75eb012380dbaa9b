"""Clocks that are not set, are set back and ahead, while events flow: order, timers, TLS, and the truth.

Only the office lives under another clock (libfaketime; what the kernel says of it is ours too). The city
has the right one.
"""
import datetime
import os
import time

import faketime
import history
import programs
import pytest
import secure
import town

DAY = 86400
COUNT = 100000  # more than it gets to


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Office(programs.TickingOffice):
    """A ticking office under that clock; `tls` are the settings of its line."""

    def __init__(self, folder, city, broker, clock, count=COUNT, tls=None):
        self.tls = tls or {}
        self.environment = [f"{name}={value}" for name, value in clock.environment.items()
                            if value != os.environ.get(name)]
        super().__init__(folder, city, broker, count, through=("env", *self.environment))

    def configure(self, plugins, city=None, broker=None):
        super().configure(plugins)
        with open(self.config, "a", encoding="utf-8") as out:
            files = "".join(f', {name} = "{path}"' for name, path in self.tls.items())
            out.write(f'city {{ url = "{broker.url}", verifier = "{city.verifier}"{files} }}\n')


def ticks(city):
    return len(city.events("ticker.*"))


def more_ticks(city, count=15):
    """Timers go on: that many more, whatever the clock shows."""
    wanted = ticks(city) + count
    town.wait_for(lambda: ticks(city) >= wanted, 30, f"{count} more ticks; {city.census()}")


def jumps(city, count):
    town.wait_for(lambda: len(city.events("clock.jumped")) >= count, 20, f"jump {count}; {city.census()}")


def corrections(city, count):
    town.wait_for(lambda: len(city.events("clock.corrected")) >= count, 20, f"correction {count}")


def live_through_jumps(city, clock):
    """1970; the right time, synchronised; 2000 days back; right again; a day ahead."""
    more_ticks(city)
    clock.say("+0")
    jumps(city, 1)
    more_ticks(city)
    clock.sync()
    corrections(city, 1)
    more_ticks(city)
    clock.sync(False)
    clock.say("-2000d")
    jumps(city, 2)
    more_ticks(city)
    clock.say("+0")
    jumps(city, 3)
    clock.sync()
    corrections(city, 2)
    clock.sync(False)
    clock.say("+1d")
    jumps(city, 4)


def in_utc(event, correction):
    """When it was, by the monotonic clock of that boot."""
    assert event["boot"] == correction["boot"]
    return seconds(correction["utc"]) - (int(correction["mono"]) - int(event["mono"])) / 1e6


def test_a_clock_that_jumps_changes_no_order_and_is_told(tmp_path, broker, city, started):
    begun = time.time()
    clock = faketime.Clock(tmp_path, "@1970-01-02 00:00:00")
    office = started(Office(tmp_path / "office", city, broker, clock))
    live_through_jumps(city, clock)
    assert office.stop() == 0
    city.wait_for("box.stopped")
    ended = time.time()
    counted = len(office.command("events", "--json", "--type", "ticker.*").stdout.splitlines())
    town.wait_for(lambda: ticks(city) >= counted, 20, f"{counted} ticks; {city.census()}")
    assert history.findings(history.ticks(counted), history.rows(city.database)) == []
    bodies = city.events("*")
    assert [int(body["sequence"]) for body in bodies] == list(range(len(bodies)))
    monos = [int(body["mono"]) for body in bodies]
    assert monos == sorted(monos)

    told = [body["data"]["seconds"] for body in city.events("clock.jumped")]
    expected = [begun - DAY, -2000 * DAY, 2000 * DAY, DAY]
    assert len(told) == 4 and all(abs(a - b) < 60 for a, b in zip(told, expected)), told
    for body in city.events("clock.jumped"):
        data = body["data"]
        assert abs(seconds(data["to"]) - seconds(data["from"]) - data["seconds"]) < 0.01
    first, second = (body["data"] for body in city.events("clock.corrected"))
    for body in bodies:
        for correction in (first, second):
            assert begun - 1 < in_utc(body, correction) < ended + 1, body
    for body in bodies:
        wrong = abs(seconds(body["recorded"]) - in_utc(body, second)) > 2
        assert body["clock"] == "unset" or not wrong or body["clock"] == "holdover", body
        if body["clock"] == "synced":
            assert not wrong, body
        if body["recorded"] < "2026":
            assert body["clock"] == "unset", body
    assert {body["clock"] for body in bodies} == {"unset", "synced", "holdover"}
    city.verify()


def test_the_next_keeper_of_a_boot_tells_a_jump_that_the_last_one_missed(tmp_path, broker, city, started):
    clock = faketime.Clock(tmp_path)
    office = started(Office(tmp_path / "office", city, broker, clock, 20))
    town.wait_for(lambda: ticks(city) >= 20, 30, "all ticks")
    assert office.stop() == 0
    clock.say("+1d")
    clock.sync()
    office.start()
    city.wait_for("clock.corrected", seconds=30)
    told = [body["data"]["seconds"] for body in city.events("clock.jumped")]
    assert len(told) == 1 and abs(told[0] - DAY) < 1, told
    office.stop()
    office.start()
    city.wait_for("box.started", 3, seconds=30)
    more = city.events("box.started")
    assert len(city.events("clock.jumped")) == 1 and len(city.events("clock.corrected")) == 1, more


# ---- the floor of a whole office, with TLS

@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    authority = secure.Authority(tmp_path_factory.mktemp("ca"))
    authority.run("city")
    authority.run("office", town.OFFICE_ID)
    return authority


def at(offset):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + offset))


def secure_broker(tmp_path, authority, name, begin, end):
    pair = authority.sign(name, times=(at(begin), at(end)))
    own = authority.path("broker", "broker")
    return secure.Broker(tmp_path, authority, [(own + ".pem", pair["cert"]), (own + ".key", pair["key"])])


def test_an_office_that_wakes_up_in_1970_reaches_the_city(tmp_path, authority, started):
    """Its program, and all it knows of time, may be older than the certificate."""
    broker = started(secure_broker(tmp_path, authority, "young", -60, DAY))
    city = started(secure.City(tmp_path, broker, authority))
    clock = faketime.Clock(tmp_path)
    office = started(Office(tmp_path / "office", city, broker, clock, 40,
                            authority.line("offices/" + town.OFFICE_ID)))
    town.wait_for(lambda: ticks(city) >= 40, 30, "all ticks")
    town.wait_for(lambda: all(lane["last"] == lane["synced"] for lane in office.status()["lanes"].values()),
                  30, "the receipt of everything")
    assert office.stop() == 0
    clock.say("@1970-01-01 00:00:10")
    office.start()
    town.wait_for(lambda: ticks(city) >= 80, 30, "the ticks of 1970")
    assert any(body["recorded"] < "1971" and body["clock"] == "unset" for body in city.events("ticker.*"))
    assert office.stop() == 0
    city.verify()


def test_a_certificate_that_has_expired_stays_so_when_the_clock_is_set_back(tmp_path, authority, started):
    """Ten days later the city has confirmed that it is ten days later."""
    later = faketime.Clock(tmp_path, "+10d")
    broker = started(secure_broker(tmp_path, authority, "long", -60, 30 * DAY))
    city = secure.City(tmp_path, broker, authority)
    city.argv = ("env", *(f"{name}={value}" for name, value in later.environment.items()
                          if value != os.environ.get(name)), *city.argv)
    started(city)
    clock = faketime.Clock(tmp_path / "office-clock", "+10d")
    office = started(Office(tmp_path / "office", city, broker, clock, 20,
                            authority.line("offices/" + town.OFFICE_ID)))
    town.wait_for(lambda: ticks(city) >= 20, 30, "all ticks")
    assert office.stop() == 0
    broker.stop()
    os.mkdir(tmp_path / "second")
    short = secure_broker(tmp_path / "second", authority, "short", -60, 5 * DAY)
    short.port, port = broker.port, short.port
    conf = os.path.join(short.folder, "mosquitto.conf")
    with open(conf, encoding="ascii") as source:
        text = source.read().replace(f"listener {port}", f"listener {broker.port}")
    with open(conf, "w", encoding="ascii") as out:
        out.write(text)
    started(short)
    clock.say("+0")  # five days before the certificate ends
    office.start()
    town.wait_for(lambda: "has expired" in office.command("status", expect=None).stdout, 30,
                  "the reason in outpost status")
    assert ticks(city) == 20
    assert office.stop() == 0
