"""host.ftp against the docks of body cameras: what is in a folder, files, and what a server does wrong;
and that a plugin reaches no other port than those that its configuration names."""
import hashlib
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "sim", "doubles"))
import dock as docks  # noqa: E402
import keeper  # noqa: E402
import town  # noqa: E402

HOST = os.path.join(town.BUILD, "libexec", "outpost", "host")
LIBRARY = os.path.join(town.ROOT, "lua")
FETCHER = os.path.join(town.ROOT, "tests", "sim", "doubles", "fetcher")
LOGIN = {"user": docks.USER, "password": docks.PASSWORD}
SANITIZED = "asan" in os.path.basename(town.BUILD)  # which needs memory of its own
CHINESE = "执法记录 01.mp4"


class Fetcher:
    """A real host with the plugin `fetcher`."""

    def __init__(self, folder, asks, **config):
        self.log = open(os.path.join(str(folder), "host.log"), "w+", encoding="utf-8")
        self.asks = asks
        self.keeper = keeper.KeeperDouble(HOST, FETCHER, LIBRARY, {"asks": asks, **config},
                                          log=self.log, needs=["ftp", "digest"])

    def told(self, seconds=90):
        """What came of each ask, in their order."""
        def done():
            return len(self.keeper.events) == len(self.asks)
        assert self.keeper.run(done, seconds), (self.text(), self.keeper.events)
        return sorted((data for _, _, data in self.keeper.events), key=lambda told: told["ask"])

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
def fetch(tmp_path, closing):
    """fetch(ask, ...) -> what came of each."""
    def go(*asks, **more):
        return closing(Fetcher(tmp_path, list(asks), **more)).told()
    return go


@pytest.fixture
def files(tmp_path):
    """What is on a dock."""
    folder = tmp_path / "dock"
    (folder / "20261121").mkdir(parents=True)
    (folder / "20261121" / CHINESE).write_bytes(os.urandom(3 << 20))
    (folder / "20261121" / "sn.txt").write_text("T1A0001\n")
    (folder / "empty").write_bytes(b"")
    os.utime(folder / "20261121" / "sn.txt", (1795230245, 1795230245))  # 2026-11-21T03:04:05Z
    os.chmod(folder, 0o755)
    return folder


def ask(call, url, path=None, **more):
    wish = {"url": url, **({"path": path} if path is not None else {})}
    ours = {name: more.pop(name) for name in ("reads", "pause", "options") if name in more}
    return {"call": call, "wish": {**wish, **more}, **ours}


def names(told):
    assert "entries" in told, told
    return sorted(entry["name"] for entry in told["entries"])


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# ---- Folders

def test_a_folder_is_told_with_exact_times_where_the_server_has_them(closing, fetch, files):
    dock = closing(docks.Dock(files))
    root, day, home = fetch(ask("list", dock.url(), "/", **LOGIN),
                            ask("list", dock.url(), "/20261121", **LOGIN),
                            ask("list", dock.url(), **LOGIN))
    assert names(root) == names(home) == ["20261121", "empty"]
    assert {e["name"]: e["kind"] for e in root["entries"]} == {"20261121": "folder", "empty": "file"}
    small = next(e for e in day["entries"] if e["name"] == "sn.txt")
    assert small == {"name": "sn.txt", "kind": "file", "size": 8, "time": 1795230245, "within": 1,
                     "clock": "utc", "guessed": False, "told": "20261121030405"}
    assert CHINESE in names(day) and (root["strange"], day["strange"]) == (0, 0)
    assert dock.sessions == 1, "it logs in for each"


def test_a_server_that_does_not_know_the_exact_form_is_asked_once(closing, fetch, files):
    dock = closing(docks.Dock(files, without=("MLSD",)))
    first, second = fetch(*[ask("list", dock.url(), "/20261121", **LOGIN)] * 2)
    assert names(first) == names(second) == sorted(["sn.txt", CHINESE])
    small = next(e for e in second["entries"] if e["name"] == "sn.txt")
    assert (small["clock"], small["within"], small["time"]) == ("server", 60, 1795230240)
    assert [line for line in dock.commands if line[:4] in ("MLSD", "LIST")] == ["MLSD", "LIST", "LIST"]


def test_vsftpd_is_read_from_where_the_login_leads_to(tmp_path, closing, fetch, files):
    if docks.VSFTPD is None:
        pytest.skip("vsftpd is not here")
    server = closing(docks.Vsftpd(tmp_path, files))
    day, small, big, gone = fetch(ask("list", server.url(), "20261121"),
                                  ask("stat", server.url(), "20261121/sn.txt"),
                                  ask("stream", server.url(), "20261121/" + CHINESE),
                                  ask("read", server.url(), "20261121/no"))
    assert names(day) == sorted(["sn.txt", CHINESE]), day
    assert small["file"] == {"size": 8, "time": 1795230245}
    assert big["sha256"] == digest(files / "20261121" / CHINESE)
    assert (gone["code"], gone["reply"]) == ("missing", 550)


# ---- Files

def test_a_file_comes_whole_in_bounded_pieces_and_from_where_it_was_cut(closing, fetch, files):
    dock = closing(docks.Dock(files))
    path = "/20261121/" + CHINESE
    whole, rest, none, read, empty, stat = fetch(
        ask("stream", dock.url(), path, **LOGIN), ask("stream", dock.url(), path, **LOGIN, **{"from": 1 << 20}),
        ask("stream", dock.url(), path, **LOGIN, **{"from": 3 << 20}),
        ask("read", dock.url(), "/20261121/sn.txt", **LOGIN), ask("stream", dock.url(), "/empty", **LOGIN),
        ask("stat", dock.url(), "/20261121/sn.txt", **LOGIN))
    data = (files / "20261121" / CHINESE).read_bytes()
    assert whole["sha256"] == digest(files / "20261121" / CHINESE) and whole["code"] == "closed"
    assert whole["most"] <= 65536 and whole["file"]["size"] == len(data)
    assert rest["sha256"] == hashlib.sha256(data[1 << 20:]).hexdigest()
    assert rest["file"]["size"] == len(data), "the size is that of the file, wherever we begin"
    assert (none["length"], none["code"]) == (0, "closed"), none
    assert (read["body"], read["file"]) == ("T1A0001\n", {"size": 8, "time": 1795230245})
    assert (empty["length"], empty["code"]) == (0, "closed"), empty
    assert stat["file"] == {"size": 8, "time": 1795230245}


def test_a_file_that_is_not_read_waits_in_the_dock(tmp_path, closing, files):
    (files / "big").write_bytes(bytes(64 << 20))
    dock = closing(docks.Dock(files))
    fetcher = closing(Fetcher(tmp_path, [
        ask("stream", dock.url(), "/big", reads=5, pause=200, **LOGIN),
        ask("read", dock.url(), "/big", **LOGIN)]))
    slow, much = fetcher.told()
    assert slow["length"] <= 5 * 65536
    assert much["code"] == "too_big"
    assert fetcher.memory() < 12000 or SANITIZED


def test_files_are_renamed_and_removed_only_by_whole_paths(closing, fetch, files):
    dock = closing(docks.Dock(files))
    told = fetch(ask("rename", dock.url(), "/empty", to="/20261121/done", **LOGIN),
                 ask("remove", dock.url(), "/20261121/done", **LOGIN),
                 ask("remove", dock.url(), "/20261121/done", **LOGIN),
                 ask("remove", dock.url(), "20261121/sn.txt", **LOGIN),
                 ask("rename", dock.url(), "/20261121/sn.txt", to="/a\r\nDELE /b", **LOGIN))
    assert [t.get("done") or t["code"] for t in told] == [True, True, "missing", "argument", "argument"]
    assert not (files / "20261121" / "done").exists() and not (files / "empty").exists()
    assert (files / "20261121" / "sn.txt").exists()


# ---- Where the data come by

def test_the_dock_may_connect_to_us_where_that_is_named(closing, fetch, files):
    dock = closing(docks.Dock(files))
    first = docks.free_range(8)
    url = dock.url(way="active", ports=f"{first}-{first + 7}")
    told, whole = fetch(ask("list", url, "/", **LOGIN), ask("stream", url, "/20261121/" + CHINESE, **LOGIN))
    assert names(told) == ["20261121", "empty"]
    assert whole["sha256"] == digest(files / "20261121" / CHINESE)
    assert any(line.startswith(("EPRT", "PORT")) for line in dock.commands)


def test_a_port_that_the_url_does_not_name_is_not_reached(closing, fetch, files):
    dock = closing(docks.Dock(files))
    told, = fetch(ask("list", dock.url(ports="50000"), "/", **LOGIN))
    assert told["code"] == "refused" and "which passive= in the URL does not name" in told["message"]
    assert not any("LIST" in line or "MLSD" in line for line in dock.commands)


def test_a_dock_cannot_send_us_to_another_host(closing, fetch):
    liar = closing(docks.Liar(b"type=file; a\r\n", EPSV="500 what", PASV="227 (10,9,9,9,PORT)"))
    liar.replies["PASV"] = "227 at (10,9,9,9,%d,%d)" % divmod(liar.data_port_own, 256)
    told, = fetch(ask("list", liar.url(), "/"))
    assert names(told) == ["a"], told


# ---- What goes wrong

def test_a_wrong_password_is_tried_once_and_told_nowhere(tmp_path, closing, files):
    dock = closing(docks.Dock(files, auth_failed_timeout=0.1))
    fetcher = closing(Fetcher(tmp_path, [
        ask("list", dock.url(), "/", user="dock", password="Wrong-Word-77"),
        ask("list", "ftp://dock:Wrong-Word-77@127.0.0.1?passive=5000", "/")]))
    told = fetcher.told()
    assert [t["code"] for t in told] == ["auth", "argument"], told
    assert sum(line.startswith("PASS") for line in dock.commands) == 1
    assert "Wrong-Word-77" not in json.dumps(told) + fetcher.text()


LIES = {
    "says nothing": ("timeout", {"greeting": None}),
    "is no FTP": ("timeout", {"greeting": "SSH-2.0-OpenSSH_9.2"}),
    "lets nobody in": ("protocol", {"greeting": "500 go away"}),
    "hangs up at the login": ("closed", {"PASS": "close"}),
    "hangs up when asked": ("closed", {"RETR": "close"}),
    "does not answer": ("timeout", {"EPSV": None}),
    "has no port for the data": ("protocol", {"EPSV": "229 none", "PASV": "227 none"}),
    "has too many visitors": ("closed", {"USER": "421 too many"}),
    "is busy with the file": ("denied", {"RETR": "450 busy"}),
    "breaks the file off": ("closed", {"end": "426 broken"}),
    "sends less than it said": ("closed", {"SIZE": "213 1000", "data": b"x" * 10}),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_fault_is_told_by_its_name_and_in_time(closing, fetch, lie):
    code, replies = LIES[lie]
    liar = closing(docks.Liar(**{"data": b"x", **replies}))
    told, = fetch(ask("read", liar.url(), "/a", timeout="1s" if code == "timeout" else "60s"))
    assert told.get("code") == code, told
    assert told["ms"] < 50000


def test_who_never_says_that_the_file_has_ended_holds_us_up_two_seconds_and_not_more(closing, fetch):
    liar = closing(docks.Liar(b"x" * 100, end="", SIZE="213 100"))
    told, after = fetch(ask("read", liar.url(), "/a", timeout="30s"), ask("list", liar.url(), "/"))
    assert told["code"] == "closed" and told["ms"] < 25000, told
    assert "code" in after


def test_a_listing_without_an_end_and_one_of_too_many_are_told(tmp_path, closing):
    endless = closing(docks.Liar([b"x" * 65536] * 200))
    many = closing(docks.Liar(b"".join(b"type=file; %d\r\n" % i for i in range(10001))))
    enough = closing(docks.Liar(b"".join(b"type=file; %d\r\n" % i for i in range(10000)) + b"\n?\n"))
    fetcher = closing(Fetcher(tmp_path, [ask("list", endless.url(), "/"), ask("list", many.url(), "/"),
                                         ask("list", enough.url(), "/", most=1000000)]))
    told = fetcher.told()
    assert [t.get("code") for t in told[:2]] == ["too_big", "too_big"], told[:2]
    assert (told[2]["count"], told[2]["strange"]) == (10000, 1), told[2]
    assert fetcher.memory() < 20000 or SANITIZED


def test_a_stop_does_not_wait_for_a_server_that_does_not_say_goodbye(tmp_path, closing):
    liar = closing(docks.Liar(b"type=file; a\r\n", QUIT=None))
    fetcher = closing(Fetcher(tmp_path, [ask("list", liar.url(), "/")]))
    assert names(fetcher.told()[0]) == ["a"]
    assert fetcher.keeper.close(patience=60) == 0


def test_only_so_many_go_at_once_and_a_wrong_argument_is_told(tmp_path, closing, fetch, files):
    silent = closing(docks.Liar(greeting=None))
    told = fetch(*[ask("list", silent.url(), "/", timeout=700) for _ in range(20)], at_once=True)
    codes = [t["code"] for t in told]
    assert (codes.count("busy"), codes.count("timeout")) == (4, 16)


def test_a_wrong_argument_is_told(closing, fetch, files):
    dock = closing(docks.Dock(files))
    told = fetch(ask("list", dock.url(), "/", pasword="x"), ask("read", dock.url()),
                 ask("list", dock.url(), "/", to="/x"), ask("rename", dock.url(), "/x"),
                 ask("list", dock.url(), "/", user="x"), ask("stat", dock.url(), "/x/"),
                 ask("list", "ftp://127.0.0.1", "/"), ask("list", "http://127.0.0.1", "/"))
    assert all("raised" in t for t in told[:5]), told[:5]
    assert [t["code"] for t in told[5:]] == ["argument"] * 3, told[5:]


def test_names_are_looked_up(closing, fetch, files):
    dock = closing(docks.Dock(files))
    host, comes_to = town.own_name()
    told = fetch(ask("list", dock.url().replace("127.0.0.1", "localhost"), "/", **LOGIN),
                 ask("list", "ftp://no-such-host.invalid?passive=5000", "/"),
                 ask("list", f"ftp://{host}:1?passive=5000", "/"))
    assert names(told[0]) == ["20261121", "empty"], told[0]
    assert [t["code"] for t in told[1:]] == ["resolve", comes_to], told[1:]


# ---- Locked

@pytest.fixture
def certificate(tmp_path):
    """A file with key and certificate: 127.0.0.1, signed by itself."""
    key, pem = str(tmp_path / "dock.key"), str(tmp_path / "dock.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", pem, "-days", "2", "-subj", "/CN=dock",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    with open(pem, "a", encoding="ascii") as both, open(key, encoding="ascii") as private:
        both.write(private.read())
    return pem


def test_a_locked_dock_is_read_by_who_knows_its_certificate(tmp_path, closing, fetch, files, certificate):
    """It wants the session of the commands for the data too, as many do."""
    if docks.VSFTPD is None:
        pytest.skip("vsftpd is not here")
    dock = closing(docks.Vsftpd(tmp_path, files, certificate))
    url, path = dock.url("ftpes"), "20261121/" + CHINESE
    strange, known, whoever, open_, whole, again = fetch(
        ask("list", url), ask("list", url, ca=certificate), ask("list", url, insecure=True),
        ask("list", dock.url()), ask("stream", url, path, ca=certificate),
        ask("stream", url, path, ca=certificate, **{"from": 1 << 20}))
    assert strange["code"] == "tls"
    assert names(known) == names(whoever) == ["20261121", "empty"]
    assert open_["code"] in ("auth", "denied"), open_
    assert whole["sha256"] == digest(files / "20261121" / CHINESE)
    assert again["length"] == (3 << 20) - (1 << 20)


def test_a_dock_that_is_locked_from_the_first_byte_is_read(tmp_path, closing, fetch, files, certificate):
    if docks.VSFTPD is None:
        pytest.skip("vsftpd is not here")
    dock = closing(docks.Vsftpd(tmp_path, files, certificate, implicit=True))
    told, whole = fetch(ask("list", dock.url("ftps"), ca=certificate),
                        ask("read", dock.url("ftps"), "20261121/sn.txt", ca=certificate))
    assert names(told) == ["20261121", "empty"]
    assert whole["body"] == "T1A0001\n"


def test_who_cannot_lock_is_not_talked_to_in_the_open(closing, fetch, files):
    dock = closing(docks.Dock(files))
    told, = fetch(ask("list", dock.url("ftpes"), "/", insecure=True, **LOGIN))
    assert told["code"] == "tls", told
    assert not any(line.startswith(("USER", "PASS")) for line in dock.commands)
