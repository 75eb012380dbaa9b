"""An export of evidence is changed at random, a thousand times: the checker that it brings along must find each and
name the place. Every file of the folder counts, its name too; the checker itself is taken from elsewhere, as the
page tells people to.

The export is made by the real programs, of an office with some history. MUTATIONS says how many, SEED repeats a run.
"""
import json
import os
import pathlib
import random
import shutil
import tempfile

import pytest

from custody_story import Archive, ROOT

COUNT = int(os.environ.get("MUTATIONS", "1000"))
EVENTS = 300  # into a second tile


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


@pytest.fixture
def export(home, started):
    office = started(Archive(home)).begin()
    blob = office.store(text="a clip", parts=9, **{"class": "ordinary"})
    for nth in range(EVENTS):
        office.store(text=f"another {nth}", **{"class": "picture"})
    office.evidence("mark", blob["sha256"], "case", "--reason", "(2026) 12")
    office.blob("get", blob["sha256"])
    return office.export(blob, home / "export")


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
@pytest.mark.parametrize("count", [40, pytest.param(COUNT, marks=pytest.mark.slow)])
def test_every_mutation_is_found_and_named(export, seed, count):
    rng = random.Random(seed)
    export.check(expect=0)
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
