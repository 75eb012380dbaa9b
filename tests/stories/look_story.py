"""What people look at: status and events, once and as they come."""
import json
import subprocess

import town


def test_status_names_the_log_and_what_the_city_has(office, city, station):
    station.do("strap", 3, open=True)
    city.wait_for("wristband.strap_opened")
    status = town.wait_for(lambda: office.status(), 5, "a status")
    assert status["office"] == office.office
    assert any("gate" in json.dumps(child) for child in status["children"])
    said = office.command("status").stdout
    assert "at the city" in said and "no city" not in said


def test_events_follows_and_filters(office, city, station):
    follower = subprocess.Popen(
        [town.OUTPOST, "events", "--follow", "--json", "--type", "wristband.strap_opened", "--state",
         office.state], stdout=subprocess.PIPE, text=True)
    try:
        station.do("battery", 4, percent=3)
        station.do("strap", 4, open=True)
        event = json.loads(follower.stdout.readline())
        assert "strap_opened" in json.dumps(event)
    finally:
        follower.terminate()
        follower.wait()


def test_the_city_lists_what_it_has(office, city, station):
    station.do("strap", 4, open=True)
    city.wait_for("wristband.strap_opened")
    listed = town.run(town.OUTPOST_CITY, "events", "--json", "--type", "wristband.strap_opened",
                      "--database", "sqlite:" + city.database).stdout.splitlines()
    event, = map(json.loads, listed)
    assert event["type"] == "wristband.strap_opened"
    assert event["office"] == office.office
    assert event["body"]["id"].startswith(office.office)


def test_a_second_keeper_on_the_same_state_is_refused(office):
    done = town.run(town.OUTPOST, "run", "--config", office.config, "--state", office.state,
                    expect=None)
    assert done.returncode != 0
    assert office.runs()
