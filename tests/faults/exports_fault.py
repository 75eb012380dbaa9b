"""An export of evidence is changed at random, a thousand times: the checker that it brings along must find each and
name the place. Every file of the folder counts, its name too; the checker itself is taken from elsewhere, as the
page tells people to. And what is stored is changed, under a keeper at work and one that is stopped: nobody is given it
for what it was.

The export is made by the real programs, of a clip from a dock, in an office with some history. MUTATIONS says how many,
SEED repeats a run.
"""
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import tempfile

import pytest

import stranger
import town
from custody_story import Archive, ROOT

COUNT = int(os.environ.get("MUTATIONS", "1000"))
OTHERS = 300  # other events, into a second tile


def put(path, old, new):
    """Writes it, unless nothing changes: then the mutation was none."""
    if new == old:
        return False
    path.write_bytes(new)
    return True


# Each returns whom the checker must name, by a part of its line, or "" when it was no mutation. Where two files
# were changed it is "one|two", and one of them is enough: without a key no proof can be looked at.

def flip_bit(it, rng):
    name = rng.choice(it.names())
    old = it.path(name).read_bytes()
    at, bit = rng.randrange(len(old)), 1 << rng.randrange(8)
    return name if put(it.path(name), old, old[:at] + bytes([old[at] ^ bit]) + old[at + 1:]) else ""


def delete(it, rng):
    name = rng.choice(it.names())
    it.path(name).unlink()
    return name


def rename(it, rng):
    name = rng.choice(it.names())
    path = it.path(name)
    path.rename(path.with_name(rng.choice(["x", "4711.json", "check.sh.bak", "1.proof", path.name + " "])))
    return name


def swap(it, rng):
    one, two = rng.sample(it.names(), 2)
    old, new = it.path(one).read_bytes(), it.path(two).read_bytes()
    return f"{one}|{two}" if put(it.path(one), old, new) and put(it.path(two), new, old) else ""


def cut(it, rng):
    name = rng.choice(it.names())
    old = it.path(name).read_bytes()
    return name if put(it.path(name), old, old[:rng.randrange(len(old))]) else ""


def splice(it, rng):
    name, other = rng.choice(it.names()), rng.choice(it.names())
    old, source = it.path(name).read_bytes(), it.path(other).read_bytes()
    start, at = rng.randrange(len(source)), rng.randrange(len(old))
    piece = source[start:start + rng.randrange(1, 200)]
    over = rng.choice([0, len(piece)])
    return name if put(it.path(name), old, old[:at] + piece + old[at + over:]) else ""


def append(it, rng):
    name = rng.choice(it.names())
    more = rng.choice([b"\n", b"\r\n", b"\0", b" ", rng.randbytes(rng.randrange(1, 300))])
    return name if put(it.path(name), b"", it.path(name).read_bytes() + more) else ""


def repeat_line(it, rng):
    name = rng.choice(["SHA256SUMS", "checkpoint", "key.pub", "exported.proof"])
    old = it.path(name).read_bytes()
    lines = old.splitlines(keepends=True)
    line = rng.choice(lines)
    lines.insert(rng.randrange(len(lines) + 1), line)
    return name if put(it.path(name), old, b"".join(lines)) else ""


def drop_event(it, rng):
    """One event of the history less, and its line in the list."""
    event = rng.choice(it.events())
    for path in (event, event.with_suffix(".proof")):
        path.unlink()
    sums = it.path("SHA256SUMS")
    sums.write_bytes(b"".join(line for line in sums.read_bytes().splitlines(keepends=True)
                              if f"events/{event.name}".encode() not in line))
    return "SHA256SUMS"


def tell_otherwise(it, rng):
    """An event says something else, and the list agrees with it."""
    event = rng.choice([*it.events(), it.path("exported.json")])
    told = json.loads(event.read_bytes())
    field = rng.choice(["time", "sequence", "type", "office"])
    event.write_bytes(event.read_bytes().replace(told[field].encode(), told[field][:-1].encode() + b"7", 1))
    if told[field].endswith("7"):
        return ""
    return str(event.relative_to(it.folder))


def add_file(it, rng):
    name = rng.choice(["more.txt", "events/4711.json", "file/other.mp4", ".hidden", "events/x/y", "a b\nc"])
    it.path(name).parent.mkdir(exist_ok=True)
    it.path(name).write_bytes(rng.randbytes(rng.randrange(0, 900)))
    return name.split("\n", maxsplit=1)[0]


def link(it, rng):
    """The same bytes, but they lie elsewhere: they may be others tomorrow."""
    name = rng.choice(it.names())
    elsewhere = it.folder.parent / "elsewhere"
    shutil.copy(it.path(name), elsewhere)
    it.path(name).unlink()
    it.path(name).symlink_to(elsewhere)
    return name


MUTATIONS = [flip_bit, flip_bit, delete, rename, swap, cut, splice, append, repeat_line, drop_event, tell_otherwise,
             add_file, link]


@pytest.fixture
def home():
    with tempfile.TemporaryDirectory(prefix="exports-") as folder:
        os.chmod(folder, 0o777)
        yield pathlib.Path(folder)


# ---- An office with a dock

CLIP = "330106_012345_T1A0001_20260411083015_0001.MP4"
SUITES = ["sha256+ed25519", "sm3+sm2"]


class Docked(Archive):
    """Its evidence comes from a dock, and what else there is from a plugin that stores what it is told to."""

    def __init__(self, home, suite):
        super().__init__(home)
        shutil.copytree(os.path.join(town.ROOT, "plugins", "bodycam-dock"),
                        home / "installed" / "share" / "outpost" / "plugins" / "bodycam-dock")
        self.dock = home / "dock"
        self.dock.mkdir()
        with open(self.config, "r+", encoding="utf-8") as file:
            text = file.read().replace(" }", f', suite = "{suite}" }}', 1)
            file.seek(0)
            file.write(f'{text}plugin "bodycam-dock" "dock" {{ url = "{self.dock}", poll = "1s", settle = "2s" }}\n')

    def take(self, *sizes):
        """What evidence.recorded says of a clip of each size."""
        for nth, size in enumerate(sizes):
            (self.dock / f"{nth}{CLIP}").write_bytes(random.Random(nth).randbytes(size))
        town.wait_for(lambda: len(self.told("evidence.recorded")) == len(sizes), 60,
                      f"{len(sizes)} clips; {self.text()[-2000:]}")
        return [event["data"] for event in self.told("evidence.recorded")]


@pytest.fixture
def docked(home, started):
    return started(Docked(home, SUITES[0])).begin()


@pytest.fixture
def export(home, started, request):
    suite, others = request.param
    docked = started(Docked(home, suite)).begin()
    (clip,) = docked.take(9000)
    for nth in range(others):
        docked.store(text=f"another {nth}", **{"class": "picture"})
    docked.evidence("mark", clip["sha256"], "case", "--reason", "(2026) 12")
    docked.blob("get", clip["sha256"])
    return docked.export(clip, home / "export")


def accept(export, folder):
    """By ours and by what is not: sha256sum, openssl, Go."""
    export.check(expect=0)
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=export.folder, check=True, timeout=30)
    assert export.path(f"file/0{CLIP}").stat().st_size == 9000
    knows = "suite sm3" not in export.path("checkpoint").read_text(encoding="utf-8")  # Go does not
    if knows and not stranger.NEEDED.args[0]:
        assert town.run(stranger.build(folder), "export", str(export.folder)).stdout.count("ok event") == len(export.events()) + 1


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
@pytest.mark.parametrize("export, count", [
    *(((suite, 9), 20) for suite in SUITES),
    *(pytest.param((suite, OTHERS), COUNT, marks=pytest.mark.slow) for suite in SUITES)], indirect=["export"])
def test_every_mutation_is_found_and_named(export, seed, count, tmp_path):
    rng = random.Random(seed)
    accept(export, tmp_path)
    done = 0
    while done < count:
        mutate = rng.choice(MUTATIONS)
        with export.changed() as copy:
            name = mutate(copy, rng)
            if not name:
                continue
            said = copy.check()
            done += 1
            what = f"SEED={seed}, mutation {done}: {mutate.__name__} of {name}: exit {copy.code}\n{said}"
            named = [line for line in said.splitlines() if "BAD" in line]
            assert copy.code == 1 and named, what
            places = [place for part in name.split("|") for place in (part, part.replace(".proof", ".json"))]
            assert any(place in line for place in places for line in named), what
    export.check(expect=0)


# ---- What is stored, under a keeper at work. Each returns whether it was a change.

def stored_bit(path, _, rng):
    old = path.read_bytes()
    at = rng.choice([rng.randrange(48), rng.randrange(len(old))])
    return put(path, old, old[:at] + bytes([old[at] ^ 1 << rng.randrange(8)]) + old[at + 1:])


def stored_cut(path, _, rng):
    old = path.read_bytes()
    return put(path, old, old[:rng.choice([0, rng.randrange(48), len(old) - 1, rng.randrange(len(old))])])


def stored_more(path, _, rng):
    old = path.read_bytes()
    return put(path, old, old + rng.randbytes(rng.choice([1, 16, 17, 65552])))


def stored_chunks(path, _, rng):
    """Two chunks change places, or one comes twice, or one is gone."""
    old, whole = path.read_bytes(), 65536 + 16
    chunks = [old[at:at + whole] for at in range(48, len(old), whole)]
    one, two = rng.randrange(len(chunks)), rng.randrange(len(chunks))
    again = rng.choice([chunks[one], b""])
    chunks[one], chunks[two] = rng.choice([(chunks[two], chunks[one]), (again, chunks[two])])
    return put(path, old, old[:48] + b"".join(chunks))


def stored_other(path, other, _):
    return put(path, path.read_bytes(), other.read_bytes())


def stored_head(path, other, _):
    old = path.read_bytes()
    return put(path, old, other.read_bytes()[:48] + old[48:])


def stored_gone(path, *_):
    path.unlink()
    return True


def stored_renamed(path, _, rng):
    path.rename(path.with_name(rng.choice(["x" + path.name, path.name[:-1] + "g", path.name.upper() + "0"])))
    return True


def stored_link(path, other, _):
    path.unlink()
    path.symlink_to(other)
    return True


def stored_folder(path, *_):
    path.unlink()
    path.mkdir()
    return True


STORED = [stored_bit, stored_bit, stored_cut, stored_more, stored_chunks, stored_other, stored_head, stored_gone,
          stored_renamed, stored_link, stored_folder]


def clear(folder):
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
@pytest.mark.parametrize("count", [40, pytest.param(COUNT, marks=pytest.mark.slow)])
def test_a_stored_file_that_was_changed_is_given_to_nobody(docked, home, seed, count):
    rng = random.Random(seed)
    sums = [clip["sha256"] for clip in docked.take(1000, 65536, 65536, 200000, 300001)]
    places = [pathlib.Path(docked.state) / "blobs" / digits[:2] / digits[2:] for digits in sums]
    whole = [path.read_bytes() for path in places]
    done = 0
    while done < count:
        at, other = rng.sample(range(len(sums)), 2)
        mutate = rng.choice(STORED)
        if mutate(places[at], places[other], rng):
            done += 1
            what = f"SEED={seed}, mutation {done}: {mutate.__name__} of {sums[at]}"
            if rng.randrange(4):
                assert docked.blob("get", sums[at], expect=1)[1], what
            else:
                docked.evidence("export", sums[at], str(home / "no"), "--reason", what, expect=1)
                assert not (home / "no").exists() and not (home / "no.part").exists(), what
            docked.verify(expect=int(not os.path.lexists(places[at])))
        clear(places[at].parent)
        places[at].write_bytes(whole[at])
    for digits in sums:
        docked.blob("get", digits)
    docked.verify()


# ---- The rows of what is stored, of a keeper that is stopped

ROWS = {
    "another hash": "UPDATE blob SET digest = randomblob(32) WHERE digest = ?",
    "another SM3": "UPDATE blob SET sm3 = randomblob(32) WHERE digest = ?",
    "another size": "UPDATE blob SET size = size + abs(random() % 9) + 1 WHERE digest = ?",
    "less worth": "UPDATE blob SET class = abs(random() % 3) WHERE digest = ?",
    "a shorter time": "UPDATE blob SET keep = 1, until = abs(random() % 1700000000000000) WHERE digest = ?",
    "no release": "UPDATE blob SET state = 1 WHERE digest = ?",
    "no upload": "UPDATE blob SET uploaded = stored WHERE digest = ?",
    "of no event": "UPDATE blob SET seq = 1000000 WHERE digest = ?",
    "no row": "DELETE FROM blob WHERE digest = ?",
    "another custody": "UPDATE kv SET value = randomblob(8) WHERE key = 'custody/' || lower(hex(?))",
    "no custody": "DELETE FROM kv WHERE key = 'custody/' || lower(hex(?))",
}


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
def test_a_row_that_was_changed_is_named(docked, home):
    """Nothing signs the table, but the events say what must be in it."""
    sums = [clip["sha256"] for clip in docked.take(1000, 70000)]
    docked.evidence("mark", sums[0], "case", "--reason", "(2026) 12")
    docked.evidence("mark", sums[1], "important", "--keep", "900d", "--reason", "a complaint")
    assert docked.stop() == 0
    docked.verify()
    for what, sql in ROWS.items():
        for digits in sums:
            with tempfile.TemporaryDirectory(dir=home) as copy:
                shutil.copytree(docked.state, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
                database = sqlite3.connect(os.path.join(copy, "journal", "tail.db"), isolation_level=None)
                assert database.execute(sql, (bytes.fromhex(digits),)).rowcount == 1, what
                database.close()
                said = town.run(town.OUTPOST, "verify", copy, expect=1).stdout
            place = "BAD blobs/" if what == "another hash" else f"BAD tail.db: table {'kv' if 'kv' in sql else 'blob'}"
            assert place in said and (digits in said or what == "another hash"), f"{what}: {said}"
