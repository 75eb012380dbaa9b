"""Sequences pass 2^31, 2^32 and 2^53 unharmed: through host, keeper, uplink, broker, city and both databases.

A number that goes through a C int, a float of Lua or a double of JSON anywhere on the way comes out changed.
"""
import json
import os
import re
import sqlite3
import subprocess
import sys

import pytest
import tall
import town

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "faults"))
import programs  # noqa: E402

TICKS = 300  # and as many echoes: two tiles are sealed on the way
STARTS = {"2^31": 2**31 - 5, "2^32": 2**32 - 5, "2^53": 2**53 - 5}
ECHO = 'plugin "echo" "e" {}\n'


class Heard:
    """What the broker carries, as another subscriber hears it: (topic, properties, payload) a line."""

    def __init__(self, folder, broker):
        self.path = os.path.join(str(folder), "heard.jsonl")
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(
                ["mosquitto_sub", "-V", "5", "-p", str(broker.port), "-t", "outpost/v1/#", "-F", "%j"],
                stdout=out)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def lines(self):
        with open(self.path, encoding="utf-8", errors="replace") as out:
            return [json.loads(line) for line in out if line.endswith("}\n")]


@pytest.fixture(params=STARTS, ids=list(STARTS))
def past(request):
    return tall.Past(STARTS[request.param])


@pytest.fixture
def office(tmp_path, past, city, broker, started):
    """An office whose next event has the number `past.start`, and a city that has all before its tail."""
    office = programs.TickingOffice(tmp_path / "office", city, broker, 1, plugins=ECHO)
    started(office)
    city.wait_for("echo.heard")
    assert office.stop() == 0 and city.stop() == 0
    tall.put_journal(office.state, past, ("e", "ticker.*"))
    with sqlite3.connect(os.path.join(office.state, "journal", "tail.db")) as db:
        db.execute("DELETE FROM kv")
    db.close()
    tall.put_city(city.database, office.office, past)
    broker.stop()
    broker.start()
    office.configure(programs.ticker(TICKS, group=7, pause="5ms") + ECHO, city, broker)
    return office


def check_rows(city, past):
    """Every event from the past's size on, once, each as its own words have it; how many."""
    rows = city.rows("SELECT seq, lane, prev, body FROM event ORDER BY seq")
    assert [row[0] for row in rows] == list(range(past.size, past.size + len(rows)))
    before = dict(past.marks)
    for seq, lane, prev, body in rows:
        event = json.loads(body)
        assert event["sequence"] == f"{seq:016d}" and event["id"].endswith(f"/{seq}")
        assert prev == before[lane], f"event {seq}"
        before[lane] = seq
    return past.size + len(rows), before


def check_echoes(city):
    ticks = {int(event["sequence"]) for event in city.events("ticker.*")}
    echoes = city.events("echo.heard")
    assert {event["data"]["seq"] for event in echoes} == ticks
    for event in echoes:
        data = event["data"]
        assert int(data["text"]) == data["seq"] and data["next"] == data["seq"] + 1


def check_office(office, marks, end):
    status = office.status()
    assert status["events"] == end and status["checkpoint"] <= end
    assert {lane: said["last"] for lane, said in status["lanes"].items()} == marks
    assert {lane: said["synced"] for lane, said in status["lanes"].items()} == marks
    text = office.command("status").stdout
    assert f"journal: {end} events" in text
    assert all(f"last {seq}, at the city {seq}" in text for seq in marks.values())


def check_lists(office, city, past, end):
    done = office.command("events", "--json", "--from", str(past.size))
    listed = [json.loads(line) for line in done.stdout.splitlines()]
    assert [int(event["sequence"]) for event in listed] == list(range(past.size, end))
    done = office.command("events", "--last", "3")
    assert [int(line.split()[0]) for line in done.stdout.splitlines()] == [end - 3, end - 2, end - 1]
    done = town.run(town.OUTPOST_CITY, "events", "--json", "--database", "sqlite:" + city.database)
    seqs = re.findall(r'"log":"[^"]*","seq":(\d+),', done.stdout)
    assert sorted(map(int, seqs)) == list(range(past.size, end))


def check_city(city, past, marks):
    """The city says and stores the same, and has verified beyond the edge."""
    assert dict(city.rows("SELECT lane, seq FROM lane")) == marks
    (size, broken), = city.rows("SELECT size, broken FROM log")
    assert size > past.start + 5 and broken is None
    assert city.rows("SELECT * FROM finding") == []
    done = town.run(town.OUTPOST_CITY, "status", "--json", "--database", "sqlite:" + city.database)
    log = json.loads(done.stdout)["offices"][0]["logs"][0]
    assert log["verified"] == size and log["complete"] == marks
    return size


def asked(office, query):
    """The office's database, as it is at work."""
    db = sqlite3.connect(f"file:{office.state}/journal/tail.db?mode=ro", uri=True, timeout=60)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


def check_receipt(office, marks, size):
    (said,), = asked(office, "SELECT CAST(note AS TEXT) FROM receipt")
    assert dict(re.findall(r"^lane (\w+) (\d+)$", said, re.M)) == {
        lane: str(seq) for lane, seq in marks.items()}
    assert f"\ncheckpoint {size} " in said


def check_wire(heard, past, end):
    """Each batch names the event before it and its last one, in digits."""
    lasts = set()
    for line in heard.lines():
        named = line.get("properties", {}).get("user-properties", {})
        if "prev" not in named:
            continue
        prev, last = int(named["prev"]), int(named["last"])
        assert past.size - 4 < prev < last < end
        lasts.add(last)
        if "content-encoding" not in named:
            batch = [int(event["sequence"]) for event in json.loads(line["payload"])]
            assert batch[0] > prev and batch[-1] == last
    return {seq > past.start + 4 for seq in lasts} == {False, True}


def check_proof(office, tmp_path, seq):
    """A proof across the edge, through 2^53 leaves, read by the other end."""
    proof = office.command("prove", str(seq)).stdout
    assert re.search(rf'"index":{seq},', proof)
    path = tmp_path / "proof.json"
    path.write_text(proof, encoding="utf-8")
    key = os.path.join(office.state, "journal", "key.pub")
    done = town.run(town.OUTPOST, "verify", "--proof", str(path), "--key", key)
    assert f"event {seq} " in done.stdout


def settle(office, city, past, ticks):
    """Waits until all is sealed, at the city and verified; (end, marks)."""
    city.wait_for("echo.heard", ticks, seconds=60)

    def is_settled():
        status = office.status()
        lanes = status["lanes"].values()
        size = city.rows("SELECT size FROM log")[0][0]
        return (all(lane["last"] == lane["synced"] for lane in lanes) and size == status["checkpoint"]
                and status["sealed"] > past.start)
    town.wait_for(is_settled, 90, "the office to be sealed and in step with the city")
    return check_rows(city, past)


def test_a_journal_crosses_the_edges_of_its_numbers_twice(office, city, broker, past, tmp_path, started):
    heard = Heard(tmp_path, broker)
    try:
        started(city)
        office.start()
        end, marks = settle(office, city, past, TICKS)
    finally:
        heard.stop()
    assert past.start + 2 * TICKS < end
    check_echoes(city)
    check_office(office, marks, end)
    check_lists(office, city, past, end)
    size = check_city(city, past, marks)
    check_receipt(office, marks, size)
    assert check_wire(heard, past, end), "batches on both sides of the edge"
    for seq in (past.start, past.start + 5, past.start + 300):
        check_proof(office, tmp_path, seq)
    check_restart(office, city, broker, past, tmp_path)


def check_restart(office, city, broker, past, tmp_path):
    """All of it is still so when both have begun anew."""
    assert office.stop() == 0 and city.stop() == 0
    city.start()
    office.start()
    city.wait_for("box.started", 2, seconds=30)
    heard = Heard(tmp_path, broker)
    end, marks = settle(office, city, past, TICKS)
    heard.stop()
    said = [json.loads(line["payload"]) for line in heard.lines() if line["topic"].endswith("/status")]
    assert past.start + 2 * TICKS < said[-1]["size"] <= end
    assert all(seq > past.start + TICKS for seq in said[-1]["synced"].values())
    check_office(office, marks, end)
    (sealed, heard), = asked(office, "SELECT size, seq FROM sealed, consumer WHERE instance = 'e'")
    assert sealed > past.start and heard > past.start

