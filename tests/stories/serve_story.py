"""host.serve under devices that push, and under those that mean ill: 200 is only said of what is on disk,
and nobody keeps the others from being served."""
import base64
import errno
import http.client
import json
import os
import select
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "sim", "doubles"))
import keeper  # noqa: E402
import terminal  # noqa: E402
import town  # noqa: E402

HOST = os.path.join(town.BUILD, "libexec", "outpost", "host")
DOUBLES = os.path.join(town.ROOT, "tests", "sim", "doubles")
LIBRARY = os.path.join(town.ROOT, "lua")


class SlowKeeper(keeper.KeeperDouble):
    """Holds back its answers to commits while `held` is set."""

    held = False

    def commit(self, number_of, got):
        while self.held:
            time.sleep(0.01)
        super().commit(number_of, got)


class Porter:
    """A real host with the plugin `porter`, and a keeper that answers it from a thread."""

    def __init__(self, folder, refuse=None, **options):
        self.port = town.free_port()
        self.log = open(os.path.join(str(folder), "host.log"), "w+", encoding="utf-8")
        scheme = "https" if "certificate" in options else "http"
        config = {"url": f"{scheme}://127.0.0.1:{self.port}", "options": options}
        self.keeper = SlowKeeper(HOST, os.path.join(DOUBLES, "porter"), LIBRARY, config,
                                 log=self.log, refuse=refuse, needs=["serve"])
        self.ending = False
        self.thread = threading.Thread(target=lambda: self.keeper.run(lambda: self.ending, 120))
        self.thread.start()
        if refuse is None:
            town.wait_for(lambda: self.keeper.events, 10, "the porter to listen")

    def heard(self):
        return [data["line"] for kind, _, data in self.keeper.events if kind == "porter.heard"]

    def client(self, source=None, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout,
                                          source_address=(source, 0) if source else None)

    def ask(self, method, path, body=None, client=None, headers=None):
        client = client or self.client()
        client.request(method, path, body, headers or {})
        answer = client.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())

    def raw(self, data=b"", source=None):
        line = socket.create_connection(("127.0.0.1", self.port), 60,
                                        (source, 0) if source else None)
        line.sendall(data)
        return line

    def memory(self, what="Pss"):
        with open(f"/proc/{self.keeper.process.pid}/smaps_rollup", encoding="ascii") as rollup:
            return next(int(line.split()[1]) for line in rollup if line.startswith(what + ":"))

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def close(self):
        self.keeper.held = False
        self.ending = True
        self.thread.join()
        self.keeper.close()
        self.log.close()


@pytest.fixture
def porter(tmp_path):
    made = []

    def make(**more):
        made.append(Porter(tmp_path, **more))
        return made[-1]
    yield make
    for one in made:
        one.close()


def everything(line):
    """What comes until the other end hangs up."""
    found = b""
    line.settimeout(60)
    try:
        while more := line.recv(65536):
            found += more
    except ConnectionResetError:
        pass
    return found


# ---- Answers and what is durable

def test_a_push_is_answered_when_it_is_durable_and_not_before(porter):
    one = porter()
    one.keeper.held = True
    line = one.raw(b"POST /iclock/cdata?SN=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\na\nb\n")
    line.settimeout(0.5)
    with pytest.raises(TimeoutError):
        line.recv(1)
    one.keeper.held = False
    line.settimeout(60)
    assert line.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
    assert one.heard() == ["a", "b"]


def test_what_cannot_be_committed_is_503_and_the_process_begins_anew(porter):
    one = porter(refuse=lambda got: None if got[0][0] == keeper.EVENT and b"listens" in got[0][1]
                 else errno.ENOSPC)
    town.wait_for(lambda: town.listens(one.port), 10, "the porter to listen")
    assert one.ask("POST", "/iclock/cdata", "a\n")[0] == 503
    assert one.keeper.process.wait(5) == 75
    assert one.heard() == []


def test_a_handler_that_fails_is_500_and_nothing_of_it_happened(porter):
    one = porter()
    client = one.client()
    for path in ("/boom", "/nothing", "/odd?a=status", "/odd?a=header", "/odd?a=body", "/spin"):
        assert one.ask("GET", path, client=client)[0] == 500, path
    assert one.ask("GET", "/none", client=client)[0] == 404
    assert one.heard() == []


def test_a_request_comes_as_it_was_sent(porter):
    one = porter()
    status, body, headers = one.ask("PUT", "/a/echo?a=b%20c+d&a=2", bytes(range(256)),
                                    headers={"X-Twice": "1"})
    assert (status, body) == (201, bytes(range(256)))
    assert (headers["X-Method"], headers["X-Path"], headers["X-Query"], headers["X-Twice"]) == (
        "PUT", "/a/echo", "b c d", "1")


def test_requests_sent_ahead_are_answered_in_order(porter):
    one = porter()
    line = one.raw(b"".join(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n%03d" % n
                            for n in range(200)) + b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answers = everything(line).split(b"\r\n\r\n")
    assert [a[:3] for a in answers[1:201]] == [b"%03d" % n for n in range(200)]


def test_handlers_do_not_wait_for_each_other(porter):
    one = porter()
    began = time.monotonic()
    slow = [one.raw(b"GET /slow?ms=4000 HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(10)]
    assert one.ask("GET", "/echo")[0] == 201
    is_early = select.select(slow, [], [], 0)[0] == []
    assert is_early or time.monotonic() - began > 4, "it waited for the slow ones"
    assert all(line.recv(4096).startswith(b"HTTP/1.1 200") for line in slow)
    assert time.monotonic() - began < 35, "one after the other they take 40 s"


def test_a_listener_closes_while_it_answers_and_nobody_minds(porter):
    one = porter()
    assert everything(one.raw(b"GET /stop HTTP/1.1\r\nHost: x\r\n\r\n")) == b""
    town.wait_for(lambda: not town.listens(one.port), 5, "the port to be free")
    assert one.keeper.process.poll() is None


# ---- Bounds

def test_too_much_is_refused(porter):
    one = porter(body=1000)
    assert one.ask("POST", "/echo", "x" * 1000)[0] == 201
    assert one.ask("POST", "/echo", "x" * 1001)[0] == 413
    chunked = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert everything(one.raw(chunked + b"400\r\n" + b"x" * 1024 + b"\r\n")).startswith(b"HTTP/1.1 413")
    assert everything(one.raw(b"GET /x HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 40000)
                      ).startswith(b"HTTP/1.1 431")
    assert everything(one.raw(b"no http at all\r\n\r\n")).startswith(b"HTTP/1.1 4")


def test_who_does_not_finish_in_time_is_told_so(porter):
    one = porter(timeout="500ms")
    lines = [one.raw(), one.raw(b"GET /x HTTP/1.1\r\nHos"),
             one.raw(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")]
    drip = one.raw(b"GET /x HTTP/1.1\r\n")
    try:
        for _ in range(200):
            drip.sendall(b"A: b\r\n")
            time.sleep(0.05)
        raise AssertionError("it may drip for ever")
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert all(everything(line).startswith(b"HTTP/1.1 408") for line in lines)


def test_a_connection_without_a_question_ends(porter):
    one = porter(idle="1s", timeout="500ms")
    line = one.raw(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert line.recv(4096).startswith(b"HTTP/1.1 404")
    began = time.monotonic()
    assert everything(line) == b""
    assert time.monotonic() - began > 0.5


def try_to_connect(port, source):
    line = socket.socket()
    line.bind((source, 0))
    line.setblocking(False)
    line.connect_ex(("127.0.0.1", port))
    return line


def test_a_thousand_connections_keep_nobody_else_out(porter):
    one = porter(timeout="2s")
    before = one.memory()
    crowd = [try_to_connect(one.port, "127.0.0.9") for _ in range(1000)]
    for line in crowd[:40]:
        try:
            line.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n" + b"x" * 60000)
        except OSError:
            pass
    for _ in range(20):
        assert one.ask("POST", "/iclock/cdata", "a\n", one.client("127.0.0.2", 60))[0] == 200
    assert one.memory() - before < 8000
    for line in crowd:
        line.close()
    assert one.heard() == ["a"] * 20


def test_a_flood_sent_ahead_waits_in_the_client(porter):
    one = porter()
    line = one.raw(b"GET /slow?ms=1500 HTTP/1.1\r\nHost: x\r\n\r\n")
    before = one.memory()
    line.setblocking(False)
    sent = 0
    until = time.monotonic() + 1
    while time.monotonic() < until or sent <= 100000 and time.monotonic() < until + 60:
        try:
            sent += line.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        except BlockingIOError:
            time.sleep(0.02)
    assert one.memory() - before < 500
    assert sent > 100000


# ---- Who may

def test_only_allowed_addresses_get_in(porter):
    one = porter(allow=["127.0.0.2", "10.0.0.0/8"])
    assert one.ask("GET", "/echo", client=one.client("127.0.0.2"))[0] == 201
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        one.ask("GET", "/echo")


def login(way, challenge, password):
    """What a client answers to the challenge, by RFC 7617 and RFC 2617."""
    if way == "basic":
        return "Basic " + base64.b64encode(f"dock:{password}".encode()).decode()
    got = terminal.parse(challenge)
    md5 = terminal.HASHES["MD5"]
    ha1 = md5(f"dock:{got['realm']}:{password}".encode()).hexdigest()
    ha2 = md5(b"POST:/echo").hexdigest()
    response = md5(f"{ha1}:{got['nonce']}:00000001:ab:auth:{ha2}".encode()).hexdigest()
    return (f'Digest username="dock", realm="{got["realm"]}", nonce="{got["nonce"]}", uri="/echo", '
            f'qop=auth, nc=00000001, cnonce="ab", response="{response}", opaque="{got["opaque"]}"')


@pytest.mark.parametrize("way", ["basic", "digest"])
def test_a_login_is_asked_for_when_it_is_wished(porter, way):
    one = porter(auth=way, user="dock", password="Push-2026")
    status, _, headers = one.ask("POST", "/echo", "body")
    assert status == 401
    told = {}
    for password in ("Push-2026", "wrong"):
        answer = login(way, headers["WWW-Authenticate"], password)
        told[password] = one.ask("POST", "/echo", "body", headers={"Authorization": answer})[0]
        headers = one.ask("POST", "/echo", "body")[2]
    assert told == {"Push-2026": 201, "wrong": 401}
    assert "Push-2026" not in one.text()


def test_a_place_that_is_taken_or_makes_no_sense_is_told(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for url, code in ((f"http://127.0.0.1:{port}", "in_use"), ("http://somewhere:80", "argument"),
                          ("ftp://127.0.0.1:80", "argument"), ("http://127.0.0.1:99999", "argument")):
            with open(tmp_path / "log", "w+", encoding="utf-8") as log:
                double = keeper.KeeperDouble(HOST, os.path.join(DOUBLES, "porter"), LIBRARY,
                                             {"url": url, "options": {}}, log=log, needs=["serve"])
                assert not double.run(lambda: False, 5)
                assert double.close() == 1
                log.seek(0)
                assert code + ": " in log.read(), url


# ---- In an office

class OwnOffice(town.Office):
    """An office with plugins of its own, as installed beside their programs."""

    def __init__(self, folder, plugins):
        super().__init__(folder, plugins=plugins)
        prefix = os.path.join(str(folder), "prefix")
        share = os.path.join(prefix, "share", "outpost")
        os.makedirs(os.path.join(prefix, "bin"))
        os.makedirs(os.path.join(share, "plugins"))
        program = os.path.join(prefix, "bin", "outpost")
        shutil.copy(town.OUTPOST, program)
        os.symlink(os.path.join(town.BUILD, "libexec"), os.path.join(prefix, "libexec"))
        os.symlink(LIBRARY, os.path.join(share, "lua"))
        for name in ("porter", "surfer"):
            os.symlink(os.path.join(DOUBLES, name), os.path.join(share, "plugins", name))
        self.argv = (program, *self.argv[1:])

    def journal(self, kind):
        lines = self.command("events", "--json", expect=None).stdout.splitlines()
        return [event for event in map(json.loads, lines) if event["type"] == kind]


def push(port, line):
    """Whether the office said that it has it."""
    try:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        client.request("POST", "/iclock/cdata?SN=1", line + "\n")
        return client.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False


def kill_behind(office, said, count):
    """When so much has been said, while more is being pushed."""
    town.wait_for(lambda: len(said) >= count, 30, f"{count} answers")
    office.kill()


def test_an_office_loses_nothing_that_it_said_it_has(tmp_path, started):
    port = town.free_port()
    office = started(OwnOffice(tmp_path, f'plugin "porter" "door" {{ url = "http://127.0.0.1:{port}" }}\n'))
    said = []
    for turn in range(3):
        town.wait_for(lambda: town.listens(port), 20, "the office to listen")
        killer = threading.Thread(target=kill_behind, args=(office, said, len(said) + 20))
        killer.start()
        for number in range(2000):
            if push(port, f"{turn}.{number}"):
                said.append(f"{turn}.{number}")
            elif not office.runs():
                break
        killer.join()
        office.start()
    town.wait_for(lambda: town.listens(port), 20, "the office to listen")
    lines = [event["data"]["line"] for event in office.journal("porter.heard")]
    assert len(said) >= 60
    assert set(said) <= set(lines), set(said) - set(lines)
    assert len(lines) == len(set(lines))


def test_an_office_reads_a_terminal(tmp_path, started):
    device = terminal.Terminal()
    office = started(OwnOffice(tmp_path, f'plugin "surfer" "door" {{ asks = {{ {{ stream = true, parts = 3, '
                     f'wish = {{ url = "{device.url}/alerts", user = "{terminal.USER}", '
                     f'password = "{terminal.PASSWORD}" }} }} }} }}\n'))
    town.wait_for(lambda: office.journal("surfer.told"), 20, "the terminal to be read")
    told = office.journal("surfer.told")[0]["data"]
    assert len(told.get("parts", [])) == 3, told
    assert terminal.PASSWORD not in office.text()
    device.close()


# ---- TLS

@pytest.fixture
def certificate(tmp_path):
    """(certificate, key) of 127.0.0.1, signed by itself."""
    key, pem = str(tmp_path / "box.key"), str(tmp_path / "box.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", key, "-out", pem, "-days", "2", "-subj", "/CN=box",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return pem, key


def test_who_knows_the_certificate_pushes_locked_and_is_answered_when_it_is_durable(porter, certificate):
    pem, key = certificate
    one = porter(certificate=pem, key=key, user="admin", password="secret", auth="basic")
    context = ssl.create_default_context(cafile=pem)

    def client():
        return http.client.HTTPSConnection("127.0.0.1", one.port, timeout=60, context=context)
    login = {"Authorization": "Basic " + base64.b64encode(b"admin:secret").decode()}
    line = client()
    for number in range(3):  # over one connection
        status, body, _ = one.ask("POST", "/cdata", f"line {number}\n", line, login)
        assert (status, body) == (200, b"OK: 1")
        assert one.heard()[-1] == f"line {number}"
    body = os.urandom(300000)
    assert one.ask("POST", "/echo", body, client(), login)[:2] == (201, body)
    assert one.ask("POST", "/cdata", "x", client())[0] == 401
    with pytest.raises(ssl.SSLError):
        http.client.HTTPSConnection("127.0.0.1", one.port, timeout=60).request("GET", "/")


def test_who_speaks_in_the_open_or_an_old_version_is_not_heard(porter, certificate):
    pem, key = certificate
    one = porter(certificate=pem, key=key)
    line = one.raw(b"POST /cdata HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
    assert b"200" not in everything(line)
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        http.client.HTTPSConnection("127.0.0.1", one.port, timeout=60, context=old).request("GET", "/")
    assert one.heard() == []


@pytest.mark.parametrize("fault", ["missing", "no pair", "none"])
def test_a_certificate_that_is_no_good_is_told(tmp_path, certificate, fault):
    pem, key = certificate
    options = {"missing": {"certificate": pem, "key": key + ".gone"},
               "no pair": {"certificate": pem, "key": pem}, "none": {}}[fault]
    with open(tmp_path / "host.log", "w+", encoding="utf-8") as log:
        config = {"url": f"https://127.0.0.1:{town.free_port()}", "options": options}
        double = keeper.KeeperDouble(HOST, os.path.join(DOUBLES, "porter"), LIBRARY, config, log=log,
                                     needs=["serve"])
        double.run(lambda: False, 2)
        double.close()
        log.seek(0)
        said = log.read()
    expected = "with certificate and key" if fault == "none" else "certificate or key cannot be read"
    assert expected in said and "PRIVATE" not in said, said
