"""Random bytes of a state folder are changed, of an office that stopped and of one that was killed: the
keeper must start again, commit a new alarm, read back everything that is left and hand it on, and no
event may ever come out other than it was committed. FLIPS says how many, SEED repeats a run.

And a page of tail.db that cannot be read for good (bad_sector.c): the same.
"""
import json
import os
import random
import shutil
import signal

import pytest
import scribe
import town

HERE = os.path.dirname(os.path.abspath(__file__))
COUNT = int(os.environ.get("FLIPS", "300"))
EVENTS, UNTOLD = 1500, 90  # sealed and known to the city, and behind them


def listed(state):
    """What is in the journal of the folder: {(log, seq): event}; what cannot be read is not there."""
    said = town.run(town.OUTPOST, "events", "--json", "--state", str(state), expect=None)
    events = [json.loads(line) for line in said.stdout.splitlines() if line.startswith("{")]
    return {(event["log"], int(event["sequence"])): event for event in events if "log" in event}


@pytest.fixture(scope="module")
def offices(tmp_path_factory):
    """({how: state folder}, the city's key, {how: its events})."""
    folder = tmp_path_factory.mktemp("flips")
    city = str(folder / "city")
    town.run(town.OUTPOST, "keygen", "--out", city, "--name", "outpost-city/city")
    scribe.write(folder / "told", EVENTS, city=city)
    states = {}
    for how, end in (("stopped", signal.SIGTERM), ("killed", signal.SIGKILL)):
        states[how] = str(folder / how)
        shutil.copytree(folder / "told", states[how])
        scribe.write(states[how], UNTOLD, end=end)
    return states, city, {how: listed(state) for how, state in states.items()}


def copy_of(state, folder):
    path = str(folder / "state")
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(state, path, ignore=lambda _, names: {"keeper.sock"} & set(names))
    return path


def flip(state, rng):
    """One to three bytes of a file, a page of it, or its end; what was done."""
    files = sorted(os.path.join(at, name) for at, _, names in os.walk(state) for name in names)
    files = [file for file in files if os.path.getsize(file) > 0]
    stores = [file for file in files if "tail.db" in file]  # where most of what can change is
    path = rng.choice(rng.choice([files, stores]))
    with open(path, "rb") as file:
        old = bytearray(file.read())
    kind = rng.choice(["bytes", "bytes", "bytes", "bytes", "page", "end"])
    at = rng.randrange(len(old))
    if kind == "bytes":
        for _ in range(rng.randrange(1, 4)):
            old[rng.randrange(at, min(len(old), at + 64))] ^= 1 << rng.randrange(8)
    elif kind == "page":
        at -= at % 4096
        old[at:at + 4096] = rng.randbytes(len(old[at:at + 4096]))
    else:
        del old[at:]
    with open(path, "wb") as file:
        file.write(old)
    return f"{os.path.relpath(path, state)} {kind} at {at}"


def signed_size(state):
    with open(os.path.join(state, "journal", "checkpoint"), encoding="utf-8") as file:
        return int(file.read().splitlines()[1])


def expect_true(state, committed, what, signed=1 << 53):
    """Each event that is there is the one that was committed, also in its wrapping. From `signed` on
    nothing but the end of tail.db-wal tells that there was any."""
    found, wrapped = listed(state), set()
    for which, event in found.items():
        if event["type"] == "journal.salvaged":
            inner = event["data"]["log"], event["data"]["seq"]
            assert inner not in wrapped, f"{what}: {inner} came twice"
            wrapped.add(inner)
            if "event" in event["data"]:
                assert event["data"]["event"] == committed[inner], f"{what}: {inner} was changed"
        elif which in committed and which[1] < signed:
            assert event == committed[which], f"{what}: {which} was changed"
    alarms = [event for which, event in found.items()  # it may have the number of one that is gone
              if event != committed.get(which) and event["type"] == "scribe.rang"]
    assert alarms, f"{what}: no new alarm"


def try_one(state, committed, city, what, signed=1 << 53):
    """Starts it, commits a few events, reads everything back, lets the city sign for it."""
    try:
        scribe.write(state, 3, city=city)
    except AssertionError as why:
        raise AssertionError(f"{what}: {why}") from None
    expect_true(state, committed, what, signed)


@pytest.mark.parametrize("count", [
    pytest.param(24, id="24"),
    pytest.param(COUNT // 3, id="third", marks=pytest.mark.slow),
    pytest.param(COUNT, id="all", marks=pytest.mark.long),
])
def test_the_box_starts_whatever_byte_was_changed(offices, tmp_path, seed, count):
    states, city, committed = offices
    rng = random.Random(seed)
    for number in range(count):
        how = rng.choice(sorted(states))
        state = copy_of(states[how], tmp_path)
        what = f"flip {number} of seed {seed}: {how}: {flip(state, rng)}"
        signed = signed_size(states[how]) if "tail.db-wal" in what else 1 << 53
        try_one(state, committed[how], city, what, signed)


def damage_page(path, rng):
    """One of those that the database has; behind them lies only room."""
    with open(path, "r+b") as file:
        pages = int.from_bytes(file.read(32)[28:], "big")
        file.seek(rng.randrange(max(1, pages)) * 4096)
        file.write(rng.randbytes(4096))


def own_events(state):
    """Those of the log that is there now, which the next one may have to save."""
    return {which: event for which, event in listed(state).items() if event["type"] != "journal.salvaged"}


def test_two_damages_in_a_row_bring_nothing_twice(offices, tmp_path, seed):
    states, city, committed = offices
    rng = random.Random(seed)
    state, known = copy_of(states["killed"], tmp_path), dict(committed["killed"])
    for number in range(4):
        damage_page(os.path.join(state, "journal", "tail.db"), rng)
        try_one(state, known, city, f"damage {number} of seed {seed}")
        known.update(own_events(state))


@pytest.fixture(scope="module")
def bad_sector(tmp_path_factory):
    library = str(tmp_path_factory.mktemp("bad") / "bad_sector.so")
    town.run("gcc", "-shared", "-fPIC", "-Wall", "-D_GNU_SOURCE", "-o", library,
             os.path.join(HERE, "bad_sector.c"), "-ldl")
    return library


@pytest.mark.parametrize("name", ["tail.db", "tail.db-wal", "checkpoint", "tile/entries/002",
                                  "tile/0/004"])
def test_a_page_that_cannot_be_read_keeps_no_box_from_starting(offices, tmp_path, bad_sector, name,
                                                               monkeypatch):
    states, city, committed = offices
    state = copy_of(states["killed"], tmp_path)
    path = os.path.join(state, "journal", name)
    monkeypatch.setenv("LD_PRELOAD", bad_sector)
    monkeypatch.setenv("BAD_FILE", path)
    for page in (0, 2):
        if page * 4096 < os.path.getsize(path):
            monkeypatch.setenv("BAD_PAGE", str(page))
            try:
                scribe.write(state, 3, city=city)
            finally:
                monkeypatch.delenv("BAD_PAGE")
            break
    monkeypatch.delenv("LD_PRELOAD")
    if name == "tail.db":
        assert [entry for entry in os.listdir(state) if entry.startswith("journal-damaged-")]
    expect_true(state, committed["killed"], name)
