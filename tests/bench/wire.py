"""wire - goals P and D against libmosquitto and mosquitto's bridge, which send each event by itself.

The office hands a backlog to a broker where a listener notes each batch, and nobody gives receipts: so
it stops at 256 batches of a lane, and what is timed is the way from the journal to a subscriber, first
batch to last. Each side has the same broker program and events of the same size, all of one lane or topic."""
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import appliance
import backlog
import drain
import listener
from goal import Goal, in_turn

HERE = os.path.dirname(os.path.abspath(__file__))
for name in ("peers", os.path.join("..", "sim")):
    sys.path.insert(0, os.path.join(HERE, name))
import forwarders  # noqa: E402
import secure  # noqa: E402
import town  # noqa: E402

PUBLISH = os.path.join(appliance.BENCH, "publish")
COUNT = 40000     # events sent one by one
WINDOW = 100
BYTES = 600       # of an event, when composed
QUIET_S = 0.4     # without a batch: it waits for receipts
CALLS, INSTRUCTIONS = "raw_syscalls:sys_enter", "instructions:u"


class TwoDoors(drain.Broker):
    """A broker that has a listener with TLS beside the plain one."""

    def __init__(self, folder):
        authority = secure.Authority(folder)
        authority.run("broker", "127.0.0.1", "localhost")
        authority.run("office", drain.OFFICE)
        self.secure_port, self.tls = drain.free_port(), authority.line("offices/" + drain.OFFICE)
        self.doors = (f"per_listener_settings false\nlistener {self.secure_port} 127.0.0.1\n"
                      f"cafile {authority.path('ca.pem')}\nrequire_certificate true\n"
                      f"certfile {authority.path('broker', 'broker.pem')}\n"
                      f"keyfile {authority.path('broker', 'broker.key')}\n")
        plain = os.path.join(folder, "mosquitto.conf")
        super().__init__(folder)
        self.process.terminate()
        self.process.wait(10)
        with open(plain, "a", encoding="ascii") as out:
            out.write(self.doors)
        self.process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", plain], stderr=subprocess.DEVNULL)
        drain.wait_for(self.answers, 10, "the broker")


def line_to(broker, folder, with_tls):
    city = {"url": f"mqtt://127.0.0.1:{broker.port}", "verifier": listener.city_key(folder)}
    if with_tls:
        city.update(broker.tls, url=f"mqtts://127.0.0.1:{broker.secure_port}")
    return city


def cpu(pids):
    """To the nanosecond: what is timed here is shorter than a few ticks of the clock."""
    spent = 0
    for pid in pids:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as told_ns:
            spent += int(told_ns.read().split()[0])
    return spent / 1e9


def told(path, what):
    """By perf stat, in the file that it wrote."""
    with open(path, encoding="ascii") as lines:
        return int([line for line in lines if what in line][0].split(",")[0])


class Counters:
    """Counts the system calls and the instructions of a process that is held meanwhile it begins."""

    def __init__(self, pid, path):
        self.path = path
        os.kill(pid, signal.SIGSTOP)
        self.perf = subprocess.Popen(["perf", "stat", "-x,", "-e", CALLS, "-e", INSTRUCTIONS, "-o", path,
                                      "-p", str(pid)])
        time.sleep(0.3)
        os.kill(pid, signal.SIGCONT)

    def counts(self):
        self.perf.send_signal(signal.SIGINT)
        self.perf.wait(10)
        return {"calls": told(self.path, CALLS), "instructions": told(self.path, INSTRUCTIONS)}


def watch(office, ear, found, folder, counted):
    """Until the office waits for receipts; what it took."""
    drain.wait_for(lambda: office.child("uplink"), 30, "the uplink")
    client = office.child("uplink")
    pids = [office.process.pid, client]
    counters = Counters(client, os.path.join(folder, "counted")) if counted else None
    began, client_began = cpu(pids), cpu([client])
    drain.wait_for(ear.size, 30, "a batch")
    size = -1
    while size != ear.size():
        size = ear.size()
        time.sleep(QUIET_S)
    found["cpu_s"], found["client_cpu_s"] = cpu(pids) - began, cpu([client]) - client_began
    if counters:
        found.update(counters.counts())


def hand_over(with_tls=False, counted=False):
    """One backlog to a listener: events, messages, bytes, seconds, CPU of keeper and uplink."""
    folder, running, found = appliance.scratch(), [], {}
    try:
        state = os.path.join(folder, "state")
        shutil.copytree(backlog.journal(backlog.SOME, "readings"), state,
                        ignore=shutil.ignore_patterns("socket", "*.sock"))
        running.append((TwoDoors if with_tls else drain.Broker)(folder))
        running.append(listener.Listener(running[0], folder))
        running.append(drain.Office(folder, state, line_to(running[0], folder, with_tls), batch=1,
                                    count=1, wait_ms=0, type="bench.reading"))
        watch(running[2], running[1], found, folder, counted)
        batches = [batch for batch in running[1].batches() if batch.lane != "alarm"]
        events = listener.events_in(batches[1:])
        seconds = batches[-1].at - batches[0].at
        return dict(found, sample=batches[-1].payload, events=events, messages=len(batches), seconds=seconds,
                    bytes=sum(len(batch.payload) for batch in batches) // len(batches),
                    rate=events / seconds, messages_rate=(len(batches) - 1) / seconds,
                    cpu_each=found["cpu_s"] / events, client_cpu_each=found["client_cpu_s"] / events)
    finally:
        for program in reversed(running):
            program.stop()
        shutil.rmtree(folder)


def publish(port, count, window, size, under=(), packed=()):
    """`packed`: a file whose bytes are packed for each message anew."""
    done = subprocess.run([*under, PUBLISH, str(port), "up/telemetry", str(count), str(window), str(size),
                           *packed], check=True, stdout=subprocess.PIPE, text=True, timeout=120)
    found = json.loads(done.stdout)
    return dict(found, rate=found["messages"] / found["seconds"],
                cpu_each=found["cpu_s"] / found["messages"])


def one_by_one(count=COUNT, window=WINDOW, size=BYTES, packed=()):
    """A program that sends each event by itself, from memory, to a broker with a subscriber."""
    folder = appliance.scratch()
    broker = drain.Broker(folder)
    ear = subscriber(broker.port, count, subprocess.DEVNULL)
    try:
        time.sleep(0.3)
        return publish(broker.port, count, window, size, packed=packed)
    finally:
        ear.kill()
        ear.wait()
        broker.stop()
        shutil.rmtree(folder)


def subscriber(port, count, out):
    """Ends when it has heard so many; writes a letter for each."""
    return subprocess.Popen(["mosquitto_sub", "-p", str(port), "-i", "subscriber", "-c", "-q", "1", "-t",
                             "up/#", "-C", str(count), "-F", "%q"], stdout=out)


# ---- The bridge

class Bridge(forwarders.Bridge):
    """With everything set for speed; nothing is saved at each change."""

    def __init__(self, folder):
        super().__init__(folder, tuned=False)
        with open(os.path.join(self.folder, "bridge.conf"), "a", encoding="ascii") as out:
            out.write("max_queued_messages 0\nmax_inflight_messages 1000\nset_tcp_nodelay true\n")

    def feed(self, port):
        """publish does that."""


def bridge_hands_over():
    """What waited at a bridge, until mosquitto_sub has heard all of it."""
    folder = appliance.scratch()
    bridge, ear = Bridge(os.path.join(folder, "bridge")), None
    try:
        bridge.start()
        publish(bridge.port, COUNT, WINDOW, BYTES)
        began = cpu(bridge.pids())
        bridge.city.start()
        ear = subscriber(bridge.city.port, COUNT, subprocess.PIPE)
        drain_of = first_and_last(ear)
        cpu_s = cpu(bridge.pids()) - began
        return {"rate": COUNT / drain_of, "cpu_each": cpu_s / COUNT}
    finally:
        if ear:
            ear.kill()
            ear.wait()
        bridge.stop()
        shutil.rmtree(folder)


def first_and_last(ear):
    """Seconds from its first message to its last; it must come to its end."""
    lines, began = 0, None
    for _ in ear.stdout:
        began = began or time.monotonic()
        lines += 1
    assert lines == COUNT, f"the bridge brought {lines} of {COUNT}"
    return time.monotonic() - began


# ---- In turn

@functools.lru_cache(None)
def counted_calls(pairs):
    return [hand_over(counted=True) for _ in range(pairs)]


@functools.lru_cache(None)
def beside_bridge(pairs):
    """[(Outpost's, the bridge's), ...]"""
    return [(hand_over(), bridge_hands_over()) for _ in range(pairs)]


@functools.lru_cache(None)
def beside_publisher(pairs):
    return [(hand_over(), one_by_one()) for _ in range(pairs)]


def over(pairs, key, theirs_key=None):
    ratios = [ours[key] / theirs[theirs_key or key] for ours, theirs in pairs]
    return ratios, [theirs["rate"] for _, theirs in pairs]


def messages_over_publisher(pairs):
    """The limit sends messages of the size of a batch, in the uplink's window."""
    def limit():
        return one_by_one(3000, 64, beside_publisher(pairs)[0][0]["bytes"])
    return in_turn(pairs, hand_over, limit, lambda p, l: p["messages_rate"] / l["rate"])


def batches_over_publisher(pairs):
    """The limit packs the same fifty events again and again, as quickly as the uplink does."""
    ratios, rates = [], []
    with tempfile.NamedTemporaryFile() as fifty:
        for ours in [hand_over() for _ in range(pairs)]:
            plain = subprocess.run(["zstd", "-dqc"], input=ours["sample"], stdout=subprocess.PIPE, check=True)
            fifty.seek(0)
            fifty.write(json.dumps(json.loads(plain.stdout)[:50], separators=(",", ":")).encode())
            fifty.truncate()
            fifty.flush()
            rates.append(50 * one_by_one(COUNT // 10, packed=[fifty.name])["rate"])
            ratios.append(ours["rate"] / rates[-1])
    return ratios, rates


def calls(pairs, unit, times):
    return [found["calls"] / found[unit] * times for found in counted_calls(pairs)], []


@functools.lru_cache(None)
def publisher_instructions(size):
    """For one more message: of twice as many less those of once."""
    folder = appliance.scratch()
    broker = drain.Broker(folder)
    try:
        counts, path = [], os.path.join(folder, "counted")
        for count in (COUNT // 4, COUNT // 2):
            publish(broker.port, count, WINDOW, size, ["perf", "stat", "-x,", "-e", INSTRUCTIONS, "-o", path])
            counts.append(told(path, INSTRUCTIONS))
        return (counts[1] - counts[0]) / (COUNT // 4)
    finally:
        broker.stop()
        shutil.rmtree(folder)


def instructions(pairs):
    each = publisher_instructions(BYTES)
    return [found["instructions"] / found["events"] / each for found in counted_calls(pairs)], [each]


def tls_over_plain(pairs):
    return in_turn(pairs, lambda: hand_over(with_tls=True), hand_over, lambda p, l: p["rate"] / l["rate"])


def city_over_bridge(pairs):
    """To the end: each event verified and committed, which the bridge's subscriber does not do."""
    rates = [backlog.run(backlog.SOME)["rate"] / theirs["rate"] for _, theirs in beside_bridge(pairs)]
    return rates, [theirs["rate"] for _, theirs in beside_bridge(pairs)]


def goals(pairs):
    few = max(3, min(5, pairs))
    return [
        Goal("P1", "events/s from the journal over libmosquitto's from memory, a message each", 0.85, 0.95,
             lambda: over(beside_publisher(few), "rate")),
        Goal("P1 batch", "messages/s of the uplink, fetched and packed, over libmosquitto's of the same "
             "size from memory", 0.85, 0.95, lambda: messages_over_publisher(few), reported=True),
        Goal("P2", "system calls of the uplink per 50 events, with their fetch", 6, 5.1,
             lambda: calls(3, "events", 50), most=True),
        Goal("P2 batch", "system calls of the uplink for a batch, with its fetch", 6, 5.1,
             lambda: calls(3, "messages", 1), most=True, reported=True),
        Goal("P3", "instructions of the uplink per event, fetched and packed, over libmosquitto's for one",
             1.5, 1.2, lambda: instructions(3), most=True),
        Goal("P5", "events/s handed over with TLS over plain", 0.65, 0.75, lambda: tls_over_plain(few)),
        Goal("P6", "events/s from the journal in batches over one by one from memory", 10, 15,
             lambda: over(beside_publisher(few), "rate")),
        Goal("P6 CPU", "CPU per event of the client, which is the uplink, over one by one", 0.15, 0.05,
             lambda: over(beside_publisher(few), "client_cpu_each", "cpu_each"), most=True),
        Goal("P6 CPU+", "the same with the keeper's, who reads the journal", 0.15, 0.05,
             lambda: over(beside_publisher(few), "cpu_each"), most=True, reported=True),
        Goal("D2", "events/s from the journal over libmosquitto's from memory, in packed batches of 50", 0.5,
             0.8, lambda: batches_over_publisher(few)),
        Goal("D4", "events/s at a subscriber over those of mosquitto's bridge, a full window", 8, 15,
             lambda: over(beside_bridge(few), "rate")),
        Goal("D4 city", "events/s committed in the city's database over the bridge's at a subscriber", 8,
             15, lambda: city_over_bridge(few), reported=True),
        Goal("D5", "CPU per event of keeper and uplink over the bridge's", 1.5, 1,
             lambda: over(beside_bridge(few), "cpu_each"), most=True),
    ]
