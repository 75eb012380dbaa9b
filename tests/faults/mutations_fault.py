"""A journal folder is changed at random, a thousand times: `outpost verify` must find each and name
the place. Every byte of the folder counts, but for the room that is kept beside tail.db.

The journal is made by the real keeper: sealed tiles, a tail, checkpoints, a receipt of the city; and an
older copy of the same folder. MUTATIONS says how many, SEED repeats a run.
"""
import contextlib
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess

import pytest
import scribe
import town

COUNT = int(os.environ.get("MUTATIONS", "1000"))


class Folder:
    """A copy of the journal that one mutation works on."""

    def __init__(self, path, older, rng):
        self.path, self.older, self.rng = path, older, rng

    def files(self):
        """All but tail.db-reserve: that is room on the disk, whatever its bytes are."""
        found = []
        for folder, _, names in os.walk(self.path):
            found += [os.path.join(folder, name) for name in names if name != "tail.db-reserve"]
        return sorted(found)

    def pick(self, but=()):
        return self.rng.choice([path for path in self.files() if path not in but])

    def name(self, path):
        return os.path.relpath(path, self.path)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def put(path, old, new):
    """Writes it, unless nothing changes: then the mutation was none."""
    if new == old:
        return False
    with open(path, "wb") as file:
        file.write(new)
    return True


def flip_bit(it):
    path = it.pick()
    old = read(path)
    at, bit = it.rng.randrange(len(old)), 1 << it.rng.randrange(8)
    return f"{it.name(path)} byte {at}", put(path, old, old[:at] + bytes([old[at] ^ bit]) + old[at + 1:])


def delete(it):
    path = it.pick()
    os.remove(path)
    return it.name(path), True


def swap(it):
    one = it.pick()
    two = it.pick(but=(one,))
    old, new = read(one), read(two)
    return f"{it.name(one)} and {it.name(two)}", put(one, old, new) and put(two, new, old)


def truncate(it):
    path = it.pick()
    old = read(path)
    length = it.rng.randrange(len(old))
    return f"{it.name(path)} to {length} bytes", put(path, old, old[:length])


def splice(it):
    path, other = it.pick(), it.pick()
    old, source = read(path), read(other)
    length = it.rng.randrange(1, 200)
    start, at = it.rng.randrange(len(source)), it.rng.randrange(len(old))
    piece = source[start:start + length]
    over = it.rng.choice([0, len(piece)])
    return (f"{len(piece)} bytes of {it.name(other)} into {it.name(path)} at {at}, over {over}",
            put(path, old, old[:at] + piece + old[at + over:]))


def append(it):
    path = it.pick()
    old = read(path)
    more = it.rng.choice([b"\n", b"\0", it.rng.randbytes(it.rng.randrange(1, 300))])
    return f"{len(more)} bytes to {it.name(path)}", put(path, old, old + more)


def repeat_line(it):
    """A line of a note once more, where it is or at the end."""
    path = os.path.join(it.path, it.rng.choice(["checkpoint", "receipt", "closed", "key.pub"]))
    old = read(path)
    lines = old.splitlines(keepends=True)
    line = it.rng.choice(lines)
    lines.insert(it.rng.choice([lines.index(line), len(lines)]), line)
    return it.name(path), put(path, old, b"".join(lines))


def add_file(it):
    path = os.path.join(os.path.dirname(it.pick()), it.rng.choice(["300", "x001", "notes.txt", "tail.db-wal"]))
    if os.path.exists(path):
        return "", False
    return it.name(path), put(path, None, it.rng.randbytes(it.rng.randrange(1, 9000)))


def older_folder(it):
    """All is put back to an older day; only the city's newest word stays."""
    receipt = read(os.path.join(it.path, "receipt"))
    shutil.rmtree(it.path)
    shutil.copytree(it.older, it.path)
    path = os.path.join(it.path, "receipt")
    return "with the newer receipt", put(path, read(path), receipt)


def older_file(it):
    path = it.pick()
    older = os.path.join(it.older, it.name(path))
    if not os.path.exists(older):
        return "", False
    return it.name(path), put(path, read(path), read(older))


@contextlib.contextmanager
def opened(it):
    """tail.db to be edited, as its owner would: with and without the trace of a good end."""
    db = sqlite3.connect(os.path.join(it.path, "tail.db"), isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    if it.rng.random() < 0.5:
        db.execute("UPDATE log SET closed = 0")
        os.remove(os.path.join(it.path, "closed"))
    yield db
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def edit_row(it):
    with opened(it) as db:
        seq, body = it.rng.choice(db.execute("SELECT seq, body FROM event").fetchall())
        at = it.rng.randrange(len(body))
        new = body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]
        db.execute("UPDATE event SET body = ?, leaf = ? WHERE seq = ?", (new, scribe.leaf(new), seq))
    return f"event {seq} with its leaf", True


def swap_rows(it):
    with opened(it) as db:
        rows = db.execute("SELECT seq, lane, body, leaf FROM event").fetchall()
        one, two = it.rng.sample(rows, 2)
        for at, row in ((one[0], two), (two[0], one)):
            db.execute("UPDATE event SET lane = ?, body = ?, leaf = ? WHERE seq = ?", (*row[1:], at))
    return f"events {one[0]} and {two[0]}", True


def delete_newest(it):
    with opened(it) as db:
        count, = db.execute("SELECT count(*) FROM event").fetchone()
        few = it.rng.randrange(1, count)
        db.execute("DELETE FROM event WHERE seq IN (SELECT seq FROM event ORDER BY seq DESC LIMIT ?)", (few,))
    return f"{few} of {count}", True


def edit_tile(it):
    """What tail.db knows of a sealed tile: its bundle's digest or its lanes."""
    with opened(it) as db:
        n, lanes = it.rng.choice(db.execute("SELECT n, lanes FROM tile").fetchall())
        if it.rng.random() < 0.5:
            db.execute("UPDATE tile SET digest = randomblob(32) WHERE n = ?", (n,))
        else:
            at = it.rng.randrange(len(lanes))
            lanes = lanes[:at] + bytes([(lanes[at] + 1) % 3]) + lanes[at + 1:]
            counts = [lanes.count(lane) for lane in range(3)]
            db.execute("UPDATE tile SET lanes = ?, alarms = ?, records = ?, telemetry = ? WHERE n = ?",
                       (lanes, *counts, n))
    return f"tile {n}", True


def edit_erased(it):
    """What is erased is called there, or the other way round."""
    with opened(it) as db:
        n, lanes = it.rng.choice(db.execute("SELECT n, lanes FROM tile").fetchall())
        at = it.rng.randrange(len(lanes))
        lanes = lanes[:at] + bytes([lanes[at] ^ 128]) + lanes[at + 1:]
        counts = [lanes.count(lane) for lane in range(3)]
        db.execute("UPDATE tile SET lanes = ?, alarms = ?, records = ?, telemetry = ? WHERE n = ?",
                   (lanes, *counts, n))
    return f"tile {n}, event {n * 256 + at}", True


def entries_of(path):
    """The events of a bundle."""
    plain = subprocess.run(["zstd", "-dqc", path], check=True, stdout=subprocess.PIPE).stdout
    found, at = [], 0
    while at < len(plain):
        length = int.from_bytes(plain[at:at + 2], "big")
        found.append(plain[at + 2:at + 2 + length])
        at += 2 + length
    return found


def empty_entry(it):
    """As a keeper would erase, with the bundle's digest in tail.db, but without an event that says so."""
    with opened(it) as db:
        n, lanes = it.rng.choice(db.execute("SELECT n, lanes FROM tile WHERE alarms + records > 0").fetchall())
        at = it.rng.choice([at for at in range(256) if lanes[at] < 128])
        path = os.path.join(it.path, "tile", "entries", f"{n:03d}")
        entries = entries_of(path)
        entries[at] = b""
        with open(path + ".plain", "wb") as file:
            file.write(b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries))
        subprocess.run(["zstd", "-q", "-f", "--rm", path + ".plain", "-o", path], check=True)
        lanes = lanes[:at] + bytes([lanes[at] | it.rng.choice([0, 128])]) + lanes[at + 1:]
        counts = [lanes.count(lane) for lane in range(3)]
        db.execute("UPDATE tile SET digest = ?, lanes = ?, alarms = ?, records = ?, telemetry = ? WHERE n = ?",
                   (hashlib.sha256(read(path)).digest(), lanes, *counts, n))
    return f"event {n * 256 + at}", True


def edit_mark(it):
    with opened(it) as db:
        lane, = it.rng.choice(db.execute("SELECT lane FROM link").fetchall())
        db.execute("UPDATE link SET acked = acked + ? WHERE lane = ?", (it.rng.choice([-1, 1, 1 << 40]), lane))
    return f"lane {lane}", True


# Weights: most mutations are those that disks and hands make.
KINDS = {flip_bit: 30, delete: 8, swap: 8, truncate: 8, splice: 14, append: 7, repeat_line: 4,
         add_file: 3, older_folder: 1, older_file: 4, edit_row: 6, swap_rows: 4, delete_newest: 3,
         edit_tile: 3, edit_mark: 2, edit_erased: 3, empty_entry: 3}


def has_leftovers(journal):
    """Whether bundles lie there that count for nothing yet: the end came while they were made."""
    database = sqlite3.connect(f"file:{journal}/tail.db?immutable=1", uri=True)
    with contextlib.closing(database):
        tiles = {f"{n:03}" for n, in database.execute("SELECT n FROM tile")}
    return not {name for name in os.listdir(os.path.join(journal, "tile", "entries")) if "." not in name} <= tiles


def settled(journal, **how):
    """Ends well again and again, later and later, until nothing is left over."""
    for turn in range(20):
        if not has_leftovers(journal):
            return journal
        scribe.write(os.path.dirname(journal), 1, rest=turn * 0.2, **how)
    raise AssertionError("bundles are left over each time")


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """(newer journal, older one, the office's key, the city's key)."""
    folder = tmp_path_factory.mktemp("journal")
    city = str(folder / "city")
    town.run(town.OUTPOST, "keygen", "--out", city, "--name", "outpost-city/city")
    now = scribe.write(folder / "state", 1500, city=city)
    older = shutil.copytree(now, folder / "older")
    settled(scribe.write(folder / "state", 2600, city=city), city=city)
    key = shutil.copy(os.path.join(now, "key.pub"), folder / "office.pub")
    return now, str(older), str(key), city + ".pub"


@pytest.fixture(scope="module")
def thinned(tmp_path_factory):
    """The same of a journal that has been over its quota."""
    folder = tmp_path_factory.mktemp("thinned")
    city = str(folder / "city")
    storage = {"quota": 64 << 20, "reserve": 16 << 20, "keep": {"telemetry": 0}}
    town.run(town.OUTPOST, "keygen", "--out", city, "--name", "outpost-city/city")
    now = scribe.write(folder / "state", 4600, city=city, noise=24000, storage=storage)
    older = shutil.copytree(now, folder / "older")
    scribe.write(folder / "state", 3600, city=city, noise=24000, storage=storage)
    now = settled(scribe.write(folder / "state", 300, city=city, storage=storage), city=city,
                  storage=storage)
    counts = json.loads(town.run(town.OUTPOST, "verify", now, "--json").stdout)
    assert counts["erased"] > 500, counts
    key = shutil.copy(os.path.join(now, "key.pub"), folder / "office.pub")
    return now, str(older), str(key), city + ".pub"


def verify(folder, *more):
    return subprocess.run([town.OUTPOST, "verify", folder, *more], capture_output=True, text=True,
                          timeout=60 * town.PATIENCE, check=False)


def test_what_nobody_touched_verifies(journal):
    now, older, key, city = journal
    for folder in (now, older):
        done = verify(folder, "--key", key, "--city-key", city)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_journal_at_work_and_cut_off_verifies(tmp_path):
    """No moment of a keeper under load looks like damage, nor does its death."""
    state = tmp_path / "state"
    keeper = scribe.start(state, 1 << 20, str(tmp_path))
    try:
        town.wait_for(lambda: os.path.exists(state / "journal" / "checkpoint"), 20, "a checkpoint")
        for _ in range(50):
            town.run(town.OUTPOST, "verify", "--state", str(state))
            town.run(town.OUTPOST, "prove", "0", "--state", str(state))
    finally:
        keeper.kill()
        keeper.communicate(timeout=60)
    town.run(town.OUTPOST, "verify", "--state", str(state))


def test_a_newer_receipt_betrays_an_older_folder(journal):
    now, older, key, city = journal
    done = verify(older, "--key", key, "--city-key", city, "--receipt", os.path.join(now, "receipt"))
    assert done.returncode == 1 and "BAD event 15" in done.stdout, done.stdout


def test_events_names_an_unreadable_bundle_and_goes_on_behind_it(journal, tmp_path):
    now, *_ = journal
    copy = shutil.copytree(now, tmp_path / "copy")
    bundle = os.path.join(copy, "tile", "entries", "002")
    put(bundle, read(bundle), b"rubbish")
    done = town.run(town.OUTPOST, "events", "--state", str(copy), expect=1)
    assert done.stderr.count("events 512..767 (tile/entries/002) cannot be read") == 1, done.stderr
    listed = [int(line.split()[0]) for line in done.stdout.splitlines()]
    whole = town.run(town.OUTPOST, "events", "--state", now).stdout.splitlines()
    assert listed == [seq for seq in range(len(whole)) if seq // 256 != 2]


@pytest.mark.parametrize("count", [
    pytest.param(100, id="100"),
    pytest.param(COUNT, id="all", marks=pytest.mark.slow),
])
def test_every_mutation_is_found_and_named(journal, tmp_path, seed, count):
    mutate(journal, tmp_path, seed, count)


@pytest.mark.parametrize("count", [
    pytest.param(30, id="30"),
    pytest.param(COUNT // 8, id="all", marks=pytest.mark.slow),
])
def test_every_mutation_of_a_thinned_journal_is_found_and_named(thinned, tmp_path, seed, count):
    mutate(thinned, tmp_path, seed, count)


def mutate(journal, tmp_path, seed, count):
    now, older, key, city = journal
    rng = random.Random(seed)
    found = {}
    for number in range(count):
        path = str(tmp_path / "mutant")
        changed = False
        while not changed:
            shutil.rmtree(path, ignore_errors=True)
            shutil.copytree(now, path)
            kind, = rng.choices(list(KINDS), KINDS.values())
            what, changed = kind(Folder(path, older, rng))
        trust = rng.choice([[], ["--key", key], ["--key", key, "--city-key", city]])
        done = verify(path, *trust)
        said = done.stdout + done.stderr
        assert done.returncode == 1 and said.startswith("verify: BAD "), \
            f"mutation {number} of seed {seed}: {kind.__name__} {what}: {done.returncode}: {said}"
        found[kind.__name__] = found.get(kind.__name__, 0) + 1
    print(f"{count} mutations, all found: {found}")
