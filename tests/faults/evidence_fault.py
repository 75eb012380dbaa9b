"""kill -9 of courier, host, keeper, upload server, city and broker, and a line that is cut, while evidence files
are stored and go to the city. In the end each file is there once, whole, with one receipt on record; and the
server's own log shows no byte that came again after it was confirmed.
"""
import os
import random
import signal
import threading
import time

import courier_story
import evidence_story
import pytest
import town
import uploads

MISSING = uploads.why_not()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
PROGRAMS = ["courier", "host", "keeper", "server", "city", "broker"]


class World(evidence_story.World):
    """The courier's way to the server goes over a relay."""

    def __init__(self, folder, started):
        super().__init__(folder, started)
        self.relay = courier_story.Relay(self.server.port)

    def courier_url(self):
        return self.server.url.replace(str(self.server.port), str(self.relay.port))


class Office(evidence_story.Office):
    def courier(self):
        return super().courier().replace(self.world.server.url, self.world.courier_url())


class Clips(threading.Thread):
    """Stores files, each until it is told that it is stored."""

    def __init__(self, office, count, chance):
        super().__init__(daemon=True)
        self.office, self.stored = office, {}
        self.wanted = [(f"clip {i}", 64 * chance.randint(1, 96)) for i in range(count)]

    def run(self):
        for name, kib in self.wanted:
            while name not in self.stored:
                try:
                    self.stored[name] = self.office.record(name, kib)
                except AssertionError:
                    time.sleep(0.2)  # whoever was to answer has been killed: asked again, it is the same file


def kill(world, office, name, chance):
    if name in ("courier", "host"):
        pid, = town.wait_for(lambda: office.children().get(name), 60, f"a {name} to kill")
        os.kill(pid, signal.SIGKILL)
        return
    program = {"keeper": office, "server": world.server, "city": world.city, "broker": world.broker}[name]
    program.kill()
    time.sleep(chance.random() * 0.5)
    program.start()


def cut(world, chance):
    world.relay.cut()
    time.sleep(chance.random())
    world.relay.mend()


@pytest.mark.parametrize("count,kills,cuts", [
    pytest.param(6, 8, 4, id="some"),
    pytest.param(200, 100, 50, id="all", marks=pytest.mark.slow)])
def test_each_file_arrives_once_whoever_is_killed(tmp_path, started, seed, count, kills, cuts):
    chance = random.Random(seed)
    world = World(tmp_path, started)
    office = started(Office(tmp_path / "office", world, hours="00:00-24:00 160Mbit/s"))
    clips = Clips(office, count, chance)
    clips.start()
    faults = [PROGRAMS[i % len(PROGRAMS)] for i in range(kills)] + ["line"] * cuts
    chance.shuffle(faults)
    for fault in faults:
        time.sleep(chance.random() * 1.5)
        if fault == "line":
            cut(world, chance)
        else:
            kill(world, office, fault, chance)
    clips.join(600)
    assert len(clips.stored) == count
    expected = {clip["sha256"]: clip for clip in clips.stored.values()}
    town.wait_for(lambda: set(world.uploaded()) >= set(expected), 600,
                  f"all receipts, {len(world.uploaded())} of {count}; {office.text()[-3000:]}")
    for clip in expected.values():
        world.wait_for(clip, office)
    told = [event["data"]["sha256"] for event in world.city.events("evidence.uploaded")]
    assert sorted(told) == sorted(expected), "a receipt is on record twice"
    assert world.city.rows("SELECT count(*) FROM evidence") == [(count,)]
    assert world.server.stored() <= sum(clip["size"] for clip in expected.values())
    assert not os.listdir(world.server.path("refused")) and world.server.partial() == 0
    world.relay.close()
    assert office.stop() == 0
    office.verify()
