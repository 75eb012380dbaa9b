"""outpost replay and outpost try: plugins over a journal that the real keeper has written."""
import datetime
import hashlib
import json
import os
import shutil

import pytest

import town
from replays import LOW, LOWER, PLUGINS, URL, Office, as_told, low_of

READINGS = 12000


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """An office that has read all readings, and has stopped; nobody changes it."""
    office = Office(tmp_path_factory.mktemp("replay"), READINGS)
    office.start()
    try:
        office.run_all()
        town.wait_for(lambda: office.status()["events"] > READINGS, 60, "the readings", 0.2)
        town.wait_for(lambda: office.counts()[1] == len(low_of(office.events(), LOW)) and
                      office.counts()[0] == READINGS, 30, "the alarms", 0.5)
    finally:
        office.stop()
    events = office.events()
    office.events = lambda: events
    return office


def replay(office, *more, expect=0, journal=None):
    done = town.run(office.installed.outpost, "replay", "threshold", "low", "--journal",
                    journal or office.state, "--json", *more, expect=expect)
    return json.loads(done.stdout) if expect in (0, 1) else done


def test_what_was_said_in_life_is_said_again_and_each_time_with_the_same_hash(filled, tmp_path):
    out = tmp_path / "emitted"
    config = filled.config
    first = replay(filled, "--config", config, "--out", str(out))
    again = replay(filled, "--config", config)
    assert first["identical"] and first["replay"]["hash"] == again["replay"]["hash"]
    assert first["replay"]["hash"] == hashlib.sha256(out.read_bytes()).hexdigest()
    expected = low_of(filled.events(), LOW)
    told = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [as_told(line["data"], line["subject"]) for line in told] == expected
    assert first["replay"]["emitted"]["alarm"] == len(expected) > 500
    assert first["replay"]["events"] >= READINGS


def test_the_hash_is_the_same_elsewhere(filled, tmp_path):
    """Other folders, another environment, a copy of the journal."""
    journal = tmp_path / "a copy"
    shutil.copytree(os.path.join(filled.state, "journal"), journal)
    shutil.copytree(filled.installed.folder, tmp_path / "elsewhere")
    here = replay(filled, "--config", filled.config)
    done = town.run(str(tmp_path / "elsewhere" / "bin" / "outpost"), "replay", "threshold", "low",
                    "--journal", str(journal), "--config", filled.config, "--json",
                    env={"PATH": "/usr/bin:/bin", "A": "a" * 5000})
    assert json.loads(done.stdout)["replay"]["hash"] == here["replay"]["hash"]


def test_another_threshold_shows_exactly_the_alarms_that_differ(filled):
    config = filled.config_with(LOWER)
    told = replay(filled, "--config", config, "--limit", "100000", expect=1)
    events = filled.events()
    gone = set(low_of(events, LOW)) - set(low_of(events, LOWER))
    assert told["differences"] == [{"type": "threshold.low", "lane": "alarm", "fewer": len(gone),
                                    "more": 0, "other": 0}]
    assert {as_told(one["data"], one["subject"]) for one in told["examples"]} == gone
    assert {one["kind"] for one in told["examples"]} == {"fewer"}
    other_way = replay(filled, "--config", filled.config, "--against-config", config, expect=1)
    assert other_way["differences"][0]["more"] == len(gone)
    assert len(other_way["examples"]) == 20


def test_people_read_what_differs_and_how_much_more(filled):
    done = town.run(filled.installed.outpost, "replay", "threshold", "low", "--journal", filled.state,
                    "--config", filled.config_with(LOWER), "--limit", "2", expect=1)
    lines = done.stdout.splitlines()
    events = filled.events()
    gone = len(low_of(events, LOW)) - len(low_of(events, LOWER))
    assert lines[0].startswith("replay: events=") and " hash=" in lines[0]
    assert lines[1] == f"what was recorded: {len(low_of(events, LOW))} emitted"
    assert lines[2] == f"threshold.low (alarm): {gone} fewer"
    assert lines[3].startswith("  - 20") and '"battery":' in lines[3]
    assert lines[5:] == [f"  ... and {gone - 2} more",
                         f"different from what was recorded: alarms {gone} fewer"]


def test_other_data_is_told_by_its_first_difference(filled, tmp_path):
    version = tmp_path / "threshold"
    shutil.copytree(os.path.join(PLUGINS, "threshold"), version)
    plugin = version / "plugin.lua"
    plugin.write_text(plugin.read_text("utf-8").replace("battery = battery, seq",
                                                        "battery = battery + 1, seq"), "utf-8")
    done = town.run(filled.installed.outpost, "replay", str(version), "low", "--journal", filled.state,
                    "--config", filled.config, "--until", "5000", expect=1)
    low = len(low_of([e for e in filled.events() if int(e["sequence"]) <= 5000], LOW))
    assert f"threshold.low (alarm): {low} with other data" in done.stdout
    assert "battery: 5, was 4\n" in done.stdout


def test_a_part_of_the_journal_is_named_by_sequence_or_time(filled):
    events = filled.events()
    part = [event for event in events if 5000 <= int(event["sequence"]) <= 9000]
    told = replay(filled, "--config", filled.config, "--from", "5000", "--until", "9000")
    assert told["replay"]["emitted"]["alarm"] == len(low_of(part, LOW))
    time = part[0]["recorded"]
    later = [event for event in events if event["recorded"] >= time]
    told = replay(filled, "--config", filled.config, "--from", time, "--against", "threshold")
    assert told["replay"]["emitted"]["alarm"] == len(low_of(later, LOW))


def test_without_a_configuration_the_plugin_has_its_own_settings(filled):
    told = replay(filled)
    assert told["identical"], "its default is the configured one"


def test_a_damaged_bundle_is_named(filled, tmp_path):
    journal = tmp_path / "journal"
    shutil.copytree(os.path.join(filled.state, "journal"), journal)
    bundle = journal / "tile" / "entries" / "010"
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    done = replay(filled, "--config", filled.config, journal=str(journal), expect=3)
    assert "tile/entries/010" in done.stderr and "events 2560..2815" in done.stderr
    replay(filled, "--config", filled.config, "--from", "3000", journal=str(journal))


def test_an_event_that_is_not_what_was_recorded_is_found(filled, tmp_path):
    journal = tmp_path / "journal"
    shutil.copytree(os.path.join(filled.state, "journal"), journal)
    os.rename(journal / "tile" / "entries" / "004", journal / "tile" / "entries" / "009")
    done = replay(filled, "--config", filled.config, "--from", "2304", journal=str(journal), expect=3)
    assert "tile/entries/009" in done.stderr


def test_the_journal_of_a_running_office_can_be_replayed(tmp_path, started):
    office = Office(tmp_path, count=3000)
    started(office)
    office.run_all()
    town.wait_for(lambda: office.status()["events"] > 1000, 30, "some readings", 0.1)
    told = replay(office, "--config", office.config_with(LOW), expect=None).stdout
    assert json.loads(told)["replay"]["events"] > 1000
    town.wait_for(lambda: office.counts()[0] == 3000, 30, "the readings", 0.2)
    town.wait_for(lambda: replay(office, "--config", office.config, expect=None).returncode == 0, 10,
                  "what is said and what was said to agree", 0.5)
    assert office.runs()


DEVICES = """
    host.every("100ms", function()
        local bus = assert(host.modbus.open(config.url))
        local words, why, code = bus:read_holding(0, 1)
        assert(words == nil and why == "no recording of this device" and code == "unrecorded")
        host.emit { type = "threshold.counted", data = { count = -1 } }
    end)
    return self"""


def test_what_hangs_on_a_device_is_told_and_not_compared(filled, tmp_path):
    version = tmp_path / "threshold"
    shutil.copytree(os.path.join(PLUGINS, "threshold"), version)
    plugin = version / "plugin.lua"
    text = plugin.read_text("utf-8").replace("    return self", DEVICES)
    plugin.write_text(text.replace('    config = schema', '    needs = { "modbus" },\n    config = schema'),
                      "utf-8")
    path = tmp_path / "outpost.lua"
    path.write_text('office { id = "x" }\nplugin "threshold" "low" '
                    '{ url = "modbus-tcp://user:secret@10.0.0.9" }\n', "utf-8")
    done = town.run(filled.installed.outpost, "replay", str(version), "--journal", filled.state,
                    "--config", str(path))
    assert "requests to modbus-tcp://10.0.0.9 were not recorded" in done.stdout
    assert "not compared: threshold.counted (telemetry)" in done.stdout
    assert "secret" not in done.stdout
    assert done.stdout.endswith("identical to what was recorded, but for what depends on devices: "
                                "that was not compared\n")


def test_what_only_devices_tell_is_not_called_identical(filled, tmp_path):
    path = tmp_path / "outpost.lua"
    path.write_text('office { id = "x" }\nplugin "example" "low" '
                    '{ url = "modbus-tcp://10.0.0.9", poll = "100ms" }\n', "utf-8")
    done = town.run(filled.installed.outpost, "replay",
                    os.path.join(town.ROOT, "plugins", "example"), "--journal", filled.state,
                    "--config", str(path), expect=4)
    assert "requests to modbus-tcp://10.0.0.9 were not recorded" in done.stdout
    assert done.stdout.endswith("nothing was compared with what was recorded: all of it depends on "
                                "devices\n")
    done = town.run(filled.installed.outpost, "replay",
                    os.path.join(town.ROOT, "plugins", "example"), "--journal", filled.state,
                    "--config", str(path), "--json", expect=4)
    assert not json.loads(done.stdout)["compared"] and not json.loads(done.stdout)["identical"]


def test_what_may_come_of_events_before_the_slice_is_not_compared_in_silence(filled):
    low = low_of(filled.events(), LOW)
    config = filled.config_with(LOWER)
    since = next(seq for _, _, battery, seq in low if battery > LOWER and seq > 5000)
    told = replay(filled, "--config", config, "--from", str(since - 1), "--limit", "0", expect=None)
    told = json.loads(told.stdout)
    gone = sum(battery > LOWER and seq >= since for _, _, battery, seq in low)
    fewer = sum(one["fewer"] for one in told["differences"])
    assert told["passed_over"] >= gone - fewer > 0
    done = town.run(filled.installed.outpost, "replay", "threshold", "low", "--journal", filled.state,
                    "--config", config, "--from", str(since - 1), expect=None)
    assert f"not compared: {told['passed_over']} recorded in the first 2 s of the slice" in done.stdout


def test_a_slice_that_ends_before_it_begins_is_refused(filled):
    for since, until in (("10", "5"), ("2026-11-21T03:00:00Z", "2026-11-20T03:00:00Z")):
        done = town.run(filled.installed.outpost, "replay", "threshold", "--journal", filled.state,
                        "--config", filled.config, "--from", since, "--until", until, expect=2)
        assert f"--until: expected what is not before --from {since}, got {until}" in done.stderr


def test_trying_what_runs_finds_nothing(filled):
    done = filled.try_it(filled.config, expect=0)
    assert done.stdout.splitlines() == ["filler (filler): unchanged", "low (threshold): unchanged"]


def test_trying_another_threshold_tells_the_alarms_that_go(filled):
    done = filled.try_it(filled.config_with(LOWER), "--limit", "1", expect=1)
    lines = done.stdout.splitlines()
    events = filled.events()
    gone = len(low_of(events, LOW)) - len(low_of(events, LOWER))
    assert lines[:3] == ["filler (filler): unchanged", "low (threshold): changed",
                         f"  low: {LOWER}, was {LOW}"]
    assert lines[3].startswith("the new one: events=")
    assert lines[-1] == f"different from what runs now: alarms {gone} fewer"


def test_trying_looks_at_the_last_days_only(filled):
    events = filled.events()
    times = [datetime.datetime.fromisoformat(event["recorded"].replace("Z", "+00:00"))
             for event in events]
    at = next(i for i in range(len(times) // 2, len(times))
              if times[i] - times[i - 1] > datetime.timedelta(milliseconds=1))
    days = (times[-1] - (times[at - 1] + (times[at] - times[at - 1]) / 2)) / datetime.timedelta(days=1)
    part = events[at:]
    gone = len(low_of(part, LOW)) - len(low_of(part, LOWER))
    done = filled.try_it(filled.config_with(LOWER), "--days", f"{days:.15f}", expect=1)
    assert done.stdout.endswith(f"different from what runs now: alarms {gone} fewer\n")
    assert gone > 100


def test_trying_new_code_compares_it_with_the_code_that_runs(filled, tmp_path):
    """What runs is in the snapshots of the state folder, whatever is installed now."""
    plugins = tmp_path / "plugins"
    shutil.copytree(PLUGINS, plugins)
    plugin = plugins / "threshold" / "plugin.lua"
    plugin.write_text(plugin.read_text("utf-8").replace("battery <= self.low", "battery < self.low"),
                      "utf-8")
    done = filled.try_it(filled.config, "--plugins", str(plugins), expect=1)
    gone = len(low_of(filled.events(), LOW)) - len(low_of(filled.events(), LOW - 1))
    assert "filler (filler): unchanged\nlow (threshold): changed, other code\n" in done.stdout
    assert done.stdout.endswith(f"different from what runs now: alarms {gone} fewer\n")


def test_trying_tells_which_devices_are_no_longer_read(filled):
    done = filled.try_it(filled.config_changed(f', url = "{URL}"', ""), expect=1)
    assert f"  no longer read: {URL}\n" in done.stdout
    assert done.stdout.endswith("identical to what runs now\n")
    done = filled.try_it(filled.config_changed(URL, "modbus-tcp://user:pw@10.0.0.8"), expect=1)
    assert "  url: another one\n" in done.stdout and "pw@" not in done.stdout


def test_trying_what_only_devices_tell_is_not_called_harmless(filled, tmp_path):
    plugins = tmp_path / "plugins"
    shutil.copytree(PLUGINS, plugins)
    shutil.copytree(os.path.join(town.ROOT, "plugins", "example"), plugins / "example")
    path = tmp_path / "outpost.lua"
    with open(filled.config, encoding="utf-8") as file:
        path.write_text(file.read() + 'plugin "example" "hot" { url = "modbus-tcp://10.0.0.7", poll = "100ms" }\n')
    done = filled.try_it(str(path), "--plugins", str(plugins), expect=4)
    assert "hot (example): new\n" in done.stdout and "nothing was compared" in done.stdout


def test_trying_tells_of_instances_that_come_and_go(filled):
    done = filled.try_it(filled.config_changed('"threshold" "low"', '"threshold" "other"'), expect=1)
    alarms = len(low_of(filled.events(), LOW))
    assert "other (threshold): new\n" in done.stdout
    assert f"different from what runs now: alarms {alarms} more\n" in done.stdout
    assert "low (threshold): removed\n" in done.stdout
    assert done.stdout.endswith(f"different from what runs now: alarms {alarms} fewer\n")


def test_a_configuration_that_does_not_check_is_not_tried(filled, tmp_path):
    done = filled.try_it(filled.config_with('"much"'), expect=2)
    assert "low: expected" in done.stderr and done.stdout == ""
    done = town.run(filled.installed.outpost, "try", filled.config, "--state", str(tmp_path), expect=3)
    assert "what runs is not known" in done.stderr


@pytest.mark.parametrize("words, told", [
    ([], "expected a plugin"),
    (["nothing/there"], "expected a plugin's folder"),
    ([os.path.join(town.ROOT, "plugins", "example")],
     'without --config: plugin "example" "example": url: expected'),
    (["threshold", "--from", "noon"], "expected a sequence or a time"),
    (["threshold", "--within", "long"], "--within: expected a number"),
    (["threshold", "other", "--config", "CONFIG"], "expected an instance of the plugin"),
])
def test_wrong_words_are_named(filled, words, told):
    words = [filled.config if word == "CONFIG" else word for word in words]
    done = town.run(filled.installed.outpost, "replay", *words, "--journal", filled.state, expect=2)
    assert told in done.stderr


def test_a_plugin_that_cannot_start_is_no_difference(filled, tmp_path):
    version = tmp_path / "threshold"
    shutil.copytree(os.path.join(PLUGINS, "threshold"), version)
    plugin = version / "plugin.lua"
    plugin.write_text(plugin.read_text("utf-8").replace("local self", "error('boom') local self"),
                      "utf-8")
    done = town.run(filled.installed.outpost, "replay", str(version), "--journal", filled.state,
                    expect=3)
    assert "boom" in done.stderr
