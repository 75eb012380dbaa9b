"""The keeper is killed as it enters its k-th write, fsync, rename or unlink, for every k of one
sealing cycle (256 events leave the tail for a tile). After each, the keeper must start again, every
acknowledged event must be there, none twice, and the journal must verify.

The keeper itself is killed by strace, which counts each call by its name. Sealing and signing are
errands in forked children, which strace cannot count apart: there cut.c kills keeper and errand
together. A private copy of the programs runs the plugin `ticker`.
"""
import collections
import json
import os
import re
import shutil

import programs
import pytest
import town

HERE = os.path.dirname(os.path.abspath(__file__))
CALLS = "write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,unlinkat"
BEFORE = 238  # ticks in the journal before the cycle; box.started and the like come on top
TICKS = 20    # ticks of the cycle itself: over the edge of the first tile
QUICK_STEP = 24
LEAST_KILLED = 0.5  # group commit: not every run makes as many calls; a busy machine makes fewer


class Office(town.Office):
    """An office without a city whose only plugin ticks, on its own copy of a journal."""

    def __init__(self, folder, outpost, count, journal=None, through=()):
        super().__init__(folder, plugins=f'plugin "ticker" "t" {{ count = {count} }}\n')
        self.argv = (*through, outpost, *self.argv[1:])
        if journal:
            shutil.copytree(journal, self.state)

    def rests(self):
        return "ticker t: started" in self.text()

    def acked(self):
        """The last number that was said aloud; 0 when none was."""
        said = re.findall(r"acked (\d+)$", self.text(), re.M)
        return int(said[-1]) if said else 0

    def run_out(self):
        """Runs until the ticker rests and the tile is sealed, then stops; True when killed."""
        self.start()
        try:
            town.wait_for(lambda: not self.runs() or self.rests() and self.sealed(), 30,
                          f"the ticks and the tile; {self.log_path}")
        finally:
            code = self.stop()
        assert code in (0, -9), self.text()
        return code == -9

    def sealed(self):
        return os.path.exists(os.path.join(self.state, "journal", "tile", "entries", "000"))

    def numbers(self):
        listed = self.command("events", "--json", "--type", "ticker.*").stdout.splitlines()
        return [json.loads(line)["data"]["n"] for line in listed]


class Cycle:
    """A journal just before its first tile is full, and the calls of the cycle that follows."""

    def __init__(self, folder):
        self.outpost = programs.private(folder / "programs")
        self.cut = str(folder / "cut.so")
        town.run("gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", self.cut,
                 os.path.join(HERE, "cut.c"), "-ldl")
        before = Office(folder / "before", self.outpost, BEFORE).start()
        try:
            town.wait_for(before.rests, 60, f"the first ticks; {before.log_path}")
        finally:
            assert before.stop() == 0 and not before.sealed()
        self.journal = before.state
        self.calls = self.count_calls(folder)
        self.errand_calls = self.count_errand_calls(folder)

    def count_calls(self, folder):
        """[(name, k), ...]: every call of the keeper from start to stop."""
        trace = folder / "trace"
        assert not self.office(folder / "whole", ("strace", "-D", "-qq", "-o", str(trace), "-e",
                                                  f"trace={CALLS}")).run_out()
        seen, calls = collections.Counter(), []
        for name in re.findall(r"^(\w+)\(", trace.read_text(encoding="utf-8"), re.M):
            seen[name] += 1
            calls.append((name, seen[name]))
        return calls

    def count_errand_calls(self, folder):
        counter = folder / "count"
        assert not self.office(folder / "errands", self.cutting(counter, 0)).run_out()
        return int.from_bytes(counter.read_bytes(), "little")

    def office(self, folder, through):
        return Office(folder, self.outpost, TICKS, self.journal, through)

    def cutting(self, counter, k):
        counter.write_bytes(bytes(8))
        return ("env", f"LD_PRELOAD={self.cut}", f"CUT_FILE={counter}", f"CUT_AT={k}")

    def survives(self, folder, what, through):
        """Runs with the fault, starts again, looks; True when it was killed at all."""
        office = self.office(folder, through)
        killed = office.run_out()
        acked = max(office.acked(), BEFORE)
        again = Office(folder, self.outpost, TICKS)
        again.log_path = str(folder / "again.log")
        assert not again.run_out(), f"{what}: it died again"
        numbers = again.numbers()
        assert numbers == list(range(1, len(numbers) + 1)), f"{what}: a hole or a number twice"
        assert len(numbers) >= acked + TICKS, f"{what}: {acked} were acknowledged"
        again.verify()
        shutil.rmtree(folder)
        return killed


@pytest.fixture(scope="module")
def cycle(tmp_path_factory):
    return Cycle(tmp_path_factory.mktemp("cycle"))


def sweep_keeper(cycle, tmp_path, step):
    tried = cycle.calls[::step]
    killed = sum(cycle.survives(
        tmp_path / f"{name}-{k}", f"{name} {k}",
        ("strace", "-D", "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e",
         f"inject={name}:signal=KILL:when={k}")) for name, k in tried)
    print(f"syscalls: keeper: {len(cycle.calls)} calls, {len(tried)} tried, {killed} kills, 0 lost")
    assert killed >= len(tried) * LEAST_KILLED


def sweep_errands(cycle, tmp_path, step):
    tried = range(1, cycle.errand_calls + 1, step)
    killed = sum(cycle.survives(tmp_path / f"errand-{k}", f"errand call {k}",
                                cycle.cutting(tmp_path / "count", k)) for k in tried)
    print(f"syscalls: errands: {cycle.errand_calls} calls, {len(tried)} tried, {killed} kills, 0 lost")
    assert killed >= len(tried) * LEAST_KILLED


@pytest.mark.parametrize("sweep", [sweep_keeper, sweep_errands])
def test_a_kill_at_some_calls_of_a_sealing_cycle_loses_nothing(cycle, tmp_path, sweep):
    sweep(cycle, tmp_path, QUICK_STEP)


@pytest.mark.slow
@pytest.mark.parametrize("sweep", [sweep_keeper, sweep_errands])
def test_a_kill_at_every_call_of_a_sealing_cycle_loses_nothing(cycle, tmp_path, sweep):
    sweep(cycle, tmp_path, 1)
