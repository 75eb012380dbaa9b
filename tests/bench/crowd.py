#!/usr/bin/python3
"""crowd - eight face terminals before which somebody stands all the time: a process of its own.

    crowd.py RATE SECONDS PORT PORT PORT PORT PORT

Two of Dahua with a stream and two that push, one of ISAPI with a stream and one that pushes, two of ZKTeco.
Prints {"dahua": [URL, URL], "isapi": [URL, URL]}; then waits for a line, and until all streams are heard; has
RATE check-ins a second at each terminal for SECONDS; prints {person: when it stood there}. No person
comes twice, so whoever reads the city knows whom it has.
"""
import argparse
import http.client
import json
import os
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sim"))
import dahua  # noqa: E402
import isapi  # noqa: E402
import zkpush  # noqa: E402

PERSONS = 1000000  # of a terminal


class DahuaStream(dahua.Terminal):
    def stand(self, person, number):
        self.say("AccessControl", **self.event(person, number))


class DahuaPush(dahua.Terminal):
    port_of_office = client = None

    def is_heard(self):
        return True

    def stand(self, person, number):
        self.client = self.client or http.client.HTTPConnection("127.0.0.1", self.port_of_office, timeout=10)
        if not self.push(self.port_of_office, self.event(person, number), client=self.client):
            raise OSError("the office does not say that it has it")


class Isapi(isapi.Terminal):
    def __init__(self, serial, folder, quirks=()):
        super().__init__(argparse.Namespace(folder=folder, user=dahua.USER, password=dahua.PASSWORD, quirk=list(quirks),
                                            serial=serial, beat=5.0, page=30, backlog=41))
        handler = type("Handler", (isapi.Handler,), {"terminal": self})
        self.server = isapi.Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def is_heard(self):
        return self.session is not None or bool(self.hosts)

    def stand(self, person, _number):
        self.happen(5, 75, person)


class Zkteco(zkpush.Terminal):
    def is_heard(self):
        if not self.is_connected:
            self.connect()
            self.is_connected = True
        return True

    is_connected = False

    def stand(self, person, _number):
        self.punch(person)
        self.send()


def stand_before(terminal, index, rate, seconds, said, start):
    """A thread of its own for each; who is late makes up for it."""
    for number in range(1, int(rate * seconds) + 1):
        time.sleep(max(0, start + number / rate - time.monotonic()))
        person = str((10 + index) * PERSONS + number)
        said[person] = time.time()
        terminal.stand(person, number)


def wait_until_heard(terminals):
    end = time.monotonic() + 60
    while not all(terminal.is_heard() for terminal in terminals):
        if time.monotonic() > end:
            raise TimeoutError(f"not heard: {[type(t).__name__ for t in terminals if not t.is_heard()]}")
        time.sleep(0.1)


def main():
    rate, seconds, *ports = map(float, sys.argv[1:])
    ports = [int(port) for port in ports]
    folder = tempfile.mkdtemp()
    streams = [DahuaStream("DH1"), DahuaStream("DH2")]
    pushes = [DahuaPush("DH3"), DahuaPush("DH4")]
    for terminal, port in zip(pushes, ports):
        terminal.port_of_office = port
    folders = [os.path.join(folder, name) for name in ("a", "b")]
    for one in folders:
        os.mkdir(one)
    cameras = [Isapi("DS-1", folders[0]), Isapi("DS-2", folders[1])]
    clocks = [Zkteco(ports[3], serial="ZK1"), Zkteco(ports[4], serial="ZK2")]
    terminals = [*streams, *pushes, *cameras, *clocks]
    print(json.dumps({"dahua": [t.url for t in streams], "isapi": [t.url for t in cameras]}), flush=True)
    sys.stdin.readline()
    wait_until_heard(terminals)
    time.sleep(1)
    said, start = {}, time.monotonic()
    threads = [threading.Thread(target=stand_before, args=(terminal, i, rate, seconds, said,
                                                           start + i / rate / len(terminals)))
               for i, terminal in enumerate(terminals)]
    print("they come", flush=True)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shutil.rmtree(folder, True)
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
