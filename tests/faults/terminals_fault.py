"""A face terminal with months of records, a clock that jumps, numbers that begin again, reboots; and kill -9
of the plugin, the keeper and the terminal itself, again and again.

What the terminal has recorded is told by its own file, in the order of recording; the city's database must
tell the same numbers in the same order, each once.
"""
import json
import os
import random
import signal
import socket
import threading
import time

import pytest
import town

PROGRAMS = ["host", "keeper", "terminal"]


class Visitors(threading.Thread):
    """People who come while all that happens; whoever finds the terminal dead goes away again."""

    def __init__(self, terminal, seed):
        super().__init__(daemon=True)
        self.terminal, self.seed, self.ends = terminal, seed, threading.Event()

    def run(self):
        chance = random.Random(self.seed)
        while not self.ends.wait(0.5 + chance.random()):
            visit = {"do": "visit", "person": str(8000 + chance.randrange(50))}
            try:
                with socket.create_connection(("127.0.0.1", self.terminal.control), 5) as line:
                    line.sendall(json.dumps(visit).encode() + b"\n")
                    line.makefile().readline()
            except OSError:
                pass

    def stop(self):
        self.ends.set()
        self.join(30)


class Hall:
    """The terminal and the office, and how each of the programs is killed and comes back."""

    def __init__(self, terminal, office):
        self.terminal, self.office = terminal, office
        self.kills = dict.fromkeys(PROGRAMS, 0)

    def kill(self, name):
        if name == "host":
            pid, *_ = town.wait_for(lambda: self.office.children().get("host"), 90, "a host to kill")
            os.kill(pid, signal.SIGKILL)
        else:
            program = {"keeper": self.office, "terminal": self.terminal}[name]
            program.kill()
            time.sleep(random.random() * 0.5)
            program.start()
        self.kills[name] += 1


def numbers(city):
    found = city.rows("SELECT json_extract(body, '$.data.record') FROM event WHERE "
                      "json_extract(body, '$.data.record') IS NOT NULL ORDER BY log, seq")
    return [number for number, in found]


def truth(terminal):
    return [line["serialNo"] for line in terminal.recorded() if "serialNo" in line]


def first_difference(told, wanted):
    """Where two lists part, for people; nothing when they are the same."""
    for at, pair in enumerate(zip(told, wanted)):
        if pair[0] != pair[1]:
            return f"at {at}: told {told[at - 2:at + 5]}, recorded {wanted[at - 2:at + 5]}"
    return "" if len(told) == len(wanted) else f"{len(told)} were told, {len(wanted)} recorded"


def arrive(city, terminal, seconds):
    """Until as many are told as were recorded; a while longer for what should not come."""
    count = len(truth(terminal))
    town.wait_for(lambda: len(numbers(city)) >= count, seconds, f"{count} records", 0.5)
    time.sleep(2)


@pytest.mark.parametrize("count, kills, wipe", [
    pytest.param(3000, 3, False, id="3000"),
    pytest.param(50000, 20, False, id="50000", marks=pytest.mark.slow),
    pytest.param(20000, 12, True, id="wiped", marks=pytest.mark.slow),
])
def test_each_record_is_told_once_in_the_order_of_numbers(count, kills, wipe, tmp_path, broker, city, started, seed):
    random.seed(seed)
    port = town.free_port()
    terminal = started(town.FaceTerminal(tmp_path, beat=1.0, quirks=["by-time"]))
    before, after = count * 3 // 5, count - count * 3 // 5
    terminal.do("fill", count=before, jump=before // 2 + 7)  # in the middle of a page
    if not wipe:  # both runs of numbers lie side by side
        terminal.do("reset", wipe=False)
        terminal.do("fill", count=after, jump=after // 3, back=10 * 86400)
    office = started(town.Office(tmp_path / "office", city, broker, terminal.plugin(
        listen=f'"http://127.0.0.1:{port}"', push_to=f'"http://127.0.0.1:{port}/isapi"', poll='"500ms"',
        retry='"300ms"', heartbeat='"1s"', reconcile='"5s"', offline_after='"1h"')))
    there = Hall(terminal, office)
    visitors = Visitors(terminal, seed)
    visitors.start()
    victims = (PROGRAMS * kills)[:kills]
    random.shuffle(victims)
    for nth, name in enumerate(victims):
        if wipe and nth == kills // 2:
            visitors.stop()  # what is not read when the memory is wiped is lost for everybody
            arrive(city, terminal, 900)
            terminal.do("reset", wipe=True)
            terminal.do("fill", count=after, back=86400)
        time.sleep(random.random() * count / 4000)
        there.kill(name)
        if nth in (0, kills // 2, kills - 1):
            terminal.do("reboot", **{"for": 0.5})
    time.sleep(4)
    visitors.stop()
    arrive(city, terminal, 1800)
    assert first_difference(numbers(city), truth(terminal)) == ""
    assert len(city.events("terminal.serial_reset")) == 1
    assert len(city.events("gap.recorded")) == 0
    assert office.stop() == 0
    assert city.stop() == 0
    office.verify()
    city.verify()
    print(f"kills: {there.kills}, 3 reboots, {len(truth(terminal))} records, 0 lost, 0 twice")
