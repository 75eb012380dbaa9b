#!/usr/bin/python3
"""drain - an office that was offline for long comes back: how fast the city has all of it, how long a
new alarm takes meanwhile, and what each process costs. What counts is what a reader finds committed in
the city's database; each event must be there exactly once, and both sides must verify.

    tests/bench/drain.py [--events 1000000] [--line BITS] [--bandwidth BITS] [--seconds S]
                         [--journal FOLDER] [--alarms 20] [--delay MS]

--journal keeps the filled journal, and takes it when it is there. --line puts a relay of so many bits a
second, and with --delay of so long a round trip, between office and broker; then --seconds ends the
measurement before everything has come.
"""
import argparse
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "sim")]
import appliance  # noqa: E402
from town import free_port, wait_for  # noqa: E402

CITY = os.path.join(appliance.BUILD, "bin", "outpost-city")
EVENTS = {"bench.reading": "telemetry", "bench.record": "record", "bench.alarm": "alarm"}
OFFICE = "bench"
POLL_S = 0.005
QUEUE = 64 * 1024  # bytes that a modem holds
FILLERS = 4
TAIL = 4096  # events that wait for company before they are sealed


class Office:
    """A keeper whose one host is tests/bench/load; with a city, its uplink too."""

    def __init__(self, folder, state, city=None, hosts=1, **load):
        self.state, self.folder = state, folder
        libexec = os.path.join(folder, "libexec")
        shutil.rmtree(libexec, ignore_errors=True)
        os.makedirs(libexec)
        for name, at in (("keeper", "libexec/outpost/keeper"), ("uplink", "libexec/outpost/uplink"),
                         ("host", "tests/bench/load")):
            os.symlink(os.path.join(appliance.BUILD, at), os.path.join(libexec, name))
        config = {"office": {"id": OFFICE, "suite": "sha256+ed25519"}, "lua": "",
                  "limits": appliance.UNLIMITED,
                  "plugins": [{"plugin": "load", "instance": f"load{i}", "events": EVENTS}
                              for i in range(hosts)]}
        if city:
            config["city"] = city
        path = os.path.join(folder, "config")
        with open(path, "w", encoding="ascii") as out:
            json.dump(config, out)
        env = dict(os.environ, **{"LOAD_" + key.upper(): str(value) for key, value in load.items()})
        with open(path, "rb") as file, open(os.path.join(folder, "office.log"), "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(libexec, "keeper"), "--state", state, "--libexec", libexec,
                 "--config-fd", str(file.fileno())], env=env, pass_fds=[file.fileno()], stderr=log)

    def status(self):
        done = subprocess.run([appliance.OUTPOST, "status", "--json", "--state", self.state],
                              check=False, capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def child(self, name):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            for child in children.read().split():
                if comm_of(child) == name:
                    return int(child)
        return None

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def fill(folder, state, events, kind="mixed"):
    """A journal of at least so many events, made by the real keeper."""
    result = os.path.join(folder, "filled")
    office = Office(folder, state, hosts=FILLERS, type=kind, batch=100, window=4,
                    count=events // FILLERS, result=result)
    try:
        wait_for(lambda: os.path.exists(result) and len(lines_of(result)) == FILLERS, 600,
                 "the journal to be filled")
        # Sealing goes on in the background; what is offline for days is sealed.
        wait_for(lambda: office.status()["sealed"] > office.status()["events"] - TAIL, 300, "sealing")
    finally:
        office.stop()


def comm_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
            return comm.read().strip()
    except OSError:
        return None  # an errand that has ended


def lines_of(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="ascii") as lines:
        return [line for line in lines if line.endswith("\n")]


class Broker:
    """mosquitto; when a client came is noted as its log says so."""

    def __init__(self, folder):
        self.port = free_port()
        self.came = {}
        conf = os.path.join(folder, "mosquitto.conf")
        with open(conf, "w", encoding="ascii") as out:
            out.write(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n"
                      "log_dest stderr\nset_tcp_nodelay true\n"
                      "max_inflight_messages 200\n")
        self.process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", conf], stderr=subprocess.PIPE,
                                        text=True)
        threading.Thread(target=self.listen, daemon=True).start()
        wait_for(self.answers, 10, "the broker")

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def listen(self):
        for line in self.process.stderr:
            if "New client connected" in line:
                self.came[line.split(" as ")[1].split()[0]] = time.monotonic()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class City:
    def __init__(self, folder, port):
        self.key = os.path.join(folder, "city.key")
        self.path = os.path.join(folder, "city.db")
        subprocess.run([CITY, "keygen", "--out", self.key], check=True, capture_output=True)
        with open(os.path.join(folder, "city.log"), "ab") as log:
            self.process = subprocess.Popen(
                [CITY, "run", "--broker", f"mqtt://127.0.0.1:{port}", "--database",
                 "sqlite:" + self.path, "--key", self.key], stderr=log)
        wait_for(lambda: os.path.exists(self.path) and self.one(
            "SELECT count(*) FROM sqlite_schema WHERE name = 'event'"), 10, "the city's tables")

    def one(self, query, *values):
        database = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)
        try:
            return database.execute(query, values).fetchone()[0]
        finally:
            database.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(60)


def cost(pid):
    """CPU seconds and bytes written of a process and of its errands that ended, peak of its memory."""
    own, errands = appliance.cpu_seconds(pid)
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        peak = [line for line in status if line.startswith("VmHWM")][0]
    return {"cpu_s": own, "errands_s": errands, "peak_mib": int(peak.split()[1]) / 1024,
            "written_mib": appliance.written_bytes(pid) / 2**20}


class Watch:
    """Looks at the city's database until the backlog is there; finds the alarms by their numbers."""

    def __init__(self, city, broker, log, backlog):
        self.city, self.broker, self.log, self.backlog = city, broker, log, backlog
        self.waiting, self.read, self.took, self.rates = {}, 0, [], []
        self.later = []  # of those that were raised when no older ones stood before them
        self.first, self.began, self.ended, self.rows = None, None, None, 0
        self.database = sqlite3.connect(f"file:{city.path}?mode=ro", uri=True, timeout=10)

    def ask(self, query, *values):
        return self.database.execute(query, values).fetchone()

    def look_for_alarms(self):
        for line in lines_of(self.log)[self.read:]:
            self.read += 1
            seq, asked_us = map(int, line.split())
            self.waiting[seq] = asked_us / 1e6
        now = time.monotonic()
        for seq, asked in sorted(self.waiting.items()):
            if not self.ask("SELECT 1 FROM event WHERE office = ? AND log = (SELECT log FROM log) "
                            "AND seq = ?", OFFICE, seq):
                return  # a lane keeps its order
            took = now - max(asked, self.began)
            self.took.append(took)
            if self.first is None:
                self.first = now - self.began
            if asked > self.began + self.first:
                self.later.append(took)
            del self.waiting[seq]

    def look(self, deadline):
        wait_for(lambda: OFFICE + "-alarm" in self.broker.came, 60, "the uplink")
        self.began = self.broker.came[OFFICE + "-alarm"]
        next_rate = self.began + 1
        while time.monotonic() < deadline:
            self.look_for_alarms()
            self.rows = self.ask("SELECT coalesce(max(rowid), 0) FROM event")[0]
            now = time.monotonic()
            if now >= next_rate:
                self.rates.append(self.rows)
                next_rate += 1
            if self.rows >= self.backlog + len(self.took):
                self.ended = now
                return
            time.sleep(POLL_S)


class Relay:
    def __init__(self, folder, *words):
        with open(os.path.join(folder, "thinline.log"), "ab") as log:
            self.process = subprocess.Popen([os.path.join(HERE, "thinline.py"), *map(str, words)],
                                            stderr=log)
        time.sleep(0.5)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def line_of(folder, bits, port, delay_ms):
    """The port to connect to, and what runs there."""
    if not bits:
        return port, None
    near = free_port()
    return near, Relay(folder, near, port, bits, QUEUE, delay_ms)


def check(office, city, expected):
    """Each event exactly once, and both sides verify."""
    rows, least, most = (city.one(f"SELECT {what} FROM event")
                         for what in ("count(*)", "min(seq)", "max(seq)"))
    subprocess.run([CITY, "verify", "--database", "sqlite:" + city.path], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run([appliance.OUTPOST, "verify", "--state", office.state], check=True,
                   stdout=subprocess.DEVNULL)
    verified = city.one("SELECT size FROM log")
    findings = city.one("SELECT count(*) FROM finding")
    rejected = city.one("SELECT count(*) FROM rejected")
    whole = rows == most + 1 - least and least == 0 and rows >= expected
    return {"rows": rows, "verified": verified, "findings": findings, "rejected": rejected,
            "exactly_once": whole and findings == 0 and rejected == 0}


def percentile(values, of_hundred):
    ordered = sorted(values) or [float("nan")]
    return ordered[min(len(ordered) - 1, len(ordered) * of_hundred // 100)]


def figures(watch, costs, backlog):
    seconds = (watch.ended or time.monotonic()) - watch.began
    rows = backlog if watch.ended else watch.rows
    return {"events": rows, "seconds": seconds, "rate": rows / seconds, "alarms": len(watch.took),
            "first_alarm_s": watch.first, "alarm_p50_s": percentile(watch.took, 50),
            "alarm_p99_s": percentile(watch.took, 99), "alarm_max_s": max(watch.took or [-1]),
            "later_p99_s": percentile(watch.later, 99), "whole": watch.ended is not None,
            "rows_each_second": watch.rates, "processes": costs}


def live(folder, load):
    """What is raised meanwhile: alarms, so many a second, unless something else is asked for."""
    how = {"type": "bench.alarm", "batch": 1, "rate": 20, "wait_ms": 0, "seconds": 100000}
    how.update(load or {}, result=os.path.join(folder, "result"))
    if how["type"] == "bench.alarm":
        how["log"] = os.path.join(folder, "alarms")
    return how


def measure(folder, state, running, line, delay_ms, bandwidth, seconds, load):
    """One drain of the journal in `state`: the figures, and the office and the city at work."""
    broker = Broker(folder)
    running.append(broker)
    city = City(folder, broker.port)
    running.append(city)
    port, relay = line_of(folder, line, broker.port, delay_ms)
    if relay:
        running.append(relay)
    backlog = journal_size(state)
    wanted = {"url": f"mqtt://127.0.0.1:{port}", "verifier": city.key + ".pub"}
    if bandwidth:
        wanted["bandwidth"] = bandwidth
    office = Office(folder, state, wanted, **live(folder, load))
    running.append(office)
    watch = Watch(city, broker, os.path.join(folder, "alarms"), backlog)
    watch.look(time.monotonic() + seconds)
    costs = {name: cost(pid) for name, pid in (
        ("keeper", office.process.pid), ("uplink", office.child("uplink")),
        ("broker", broker.process.pid), ("city", city.process.pid))}
    return dict(figures(watch, costs, backlog), commits=office.status()["commits"]), office, city


def results(folder, seconds=30):
    """What the hosts say at their end, which must have come."""
    path = os.path.join(folder, "result")
    wait_for(lambda: lines_of(path), seconds, "the hosts to be done")
    return json.loads(lines_of(path)[0])


def drain(events=1000000, line=0, delay_ms=0, bandwidth=0, seconds=600, journal=None, load=None,
          verify=True):
    folder, running = appliance.scratch(), []
    kept = journal or os.path.join(folder, "filled-state")
    state = os.path.join(folder, "state")
    try:
        if not os.path.exists(kept):
            fill(folder, kept, events)
        shutil.copytree(kept, state, ignore=lambda _, names: [n for n in names if n == "socket"])
        if os.path.exists(os.path.join(folder, "result")):
            os.unlink(os.path.join(folder, "result"))
        found, office, city = measure(folder, state, running, line, delay_ms, bandwidth, seconds, load)
        if load and "seconds" in load:
            found["load"] = results(folder)
        time.sleep(1)
        office.stop()
        if found["whole"] and verify:
            time.sleep(1)
            city.stop()
            found.update(check(office, city, found["events"]))
        return found
    except Exception:
        tell_logs(folder)
        raise
    finally:
        for program in reversed(running):
            program.stop()
        shutil.rmtree(folder)


def tell_logs(folder):
    for name in ("office.log", "city.log", "thinline.log"):
        if os.path.exists(os.path.join(folder, name)):
            with open(os.path.join(folder, name), encoding="utf-8") as text:
                sys.stderr.write(text.read()[-2000:])


def journal_size(state):
    """Events in a journal at rest, as its own checkpoint says."""
    with open(os.path.join(state, "journal", "checkpoint"), encoding="utf-8") as note:
        return int(note.read().split("\n")[1])


def show(found):
    for name, cost_of in found["processes"].items():
        us = 1e6 / max(1, found["events"])
        print(f"{name:7} {cost_of['cpu_s'] * us:6.2f} us/event (+{cost_of['errands_s'] * us:.2f} "
              f"errands)  peak {cost_of['peak_mib']:.1f} MiB  written {cost_of['written_mib']:.0f} MiB")
    print(json.dumps({k: v for k, v in found.items() if k not in ("processes",)}))


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--events", type=int, default=1000000)
    ask.add_argument("--line", type=int, default=0)
    ask.add_argument("--delay", type=int, default=0)
    ask.add_argument("--bandwidth", type=int, default=0)
    ask.add_argument("--seconds", type=float, default=600)
    ask.add_argument("--journal")
    ask.add_argument("--alarms", type=float, default=20)
    asked = ask.parse_args()
    found = drain(asked.events, asked.line, asked.delay, asked.bandwidth, asked.seconds,
                  asked.journal, {"rate": asked.alarms})
    show(found)
    sys.exit(0 if found.get("exactly_once", not found["whole"]) else 1)


if __name__ == "__main__":
    main()
