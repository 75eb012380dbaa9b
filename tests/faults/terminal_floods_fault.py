"""Face terminals that flood: without end, by bombs, by parts of 100 MB, by 10,000 connections.

Against each plugin as it is: what its process takes beyond its budget stays small, four healthy plugins beside
it keep their rhythm (counted at their devices, as with hostile plugins), and when it is over it reads again.
"""
import http.client
import json
import os
import subprocess
import sys
import threading
import time

import pytest
import town
from hostile_fault import HEALTHY, Meter, own_kib, pid_of, rhythm

import programs

pytestmark = [pytest.mark.skipif(os.path.basename(town.BUILD).startswith("asan"),
                                 reason="the sanitizer's memory is not the plugin's"), pytest.mark.slow]

FLOODER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flooder.py")
USUAL_S, FLOOD_S = 4, 5
STRETCHES = 3
BEYOND_KIB = 2 * 1024  # what Lua may take (16 MiB) is the plugin's own; the rest of the process may grow so much
PULLS = [("answers", "chunked"), ("answers", "bomb"), ("answers", "part"), ("stream", "chunked"), ("stream", "part")]
PUSHES = ["chunked", "bomb", "part", "connections"]


class Flooder:
    """The terminal, in a process of its own."""

    def __init__(self, kind):
        self.process = subprocess.Popen([sys.executable, "-B", FLOODER, "serve", kind], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def ask(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.kill()
        self.process.wait()


class Peak:
    """The most that a process takes while this is open, in KiB of its own memory."""

    def __init__(self, pid):
        self.pid, self.kib, self.over = pid, 0, threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while not self.over.wait(0.05):
            self.kib = max(self.kib, own_kib(self.pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_why):
        self.over.set()
        self.thread.join()


class House:
    """An office of the plugin and its healthy neighbours."""

    def __init__(self, folder, started, plugin, settings):
        self.meters = [Meter() for _ in range(HEALTHY)]
        outpost = programs.private(folder)
        shelf = folder / "share" / "outpost" / "plugins"
        blocks = [f'plugin "{plugin}" "terminal" {{ {settings} }}\n']
        for name in {plugin, "example"}:
            (shelf / name).symlink_to(os.path.join(town.ROOT, "plugins", name))
        for i, meter in enumerate(self.meters):
            blocks.append(f'plugin "example" "healthy{i}" {{ url = "{meter.url}", poll = "100ms" }}\n')
        self.office = town.Office(folder / "office", plugins="".join(blocks))
        self.office.argv = (outpost, *self.office.argv[1:])
        started(self.office)
        town.wait_for(lambda: self.office.text().count(": started") >= HEALTHY + 1, 20, "all to start")

    def records(self):
        lines = self.office.command("events", "--json", expect=None).stdout.splitlines()
        return sum('"type":"checkin.' in line for line in lines)

    def usual(self):
        """The rhythm before it floods; what disturbs the machine for a moment is not it."""
        self.pid = pid_of(self.office, "terminal")
        found = []
        while len(found) < 3 and not (found and found[-1][1] < 0.15):
            began = time.monotonic()
            time.sleep(USUAL_S)
            found.append(rhythm(self.meters, began, time.monotonic()))
        self.rhythm = max(rate for rate, _ in found), min(p99 for _, p99 in found)
        self.before_kib = own_kib(self.pid)

    def is_even(self, began):
        rate, p99 = rhythm(self.meters, began, time.monotonic())
        self.told = f"polls {rate / self.rhythm[0]:.3f}, p99 {1000 * (p99 - self.rhythm[1]):+.1f} ms"
        return rate >= 0.95 * self.rhythm[0] and (p99 <= self.rhythm[1] / 0.95 or p99 - self.rhythm[1] <= 0.010)

    def endure(self, name, begin, wait=None):
        """While `begin(seconds)` has it flooded: its memory, and the others' rhythm. `wait`: until it does."""
        with Peak(self.pid) as peak:
            if wait is not None:
                wait()
            for _ in range(STRETCHES):
                began = time.monotonic()
                flood = begin(FLOOD_S)
                time.sleep(max(0, began + FLOOD_S - time.monotonic()))
                even = self.is_even(began)
                if flood is not None:
                    flood.wait()
                if even:
                    break
        grown = peak.kib - self.before_kib
        print(f"\n{name}: {grown:+} KiB, {self.told}", end="")
        assert even, f"{name}: the healthy ones lost their rhythm: {self.told}"
        assert grown <= 16 * 1024 + BEYOND_KIB, f"{name}: it took {grown} KiB more"
        return grown

    def check(self):
        assert pid_of(self.office, "terminal") == self.pid, "it died: " + self.office.text()[-3000:]
        deaths = [c["deaths"] for c in self.office.status()["children"] if c["name"].startswith("healthy")]
        assert deaths == [0] * HEALTHY
        assert len(self.office.text()) < 200 * 1024, "the log was flooded"

    def close(self):
        for meter in self.meters:
            meter.close()


PULLED = {
    "isapi": 'url = "%s", user = "admin", password = "Outpost-2026", poll = "1s", retry = "1s", heartbeat = "1s"',
    "dahua": 'url = "%s", password = "Outpost-2026", reconcile = "10s", heartbeat = "1s"',
}


@pytest.mark.parametrize("make", PULLED)
def test_a_terminal_whose_answers_flood_harms_nobody_and_is_read_again(make, tmp_path, started):
    terminal = Flooder(make)
    house = None
    try:
        terminal.ask("record")
        house = House(tmp_path, started, f"face-{make}", PULLED[make] % terminal.url)
        town.wait_for(lambda: house.records() == 1, 20, "the first record")
        house.usual()
        for place, kind in PULLS:
            terminal.ask("flood", place, kind)
            house.endure(f"{make}, {place}: {kind}", lambda _seconds: None, lambda: town.wait_for(
                lambda: int(terminal.ask("count")) > 0, 120, f"{place} to flood: {kind}", 0.1))
            terminal.ask("good")
            time.sleep(1)
        terminal.ask("record")
        town.wait_for(lambda: house.records() == 2, 90, "the next record", 0.5)
        house.check()
    finally:
        terminal.close()
        if house:
            house.close()


PUSHED = {
    "isapi": ("/isapi", 'url = "{url}", user = "admin", password = "Outpost-2026", '
              'listen = "http://127.0.0.1:{port}", push_to = "http://127.0.0.1:{port}/isapi"'),
    "zkpush": ("/iclock/cdata?SN=VGU62447&table=ATTLOG&Stamp=1", 'url = "http://127.0.0.1:{port}", '
               'terminals = {{ VGU62447 = "127.0.0.1" }}'),
    "dahua": ("/", 'url = "http://127.0.0.1:9", serial = "5PGM37", listen = "http://127.0.0.1:{port}"'),
}
DAHUA = {"Code": "AccessControl", "Action": "Pulse", "Data": {"UserID": "1001", "Status": 1, "Method": 15}}


def push_once(make, port, number):
    """A record of that number, as a good terminal pushes it, until it was heard."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600))
    body = (f"7\t{moment}\t255\t15\t0\t0\t0\t0\t0\t\n" if make == "zkpush" else
            json.dumps({**DAHUA, "Data": {**DAHUA["Data"], "RecNo": number, "UTC": int(time.time())}}))

    def is_heard():
        try:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            client.request("POST", PUSHED[make][0], body)
            return client.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
    town.wait_for(is_heard, 60, "the plugin to listen", 0.5)


def flood(port, path, kind):
    def begin(seconds):
        return subprocess.Popen([sys.executable, "-B", FLOODER, "push", str(port), path, kind, str(seconds)],
                                stdout=subprocess.DEVNULL)
    return begin


@pytest.mark.parametrize("make", PUSHED)
def test_a_terminal_that_floods_with_pushes_harms_nobody_and_is_heard_again(make, tmp_path, started):
    port, terminal = town.free_port(), Flooder("isapi") if make == "isapi" else None
    path, settings = PUSHED[make]
    house = House(tmp_path, started, f"face-{make}", settings.format(port=port, url=terminal and terminal.url))

    def push(number):
        terminal.ask("record") if terminal else push_once(make, port, number)
        town.wait_for(lambda: house.records() >= number, 60, f"record {number}", 0.5)
    try:
        push(1)
        house.usual()
        for kind in PUSHES:
            house.endure(f"{make}, pushes: {kind}", flood(port, path, kind))
        time.sleep(1.1)  # another second, another record
        push(2)
        house.check()
    finally:
        if terminal:
            terminal.close()
        house.close()
