"""Evidence files through the whole house: a plugin stores them, keeper and courier bring them to the city, and
the city's receipt is on record in the journal. The upload server's log says what went over the line."""
import contextlib
import json
import os
import shutil
import sqlite3

import pytest

import dispatch
import secure
import town
import updates
import uploads

HERE = os.path.dirname(os.path.abspath(__file__))
MISSING = uploads.why_not()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


class City(town.City):
    def __init__(self, folder, broker, server):
        super().__init__(folder, broker)
        self.argv += ("--uploads", server.home)


class Office(town.Office):
    """An office with the plugin clips and a courier."""

    def __init__(self, folder, world, hours=None, more=""):
        installed = updates.Installed(os.path.join(str(folder), "installed"), ())
        shutil.copytree(os.path.join(HERE, "plugins", "clips"), os.path.dirname(installed.path("clips")))
        self.outpost = installed.outpost
        self.world, self.hours = world, hours
        super().__init__(folder, world.city, world.broker, self.courier() + more + 'plugin "clips" "cam" {}\n')
        self.argv = (self.outpost, *self.argv[1:])

    def courier(self):
        more = {"hours": f'{{ "{self.hours}" }}'} if self.hours else {}
        return uploads.courier(self.world.server, self.world.authority, **more)

    def start(self):
        super().start()
        town.wait_for(lambda: self.states().get("cam") == self.states().get("courier") == "running", 20,
                      f"the office; {self.text()[-2000:]}")
        return self

    def states(self):
        done = self.command("status", "--json", expect=None)
        return {c["name"]: c["state"] for c in json.loads(done.stdout)["children"]} if done.stdout else {}

    def record(self, name, kib, **more):
        """Stores a file and says what it is."""
        params = [f"{key}={value}" for key, value in {"name": name, "kib": kib, **more}.items()]
        done = town.run(self.outpost, "do", "cam", "record", *params, "--json", "--state",
                        self.state)
        return json.loads(done.stdout)


class World:
    def __init__(self, folder, started):
        self.authority = secure.Authority(folder)
        self.authority.run("office", town.OFFICE_ID)
        self.server = started(uploads.Uploads(folder, self.authority.sign("uploads", "uploads")))
        self.broker = started(town.Broker(folder))
        self.city = started(City(folder, self.broker, self.server))

    def uploaded(self):
        return {event["data"]["sha256"]: event for event in self.city.events("evidence.uploaded")}

    def status(self, *more, expect=0, uploads=None):
        return town.run(town.OUTPOST_CITY, "status", "--database", "sqlite:" + self.city.database,
                        "--uploads", uploads or self.server.home, *more, expect=expect)

    def wait_for(self, clip, office, seconds=60):
        town.wait_for(lambda: clip["sha256"] in self.uploaded(), seconds, f"a receipt; {office.text()[-3000:]}")
        kept = self.server.path("evidence", clip["sha256"][:2], clip["sha256"][2:])
        assert dispatch.digests(kept) == (clip["sha256"], clip["sm3"])
        assert os.path.getsize(kept) == clip["size"]
        assert not self.server.sent_twice(), self.server.sent_twice()


def health(office):
    """What the courier says of itself."""
    return next(c for c in office.status()["children"] if c["name"] == "courier").get("health")


@pytest.fixture
def world(tmp_path, started):
    return World(tmp_path, started)


def test_a_file_is_at_the_city_once_and_the_receipt_is_on_record(world, tmp_path, started):
    office = started(Office(tmp_path / "office", world))
    clips = [office.record("one", 64), office.record("two", 3072), office.record("three", 640, **{"class": "case"})]
    office.record("not for the city", 64, **{"class": "ordinary"})
    for clip in clips:
        world.wait_for(clip, office)
    assert len(world.server.creations()) == len(clips)
    assert world.server.stored() == sum(clip["size"] for clip in clips)
    told = world.uploaded()
    assert set(told) == {clip["sha256"] for clip in clips}
    for clip in clips:
        data = told[clip["sha256"]]["data"]
        lines = data["receipt"].splitlines()
        assert (data["sm3"], data["size"]) == (clip["sm3"], clip["size"])
        assert lines[0].startswith(f"outpost-handover/{town.OFFICE_ID}/{told[clip['sha256']]['log']}/")
        assert lines[2:5] == [f"sha256 {clip['sha256']}", f"sm3 {clip['sm3']}", f"size {clip['size']}"]
    town.wait_for(lambda: health(office) == {"state": "idle", "waiting": 0, "without_receipt": 0}, 20,
                  f"its having done all; {health(office)}")
    said = office.command("status").stdout
    assert "evidence: 1 ordinary, 2 important, 1 of a case; at the city 3, waiting to go 0" in said
    said = world.status()
    assert f"evidence files: 3, {sum(clip['size'] for clip in clips) // 1000 + 1} kB" in said.stdout
    assert "0 messages rejected, 0 uploads refused" in said.stdout
    assert "0 uploads on their way, 0 whole and waiting for their events" in said.stdout
    told = json.loads(world.status("--json").stdout)
    assert told["offices"][0]["evidence"]["files"] == 3
    assert (told["refused"], told["uploads"]) == (0, {"under_way": 0, "waiting": 0})
    assert world.status(expect=1, uploads="/nowhere").stderr.startswith("outpost-city status: --uploads: /nowhere: ")
    assert office.stop() == 0
    office.verify()


def test_whoever_is_killed_no_confirmed_byte_goes_twice(world, tmp_path, started):
    office = started(Office(tmp_path / "office", world, hours="00:00-24:00 24Mbit/s"))
    clip = office.record("long", 16 * 1024)

    def go_on_to(share):
        town.wait_for(lambda: world.server.partial() > share * clip["size"] or world.uploaded(), 60,
                      f"{share}; {office.text()[-3000:]}")
        assert not world.uploaded()

    go_on_to(0.1)
    os.kill(office.children()["courier"][0], 9)
    go_on_to(0.3)
    office.kill()
    office.start()
    go_on_to(0.5)
    world.server.kill()
    world.server.start()
    go_on_to(0.7)
    office.kill()
    office.start()
    world.wait_for(clip, office)
    assert len(world.server.creations()) == 1
    assert world.server.stored() <= clip["size"]
    assert len(world.city.events("evidence.uploaded")) == 1


def test_what_goes_to_the_city_stays_until_it_is_there(world, tmp_path, started):
    world.server.stop()
    office = started(Office(tmp_path / "office", world))
    clip = office.record("soon over", 64, keep="1s")
    gone = office.record("not for the city", 64, keep="1s", **{"class": "ordinary"})
    world.city.wait_for("blob.released", 1, 30)
    assert [e["data"]["sha256"] for e in world.city.events("blob.released")] == [gone["sha256"]]
    why = town.wait_for(lambda: health(office).get("trouble"), 30, "its saying that nobody is there")
    said = office.command("status").stdout
    assert "1 important, 0 of a case; at the city 0, waiting to go 1" in said
    assert f": {why}\n" in said
    world.server.start()
    world.wait_for(clip, office)
    world.city.wait_for("blob.released", 2, 30)


def test_what_a_lost_journal_had_recorded_goes_to_the_city_as_of_the_new_one(world, tmp_path, started):
    """One is on its way and one has not begun; the receipt of a third, which the old log has, counts for it."""
    office = started(Office(tmp_path / "office", world, hours="00:00-24:00 8Mbit/s"))
    done = office.record("done", 64)
    world.wait_for(done, office)
    clips = [office.record("begun", 4096), office.record("waits", 64)]
    town.wait_for(lambda: world.server.partial() > 0, 30, "the first bytes")
    office.kill()
    with contextlib.closing(sqlite3.connect(os.path.join(office.state, "journal", "tail.db"))) as tail:
        tail.execute("UPDATE event SET leaf = zeroblob(32) WHERE seq = 0")
        tail.commit()
    office.start()
    for clip in clips:
        world.wait_for(clip, office)
    named = {event["data"]["sha256"]: event for event in world.city.events("evidence.adopted")}
    assert set(named) == {clip["sha256"] for clip in clips}
    told = world.uploaded()
    for clip in clips:
        said = named[clip["sha256"]]
        assert (said["data"]["sm3"], said["data"]["size"]) == (clip["sm3"], clip["size"])
        first = told[clip["sha256"]]["data"]["receipt"].splitlines()[0]
        assert first == f"outpost-handover/{town.OFFICE_ID}/{said['log']}/{int(said['sequence'])}"
    assert told[done["sha256"]]["log"] != said["log"]
    assert len(world.server.creations()) <= 1 + 1 + len(clips), "more than the one that was begun came anew"


def test_a_reload_takes_the_courier_elsewhere(world, tmp_path, started):
    office = started(Office(tmp_path / "office", world, hours="00:00-24:00 512kbit/s"))
    clip = office.record("one", 3072)
    town.wait_for(lambda: world.server.partial() > 0, 30, "the first bytes")
    office.hours = None
    office.configure(office.courier() + 'plugin "clips" "cam" {}\n', world.city, world.broker)
    town.run(office.outpost, "reload", "--config", office.config, "--state", office.state)
    world.wait_for(clip, office)
    assert len(world.server.creations()) == 1
