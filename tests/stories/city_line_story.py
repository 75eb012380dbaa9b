"""The city's line alone: uplink, broker and city, under a keeper of our own that never forgets.

10,000 events over three lanes while the broker (which keeps nothing on disk), the uplink and the city
are killed at random. At the end the city has each exactly once, byte for byte, the marks are at the
ends, the last receipt verifies, and so does the tree.
"""
import json
import os
import random
import time

import pytest

import fake_keeper
import town

UPLINK = os.path.join(town.BUILD, "libexec", "outpost", "uplink")
EVENTS = int(os.environ.get("LINE_EVENTS", "10000"))
ROUNDS = 8


@pytest.fixture
def keeper(tmp_path, broker, city, request):
    with open(city.verifier, encoding="ascii") as vkey:
        keeper = fake_keeper.FakeKeeper(UPLINK, broker.url, vkey.read(), folder=tmp_path)
    keeper.start()
    yield keeper
    if keeper.child and keeper.child.poll() is None:
        keeper.ending = True
        keeper.kill_uplink()
    assert keeper.error is None, keeper.error


def bodies_at(city):
    return {seq: body.encode() for seq, body in city.rows("SELECT seq, body FROM event")}


def wait_for_marks(keeper, seconds):
    town.wait_for(lambda: keeper.error or keeper.marks == keeper.lasts(), seconds,
                  f"marks {keeper.lasts()}; now {keeper.marks}, {keeper.health}", period=0.05)
    assert keeper.error is None, keeper.error


def check_all(keeper, city):
    found = bodies_at(city)
    assert len(found) == len(keeper.bodies)
    assert all(found[seq] == body for seq, body in enumerate(keeper.bodies))
    assert city.rows("SELECT count(*) FROM finding") == [(0,)]
    assert city.rows("SELECT count(*) FROM rejected") == [(0,)]
    assert "verify: ok" in city.verify().stdout


def test_every_event_arrives_once_whatever_is_killed(keeper, broker, city):
    chance = random.Random(int(os.environ.get("LINE_SEED", "20261121")))
    kills = [lambda: (broker.kill(), broker.start()), lambda: (city.kill(), city.start()),
             keeper.kill_uplink]
    lanes = [0] * 2 + [1] * 48 + [2] * 50
    for number in range(ROUNDS):
        for _ in range(EVENTS // ROUNDS):
            keeper.emit(chance.choice(lanes), json.dumps({"n": number, "pad": "x" * chance.randrange(400)}))
        keeper.sign_checkpoint()
        time.sleep(chance.random())
        kills[number % 3 if number < 3 else chance.randrange(3)]()
        time.sleep(chance.random())
    for _ in range(EVENTS % ROUNDS):
        keeper.emit(1)
    keeper.sign_checkpoint()
    wait_for_marks(keeper, 90)
    town.wait_for(lambda: keeper.verified == EVENTS, 30, "the last checkpoint to be countersigned")
    check_all(keeper, city)


def test_a_stopped_uplink_says_offline_within_two_seconds(keeper, city):
    keeper.emit(0)
    wait_for_marks(keeper, 20)
    code, seconds = keeper.stop()
    assert code == 0 and seconds < 2
    status, = town.wait_for(lambda: [json.loads(s) for s, in city.rows("SELECT status FROM office")
                                     if json.loads(s)["state"] == "offline"], 5, "status offline")
    assert status["office"] == keeper.office and status["synced"]["alarm"] == 0


def test_a_city_restored_from_a_backup_gets_everything_again(keeper, city, tmp_path):
    for _ in range(300):
        keeper.emit(1)
    keeper.sign_checkpoint()
    wait_for_marks(keeper, 20)
    assert city.stop() == 0
    backup = tmp_path / "backup.db"
    backup.write_bytes((tmp_path / "city.db").read_bytes())
    city.start()
    for _ in range(500):
        keeper.emit(2)
    keeper.sign_checkpoint()
    wait_for_marks(keeper, 20)
    assert city.stop() == 0
    for name in ("city.db", "city.db-wal", "city.db-shm"):
        if (tmp_path / name).exists():
            (tmp_path / name).unlink()
    backup.rename(tmp_path / "city.db")
    city.start()
    town.wait_for(lambda: len(bodies_at(city)) == 800, 60, "everything again")
    wait_for_marks(keeper, 30)
    check_all(keeper, city)


def test_another_key_is_refused_and_found(keeper, broker, city, tmp_path):
    keeper.emit(1)
    wait_for_marks(keeper, 20)
    with open(city.verifier, encoding="ascii") as vkey:
        other = fake_keeper.FakeKeeper(UPLINK, broker.url, vkey.read(), office=keeper.office,
                                       log="00000000", folder=tmp_path)
    keeper.ending = True
    keeper.kill_uplink()
    other.start()
    try:
        town.wait_for(lambda: city.rows("SELECT kind FROM finding") == [("key",)], 20, "a finding")
    finally:
        other.ending = True
        other.kill_uplink()
