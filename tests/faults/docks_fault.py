"""Clips on three docks (FTP, HTTP, a folder) go into an office and on to the city, while hosts, keeper, courier, docks,
upload server and city are killed, and the lines to the docks and to the upload server are cut or silent. In the end
each clip is at the city once and whole, with one event that it was recorded and one that it was uploaded, also those
that came on two docks at once. A witness looks all the time at what can be seen: nothing is ever there by half.
"""
import json
import os
import random
import shutil
import signal
import tempfile
import threading
import time

import pytest

import courier_story
import dispatch
import evidence_story
import town
import uploads
import wharf

MISSING = uploads.why_not()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
MB = 1000 * 1000
PROGRAMS = ["host", "keeper", "courier", "ftp", "web", "server", "host", "city"]
LINES = ["ftp", "web", "disk", "city"]


class World(evidence_story.World):
    """A city, three docks, and the lines to them."""

    def __init__(self, folder, started, closing):
        super().__init__(folder, started)
        self.docks = {"ftp": started(wharf.Ftp(folder, courier_story.Relay)),
                      "web": started(wharf.Web(folder, courier_story.Relay)), "disk": wharf.Disk(folder)}
        self.lines = {name: dock.relays for name, dock in self.docks.items()}
        self.lines["city"] = [courier_story.Relay(self.server.port)]
        for relay in sum(self.lines.values(), []):
            closing(relay)
        self.programs = {"server": self.server, "city": self.city, "ftp": self.docks["ftp"], "web": self.docks["web"]}


class Office(town.Office):
    def __init__(self, folder, world, hours):
        own = world.authority.pair("offices/" + town.OFFICE_ID, "bulk")
        files = ", ".join(f'{name} = "{path}"' for name, path in own.items())
        url = world.server.url.replace(str(world.server.port), str(world.lines["city"][0].port))
        docks = "".join(f'plugin "bodycam-dock" "{name}" {{ {dock.settings}, poll = "1s", settle = "2s", '
                        'timeout = "10s" }\n' for name, dock in world.docks.items())
        super().__init__(folder, world.city, world.broker, 'storage { blobs = { quota = "16GB" } }\n' + docks
                         + f'courier {{ url = "{url}", select = {{ "ordinary", "important" }}, {files}, '
                         f'hours = {{ "{hours}" }} }}\n')
        world.programs["keeper"] = self

    def wait_for(self, name, seconds=60):
        """The children of that name, as soon as there are some."""
        try:
            return town.wait_for(lambda: self.children().get(name), seconds, f"a {name}")
        except (AssertionError, OSError) as why:
            raise AssertionError(f"{why}; {self.process.poll()}; {self.text()[-3000:]}") from None

    def told(self, kind):
        done = self.command("events", "--json", "--type", kind, expect=None)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def blobs(self):
        """Rows that anybody may see; none while the keeper is away."""
        done = self.command("blob", "list", "--json", expect=None)
        return [json.loads(line) for line in done.stdout.splitlines() if line.endswith("}")]

    def files(self):
        """Digests of the files under blobs/, as they lie there."""
        root = os.path.join(self.state, "blobs")
        found = [os.path.relpath(os.path.join(folder, name), root).replace("/", "")
                 for folder, _, names in os.walk(root) for name in names]
        return sorted(found)


class Clips(threading.Thread):
    """Lays clips on the docks, one after another, the same for the same seed; some on two docks."""

    def __init__(self, world, folder, seed, sizes, seconds):
        super().__init__(daemon=True)
        self.world, self.folder, self.seed, self.pause = world, folder, seed, seconds / len(sizes)
        self.clips = [wharf.Clip(n, size, n % 3 == 0) for n, size in enumerate(sizes)]
        self.total = sum(sizes)

    def run(self):
        docks = list(self.world.docks.values())
        for clip in self.clips:
            made = clip.make(self.seed, self.folder)
            for n in range(2 if clip in self.twins() else 1):
                town.wait_for(lambda root=docks[(clip.number + n) % 3].root: clip.lay(made, root), 60, "the disk")
            os.unlink(made)
            time.sleep(self.pause)

    def twins(self):
        return [clip for clip in self.clips if clip.number % 5 == 1]

    def expected(self):
        return {clip.sha256: clip for clip in self.clips if clip.sha256}


class Witness(threading.Thread):
    """Looks at all that anybody could see, and notes what should not be."""

    def __init__(self, world, office, clips):
        super().__init__(daemon=True)
        self.world, self.office, self.clips = world, office, clips
        self.kept, self.bad, self.looks, self.over = {}, set(), 0, False

    def run(self):
        while not self.over:
            try:
                self.look()
            except Exception as why:  # pylint: disable=broad-except  # whatever it is, the test has to say it
                self.bad.add(repr(why))
            time.sleep(0.3)

    def look(self):
        at_city, rows, receipts = self.evidence(), self.office.blobs(), self.receipts()
        sizes = {clip.sha256: clip.size for clip in self.clips.clips}
        for row in rows:
            if sizes.get(row["sha256"]) != row["size"]:
                self.bad.add(f"outpost blob list: {row}")
        for name, path in at_city.items():
            if name not in self.kept:
                self.kept[name] = dispatch.digests(path)
                if self.kept[name][0] != name or sizes.get(name) != os.path.getsize(path):
                    self.bad.add(f"{path} is not what its name says")
        for name in receipts - set(self.evidence()):
            self.bad.add(f"a receipt without its file: {name}")
        self.looks += 1

    def evidence(self):
        root = self.world.server.path("evidence")
        return {os.path.basename(folder) + name: os.path.join(folder, name)
                for folder, _, names in os.walk(root) for name in names}

    def receipts(self):
        root = self.world.server.path("receipts", town.OFFICE_ID)
        listed = os.listdir(root) if os.path.isdir(root) else []
        return {name for name in listed if len(name) == 64}  # others are being written, and nobody is given them


def kill(world, office, name, chance):
    if name in ("host", "courier"):
        os.kill(chance.choice(office.wait_for(name)), signal.SIGKILL)
        return
    program = world.programs[name]
    program.kill()
    time.sleep(chance.random() * 0.5)
    program.start()


def cut(world, name, chance):
    way = chance.choice(["cut", "silence"])
    for relay in world.lines[name]:
        getattr(relay, way)()
    time.sleep(chance.random() * 1.5)
    for relay in world.lines[name]:
        relay.mend()


def do_faults(world, office, seed, kills, cuts, pause):
    chance = random.Random(seed)
    faults = [(kill, PROGRAMS[n % len(PROGRAMS)]) for n in range(kills)]
    faults += [(cut, LINES[n % len(LINES)]) for n in range(cuts)]
    chance.shuffle(faults)
    for fault, name in faults:
        time.sleep(chance.random() * pause)
        if fault is kill:
            kill(world, office, name, chance)
        else:
            cut(world, name, chance)


def sizes_of(seed, count, most, largest):
    """So many sizes up to `most`, most of them small, and `largest` of the very greatest."""
    chance = random.Random(seed + 1)
    some = [int(MB * (most / MB) ** chance.random()) for _ in range(count - len(largest))]
    some = [max(size, 1) for size in some] + list(largest)
    chance.shuffle(some)
    return some


def check_events(world, office, clips):
    """One of each kind for each clip, at the office and at the city, and no alarm of damage or of one who gave up."""
    expected = clips.expected()
    again = [event["data"]["sha256"] for event in office.told("evidence.again")]
    assert sorted(again) == sorted(clip.sha256 for clip in clips.twins())
    for kind in ("evidence.recorded", "evidence.uploaded"):
        here, there = office.told(kind), world.city.events(kind)
        assert sorted(event["data"]["sha256"] for event in here) == sorted(expected), kind
        assert {event["id"] for event in there} == {event["id"] for event in here}, kind
    for kind in ("evidence.differs", "blob.damaged", "journal.damaged", "plugin.quarantined",
                 "storage.full"):
        assert not office.told(kind), office.told(kind)


def check_bytes(world, office, witness, expected):
    recorded = {event["data"]["sha256"]: event["data"] for event in office.told("evidence.recorded")}
    assert not witness.bad and witness.looks > 0, witness.bad
    assert set(witness.kept) == set(expected) == set(office.files())
    for name, clip in expected.items():
        assert witness.kept[name] == (name, recorded[name]["sm3"])
        assert (recorded[name]["size"], recorded[name]["path"]) == (clip.size, clip.path)
    assert world.city.rows("SELECT count(*) FROM evidence") == [(len(expected),)]
    assert world.server.stored() <= sum(clip.size for clip in expected.values())
    assert not world.server.sent_twice(), world.server.sent_twice()
    assert not os.listdir(world.server.path("refused")) and world.server.partial() == 0


@pytest.fixture
def folder():
    """Its own, because it may hold 16 GB: gone with the test, whatever becomes of that."""
    path = tempfile.mkdtemp(prefix="docks-")
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("count, most, largest, kills, cuts, pause, hours, patience", [
    pytest.param(11, 4 * MB, (), 10, 5, 1.0, "00:00-24:00 80Mbit/s", 60, id="some"),
    pytest.param(200, 160 * MB, (500 * MB,) * 3, 100, 50, 5.0, "00:00-24:00 240Mbit/s", 1800, id="all",
                 marks=pytest.mark.slow)])
def test_each_clip_arrives_once_whoever_is_killed(count, most, largest, kills, cuts, pause, hours, patience, folder,
                                                   started, closing, seed):
    begun = time.monotonic()
    world = World(folder, started, closing)
    clips = Clips(world, folder, seed, sizes_of(seed, count, most, largest), pause * (kills + cuts) / 2)
    office = started(Office(os.path.join(folder, "office"), world, hours))
    witness = Witness(world, office, clips)
    clips.start()
    witness.start()
    do_faults(world, office, seed, kills, cuts, pause)
    clips.join(600)
    expected = clips.expected()
    assert len(expected) == count
    town.wait_for(lambda: set(world.uploaded()) >= set(expected), patience,
                  f"all receipts, {len(world.uploaded())} of {count}; {office.text()[-3000:]}", 0.2)
    town.wait_for(lambda: set(office.files()) == set(expected), 20, "what nobody named to go")
    town.wait_for(lambda: set(witness.kept) >= set(expected) or witness.bad, 120, "the witness")
    witness.over = True
    witness.join(30)
    check_events(world, office, clips)
    check_bytes(world, office, witness, expected)
    assert office.stop() == 0
    office.verify()
    world.city.verify()
    print(f"{count} clips, {clips.total // MB} MB, {kills} kills, {cuts} cuts, {time.monotonic() - begun:.0f} s; "
          f"the server wrote {world.server.stored() // MB} MB, the witness looked {witness.looks} times")
