"""Device bytes on demand: an alarm, an error, a crash or a person, and what was said before is kept."""
import base64
import contextlib
import json
import os
import shutil
import signal
import struct
import subprocess
import time
import urllib.request

import pytest

import town
import updates

HERE = os.path.dirname(os.path.abspath(__file__))


def recorded(office, count=1, seconds=15):
    """The data of all capture.recorded, as soon as there are so many."""
    def look():
        told = office.command("events", "--json", "--type", "capture.recorded", expect=None).stdout
        return [json.loads(line)["data"] for line in told.splitlines()]
    town.wait_for(lambda: len(look()) >= count, seconds, f"{count} captures")
    return look()


def blob(office, sha256):
    return subprocess.run([town.OUTPOST, "blob", "get", sha256, "--state", office.state], check=True,
                          timeout=30, stdout=subprocess.PIPE).stdout


def packets(data):
    """(device, "in" or "out", bytes) of each, as pcapng's own rules say (and not our reader)."""
    at, names, found = 0, [], []
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        body = data[at + 8:at + length - 4]
        assert struct.unpack_from("<I", data, at + length - 4)[0] == length
        if kind == 1:
            assert struct.unpack_from("<H", body)[0] == 147
            size = struct.unpack_from("<H", body, 10)[0]
            names.append(body[12:12 + size].decode())
        elif kind == 6:
            device, _, _, size, _ = struct.unpack_from("<IIIII", body)
            rest = body[20 + (size + 3) // 4 * 4:]
            code, _, flags = struct.unpack_from("<HHI", rest)
            assert code == 2
            found.append((names[device], {1: "in", 2: "out"}[flags & 3], body[20:20 + size]))
        at += length
    return found


def start(tmp_path, station, started, **settings):
    office = started(town.Office(tmp_path / "office", plugins=station.plugin(
        poll='"100ms"', **settings)))
    town.wait_for(lambda: "started" in office.text(), 10, "the plugin to start")
    return office


def host_of(office):
    pid, = office.children()["host"]
    return pid


def check_modbus(found, station):
    """Requests out, answers in, and each answer of the transaction that was asked."""
    assert {name for name, _, _ in found} == {station.url.split("?")[0]}
    asked = [data for _, way, data in found if way == "out"]
    came = [data for _, way, data in found if way == "in"]
    assert len(asked) > 3 and abs(len(asked) - len(came)) <= 1
    assert {data[:2] for data in came} <= {data[:2] for data in asked}


def test_an_alarm_keeps_what_the_devices_said_before(tmp_path, station, started):
    office = start(tmp_path, station, started, record="true")
    time.sleep(1)
    station.do("strap", 3, open=True)
    told, = recorded(office)
    assert (told["instance"], told["plugin"], told["reason"]) == ("gate", "wristband", "alarm")
    data = blob(office, told["sha256"])
    assert len(data) == told["size"]
    found = packets(data)
    assert len(found) == told["pieces"]
    check_modbus(found, station)
    assert told["from"] <= told["until"]


def test_at_most_one_a_minute_and_the_rest_is_counted(tmp_path, station, started):
    office = start(tmp_path, station, started, record="true")
    for band in range(1, 5):
        station.do("strap", band, open=True)
        time.sleep(0.3)
    recorded(office)
    refused = office.command("capture", "gate", expect=1)
    assert "within the last minute" in refused.stderr
    assert len(recorded(office)) == 1


def test_nothing_is_recorded_unless_it_is_wished(tmp_path, station, started):
    office = start(tmp_path, station, started)
    station.do("strap", 3, open=True)
    assert "record = true" in office.command("capture", "gate", expect=1).stderr
    assert "nowhere" in office.command("capture", "nowhere", expect=1).stderr
    assert not office.command("events", "--json", "--type", "capture.recorded").stdout


def test_a_person_asks_for_some_seconds_and_is_named(tmp_path, station, started):
    office = start(tmp_path, station, started)
    assert "recorded for 2s" in office.command("capture", "gate", "--for", "2s").stdout
    told, = recorded(office)
    assert (told["reason"], told["who"], told["suppressed"]) == ("asked", "root", 0)
    check_modbus(packets(blob(office, told["sha256"])), station)
    time.sleep(1)  # and nothing more is recorded
    assert "within the last minute" in office.command("capture", "gate", expect=1).stderr


def test_a_process_that_dies_leaves_what_it_heard(tmp_path, station, started):
    office = start(tmp_path, station, started, record="true")
    time.sleep(1)
    os.kill(host_of(office), signal.SIGSEGV)
    told, = recorded(office)
    assert told["reason"] == "crash"
    check_modbus(packets(blob(office, told["sha256"])), station)


def freezers(office):
    """Those of its children that make a blob of a ring just now."""
    found = []
    for pid in office.children().get("host", []):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as words:
                found += [pid] if b"\0freeze\0" in words.read() else []
        except FileNotFoundError:
            pass
    return found


def freezing(office, seconds):
    """The first of them that waits; None when there is none."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for pid in freezers(office):
            with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/status", encoding="ascii") as status:
                if "\nState:\tT (stopped)\n" in status.read():
                    return pid
        time.sleep(0.01)
    return None


WAITS = """#!/bin/sh
# Before it freezes, it waits for somebody to look.
[ "$1" != freeze ] || kill -STOP $$
exec "$0.real" "$@"
"""


def start_with_slow_freezers(tmp_path, station, started):
    installed = updates.Installed(tmp_path / "installed")
    host = os.path.join(installed.folder, "libexec", "outpost", "host")
    os.rename(host, host + ".real")
    with open(host, "w", encoding="ascii") as script:
        script.write(WAITS)
    os.chmod(host, 0o755)
    office = town.Office(tmp_path / "office", plugins=station.plugin(poll='"100ms"', record="true"))
    office.argv = (installed.outpost, *office.argv[1:])
    started(office)
    town.wait_for(lambda: "started" in office.text(), 10, "the plugin to start")
    return office


def test_a_freezing_process_that_is_killed_leaves_nothing_half(tmp_path, station, started):
    """Neither an event without its blob nor a file that no event names."""
    office, caught = start_with_slow_freezers(tmp_path, station, started), 0
    for after_ms in range(0, 12, 2):
        office.command("capture", "gate", "--for", "200ms")
        pid = freezing(office, 2 if caught else 60)  # one that was too fast to be killed is the last for a minute
        if pid is None:
            break
        caught += 1
        os.kill(pid, signal.SIGCONT)
        time.sleep(after_ms / 1000)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        town.wait_for(lambda: not freezers(office), 5, "its end")
    assert caught > 0
    for told in recorded(office, 0):
        assert len(blob(office, told["sha256"])) == told["size"]
    town.wait_for(lambda: not os.listdir(os.path.join(office.state, "blobs", "new")), 10,
                  "what was not kept to go")
    assert office.runs()


def test_a_replay_answers_from_what_was_recorded(tmp_path, station, started):
    office = start(tmp_path, station, started)
    office.command("capture", "gate", "--for", "4s")
    time.sleep(1)
    station.do("strap", 5, open=True)
    told = recorded(office, 2)[1]  # the alarm keeps one too
    tape = tmp_path / "gate.pcapng"
    tape.write_bytes(blob(office, told["sha256"]))
    done = town.run(town.OUTPOST, "replay", "wristband", "gate", "--config", office.config,
                    "--journal", office.state, "--capture", str(tape), "--json", expect=None)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert said["identical"] and said["replay"]["unrecorded"] == []
    assert said["replay"]["emitted"] == said["reference"]["emitted"]
    assert said["replay"]["emitted"]["alarm"] == 1
    wrong = town.run(town.OUTPOST, "replay", "wristband", "gate", "--config", office.config,
                     "--journal", office.state, "--capture", office.config, expect=3)
    assert "no pcapng" in wrong.stderr


def test_who_pushes_is_recorded_without_its_login(tmp_path, started):
    installed = updates.Installed(tmp_path / "installed", ())
    shutil.copytree(os.path.join(HERE, "plugins", "porch"), os.path.dirname(installed.path("porch")))
    port = town.free_port()
    office = town.Office(tmp_path / "office", plugins='plugin "porch" "door" { url = '
                         f'"http://127.0.0.1:{port}", record = true }}\n')
    office.argv = (installed.outpost, *office.argv[1:])
    started(office)
    town.wait_for(lambda: town.listens(port), 10, "the plugin to listen")
    login = base64.b64encode(b"me:hunter22").decode()
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/a%20b?x=1%262", b"hello",
                                   {"Authorization": "Basic " + login, "X-One": "1"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert answer.read() == b"HELLO"
    assert "kept" in office.command("capture", "door").stdout
    told, = recorded(office)
    found = packets(blob(office, told["sha256"]))
    came = b"".join(data for name, way, data in found if way == "in")
    went = b"".join(data for name, way, data in found if way == "out")
    assert {name for name, _, _ in found} == {"http://127.0.0.1"}
    assert came.startswith(b"POST /a%20b?x=1%262 HTTP/1.1\r\n") and came.endswith(b"\r\n\r\nhello")
    assert b"X-One: 1\r\n" in came and b"Authorization:***" in came
    assert login.encode() not in came
    assert went == b"HTTP/1.1 201\r\nX-Heard: yes\r\nContent-Length: 5\r\n\r\nHELLO"


@pytest.mark.parametrize("time_text", ["", "5", "0s", "ten"])
def test_a_time_that_is_none_is_told(tmp_path, time_text):
    done = town.run(town.OUTPOST, "capture", "gate", "--for", time_text, "--state", str(tmp_path),
                    expect=2)
    assert "expected a time such as 10m" in done.stderr
