"""A face terminal in an office: what happens before it is at the city once, in order, however it is
heard; and what it does wrong is told."""
import json
import os
import shutil
import tempfile
import time

import pytest
import town

OFFICER = "daemon"  # of every Debian's /etc/passwd
FAST = {"poll": '"300ms"', "retry": '"300ms"', "heartbeat": '"1s"'}


def records(city):
    """[(record number, type, subject)] at the city, in the order of the journal."""
    return [(event["data"]["record"], event["type"], event["subject"]) for event in city.events()
            if "record" in event["data"]]


def truth(terminal):
    return [line["serialNo"] for line in terminal.recorded() if "serialNo" in line]


def numbers(city):
    return [number for number, _, _ in records(city)]


def settle(terminal, city, seconds=20):
    """Everything recorded is at the city, once, in order; and nothing more comes."""
    town.wait_for(lambda: len(records(city)) >= len(truth(terminal)), seconds,
                  f"{len(truth(terminal))} records; there are {len(records(city))}")
    time.sleep(0.5)
    assert numbers(city) == truth(terminal)


@pytest.fixture
def hall(tmp_path, broker, city, started):
    """hall(quirks, **settings) -> (terminal, office), which are online."""
    def begin(quirks=(), beat=1.0, fill=0, **settings):
        terminal = started(town.FaceTerminal(tmp_path, beat=beat, quirks=quirks))
        if fill:
            terminal.do("fill", count=fill)
        office = started(town.Office(tmp_path / "office", city, broker,
                                     terminal.plugin(**{**FAST, **settings})))
        city.wait_for("terminal.online")
        return terminal, office
    return begin


def pushed(**more):
    port = town.free_port()
    return {"listen": f'"http://127.0.0.1:{port}"', "push_to": f'"http://127.0.0.1:{port}/isapi"', **more}


WAYS = {
    "push": lambda: pushed(mode='"push"', reconcile='"1h"'),
    "stream": lambda: {"mode": '"stream"', "reconcile": '"1h"'},
    "poll": lambda: {"mode": '"poll"'},
    "auto": lambda: pushed(),
}


@pytest.mark.parametrize("way", WAYS)
def test_who_stands_before_it_is_told_once_by_whichever_way(hall, city, way):
    terminal, _ = hall(fill=50, **WAYS[way]())
    settle(terminal, city)
    for person in ("8001", "8002", "0042"):
        terminal.do("visit", person=person)
        time.sleep(0.3)
    terminal.do("record", major=5, minor=76)
    terminal.do("record", major=1, minor=1028)
    settle(terminal, city)
    told = [(kind, subject) for _, kind, subject in records(city)[50:] if kind != "terminal.door"]
    device = f"device/face-terminal/{terminal.serial}"
    assert told == [("checkin.verified", "person/8001"), ("checkin.verified", "person/8002"),
                    ("checkin.verified", "person/0042"), ("checkin.unknown_person", device),
                    ("terminal.tamper", device)]


@pytest.mark.parametrize("quirks", [["by-time"], ["empty-more"], ["no-status"], ["stale"], ["dashes", "lf"],
                                    ["no-current"], ["no-serial"], ["plain-push"], ["by-time", "no-range"]])
def test_what_terminals_do_strangely_changes_nothing(hall, city, quirks):
    terminal, _ = hall(quirks, fill=95, **pushed())
    settle(terminal, city)
    terminal.do("visit", person="8001")
    terminal.do("clock", by=-7200)
    terminal.do("visit", person="8002")
    settle(terminal, city)


def test_auto_finds_that_a_push_is_only_promised(hall, city):
    terminal, _ = hall(["no-push"], **pushed(poll='"1h"'))
    town.wait_for(lambda: terminal.do("state")["streaming"], 10, "the stream")
    time.sleep(0.3)
    terminal.do("visit", person="8001")
    settle(terminal, city)
    assert [event["data"]["way"] for event in city.events("terminal.online")] == ["poll", "stream"]


def test_a_push_that_delivers_frees_the_stream(hall, city):
    terminal, _ = hall(**pushed())
    town.wait_for(lambda: terminal.do("state")["hosts"], 10, "the place to push to")
    terminal.do("quirks", are=["no-current"])
    terminal.do("visit", person="8001")
    settle(terminal, city)
    town.wait_for(lambda: city.events("terminal.online")[-1]["data"]["way"] == "push", 10, "push")


def test_a_stream_that_stalls_is_noticed_and_back_filled(hall, city):
    terminal, _ = hall(mode='"stream"', reconcile='"1h"', offline_after='"1h"')
    town.wait_for(lambda: terminal.do("state")["streaming"], 10, "the stream")
    time.sleep(3.5)  # some heartbeats of 1 s, so that their distance is known
    terminal.do("stall")
    for person in ("8001", "8002"):
        terminal.do("visit", person=person)
    settle(terminal, city)  # nothing else would look within the hour
    town.wait_for(lambda: terminal.do("state")["streams"] >= 2, 10, "a second stream")


def test_a_terminal_that_reboots_is_heard_again_with_all_it_recorded(hall, city):
    terminal, _ = hall(fill=10, **pushed(mode='"auto"'))
    for turn in range(3):
        terminal.do("visit", person="8001")
        terminal.do("reboot", **{"for": 1.0})
        terminal.do("visit", person="8002")
        settle(terminal, city)
        assert len(city.events("terminal.restarted")) == turn + 1


@pytest.mark.parametrize("wipe", [True, False])
def test_numbers_that_begin_again_are_told_again_once(hall, city, wipe):
    terminal, _ = hall(fill=100, mode='"poll"')
    settle(terminal, city)
    terminal.do("reset", wipe=wipe)
    for _ in range(5):
        terminal.do("visit", person="8001")
    settle(terminal, city)
    assert len(city.events("terminal.serial_reset")) == 1


def test_a_wrong_password_is_one_attempt_and_an_alarm(hall, tmp_path, broker, city, started):
    terminal = started(town.FaceTerminal(tmp_path))
    wrong = terminal.plugin(password='"guess"', **FAST, **pushed())
    office = started(town.Office(tmp_path / "office", city, broker, wrong))
    city.wait_for("terminal.auth_failed")
    office.stop()
    office.start()
    time.sleep(4)
    assert terminal.do("state")["attempts"] == 1
    assert len(city.events("terminal.auth_failed")) == 1
    assert "guess" not in office.text()
    office.configure('update { trial = "2s" }\n' + terminal.plugin(**FAST), city, broker)
    office.command("reload", "--config", office.config)
    city.wait_for("terminal.online")
    assert terminal.do("state")["attempts"] == 1


def test_a_password_that_is_changed_under_way_is_one_attempt_too(hall, city):
    terminal, _ = hall(fill=10, **pushed())
    settle(terminal, city)
    terminal.do("password", **{"is": "another"})
    city.wait_for("terminal.auth_failed")
    time.sleep(3)
    assert terminal.do("state")["attempts"] == 1


def test_a_clock_is_set_when_a_technician_asks(hall, city):
    terminal, office = hall(mode='"poll"')
    terminal.do("clock", by=-7200)
    office.command("do", "hall", "set_clock")
    assert abs(terminal.do("state")["skew"]) < 60  # of two hours


class Desk:
    """An officer before the office: another Unix user, with a copy of `outpost` where he can reach it."""

    def __init__(self, folder, terminal, city, broker):
        os.chmod(folder, 0o755)
        self.program = shutil.copy(town.OUTPOST, folder)
        access = f'access {{ officer = {{ "{OFFICER}" }} }}\n'
        people = '{ ["8001"] = "A-1", ["8002"] = "A-2" }'
        self.office = town.Office(folder, city, broker,
                                  access + terminal.plugin(mode='"poll"', people=people, **FAST))

    def ask(self, *words, expect=0):
        return town.run("setpriv", f"--reuid={OFFICER}", "--regid=0", "--clear-groups", self.program, *words,
                        "--state", self.office.state, expect=expect)


@pytest.fixture
def abroad():
    """A folder where other users can come to."""
    with tempfile.TemporaryDirectory(prefix="hall-") as folder:
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may act as an officer of another name")
def test_persons_are_put_into_the_terminal_and_compared(abroad, tmp_path, broker, city, started):
    terminal = started(town.FaceTerminal(tmp_path))
    desk = Desk(abroad, terminal, city, broker)
    started(desk.office)
    city.wait_for("terminal.online")
    desk.ask("do", "hall", "add_person", 'number="8001"', "name=MARKER-PERSON")
    desk.ask("do", "hall", "add_face", 'number="8001"', "picture=/9hTSU1VTEFURUT/2Q==")
    desk.ask("do", "hall", "add_person", 'number="9001"')
    state = terminal.do("state")
    assert (state["people"], state["faces"]) == (["8001", "9001"], ["8001"])
    text = desk.ask("show", "hall", "compare").stdout
    assert "8002" in text and "9001" in text
    desk.ask("do", "hall", "remove_person", 'number="9001"')
    assert terminal.do("state")["people"] == ["8001"]
    assert len(city.wait_for("terminal.person_changed", 4)) == 4
    again = desk.ask("do", "hall", "add_person", 'number="8001"', expect=1)
    assert "employeeNoAlreadyExist" in again.stderr


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_that_is_kept_is_in_the_box_only_and_encrypted(hall, city, way):
    terminal, office = hall(pictures='"keep 1d"', **WAYS[way]())
    terminal.do("visit", person="8001")
    settle(terminal, city)
    picture = city.events("checkin.verified")[0]["data"]["picture"]
    blob = json.loads(office.command("blob", "list", "--json").stdout)  # a line, because it is the only one
    assert blob["sha256"] == picture
    office.stop()
    for path, _, names in os.walk(office.state):
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                assert b"SIMULATED-FACE" not in file.read(), name


def test_nothing_of_a_person_but_the_number_leaves_the_terminal(hall, city, tmp_path):
    terminal, office = hall(fill=9, pictures='"hash"', **pushed())
    terminal.do("visit", person="8001")
    settle(terminal, city)
    office.stop()
    city.stop()
    for folder in (office.state, str(tmp_path)):
        for path, _, names in os.walk(folder):
            for name in names:
                if path.startswith(terminal.state):
                    continue
                with open(os.path.join(path, name), "rb") as file:
                    assert b"MARKER" not in file.read(), os.path.join(path, name)


