"""ingest - goals I1 to I9: how near the journal comes to the disk, with all its IPC, hashes and
sealing in it. Eight hosts send events of 400 bytes of data; the keeper stores about 900."""
import appliance
from goal import Goal, in_turn

SLOW_US = 5000  # a sync of an SD card or eMMC
PLUGINS = 8


def limit(kind, batch, seconds=1.2, sync_us=0):
    figures = appliance.limit(kind, batch, seconds, sync_us)
    return dict(figures, rate=figures["events"] / figures["seconds"])


def product(group, seconds=1.2, **how):
    """Groups of about `group` events: each host has its share of one group under way."""
    return appliance.ingest(plugins=PLUGINS, batch=-(-group // PLUGINS), window=1, seconds=seconds,
                            **how)


def rates(group, kind, pairs, sync_us=0):
    """The limit's transactions are as large as the product's groups have been."""
    ratios, limits = [], []
    for _ in range(pairs):
        had = product(group, sync_us=sync_us)
        bound = limit(kind, round(had["events"] / had["groups"]), sync_us=sync_us)
        ratios.append(had["rate"] / bound["rate"])
        limits.append(bound["rate"])
    return ratios, limits


def cpu_ratio(pairs, errands=False):
    def per_event(figures):
        return (figures["cpu_s"] + figures.get("cpu_errands_s", 0) * errands) / figures["events"]
    return in_turn(pairs, lambda: product(100), lambda: limit("sqlite", 100),
                   lambda p, l: per_event(p) / per_event(l))


def syncs(pairs, groups_of=100, errands=False):
    counts = []
    for _ in range(pairs):
        figures = product(groups_of, sync_us=SLOW_US)
        made = figures["syncs"] + (figures["syncs_errands"] if errands else 0)
        counts.append(made / figures["groups"])
    return counts, []


def bytes_written(pairs, per):
    counts = []
    for _ in range(pairs):
        figures = product(100, sync_us=SLOW_US)
        counts.append(figures["written"] / figures["events"] / per)
    return counts, []


def waits(pairs):
    """A thousand events a second, one by one: the last percentile against a group commit of the same
    20 ms window in bare SQLite."""
    def spread():
        return appliance.ingest(plugins=PLUGINS, batch=1, rate=1000 / PLUGINS, seconds=2)

    def bare():
        figures = appliance.limit("group", 1000, 2)
        return dict(figures, rate=figures["p99_us"])
    return in_turn(pairs, spread, bare, lambda p, l: p["p99_us"] / l["p99_us"])


def longest(seconds):
    figures = appliance.ingest(plugins=PLUGINS, batch=1, rate=5000 / PLUGINS, seconds=seconds)
    return [figures["max_us"] / 20000], []


def suites(pairs):
    def sm():
        return product(100, suite="sm3+sm2")

    def sha():
        return product(100)
    return in_turn(pairs, sm, sha, lambda p, l: p["rate"] / l["rate"])


def alarms(pairs):
    """Alarms, one a host every 20 ms, until they are on disk."""
    return [appliance.ingest(plugins=PLUGINS, batch=1, rate=50, seconds=2,
                             type="bench.alarm")["p99_us"] / 1000 for _ in range(pairs)], []


def goals(pairs, long):
    return [
        Goal("I1", "events/s, groups of 100, 5 ms disk, over raw append + fdatasync", 0.80, 0.90,
             lambda: rates(100, "raw", pairs, SLOW_US)),
        Goal("IPC", "the same over raw SQLite WAL FULL: durable ingest from 8 plugins", 0.80, 0.90,
             lambda: rates(100, "sqlite", pairs, SLOW_US)),
        Goal("I2", "events/s, groups of 1000, 5 ms disk, over bare SQLite FULL", 0.80, 0.90,
             lambda: rates(1000, "sqlite", pairs, SLOW_US)),
        Goal("I2 100", "events/s, groups of 100, this disk, over bare SQLite FULL", 0.80, 0.90,
             lambda: rates(100, "sqlite", pairs), reported=True),
        Goal("I2 1000", "events/s, groups of 1000, this disk, over bare SQLite FULL", 0.80, 0.90,
             lambda: rates(1000, "sqlite", pairs), reported=True),
        Goal("I3", "syncs of the keeper per acknowledged group", 1.10, 1.05,
             lambda: syncs(max(3, pairs // 3)), most=True),
        Goal("I3+", "the same with the syncs of its sealing errands", 2.0, 1.5,
             lambda: syncs(max(3, pairs // 3), errands=True), most=True),
        Goal("I4", "device bytes per byte of composed event, with sealing and retention", 5.5, 4.8,
             lambda: bytes_written(max(3, pairs // 3), 934), most=True),
        Goal("I5", "last percentile of the wait at 1000/s over bare SQLite, same window", 1.5, 1.15,
             lambda: waits(pairs), most=True),
        Goal("I6", f"longest wait in {long} s at 5000/s over the 20 ms window", 4, 2,
             lambda: longest(long), most=True),
        Goal("I7", "CPU per event, from the socket to the disk, over a bare insert", 3.0, 2.0,
             lambda: cpu_ratio(pairs), most=True),
        Goal("I7+", "the same with compressing and sealing beside it", 8.0, 4.0,
             lambda: cpu_ratio(pairs, errands=True), most=True),
        Goal("I9", "events/s, sm3+sm2 over sha256+ed25519, groups of 100", 0.40, 0.70,
             lambda: suites(pairs)),
        Goal("alarm", "last percentile of an alarm's wait for the disk", 50, 20,
             lambda: alarms(3), most=True, unit=" ms"),
    ]
