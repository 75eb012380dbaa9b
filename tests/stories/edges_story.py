"""What happens at a wristband is one event at the city: over TCP, over RTU, for every model."""
import pytest

import town

MODELS = ["monnit-tcp", "monnit-serial", "enless", "lora-modbus", "inveo-rfid", "rf433-fifo"]


def test_a_cut_strap_is_one_alarm_at_the_city(office, city, station):
    cut = station.do("strap", 3, open=True)
    event, = city.wait_for("wristband.strap_opened")
    assert event["lane"] == "alarm"
    assert event["office"] == office.office
    assert event["data"]["band"] == cut["tag"]
    station.do("strap", 3, open=False)
    city.wait_for("wristband.strap_closed")
    assert len(city.events("wristband.strap_opened")) == 1


@pytest.mark.parametrize("model", MODELS)
def test_every_model_tells_straps_cases_and_batteries(model, tmp_path, broker, city, started):
    station = started(town.Station(tmp_path, model, bands=3, beat=0.3))
    started(town.Office(tmp_path / "office", city, broker,
                        station.plugin(poll='"100ms"', low_battery=30)))
    city.wait_for("wristband.seen", 1 if model == "inveo-rfid" else 3)
    for word, settings, kind in [("strap", {"open": True}, "wristband.strap_opened"),
                                 ("strap", {"open": False}, "wristband.strap_closed"),
                                 ("battery", {"percent": 9}, "wristband.battery_low"),
                                 ("case", {"open": True}, "wristband.case_opened")]:
        town.wait_for(lambda w=word, s=settings: station.may(w, band=1, **s), 5, "room for it")
        event, = city.wait_for(kind)
        happened = [line["tag"] for line in station.happened() if line["what"] != "released"]
        assert event["data"]["band"].lower() == happened[-1]
    assert city.census()["wristband.strap_opened"] == 1


def test_a_serial_line_does_as_well(tmp_path, broker, city, started):
    cable, office_end, station_end = town.serial_pair(tmp_path)
    started(cable)
    station = started(town.Station(tmp_path, "monnit-serial", device=station_end))
    station.url = f"modbus-rtu://{office_end}?baud=19200&parity=N&stop=1"
    started(town.Office(tmp_path / "office", city, broker, station.plugin(poll='"200ms"')))
    city.wait_for("wristband.seen", 12)
    cut = station.do("strap", 4, open=True)
    event, = city.wait_for("wristband.strap_opened")
    assert event["data"]["band"] == cut["tag"]


def test_an_adapter_that_is_plugged_in_later_and_again_is_read(tmp_path, broker, city, started):
    ends = tmp_path / "ends"
    ends.mkdir()
    later = town.Station(tmp_path, "monnit-serial", device=str(ends / "station.tty"))
    later.url = f"modbus-rtu://{ends}/office.tty?baud=19200&parity=N&stop=1"
    office = started(town.Office(tmp_path / "office", city, broker, later.plugin(poll='"200ms"')))
    town.wait_for(lambda: "started" in office.text(), 10, "the plugin to start")
    for plugged in range(1, 3):
        cable, _, end = town.serial_pair(ends)
        started(cable)
        station = started(town.Station(tmp_path, "monnit-serial", device=end, name=f"station{plugged}"))
        town.wait_for(lambda n=plugged: office.text().count("is there now") == n, 10, "the restart")
        station.do("strap", 4, open=True)
        city.wait_for("wristband.strap_opened", plugged)
        station.do("strap", 4, open=False)
        city.wait_for("wristband.strap_closed", plugged)
        station.stop()
        cable.stop()
    assert not city.events("plugin.quarantined")


def test_a_lost_band_is_told_from_a_silent_station(tmp_path, broker, city, station, started):
    started(town.Office(tmp_path / "office", city, broker,
                        station.plugin(poll='"100ms"', lost_after='"30s"',
                                       offline_after='"1s"')))
    city.wait_for("wristband.seen", 12)
    station.do("lost", 5, age=60)
    city.wait_for("wristband.lost")
    station.do("back", 5)
    city.wait_for("wristband.back")
    station.do("off", how="silent")
    city.wait_for("station.offline")
    station.do("on")
    city.wait_for("station.online")
    gap, = city.wait_for("gap.recorded")
    assert gap["data"]["cause"]
    census = city.census()
    assert census["wristband.lost"] == census["wristband.back"] == 1
    assert census["station.offline"] == census["station.online"] == 1
