"""terminals - face terminals: from the moment somebody stands there to the city's database, and what it costs.

Eight terminals of three makes, by stream and by push (crowd.py), 20 check-ins a second each, which is more than
any door lets in. The whole way is the product's own: hosts, keeper, uplink, broker, city."""
import functools
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import threading
import time

import appliance
from goal import Goal

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "sim"))
import dahua  # noqa: E402
import town  # noqa: E402

RATE, SECONDS, TERMINALS = 20, 15, 8
POLL_S = 0.002


class Reader(threading.Thread):
    """When each person was in the city's database."""

    def __init__(self, city):
        super().__init__(daemon=True)
        self.database = sqlite3.connect(f"file:{city.database}?mode=ro", uri=True, timeout=10, check_same_thread=False)
        self.seen, self.over = {}, threading.Event()

    def run(self):
        last = 0
        while not self.over.is_set():
            rows = self.database.execute("SELECT rowid, body FROM event WHERE rowid > ?", (last,)).fetchall()
            now = time.time()
            for last, body in rows:
                event = json.loads(body)
                if event["type"] == "checkin.verified":
                    self.seen.setdefault(event["subject"].split("/")[1], now)
            time.sleep(POLL_S)


def blocks(said, ports):
    login = f'user = "{dahua.USER}", password = "{dahua.PASSWORD}"'
    lines = [f'plugin "face-dahua" "stream{i}" {{ url = "{url}", {login} }}' for i, url in enumerate(said["dahua"])]
    lines += [f'plugin "face-dahua" "push{i}" {{ url = "http://127.0.0.1:9", serial = "DH{i + 3}", '
              f'listen = "http://127.0.0.1:{port}" }}' for i, port in enumerate(ports[:2])]
    lines.append(f'plugin "face-isapi" "hall0" {{ url = "{said["isapi"][0]}", {login}, mode = "stream" }}')
    lines.append(f'plugin "face-isapi" "hall1" {{ url = "{said["isapi"][1]}", {login}, mode = "push", '
                 f'listen = "http://127.0.0.1:{ports[2]}", push_to = "http://127.0.0.1:{ports[2]}/isapi" }}')
    lines += [f'plugin "face-zkpush" "gate{i}" {{ url = "http://127.0.0.1:{port}", '
              f'terminals = {{ ZK{i + 1} = "127.0.0.1" }} }}' for i, port in enumerate(ports[3:])]
    return "\n".join(lines) + "\n"


def cpu_s(office):
    """Of keeper, uplink and hosts, and of errands that have ended."""
    children = office.children()
    assert len(children["host"]) == TERMINALS and "uplink" in children, children
    pids = [office.pid] + [pid for some in children.values() for pid in some]
    found = 0
    for pid in pids:
        try:
            found += sum(appliance.cpu_seconds(pid))
        except FileNotFoundError:
            pass  # an errand that has just ended
    return found


def run_crowd(crowd, office):
    """{person: when} and the part of one processor that the appliance took meanwhile."""
    crowd.stdin.write("go\n")
    crowd.stdin.flush()
    assert crowd.stdout.readline() == "they come\n"
    before, began = cpu_s(office), time.monotonic()
    said = json.loads(crowd.stdout.readline())
    return said, (cpu_s(office) - before) / (time.monotonic() - began)


@functools.lru_cache(None)
def measured():
    """(milliseconds of every check-in, the part of a processor)"""
    folder = appliance.scratch()
    ports = [town.free_port() for _ in range(5)]
    programs = []
    crowd = subprocess.Popen([sys.executable, "-B", os.path.join(HERE, "crowd.py"), str(RATE), str(SECONDS),
                              *map(str, ports)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        said = json.loads(crowd.stdout.readline())
        programs.append(town.Broker(folder).start())
        programs.append(town.City(folder, programs[0]).start())
        office = town.Office(os.path.join(folder, "office"), programs[1], programs[0], blocks(said, ports))
        programs.append(office.start())
        town.wait_for(lambda: office.text().count(": started") >= TERMINALS, 30, "all to start")
        reader = Reader(programs[1])
        reader.start()
        said, part = run_crowd(crowd, office)
        town.wait_for(lambda: len(reader.seen) >= len(said), 10, f"all of {len(said)} check-ins")
        reader.over.set()
        return [1000 * (reader.seen[person] - at) for person, at in said.items()], part
    finally:
        crowd.kill()
        crowd.wait()
        town.stop_all(reversed(programs))


def goals(_pairs):
    return [
        Goal("terminals", "last percentile of a check-in's way to the city, 8 terminals at 20/s each", 200, 60,
             lambda: ([statistics.quantiles(measured()[0], n=100)[98]], []), most=True, unit=" ms"),
        Goal("terminals cpu", "one processor that the appliance takes for them", 0.5, 0.25,
             lambda: ([measured()[1]], []), most=True),
    ]
