"""No name, number of a card, picture or template leaves a plugin of face terminals by itself.

200 markers are planted in simulated terminals of three makes, which tell them in every field they have.
Then everything that the box has written and sent is searched, in every form a marker could have: the
bytes of both MQTT connections, the state folder with its packed bundles, the city's database, logs,
status and events, and the names of all files. All settings are those that ship.
"""
import base64
import json
import os
import shutil
import socket
import subprocess
import threading
import time

import gossips
import markers
import pytest
import town

VISITS = 80  # of each terminal: every marker twice, so that journals are sealed and packed


class Tap:
    """A wire to the broker that remembers each connection's bytes, both ways."""

    def __init__(self, port):
        self.target, self.streams = port, []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        self.url = f"mqtt://127.0.0.1:{self.port}"
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                near = self.door.accept()[0]
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            for source, sink in ((near, far), (far, near)):
                stream = bytearray()
                self.streams.append(stream)
                threading.Thread(target=self.carry, args=(source, sink, stream), daemon=True).start()

    @staticmethod
    def carry(source, sink, stream):
        try:
            while data := source.recv(65536):
                stream += data
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.door.close()


class Gossips:
    """All terminals, and the plugins that hear them with the settings that ship."""

    def __init__(self, planted):
        persons = gossips.Persons(planted)
        self.ports = {name: town.free_port() for name in ("isapi", "dahua", "zkpush")}
        self.isapi = {mode: gossips.Isapi(persons, f"DS-{mode}") for mode in ("poll", "stream", "push")}
        self.isapi["stream"].streams = True
        self.dahua = {mode: gossips.Dahua(persons, f"5PGM-{mode}") for mode in ("stream", "push")}
        self.zkteco = gossips.Zkteco(persons, self.ports["zkpush"], "VGU6244700001")
        self.begun = False

    def plugins(self):
        login = f'user = "admin", password = "{gossips.PASSWORD}"'
        hear = 'http://127.0.0.1:{}'
        lines = [f'plugin "face-isapi" "isapi-{mode}" {{ url = "{one.url}", {login}, mode = "{mode}"'
                 + (f', listen = "{hear.format(self.ports["isapi"])}"' if mode == "push" else "")
                 + ', poll = "200ms" }' for mode, one in self.isapi.items()]
        lines += [f'plugin "face-dahua" "dahua-{mode}" {{ url = "{one.url}", '
                  + (f'listen = "{hear.format(self.ports["dahua"])}", serial = "{one.serial}"'
                     if mode == "push" else f'{login}, reconcile = "10s"') + ' }'
                  for mode, one in self.dahua.items()]
        lines.append('plugin "face-zkpush" "zkpush" { url = "%s", terminals = { ["%s"] = "127.0.0.1" } }' % (
            hear.format(self.ports["zkpush"]), self.zkteco.serial))
        return "\n".join(lines) + "\n"

    def tell(self):
        """80 visits at each terminal; what the pushing ones were answered."""
        for one in (*self.isapi.values(), *self.dahua.values()):
            one.visits = VISITS
        told = {"zkpush": self.zkteco.gossip(VISITS)}
        self.zkteco.pry()
        for name, one in (("isapi", self.isapi["push"]), ("dahua", self.dahua["push"])):
            told[name] = [one.push(self.ports[name], i) for i in range(VISITS)]
        return told

    def close(self):
        for one in (*self.isapi.values(), *self.dahua.values()):
            one.close()


@pytest.fixture
def planted():
    return markers.make()


@pytest.fixture
def terminals(planted):
    made = Gossips(planted)
    yield made
    made.close()


def seen_at_city(city):
    """{instance: how many visits of it are at the city}."""
    counts = {}
    for event in city.events("checkin.*"):
        name = event["source"].split("/")[-1]
        counts[name] = counts.get(name, 0) + 1
    return counts


INSTANCES = ("isapi-poll", "isapi-stream", "isapi-push", "dahua-stream", "dahua-push", "zkpush")


def all_have_told(city):
    counts = seen_at_city(city)
    return all(counts.get(name, 0) >= VISITS // 2 for name in INSTANCES)


def test_nothing_of_200_markers_is_in_what_the_box_wrote_and_sent(tmp_path, started, planted, terminals):
    broker = started(town.Broker(tmp_path))
    tap = Tap(broker.port)
    city = started(town.City(tmp_path, broker))
    wire = type("Wire", (), {"url": tap.url})
    office = started(town.Office(tmp_path / "office", city, wire, terminals.plugins()))
    for port in terminals.ports.values():
        town.wait_for(lambda p=port: town.listens(p), 20, "the plugins to listen")
    answers = terminals.tell()
    assert answers["zkpush"] == []
    assert set(answers["isapi"]) == {200} and set(answers["dahua"]) == {200}, answers
    town.wait_for(lambda: all_have_told(city), 60, f"every terminal at the city; {seen_at_city(city)}")
    time.sleep(1)

    search = markers.Search(planted)
    search.look("the status", json.dumps(office.status(), ensure_ascii=False).encode())
    search.look("the events", office.command("events", "--json").stdout.encode())
    shutil.copytree(tmp_path / "office", tmp_path / "alive", ignore=sockets)
    office.kill()
    office.start()
    time.sleep(2)
    office.stop()
    tap.close()
    for i, stream in enumerate(tap.streams):
        search.look(f"MQTT stream {i}", bytes(stream))
    search.look_in_folder(tmp_path)

    assert not search.found, f"{len(search.found)} found:\n" + "\n".join(search.found[:20])
    assert sum(map(len, tap.streams)) > 200000 and search.bytes > 1000000
    assert search.packed > 0, "nothing packed was looked into"
    assert sum(len(kind) for kind in planted.values()) == 200


def sockets(folder, names):
    """What cannot be copied."""
    return [name for name in names if not (os.path.isfile(os.path.join(folder, name))
                                           or os.path.isdir(os.path.join(folder, name)))]


# ---- That the search finds what is there

def packed(data):
    return subprocess.run(["zstd", "-cq"], input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("how", [
    lambda text: text.encode(),
    lambda text: json.dumps(text).encode(),
    lambda text: text.encode("gbk"),
    lambda text: base64.b64encode(b"xy" + text.encode() + b"abcdef"),
    lambda text: text.encode().hex().encode(),
    lambda text: b"junk" + packed(b"x" * 500 + text.encode()),
    lambda text: b"\x30\x99" + packed(b"a" * 100) + b"\x30\x77" + packed(text.encode() * 9) + b"tail",
])
def test_a_marker_is_found_in_every_form(planted, how):
    for kind in ("name", "identity", "card", "template"):
        for marker in planted[kind][::13]:
            search = markers.Search(planted)
            search.look("here", b"before " + how(marker.value) + b" behind")
            assert search.found, marker


def test_a_picture_is_found_by_any_part_of_it_and_by_its_hash(planted, tmp_path):
    picture = planted["picture"][7].value
    for data in (picture, picture[150:300], base64.b64encode(b"a" + picture), picture.hex().encode(),
                 b"sha256 " + markers.hashlib.sha256(picture).hexdigest().encode()):
        search = markers.Search(planted)
        search.look("here", data)
        assert search.found
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / f"{planted['card'][3].value}.jpg").write_bytes(b"nothing")
    search = markers.Search(planted)
    search.look_in_folder(tmp_path)
    assert "card 3 in the name" in search.found[0]


def test_no_marker_is_like_another_or_like_what_is_always_there(planted):
    values = [marker.value for kind in planted.values() for marker in kind]
    assert len(values) == len(set(values)) == 200
    search = markers.Search(planted)
    search.look("an event", json.dumps({"type": "checkin.verified", "subject": "person/1001",
                                        "time": "2026-11-21T03:04:05.123456Z"}).encode())
    assert not search.found
