"""Broker gone, city gone, power gone: everything arrives later, once, in order."""
import town


def sequences(city):
    return [int(event["sequence"]) for event in city.events()]


def test_what_happens_without_a_broker_arrives_when_it_is_back(office, city, station, broker):
    broker.kill()
    for band in range(1, 6):
        station.do("strap", band, open=True)
    town.wait_for(lambda: office.status() and alarms(office) >= 5, 10, "five alarms in the office")
    assert city.events("wristband.strap_opened") == []
    broker.start()
    opened = city.wait_for("wristband.strap_opened", 5, seconds=40)
    assert len(opened) == 5
    assert sequences(city) == sorted(set(sequences(city)))


def alarms(office):
    listed = office.command("events", "--json", "--type", "wristband.strap_opened").stdout
    return len(listed.splitlines())


def test_a_city_that_was_away_gets_everything(office, city, station):
    city.stop()
    station.do("strap", 2, open=True)
    station.do("case", 7, open=True)
    town.wait_for(lambda: alarms(office) == 1, 10, "the alarm in the office")
    city.start()
    city.wait_for("wristband.strap_opened", seconds=40)
    city.wait_for("wristband.case_opened", seconds=40)


def test_an_office_that_restarts_tells_no_edge_twice(office, city, station):
    station.do("strap", 2, open=True)
    city.wait_for("wristband.strap_opened")
    assert office.stop() == 0
    station.do("strap", 3, open=True)
    office.start()
    opened = city.wait_for("wristband.strap_opened", 2, seconds=30)
    assert len(opened) == 2
    city.wait_for("box.started", 2)
    assert len(city.events("box.stopped")) == 1


def test_a_host_that_dies_comes_back_and_tells_no_edge_twice(office, city, station):
    station.do("strap", 2, open=True)
    city.wait_for("wristband.strap_opened")
    pid, = office.children()["host"]
    town.os.kill(pid, town.signal.SIGKILL)
    city.wait_for("plugin.restarted")
    station.do("strap", 2, open=False)
    city.wait_for("wristband.strap_closed", seconds=20)
    assert len(city.events("wristband.strap_opened")) == 1


def test_a_station_that_restarts_makes_no_edge(office, city, station):
    station.do("strap", 2, open=True)
    city.wait_for("wristband.strap_opened")
    station.do("restart", **{"for": 2.0})
    station.do("strap", 2, open=False)
    city.wait_for("wristband.strap_closed", seconds=20)
    assert len(city.events("wristband.strap_opened")) == 1
