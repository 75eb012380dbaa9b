"""A million recorded events, replayed: the same hash twice, in bounded time and memory; another threshold
shows exactly the alarms that differ."""
import json
import subprocess
import threading
import time

import pytest
import town
from replays import LOW, LOWER, Office, low_of

READINGS = 1000000
SECONDS_MOST, MEMORY_MOST_MIB = 120, 64


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    office = Office(tmp_path_factory.mktemp("million"), READINGS, awaits=-1)
    office.start()
    try:
        office.run_all()
        # Behind the last reading come its alarms.
        town.wait_for(lambda: office.status()["events"] > READINGS * (101 + LOW + 1) // 101, 600,
                      "the readings", 1)
        time.sleep(3)
    finally:
        office.stop(60)
    return office


def readings(office):
    """Those that anybody may alarm about, read as they come."""
    with subprocess.Popen([office.installed.outpost, "events", "--json", "--state", office.state,
                           "--type", "bench.reading"], stdout=subprocess.PIPE, text=True) as reader:
        for line in reader.stdout:
            event = json.loads(line)
            if event["data"]["battery"] <= LOW:
                yield event


def peak_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int([line for line in status if line.startswith("VmHWM")][0].split()[1]) / 1024


def watch(process, peaks):
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
                for pid in [process.pid, *map(int, file.read().split())]:
                    peaks.append(peak_mib(pid))
        except (OSError, IndexError):
            pass  # it has just ended
        time.sleep(0.05)


def replay(office, config):
    """What it found, in how many seconds and MiB of the bigger process."""
    began, peaks = time.monotonic(), []
    with subprocess.Popen([office.installed.outpost, "replay", "threshold", "low", "--journal",
                           office.state, "--config", config, "--json", "--limit", "100000"],
                          stdout=subprocess.PIPE, text=True) as process:
        watcher = threading.Thread(target=watch, args=(process, peaks))
        watcher.start()
        told = json.loads(process.stdout.read())
        watcher.join()
    seconds = time.monotonic() - began
    print(f"replay: {told['replay']['events']} events in {seconds:.1f} s, {max(peaks):.0f} MiB")
    assert seconds < SECONDS_MOST and max(peaks) < MEMORY_MOST_MIB
    return told


@pytest.mark.long
def test_a_million_events_give_the_same_hash_twice(filled):
    first, again = (replay(filled, filled.config) for _ in range(2))
    assert first["replay"]["hash"] == again["replay"]["hash"]
    assert first["replay"]["events"] >= READINGS
    low = list(low_of(readings(filled), LOW))
    assert first["replay"]["emitted"]["alarm"] == len(low)
    changed = replay(filled, filled.config_with(LOWER))
    gone = len(low) - sum(battery <= LOWER for _, _, battery, _ in low)
    assert changed["replay"]["emitted"]["alarm"] == len(low) - gone
    # Against life, the alarms that were recorded may stand later than --within says: the keeper was
    # full. Against the other threshold none does.
    against = subprocess.run([filled.installed.outpost, "replay", "threshold", "low", "--journal",
                              filled.state, "--config", filled.config_with(LOWER), "--against-config",
                              filled.config, "--json"], capture_output=True, text=True, check=False)
    assert against.returncode == 1
    assert json.loads(against.stdout)["differences"] == [
        {"type": "threshold.low", "lane": "alarm", "fewer": gone, "more": 0, "other": 0}]
