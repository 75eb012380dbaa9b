"""A disk whose every sync takes its time: 20 ms as a good flash card, 200 ms as a worn one, 2 s as one that
collects its garbage. The box is slow then, and nothing else: what is acknowledged is there, in order; the
city gets all of it; and a keeper that waited for the disk does not take its children for dead.

tests/bench/slowdisk.c is preloaded and makes the syncs slow; the keeper's errands too.
"""
import os
import struct

import history
import programs
import pytest
import town

SLOWDISK = os.path.join(town.ROOT, "tests", "bench", "slowdisk.c")


@pytest.fixture(scope="module")
def slowdisk(tmp_path_factory):
    built = str(tmp_path_factory.mktemp("slowdisk") / "slowdisk.so")
    town.run("gcc", "-std=c11", "-O2", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", built, SLOWDISK, "-ldl")
    return built


@pytest.mark.parametrize("sync_ms, count, group", [
    pytest.param(20, 200, 8, id="20-ms"),
    pytest.param(200, 160, 8, id="200-ms", marks=pytest.mark.slow),
    pytest.param(2000, 64, 16, id="2-s", marks=pytest.mark.slow),
])
def test_a_slow_disk_makes_the_box_slow_and_nothing_else(sync_ms, count, group, slowdisk, tmp_path, broker,
                                                         city, started):
    counted = tmp_path / "syncs"
    through = ("env", f"LD_PRELOAD={slowdisk}", f"SYNC_US={sync_ms * 1000}", f"BENCH_SYNCS={counted}")
    office = programs.TickingOffice(tmp_path / "office", city, broker, count, group, through=through)
    started(office)
    town.wait_for(lambda: {"host", "uplink"} <= set(office.children()), 120, "the keeper's children")
    children = {name: office.children()[name] for name in ("host", "uplink")}
    town.wait_for(lambda: f"acked {count}" in office.text(), 240, "the last tick to be acknowledged", 0.5)
    town.wait_for(lambda: not history.findings(history.ticks(count), history.rows(city.database)), 120,
                  "all of it at the city", 0.5)
    now = office.children()
    assert {name: now.get(name) for name in children} == children, "a child was started anew"
    assert not city.events("plugin.*"), office.text()
    for word in ("has not answered", "killed", "set aside"):
        assert word not in office.text(), office.text()
    syncs, spent_us = struct.unpack("=QQ", counted.read_bytes())
    assert syncs > 0 and spent_us > (syncs - 5) * sync_ms * 900, "the disk was not slow"
    office.kill()  # a good end takes a slow disk longer than this test wants to wait
    office.verify()
