"""A foreign file fills the disk on which the journal lies: a small ext4 on a loop device.

Alarms and records are committed all the same, from the room inside the journal's own files;
telemetry is refused and the gap told; the keeper goes on, can be stopped and started on the full
disk; and soon after the file is gone everything is as before. Needs root, for the mount.
"""
import json
import os
import re
import subprocess
import time

import floods
import pytest
import town

pytestmark = [pytest.mark.slow,
              pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")]

DISK_MB, QUOTA_MB, RESERVE_MB = 200, 100, 24
BACK_S = 30


@pytest.fixture
def disk(tmp_path):
    """The folder of an ext4 of its own."""
    image, folder = tmp_path / "disk.img", tmp_path / "disk"
    folder.mkdir()
    with open(image, "wb") as out:
        out.truncate(DISK_MB * floods.MB)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    done = subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=False)
    if done.returncode != 0:
        pytest.skip("this machine allows no mounts")
    yield str(folder)
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk):
    """Takes every block there is, as `dd` would; and goes on when some more come free."""
    path = os.path.join(disk, "foreign")
    with open(path, "ab", buffering=0) as out:
        for size in (1 << 20, 4096):
            try:
                while True:
                    out.write(b"\0" * size)
            except OSError:
                pass
        os.fsync(out.fileno())
    return path


def is_whole(keeper):
    return keeper.storage().get("reserve", {}).get("is_whole")


def lines(keeper, text):
    return len(re.findall(text, keeper.text()))


def grows(keeper, lane, by, seconds=60):
    before = keeper.told()[lane]
    town.wait_for(lambda: keeper.told()[lane] >= before + by, seconds, f"{by} more of {lane}")


def test_alarms_go_on_while_a_foreign_file_fills_the_disk(disk, tmp_path):
    keeper = floods.Keeper(tmp_path, os.path.join(disk, "state"), QUOTA_MB, RESERVE_MB,
                           events=10 ** 9, rate=10000, patience_s=0).start()
    try:
        town.wait_for(lambda: is_whole(keeper), 60, "the reserve")
        grows(keeper, "telemetry", 5000)
        foreign = fill(disk)
        town.wait_for(lambda: keeper.storage().get("full") == "disk", 20, "the status to say so")
        for _ in range(3):
            fill(disk)  # what came free since
            grows(keeper, "alarm", 100)
            grows(keeper, "record", 1000)
        at_rest = keeper.told()["telemetry"]
        grows(keeper, "alarm", 5)
        assert keeper.told()["telemetry"] == at_rest, "telemetry is still taken"
        assert keeper.runs() and lines(keeper, "telemetry is refused") == 1, keeper.text()
        check_restart(keeper, disk)
        os.unlink(foreign)
        check_back(keeper)
    finally:
        code = keeper.stop(60)
    assert code == 0, keeper.text()[-4000:]
    check_journal(keeper)


def check_restart(keeper, disk):
    """Stopped in order and started again, with not a block free."""
    assert keeper.stop(60) == 0, keeper.text()[-4000:]
    keeper.before = keeper.told()  # the host counts from nothing after a restart
    fill(disk)
    os.unlink(keeper.result)
    keeper.start()
    fill(disk)
    grows(keeper, "alarm", 10)
    assert keeper.storage()["full"] == "disk"
    assert os.statvfs(disk).f_bavail * 4096 < 2 * floods.MB, "the disk was not full"


def check_back(keeper):
    began = time.monotonic()
    grows(keeper, "telemetry", 100, BACK_S)
    town.wait_for(lambda: keeper.storage().get("full") == "", BACK_S, "the status to say so")
    sealed = keeper.status()["sealed"]
    town.wait_for(lambda: keeper.status()["sealed"] > sealed, BACK_S, "sealing to go on")
    took = time.monotonic() - began
    assert took <= BACK_S, f"normal again after {took:.0f} s"
    print(f"\nfull disk: normal again {took:.1f} s after the space returned")
    town.wait_for(lambda: is_whole(keeper), 60, "the reserve to be made again")


def check_journal(keeper):
    assert keeper.before["failed"] == 0 and keeper.told()["failed"] == 0
    told = {lane: keeper.before[lane] + keeper.told()[lane] for lane in ("alarm", "record")}
    found = floods.count(os.path.join(keeper.state, "journal"))
    assert found["flood.alarm"] >= told["alarm"] and found["flood.record"] >= told["record"], (found, told)
    assert found["storage.full"] >= 1 and found["storage.back"] == 1 and found["gap.recorded"] == 1, found
    town.run(town.OUTPOST, "verify", "--state", keeper.state)


def test_a_strap_is_an_alarm_at_once_while_the_disk_is_full(disk, tmp_path):
    """The plugin's telemetry finds no room; it goes on all the same, and is not started anew."""
    station = town.Station(tmp_path).start()
    office = town.Office(tmp_path / "office", plugins=station.plugin(poll='"200ms"', heartbeat='"1s"') +
                         f'storage {{ quota = "{QUOTA_MB}MB", reserve = "{RESERVE_MB}MB" }}\n')
    office.state = os.path.join(disk, "state")
    office.argv = (*office.argv[:-1], office.state)
    office.start()
    try:
        town.wait_for(lambda: os.path.exists(os.path.join(office.state, "keeper.sock")), 20, "the office")
        town.wait_for(lambda: office.status()["storage"]["reserve"]["is_whole"], 60, "the reserve")
        fill(disk)
        town.wait_for(lambda: office.status()["storage"]["full"] == "disk", 30, "the status to say so")
        host = office.children()["host"]
        for band in (3, 4, 5):
            fill(disk)
            time.sleep(1.5)  # a heartbeat of each wristband finds no room
            cut = station.do("strap", band, open=True)
            town.wait_for(lambda cut=cut: cut["tag"] in opened(office), 5, f"the alarm of {cut['tag']}")
        assert office.children()["host"] == host, "the plugin was started anew"
        assert "the keeper refused" not in office.text(), "the plugin's round was undone"
    finally:
        town.stop_all([office, station])


def opened(office):
    listed = office.command("events", "--json", "--type", "wristband.strap_opened").stdout.splitlines()
    return [json.loads(line)["data"]["band"] for line in listed]
