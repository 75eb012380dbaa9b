"""The keeper is killed as it enters its k-th write, fsync, rename or unlink, for every k of one
sealing cycle (256 events leave the tail for a tile). After each, the keeper must start again, every
acknowledged event must be there, none twice, and the journal must verify.

A private copy of the programs runs the plugin `ticker` beside the shipped ones.
"""
import json
import os
import re
import shutil

import pytest
import town

HERE = os.path.dirname(os.path.abspath(__file__))
CALLS = "write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,unlinkat"
BEFORE = 238  # ticks in the journal before the cycle; box.started and the like come on top
TICKS = 20    # ticks of the cycle itself: over the edge of the first tile
QUICK_STEP = 12


def private_programs(folder):
    """A copy of the build, because a program finds the others and the plugins beside itself."""
    for part in ("bin", "libexec"):
        shutil.copytree(os.path.join(town.BUILD, part), folder / part)
    plugins = folder / "share" / "outpost" / "plugins"
    plugins.mkdir(parents=True)
    (folder / "share" / "outpost" / "lua").symlink_to(os.path.join(town.ROOT, "lua"))
    (plugins / "ticker").symlink_to(os.path.join(HERE, "plugins", "ticker"))
    return str(folder / "bin" / "outpost")


class Office(town.Office):
    """An office without a city whose only plugin ticks, on its own copy of a journal."""

    def __init__(self, folder, outpost, count, journal=None, trace=()):
        super().__init__(folder, plugins=f'plugin "ticker" "t" {{ count = {count} }}\n')
        self.argv = (*trace, outpost, *self.argv[1:])
        if journal:
            shutil.copytree(journal, self.state)

    def rests(self):
        return self.text().endswith("rests\n") or "rests" in self.text()[-200:]

    def acked(self):
        """The last number that was said aloud; 0 when none was."""
        said = re.findall(r"acked (\d+)$", self.text(), re.M)
        return int(said[-1]) if said else 0

    def run_out(self):
        """Runs until the ticker rests or the keeper is dead; True when it was killed."""
        self.start()
        town.wait_for(lambda: self.rests() or not self.runs(), 30, f"the ticks; {self.log_path}")
        if self.runs():
            town.wait_for(lambda: self.sealed() or not self.runs(), 5, "the tile")
        if self.runs():
            assert self.stop() in (0, -9)
        return self.process.returncode == -9

    def sealed(self):
        return os.path.exists(os.path.join(self.state, "journal", "tile", "entries", "000"))

    def numbers(self):
        listed = self.command("events", "--json", "--type", "ticker.*").stdout.splitlines()
        return [number_of(json.loads(line)) for line in listed]


def number_of(event):
    return event.get("body", event)["data"]["n"]


def tracing(path, k=None):
    inject = ["-e", f"inject={CALLS}:signal=KILL:when={k}"] if k else []
    return ("strace", "-D", "-qq", "-o", str(path), "-e", f"trace={CALLS}", *inject)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """(outpost, a journal just before its first tile is full, calls of the cycle that follows)."""
    folder = tmp_path_factory.mktemp("prepared")
    outpost = private_programs(folder / "programs")
    before = Office(folder / "before", outpost, BEFORE)
    before.start()
    town.wait_for(before.rests, 60, "the first ticks")
    assert before.stop() == 0 and not before.sealed()
    whole = Office(folder / "whole", outpost, TICKS, before.state, tracing(folder / "trace"))
    assert not whole.run_out() and whole.sealed()
    calls = len((folder / "trace").read_text(encoding="utf-8").splitlines())
    return outpost, before.state, calls


def survives(folder, outpost, journal, k):
    """Kills at the k-th call, starts again, looks; True when it was killed at all."""
    office = Office(folder, outpost, TICKS, journal, tracing(folder.parent / "trace", k))
    killed = office.run_out()
    acked = max(office.acked(), BEFORE)
    again = Office(folder, outpost, TICKS)
    again.log_path = str(folder / "again.log")
    assert not again.run_out(), f"k={k}: it died again"
    numbers = again.numbers()
    assert numbers == list(range(1, len(numbers) + 1)), f"k={k}: a hole or a number twice"
    assert len(numbers) >= acked + TICKS, f"k={k}: {acked} were acknowledged"
    again.verify()
    shutil.rmtree(folder)
    return killed


def sweep(prepared, tmp_path, step):
    outpost, journal, calls = prepared
    killed = sum(survives(tmp_path / str(k), outpost, journal, k)
                 for k in range(1, calls + 1, step))
    points = len(range(1, calls + 1, step))
    print(f"syscalls: {calls} calls in one sealing cycle, {points} tried, {killed} kills, 0 lost")
    assert killed >= points * 0.9


def test_a_kill_at_some_calls_of_a_sealing_cycle_loses_nothing(prepared, tmp_path):
    sweep(prepared, tmp_path, QUICK_STEP)


@pytest.mark.long
def test_a_kill_at_every_call_of_a_sealing_cycle_loses_nothing(prepared, tmp_path):
    sweep(prepared, tmp_path, 1)
