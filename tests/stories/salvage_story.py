"""Damage of every kind on a real office with events that the city has not seen: the box starts, what
verifies arrives at a real city once, as the original or as journal.salvaged, and what is gone is named."""
import collections
import json
import os
import shutil
import signal
import sqlite3

import pytest
import scribe
import town


class Box:
    """An office that has told the city some edges, and then holds others that it has not."""

    def __init__(self, office, city, station, broker):
        self.office, self.city, self.station, self.broker = office, city, station, broker
        self.journal = os.path.join(office.state, "journal")
        self.committed = {}
        self.log = None

    def told(self):
        """Some edges are at the city, with receipts; then the broker is gone."""
        for band in (1, 2):
            self.station.do("strap", band, open=True)
        self.city.wait_for("wristband.strap_opened", 2)
        self.all_synced()
        self.broker.kill()

    def all_synced(self):
        def claim():
            lanes = self.office.status()["lanes"].values()
            return all(lane["last"] == lane["synced"] for lane in lanes)
        town.wait_for(claim, 20, "the city to have everything")

    def untold(self, bands=range(3, 9)):
        """Edges that stay in the office: {(log, seq): event} of all that it has committed."""
        before = len(self.alarms())
        for band in bands:
            self.station.do("strap", band, open=True)
        town.wait_for(lambda: len(self.alarms()) == before + len(bands), 10, "the alarms in the office")
        last = max(int(event["sequence"]) for event in self.alarms())
        town.wait_for(lambda: self.office.status()["checkpoint"] > last, 10, "the signature under them")

    def alarms(self):
        return self.listed("wristband.strap_opened")

    def listed(self, *pattern):
        more = ("--type", *pattern) if pattern else ()
        said = self.office.command("events", "--json", *more).stdout
        return [json.loads(line) for line in said.splitlines()]

    def halt(self, how):
        """Takes down what there is, then stops or kills the office."""
        if how == "kill":
            self.take_down()
            self.office.kill()
        else:
            self.office.stop()
            self.take_down()

    def take_down(self):
        for event in self.listed():
            self.log = event["log"]
            self.committed[event["log"], int(event["sequence"])] = event

    def start(self):
        self.office.start()
        town.wait_for(lambda: os.path.exists(os.path.join(self.office.state, "keeper.sock")) and
                      self.office.command("status", expect=None).returncode == 0, 20, "the office")

    def salvaged(self, seconds=30):
        town.wait_for(lambda: "folder" not in self.office.status()["salvage"], seconds,
                      "the salvage to end")

    def arrived(self):
        """{(log, seq): [events]} of what the city has, the wrapped ones as what they wrap."""
        found = collections.defaultdict(list)
        for event in self.city.events():
            if event["type"] == "journal.salvaged":
                data = event["data"]
                found[data["log"], data["seq"]].append(data.get("event"))
            else:
                found[event["log"], int(event["sequence"])].append(event)
        return found

    def expect_all(self, but=()):
        """Everything committed arrives once, and as it was."""
        self.broker.start()
        awaited = set(self.committed) - set(but)
        town.wait_for(lambda: awaited <= set(self.arrived()), 40,
                      lambda: f"{awaited - set(self.arrived())}")
        self.all_synced()
        arrived = self.arrived()
        for which in awaited:
            assert arrived[which] == [self.committed[which]]
        assert not set(but) & set(arrived)
        self.expect_reader_agrees(awaited)

    def expect_reader_agrees(self, awaited):
        """The query that core/city/README.md gives finds each of them once."""
        with open(os.path.join(town.ROOT, "core", "city", "README.md"), encoding="utf-8") as file:
            query = file.read().split("```sql\n")[1].split("```")[0].rstrip().rstrip(";")
        found = self.city.rows(query)
        names = collections.Counter((log, seq) for _, log, seq, *_ in found)
        assert all(names[which] == 1 for which in awaited)
        bodies = {(log, seq): json.loads(body) for _, log, seq, *_, body in found}
        assert all(bodies[which] == self.committed[which] for which in awaited)

    def damaged(self):
        return [event["data"] for event in self.city.events("journal.damaged")]

    def asides(self):
        return [name for name in os.listdir(self.office.state) if name.startswith("journal-damaged-")]


@pytest.fixture
def box(office, city, station, broker):
    box = Box(office, city, station, broker)
    box.told()
    box.untold()
    return box


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def change_row(box, lane):
    """One event that the city has not, changed in the store."""
    db = sqlite3.connect(os.path.join(box.journal, "tail.db"))
    seq, body = db.execute("SELECT seq, body FROM event WHERE lane = ? ORDER BY seq DESC LIMIT 1",
                           (lane,)).fetchone()
    db.execute("UPDATE event SET body = ? WHERE seq = ?", (body.replace(b'"band"', b'"bond"'), seq))
    db.commit()
    db.close()
    return box.log, seq


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_changed_event_is_named_and_the_others_arrive(box, how):
    box.halt(how)
    gone = change_row(box, 0)
    box.start()
    assert len(box.asides()) == 1
    box.salvaged()
    box.expect_all(but=[gone])
    first, last = box.damaged()
    assert first["folder"] == last["folder"] == box.asides()[0]
    assert sum(last["gone"].values()) == 1
    assert [(r["first"], r["last"]) for r in last["ranges"]] == [(gone[1], gone[1])]


def test_a_database_that_is_noise_leaves_what_the_city_has_and_says_what_is_gone(box):
    box.halt("stop")
    with open(os.path.join(box.journal, "tail.db"), "wb") as file:
        file.write(os.urandom(1 << 16))
    box.start()
    box.salvaged()
    last = [event["data"] for event in box.listed("journal.damaged")][-1]
    assert sum(last["salvaged"].values()) == 0
    lost = {seq for r in last["ranges"] for seq in range(r["first"], r["last"] + 1)}
    assert {seq for log, seq in box.committed if (log, seq) not in box.arrived()} <= lost
    assert [r["lane"] for r in last["ranges"]] == ["unknown"]  # of which the city may have some


def test_a_log_ahead_that_is_torn_costs_at_most_what_was_in_it(box):
    box.halt("kill")
    wal = os.path.join(box.journal, "tail.db-wal")
    flip(wal, os.path.getsize(wal) // 2)
    box.start()
    box.salvaged()
    box.broker.start()
    box.all_synced()
    arrived = box.arrived()
    for which, events in arrived.items():
        assert len(events) == 1
        assert which not in box.committed or events == [box.committed[which]]


def test_a_damaged_checkpoint_does_not_end_the_log(box):
    box.halt("stop")
    flip(os.path.join(box.journal, "checkpoint"), 30)
    box.start()
    assert box.asides() == []
    assert box.office.status()["log"] == box.log
    box.expect_all()
    assert len(box.damaged()) == 1
    assert len(os.listdir(os.path.join(box.journal, "damaged"))) == 1
    box.office.verify()


def test_a_key_that_is_gone_begins_a_new_log_and_the_city_gets_the_old_one(box):
    box.halt("stop")
    os.remove(os.path.join(box.office.state, "keys", "journal.key"))
    box.start()
    assert box.office.status()["key"] == "waits"
    box.salvaged()
    box.expect_all()
    wraps = [event["data"] for event in box.city.events("journal.salvaged")]
    assert wraps and all(wrap["proven"] for wrap in wraps)
    assert "journal/key.pub" in box.office.command("status", expect=None).stdout


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_salvage_that_is_interrupted_brings_nothing_twice(box, how):
    box.halt("stop")
    shutil.copy(os.path.join(box.journal, "tail.db"), os.path.join(box.office.folder, "was.db"))
    change_row(box, 2)
    for _ in range(4):
        box.start()
        box.office.process.send_signal(how)
        box.office.process.wait()
        box.office.kill()
    box.start()
    box.salvaged()
    box.broker.start()
    box.all_synced()
    assert all(len(events) == 1 for events in box.arrived().values())
    assert len(box.asides()) == 1


def test_a_second_damage_during_the_salvage_brings_nothing_twice(box):
    box.halt("kill")
    gone = [change_row(box, 0)]
    box.start()
    box.untold(bands=(9, 10))
    box.halt("kill")
    gone.append(change_row(box, 0))
    box.start()
    box.salvaged()
    assert len(box.asides()) == 2
    box.broker.start()
    box.all_synced()
    arrived = box.arrived()
    assert all(len(events) == 1 for events in arrived.values())
    own = {which for which, event in box.committed.items()
           if event["type"] != "journal.salvaged"} - set(gone)
    assert own <= set(arrived)


def test_a_configuration_that_does_not_check_is_not_used(office, city):
    assert office.stop() == 0
    with open(office.config, "a", encoding="utf-8") as out:
        out.write('plugin "wristband" "hall" { url = 4711 }\n')
    assert office.check(expect=1).stderr
    office.start()
    alarm, = city.wait_for("config.refused")
    assert alarm["data"]["file"] == office.config
    assert any("url" in error for error in alarm["data"]["errors"])
    assert "4711" not in json.dumps(alarm)
    assert "DOES NOT CHECK" in office.text()
    assert office.stop() == 0
    os.remove(office.config)
    office.start()
    city.wait_for("config.refused", 2)
    city.wait_for("box.started", 3)


def test_without_a_last_good_configuration_a_broken_one_ends_the_start(tmp_path):
    office = town.Office(tmp_path / "office", plugins="plugin plugin\n")
    office.start()
    assert office.process.wait(20) == 1


@pytest.fixture
def sealed(tmp_path, city, broker):
    """An office with five sealed tiles of which the city knows nothing yet; it is not started."""
    office = town.Office(tmp_path / "office", city, broker)
    work = tmp_path / "scribe"
    work.mkdir()
    keeper = scribe.start(office.state, 1500, str(work))
    try:
        town.wait_for(lambda: os.path.exists(work / "done-host"), 20, "all to be written")
        town.wait_for(lambda: office.status()["sealed"] == 1280, 20, "the tiles to be sealed")
    finally:
        keeper.terminate()
        keeper.communicate(timeout=60)
    return office


def lost_of(alarms):
    """The sequences that the `tiles` of these alarms name."""
    lost = set()
    for alarm in alarms:
        for tile in alarm["data"].get("tiles", []):
            bits = bin(int("1" + tile["erased"], 16))[3:]
            lost |= {256 * tile["n"] + at for at, bit in enumerate(bits) if bit == "1"}
    return lost


@pytest.mark.parametrize("how", ["flipped", "missing", "empty"])
def test_behind_a_damaged_bundle_the_city_gets_the_rest_and_the_names_of_the_lost(sealed, city, started, how):
    path = os.path.join(sealed.state, "journal", "tile", "entries", "002")
    if how == "flipped":
        flip(path, 700)
    elif how == "missing":
        os.remove(path)
    else:
        open(path, "wb").close()
    started(sealed)
    alarms = city.wait_for("journal.damaged")
    lost = lost_of(alarms)
    assert lost and lost <= set(range(512, 768))
    town.wait_for(lambda: len(city.events("scribe.*")) == 1500 - len(lost), 20, "all the others")
    assert not lost & {int(event["sequence"]) for event in city.events("scribe.*")}
    assert sealed.stop() == 0
    sealed.verify()
    town.wait_for(lambda: "box.stopped" in city.census(), 10, "the last event")
    city.verify()


def test_a_damaged_hash_tile_is_made_anew_and_all_arrives(sealed, city, started):
    path = os.path.join(sealed.state, "journal", "tile", "0", "003")
    with open(path, "rb") as file:
        before = file.read()
    flip(path, 700)
    started(sealed)
    city.wait_for("journal.damaged")
    town.wait_for(lambda: len(city.events("scribe.*")) == 1500, 20, "all of them")
    with open(path, "rb") as file:
        assert file.read() == before
    assert sealed.stop() == 0
    sealed.verify()


def test_what_lies_damaged_in_a_running_office_is_found_without_a_reader(sealed, city, started):
    started(sealed)
    town.wait_for(lambda: len(city.events("scribe.*")) == 1500, 20, "all of them")
    os.remove(os.path.join(sealed.state, "journal", "tile", "entries", "001"))
    sealed.stop()
    sealed.start()
    alarms = city.wait_for("journal.damaged", seconds=20)
    assert lost_of(alarms) == set(range(256, 512))
    assert len(city.events("scribe.*")) == 1500  # the city had them
    assert sealed.status()["scrub"]["damaged"] == 1
