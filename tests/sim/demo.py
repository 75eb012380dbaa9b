#!/usr/bin/python3
"""demo.py [--duration SECONDS] - an afternoon in an office, in a minute.

Starts a broker, the city, an office, a base station with a dozen wristbands and two face terminals (one
pushes, the other is heard by its stream), all on loopback and in one temporary folder; lets things
happen; prints each event as the city has it with the delay from device to city. The last line says
whether all of it arrived, once, and verifies on both sides.

What was produced is counted from the devices' own logs. p50 and p99 are over what shows at once (straps,
cases, batteries, bands that come back, all records of the terminals); "lost" and "offline" are decisions
that need time by their nature, so they have no delay.
"""
import argparse
import datetime
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import town  # noqa: E402

# What must follow from what the station did: types of events, and whether it shows at once.
EXPECTED = {
    "strap_opened": (["wristband.strap_opened"], True),
    "strap_closed": (["wristband.strap_closed"], True),
    "case_opened": (["wristband.case_opened"], True),
    "case_closed": (["wristband.case_closed"], True),
    "battery_low": (["wristband.battery_low"], True),
    "lost": (["wristband.lost"], False),
    "back": (["wristband.back"], True),
    "station_off": (["station.offline"], False),
    "station_on": (["station.online", "gap.recorded"], False),
}
RECORDS = {  # of a face terminal, by (major, minor)
    (5, 75): "checkin.verified", (5, 76): "checkin.unknown_person", (5, 21): "terminal.door",
    (5, 22): "terminal.door", (1, 1028): "terminal.tamper", (1, 1029): "terminal.tamper_restored",
}
COUNTED = {kind for kinds, _ in EXPECTED.values() for kind in kinds} | set(RECORDS.values())

# (word, band, settings) one after the other; then again, on other bands.
SCRIPT = [
    ("strap", 3, {"open": True}),
    ("visit", None, {"person": "8001"}),
    ("battery", 5, {"percent": 6}),
    ("strap", 3, {"open": False}),
    ("lost", 9, {"age": 3600}),
    ("case", 7, {"open": True}),
    ("visit", None, {"person": "8002"}),
    ("strap", 11, {"open": True}),
    ("off", None, {"how": "closed"}),
    ("pause", None, {}),
    ("on", None, {}),
    ("record", None, {"major": 5, "minor": 76}),
    ("back", 9, {}),
    ("record", None, {"major": 1, "minor": 1028}),
    ("strap", 11, {"open": False}),
    ("case", 7, {"open": False}),
    ("record", None, {"major": 1, "minor": 1029}),
    ("battery", 5, {"percent": 90}),
]
OF_TERMINALS = ("visit", "record")
BANDS = 12


class Follower:
    """Reads `outpost-city events --follow --json` and keeps the events that count."""

    def __init__(self, city):
        self.events = []
        self.process = subprocess.Popen(
            [town.OUTPOST_CITY, "events", "--follow", "--json", "--database",
             "sqlite:" + city.database], stdout=subprocess.PIPE, text=True, start_new_session=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            event = json.loads(line)
            if event["type"] in COUNTED:
                event["at"] = microseconds(event["received"])
                self.events.append(event)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def microseconds(text):
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(moment.timestamp() * 1e6)


def about(event):
    """What an event is about: the hex tag of a band, terminal and number of a record, or None."""
    data = event["body"]["data"]
    if "record" in data:
        return f'{data["terminal"]} {data["record"]}'
    return data["band"].lower() if "band" in data else None


def recorded(terminal):
    """The same of a face terminal's records."""
    return [(RECORDS[one["major"], one["minor"]], f'{terminal.serial} {one["serialNo"]}', one["at"], True)
            for one in terminal.recorded()]


def produced(station):
    """[(type, what it is about, at, shows at once)] of everything that must be an event."""
    found = []
    for line in station.happened():
        kinds, at_once = EXPECTED.get(line["what"], ([], False))
        found += [(kind, line.get("tag"), line["at"], at_once) for kind in kinds]
    return found


def match(happened, events):
    """(pairs, missing, extra): each happening with the first event of its type about the same."""
    waiting, pairs, missing = list(events), [], []
    for one in happened:
        kind, tag, at, _ = one
        found = next((e for e in waiting if e["type"] == kind and (not tag or about(e) == tag)
                      and e["at"] >= at), None)
        if found:
            waiting.remove(found)
            pairs.append((one, found))
        else:
            missing.append(one)
    return pairs, missing, waiting


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class Screen:
    """Prints each event once, as soon as its happening is known."""

    def __init__(self):
        self.shown = set()

    def show(self, pairs):
        for (_, tag, at, at_once), event in pairs:
            key = (event["log"], event["seq"])
            if key in self.shown:
                continue
            self.shown.add(key)
            delay = f"{(event['at'] - at) / 1000:7.1f} ms" if at_once else "          "
            clock = datetime.datetime.fromtimestamp(event["at"] / 1e6).strftime("%H:%M:%S.%f")[:-3]
            print(f"{clock}  {delay}  {event['lane']:9}  {event['type']:24} {tag or ''}", flush=True)


class Demo:
    broker = city = office = station = follower = None

    def __init__(self):
        self.screen, self.terminals, self.visits = Screen(), [], itertools.count()

    def start_terminals(self, folder):
        """Their plugins; one is pushed by, of the other the stream is read."""
        port = town.free_port()
        ways = [{"mode": '"push"', "listen": f'"http://127.0.0.1:{port}"',
                 "push_to": f'"http://127.0.0.1:{port}/hall"'}, {"mode": '"stream"'}]
        for name, way in zip(("hall", "door"), ways):
            terminal = town.FaceTerminal(folder, name, beat=5.0).start()
            self.terminals.append(terminal)
            yield terminal.plugin(name, **way)

    def are_heard(self):
        states = [terminal.do("state") for terminal in self.terminals]
        return states[0]["hosts"] and states[1]["streaming"]

    def start(self, folder):
        self.broker = town.Broker(folder).start()
        self.city = town.City(folder, self.broker).start()
        self.station = town.Station(folder, "monnit-tcp", bands=BANDS).start()
        station = self.station.plugin(poll='"20ms"', lost_after='"60s"', offline_after='"1s"')
        self.office = town.Office(os.path.join(folder, "office"), self.city, self.broker,
                                  "".join([station, *self.start_terminals(folder)]))
        self.office.start()
        town.wait_for(lambda: len(self.city.events("wristband.seen")) >= BANDS
                      and len(self.city.events("terminal.online")) >= 2 and self.are_heard(), 20,
                      f"every device to be heard; {self.office.log_path} may say why")
        self.follower = Follower(self.city)

    def look(self):
        happened = sum((recorded(terminal) for terminal in self.terminals), produced(self.station))
        pairs, missing, extra = match(happened, list(self.follower.events))
        self.screen.show(pairs)
        return pairs, missing, extra

    def rest(self, seconds, end):
        until = min(time.monotonic() + seconds, end)
        while time.monotonic() < until:
            time.sleep(0.05)
            self.look()

    def play(self, end):
        """Lets things happen until then; what is open or off at the end is not set right."""
        for turn in itertools.count():
            for word, band, settings in SCRIPT:
                if time.monotonic() >= end:
                    return
                if word in OF_TERMINALS:
                    self.terminals[next(self.visits) % 2].do(word, **settings)
                elif word != "pause":
                    other = band and (band - 1 + turn) % BANDS + 1
                    self.station.do(word, other, **settings)
                self.rest(1.0 + random.random() * 0.2, end)

    def settle(self):
        """Waits until all has arrived; a while longer, for what should not come."""
        end = time.monotonic() + 15
        while self.look()[1] and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(1)
        return self.look()

    def verified(self):
        self.office.stop()
        self.city.stop()
        answers = [self.office.verify("--city-key", self.city.verifier, expect=None),
                   self.city.verify(expect=None)]
        for answer in answers:
            print(answer.stdout.strip() or answer.stderr.strip())
        return all(answer.returncode == 0 for answer in answers)

    def close(self):
        town.stop_all([self.follower, self.office, self.city, self.station, *self.terminals, self.broker])


def report(demo):
    pairs, missing, extra = demo.settle()
    verified = demo.verified()
    for kind, tag, _, _ in missing:
        print(f"missing: {kind} {tag or ''}")
    for event in extra:
        print(f"not expected: {event['type']} {about(event) or ''} seq {event['seq']}")
    delays = [(event["at"] - at) / 1000 for (_, _, at, at_once), event in pairs if at_once]
    print(f"demo: produced={len(pairs) + len(missing)} received={len(pairs) + len(extra)} "
          f"duplicates={len(extra)} missing={len(missing)} verified={'yes' if verified else 'no'} "
          f"p50_ms={percentile(delays, 0.5):.1f} p99_ms={percentile(delays, 0.99):.1f}")
    return bool(pairs) and not missing and not extra and verified


def main():
    words = argparse.ArgumentParser(description="An office, its city and its devices.")
    words.add_argument("--duration", type=float, help="seconds; without it until Ctrl-C")
    duration = words.parse_args().duration
    town.interruptible()
    folder = tempfile.mkdtemp(prefix="outpost-demo-")
    demo, good = Demo(), False
    try:
        demo.start(folder)
        print(f"office {town.OFFICE_ID}, {BANDS} wristbands, 2 face terminals; everything is in {folder}\n"
              f"at the city   delay       lane       event                    wristband or record")
        try:
            demo.play(time.monotonic() + (duration or 1e9))
        except KeyboardInterrupt:
            print()
        good = report(demo)
    except KeyboardInterrupt:
        print("demo: interrupted")
    finally:
        demo.close()
        if good:
            shutil.rmtree(folder)
        else:
            print(f"demo: the logs are in {folder}", file=sys.stderr)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
