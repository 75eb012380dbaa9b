"""outpost blob: which blobs are stored, who is given their bytes, and what is on record of it."""
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile

import pytest

from blobs_story import Keepsakes

ROOT = os.geteuid() == 0
STRANGER, OFFICER = "games", "daemon"  # of every Debian's /etc/passwd


class Album(Keepsakes):
    """Where other Unix users can come to, too."""

    def __init__(self, folder):
        super().__init__(folder)
        with open(self.config, "a", encoding="utf-8") as out:
            out.write(f'access {{ officer = {{ "{OFFICER}" }} }}\n')

    def blob(self, *words, user=None, expect=0):
        argv = [self.argv[0], "blob", *words, "--state", self.state]
        if user:
            argv = ["setpriv", f"--reuid={user}", "--regid=0", "--clear-groups", *argv]
        done = subprocess.run(argv, capture_output=True, check=False, timeout=30)
        assert done.returncode == expect, done.stderr
        return done.stdout, done.stderr.decode()

    def viewed(self):
        told = self.command("events", "--json", "--type", "evidence.viewed", expect=None).stdout
        return [json.loads(line)["data"] for line in told.splitlines()]


@pytest.fixture
def home():
    with tempfile.TemporaryDirectory(prefix="album-") as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


@pytest.fixture
def album(home, started):
    return started(Album(home)).begin()


def test_the_list_names_each_with_its_size_class_and_time(album):
    stored = {album.store(text=text)["sha256"] for text in ("one", "two", "three")}
    rows = [json.loads(line) for line in album.blob("list", "--json")[0].splitlines()]
    assert {row["sha256"] for row in rows} == stored
    assert all(row["size"] > 0 and row["until"] > row["stored"] for row in rows)
    lines = album.blob("list")[0].decode().splitlines()
    assert {line.split()[0] for line in lines} == stored
    said = album.command("status").stdout
    assert "alarm      last none\n" in said and "no city is set" in said and "at the city -1" not in said
    status = album.status()["blobs"]
    assert (status["count"], status["damaged"], status["full"]) == (3, 0, "")
    assert "blobs: 3," in album.command("status", expect=None).stdout


def test_what_cannot_be_meant_is_said(album):
    assert "64 hex digits" in album.blob("get", "abc", expect=2)[1]
    assert "list or get" in album.blob("erase", expect=2)[1]
    assert "no such blob" in album.blob("get", "0" * 64, expect=1)[1]


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
def test_its_bytes_are_for_officers_and_root_and_on_record(album):
    blob = album.store(text="a face")
    out, err = album.blob("get", blob["sha256"], user=STRANGER, expect=1)
    assert (out, album.viewed()) == (b"", []) and "officer or root" in err
    assert album.blob("list", user=STRANGER)[0]
    for user, role, name in ((OFFICER, "officer", OFFICER), (None, "technician", "root")):
        data = album.blob("get", blob["sha256"], user=user)[0]
        assert hashlib.sha256(data).hexdigest() == blob["sha256"]
        assert album.viewed()[-1]["who"] == {"name": name, "role": role, "via": "local"}
    assert [event["sha256"] for event in album.viewed()] == [blob["sha256"]] * 2


def test_one_that_was_changed_on_disk_is_no_success(album):
    blob = album.store(text="fragile")
    (path,) = album.files().values()
    with open(path, "r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))
    assert "not what was stored" in album.blob("get", blob["sha256"], expect=1)[1]
