"""host.http against a face terminal that is a stranger: what it asks for is done once, what it does
wrong is told by its name, in time and within bounds."""
import json
import os
import ssl
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "sim", "doubles"))
import keeper  # noqa: E402
import terminal  # noqa: E402
import town  # noqa: E402

HOST = os.path.join(town.BUILD, "libexec", "outpost", "host")
LIBRARY = os.path.join(town.ROOT, "lua")
SURFER = os.path.join(town.ROOT, "tests", "sim", "doubles", "surfer")
LOGIN = {"user": terminal.USER, "password": terminal.PASSWORD}
WRONG = {"user": terminal.USER, "password": "no-such-word"}


class Surfer:
    """A real host with the plugin `surfer`."""

    def __init__(self, folder, asks, at_once=False, **config):
        self.log = open(os.path.join(str(folder), "host.log"), "w+", encoding="utf-8")
        self.asks = asks
        config = {"asks": asks, "at_once": at_once, **config}
        self.keeper = keeper.KeeperDouble(HOST, SURFER, LIBRARY, config, log=self.log, needs=["http"])

    def told(self, seconds=90):
        """What came of each ask, in their order."""
        def done():
            return sum(kind == "surfer.told" for kind, _, _ in self.keeper.events) == len(self.asks)
        assert self.keeper.run(done, seconds), (self.text(), self.keeper.events)
        found = [data for kind, _, data in self.keeper.events if kind == "surfer.told"]
        return sorted(found, key=lambda told: told["ask"])

    def memory(self, what="Pss"):
        """Kilobytes."""
        with open(f"/proc/{self.keeper.process.pid}/smaps_rollup", encoding="ascii") as rollup:
            return next(int(line.split()[1]) for line in rollup if line.startswith(what + ":"))

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def close(self):
        self.keeper.close()
        self.log.close()


@pytest.fixture
def surf(tmp_path, closing):
    """surf(ask, ...) -> what came of each."""
    def go(*asks, **more):
        return closing(Surfer(tmp_path, list(asks), **more)).told()
    return go


def ask(url, path, **wish):
    return {"wish": {"url": url + path, **wish}}


# ---- Logging in

@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_digest_logs_in_and_sends_the_body_again(closing, surf, algorithm):
    device = closing(terminal.Terminal(algorithm))
    body = "x" * 100000
    told, = surf(ask(device.url, "/echo", body=body, method="PUT", **LOGIN))
    assert (told["status"], told["body"]["length"]) == (200, len(body))
    first, second = device.requests("/echo")
    assert (first["login"], second["good"], second["method"]) == (False, True, "PUT")


def test_an_old_terminal_that_names_no_algorithm_is_logged_in_to(closing, surf):
    device = closing(terminal.Terminal(say_algorithm=False))
    told, = surf(ask(device.url, "/ok", **LOGIN))
    assert told["status"] == 200


def test_a_wrong_password_is_tried_once_a_request_and_does_not_lock_the_account(closing, surf):
    device = closing(terminal.Terminal())
    told = surf(*[ask(device.url, "/ok", method=m, auth=a, **WRONG)
                  for m, a in (("GET", "digest"), ("PUT", "digest"), ("GET", "any"))])
    assert [t["status"] for t in told] == [401, 401, 401]
    assert device.bad == 3 and not device.locked(), device.seen


@pytest.mark.parametrize("times,told", [(1, 200), (1000, "auth")])
def test_a_nonce_that_is_stale_is_no_wrong_password(closing, surf, times, told):
    device = closing(terminal.Terminal(stale=times))
    came, = surf(ask(device.url, "/ok", body="again", **LOGIN))
    assert came.get("status", came.get("code")) == told
    assert device.bad == 0 and len(device.seen) <= 5, "it goes round for ever"


def test_a_connection_is_used_again(closing, surf):
    device = closing(terminal.Terminal())
    surf(*[ask(device.url, "/ok", **LOGIN) for _ in range(5)])
    assert len({seen["peer"] for seen in device.seen}) == 1


def test_no_password_is_in_a_message_or_in_the_log(tmp_path, closing):
    device = closing(terminal.Terminal())
    surfer = closing(Surfer(tmp_path, [
        ask(device.url, "/hang-up", **LOGIN), ask("http://127.0.0.1:1", "/", **LOGIN),
        ask(device.url, "/noise", **LOGIN), {"wish": {"url": "http://me:Outpost-2026@127.0.0.1/"}},
        ask(device.url, "/ok", user="admin", password=7)]))
    told = surfer.told()
    assert [t.get("code") for t in told] == ["closed", "refused", "protocol", "argument", None]
    assert terminal.PASSWORD not in json.dumps(told) + surfer.text()


# ---- Answers

def test_a_status_is_no_error_and_headers_are_told(closing, surf):
    device = closing(terminal.Terminal())
    missing, packed, form = surf(
        ask(device.url, "/open/missing"), ask(device.url, "/open/packed"),
        {"wish": {"url": device.url + "/open/echo"},
         "form": [{"name": "FaceDataRecord", "type": "application/json", "body": "{}"},
                  {"name": "FaceImage", "filename": "a.jpg", "type": "image/jpeg", "body": "\x01\x02"}]})
    assert (missing["status"], missing["body"]["front"]) == (404, "nothing here")
    assert packed["body"]["length"] == 900
    head, *_ = form["body"]["front"].split("\r\n\r\n")
    assert 'name="FaceDataRecord"' in head and "Content-Length: 2" in head
    assert 'name="FaceImage"; filename="a.jpg"' in form["body"]["front"]
    kind = device.requests("/open/echo")[0]["type"]
    assert kind.startswith("multipart/form-data; boundary=") and kind.split("=")[1] in head


def test_redirects_stay_on_the_host_and_carry_no_password_away(closing, surf):
    other = closing(terminal.Terminal())
    device = closing(terminal.Terminal(elsewhere=other.url.replace("127.0.0.1", "127.0.0.2")))
    told = surf(ask(device.url, "/open/back"), ask(device.url, "/open/back", redirects=3),
                ask(device.url, "/open/circle", redirects=3),
                ask(device.url, "/open/away", redirects=3, **LOGIN))
    assert [t["status"] for t in told] == [302, 200, 302, 302]
    assert len(device.requests("/open/circle")) == 4
    assert other.seen == []


FAULTS = {
    "stall": ("timeout", {"timeout": 300}),
    "drip": ("timeout", {"timeout": 500}),
    "hang-up": ("closed", {}),
    "noise": ("protocol", {}),
    "bad-chunk": ("closed", {}),
    "long-head": ("too_big", {}),
    "bomb": ("too_big", {"timeout": "60s"}),
    "chunked-for-ever": ("too_big", {}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told_by_its_name_and_in_time(closing, surf, fault):
    device = closing(terminal.Terminal())
    code, wish = FAULTS[fault]
    told, = surf(ask(device.url, "/open/" + fault, **wish))
    assert told.get("code") == code, told
    assert told["ms"] < wish["timeout"] + 30000 if isinstance(wish.get("timeout"), int) else True


def test_what_a_device_sends_too_much_of_costs_no_memory(tmp_path, closing):
    device = closing(terminal.Terminal())
    asks = [ask(device.url, "/open/ok")] + [
        ask(device.url, "/open/" + fault) for fault in ("bomb", "chunked-for-ever", "long-head")]
    surfer = closing(Surfer(tmp_path, asks))
    surfer.told()
    assert surfer.memory() < 12000 or "Sanitizer" in surfer.text()


def test_names_are_looked_up_and_a_wrong_argument_is_told(closing, surf):
    device = closing(terminal.Terminal())
    host, comes_to = town.own_name()
    told = surf(ask(device.url.replace("127.0.0.1", "localhost"), "/open/ok"),
                ask("http://no-such-host.invalid", "/"),
                ask(f"http://{host}:1", "/"),  # by a thread of the resolver
                ask(device.url, "/", metod="GET"), ask(device.url, "/", timeout="soon"),
                ask(device.url, "/", headers={"A\r\nB": "c"}),
                ask(device.url, "/", headers={"Content-Length": "1"}))
    assert told[0].get("status") == 200, told[0]
    assert told[1]["code"] == "resolve" and "thread" not in told[1]["message"], told[1]
    assert told[2]["code"] == comes_to, told[2]
    assert all("raised" in t for t in told[3:]), told[3:]


def test_only_so_many_requests_go_at_once(tmp_path, closing):
    device = closing(terminal.Terminal())
    asks = [ask(device.url, "/open/stall", timeout=700) for _ in range(20)]
    told = closing(Surfer(tmp_path, asks, at_once=True)).told()
    codes = [t["code"] for t in told]
    assert (codes.count("busy"), codes.count("timeout")) == (4, 16)
    assert len(device.seen) == 3, "more than three connections to one device"


# ---- Streams

def test_events_come_as_they_are_sent_and_silence_is_told(closing, surf):
    device = closing(terminal.Terminal())
    told, = surf({"stream": True, "parts": 4, "options": {"timeout": 3000},
                  "wish": {"url": device.url + "/alerts", **LOGIN}})
    assert told["status"] == 200
    assert [json.loads(p["front"])["n"] for p in told["parts"]] == [0, 1, 2]
    assert told["code"] == "timeout"


def test_a_stream_that_has_gone_silent_ends_by_itself(closing, surf):
    device = closing(terminal.Terminal())
    told, = surf({"stream": True, "parts": 4,
                  "wish": {"url": device.url + "/open/alerts", "low_speed": [1, 2]}})
    assert (len(told["parts"]), told["code"]) == (3, "timeout")


def test_a_part_of_100_megabytes_is_skipped_and_the_next_one_comes(tmp_path, closing):
    device = closing(terminal.Terminal())
    surfer = closing(Surfer(tmp_path, [
        {"stream": True, "parts": 3, "wish": {"url": device.url + "/open/huge-part"}}]))
    told, = surfer.told()
    assert [p["front"] for p in told["parts"]] == ["first", "last"]
    assert told["code"] == "closed"
    assert surfer.memory() < 12000 or "Sanitizer" in surfer.text()


def test_a_stream_that_is_read_slowly_waits_in_the_device(closing, surf):
    device = closing(terminal.Terminal())
    told, = surf({"stream": True, "reads": 5, "pause": 200,
                  "wish": {"url": device.url + "/open/torrent"}})
    assert told["bytes"] <= 5 * 65536
    assert device.sent < 8 << 20, "somebody took it all"


def test_a_stream_refused_or_no_multipart_is_told(closing, surf):
    device = closing(terminal.Terminal())
    denied, plain, gone = surf(
        {"stream": True, "reads": 1, "wish": {"url": device.url + "/alerts", **WRONG}},
        {"stream": True, "parts": 1, "wish": {"url": device.url + "/open/ok"}},
        {"stream": True, "parts": 1, "wish": {"url": "http://127.0.0.1:1/"}})
    assert denied["status"] == 401 and device.bad == 1
    assert plain["code"] == "protocol"
    assert gone["code"] == "refused"


# ---- TLS

@pytest.fixture
def certificate(tmp_path):
    """(context of a server, file of its certificate): 127.0.0.1, signed by itself."""
    key, pem = str(tmp_path / "device.key"), str(tmp_path / "device.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", key, "-out", pem, "-days", "2", "-subj", "/CN=device",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return context, pem


def test_a_certificate_must_be_known_unless_it_is_said_not_to_matter(closing, surf, certificate):
    context, pem = certificate
    device = closing(terminal.Terminal(tls=context))
    told = surf(ask(device.url, "/open/ok"), ask(device.url, "/open/ok", ca=pem),
                ask(device.url, "/open/ok", insecure=True), ask(device.url, "/open/ok", ca="/no/file"))
    assert [t.get("status") or t["code"] for t in told] == ["tls", 200, 200, "tls"], told
