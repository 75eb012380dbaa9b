#!/usr/bin/python3
"""demo.py [--duration SECONDS] - an afternoon in an office, in a minute.

Starts a broker, the city with its upload server, an office, a base station with a dozen wristbands, two
face terminals (one pushes, the other is heard by its stream) and a docking station for body cameras, all
on loopback and in one temporary folder; lets things happen; prints each event as the city has it with the
delay from device to city. The last line says whether all of it arrived, once, and verifies on both sides.

What was produced is counted from the devices' own logs. p50 and p99 are over what shows at once (straps,
cases, batteries, bands that come back, all records of the terminals); "lost" and "offline" are decisions
that need time by their nature, and a clip has to lie still for a second before it counts as whole, so they
have no delay. Without npm, or without a network the first time, there is no upload server, and clips stay
in the office; without ffmpeg there is no docking station. Which of it is left out is said.
"""
import argparse
import datetime
import filecmp
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
import footage  # noqa: E402
import secure  # noqa: E402
import town  # noqa: E402
import uploads  # noqa: E402

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
# Of clips the last two must not come.
OF_CLIPS = ("evidence.recorded", "evidence.uploaded", "evidence.again", "evidence.differs")
COUNTED = {kind for kinds, _ in EXPECTED.values() for kind in kinds} | set(RECORDS.values()) | set(OF_CLIPS)

# (word, band, settings) one after the other; then again, on other bands.
SCRIPT = [
    ("clip", None, {"is_important": True}),
    ("strap", 3, {"open": True}),
    ("visit", None, {"person": "8001"}),
    ("battery", 5, {"percent": 6}),
    ("strap", 3, {"open": False}),
    ("lost", 9, {"age": 3600}),
    ("case", 7, {"open": True}),
    ("visit", None, {"person": "8002"}),
    ("strap", 11, {"open": True}),
    ("clip", None, {"is_important": False}),
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
    """What an event is about: the hex tag of a band, terminal and number of a record, the SHA-256 of a
    clip, or None."""
    data = event["body"]["data"]
    if event["type"] in OF_CLIPS:
        return data["sha256"]
    if "record" in data:
        return f'{data["terminal"]} {data["record"]}'
    return data["band"].lower() if "band" in data else None


def recorded(terminal):
    """The same of a face terminal's records."""
    return [(RECORDS[one["major"], one["minor"]], f'{terminal.serial} {one["serialNo"]}', one["at"], True)
            for one in terminal.recorded()]


def filed(dock, goes_to_city):
    """The same of a dock's clips: each is recorded, and an important one goes to the city."""
    found = []
    for clip in dock.clips if dock else []:
        kinds = OF_CLIPS[:2] if clip.is_important and goes_to_city else OF_CLIPS[:1]
        found += [(kind, clip.sha256, clip.at, False) for kind in kinds]
    return found


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

    def show(self, pairs, names):
        """`names` are what people call what an event is about, where that is another word."""
        for (_, tag, at, at_once), event in pairs:
            key = (event["log"], event["seq"])
            if key in self.shown:
                continue
            self.shown.add(key)
            delay = f"{(event['at'] - at) / 1000:7.1f} ms" if at_once else "          "
            clock = datetime.datetime.fromtimestamp(event["at"] / 1e6).strftime("%H:%M:%S.%f")[:-3]
            print(f"{clock}  {delay}  {event['lane']:9}  {event['type']:24} {names.get(tag, tag) or ''}", flush=True)


class Demo:
    broker = city = office = station = follower = dock = server = None

    def __init__(self):
        self.screen, self.terminals, self.visits = Screen(), [], itertools.count()

    def start_dock(self, folder):
        """The docking station and the city's upload server; the lines of the office's configuration."""
        missing = footage.why_not()
        if missing:
            print(f"demo: left out: body cameras: {missing}", flush=True)
            return ""
        self.dock = footage.DockingStation(folder).start()
        plugin = self.dock.plugin(poll='"1s"', settle='"1s"')
        missing = uploads.why_not()
        if missing:
            print(f"demo: left out: the upload server, so clips stay in the office: {missing}", flush=True)
            return plugin
        authority = secure.Authority(folder)
        authority.run("office", town.OFFICE_ID)
        self.server = uploads.Uploads(folder, authority.sign("uploads", "uploads")).start()
        self.city.argv += ("--uploads", self.server.home)
        return uploads.courier(self.server, authority) + plugin

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
        self.city = town.City(folder, self.broker)
        evidence = self.start_dock(folder)
        self.city.start()
        self.station = town.Station(folder, "monnit-tcp", bands=BANDS).start()
        station = self.station.plugin(poll='"20ms"', lost_after='"60s"', offline_after='"1s"')
        self.office = town.Office(os.path.join(folder, "office"), self.city, self.broker,
                                  "".join([evidence, station, *self.start_terminals(folder)]))
        self.office.start()
        town.wait_for(lambda: len(self.city.events("wristband.seen")) >= BANDS
                      and len(self.city.events("terminal.online")) >= 2 and self.are_heard()
                      and (not self.dock or self.city.events("dock.online")), 20,
                      f"every device to be heard; {self.office.log_path} may say why")
        self.follower = Follower(self.city)

    def look(self):
        happened = sum((recorded(terminal) for terminal in self.terminals),
                       produced(self.station) + filed(self.dock, self.server))
        pairs, missing, extra = match(happened, list(self.follower.events))
        self.screen.show(pairs, {clip.sha256: clip.name for clip in self.dock.clips} if self.dock else {})
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
                if word == "clip" and self.dock is None:
                    continue
                if word == "clip":
                    self.dock.put(**settings)
                elif word in OF_TERMINALS:
                    self.terminals[next(self.visits) % 2].do(word, **settings)
                elif word != "pause":
                    other = band and (band - 1 + turn) % BANDS + 1
                    self.station.do(word, other, **settings)
                self.rest(1.0 + random.random() * 0.2, end)

    def settle(self):
        """Waits until all has arrived; a while longer, for what should not come."""
        end = time.monotonic() + 30
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
        return all([*(answer.returncode == 0 for answer in answers), self.clips_are_same()])

    def clips_are_same(self):
        """Whether what lies at the city is, byte for byte, what lies on the dock."""
        if self.server is None:
            return True
        went = [clip for clip in self.dock.clips if clip.is_important]
        kept = [self.server.path("evidence", clip.sha256[:2], clip.sha256[2:]) for clip in went]
        same = sum(os.path.exists(there) and filecmp.cmp(self.dock.path(clip), there, shallow=False)
                   for clip, there in zip(went, kept))
        print(f"clips: {same} of {len(went)} important ones are at the city, the same byte for byte")
        return same == len(went)

    def close(self):
        town.stop_all([self.follower, self.office, self.city, self.station, *self.terminals, self.dock,
                       self.server, self.broker])


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
        print(f"office {town.OFFICE_ID}, {BANDS} wristbands, 2 face terminals{', a dock' if demo.dock else ''}; "
              f"everything is in {folder}\n"
              f"at the city   delay       lane       event                    wristband, record or clip", flush=True)
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
