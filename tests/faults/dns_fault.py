"""A name server that does not answer, as a router without a line upstream.

The office lives in a namespace whose resolver is ours: it answers, or swallows every question. The name of
the city cannot be resolved then; the box records, says what is wrong, and connects when it can.
"""
import contextlib
import os
import shutil
import socket
import sqlite3
import struct
import threading
import time

import history
import nets
import programs
import pytest
import town

NAME = "broker.city.test"
SILENT_S = 14   # longer than an attempt, which ends after 10 s without an answer
BACK_S = 15     # from its first answer to a new event at the city
TICKS = 280


class Resolver(threading.Thread):
    """Knows one name, by UDP; answers when `answers` is set."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.answers, self.asked = address, threading.Event(), 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))

    def run(self):
        while True:
            question, peer = self.socket.recvfrom(512)
            if not question:
                return
            self.asked += 1
            if self.answers.is_set():
                self.socket.sendto(self.answer(question), peer)

    def answer(self, question):
        """An A record for NAME; nothing for anything else (an AAAA, a name with a search domain)."""
        end = question.index(b"\0", 12) + 5
        asked, kind = question[12:end - 4], question[end - 4:end - 2]
        name = b"".join(bytes([len(part)]) + part.encode() for part in NAME.split(".")) + b"\0"
        known = asked.lower() == name
        records = b""
        if known and kind == b"\0\1":
            records = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(self.address)
        head = question[:2] + struct.pack(">HHHHH", 0x8180 | (0 if known else 3), 1, bool(records), 0, 0)
        return head + question[12:end].join((b"", records))

    def end(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", (self.address, 53))
        self.join(10)
        self.socket.close()


def forget(etc):
    """The namespace's own /etc, and the folder of all of them when it was the only one."""
    shutil.rmtree(etc, ignore_errors=True)
    with contextlib.suppress(OSError):
        os.rmdir(os.path.dirname(etc))


@pytest.fixture
def net():
    """A wire whose namespace has a resolv.conf of its own; the office lives in there."""
    with nets.opened() as net, contextlib.ExitStack() as later:
        etc = f"/etc/netns/{net.name}"
        later.callback(forget, etc)
        os.makedirs(etc)
        with open(f"{etc}/resolv.conf", "w", encoding="ascii") as conf:
            conf.write(f"nameserver {net.office_ip}\n")
        net.resolver = Resolver(net.office_ip)
        net.resolver.start()
        later.callback(net.resolver.end)
        yield net


class Broker(town.Broker):
    """mosquitto on the near end of the wire, known by its name."""

    def __init__(self, folder, net):
        super().__init__(folder)
        with open(os.path.join(self.folder, "mosquitto.conf"), "a", encoding="ascii") as out:
            out.write(f"listener {self.port} {net.office_ip}\n")
        self.named = f"mqtt://{NAME}:{self.port}"


class Named:
    """What the office is told of the broker."""

    def __init__(self, broker):
        self.url = broker.named


def committed(office):
    """How many events the journal has, counted in its own database."""
    path = f"{office.state}/journal/tail.db"
    if not os.path.exists(path):
        return 0
    tail = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return tail.execute("SELECT max(seq) + 1 FROM event").fetchone()[0] or 0
    except sqlite3.OperationalError:  # it is being made
        return 0
    finally:
        tail.close()


def uplink_of(office):
    return next(child for child in office.status()["children"] if child["name"] == "uplink")


def wait_for_more(city, seconds):
    """Seconds until the city has more than now."""
    begun, before = time.monotonic(), len(city.events("ticker.*"))
    town.wait_for(lambda: len(city.events("ticker.*")) > before, seconds, "more at the city", 0.05)
    assert time.monotonic() - begun <= seconds
    return time.monotonic() - begun


def stay_silent(net, office):
    """No answers for a while, with the office recording all the time."""
    net.resolver.answers.clear()
    asked, size = net.resolver.asked, committed(office)
    time.sleep(SILENT_S)
    assert net.resolver.asked > asked, "nobody asked for the name"
    assert committed(office) > size + SILENT_S, "the box does not go on recording"
    uplink = uplink_of(office)
    assert uplink["state"] == "running" and uplink["deaths"] == 0, uplink
    assert not uplink["health"]["connected"] and NAME in uplink["health"]["last_error"], uplink


@pytest.mark.slow
def test_a_name_server_that_does_not_answer_stops_nothing(net, tmp_path, started):
    broker = started(Broker(tmp_path, net))
    city = started(town.City(tmp_path, broker))
    office = started(programs.TickingOffice(tmp_path / "office", city, Named(broker), TICKS,
                                            pause="100ms", through=net.inside))
    town.wait_for(lambda: committed(office) > 3, 20, "the first events in the office")
    stay_silent(net, office)
    net.resolver.answers.set()
    first = wait_for_more(city, BACK_S)
    net.resolver.answers.clear()
    broker.kill()
    broker.start()
    with pytest.raises(AssertionError):
        wait_for_more(city, 5)
    net.resolver.answers.set()
    again = wait_for_more(city, BACK_S)
    town.wait_for(lambda: len(city.events("ticker.*")) >= TICKS, 90, f"all ticks; {city.census()}", 0.2)
    time.sleep(1)
    assert history.findings(history.ticks(TICKS), history.rows(city.database)) == []
    net.resolver.answers.clear()
    broker.kill()
    asked = net.resolver.asked
    town.wait_for(lambda: net.resolver.asked > asked, 10, "somebody to ask for the name")
    assert office.stop() == 0
    assert "did not stop" not in office.text(), "it could not be told to end while it asked"
    print(f"dns: no answer for {SILENT_S} s from the start: connected {first:.1f} s after it answers; "
          f"broken again, {again:.1f} s; {TICKS} produced, 0 lost, 0 twice")
