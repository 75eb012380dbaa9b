"""An office without a network for long: over its quota it erases telemetry, and says what. When the city is
there again, every alarm and record arrives once, and both ends verify, each knowing what is gone and by
whose order."""
import json
import os
import re
import sys

import pytest
import town

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "faults"))
import programs  # noqa: E402

COUNT = 6400
STORAGE = ('storage { quota = "64MB", reserve = "16MB" }\n'
           'limits { messages = 1000000, bytes = "1024MB" }\n')  # it writes as fast as it can
FLOOD = f'plugin "flood" "f" {{ count = {COUNT}, group = 14, bytes = 16000 }}\n'


@pytest.fixture(params=["never", "at first"])
def office(request, tmp_path, city, broker, started):
    """An office under its quota, offline: it has written all that it will. Its city heard it never, or
    at first."""
    if request.param == "never":
        broker.stop()
    office = town.Office(tmp_path / "office", city, broker, STORAGE + FLOOD)
    office.argv = (programs.private(tmp_path / "programs"), *office.argv[1:])
    started(office)
    if request.param == "at first":
        city.wait_for("flood.reading", 700, seconds=30)
        broker.kill()
    town.wait_for(lambda: os.path.exists(office.state + "/keeper.sock"), 10, "a keeper")
    town.wait_for(lambda: is_quiet(office), 90, "the office to have written and thinned", period=0.5)
    return office


def listed(office, *more):
    return office.command("events", "--json", *more).stdout.splitlines()


def is_quiet(office):
    """All is written, and nothing has been thinned for some seconds."""
    seen = office.__dict__.setdefault("seen", [])
    seen.append(office.status()["events"])
    return seen[-1] > COUNT and seen[-8:] == [seen[-1]] * 8


def erased_by(office):
    """{seq: the event that ordered it}, as the orders themselves say."""
    found = {}
    for line in listed(office, "--type", "journal.thinned"):
        order = json.loads(line)
        for tile in order["data"]["tiles"]:
            bits = f"{int(tile['erased'], 16):0256b}"
            found |= {tile["n"] * 256 + at: int(order["sequence"]) for at in range(256) if bits[at] == "1"}
    return found


def check_verified(office, gone):
    done = office.verify()
    orders = len(set(gone.values()))
    said = re.search(r"(\d+) events erased by (\d+) journal.thinned", done.stdout)
    assert said and said.groups() == (str(len(gone)), str(orders)), done.stdout
    counts = json.loads(office.verify("--json").stdout)
    assert (counts["erased"], counts["erased_by"], counts["lost"]) == (len(gone), orders, 0)


def check_listed(office, gone):
    """What is erased is told, with who ordered it; the rest is there."""
    lines = [json.loads(line) for line in listed(office)]
    runs = [line["erased"] for line in lines if "erased" in line]
    assert {seq: run["by"] for run in runs for seq in range(run["first"], run["last"] + 1)} == gone
    assert {run["lane"] for run in runs} == {"telemetry"}
    assert [int(line["sequence"]) for line in lines if "sequence" in line] == [
        seq for seq in range(office.status()["events"]) if seq not in gone][:len(lines) - len(runs)]
    seq = min(gone)
    done = office.command("prove", str(seq), expect=1)
    assert f"erased, ordered by event {gone[seq]}" in done.stderr
    kept = next(seq for seq in range(min(gone), max(gone)) if seq not in gone)
    office.command("prove", str(kept))


def check_all_there(city):
    """Alarms and records, each once."""
    want = {"flood.alarm": [n for n in range(1, COUNT + 1) if n % 100 == 0],
            "flood.record": [n for n in range(1, COUNT + 1) if n % 16 == 0 and n % 100 != 0]}
    for kind, expected in want.items():
        assert [event["data"]["n"] for event in city.events(kind)] == expected


def test_the_city_gets_all_alarms_and_records_and_knows_what_is_gone(office, city, broker):
    gone = erased_by(office)
    assert len(gone) > 1000
    check_verified(office, gone)
    check_listed(office, gone)
    broker.start()
    town.wait_for(lambda: in_step(office, city), 120, "the city to have and to have verified all", period=0.2)
    check_all_there(city)
    gone = erased_by(office)
    have = {seq for seq, in city.rows("SELECT seq FROM event")}
    never = set(gone) - have
    assert len(never) > 1000
    assert have | never == set(range(max(have) + 1))
    assert office.stop() == 0
    check_verified(office, erased_by(office))
    done = city.verify()
    assert f"{len(never)} events that never came were erased by the office" in done.stdout, done.stdout
    done = town.run(town.OUTPOST_CITY, "status", "--json", "--database", "sqlite:" + city.database)
    log = json.loads(done.stdout)["offices"][0]["logs"][0]
    assert (log["erasures"], log["broken"]) == (len(set(gone.values())), False)
    check_proofs(city, office, have, gone, never)


def check_proofs(city, office, have, gone, never):
    """What is there can be proven, also beside what is gone; what is gone is told by whom."""
    size, = city.rows("SELECT size FROM log")[0]
    beside = [seq for seq in sorted(have) if seq < size and (seq + 1 in never or seq - 1 in never)]
    key = office.state + "/journal/key.pub"
    path = city.folder + "/proof.json"
    both = sorted(have & set(gone))[-3:]  # came, and was erased later
    for seq in (beside[0], beside[len(beside) // 2], beside[-1], max(s for s in have if s < size), *both):
        done = town.run(town.OUTPOST_CITY, "prove", office.office, str(seq), "--database",
                        "sqlite:" + city.database)
        with open(path, "w", encoding="utf-8") as out:
            out.write(done.stdout)
        town.run(town.OUTPOST, "verify", "--proof", path, "--key", key)
    seq = min(never)
    done = town.run(town.OUTPOST_CITY, "prove", office.office, str(seq), "--database",
                    "sqlite:" + city.database, expect=1)
    assert f"erased by the office, ordered by event {gone[seq]}" in done.stderr


def in_step(office, city):
    status = office.status()
    rows = city.rows("SELECT size FROM log")
    return (rows and rows[0][0] == status["checkpoint"] == status["events"]
            and all(lane["last"] == lane["synced"] for lane in status["lanes"].values()))
