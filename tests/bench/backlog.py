"""backlog - goals P4 and D: an office that was offline hands over what it has. Counted is what is
committed in the city's database; the limit is bare SQLite, or the same drain without a hindrance."""
import atexit
import functools
import os
import shutil

import appliance
import drain
from goal import Goal, in_turn

MILLION, SOME, FEW = 1000000, 200000, 2000
MODEM = 512000


@functools.lru_cache(None)
def journal(events, kind="mixed"):
    """A filled journal for all that want such a one; gone at the end."""
    folder = appliance.scratch()
    atexit.register(shutil.rmtree, folder)
    path = os.path.join(folder, "state")
    drain.fill(folder, path, events, kind)
    return path


def run(events, **how):
    return drain.drain(events, journal=journal(events), verify=False, **how)


@functools.lru_cache(None)
def million():
    """The one that is also verified to the last event, at both ends."""
    found = drain.drain(MILLION, journal=journal(MILLION))
    assert found["exactly_once"], found
    return found


@functools.lru_cache(None)
def on_a_modem():
    return run(MILLION, line=MODEM, seconds=20)


def peak(found, *names):
    return [found["processes"][name]["peak_mib"] for name in names]


def over_bare(pairs):
    """Each transaction of the limit is as large as the city's own."""
    def bare():
        figures = appliance.limit("sqlite", 8192, 1.2)
        return dict(figures, rate=figures["events"] / figures["seconds"])
    return in_turn(pairs, lambda: run(SOME), bare, lambda p, l: p["rate"] / l["rate"])


def far(pairs):
    def over(delay_ms):
        return run(MILLION, line=10**9, delay_ms=delay_ms, seconds=6)
    return in_turn(pairs, lambda: over(50), lambda: over(0), lambda p, l: p["rate"] / l["rate"])


@functools.lru_cache(None)
def with_ingest(pairs):
    load = {"type": "bench.reading", "batch": 10, "rate": 100, "seconds": 2}
    founds = []
    ratios = in_turn(pairs, lambda: founds.append(run(SOME, load=load)) or founds[-1],
                     lambda: run(SOME), lambda p, l: p["rate"] / l["rate"])
    return ratios, [found["load"] for found in founds]


def alarm_waits(pairs):
    """Of alarms for the office's own disk, while the keeper answers fetches as fast as it can."""
    load = {"rate": 50, "seconds": 1.5}
    return [run(SOME, load=load)["load"]["p99_us"] / 1000 for _ in range(pairs)], []


def growth(pairs):
    """Of the keeper and the uplink together."""
    return [sum(peak(run(SOME), "keeper", "uplink")) - sum(peak(run(FEW), "keeper", "uplink"))
            for _ in range(pairs)], []


def commits(pairs):
    """Groups the keeper committed: the marks, and one for each alarm that was raised meanwhile."""
    counts = []
    for _ in range(pairs):
        found = run(SOME, load={"rate": 1})
        counts.append((found["commits"] - found["alarms"]) * 100000 / SOME)
    return counts, []


def goals(pairs):
    few = max(3, pairs // 3)
    return [
        Goal("drain", "events/s of 1,000,000 that waited, committed in the city's database", 50000,
             100000, lambda: ([million()["rate"]], [])),
        Goal("drain alarm", "first new alarm at the city after the connection", 0.5, 0.2,
             lambda: ([million()["first_alarm_s"]], []), most=True, unit=" s"),
        Goal("drain p99", "last percentile of a live alarm's way to the city meanwhile", 1, 0.2,
             lambda: ([million()["alarm_p99_s"]], []), most=True, unit=" s"),
        Goal("drain memory", "peak of the largest of keeper, uplink and city", 64, 16,
             lambda: ([max(peak(million(), "keeper", "uplink", "city"))], []), most=True,
             unit=" MiB"),
        Goal("drain disk", "last percentile of an alarm's wait for the disk meanwhile", 50, 20,
             lambda: alarm_waits(few), most=True, unit=" ms"),
        Goal("modem alarm", "first new alarm at 512 kbit/s, behind a thousand that waited", 2, 1.5,
             lambda: ([on_a_modem()["first_alarm_s"]], []), most=True, unit=" s"),
        Goal("modem p50", "a live alarm's way beside the backlog, 64 KiB of queue in the modem", 1,
             0.4, lambda: ([on_a_modem()["alarm_p50_s"]], []), most=True, unit=" s"),
        Goal("modem p99", "its last percentile, once those that waited are through", 1, 0.6,
             lambda: ([on_a_modem()["later_p99_s"]], []), most=True, unit=" s"),
        Goal("P4", "drain over a round trip of 50 ms over the same without", 0.7, 0.8,
             lambda: far(few)),
        Goal("D2 city", "drain, parsing and verifying included, over bare inserts in SQLite FULL", 0.1,
             0.4, lambda: over_bare(few), reported=True),
        Goal("D6", "drain with 1000/s of durable ingest over drain alone", 0.85, 0.95,
             lambda: with_ingest(few)[0]),
        Goal("D6 kept", "the ingest meanwhile over 1000/s", 0.99, 1.0,
             lambda: ([l["events"] / l["seconds"] / 1000 for l in with_ingest(few)[1]], [])),
        Goal("D6 wait", "last percentile of its wait for the disk", 45, 30,
             lambda: ([l["p99_us"] / 1000 for l in with_ingest(few)[1]], []), most=True, unit=" ms"),
        Goal("D7", "memory of keeper and uplink, 200,000 events of backlog over 2,000", 4, 1,
             lambda: growth(few), most=True, unit=" MiB"),
        Goal("D8", "commits of the keeper per 100,000 drained events", 1100, 110,
             lambda: commits(few), most=True),
    ]
