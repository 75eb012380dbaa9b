"""A real disk that fills up beside the footage of docks: a small ext4 on a loop device, and a foreign file on it.

Ordinary footage whose time is over goes, and no more of it than has to; then ordinary clips stay on the dock, then
important ones too. Alarms reach the city all the while, nothing half is left, and when the foreign file is gone each
clip is taken once. Needs root, for the mount.
"""
import os

import dock_story
import pytest
import room_story
import town
from fulldisk_fault import disk, fill, pytestmark  # noqa: F401
from pyftpdlib.handlers import ThrottledDTPHandler

MB = room_story.MB
STORAGE = 'storage { quota = "64MB", reserve = "8MB", blobs = { quota = "200MB", reserve = "24MB" } }\n'


def left(folder):
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def fill_to(folder, room):
    """A foreign file takes all but `room` bytes."""
    path = os.path.join(folder, "foreign")
    with open(path, "ab", buffering=0) as out:
        while left(folder) > room:
            out.write(b"\0" * min(1 << 20, left(folder) - room))
        os.fsync(out.fileno())
    return path


def begin(tmp_path, disk, started, **more):
    """An office whose state lies on the small disk, and whose dock does not."""
    dock = tmp_path / "dock"
    dock.mkdir(exist_ok=True)
    world = room_story.World(tmp_path, dock, started, STORAGE, os.path.join(disk, "state"), **more)
    town.wait_for(lambda: world.office.status()["storage"]["reserve"]["is_whole"], 60, "the reserve")
    return world


def refused(world):
    return [event["data"]["refused"] for event in world.city.events("storage.full")
            if event["data"]["of"] == "blobs"]


def test_a_disk_that_fills_up_costs_no_footage_and_no_alarm(tmp_path, disk, started):
    world = begin(tmp_path, disk, started)
    shift = world.shift
    old, kept = shift.record(3, 10 * MB), shift.record(1, 5 * MB, important=True)
    world.wait_for_clips(old + kept)
    world.clock.say("+2d")
    fill_to(disk, 45 * MB)  # 13 MB of it are for ordinary footage, and no need for any to go
    world.strap()
    assert world.gone() == []

    new = shift.record(1, 20 * MB)
    world.wait_for_clips(new)
    assert set(world.gone()) <= set(old) and 1 <= len(world.gone()) <= 2, world.gone()
    assert not refused(world) and not world.city.events("dock.waiting"), "it was only a matter of erasing"
    new += shift.record(2, 20 * MB)
    world.wait_for_clips(new[:2])
    world.city.wait_for("dock.waiting", 1, 30)
    assert sorted(world.gone()) == sorted(old) and refused(world) == ["ordinary"]
    world.strap()
    more = shift.record(1, 10 * MB, important=True)
    world.wait_for_clips(more)

    foreign = fill(disk)
    more += shift.record(1, 12 * MB, important=True)
    town.wait_for(lambda: refused(world) == ["ordinary", "important"], 30, f"its being told; {refused(world)}")
    for _ in range(3):
        world.strap()
        fill(disk)
    os.unlink(foreign)
    world.wait_for_clips(new + more, 60)
    world.city.wait_for("dock.going_on", 1, 30)
    town.wait_for(lambda: {"of": "blobs"} in [e["data"] for e in world.city.events("storage.back")], 60, "the end of it")
    world.check([*old, *kept, *new, *more])
    assert sorted(world.gone()) == sorted(old)


class Slow(ThrottledDTPHandler):
    """So that a disk can be filled while a clip comes."""
    write_limit = 6 * MB


def test_a_disk_that_is_full_in_the_middle_of_a_clip_leaves_it_on_the_dock(tmp_path, disk, started, closing):
    (tmp_path / "dock").mkdir()
    dock = closing(dock_story.docks.Dock(tmp_path / "dock", dtp_handler=Slow, use_sendfile=False))
    login = f'url = "{dock.url()}", user = "{dock_story.docks.USER}", password = "{dock_story.docks.PASSWORD}"'
    world = begin(tmp_path, disk, started, source=login)
    clips = world.shift.record(1, 30 * MB)
    town.wait_for(lambda: left(disk) < 100 * MB or world.office.files(), 30, "the first bytes")
    foreign = fill(disk)
    world.city.wait_for("dock.waiting", 1, 60)
    assert "a clip could not be taken" not in world.office.text(), "it is the disk, not the clip"
    for _ in range(2):
        fill(disk)
        world.strap()
    town.wait_for(lambda: not world.office.files(), 20, "what there was of it to go")
    os.unlink(foreign)
    world.wait_for_clips(clips, 60)
    world.check(clips)
