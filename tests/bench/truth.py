"""truth - goals T: what was acknowledged is there after kill -9, after power cuts and without a broker.

Acknowledged is what the keeper has told tests/bench/load (the sequences of each commit), there is what
a reader finds in the city's database. A sequence that was told twice is lost too: the first was
forgotten. Each row carries a control, the same with something left out, which has to lose."""
import functools
import os
import random
import re
import shutil
import subprocess
import sys
import time

import appliance
import backlog
import drain
import listener
from goal import Goal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
import forwarders  # noqa: E402

KILLS_WRITING, KILLS_DRAINING, STATES = 50, 20, 400
BATCH = 20
PROGRESS = 4000        # events that come between two kills
AWAY = 20000           # messages while the broker is away
WINDOW = 64 * 256      # events of a full window of batches
QUIET_S = 2
COMMITS = "commits"
POWERCUT = os.path.join(appliance.BUILD, "tests", "faults", "powercut", "keeper")


class Told(Goal):
    """A goal that says what it counted; void when its control has lost nothing."""

    def __init__(self, *how, **more):
        super().__init__(*how, **more)
        self.bites = True

    def row(self):
        measured = self.measure

        def measure():
            values, told, self.bites = measured()
            self.what += f" ({told})"
            return values, []
        self.measure = measure
        return super().row()

    def verdict(self, values, limits):
        return super().verdict(values, limits) if self.bites else "void: the control lost nothing"


def acknowledged(path, batch):
    """Every sequence the keeper has told, as often as it did."""
    return [int(line.split()[0]) + i for line in drain.lines_of(path) for i in range(batch)]


def count_lost(told, there):
    return len(told) - len(set(told)) + len(set(told) - there)


def kill(office):
    office.process.kill()
    office.process.wait()
    time.sleep(0.05)  # its children see that by themselves


def copy_of(state, to):
    shutil.copytree(state, to, ignore=shutil.ignore_patterns("socket", "*.sock"))
    return to


def rows_when_quiet(city, seconds):
    """Waits until nothing new comes; the rows."""
    end, count, since = time.monotonic() + seconds, -1, time.monotonic()
    while time.monotonic() < end:
        now = rows_of(city)
        if now != count:
            count, since = now, time.monotonic()
        elif count and time.monotonic() - since > QUIET_S:
            break
        time.sleep(0.1)
    return listener.rows(city)


def at_the_city(folder, state, seconds=60):
    """Sequences that a city of its own has of that journal in the end."""
    os.makedirs(folder)
    running = [drain.Broker(folder)]
    try:
        running.append(drain.City(folder, running[0].port))
        wanted = {"url": f"mqtt://127.0.0.1:{running[0].port}", "verifier": running[1].key + ".pub"}
        running.append(drain.Office(folder, state, wanted, batch=1, count=1, type="bench.reading",
                                    result=os.path.join(folder, "result")))
        return {seq for _, seq, _ in rows_when_quiet(running[1], seconds)}
    finally:
        for program in reversed(running):
            program.stop()


def without_wal(folder, state, told):
    """The control: what is lost when the last commits are taken out of the journal."""
    wal = os.path.join(state, "journal", "tail.db-wal")
    if os.path.exists(wal):
        os.unlink(wal)
    return count_lost(told, at_the_city(folder, state, 20))


def lost_while_writing():
    folder = appliance.scratch()
    state, log = os.path.join(folder, "state"), os.path.join(folder, COMMITS)
    try:
        for _ in range(KILLS_WRITING):
            before = len(drain.lines_of(log))
            office = drain.Office(folder, state, batch=BATCH, window=4, wait_ms=0, seconds=1000, log=log,
                                  type="mixed")
            try:
                drain.wait_for(lambda: len(drain.lines_of(log)) > before, 30, "a commit")
                time.sleep(random.random() * 0.1)
            finally:
                kill(office)
        time.sleep(0.5)
        told = acknowledged(log, BATCH)
        bare = copy_of(state, os.path.join(folder, "bare"))
        lost = count_lost(told, at_the_city(os.path.join(folder, "city"), state))
        control = without_wal(os.path.join(folder, "control"), bare, told)
        return [lost], (f"{KILLS_WRITING} kills, {len(told)} acknowledged; control, without the WAL: "
                        f"{control} lost"), control > 0
    finally:
        shutil.rmtree(folder)


# ---- While it hands over

def rows_of(city):
    return city.one("SELECT coalesce(max(rowid), 0) FROM event")


def kill_while_draining(folder, state, city, wanted, log):
    """Kills the office each time when some more rows have come, until so few are left that it would
    not be in the middle; how often, and the last office."""
    kills, backlogged = 0, drain.journal_size(state)
    while True:
        enough = rows_of(city) + PROGRESS
        office = drain.Office(folder, state, wanted, type="bench.alarm", batch=1, rate=50, wait_ms=0,
                              seconds=100000, log=log)
        try:
            if kills == KILLS_DRAINING or enough > backlogged:
                return kills, office
            drain.wait_for(lambda least=enough: rows_of(city) >= least, 60, "rows")
            time.sleep(random.random() * 0.05)
        except BaseException:
            kill(office)
            raise
        kill(office)
        kills += 1


def sent_again(heard, rows):
    """Events that an earlier batch of their lane has held, and those that the listener has missed."""
    lanes = {}
    for _, seq, lane in rows:
        lanes.setdefault(lane, []).append(seq)
    again = missed = 0
    for lane, seqs in lanes.items():
        more, never = listener.events_heard(sorted(seqs), [b for b in heard if b.lane == lane])
        again, missed = again + more, missed + never
    return again, missed


@functools.lru_cache(None)
def killed_draining():
    folder, running = appliance.scratch(), []
    log = os.path.join(folder, COMMITS)
    try:
        state = copy_of(backlog.journal(backlog.MILLION), os.path.join(folder, "state"))
        backlogged = drain.journal_size(state)
        running.append(drain.Broker(folder))
        running.append(listener.Listener(running[0], folder))
        running.append(drain.City(folder, running[0].port))
        city = running[2]
        wanted = {"url": f"mqtt://127.0.0.1:{running[0].port}", "verifier": city.key + ".pub"}
        kills, office = kill_while_draining(folder, state, city, wanted, log)
        running.append(office)
        drain.wait_for(lambda: rows_of(city) >= backlogged, 120,
                       "the whole backlog")
        alarms = drain.lines_of(log)
        time.sleep(QUIET_S)
        office.stop()
        rows = listener.rows(city)
        told = list(range(backlogged)) + [int(line.split()[0]) for line in alarms]
        there = {seq for _, seq, _ in rows}
        again, missed = sent_again(running[1].batches(), rows)
        return {"kills": kills, "told": len(told), "lost": count_lost(told, there),
                "twice": len(rows) - len({row[:2] for row in rows}),
                "again": again, "missed": missed,
                "control": count_lost(told, {seq for _, seq, lane in rows if lane != "alarm"})}
    finally:
        for program in reversed(running):
            program.stop()
        shutil.rmtree(folder)


def lost_while_draining():
    found = killed_draining()
    return [found["lost"]], (f"{found['kills']} kills, {found['told']} acknowledged; control, alarms "
                             f"left out: {found['control']} lost"), found["control"] > 0


def applied_twice():
    found = killed_draining()
    return [found["twice"]], f"control: {found['again']} were sent twice", found["again"] > 0


def sent_twice():
    found = killed_draining()
    each = found["again"] / max(1, found["kills"])
    return [each / WINDOW], (f"{each:.0f} events a kill, the window is {WINDOW}; the listener "
                              f"missed {found['missed']}"), found["again"] > 0 and not found["missed"]


# ---- The rest

def power_cuts():
    """Wrong is as bad as lost, and no last line is worse."""
    done = subprocess.run([POWERCUT, "--states", str(STATES)], capture_output=True, text=True, check=False)
    line = (done.stdout.strip().splitlines() or [""])[-1]
    if "control_lost=" not in line:
        raise RuntimeError("it stopped: " + ";".join(done.stderr.splitlines()[-1:]))
    states, lost, wrong = (int(re.search(name + r"=(\d+)", line).group(1))
                           for name in ("states", " lost", "wrong"))
    control = re.search(r"control_lost=(.+)", line).group(1)
    bites = all(int(part.split(":")[1].split("/")[0]) > 0 for part in control.split(","))
    return [lost + wrong], f"{states} states; controls lost {control}", bites


def outage(make):
    folder = os.path.join(appliance.scratch(), "outage")
    forwarder = make(folder)
    try:
        forwarder.start()
        taken = forwarder.send(AWAY)
        forwarder.open_city()
        end, most, since = time.monotonic() + 60, -1, time.monotonic()
        while time.monotonic() < end and most < taken and time.monotonic() - since < 8:
            count = len(forwarder.arrived())
            if count > most:
                most, since = count, time.monotonic()
            time.sleep(0.2)
        return taken, len(forwarder.expected() - set(forwarder.arrived()))
    finally:
        forwarder.stop()
        shutil.rmtree(os.path.dirname(folder))


def broker_away():
    taken, lost = outage(forwarders.Outpost)
    of_bridge, control = outage(lambda folder: forwarders.Bridge(folder, tuned=False))
    return [lost], (f"of {taken}; control, mosquitto's bridge as it comes: {control} of {of_bridge}"
                    ), control > 0


def restarts(count):
    """Seconds from exec to the first publish, each after a kill -9."""
    folder, running = appliance.scratch(), []
    took = []
    try:
        state = copy_of(backlog.journal(backlog.SOME), os.path.join(folder, "state"))
        running.append(drain.Broker(folder))
        running.append(listener.Listener(running[0], folder))
        key = listener.city_key(folder)
        wanted = {"url": f"mqtt://127.0.0.1:{running[0].port}", "verifier": key}
        for _ in range(count + 1):
            heard, began = running[1].size(), time.monotonic()
            office = drain.Office(folder, state, wanted, type="bench.reading", batch=1, count=1)
            try:
                drain.wait_for(lambda before=heard: running[1].size() > before, 30, "a publish", 0.002)
                took.append(time.monotonic() - began)
            finally:
                kill(office)
        return took[1:], []
    finally:
        for program in reversed(running):
            program.stop()
        shutil.rmtree(folder)


def goals(pairs):
    return [
        Told("T1 writing", "acknowledged events lost by kill -9 while it writes", 0, 0,
             lost_while_writing, most=True),
        Told("T1 drain", "acknowledged events lost by kill -9 while it hands over a backlog", 0, 0,
             lost_while_draining, most=True),
        Told("T2", "acknowledged events lost, or found wrong, after power cuts", 0, 0, power_cuts,
             most=True),
        Told("T3", "events sent twice by a kill while it hands over, over a full window", 1, 0.5,
             sent_twice, most=True),
        Told("T3 twice", "events applied twice by the city after those kills", 0, 0, applied_twice,
             most=True),
        Told("T4", "events lost with the broker away", 0, 0, broker_away, most=True),
        Goal("T5", "from exec after kill -9 to the first publish, 200,000 events of backlog", 1, 0.2,
             lambda: restarts(max(3, pairs)), most=True, unit=" s"),
    ]
