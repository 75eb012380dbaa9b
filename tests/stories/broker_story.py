"""The city's broker as etc/mosquitto configures it: who may connect as whom, say what, hear what."""
import os
import signal
import socket
import ssl
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

import fake_keeper
import secure
import town
from city_line_story import UPLINK, wait_for_marks

OURS, OTHER = "350105-003", "350105-999"
BELOW = f"outpost/v1/{OURS}/"

# What an office says and hears: (topic, by which of its connections).
SAID = [("status", "alarm"), ("up/alarm", "alarm"), ("up/reply/wristband/find", "alarm"),
        ("up/record", "bulk"), ("up/telemetry", "bulk"), ("up/checkpoint", "bulk"), ("metrics", "bulk"),
        ("log", "bulk")]
HEARD = ["down/receipt", "down/command/wristband/find"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    authority = secure.Authority(tmp_path_factory.mktemp("ca"))
    authority.run("broker", "127.0.0.1")
    authority.run("city")
    for office in (OURS, OTHER):
        authority.run("office", office)
    return authority


@pytest.fixture
def broker(tmp_path, authority, started):
    return started(secure.Broker(tmp_path, authority))


@pytest.fixture
def city(tmp_path, broker, authority, started):
    return started(secure.City(tmp_path, broker, authority))


class Client:
    """Somebody with a certificate: what he was told, what he heard."""

    def __init__(self, broker, pair, ident="any", will=None, clean=True):
        self.heard, self.connected, self.ended = [], [], []
        self.paho = paho.Client(client_id=ident, protocol=paho.MQTTv5)
        self.paho.tls_set(pair["ca"], pair["cert"], pair["key"])
        self.paho.on_message = lambda c, o, message: self.heard.append((message.topic, message.payload))
        self.paho.on_connect = lambda c, o, flags, reason, p: self.connected.append(
            (reason.value, flags["session present"]))
        self.paho.on_disconnect = lambda c, o, reason, p=None: self.ended.append(reason)
        if will:
            self.paho.will_set(will, b"forged", 1, True)
        keep = Properties(PacketTypes.CONNECT)
        keep.SessionExpiryInterval = 0 if clean else 600
        self.paho.connect("127.0.0.1", broker.port, clean_start=clean, properties=keep)
        self.paho.loop_start()
        town.wait_for(lambda: self.connected, 10, "CONNACK")

    def may_say(self, topic):
        """Whether the broker took it: with QoS 1 and MQTT 5 it says so."""
        return self.reason(topic) < 0x80

    def reason(self, topic, retain=False):
        """The reason in the PUBACK, of which paho tells nobody."""
        reasons = []
        whole = self.paho._handle_pubackcomp

        def spy(cmd):
            packet = bytes(self.paho._in_packet["packet"])
            reasons.append(packet[2] if len(packet) > 2 else 0)
            return whole(cmd)
        self.paho._handle_pubackcomp = spy
        self.paho.publish(topic, b"x", 1, retain)
        town.wait_for(lambda: reasons, 10, f"PUBACK of {topic}")
        self.paho._handle_pubackcomp = whole
        return reasons[0]

    def hear(self, *filters):
        for one in filters:
            done = []
            self.paho.on_subscribe = lambda c, o, mid, codes, p, done=done: done.append(codes)
            self.paho.subscribe(one, 1)
            town.wait_for(lambda done=done: done, 10, f"SUBACK of {one}")

    def close(self):
        self.paho.disconnect()
        self.paho.loop_stop()


@pytest.fixture
def client(broker, authority):
    """client("offices/ID", "alarm", ...) connects with that certificate."""
    clients = []

    def connect(whose, lane="alarm", **more):
        clients.append(Client(broker, authority.pair(whose, lane), **more))
        return clients[-1]
    yield connect
    for one in clients:
        one.close()


def keeper_of(broker, city, authority, folder, whose="offices/" + OURS, url=None):
    with open(city.verifier, encoding="ascii") as vkey:
        keeper = fake_keeper.FakeKeeper(UPLINK, url or broker.url, vkey.read(), office=OURS, folder=folder)
    keeper.tls = authority.line(whose)
    return keeper.start()


def end(keeper):
    keeper.ending = True
    keeper.kill_uplink()
    assert keeper.error is None, keeper.error


def test_an_office_with_its_certificates_is_received(broker, city, authority, tmp_path):
    keeper = keeper_of(broker, city, authority, tmp_path)
    for number in range(2000):
        keeper.emit(number % 3)
    keeper.sign_checkpoint()
    try:
        wait_for_marks(keeper, 30)
        assert city.rows("SELECT count(*) FROM event") == [(2000,)]
        assert keeper.stop()[0] == 0
    finally:
        end(keeper)


def test_who_uses_anothers_topics_is_told_that_it_may_not(broker, city, authority, tmp_path):
    keeper = keeper_of(broker, city, authority, tmp_path, whose="offices/" + OTHER)
    keeper.emit(0)
    try:
        town.wait_for(lambda: keeper.health and ("authori" in keeper.health["last_error"] or
                                                 "refused" in keeper.health["last_error"]), 20,
                      "the refusal in the health")
        assert city.rows("SELECT seq FROM event") == []
    finally:
        end(keeper)


def test_an_office_may_say_and_hear_all_that_is_its_own(client):
    mine = {lane: client("offices/" + OURS, lane) for lane in ("alarm", "bulk")}
    reader = {lane: client("city/outpost-city", lane) for lane in ("alarm", "bulk")}
    for lane, one in reader.items():
        one.hear(*(f"outpost/v1/+/{topic}" for topic, by in SAID if by == lane))
    mine["alarm"].hear(BELOW + "down/#")
    for topic, lane in SAID:
        assert mine[lane].may_say(BELOW + topic), topic
    for topic in HEARD:
        assert reader["alarm"].may_say(BELOW + topic), topic
    town.wait_for(lambda: len(mine["alarm"].heard) == len(HEARD), 10, "what the city said")
    for lane, one in reader.items():
        expected = sorted(BELOW + topic for topic, by in SAID if by == lane)
        town.wait_for(lambda one=one, expected=expected: sorted(t for t, _ in one.heard) == expected, 10,
                      "what the office said")


def test_no_certificate_may_do_more_than_its_connection_needs(client):
    for lane in ("alarm", "bulk"):
        office, city = client("offices/" + OURS, lane), client("city/outpost-city", lane)
        for topic, by in SAID:
            assert office.may_say(BELOW + topic) == (by == lane), (lane, topic)
            assert not city.may_say(BELOW + topic), (lane, topic)
        for topic in HEARD:
            assert not office.may_say(BELOW + topic), (lane, topic)
            assert city.may_say(BELOW + topic) == (lane == "alarm"), (lane, topic)
        for topic in ("x", "$SYS/x", "outpost/v1", "outpost/v1/status"):
            assert not office.may_say(topic) and not city.may_say(topic), topic


def test_another_office_can_neither_say_nor_hear_what_is_ours(client):
    spies = [client("offices/" + OTHER, lane) for lane in ("alarm", "bulk")]
    for spy in spies:
        spy.hear("#", "+/#", "outpost/#", BELOW + "#", BELOW + "down/receipt", f"$share/g/{BELOW}#", "$SYS/#")
        for topic in [topic for topic, _ in SAID] + HEARD:
            assert not spy.may_say(BELOW + topic), topic
    mine = {lane: client("offices/" + OURS, lane) for lane in ("alarm", "bulk")}
    for topic, lane in SAID:
        assert mine[lane].reason(BELOW + topic, retain=True) < 0x80
    for topic in HEARD:
        assert client("city/outpost-city").reason(BELOW + topic, retain=True) < 0x80
    late = client("offices/" + OTHER)
    late.hear("#", BELOW + "#")  # what is retained is no more theirs
    time.sleep(0.5)
    assert [spy.heard for spy in spies + [late]] == [[], [], []]


@pytest.mark.parametrize("lane", ["alarm", "bulk"])
def test_nobody_takes_over_a_connection_by_asking_for_its_client_id(client, lane):
    mine = client("offices/" + OURS, "alarm", ident=f"{OURS}-alarm", clean=False)
    mine.hear(BELOW + "down/#")
    thief = client("offices/" + OTHER, lane, ident=f"{OURS}-alarm", clean=False)
    assert thief.connected == [(0, False)]  # he is somebody else, and has no session of ours
    assert client("city/outpost-city").may_say(BELOW + "down/receipt")
    town.wait_for(lambda: mine.heard, 10, "the receipt")
    assert thief.heard == [] and mine.ended == []
    assert mine.may_say(BELOW + "up/alarm")
    again = client("offices/" + OTHER, lane, ident=f"{OURS}-alarm", clean=False)
    town.wait_for(lambda: thief.ended, 10, "the thief's first connection, ended by his second")
    assert again.heard == [] and mine.ended == []


def test_nobody_inherits_what_waits_for_an_office_that_is_away(client):
    mine = client("offices/" + OURS, "alarm", clean=False)
    mine.hear(BELOW + "down/#")
    mine.close()
    assert client("city/outpost-city").may_say(BELOW + "down/command/wristband/find")
    thief = client("offices/" + OTHER, "alarm", ident=f"{OURS}-alarm", clean=False)
    time.sleep(0.5)
    assert thief.heard == []
    back = client("offices/" + OURS, "alarm", clean=False)
    town.wait_for(lambda: back.heard == [(BELOW + "down/command/wristband/find", b"x")], 10, "the command")


def test_nobody_leaves_a_will_in_anothers_name(client):
    watcher = client("city/outpost-city")
    watcher.hear("outpost/v1/+/status")
    try:
        thief = client("offices/" + OTHER, will=BELOW + "status")
        thief.paho._sock_close()  # without DISCONNECT: now the will is due
    except AssertionError:
        pass  # not even accepted
    time.sleep(0.5)
    assert client("offices/" + OTHER).may_say(f"outpost/v1/{OTHER}/status")
    town.wait_for(lambda: watcher.heard, 10, "a status")
    assert [topic for topic, _ in watcher.heard] == [f"outpost/v1/{OTHER}/status"]


def knock(port, authority, kind):
    """A stranger who will not be let in."""
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.settimeout(0.5)
        try:
            if kind == "garbage":
                wire.sendall(os.urandom(300))
                wire.recv(100)
                return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if kind == "a broker's certificate":
                context.load_cert_chain(authority.path("broker", "broker.pem"),
                                        authority.path("broker", "broker.key"))
            with context.wrap_socket(wire) as secured:
                secured.sendall(b"x")
                if kind != "gone at once":
                    secured.recv(100)
        except OSError:
            pass


def test_strangers_who_are_refused_disturb_nobody(broker, authority, client):
    mine = [client("offices/" + OURS, lane) for lane in ("alarm", "bulk")]
    for number in range(60):
        for kind in ("no certificate", "a broker's certificate", "gone at once", "garbage"):
            knock(broker.port, authority, kind)
        for one, topic in zip(mine, ("up/alarm", "up/record")):
            one.paho.publish(BELOW + topic, str(number), 1)
    assert mine[0].may_say(BELOW + "up/alarm") and mine[1].may_say(BELOW + "up/record")
    assert [len(one.connected) for one in mine] == [1, 1] and not mine[0].ended and not mine[1].ended


@pytest.fixture
def small(tmp_path, started):
    """A broker, its process and an authority of its own, with one office."""
    authority = secure.Authority(tmp_path / "own")
    authority.run("broker", "127.0.0.1")
    authority.run("office", OURS)
    return authority, started(secure.Broker(tmp_path, authority))


def refuses(authority, broker):
    """Whether a TLS handshake with our alarm certificate comes to nothing."""
    pair = authority.pair("offices/" + OURS)
    context = ssl.create_default_context(cafile=pair["ca"])
    context.load_cert_chain(pair["cert"], pair["key"])
    try:
        with context.wrap_socket(socket.create_connection(("127.0.0.1", broker.port)),
                                 server_hostname="127.0.0.1") as wire:
            wire.settimeout(0.5)
            wire.recv(1)
    except TimeoutError:
        return False  # it waits for a CONNECT
    except OSError:
        return True
    return True


def test_a_stolen_certificate_opens_no_connection_after_a_reload(small):
    authority, broker = small
    assert not refuses(authority, broker)
    authority.run("revoke", authority.path("offices", OURS, "alarm.pem"))
    os.kill(broker.pid, signal.SIGHUP)
    town.wait_for(lambda: refuses(authority, broker), 10, "the refusal")


def test_an_office_that_is_taken_out_of_the_list_says_nothing_more(small):
    authority, broker = small
    mine = Client(broker, authority.pair("offices/" + OURS))
    assert mine.may_say(BELOW + "up/alarm")
    authority.run("office", OTHER)
    os.rename(authority.path("offices", OURS), authority.path("closed"))
    authority.run("revoke", authority.path("closed", "bulk.pem"))
    os.kill(broker.pid, signal.SIGHUP)
    town.wait_for(lambda: not mine.may_say(BELOW + "up/alarm"), 10, "the denial")
    mine.close()


def test_the_example_access_list_is_what_the_script_writes(tmp_path):
    authority = secure.Authority(tmp_path)
    authority.run("city")
    authority.run("office", OURS)
    with open(os.path.join(secure.ETC, "outpost-city.acl"), encoding="ascii") as example:
        with open(authority.path("broker", "outpost-city.acl"), encoding="ascii") as written:
            assert example.read() == written.read()


@pytest.mark.parametrize("words, why", [
    (("office", "a/b"), "letters"), (("office", "+"), "letters"), (("office", "outpost-city"), "collector"),
    (("office", ""), "letters"), (("office", OURS), "already"), (("city", OURS), "office"),
    (("office", "x" * 33), "32"), (("broker",), "names"), (("authority",), "already")])
def test_no_certificate_is_made_that_could_mean_somebody_else(authority, words, why):
    assert why in authority.run(*words, expect=1).stderr


@pytest.mark.parametrize("option", ["--cert", "--tls-key", "--bulk-cert", "--bulk-tls-key"])
def test_half_a_pair_of_the_citys_is_refused(option, tmp_path):
    done = town.run(town.OUTPOST_CITY, "run", "--broker", "mqtts://127.0.0.1", "--database",
                    f"sqlite:{tmp_path}/city.db", "--key", "city.key", option, "x.pem", expect=2)
    assert "both or none of each pair" in done.stderr
