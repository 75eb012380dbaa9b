"""More history than the quota holds: the disk stays below it, no alarm and no record is lost, and
what was thinned is on record and verifies.

The long one is 72 hours of 50 events a second under 1 GB, as fast as the keeper takes them; the city
is away all the while, so that everything that goes is recorded as thinned for the quota.
"""
import os
import re
import time

import floods
import pytest
import town


def watch(keeper, quota, seconds):
    """Until the history is written; the most that the journal took on disk."""
    most, end = 0, time.monotonic() + seconds
    journal = os.path.join(keeper.state, "journal")
    while not keeper.told()["done"]:
        assert keeper.runs(), keeper.text()[-4000:]
        assert time.monotonic() < end, f"not written in {seconds} s: {keeper.told()}"
        most = max(most, floods.disk_bytes(journal))
        assert most <= quota * 1.01, f"{most} bytes on disk under a quota of {quota}"
        time.sleep(max(0.2, most / 5e8))  # a walk takes its time too
    return max(most, floods.disk_bytes(journal))


def check_files(keeper, told):
    found = floods.count(os.path.join(keeper.state, "journal"))
    assert found["flood.alarm"] == told["alarm"], (found, told)
    assert found["flood.record"] == told["record"], (found, told)
    assert found["flood.reading"] < told["telemetry"], "nothing was thinned: the test shows nothing"
    verified = town.run(town.OUTPOST, "verify", "--state", keeper.state, expect=None)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    erased = re.search(r"(\d+) events erased by (\d+) journal.thinned events", verified.stdout)
    assert erased, verified.stdout
    assert int(erased.group(1)) == told["telemetry"] - found["flood.reading"]
    assert int(erased.group(2)) == found["journal.thinned"]
    return found


@pytest.mark.parametrize("events, quota_mb, reserve_mb, seconds", [
    pytest.param(650_000, 64, 8, 300, id="64 MB", marks=pytest.mark.slow),
    pytest.param(12_960_000, 1024, 64, 5400, id="72 hours, 1 GB", marks=pytest.mark.long),
])
def test_a_history_longer_than_the_quota_loses_telemetry_only(tmp_path, events, quota_mb, reserve_mb,
                                                              seconds):
    keeper = floods.Keeper(tmp_path, tmp_path / "state", quota_mb, reserve_mb, events=events).start()
    try:
        most = watch(keeper, quota_mb * floods.MB, seconds)
        told = keeper.told()
    finally:
        code = keeper.stop(60)
    assert code == 0, keeper.text()[-4000:]
    assert told["failed"] == 0 and told["gave_up"] == 0, told
    assert told["alarm"] + told["record"] + told["telemetry"] >= events
    found = check_files(keeper, told)
    print(f"\nquota: {events} events, at most {most} of {quota_mb * floods.MB} bytes on disk, "
          f"{found['journal.thinned']} journal.thinned, left: {dict(found)}")


@pytest.mark.slow
def test_killed_while_it_thins_it_goes_on_where_it_was(tmp_path):
    """kill -9 at any time of a round, ten times; what was acknowledged is there and verifies."""
    acked, thinned = {"alarm": 0, "record": 0}, 0
    keeper = floods.Keeper(tmp_path, tmp_path / "state", 64, 8, events=10 ** 9)
    try:
        for life in range(11):
            keeper.start()
            town.wait_for(lambda: keeper.storage().get("thinned", 0) > 0, 120, "some thinning")
            time.sleep(0.3 + 0.137 * life)
            town.wait_for(lambda: os.path.exists(keeper.result), 10, "the host to say something")
            thinned += keeper.storage().get("thinned", 0)
            if life < 10:
                keeper.kill()
            told = keeper.told()  # at most a second old: no more than was acknowledged
            os.unlink(keeper.result)
            acked = {lane: acked[lane] + told[lane] for lane in acked}
            assert told["failed"] == 0, told
    finally:
        keeper.stop(60)
    found = floods.count(os.path.join(keeper.state, "journal"))
    assert found["flood.alarm"] >= acked["alarm"] and found["flood.record"] >= acked["record"], (found, acked)
    assert found["journal.thinned"] >= 10 and thinned > 0
    town.run(town.OUTPOST, "verify", "--state", keeper.state)
