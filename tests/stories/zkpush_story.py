"""ZKTeco terminals that push: what they record is at the city, once, whatever happens to whom."""
import hashlib
import http.client
import json
import os
import random
import signal
import threading
import time

import pytest
import town
import zkpush


def plugin(port, serials=("VGU6244700001",), address="127.0.0.1", **more):
    settings = {"url": f'"http://127.0.0.1:{port}"', "poll": '"2s"',
                "terminals": "{ %s }" % ", ".join(f'["{serial}"] = "{address}"' for serial in serials),
                **more}
    return f'plugin "face-zkpush" "hall" {{ {", ".join(f"{k} = {v}" for k, v in settings.items())} }}\n'


@pytest.fixture
def port():
    return town.free_port()


def open_office(folder, started, settings, city=None, broker=None):
    return started(town.Office(folder / "office", city, broker, settings))


def listening(port):
    town.wait_for(lambda: town.listens(port), 20, "the plugin to listen")


def told(office, kind="checkin.verified"):
    lines = office.command("events", "--json", expect=None).stdout.splitlines()
    return [event for event in map(json.loads, lines) if event["type"] == kind]


def hashes(lines):
    return [hashlib.sha256(line.encode()).hexdigest() for line in lines]


def assert_each_once(terminal, events):
    """In the order of the terminal's memory, each once."""
    assert [event["data"]["raw"] for event in events] == hashes(terminal.made)


# ---- Records

def test_a_check_in_is_at_the_city_and_a_repetition_is_not(tmp_path, started, city, broker, port):
    open_office(tmp_path, started, plugin(port, people='{ ["1"] = "3501050012" }'), city, broker)
    listening(port)
    terminal = zkpush.Terminal(port).connect()
    terminal.fill(300)
    terminal.send_all()
    terminal.punch(1)
    terminal.send_all()
    terminal.send_all(first=0)
    events = city.wait_for("checkin.verified", 301)
    assert_each_once(terminal, events)
    assert events[-1]["subject"] == "person/3501050012"
    assert events[-1]["data"]["live"] and events[-1]["data"]["method"] == "face"
    assert events[5]["subject"] == f"person/{6 % 40 + 1}"


def test_every_record_is_told_once_through_kills_and_lost_answers(tmp_path, started, port):
    office = open_office(tmp_path, started, plugin(port))
    listening(port)
    terminal = zkpush.Terminal(port, seed=7)
    terminal.fill(3000)
    terminal.drops = 0.2
    chance = random.Random(7)
    for turn in range(6):
        living = zkpush.Living(terminal, poll=0.01)
        time.sleep(chance.uniform(0.1, 0.5))
        if turn % 2:
            office.kill()
        else:
            for pid in office.children().get("host", []):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        living.stop()
        terminal.sent = 0  # what it had heard, it has forgotten
        terminal.fill(50, first=3001 + 50 * turn)
        if not office.runs():
            office.start()
        listening(port)
    terminal.drops = 0
    terminal.send_all()
    assert_each_once(terminal, told(office))


def test_uploads_at_the_same_time_tell_each_record_once(tmp_path, started, port):
    office = open_office(tmp_path, started, plugin(port))
    listening(port)
    terminal = zkpush.Terminal(port)
    terminal.fill(640)
    copies = [zkpush.Terminal(port) for _ in range(8)]
    for copy in copies:
        copy.made = terminal.made
    threads = [threading.Thread(target=copy.send_all) for copy in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(event["data"]["raw"] for event in told(office)) == sorted(hashes(terminal.made))


def test_a_clock_that_jumps_back_is_told_and_loses_nothing(tmp_path, started, port):
    office = open_office(tmp_path, started, plugin(port, clock='"set"'))
    listening(port)
    terminal = zkpush.Terminal(port).connect()
    for ahead in (0, 7200, -7200):
        terminal.ahead = ahead
        for pin in (1, 2, 3):
            terminal.punch(pin)
            time.sleep(0.01)
        terminal.send_all()
    assert_each_once(terminal, told(office))
    drifts = [event["data"]["drift"] for event in told(office, "terminal.clock_wrong")]
    assert len(drifts) == 1 and 7100 < drifts[0] < 7300
    while not any("DateTime" in text for text in terminal.results):
        assert terminal.poll()
    assert abs(terminal.ahead) < 60  # of two hours


# ---- Security PUSH

def test_a_terminal_that_registers_is_known_after_a_restart(tmp_path, started, port):
    office = open_office(tmp_path, started, plugin(port))
    listening(port)
    guard = zkpush.Guard(port).connect()
    guard.event(1001, 0)
    guard.event(0, 27)
    guard.event(0, 100)
    assert guard.send()
    office.kill()
    office.start()
    listening(port)
    assert guard.send(first=0)
    cookie, guard.cookie = guard.cookie, None
    with pytest.raises(zkpush.Refused, match="403"):
        guard.post("rtlog", guard.event(1002, 0))
    guard.connect()
    assert guard.cookie == cookie
    assert guard.post("rtlog", guard.made[-1]) == "OK"
    kinds = ["checkin.verified", "checkin.unknown_person", "terminal.tamper", "checkin.verified"]
    found = [told(office, kind) for kind in sorted(set(kinds))]
    assert sorted(e["data"]["raw"] for part in found for e in part) == sorted(hashes(guard.made))
    assert len(told(office, "terminal.refused")) == 1


# ---- Commands

def do(office, action, expect=0, **params):
    argv = [f'{name}="{value}"' for name, value in params.items()]
    return office.command("do", "hall", action, *argv, expect=expect)


def test_persons_are_put_compared_and_removed(tmp_path, started, port):
    office = open_office(tmp_path, started, plugin(port, people='{ ["7"] = "3501050007" }'))
    listening(port)
    terminal = zkpush.Terminal(port).connect()
    terminal.persons["350105199001011234"] = {"Name": "X"}
    living = zkpush.Living(terminal)
    try:
        do(office, "put_person", terminal=terminal.serial, number="1001", name="王某", card="1234567")
        assert terminal.persons["1001"]["Name"] == "王某"
        answer = do(office, "compare_persons", terminal=terminal.serial).stdout
        assert "3501050007" in answer and "1001" in answer and "p-" in answer
        assert "350105199001011234" not in answer
        do(office, "remove_person", terminal=terminal.serial, number="1001")
        assert "1001" not in terminal.persons
        failed = do(office, "remove_person", terminal=terminal.serial, number="1001", expect=None)
        assert failed.returncode != 0 and "does not know that person" in failed.stdout + failed.stderr
        do(office, "set_time", terminal=terminal.serial)
        terminal.fill(200)
        do(office, "resend", terminal=terminal.serial, **{"from": "2026-08-19T00:00:00",
                                                          "until": "2026-08-19T23:59:59"})
    finally:
        living.stop()
    assert [len(told(office, f"terminal.person_{what}")) for what in ("put", "removed")] == [1, 1]
    with open(office.log_path, encoding="utf-8") as log:
        assert "王某" not in log.read()
    assert "王某" not in office.command("events", "--json").stdout


def test_terminals_of_security_push_do_the_same_in_their_own_words(tmp_path, started, port):
    office = open_office(tmp_path, started, plugin(port, people='{ ["7"] = "3501050007" }'))
    listening(port)
    guard = zkpush.Guard(port).connect()
    guard.event(1001, 0)
    guard.event(0, 27)
    assert guard.send()
    guard.ahead = 900
    guard.event(1003, 0)  # that was never pushed
    guard.sent = len(guard.made)
    living = zkpush.Living(guard)
    try:
        do(office, "put_person", terminal=guard.serial, number="1001", name="Li")
        assert guard.persons["1001"]["Name"] == "Li"
        assert "3501050007" in do(office, "compare_persons", terminal=guard.serial).stdout
        do(office, "remove_person", terminal=guard.serial, number="1001")
        assert not guard.persons
        do(office, "set_time", terminal=guard.serial)
        assert abs(guard.ahead) < 3
        for _ in range(2):
            do(office, "resend", terminal=guard.serial, **{"from": "2026-01-01T00:00:00",
                                                           "until": "2030-01-01T00:00:00"})
    finally:
        living.stop()
    assert [event["subject"] for event in told(office)] == ["person/1001", "person/1003"]
    assert len(told(office, "checkin.unknown_person")) == 1


# ---- Who may, and what is too much

def test_nobody_gets_in_from_elsewhere(tmp_path, started, port):
    office = open_office(tmp_path, started, plugin(port))
    listening(port)
    with pytest.raises(zkpush.Refused):
        zkpush.Terminal(port, source="127.0.0.9").connect()
    with pytest.raises(zkpush.Refused, match="403"):
        zkpush.Terminal(port, serial="SOMEBODY").connect()
    assert [event["data"] for event in told(office, "terminal.refused")] == [
        {"address": "127.0.0.1", "reason": "serial"}]


def test_pictures_and_templates_by_the_megabyte_are_answered_and_forgotten(tmp_path, started, port):
    office = open_office(tmp_path, started, plugin(port))
    listening(port)
    terminal = zkpush.Terminal(port).connect()
    secret = "TVJTUDIxAAADjU0VVVVVV"
    for _ in range(20):
        assert terminal.post("BIODATA", f"BIODATA Pin=1\tTmp={secret * 50000}\n") == "OK: 1"
        assert terminal.post("ATTPHOTO", b"PIN=20260819080000-1.jpg\nCMD=uploadphoto\0\xff\xd8"
                             + secret.encode() * 50000) == "OK: 1"
    terminal.punch(1)
    assert terminal.send()
    assert_each_once(terminal, told(office))
    with open(office.log_path, encoding="utf-8") as log:
        assert secret not in log.read()


def test_a_body_without_end_is_refused_and_others_are_served(tmp_path, started, port):
    open_office(tmp_path, started, plugin(port))
    listening(port)
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    client.putrequest("POST", "/iclock/cdata?SN=VGU6244700001&table=ATTLOG")
    client.putheader("Content-Length", str(100 << 20))
    client.endheaders()
    try:
        for _ in range(100):
            client.send(b"x" * (1 << 20))
    except OSError:
        pass
    terminal = zkpush.Terminal(port).connect()
    terminal.punch(1)
    assert terminal.send()
