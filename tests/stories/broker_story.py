"""The broker as etc/mosquitto configures it: TLS, certificates on both sides, the access list."""
import os
import subprocess

import pytest

import fake_keeper
import town
from city_line_story import UPLINK, wait_for_marks

OFFICE = "350105-003"


class Authority:
    """A CA and what it signs, in one folder."""

    def __init__(self, folder):
        self.folder = str(folder)
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-keyout", self.path("ca.key"), "-out", self.path("ca.pem"), "-days", "2",
                      "-subj", "/CN=test CA")

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def _openssl(*argv):
        subprocess.run(["openssl", *argv], check=True, capture_output=True)

    def sign(self, name, common_name):
        with open(self.path(name + ".ext"), "w", encoding="ascii") as ext:
            ext.write("subjectAltName=IP:127.0.0.1\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                      self.path(name + ".key"), "-out", self.path(name + ".csr"),
                      "-subj", f"/CN={common_name}")
        self._openssl("x509", "-req", "-in", self.path(name + ".csr"), "-CA", self.path("ca.pem"),
                      "-CAkey", self.path("ca.key"), "-CAcreateserial", "-days", "2",
                      "-extfile", self.path(name + ".ext"), "-out", self.path(name + ".pem"))


class SecureBroker(town.Broker):
    """The example configuration with our paths, port and user."""

    def __init__(self, folder):
        super().__init__(folder)
        example = os.path.join(town.ROOT, "etc", "mosquitto")
        with open(os.path.join(example, "outpost-city.conf"), encoding="ascii") as source:
            text = source.read()
        text = text.replace("/etc/mosquitto/outpost/outpost-city.acl",
                            os.path.join(example, "outpost-city.acl"))
        text = text.replace("/etc/mosquitto/outpost/", f"{folder}/")
        text = text.replace("/var/lib/mosquitto/", f"{folder}/")
        text = text.replace("listener 8883", f"listener {self.port}")
        with open(os.path.join(str(folder), "mosquitto.conf"), "w", encoding="ascii") as conf:
            conf.write(text + f"\nlog_dest stderr\nuser {town.getpass.getuser()}\n")
        self.url = f"mqtts://127.0.0.1:{self.port}"


class SecureCity(town.City):
    def __init__(self, folder, broker, authority):
        super().__init__(folder, broker)
        self.argv += ("--ca", authority.path("ca.pem"), "--cert", authority.path("collector.pem"),
                      "--tls-key", authority.path("collector.key"))


@pytest.fixture
def authority(tmp_path):
    authority = Authority(tmp_path)
    authority.sign("broker", "broker")
    authority.sign("office", OFFICE)
    authority.sign("stranger", "350105-999")
    return authority


@pytest.fixture
def line(tmp_path, authority, started):
    broker = started(SecureBroker(tmp_path))
    authority.sign("collector", "outpost-city")
    return broker, started(SecureCity(tmp_path, broker, authority))


def keeper_of(line, authority, folder, certificate="office", url=None):
    broker, city = line
    with open(city.verifier, encoding="ascii") as vkey:
        keeper = fake_keeper.FakeKeeper(UPLINK, url or broker.url, vkey.read(), office=OFFICE,
                                        folder=folder)
    keeper.tls = {"ca": authority.path("ca.pem"), "cert": authority.path(certificate + ".pem"),
                  "key": authority.path(certificate + ".key")}
    return keeper.start()


def end(keeper):
    keeper.ending = True
    keeper.kill_uplink()
    assert keeper.error is None, keeper.error


def test_an_office_with_its_certificate_is_received(line, authority, tmp_path):
    keeper = keeper_of(line, authority, tmp_path)
    for number in range(2000):
        keeper.emit(number % 3)
    keeper.sign_checkpoint()
    try:
        wait_for_marks(keeper, 30)
        assert line[1].rows("SELECT count(*) FROM event") == [(2000,)]
        assert keeper.stop()[0] == 0
    finally:
        end(keeper)


def test_a_stranger_is_told_that_it_may_not(line, authority, tmp_path):
    keeper = keeper_of(line, authority, tmp_path, certificate="stranger")
    keeper.emit(0)
    try:
        town.wait_for(lambda: keeper.health and ("authori" in keeper.health["last_error"] or
                                                 "refused" in keeper.health["last_error"]), 20,
                      "the refusal in the health")
        assert line[1].rows("SELECT seq FROM event") == []
    finally:
        end(keeper)


def test_a_broker_with_another_name_is_not_trusted(line, authority, tmp_path):
    keeper = keeper_of(line, authority, tmp_path, url=line[0].url.replace("127.0.0.1", "127.0.0.2"))
    keeper.emit(0)
    try:
        town.wait_for(lambda: keeper.health and keeper.health["last_error"], 20, "an error")
        assert not keeper.health["connected"]
        assert keeper.marks == [-1, -1, -1]
    finally:
        end(keeper)
