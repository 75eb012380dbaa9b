#!/usr/bin/python3
"""mutants - engines broken on purpose: the simulation must catch each within 1,000 seeds.

Each row changes one place of one real source. A place that is not found exactly once is a failure:
then the source has moved on, and the row must follow it.

    mutants.py FOLDER [NAME ...]     FOLDER is where the changed copies are built
"""
import os
import re
import subprocess
import sys

SEEDS = 1000
ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))

SYNC = "core/uplink/sync.c"
RELAY = "core/uplink/relay.c"
COLLECT = "core/city/collect.c"
LINK = "core/keeper/children/link.c"
RUN = "core/city/run.c"

# name, what is wrong with it, source, what stands there, what shall stand there
MUTANTS = [
    ("trust-puback", "a PUBACK moves the mark", SYNC,
     "    lane->owed = lane->count > 0;\n}\n",
     "    if (lane->count > 0 && lane->waiting == 0)\n"
     "        mark_up(lane, lane->sent, now_ms);\n"
     "    lane->owed = lane->count > 0;\n}\n"),
    ("forget-prev", "a batch does not say what comes before it", SYNC,
     "    batch->prev = lane->sent;\n", "    batch->prev = -1;\n"),
    ("ignore-prev", "the city's mark passes over what is missing", COLLECT,
     "    if (batch->prev > mark)\n", "    if (false)\n"),
    ("one-lane", "alarms share the bulk connection", SYNC,
     "    return lane == LANE_ALARM ? SYNC_ALARM : SYNC_BULK;\n",
     "    (void)lane;\n    return SYNC_BULK;\n"),
    ("no-patience", "what was acknowledged and lost is not sent again", SYNC,
     "    lane->owed = lane->count > 0;\n}\n", "    lane->owed = false;\n}\n"),
    ("deaf", "a refusal is taken for a PUBACK", SYNC,
     "    if (reason >= REFUSED || reason == NOBODY) {\n", "    if (reason > 0xff) {\n"),
    ("no-begin", "a city that begins anew does not say so", RUN,
     "    if (mqtt_is_up(run->mqtt[ALARM]) && mqtt_is_up(run->mqtt[BULK]))\n", "    if (false)\n"),
    ("slow-receipt", "a batch is not answered with a receipt", COLLECT,
     "        touch(collect, topic->office, collect->batch.log, true);\n",
     "        touch(collect, topic->office, collect->batch.log, false);\n"),
    ("no-probe", "a city that is away is sent everything again and again", SYNC,
     "        lane->probing = true;\n", ""),
    ("no-way-back", "a mark never goes down", SYNC,
     "    else if (seq < lane->mark) {\n", "    else if (false) {\n"),
    ("eager-receipt", "the city tells receipts before it commits", COLLECT,
     "    if (!err)\n        err = store_commit(collect->store);\n",
     "    if (!err)\n        tell_touched(collect, more);\n"
     "    if (!err)\n        err = store_commit(collect->store);\n"),
    ("eager-begin", "the city begins with receipts of what is not committed", COLLECT,
     "collect->open ? collect_commit(collect) : 0;\n", "0;\n"),
    ("verified-anyway", "what was undone stays in the tree that is verified", COLLECT,
     "    verify_forget(collect->verify);\n", ""),
    ("silent-refusal", "a receipt that cannot be stored is not answered", LINK,
     "    group_answer(link->group, peer, frame->id, -1);\n    err = store_receipt(link, &note);\n"
     "    if (err)\n",
     "    err = store_receipt(link, &note);\n    if (!err)\n"
     "        group_answer(link->group, peer, frame->id, -1);\n    if (err)\n"),
    ("erased-is-foreign", "a receipt that names an erased event is refused", LINK,
     "(tile.lanes[seq % TILE_WIDTH] & ~STORE_ERASED) == lane", "tile.lanes[seq % TILE_WIDTH] == lane"),
    ("false-stall", "a receipt that overtakes its PUBACK is waited for", RELAY,
     "relay->sync.lanes[lane].count > 0, mono_ms());\n", "true, mono_ms());\n"),
    ("endless-stall", "a stall whose uplink is gone has no end", LINK,
     "    link->is_stall_old = link->stall[0] != '\\0';\n", ""),
    ("checkpoint-flood", "checkpoints fill the library", RELAY,
     "relay->checkpoint_told = relay->checkpoint_flying = true;", "relay->checkpoint_told = true;"),
]


def mutate(folder, name, source, here, there):
    with open(os.path.join(ROOT, source), encoding="utf-8") as file:
        text = file.read()
    if text.count(here) != 1:
        sys.exit(f"mutants: {name}: expected its place once in {source}, found it {text.count(here)} "
                 "times; the row must follow the source")
    path = os.path.join(folder, name, source)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(here, there))


def build(folder, name, source):
    make = os.environ.get("MAKE", "make").split()
    subprocess.run([*make, "--no-print-directory", "-s", "FLAVOUR=sim", f"MUTANT={name}",
                    f"MUTANT_ROOM={source.split('/')[1]}", f"MUTANT_SOURCE={source}",
                    "sim-program"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "MAKEFLAGS": ""})  # the outer make's jobs are its own
    return os.path.join(folder, name, "sim")


def hunt(program):
    """The seed that caught it and what was violated, or None."""
    run = subprocess.run([program, "--hunt", str(SEEDS)], stdout=subprocess.PIPE, text=True,
                         check=False)
    return re.search(r"sim: seed (\d+): (.*)", run.stdout)


def main(folder, *names):
    missed = 0
    for name, wrong, source, here, there in MUTANTS:
        if names and name not in names:
            continue
        mutate(folder, name, source, here, there)
        caught = hunt(build(folder, name, source))
        missed += caught is None
        print(f"sim: mutant {name} ({wrong}): " +
              (f"caught by seed {caught.group(1)}: {caught.group(2)}" if caught else "NOT CAUGHT"),
              flush=True)
    print(f"sim: mutants={len(names or MUTANTS)} missed={missed}")
    return missed > 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), *sys.argv[2:]))
