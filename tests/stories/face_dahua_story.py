"""Dahua terminals in an office: who reported in is at the city, each record once, whatever breaks."""
import os
import random
import threading
import time

import dahua
import pytest
import town


@pytest.fixture
def terminal():
    one = dahua.Terminal()
    yield one
    one.close()


def serials(events):
    return [event["data"].get("record") for event in events if event["type"].startswith("checkin.")]


def checkins(office):
    return serials(town.json.loads(line) for line in
                   office.command("events", "--json", expect=None).stdout.splitlines())


def test_who_reports_in_is_at_the_city_at_once_and_once(tmp_path, broker, city, started, terminal):
    for _ in range(30):
        terminal.remember(at=terminal.clock() - 3600)
    office = started(town.Office(tmp_path / "office", city, broker, terminal.plugin()))
    city.wait_for("checkin.verified", 30)
    town.wait_for(terminal.is_heard, 10, "the stream")
    terminal.say("_DoorFace_", UserID="1002", RealUTC=terminal.clock(), Similarity=92, Door=0)
    city.wait_for("checkin.verified", 31, 5)
    terminal.remember("1002")
    terminal.say("_NewFile_", File="/mnt/a.jpg")  # has the records read
    time.sleep(2.5)
    events = city.events("checkin.verified")
    assert serials(events) == [*range(1, 31), None]
    assert events[-1]["data"]["score"] == 92 and events[-1]["subject"] == "person/1002"
    assert dahua.PASSWORD not in office.text()


def test_a_wrong_password_is_tried_once(tmp_path, started, terminal):
    office = started(town.Office(tmp_path, plugins=terminal.plugin(password='"wrong"', reconcile='"10s"')))
    town.wait_for(lambda: "terminal.auth_failed" in office.command("events", expect=None).stdout, 10, "the alarm")
    time.sleep(1)
    office.stop()
    office.start()
    time.sleep(2)
    assert terminal.attempts() == 1
    office.stop()
    office.configure(terminal.plugin())
    office.start()
    town.wait_for(terminal.is_heard, 10, "the right password to be tried")


@pytest.mark.parametrize("packing, said", [("gzip", "gzip"), ("zlib", "deflate"), ("raw", "deflate"),
                                           ("plain", "gzip"), ("gzip", None)])
def test_what_is_pushed_is_told_however_it_is_packed(tmp_path, started, terminal, packing, said):
    port = town.free_port()
    office = started(town.Office(tmp_path, plugins=terminal.plugin(
        listen=f'"http://127.0.0.1:{port}"', password="nil", serial='"5PGM37"')))
    town.wait_for(lambda: town.listens(port), 10, "the office to listen")
    for _ in range(2):
        assert terminal.push(port, terminal.event(serial=7), packing, said)
    assert checkins(office) == [7]


def test_a_picture_is_kept_in_the_box_only_when_that_is_set(tmp_path, started, terminal):
    port = town.free_port()
    office = started(town.Office(tmp_path, plugins=terminal.plugin(
        listen=f'"http://127.0.0.1:{port}"', password="nil", serial='"5PGM37"', pictures='"keep 1d"')))
    town.wait_for(lambda: town.listens(port), 10, "the office to listen")
    assert terminal.push(port, terminal.event(serial=7), picture=b"\xff\xd8FACE-5521\xff\xd9")
    blobs = [town.json.loads(line) for line in office.command("blob", "list", "--json").stdout.splitlines()]
    assert [blob["class"] for blob in blobs] == ["picture"]
    for path, _, names in os.walk(office.state):
        for place in filter(os.path.isfile, (os.path.join(path, name) for name in names)):
            with open(place, "rb") as file:
                assert b"FACE-5521" not in file.read()


def test_each_record_is_told_once_through_reboots_and_kills(tmp_path, started):
    terminal = dahua.Terminal(cap=100, form="text")
    port = town.free_port()
    office = town.Office(tmp_path, plugins=terminal.plugin(listen=f'"http://127.0.0.1:{port}"',
                                                            reconcile='"10s"'))
    chance, over = random.Random(5), threading.Event()
    began = terminal.clock() - 4000
    for i in range(1500):
        terminal.remember(f"{1000 + i % 50}", at=began + i * 2)

    def live():
        while not over.wait(0.03):
            user = f"{2000 + len(terminal.records)}"
            number = terminal.remember(user)
            how = chance.random()
            if how < 0.4:
                terminal.say("AccessControl", **terminal.event(user, number))
            elif how < 0.6:
                terminal.say("_DoorFace_", UserID=user, RealUTC=terminal.clock(), Similarity=91, Door=0)
            elif how < 0.8:
                terminal.push(port, terminal.event(user, number), chance.choice(["gzip", "zlib", "plain"]))

    started(office)
    visitors = threading.Thread(target=live)
    visitors.start()
    for turn in range(6):
        time.sleep(chance.uniform(0.5, 1.5))
        if turn % 3 == 2:
            terminal.reboot()
        else:
            office.kill()
            started(office)
    over.set()
    visitors.join()

    def whole():
        lines = [town.json.loads(line) for line in office.command("events", "--json", expect=None).stdout.splitlines()]
        return [event for event in lines if event["type"] == "checkin.verified"]
    town.wait_for(lambda: len(whole()) >= len(terminal.records), 60, "every record", 0.5)
    time.sleep(11)  # one more reading of its memory
    events = whole()
    known = sorted(s for s in serials(events) if s is not None)
    assert len(events) == len(terminal.records)
    assert known == sorted(set(known))
    people = sorted(event["subject"].split("/")[1] for event in events)
    assert people == sorted(record["UserID"] for record in terminal.records)
    terminal.close()
