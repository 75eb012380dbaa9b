"""outpost reload: what changed is tried, and what is no good is returned from; the rest is not touched."""
import json
import os
import re
import signal
import subprocess
import time

import pytest
import town
import updates

ENDLESS = "(('a'):rep(60)):find(('a?'):rep(60) .. ('a'):rep(60))"  # in C, and for long
START = "function plugin.start(host, config)"
ROUND = "host.every(config.poll, function() watch.round(self) end)"


@pytest.fixture
def fifo(tmp_path, started):
    """Twelve bands in a FIFO: each edge is read once, and dropped when it was taken."""
    return started(town.Station(tmp_path, "rf433-fifo", beat=0))


@pytest.fixture
def box(tmp_path, city, broker, fifo, started):
    installed = updates.Installed(tmp_path / "programs", ("wristband", "example"))
    office = updates.UpdatedOffice(tmp_path / "office", installed, city, broker,
                                   fifo.plugin(poll='"50ms"'), trial="2s")
    started(office).run_all()
    city.wait_for("wristband.seen", 12)
    return office


def cut(box, city, fifo, band):
    """The strap is opened, and the city hears of it once."""
    before = len(city.events("wristband.strap_opened"))
    fifo.do("strap", band, open=True)
    city.wait_for("wristband.strap_opened", before + 1)
    assert len(city.events("wristband.strap_opened")) == before + 1
    assert box.runs()


def test_nothing_is_touched_when_nothing_changed(box):
    before = box.pids()
    told, _ = box.reload()
    assert told == {"gate": ("unchanged", "")}
    assert box.pids() == before


def test_a_good_update_is_accepted_and_keeps_the_store(box, city, fifo):
    before = box.versions()["gate"]
    box.installed.change("wristband", START, START + "\n    host.log.info('the new one')")
    told, _ = box.reload()
    assert told["gate"] == ("accepted", "")
    assert box.versions()["gate"] != before
    updated, = city.wait_for("plugin.updated")
    assert (updated["lane"], updated["data"]["instance"]) == ("record", "gate")
    assert before.startswith(updated["data"]["from"])
    assert "RETURNED" not in box.command("status").stdout
    assert city.census()["wristband.seen"] == 12  # who was seen is in the store
    cut(box, city, fifo, 3)
    assert len(os.listdir(os.path.join(box.state, "versions"))) == 3  # plugin, the one before, library


def test_a_hangup_is_a_reload_and_what_does_not_check_changes_nothing(box, city, fifo):
    before, pids = box.versions()["gate"], box.pids()
    box.installed.change("wristband", START, START + "\n    local x = = 1")
    os.kill(box.pid, signal.SIGHUP)
    town.wait_for(lambda: "nothing is changed" in box.text(), 20, "the refusal")
    assert (box.versions()["gate"], box.pids()) == (before, pids)
    box.installed.change("wristband", "local x = = 1", "host.log.info('the new one')")
    os.kill(box.pid, signal.SIGHUP)
    city.wait_for("plugin.updated", seconds=60)
    assert box.versions()["gate"] != before
    cut(box, city, fifo, 3)


@pytest.mark.parametrize("kind, old, new, why", [
    ("load", 'local watch = require "watch"', 'local watch = require "wacht"', None),
    ("ended", START, START + "\n    error('boom')", "boom"),
    ("ended", START, START + "\n    host.sleep('200ms') error('later')", "later"),
    ("silent or ended", START, START + "\n    while true do end",  # which of both is seen first
     "without waiting|does not answer"),
    ("reads, silent or ended", ROUND, ROUND + " host.after('500ms', function() "  # in C, and for long
     "(('a'):rep(60)):find(('a?'):rep(60) .. ('a'):rep(60)) end)", ""),
    ("reads", ROUND, "", "do not answer any more"),
    ("errors", ROUND, "host.every('20ms', function() error('each time') end)\n    " + ROUND, "again"),
])
def test_a_bad_update_is_returned_from_by_itself(box, city, fifo, kind, old, new, why):
    before = box.versions()["gate"]
    box.installed.change("wristband", old, new)
    if kind == "load":
        _, done = box.reload(expect=1)
        assert "wacht" in done.stderr and "nothing is changed" in done.stderr
    else:
        told, done = box.reload(expect=3)
        assert told["gate"][0] == "returned" and re.search(why, told["gate"][1]), told
        alarm, = city.wait_for("plugin.returned")
        assert alarm["lane"] == "alarm" and alarm["data"]["why"] in kind
        assert "RETURNED" in box.command("status").stdout
    assert box.versions()["gate"] == before
    cut(box, city, fifo, 5)  # from its snapshot, for the folder still holds the bad one
    town.wait_for(lambda: box.status()["children"], 5, "the children")
    box.stop()
    box.start()
    if kind != "load":
        box.run_all()
        assert box.versions()["gate"] == before
        cut(box, city, fifo, 6)


def test_settings_by_which_a_device_is_not_reached_are_returned_from(box, city, broker, fifo):
    before = box.versions()["gate"]
    url = fifo.url
    fifo.url = f"modbus-tcp://127.0.0.1:{town.free_port()}"
    box.configure(fifo.plugin(poll='"50ms"'), city, broker)
    fifo.url = url
    told, _ = box.reload(expect=3)
    assert told["gate"][0] == "returned"
    assert city.wait_for("plugin.returned")[0]["data"]["why"] == "reads"
    assert box.versions()["gate"] == before
    cut(box, city, fifo, 7)


@pytest.mark.parametrize("old, new, expected", [
    (START, "function plugin.start(host, config", "expected"),
    ("api = 1", "api = 2", "api = 2"),
    ('default = "10m"', 'default = "10 parsecs"', "a default must pass its own check"),
])
def test_what_does_not_check_changes_nothing(box, old, new, expected):
    before = box.pids()
    box.installed.change("wristband", old, new)
    told, done = box.reload(expect=1)
    assert told == {} and expected in done.stderr
    assert box.pids() == before


def test_only_what_changed_is_touched(box, city, broker, fifo):
    old = fifo.plugin(poll='"50ms"')
    dead = f'url = "modbus-tcp://127.0.0.1:{town.free_port()}"'
    both = old + f'plugin "example" "cabinet" {{ {dead} }}\n'
    box.configure(both, city, broker)
    before = box.pids()
    told, _ = box.reload()
    assert told == {"gate": ("unchanged", ""), "cabinet": ("accepted", "")}
    after = box.pids()
    assert after["gate"] == before["gate"] and after["uplink"] == before["uplink"]
    box.configure(old + f'plugin "example" "cabinet" {{ {dead}, poll = "7s" }}\n', city, broker)
    box.reload()
    assert box.pids()["gate"] == before["gate"]
    assert box.pids()["cabinet"] != after["cabinet"]
    box.configure(old, city, broker)
    told, _ = box.reload()
    assert told == {"gate": ("unchanged", ""), "cabinet": ("removed", "")}
    assert box.pids() == before


def test_another_line_to_the_city_starts_the_uplink_only(box, city, broker, fifo):
    before = box.pids()
    with open(box.config, encoding="utf-8") as file:
        text = file.read()
    with open(box.config, "w", encoding="utf-8") as out:
        out.write(text.replace("city { ", 'city { bandwidth = "1Mbit/s", '))
    told, _ = box.reload()
    assert told == {"gate": ("unchanged", ""), "uplink": ("started anew", "")}
    town.wait_for(lambda: box.pids()["uplink"] not in (0, before["uplink"]), 5, "the uplink")
    assert box.pids()["gate"] == before["gate"]
    cut(box, city, fifo, 8)


@pytest.mark.parametrize("old, new", [("示范司法所", "另一个司法所"), ("update {", "storage { } update {")])
def test_what_needs_a_restart_is_said_and_nothing_is_half_applied(box, old, new):
    before = box.pids()
    box.installed.change("wristband", START, START + "\n    host.log.info('the new one')")
    with open(box.config, encoding="utf-8") as file:
        text = file.read()
    with open(box.config, "w", encoding="utf-8") as out:
        out.write(text.replace(old, new))
    told, done = box.reload(expect=4)
    assert told == {} and "started anew" in done.stderr
    assert box.pids() == before


def try_for(box, city, broker, fifo, trial):
    box.trial = trial
    box.configure(fifo.plugin(poll='"50ms"'), city, broker)


def test_a_keeper_killed_in_the_trial_comes_back_with_what_was_accepted(box, city, broker, fifo):
    before = box.versions()["gate"]
    try_for(box, city, broker, fifo, "5m")  # it is killed before that is over
    box.installed.change("wristband", START, START + "\n    host.log.info('the new one')")
    told, _ = box.reload("--no-wait")
    assert told["gate"][0] == "waiting"
    town.wait_for(lambda: box.versions()["gate"] != before, 5, "the trial to begin")
    box.kill()
    try_for(box, city, broker, fifo, "2s")
    box.start()
    box.run_all()
    assert box.versions()["gate"] == before
    alarm, = city.wait_for("plugin.returned")
    assert alarm["data"]["why"] == "keeper"
    cut(box, city, fifo, 9)
    told, _ = box.reload()  # asked for again, it is tried again
    assert told["gate"] == ("accepted", "")
    box.stop()
    box.start()
    box.run_all()
    assert box.versions()["gate"] != before


def test_a_second_reload_waits_its_turn(box, city, broker, fifo):
    try_for(box, city, broker, fifo, "10s")  # so that the second comes in time, also on a busy machine
    box.installed.change("wristband", START, START + "\n    host.log.info('the new one')")
    box.reload("--no-wait")
    _, done = box.reload()
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert said[0]["state"] == "queued" and "under way" in said[0]["why"]
    assert said[-1] == {"instance": "gate", "state": "unchanged"}  # the first was accepted meanwhile
    shown = box.command("status").stdout
    assert "last reload: ended 20" in shown and "0 returned" in shown


def test_a_reload_may_come_instead_of_another(box, city, fifo):
    """Nobody waits for the end of a trial of an hour that he knows to be wrong."""
    before = box.versions()["gate"]
    box.trial = "1h"
    box.configure(fifo.plugin(poll='"60ms"'), city, box.broker)
    box.reload("--no-wait")
    town.wait_for(lambda: box.versions()["gate"] != before, 5, "the trial to begin")
    assert "under way" in box.command("status").stdout
    box.trial = "2s"
    box.configure(fifo.plugin(poll='"50ms"'), city, box.broker)
    told, _ = box.reload("--instead")
    assert told["gate"] == ("unchanged", "") and box.versions()["gate"] == before
    assert city.wait_for("plugin.returned")[0]["data"]["why"] == "withdrawn"
    cut(box, city, fifo, 4)


def test_a_wrong_password_is_found_though_the_device_is_read_seldom(tmp_path, started):
    """Once at the start, then each hour: nothing that a rate tells."""
    terminal = started(town.FaceTerminal(tmp_path))
    installed = updates.Installed(tmp_path / "programs", ("face-isapi",))
    settings = {"mode": '"poll"', "poll": '"1h"'}
    office = updates.UpdatedOffice(tmp_path / "office", installed, trial="2s",
                                   plugins=terminal.plugin(**settings))
    started(office).run_all()
    before = office.versions()["hall"]
    town.wait_for(lambda: "terminal.online" in office.command("events").stdout, 10, "the terminal")
    office.configure(terminal.plugin(**settings, password='"Wrong-2026"'))
    told, _ = office.reload(expect=3)
    assert "do not answer" in told["hall"][1]
    assert office.versions()["hall"] == before
    assert "do not answer" in office.command("status", expect=None).stdout


def test_a_start_that_never_ends_is_no_good(box, city, fifo):
    box.installed.change("wristband", START, START + "\n    host.sleep('1h')")
    told, _ = box.reload("--silent-ok", expect=3)
    assert told["gate"] == ("returned", "its start() has not come to an end")
    cut(box, city, fifo, 2)


def test_another_plugin_under_the_name_is_not_judged_by_the_devices_of_the_old(box, city, broker, fifo):
    """Two instances swap their names: what answered the one says nothing of the other."""
    dead = f'url = "modbus-tcp://127.0.0.1:{town.free_port()}"'
    box.configure(fifo.plugin("hall", poll='"50ms"') + f'plugin "example" "gate" {{ {dead} }}\n', city,
                  broker)
    told, _ = box.reload()
    assert told == {"hall": ("accepted", ""), "gate": ("accepted", "")}
    cut(box, city, fifo, 3)


@pytest.mark.slow
def test_what_dies_again_and_again_after_its_trial_is_returned_from(box, city, fifo):
    """A leak, say. Nobody was there to try it again; the version before is kept for a day."""
    before = box.versions()["gate"]
    box.installed.change("wristband", ROUND, ROUND + f" host.after('3s', function() {ENDLESS} end)")
    assert box.reload()[0]["gate"] == ("accepted", "")
    town.wait_for(lambda: box.versions()["gate"] == before, 120, "the return", 0.2)
    assert city.wait_for("plugin.returned")[0]["data"]["why"] == "quarantined"
    cut(box, city, fifo, 3)
    box.stop()
    box.start()
    box.run_all()
    assert box.versions()["gate"] == before
    cut(box, city, fifo, 4)


@pytest.mark.slow
def test_a_keeper_killed_at_any_step_comes_back_to_what_was_accepted(box, city, fifo):
    """Also before anything is marked: then the bad one is started untried, and is returned from."""
    before = box.versions()["gate"]
    box.installed.change("wristband", START, START + f"\n    host.after('1s', function() {ENDLESS} end)")

    def is_back():
        return box.command("status", expect=None).returncode == 0 and box.versions()["gate"] == before
    for step in range(12):
        asking = subprocess.Popen([box.installed.outpost, "reload", "--config", box.config, "--state",
                                   box.state], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.05 * step)
        box.kill()
        asking.wait()
        box.start()
        town.wait_for(is_back, 120, "the old version", 0.1)
        cut(box, city, fifo, 1 + step)
    box.stop()
    box.verify()


def test_a_crash_during_half_an_update_starts_what_ran(box, city, fifo):
    """The folder is being overwritten: what a crash brings back is whole."""
    before = box.versions()["gate"]
    box.installed.write("wristband", "half of a fi")
    pid = box.pids()["gate"]
    os.kill(pid, signal.SIGKILL)
    town.wait_for(lambda: box.pids()["gate"] not in (0, pid), 10, "the host to come back")
    box.run_all()
    assert box.versions()["gate"] == before
    cut(box, city, fifo, 10)
    box.stop()  # and so does a start: the configuration does not check any more
    box.start()
    box.run_all()
    assert box.versions()["gate"] == before
    city.wait_for("config.refused")
    cut(box, city, fifo, 11)


def test_an_added_instance_that_is_no_good_does_not_run(box, city, broker, fifo):
    dead = f'url = "modbus-tcp://127.0.0.1:{town.free_port()}"'
    box.installed.change("example", START, START + "\n    error('boom')")
    box.configure(fifo.plugin(poll='"50ms"') + f'plugin "example" "cabinet" {{ {dead} }}\n', city,
                  broker)
    told, _ = box.reload(expect=3)
    assert told["cabinet"][0] == "returned"
    assert set(box.pids()) == {"uplink", "gate"}


def test_a_changed_library_is_an_update_of_all_and_a_changed_test_is_none(box):
    with open(os.path.join(box.installed.library, "bits.lua"), "a", encoding="utf-8") as out:
        out.write("-- changed\n")
    folder = os.path.join(os.path.dirname(box.installed.path("wristband")), "test")
    os.makedirs(folder, exist_ok=True)
    told, _ = box.reload()
    assert told["gate"][0] == "accepted"
    with open(os.path.join(folder, "more_test.lua"), "w", encoding="utf-8") as out:
        out.write("-- new\n")
    told, _ = box.reload()
    assert told["gate"][0] == "unchanged"


def test_nobody_there_is_said(tmp_path):
    installed = updates.Installed(tmp_path / "programs")
    office = updates.UpdatedOffice(tmp_path / "office", installed)
    _, done = office.reload(expect=1)
    assert "is `outpost run` running" in done.stderr
