"""TLS between an office and its broker: who is refused, and that the reason is named."""
import os
import time

import pytest

import fake_keeper
import faketime
import secure
import town
from city_line_story import UPLINK, wait_for_marks

OFFICE = town.OFFICE_ID
HOUR = 3600
PAST, BEFORE, AFTER = "20200101000000Z", "20210101000000Z", "20990101000000Z"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    authority = secure.Authority(tmp_path_factory.mktemp("ca"))
    authority.run("broker", "127.0.0.1", "localhost")
    authority.run("city")
    authority.run("office", OFFICE)
    return authority


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """Another authority, which has certificates for the same names."""
    stranger = secure.Authority(tmp_path_factory.mktemp("stranger"))
    stranger.sign("broker")
    stranger.sign("office", f"{OFFICE}-alarm", None, "clientAuth")
    return stranger


def at(seconds):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))


def city_key(folder):
    path = os.path.join(str(folder), "city.key")
    if not os.path.exists(path):
        town.run(town.OUTPOST_CITY, "keygen", "--out", path)
    with open(path + ".pub", encoding="ascii") as vkey:
        return vkey.read()


def broker_with(tmp_path, authority, pair=None, changes=()):
    """The example broker, showing that certificate."""
    own = authority.path("broker", "broker")
    shown = [(own + ".pem", pair["cert"]), (own + ".key", pair["key"])] if pair else []
    return secure.Broker(tmp_path, authority, [*shown, *changes])


class Uplink:
    """An uplink that tries to connect; `complaint` is what it says of that in its health."""

    def __init__(self, tmp_path, url, tls, clock=None, floor_us=0):
        self.keeper = fake_keeper.FakeKeeper(UPLINK, url, city_key(tmp_path), office=OFFICE, folder=tmp_path)
        self.keeper.tls = tls
        self.keeper.floor_us = floor_us
        self.keeper.environment = clock
        self.keeper.emit(0)
        self.keeper.start()

    def complaint(self):
        return self.keeper.health["last_error"] if self.keeper.health else ""

    def close(self):
        self.keeper.ending = True
        self.keeper.kill_uplink()
        assert self.keeper.error is None, self.keeper.error


@pytest.fixture
def uplink(tmp_path):
    opened = []

    def start(*more, **named):
        opened.append(Uplink(tmp_path, *more, **named))
        return opened[-1]
    yield start
    for one in opened:
        one.close()


def refused(uplink, *words):
    """Within some attempts: on loopback the broker may be gone before its last word can be read."""
    town.wait_for(lambda: all(word in uplink.complaint() for word in words), 60, f"{words} in the health")
    assert not uplink.keeper.health["connected"]
    assert uplink.keeper.marks == [-1, -1, -1]


# What the broker shows, and the words that name what is wrong with it.
WRONG_BROKERS = {
    "expired": (dict(times=(PAST, BEFORE)), ["has expired", "2021-01-01T00:00:00Z"]),
    "not yet valid": (dict(times=(AFTER, "20991231000000Z")), ["not yet valid", "2099-01-01T00:00:00Z"]),
    "of another address": (dict(alternative="IP:127.0.0.2"), ["another host", "127.0.0.1"]),
    "of a name": (dict(alternative="DNS:broker.city.example"), ["another host", "127.0.0.1"]),
    "of an address as a name": (dict(alternative="DNS:127.0.0.1"), ["another host"]),
    "without a name": (dict(subject="127.0.0.1", alternative=None), ["another host"]),
    "an office's": (dict(use="clientAuth"), ["not one for servers"]),
}


@pytest.mark.parametrize("what", sorted(WRONG_BROKERS))
def test_a_broker_whose_certificate_is_wrong_is_refused(what, authority, tmp_path, started, uplink):
    how, words = WRONG_BROKERS[what]
    pair = authority.sign("wrong-" + what.replace(" ", "-").replace("'", ""), **how)
    broker = started(broker_with(tmp_path, authority, pair))
    refused(uplink(broker.url, authority.line("offices/" + OFFICE)), *words)


def test_a_broker_of_another_authority_is_refused(authority, stranger, tmp_path, started, uplink):
    pair = {"cert": stranger.path("broker.pem"), "key": stranger.path("broker.key")}
    broker = started(broker_with(tmp_path, authority, pair))
    refused(uplink(broker.url, authority.line("offices/" + OFFICE)), "unknown authority")


def test_an_authority_that_the_system_trusts_is_not_ours(authority, stranger, tmp_path, started, uplink):
    pair = {"cert": stranger.path("broker.pem"), "key": stranger.path("broker.key")}
    broker = started(broker_with(tmp_path, authority, pair))
    system = {**os.environ, "SSL_CERT_FILE": stranger.path("ca.pem")}
    refused(uplink(broker.url, authority.line("offices/" + OFFICE), clock=system), "unknown authority")


def test_a_self_signed_broker_is_refused(authority, tmp_path, started, uplink):
    authority.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "self.key", "-out",
                      "self.pem", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                      "subjectAltName=IP:127.0.0.1")
    pair = {"cert": authority.path("self.pem"), "key": authority.path("self.key")}
    broker = started(broker_with(tmp_path, authority, pair))
    refused(uplink(broker.url, authority.line("offices/" + OFFICE)), "self-signed", "unknown authority")


def test_a_broker_of_an_expired_authority_is_refused(tmp_path, authority, started, uplink):
    old = secure.Authority(tmp_path, "old")
    old.run("broker", "127.0.0.1", DAYS="9000")
    pair = {"cert": old.path("broker", "broker.pem"), "key": old.path("broker", "broker.key")}
    broker = started(broker_with(tmp_path, authority, pair))
    tls = {**authority.line("offices/" + OFFICE), "ca": old.path("ca.pem")}
    late = int((time.time() + 7301 * 24 * HOUR) * 1e6)
    refused(uplink(broker.url, tls, floor_us=late), "authority", "has expired")


@pytest.mark.parametrize("version", ["tls1", "tls1_1"])
def test_a_broker_of_yesterdays_tls_is_refused(version, authority, tmp_path, started, uplink):
    port = town.free_port()
    server = started(town.Program(tmp_path, "s_server", "openssl", "s_server", "-" + version, "-cipher",
                                  "ALL:@SECLEVEL=0", "-www", "-accept", f"127.0.0.1:{port}", "-cert",
                                  authority.path("broker", "broker.pem"), "-key",
                                  authority.path("broker", "broker.key")))
    town.wait_for(lambda: town.listens(port), 10, server.name)
    refused(uplink(f"mqtts://127.0.0.1:{port}", authority.line("offices/" + OFFICE)), "TLS 1.2 or newer")


# What the office shows, and the words that name what the broker says of it.
def of_nobody(authority, stranger):
    return {"ca": authority.path("ca.pem")}


def of_a_stranger(authority, stranger):
    return {"ca": authority.path("ca.pem"), "cert": stranger.path("office.pem"),
            "key": stranger.path("office.key")}


def signed(name, **how):
    return lambda authority, stranger: authority.sign(name, f"{OFFICE}-alarm", None, **how)


def revoked(authority, stranger):
    pair = authority.sign("stolen", f"{OFFICE}-alarm", None, "clientAuth")
    authority.run("revoke", pair["cert"])
    return pair


WRONG_OFFICES = {
    "none": (of_nobody, ["asks for a certificate"]),
    "of another authority": (of_a_stranger, ["refuses our certificate", "unknown authority"]),
    "expired": (signed("old", use="clientAuth", times=(PAST, BEFORE)), ["refuses our certificate", "expired"]),
    "not yet valid": (signed("early", use="clientAuth", times=(AFTER, "20991231000000Z")),
                      ["refuses our certificate"]),
    "a broker's": (signed("server", use="serverAuth"), ["refuses our certificate", "not one for clients"]),
    "revoked": (revoked, ["refuses our certificate", "revoked"]),
}


@pytest.mark.parametrize("what", sorted(WRONG_OFFICES))
def test_an_office_with_a_wrong_certificate_is_told_why(what, authority, stranger, tmp_path, started, uplink):
    how, words = WRONG_OFFICES[what]
    tls = how(authority, stranger)
    broker = started(broker_with(tmp_path, authority))
    refused(uplink(broker.url, tls), *words)


@pytest.mark.parametrize("setting, text, words", [
    ("ca", None, ["ca:", "No such file"]), ("ca", "no PEM", ["ca:", "expected certificates"]),
    ("cert", None, ["cert:", "No such file"]), ("key", None, ["key:", "No such file"]),
    ("key", "no PEM", ["key:", "expected the key"])])
def test_a_file_that_cannot_be_used_is_named(setting, text, words, authority, tmp_path, uplink):
    tls = authority.line("offices/" + OFFICE)
    tls[setting] = str(tmp_path / "wrong")
    if text:
        (tmp_path / "wrong").write_text(text)
    refused(uplink(f"mqtts://127.0.0.1:{town.free_port()}", tls), str(tmp_path / "wrong"), *words)


def test_a_key_of_another_certificate_or_with_a_passphrase_is_named(authority, tmp_path, uplink):
    url, tls = f"mqtts://127.0.0.1:{town.free_port()}", authority.line("offices/" + OFFICE)
    refused(uplink(url, {**tls, "key": tls["bulk_key"]}), "key:", "the key of cert")
    locked = str(tmp_path / "locked.key")
    authority.openssl("ec", "-in", tls["key"], "-aes128", "-passout", "pass:x", "-out", locked)
    refused(uplink(url, {**tls, "key": locked}), "key:", "without a passphrase")


# ---- clocks

def arrives(uplink):
    wait_for_marks(uplink.keeper, 60)


@pytest.fixture
def line(tmp_path, authority, started):
    """Starts the broker, with a certificate of these bounds, and the city while it is good; the broker."""
    def start(begin, end):
        broker = started(broker_with(tmp_path, authority, authority.sign("bounded", times=(begin, end))))
        if begin < at(0):
            started(secure.City(tmp_path, broker, authority))
        return broker
    return start


def test_an_office_whose_clock_is_not_set_connects(line, authority, tmp_path, uplink):
    broker = line(at(-HOUR), at(HOUR))
    clock = faketime.Clock(tmp_path, "@1970-01-02 00:00:00")
    arrives(uplink(broker.url, authority.line("offices/" + OFFICE), clock=clock.environment,
                   floor_us=int(time.time() * 1e6)))


def test_an_office_that_knows_no_time_believes_a_certificate_younger_than_its_program(
        line, authority, tmp_path, uplink):
    broker = line(at(-60), at(HOUR))
    clock = faketime.Clock(tmp_path, "@1970-01-02 00:00:00")
    arrives(uplink(broker.url, authority.line("offices/" + OFFICE), clock=clock.environment))


def test_a_clock_set_back_makes_no_expired_certificate_good(line, authority, tmp_path, uplink):
    broker = line(at(-HOUR), at(HOUR))
    clock = faketime.Clock(tmp_path, "-1d")
    late = int((time.time() + 2 * HOUR) * 1e6)
    refused(uplink(broker.url, authority.line("offices/" + OFFICE), clock=clock.environment, floor_us=late),
            "has expired", "here it is 20")


def test_a_clock_that_runs_ahead_is_named(line, authority, tmp_path, uplink):
    broker = line(at(-HOUR), at(HOUR))
    clock = faketime.Clock(tmp_path, "+1000d")
    year = time.gmtime(time.time() + 1000 * 24 * HOUR).tm_year
    refused(uplink(broker.url, authority.line("offices/" + OFFICE), clock=clock.environment),
            "has expired", f"here it is {year}")


def test_a_certificate_from_tomorrow_on_waits_for_tomorrow(line, authority, tmp_path, uplink):
    broker = line(at(20 * HOUR), at(30 * HOUR))
    clock = faketime.Clock(tmp_path, "+0")
    one = uplink(broker.url, authority.line("offices/" + OFFICE), clock=clock.environment)
    refused(one, "not yet valid")
    clock.say("+1d")
    town.wait_for(lambda: one.keeper.health["connected"], 60, "the connection")


# ---- the whole line

def test_a_whole_office_says_in_its_status_why_it_is_offline(authority, tmp_path, started):
    old = authority.sign("expired-for-status", times=(PAST, BEFORE))
    broker = broker_with(tmp_path, authority, old)
    started(broker)
    city = secure.City(tmp_path, broker, authority)
    office = started(secure.Office(tmp_path / "office", city, broker, authority.line("offices/" + OFFICE)))
    town.wait_for(lambda: "has expired: it was valid until 2021-01-01T00:00:00Z" in
                  office.command("status", expect=None).stdout, 20, "the reason in outpost status")
    with open(os.path.join(str(tmp_path), "mosquitto.conf"), encoding="ascii") as conf:
        text = conf.read()
    broker.kill()
    text = text.replace(old["cert"], authority.path("broker", "broker.pem"))
    text = text.replace(old["key"], authority.path("broker", "broker.key"))
    with open(os.path.join(str(tmp_path), "mosquitto.conf"), "w", encoding="ascii") as conf:
        conf.write(text)
    broker.start()
    started(city)
    city.wait_for("box.started", seconds=60)
    town.wait_for(lambda: "connected to" in office.command("status", expect=None).stdout, 10, "connected")
    city.verify()
