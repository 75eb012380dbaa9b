"""footage - clips of body cameras from a dock: how fast they come in, what it takes, and whether alarms notice.

The real plugin reads a folder; keeper, scribe and host do the rest. The limit is what anybody would do by hand with the
same file in the same run: cp and sha256sum. The plugin's waiting until a file is whole is not counted: the clock runs
from the first byte that is stored until the event is on disk."""
import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import threading
import time

import appliance
import footprint
from goal import Goal, in_turn

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "sim"))
import secure  # noqa: E402
import town  # noqa: E402
import uploads  # noqa: E402

MB = 1 << 20
QUICK = 'poll = "1s", settle = "1s"'
STORAGE = 'storage { blobs = { quota = "20GB" } }\n'


class Dock:
    """A folder that a bodycam-dock reads, and clips beside it that can be put there."""

    def __init__(self, folder):
        self.folder, self.path = folder, os.path.join(folder, "dock")
        self.count = 0
        os.mkdir(self.path)

    def plugin(self):
        return f'plugin "bodycam-dock" "dock" {{ url = "{self.path}", {QUICK} }}\n'

    def clip(self, size):
        """A file of noise that no other is like."""
        path = os.path.join(self.folder, f"clip{self.count}")
        self.count += 1
        part = os.urandom(MB)
        with open(path, "wb") as file:
            for n in range(size // MB):
                file.write(n.to_bytes(8, "big") + part[8:])
            os.fsync(file.fileno())  # else the disk is still at it when something is measured
        return path

    def put(self, clip, important=False):
        """On the dock; how it is called there."""
        name = f"T1A0001_012345_20260411{self.count:06d}{'_IMP' if important else ''}.mp4"
        self.count += 1
        os.utime(clip, (1775867415, 1775867415))
        os.rename(clip, os.path.join(self.path, name))
        return name


def recorded(office, name):
    """When its event was on disk, in seconds; None: it is not yet."""
    lines = office.command("events", "--json", "--type", "evidence.recorded", expect=None).stdout.splitlines()
    found = [event for event in map(json.loads, lines) if event["data"]["path"] == name]
    return footprint.microseconds(found[0]["recorded"]) / 1e6 if found else None


def begins(office):
    """When the first byte of the next clip is stored."""
    new = os.path.join(office.state, "blobs", "new")
    town.wait_for(lambda: os.listdir(new), 30, "a clip to be begun", 0.002)
    return time.time()


@contextlib.contextmanager
def house():
    """(dock, office): a bare one, without a city."""
    folder = appliance.scratch()
    dock = Dock(folder)
    office = town.Office(os.path.join(folder, "office"), plugins=STORAGE + dock.plugin()).start()
    try:
        town.wait_for(lambda: "the dock can be read" in office.text(), 20, "the dock")
        town.wait_for(lambda: office.status()["storage"]["reserve"]["is_whole"], 120, "the reserve")
        yield dock, office
    finally:
        office.stop()
        shutil.rmtree(folder)


# ---- How fast

def by_hand(clip, size):
    copy, began = clip + ".copy", time.monotonic()
    subprocess.run(["cp", clip, copy], check=True)
    subprocess.run(["sha256sum", copy], check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - began
    os.unlink(copy)
    return {"rate": size / took}


def taken_in(dock, office, clip, size):
    name = dock.put(clip)
    began = begins(office)
    ended = town.wait_for(lambda: recorded(office, name), 120, "its event", 0.2)
    os.unlink(os.path.join(dock.path, name))
    return {"rate": size / (ended - began)}


def speed(pairs, size=512 * MB):
    with house() as (dock, office):
        clips = [dock.clip(size)]

        def limit():
            return by_hand(clips[-1], size)

        def product():
            clip = clips.pop()
            clips.append(dock.clip(size))  # before it is measured, not meanwhile
            return taken_in(dock, office, clip, size)
        return in_turn(pairs, product, limit, lambda p, l: p["rate"] / l["rate"])


# ---- Memory

def family(pid):
    """A process and all below it."""
    found = [pid]
    for pid in found:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listed:
            found += map(int, listed.read().split())
    return found


def memory_of(pids):
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError):  # it has ended meanwhile
            total += footprint.pss_kb(pid)
    return total / 1024


def peak(dock, office, size):
    """Of keeper, host and scribe, from the first byte until the event is there: MiB (PSS)."""
    name, most = dock.put(dock.clip(size)), 0
    begins(office)
    until, checked = None, 0
    while until is None:
        most = max(most, memory_of(family(office.pid)))
        if time.monotonic() > checked + 0.5:
            until, checked = recorded(office, name), time.monotonic()
    os.unlink(os.path.join(dock.path, name))
    return most


@functools.lru_cache(None)
def peaks():
    with house() as (dock, office):
        peak(dock, office, 50 * MB)  # what is loaded once
        return peak(dock, office, 50 * MB), peak(dock, office, 1024 * MB)


# ---- Alarms meanwhile

class Feeder(threading.Thread):
    """Puts clips on the dock, again and again, as soon as those before are at the city."""

    def __init__(self, dock, city, clips):
        super().__init__(daemon=True)
        self.dock, self.city, self.clips, self.over = dock, city, clips, threading.Event()

    def told(self):
        return self.city.census().get("evidence.recorded", 0)

    def run(self):
        """Each is changed a little, so that it is another."""
        while not self.over.is_set():
            before, names = self.told(), [self.dock.put(clip, important=True) for clip in self.clips]
            while self.told() < before + len(names) and not self.over.wait(0.1):
                pass
            for clip, name in zip(self.clips, names):
                os.rename(os.path.join(self.dock.path, name), clip)
                with open(clip, "r+b") as file:
                    file.write(os.urandom(8))


@contextlib.contextmanager
def whole_line():
    """(dock, office, city, station), with a courier that uploads as fast as a good line allows."""
    missing = uploads.why_not()
    assert missing is None, missing
    folder, running = appliance.scratch(), []
    dock, authority = Dock(folder), secure.Authority(folder)
    authority.run("office", town.OFFICE_ID)
    try:
        def start(program):
            running.append(program)
            return program.start()
        server = start(uploads.Uploads(folder, authority.sign("uploads", "uploads")))
        broker = start(town.Broker(folder))
        city = town.City(folder, broker)
        city.argv += ("--uploads", server.home)
        start(city)
        station = start(town.Station(folder))
        own = authority.pair("offices/" + town.OFFICE_ID, "bulk")
        files = "".join(f', {name} = "{path}"' for name, path in own.items())
        courier = f'courier {{ url = "{server.url}"{files}, hours = {{ "00:00-24:00 100Mbit/s" }} }}\n'
        office = start(town.Office(os.path.join(folder, "office"), city, broker, STORAGE + courier +
                                   dock.plugin() + station.plugin(poll='"20ms"')))
        city.wait_for("wristband.seen", 12)
        town.wait_for(lambda: office.status()["storage"]["reserve"]["is_whole"], 120, "the reserve")
        yield dock, office, city, station
    finally:
        town.stop_all(reversed(running))
        shutil.rmtree(folder)


def openings(lines):
    """{tag: [what was said of each opening of it, in order]}"""
    found = {}
    for tag, said in lines:
        found.setdefault(tag, []).append(said)
    return found


def strap_waits(city, station, rounds):
    """Milliseconds from a strap's opening to the city's database, each; of twelve bands in turn, each open for
    longer than any poll takes."""
    done = len(station.happened())
    for _ in range(rounds):
        for is_open in (True, False):
            for band in range(1, 13):
                station.do("strap", band, open=is_open)
                time.sleep(0.06)
    cut = [(line["tag"], line["at"]) for line in station.happened()[done:] if line["what"] == "strap_opened"]
    began = cut[0][1]
    query = "SELECT body, received FROM event WHERE type = 'wristband.strap_opened' ORDER BY seq"

    def told():
        rows = [(json.loads(body), footprint.microseconds(received)) for body, received in city.rows(query)]
        return [(body["data"]["band"], at) for body, at in rows if at >= began]
    town.wait_for(lambda: len(told()) >= len(cut), 30, f"{len(cut)} alarms at the city; {city.census()}", 0.5)
    had, expected = openings(told()), openings(cut)
    assert {tag: len(at) for tag, at in had.items()} == {tag: len(at) for tag, at in expected.items()}
    return [(at - since) / 1000 for tag in had for at, since in zip(had[tag], expected[tag])]


def last_percentile(waits):
    return waits[len(waits) * 99 // 100]


@functools.lru_cache(None)
def alarms(rounds=10):
    """(idle, busy): the last percentile of each; in two houses, because what waits for the line goes on afterwards."""
    idle, busy = [], []
    for _ in range(2):
        with whole_line() as (dock, office, city, station):
            feeder = Feeder(dock, city, [dock.clip(512 * MB) for _ in range(3)])
            idle += strap_waits(city, station, rounds)
            feeder.start()
            begins(office)
            try:
                busy += strap_waits(city, station, rounds)
            finally:
                feeder.over.set()
                feeder.join()
            city.wait_for("evidence.uploaded", 1, 90)
    return last_percentile(sorted(idle)), last_percentile(sorted(busy))


def goals(pairs):
    return [
        Goal("footage", "bytes/s of a clip of 512 MB from a dock, hashed twice, encrypted and synced, over cp and "
             "sha256sum", 0.7, 1.0, lambda: speed(pairs)),
        Goal("footage memory", "PSS of keeper, host and scribe with a clip of 1 GB", 16, 12,
             lambda: ([peaks()[1]], []), most=True, unit=" MiB"),
        Goal("footage size", "that over the same with one of 50 MB", 1.1, 1.02,
             lambda: ([peaks()[1] / peaks()[0]], []), most=True),
        Goal("footage alarm", "last percentile of a strap's way to the city while a dock is read and clips go to the "
             "city, over idle", 2, 1.5, lambda: ([alarms()[1] / alarms()[0]], []), most=True),
        Goal("footage wait", "that last percentile", 50, 40, lambda: ([alarms()[1]], []), most=True, unit=" ms"),
    ]
