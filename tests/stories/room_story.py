"""Room gets scarce: what goes, what is not taken any more, what is taken all the same, and what comes later. With
real docks; the wall clock is faked, for retention is counted in days."""
import hashlib
import os

import pytest

import dock_story
import faketime
import town

MB = 1 << 20
NAME = "T1A0001_012345_20260411{:06d}{}.mp4"


class Office(dock_story.Office):
    """An office with docks and a station, under a clock of ours."""

    def __init__(self, folder, city, broker, clock, more, **docks):
        super().__init__(folder, city, broker, more, **docks)
        self.clock = clock

    def start(self):
        before = dict(os.environ)
        os.environ.update(self.clock.environment)
        try:
            return super().start()
        finally:
            os.environ.clear()
            os.environ.update(before)

    def blobs(self):
        return self.status()["blobs"]


class Shift:
    """Clips of a shift on a dock, by their names."""

    def __init__(self, folder):
        self.folder, self.clips = folder, {}

    def record(self, count, size, important=False):
        """So many more; their names."""
        names = [NAME.format(83000 + len(self.clips) + i, "_IMP" if important else "") for i in range(count)]
        for name in names:
            self.clips[name] = hashlib.sha256(dock_story.clip(self.folder, name, size)).hexdigest()
        return names


def paths(events):
    return [event["data"]["path"] for event in events]


class World:
    """Everything, and what was heard of it at the city."""

    def __init__(self, folder, disk, started, more, state=None, source=None):
        self.clock = faketime.Clock(folder)
        self.clock.sync()
        self.shift = Shift(disk)
        self.station = started(town.Station(folder))
        self.broker = started(town.Broker(folder))
        self.city = started(town.City(folder, self.broker))
        more += self.station.plugin(poll='"200ms"')
        settings = (source or f'url = "{disk}"') + ', keep = "1d"'
        self.office = Office(folder / "office", self.city, self.broker, self.clock, more, dock=settings)
        if state:
            self.office.state = str(state)
            self.office.argv = (*self.office.argv[:-1], str(state))
        started(self.office)
        self.city.wait_for("wristband.seen", 12, 30)
        self.straps = 0

    def strap(self):
        """Opened: an alarm at the city, soon."""
        self.station.do("strap", self.straps % 12 + 1, open=True)
        self.straps += 1
        self.city.wait_for("wristband.strap_opened", self.straps, 10)

    def wait_for_clips(self, names, seconds=40):
        told = lambda: set(paths(self.city.events("evidence.recorded")))  # noqa: E731
        town.wait_for(lambda: told() >= set(names), seconds,
                      f"{sorted(names)}; there are {sorted(told())}; {self.office.text()[-3000:]}")

    def gone(self):
        """Paths of what was released, in that order."""
        by_hash = {sha256: name for name, sha256 in self.shift.clips.items()}
        events = self.city.events("blob.released")
        assert {event["data"]["reason"] for event in events} <= {"room"}
        return [by_hash[event["data"]["sha256"]] for event in events]

    def check(self, names):
        """Each of them was recorded once, and what was not released is there, whole."""
        self.city.wait_for("evidence.recorded", len(names))
        assert sorted(paths(self.city.events("evidence.recorded"))) == sorted(names)
        assert not self.city.events("evidence.again")
        gone = self.gone()
        for name in set(names) - set(gone):
            data = self.office.get(self.shift.clips[name])
            assert hashlib.sha256(data).hexdigest() == self.shift.clips[name]
        stay = {self.shift.clips[name] for name in set(names) - set(gone)}
        town.wait_for(lambda: {name.replace("/", "") for name in self.office.files()} == stay, 20,
                      "nothing else to be there")
        assert len(self.city.events("wristband.strap_opened")) == self.straps
        self.office.verify()


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def test_ordinary_footage_makes_room_or_waits_important_is_taken(tmp_path, disk, started):
    storage = 'storage { quota = "64MB", reserve = "8MB", blobs = { quota = "24MB", reserve = "8MB" } }\n'
    world = World(tmp_path, disk, started, storage)
    city, shift = world.city, world.shift
    old, kept = shift.record(3, 3 * MB), shift.record(1, 2 * MB, important=True)
    world.wait_for_clips(old + kept)
    assert city.census().get("storage.full") is None

    world.clock.say("+2d")  # the old ones' time is over; 16 MB are for ordinary ones
    new = shift.record(5, 3 * MB)
    world.wait_for_clips(new[:4])
    waits = city.wait_for("dock.waiting", 1, 20)
    assert [event["data"]["clips"] for event in waits] == [1]
    assert sorted(world.gone()) == sorted(old), "the old ordinary ones, and nothing but them"
    assert [event["data"] for event in city.events("storage.full")] == [{"of": "blobs", "refused": "ordinary"}]
    assert {event["lane"] for event in waits + city.events("storage.full")} == {"alarm"}
    world.strap()

    more = shift.record(2, 3 * MB, important=True)
    world.wait_for_clips(more)
    world.strap()
    town.wait_for(lambda: world.office.blobs()["full"] == "ordinary", 10, "the status to say so")
    assert NAME.format(83008, "") not in paths(city.events("evidence.recorded"))

    world.clock.say("+4d")
    world.wait_for_clips(new)
    city.wait_for("dock.going_on", 1, 30)
    city.wait_for("storage.back", 1, 40)
    assert len(city.events("dock.waiting")) == len(city.events("storage.full")) == 1
    world.check([*old, *kept, *new, *more])
    assert not set(world.gone()) & {*kept, *more}, "important footage whose time is not over"
