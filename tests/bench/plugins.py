"""plugins - goals L1 to L3 and M1 to M5: what Lua and Modbus cost in the host, over the bare
libraries. The keeper is played by tests/sim/doubles, the devices are Python's."""
import json
import os
import signal
import subprocess
import sys
import threading
import time

import appliance
from goal import Goal, in_turn
from serial_relay import Relay

HERE = os.path.dirname(os.path.abspath(__file__))
DOUBLES = os.path.join(HERE, "..", "sim", "doubles")
sys.path.insert(0, DOUBLES)
import keeper  # noqa: E402

HOST = os.path.join(appliance.BUILD, "libexec", "outpost", "host")
SLICE_S = 0.2
EVENTS, TURNS, POLLS = 20000, 1500000, 3000


def bare(*argv):
    done = subprocess.run([os.path.join(appliance.BENCH, "bareloop"), *map(str, argv)], check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout)["seconds"]


def host(folder, **config):
    return keeper.KeeperDouble(HOST, folder, appliance.LIBRARY, config, log=subprocess.DEVNULL)


def rule_cpu(kind):
    """CPU seconds of a host that runs the rule on EVENTS readings and emits such events."""
    double = host(os.path.join(HERE, "rule"), type=kind)
    try:
        for i in range(EVENTS):
            double.add("bench.reading", {"band": "B-0193", "rssi": -71 - i % 9, "age": 3,
                                         "raw": "x" * 300}, "device/wristband/B-0193")
        double.run(lambda: bool(double.waiting) or double.commits > 0, 10)
        began = appliance.cpu_ns(double.process.pid)
        results = lambda: len(double.events) - EVENTS
        assert double.run(lambda: results() >= EVENTS - 1000, 60), results()
        return (appliance.cpu_ns(double.process.pid) - began) / 1e9
    finally:
        double.close()


def rules(pairs, kind):
    return in_turn(pairs, lambda: rule_cpu(kind),
                   lambda: {"rate": bare("rule", os.path.join(HERE, "rule", "rule.lua"), EVENTS)},
                   lambda product, limit: product / limit["rate"])


def spin():
    """What a spinning plugin says: the loops it finished, when it ran away, and its later beats."""
    double = host(os.path.join(HERE, "spin"), turns=TURNS)
    try:
        def beats():
            return [d["beat"] for _, _, d in double.events if "beat" in d]

        def away():
            return [d["away"] for _, _, d in double.events if "away" in d]
        assert double.run(lambda: away() and [b for b in beats() if b > away()[0] + 0.05], 10)
        loops = [d["seconds"] for _, _, d in double.events if "seconds" in d]
        return sorted(loops)[2], [b for b in beats() if b > away()[0] + 0.05][0] - away()[0]
    finally:
        double.close()


def guarded_loop(pairs):
    return in_turn(pairs, lambda: spin()[0], lambda: {"rate": bare("turn", TURNS)},
                   lambda product, limit: product / limit["rate"])


def stopped_after(count):
    return [spin()[1] / SLICE_S for _ in range(count)], []


class Device:
    """One Modbus device in a process of its own; `delay` is how long it thinks."""

    def __init__(self, delay=0.0, wire="tcp"):
        program = os.path.join(HERE, "device.py")
        self.process = subprocess.Popen(["/usr/bin/python3", "-B", program, wire, str(delay)],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.said = self.process.stdout.readline().strip()
        self.url = (f"modbus-tcp://127.0.0.1:{self.said}" if wire == "tcp" else None)

    def close(self):
        self.process.kill()
        self.process.wait()


def poll(url, polls, count=125, timeout=1000):
    """Seconds that a host takes for so many polls, and what it was told."""
    double = host(os.path.join(DOUBLES, "poller"), url=url, polls=polls, timeout=timeout,
                  count=count, pause=0)
    try:
        ended = lambda: [d for kind, _, d in double.events if kind == "poller.done"]
        assert double.run(lambda: bool(ended()), 120), "the poller did not end"
        return ended()[0]["seconds"], ended()[0]["told"]
    finally:
        double.close()


def together(urls, polls):
    """Polls a second of all of them, each with a host of its own."""
    rates = []

    def one(url):
        seconds, told = poll(url, polls)
        rates.append(told.get("good", 0) / seconds)
    threads = [threading.Thread(target=one, args=(url,)) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(rates)


def fast_device(pairs):
    device = Device()
    try:
        return in_turn(pairs, lambda: POLLS / poll(device.url, POLLS)[0],
                       lambda: {"rate": POLLS / bare("modbus", device.said, POLLS)},
                       lambda product, limit: product / limit["rate"])
    finally:
        device.close()


def eight_devices(pairs):
    devices = [Device(0.020) for _ in range(8)]
    try:
        urls = [device.url for device in devices]
        return in_turn(pairs, lambda: together(urls, 60), lambda: {"rate": together(urls[:1], 60)},
                       lambda product, limit: product / (8 * limit["rate"]))
    finally:
        for device in devices:
            device.close()


def one_dead(pairs):
    devices = [Device(0.020) for _ in range(8)]
    try:
        urls = [device.url for device in devices]

        def with_dead():
            devices[7].process.send_signal(signal.SIGSTOP)
            dead = threading.Thread(target=poll, args=(urls[7], 3))
            dead.start()
            rate = together(urls[:7], 60)
            dead.join()
            devices[7].process.send_signal(signal.SIGCONT)
            return rate
        return in_turn(pairs, with_dead, lambda: {"rate": together(urls[:7], 60)},
                       lambda product, limit: product / limit["rate"])
    finally:
        for device in devices:
            device.close()


def serial(baud):
    """Polls of 125 registers over what the wire can carry: 8 bytes there, 255 back."""
    relay = Relay(baud)
    device = Device(wire=relay.ends[1])
    try:
        polls = max(4, baud // 3000)
        seconds, told = poll(f"modbus-rtu://{relay.ends[0]}?baud={baud}&parity=N&stop=1", polls)
        assert told == {"good": polls}, told
        return [polls / seconds / (baud / 10 / 263)], []
    finally:
        device.close()
        relay.close()


def goals(pairs):
    few = max(3, pairs // 2)
    return [
        Goal("L1", "CPU of decode, handler, emit and its IPC over bare Lua and cjson", 1.5, 1.15,
             lambda: rules(few, "rule.plain"), most=True),
        Goal("L1+", "the same with each emitted event checked against a schema of six fields", 2.5,
             2.0, lambda: rules(few, "rule.result"), most=True),
        Goal("L2", "a tight loop under the budget over the same without", 2.6, 1.05,
             lambda: guarded_loop(few), most=True),
        Goal("L3", "a runaway handler (it even catches errors) stopped, and its plugin going on, "
             "over its budget", 2, 1.1, lambda: stopped_after(few), most=True),
        Goal("M1", "polls/s of 125 registers over TCP, over bare libmodbus", 0.80, 0.95,
             lambda: fast_device(pairs)),
        Goal("M2", "8 devices of 20 ms over 8 times one", 0.85, 0.95, lambda: eight_devices(few)),
        Goal("M3", "7 devices beside a dead one over the same 7 alone", 0.95, 0.99,
             lambda: one_dead(few)),
        Goal("M5a", "polls/s over a serial line of 9,600 baud over what the wire carries", 0.85,
             0.95, lambda: serial(9600)),
        Goal("M5b", "the same at 115,200 baud", 0.85, 0.95, lambda: serial(115200)),
    ]
