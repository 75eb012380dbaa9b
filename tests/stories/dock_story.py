"""Footage from real docks into a real office: folders, pyftpdlib, Python's web server, a recorder with ISAPI.
Every clip is one item, whatever breaks; nothing that was not said to be stored is left."""
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from pyftpdlib.handlers import DTPHandler

import capture_story
import evidence_story
import town
import uploads

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "sim", "doubles"))
import dock as docks  # noqa: E402
import shelf  # noqa: E402
import vault  # noqa: E402

QUICK = 'poll = "1s", settle = "1s"'
SEEN = 1775867415  # 2026-04-11T08:30:15 in China


class Office(town.Office):
    """An office with docks: {instance: settings}."""

    def __init__(self, folder, city=None, broker=None, more="", **plugins):
        super().__init__(folder, city, broker, more + "".join(
            f'plugin "bodycam-dock" "{name}" {{ {QUICK}, {settings} }}\n'
            for name, settings in plugins.items()))

    def told(self, kind="evidence.recorded"):
        done = self.command("events", "--json", "--type", kind, expect=None)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def items(self):
        return {event["data"]["path"]: event["data"] for event in self.told()}

    def wait_for(self, count, seconds=40):
        town.wait_for(lambda: len(self.told()) >= count, seconds,
                      f"{count} clips, there are {len(self.told())}; {self.text()[-3000:]}")
        return self.items()

    def get(self, sha256):
        return subprocess.run([town.OUTPOST, "blob", "get", sha256, "--state", self.state],
                              check=True, timeout=60, stdout=subprocess.PIPE).stdout

    def files(self):
        found = []
        for folder, _, names in os.walk(os.path.join(self.state, "blobs")):
            found += [os.path.relpath(os.path.join(folder, name), os.path.join(self.state, "blobs"))
                      for name in names]
        return sorted(name for name in found if not name.startswith("old/"))

    def check(self, clips):
        """Each clip once, with the right hash, and no file that no event names."""
        events = self.told()
        digests = {hashlib.sha256(data).hexdigest() for data in clips.values()}
        assert sorted(event["data"]["sha256"] for event in events) == sorted(digests)
        for event in events:
            assert hashlib.sha256(self.get(event["data"]["sha256"])).hexdigest() == event["data"]["sha256"]
        town.wait_for(lambda: len(self.files()) == len(digests), 10, "what nobody named to go")
        assert {name.replace("/", "") for name in self.files()} == digests
        self.verify()


def clip(folder, name, size, seed=None, seen=SEEN):
    """A file of a camera; what is in it."""
    path = os.path.join(os.fsencode(str(folder)), name if isinstance(name, bytes) else name.encode())
    os.makedirs(os.path.dirname(path), exist_ok=True)
    data = random.Random(seed or repr(name)).randbytes(size)
    with open(path, "wb") as file:
        file.write(data)
    os.utime(path, (seen, seen))
    return data


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def test_a_disk_that_is_plugged_in_is_taken_in_and_nothing_beside_it(tmp_path, disk, started):
    clips = {
        "DCIM/330106_012345_T1A0001_20260411083015_0001.MP4":
            clip(disk, "DCIM/330106_012345_T1A0001_20260411083015_0001.MP4", 3 << 20),
        "DCIM/执法_012345_20260411091200.MP4": clip(disk, "DCIM/执法_012345_20260411091200.MP4".encode("gbk"), 70000),
        "DCIM/LOCK/MOV_0007.MP4": clip(disk, "DCIM/LOCK/MOV_0007.MP4", 1000)}
    clip(disk, "DCIM/copy_20260411083015.mp4", 3 << 20, "'DCIM/330106_012345_T1A0001_20260411083015_0001.MP4'")
    (disk / "sn.txt").write_text("T1=x\nUserNo=654321\n")
    secret = tmp_path / "20260411083015.mp4"
    secret.write_bytes(b"secret")
    (disk / "DCIM" / "20260411083015.mp4").symlink_to(secret)
    (disk / "up").symlink_to(tmp_path)
    (disk / "DCIM" / "half.mp4.part").write_bytes(b"half")
    os.mkfifo(disk / "DCIM" / "pipe.mp4")
    office = started(Office(tmp_path / "office", disk=f'url = "{disk}"'))
    office.wait_for(3)
    time.sleep(2)
    office.check(clips)
    items, again = office.items(), office.told("evidence.again")
    assert len(again) == 1
    by_hash = {data["sha256"]: data for data in items.values()}
    for path, data in clips.items():
        item = by_hash[hashlib.sha256(data).hexdigest()]
        assert item["size"] == len(data) and item["source"] == str(disk)
        assert path in (item["path"], again[0]["data"]["path"])
    locked = items["DCIM/LOCK/MOV_0007.MP4"]
    assert (locked["class"], locked["officer"], locked["officer_from"]) == ("important", "654321", "recorder")
    assert (locked["recorded_from"], locked["trust"]) == ("listing", "listing")
    assert office.told()[0]["data"]["path"] == locked["path"], "important ones come first"


def test_a_disk_may_come_after_the_office_and_go_again(tmp_path, disk, started):
    os.rmdir(disk)
    office = started(Office(tmp_path / "office", disk=f'url = "{disk}", offline_after = "1s"'))
    town.wait_for(lambda: office.told("dock.offline"), 30, f"its being told; {office.text()}")
    disk.mkdir()
    clips = {"20260411083015.mp4": clip(disk, "20260411083015.mp4", 1000)}
    office.wait_for(1)
    assert office.told("dock.online") and "signal" not in office.text()
    office.check(clips)


def mounts(folder):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "dock", str(folder)], check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def test_a_disk_that_is_mounted_later_is_read_and_can_be_unmounted(tmp_path, disk, started):
    office = started(Office(tmp_path / "office", disk=f'url = "{disk}"'))
    town.wait_for(lambda: office.told("dock.online"), 20, f"a look; {office.text()}")
    clips = {}
    for name in ("20260411083015.mp4", "20260411083016.mp4"):
        if not mounts(disk):
            pytest.skip("nothing can be mounted here")
        try:
            clips[name] = clip(disk, name, 100000)
            office.wait_for(len(clips))
        finally:
            busy = subprocess.run(["umount", str(disk)], check=False).returncode
        assert busy == 0, "the plugin holds it"
    office.check(clips)


def test_a_file_that_grows_is_waited_for(tmp_path, disk, started):
    office = started(Office(tmp_path / "office", disk=f'url = "{disk}", settle = "2s"'))
    whole = b""
    with open(disk / "20260411083015.mp4", "wb") as file:
        for _ in range(16):
            part = os.urandom(50000)
            file.write(part)
            file.flush()
            whole += part
            time.sleep(0.25)
    office.wait_for(1)
    office.check({"20260411083015.mp4": whole})


class Torn(DTPHandler):
    """The line breaks, some times, when so many bytes have gone."""
    left, room = 0, 400000

    def send(self, data):
        sent = super().send(data)
        if Torn.left > 0 and self.tot_bytes_sent > self.room:
            Torn.left -= 1
            self.close()
        return sent


def test_a_torn_line_goes_on_where_it_stopped(tmp_path, disk, started, closing):
    clips = {"a/20260411083015.mp4": clip(disk, "a/20260411083015.mp4", 5 << 20)}
    Torn.left = 3
    dock = closing(docks.Dock(disk, dtp_handler=Torn, use_sendfile=False))
    office = started(Office(tmp_path / "office", dock=f'url = "{dock.url()}", user = "{docks.USER}", '
                            f'password = "{docks.PASSWORD}"'))
    office.wait_for(1, 60)
    office.check(clips)
    goes_on = [int(line.split()[1]) for line in dock.commands if line.startswith("REST ")]
    assert Torn.left == 0 and len([at for at in goes_on if at > 0]) >= 3, dock.commands
    assert dock.sessions < 12


def captured(office, url, password, clips):
    """What went and came between it and its one dock: no password, and nothing of the clips."""
    assert "kept" in office.command("capture", "dock").stdout
    told, = capture_story.recorded(office)
    found = capture_story.packets(capture_story.blob(office, told["sha256"]))
    assert {name for name, _, _ in found} == {url}
    came, went = (b"".join(data for _, way, data in found if way == wanted) for wanted in ("in", "out"))
    assert password.encode() not in came + went
    assert not any(data[at:at + 100] in came for data in clips.values() for at in (0, len(data) // 2))
    return came, went


def test_an_sftp_dock_is_read_by_who_knows_its_key_also_over_a_torn_line(tmp_path, disk, started, closing):
    clips = {"DCIM/20260411083015.mp4": clip(disk, "DCIM/20260411083015.mp4", 5 << 20)}
    dock = closing(vault.Vault(disk, cut=2 << 20, times=2))
    office = started(Office(tmp_path / "office", dock=f'url = "{dock.url}", user = "{vault.USER}", '
                            f'password = "{vault.PASSWORD}", host_key = "{dock.fingerprint}", record = true'))
    told = office.wait_for(1, 60)["DCIM/20260411083015.mp4"]
    assert (told["source"], told["modified_at"]) == (dock.url + "/", "2026-04-11T00:30:15.000Z")
    office.check(clips)
    assert dock.left == 0 and dock.sent < 12 << 20, "it is begun anew each time"
    came, went = captured(office, dock.url, vault.PASSWORD, clips)
    assert b"list /DCIM\n" in went and b"read /DCIM/20260411083015.mp4 from " in went
    assert b" 20260411083015.mp4\n" in came and b"\ngood size 5242880\n" in came and b"\nclosed" in came


def test_a_dock_that_tells_no_exact_times_is_asked_for_them(tmp_path, disk, started, closing):
    clips = {"MOV_0001.MP4": clip(disk, "MOV_0001.MP4", 1000), "x/MOV_0002.MP4": clip(disk, "x/MOV_0002.MP4", 2000)}
    dock = closing(docks.Dock(disk, without=("MLSD",)))
    office = started(Office(tmp_path / "office", dock=f'url = "{dock.url()}", user = "{docks.USER}", '
                            f'password = "{docks.PASSWORD}", record = true'))
    for data in office.wait_for(2).values():
        assert (data["recorded_from"], data["modified_at"]) == ("listing", "2026-04-11T00:30:15.000Z")
    looks = dock.commands.count("LIST")
    town.wait_for(lambda: dock.commands.count("LIST") > looks + 2, 20, "two more looks")
    office.check(clips)
    assert len([line for line in dock.commands if line.startswith("RETR")]) == 2, "it is read again and again"
    came, went = captured(office, f"ftp://127.0.0.1:{dock.port}", docks.PASSWORD, clips)
    assert f"USER {docks.USER}\r\n".encode() in went and b"PASS ***" in went and b"RETR MOV_0001.MP4\r\n" in went
    assert b"\r\n230 " in came and b" MOV_0001.MP4\n" in came


def test_a_wrong_password_is_tried_once(tmp_path, disk, started, closing):
    dock = closing(docks.Dock(disk))
    office = started(Office(tmp_path / "office", dock=f'url = "{dock.url()}", user = "{docks.USER}", '
                            'password = "not that"'))
    town.wait_for(lambda: office.told("dock.auth_failed"), 20, f"its being told; {office.text()}")
    host, = office.children()["host"]
    os.kill(host, signal.SIGKILL)
    town.wait_for(lambda: office.children().get("host", [host]) != [host], 20, "the plugin to come back")
    time.sleep(2.5)
    assert len([line for line in dock.commands if line.startswith("PASS")]) == 1
    assert "not that" not in office.text()


@pytest.mark.skipif(uploads.why_not() is not None, reason=str(uploads.why_not()))
def test_an_important_clip_goes_to_the_city_and_comes_back_as_a_receipt(tmp_path, disk, started):
    world = evidence_story.World(tmp_path, started)
    courier = uploads.courier(world.server, world.authority)
    important = clip(disk, "T1A0001_012345_20260411083015_IMP.mp4", 2 << 20)
    clip(disk, "T1A0001_012345_20260411083016.mp4", 1000)
    office = started(Office(tmp_path / "office", world.city, world.broker,
                            courier, disk=f'url = "{disk}"'))
    told = office.wait_for(2)["T1A0001_012345_20260411083015_IMP.mp4"]
    assert told["sha256"] == hashlib.sha256(important).hexdigest()
    world.wait_for(told, office)
    assert set(world.uploaded()) == {told["sha256"]}


@pytest.mark.parametrize("ranges", [True, False])
def test_a_web_servers_folders_are_taken_in_with_ranges_or_without(ranges, tmp_path, disk, started, closing):
    clips = {name: clip(disk, name, size) for name, size in (
        ("20260411/a b 100%_012345_20260411083015.mp4", 2 << 20), ("20260411/x/20260411083016.jpg", 10))}
    web = closing(shelf.Shelf(disk, cut=1000000, times=1, ranges=ranges))
    office = started(Office(tmp_path / "office", dock=f'url = "{web.url}"'))
    office.wait_for(2, 100)
    office.check(clips)
    assert set(office.items()) == set(clips)
    again = [told for path, told in web.asked if told]
    assert again == ["bytes=1000000-"]
    for data in office.items().values():
        assert abs(data["clock_offset"]) <= 60 and data["clock_from"] == "server"


def test_a_recorder_is_searched_and_downloaded_from(tmp_path, started, closing):
    hour = time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() + 5 * 3600))
    items = {f"000{n}": (f"{hour}:0{n}:00Z", f"{hour}:0{n}:30Z", os.urandom(300000 + n)) for n in range(5)}
    recorder = closing(shelf.Recorder(items))
    office = started(Office(tmp_path / "office", dock=f'url = "{recorder.url}", api = "isapi"'))
    told = office.wait_for(5)
    office.check({name: item[2] for name, item in items.items()})
    time.sleep(2)
    assert sorted(recorder.downloads) == sorted(items)
    for data in told.values():
        assert (data["recorded_from"], data["clock_from"], data["kind"]) == ("search", "device", "video")
        assert abs(data["clock_offset"]) <= 60


def test_whoever_is_killed_each_clip_is_one_item(tmp_path, disk, started, closing):
    """Plugins and the keeper, again and again, while three docks are read."""
    chance, clips, settings = random.Random(6), {}, {}
    for name in ("disk", "ftp", "web"):
        for n in range(3):
            path = f"{name}/20260411/T1A0001_012345_2026041108301{n}.mp4"
            clips[path] = clip(disk, path, 1 << 18 if n else 6 << 20)
    dock, web = closing(docks.Dock(disk / "ftp")), closing(shelf.Shelf(disk / "web", ranges=True))
    settings["disk"] = f'url = "{disk}/disk"'
    settings["ftp"] = f'url = "{dock.url()}", user = "{docks.USER}", password = "{docks.PASSWORD}"'
    settings["web"] = f'url = "{web.url}"'
    office = started(Office(tmp_path / "office", **settings))
    for n in range(5):
        time.sleep(chance.uniform(0.2, 1.5))
        if n % 4 == 3:
            office.kill()
            office.start()
        else:
            hosts = office.children().get("host", [])
            if hosts:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(hosts), signal.SIGKILL)
    office.wait_for(len(clips), 120)
    office.check(clips)


def test_a_clip_that_two_docks_have_at_the_same_time_is_one_item(tmp_path, started):
    docks_of, clips = [tmp_path / "one", tmp_path / "two"], {}
    for folder in docks_of:
        folder.mkdir()
    office = started(Office(tmp_path / "office", **{folder.name: f'url = "{folder}"' for folder in docks_of}))
    town.wait_for(lambda: len(office.told("dock.online")) == 2, 20, f"both; {office.text()}")
    for n in range(24):
        name = f"T1A0001_012345_202604110830{n:02}.mp4"
        clips[name] = clip(tmp_path, name, 300000)
        for folder in docks_of:
            os.link(tmp_path / name, folder / name)
    town.wait_for(lambda: len(office.told()) + len(office.told("evidence.again")) >= 48, 60, f"all; {office.text()}")
    office.check(clips)


def test_memory_does_not_depend_on_the_size(tmp_path, disk, started):
    def most(pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))

    clip(disk, "20260411083015.mp4", 1000)
    office = started(Office(tmp_path / "office", disk=f'url = "{disk}"'))
    office.wait_for(1)
    (host,) = office.children()["host"]
    before = most(host)
    with open(disk / "20260411083016.mp4", "wb") as file:
        file.truncate(64 << 20)
    os.utime(disk / "20260411083016.mp4", (SEEN, SEEN))
    office.wait_for(2, 90)
    assert most(host) - before < 2048, (before, most(host))
