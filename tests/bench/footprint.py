"""footprint - goals F4 to F6 and the memory of a whole appliance: mosquitto, the city, a simulated
station and an office of one plugin, all real."""
import contextlib
import datetime
import functools
import os
import shutil
import subprocess
import sys
import time

import appliance
from goal import Goal, in_turn

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "sim"))
import town  # noqa: E402

@contextlib.contextmanager
def office(plugins=1, poll='"1s"', others=""):
    """The whole line with so many wristband plugins on one station."""
    folder, running = appliance.scratch(), []
    try:
        for make in (lambda: town.Broker(folder), lambda: town.City(folder, running[0]),
                     lambda: town.Station(folder)):
            running.append(make())
            running[-1].start()
        broker, city, station = running
        lines = "".join(station.plugin(f"gate{i}", poll=poll) for i in range(plugins))
        running.append(town.Office(os.path.join(folder, "office"), city, broker, lines + others))
        running[-1].start()
        city.wait_for("wristband.seen", 12)
        yield running
    finally:
        town.stop_all(reversed(running))
        shutil.rmtree(folder)


def pss_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return int([line for line in rollup if line.startswith("Pss:")][0].split()[1])


def pids_of(running):
    return [running.pid] + [pid for pids in running.children().values() for pid in pids]


def whole_memory():
    with office() as (broker, city, _station, running):
        time.sleep(2)
        town.stop_all([broker, city])  # who has the same libraries open would share the bill
        return [sum(map(pss_kb, pids_of(running))) / 1024], []


def bare_plugin_memory():
    """Eight instances of the example plugin: PSS of a host."""
    folder = appliance.scratch()
    lines = "".join(f'plugin "example" "bare{i}" {{ url = "modbus-tcp://127.0.0.1:1" }}\n' for i in range(8))
    started = town.Office(os.path.join(folder, "office"), plugins=lines)
    started.start()
    try:
        town.wait_for(lambda: len(started.children().get("host", [])) == 8, 10, "eight hosts")
        time.sleep(1)
        return [sum(map(pss_kb, started.children()["host"])) / 8 / 1024], []
    finally:
        started.stop()
        shutil.rmtree(folder)


def ipc_cpu():
    """CPU of the keeper per event when it comes in batches of 50, commits and all."""
    figures = appliance.ingest(plugins=1, batch=50, window=4, seconds=2)
    return [figures["cpu_s"] / figures["events"] * 1e6], []


def starting():
    """From exec to the first event on disk, over a program that opens the same libraries once."""
    def ready():
        folder, began = appliance.scratch(), time.monotonic()
        started = town.Office(folder)
        started.start()
        while not os.path.exists(os.path.join(started.state, "keeper.sock")):
            time.sleep(0.001)
        took = time.monotonic() - began
        started.stop()
        shutil.rmtree(folder)
        return {"rate": took}

    def everything():
        folder, began = appliance.scratch(), time.monotonic()
        subprocess.run([os.path.join(appliance.BENCH, "everything"),
                        os.path.join(folder, "db")], check=True, stdout=subprocess.DEVNULL)
        took = time.monotonic() - began
        shutil.rmtree(folder)
        return {"rate": took}
    return in_turn(9, ready, everything, lambda p, l: p["rate"] / l["rate"])


EMIT, HANDLERS = os.path.join(HERE, "emit"), 8


def lua_emits(seconds=2):
    """Durable events a second of one Lua plugin, as the journal counts them."""
    plugin = {"plugin": "emit", "instance": "emit", "events": {"bench.reading": "telemetry"}, "folder": EMIT,
              "needs": [], "config": {"handlers": HANDLERS}}
    office = appliance.Appliance(plugins=[plugin])
    try:
        town.wait_for(lambda: office.status().get("events", 0) > 1000, 20, "events")
        before, began = office.status()["events"], time.monotonic()
        time.sleep(seconds)
        return {"rate": (office.status()["events"] - before) / (time.monotonic() - began)}
    finally:
        office.stop()


def emitting(pairs):
    """The limit is what the keeper takes from a program in C, with as many commits at once."""
    return in_turn(pairs, lua_emits,
                   lambda: appliance.ingest(plugins=1, batch=100, window=HANDLERS, seconds=2),
                   lambda product, limit: product["rate"] / limit["rate"])


@functools.lru_cache(None)
def dozen():
    """Eight wristband plugins that poll each second and four thermometers: PSS in MiB, and the part of
    a processor that they take."""
    others = "".join(f'plugin "example" "heat{i}" {{ url = "modbus-tcp://127.0.0.1:1" }}\n' for i in range(4))
    with office(plugins=8, others=others) as (_broker, _city, _station, running):
        time.sleep(2)
        hosts = running.children()["host"]
        assert len(hosts) == 12
        before, began = sum(appliance.cpu_ns(pid) for pid in hosts), time.monotonic()
        time.sleep(10)
        spent = sum(appliance.cpu_ns(pid) for pid in hosts) - before
        return sum(map(pss_kb, hosts)) / 1024, spent / 1e7 / (time.monotonic() - began)


def wakeups(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)


def microseconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1e6


def device_to_city(count=60):
    """Straps cut on a station that is polled every 20 ms, until the city has the alarm: the last
    percentile, in milliseconds."""
    with office(poll='"20ms"') as (_broker, city, station, _office):
        for i in range(2 * count):
            station.do("strap", i // 2 % 12 + 1, open=i % 2 == 0)
            time.sleep(0.11)
        city.wait_for("wristband.strap_opened", count)
        had = city.rows("SELECT received FROM event WHERE type = 'wristband.strap_opened' "
                        "ORDER BY seq")
        cut = [line["at"] for line in station.happened() if line["what"] == "strap_opened"]
        waits = sorted(microseconds(at) - since for (at,), since in zip(had, cut))
        return [waits[len(waits) * 99 // 100] / 1000], []


def idle():
    """Wake-ups of the whole appliance at rest, one poll a second, over those of mosquitto."""
    with office() as (broker, _city, _station, running):
        town.wait_for(lambda: running.status()["storage"]["reserve"]["is_whole"], 120, "the reserve")
        time.sleep(3)
        pids = pids_of(running)
        before = sum(map(wakeups, pids)), wakeups(broker.pid)
        time.sleep(10)
        after = sum(map(wakeups, pids)), wakeups(broker.pid)
        return [(after[0] - before[0]) / (after[1] - before[1])], []


def goals(pairs):
    return [
        Goal("latency", "an alarm from the device to the city, last percentile, polled every 20 ms",
             50, 40, device_to_city, most=True, unit=" ms"),
        Goal("memory", "PSS of the whole appliance with one plugin and the city connected", 16, 12,
             whole_memory, most=True, unit=" MiB"),
        Goal("F4a", "PSS of one plugin process of eight", 1.0, 0.4, bare_plugin_memory, most=True,
             unit=" MiB"),
        Goal("F4b", "keeper's CPU per event in batches of 50, commit included", 10, 5, ipc_cpu,
             most=True, unit=" us"),
        Goal("twelve", "PSS of twelve plugins, eight that poll each second", 32, 16, lambda: ([dozen()[0]], []),
             most=True, unit=" MiB"),
        Goal("twelve CPU", "what they take of a processor", 1, 0.5, lambda: ([dozen()[1]], []), most=True,
             unit=" %"),
        Goal("emit", "durable events/s of a Lua plugin over those of a program in C", 0.5, 0.8,
             lambda: emitting(max(3, min(5, pairs)))),
        Goal("F5", "from exec until ready over opening all libraries once", 2.0, 0.7, starting,
             most=True),
        Goal("F6", "wake-ups at rest over those of mosquitto", 3, 1, idle, most=True),
    ]
