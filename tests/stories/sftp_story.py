"""host.ftp against docks that give their files by SFTP: asyncssh, which speaks the real protocol."""
import hashlib
import os
import sys

import pytest

import ftp_story
from ftp_story import ask, fetch, files  # noqa: F401, pylint: disable=unused-import

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "sim", "doubles"))
import vault as vaults  # noqa: E402

CHINESE = ftp_story.CHINESE


@pytest.fixture
def dock(files, closing):  # noqa: F811, pylint: disable=redefined-outer-name
    return closing(vaults.Vault(files))


def seen(dock, call, path=None, **more):  # pylint: disable=redefined-outer-name
    """An ask by somebody who may, and knows the dock."""
    return ask(call, dock.url, path, **{"user": vaults.USER, "password": vaults.PASSWORD,
                                        "host_key": dock.fingerprint, **more})


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def test_folders_and_files_are_told_with_size_and_time(dock, files, fetch):  # noqa: F811
    listed, deep, small, stat, home = fetch(
        seen(dock, "list", "/"), seen(dock, "list", "/20261121"), seen(dock, "read", "/20261121/sn.txt"),
        seen(dock, "stat", "/20261121/" + CHINESE), seen(dock, "list"))
    assert {entry["name"]: entry["kind"] for entry in listed["entries"]} == {"20261121": "folder", "empty": "file"}
    by_name = {entry["name"]: entry for entry in deep["entries"]}
    assert by_name[CHINESE]["size"] == 3 << 20 and by_name["sn.txt"]["clock"] == "server"
    assert small["body"] == "T1A0001\n" and small["file"] == {"size": 8, "time": 1795230245}
    assert stat["file"]["size"] == 3 << 20
    assert home["count"] == 2 and home["strange"] == 0


def test_a_file_comes_byte_by_byte_and_from_any_byte_on(dock, files, fetch):  # noqa: F811
    data = (files / "20261121" / CHINESE).read_bytes()
    whole, rest, empty = fetch(
        seen(dock, "stream", "/20261121/" + CHINESE),
        seen(dock, "stream", "/20261121/" + CHINESE, **{"from": 1 << 20}), seen(dock, "read", "/empty"))
    assert (whole["length"], whole["sha256"], whole["code"]) == (3 << 20, sha256(data), "closed")
    assert (rest["length"], rest["sha256"]) == (2 << 20, sha256(data[1 << 20:]))
    assert rest["file"]["size"] == 3 << 20, "of the whole file"
    assert empty["length"] == 0


def test_files_are_renamed_and_removed_whatever_they_are_called(dock, files, fetch):  # noqa: F811
    told = fetch(seen(dock, "rename", "/20261121/sn.txt", to='/20261121/a "b" \\ c'),
                 seen(dock, "rename", "/none", to="/other"), seen(dock, "remove", "/empty"),
                 seen(dock, "remove", "/empty"))
    assert told[0]["done"] is True and told[2]["done"] is True
    assert told[1]["code"] == "missing" and told[3]["code"] == "missing"
    assert sorted(os.listdir(files / "20261121")) == ['a "b" \\ c', CHINESE]
    assert not (files / "empty").exists()


def test_what_is_not_there_is_missing_and_a_wrong_password_is_tried_once(dock, fetch):
    missing, folder, auth = fetch(
        seen(dock, "stream", "/20261121/elsewhere.mp4"), seen(dock, "list", "/elsewhere"),
        seen(dock, "list", "/", user="stranger", password="guess"))
    assert (missing["code"], folder["code"], auth["code"]) == ("missing", "missing", "auth")
    assert [user for user, _ in dock.tries].count("stranger") == 1, "also where there are other ways to log in"
    for told in (missing, folder, auth):
        assert "guess" not in told["message"] and "elsewhere" not in told["message"]


def test_nobody_but_the_dock_that_was_named_is_told_the_password(dock, fetch):
    other = "SHA256:" + "A" * 43
    wrong, unnamed, nobody, torn, whoever = fetch(
        seen(dock, "list", "/", host_key=other), ask("list", dock.url, "/", user="a", password="b"),
        ask("list", dock.url, "/"), seen(dock, "list", "/", host_key="SHA256:abc"),
        ask("list", dock.url, "/", user=vaults.USER, password=vaults.PASSWORD, insecure=True))
    assert wrong["code"] == "tls" and dock.fingerprint[len("SHA256:"):] in wrong["message"]
    assert unnamed["code"] == "argument" and "host_key" in unnamed["message"]
    assert nobody["code"] == "argument" and torn["code"] == "argument"
    assert whoever["count"] == 2
    assert dock.tries == [(vaults.USER, vaults.PASSWORD)]


def test_a_line_that_breaks_or_a_dock_that_is_mute_is_told(files, closing, fetch):  # noqa: F811
    torn = closing(vaults.Vault(files, cut=1 << 20, times=1))
    mute = closing(vaults.Vault(files, mute=True))
    first, second, silent = fetch(
        seen(torn, "stream", "/20261121/" + CHINESE), seen(torn, "stream", "/20261121/" + CHINESE),
        seen(mute, "read", "/20261121/sn.txt", timeout=2000))
    assert first["length"] < 3 << 20 and first["code"] == "closed"
    assert second["length"] == 3 << 20
    assert silent["code"] == "timeout"
