"""The systemd unit: how exposed it is, and that it shuts nothing that an office needs.

Nothing here needs a running systemd: the unit is read by systemd-analyze, and what an office asks of the
kernel is counted by strace and compared with what the unit allows.
"""
import os
import re
import signal
import subprocess

import pytest

import town

UNITS = os.path.join(town.ROOT, "etc", "systemd")
# The highest that systemd-analyze may say, with these drop-ins; etc/README.md has the reasons.
MOST = {(): 1.5, ("addresses.conf",): 1.4, ("serial.conf",): 1.8, ("tls-key.conf",): 1.5,
        ("people.conf",): 1.7,
        ("addresses.conf", "serial.conf", "tls-key.conf"): 1.7}


@pytest.fixture
def installed(tmp_path):
    """The unit as make install puts it, alone in a folder."""
    subprocess.run(["make", "-s", "-C", town.ROOT, "install-service", f"DESTDIR={tmp_path}",
                    "PREFIX=/usr"], check=True)
    return tmp_path / "usr" / "lib" / "systemd" / "system" / "outpost.service"


def analyze(*words, expect=0):
    return town.run("systemd-analyze", "--no-pager", *map(str, words), expect=expect,
                    env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning", "LC_ALL": "C.UTF-8"})


def settings(unit):
    found = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", unit.read_text(encoding="ascii"), re.M):
        found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("dropins", MOST, ids=lambda names: "+".join(names) or "alone")
def test_the_exposure_is_what_the_readme_says(installed, dropins):
    folder = installed.parent / "outpost.service.d"
    folder.mkdir()
    for name in dropins:
        with open(os.path.join(UNITS, name), encoding="ascii") as text:
            (folder / name).write_text(text.read(), encoding="ascii")
    said = analyze("security", "--offline=true", installed).stdout
    level = re.search(r"Overall exposure level for outpost.service: ([0-9.]+)", said)
    assert level, said
    assert float(level.group(1)) <= MOST[dropins], said
    with open(os.path.join(town.ROOT, "etc", "README.md"), encoding="utf-8") as readme:
        words = " and ".join(f"`{name}`" for name in dropins[:2]) if len(dropins) < 3 else "the first three"
        assert f"| {words or 'alone'} | {level.group(1)} |" in readme.read()


def test_the_unit_is_understood_without_a_complaint(installed):
    text = installed.read_text(encoding="ascii")
    assert "@" not in re.sub(r"@[a-z-]+", "", text) and "/usr/bin/outpost run" in text
    installed.write_text(text.replace("/usr/bin/outpost", town.OUTPOST), encoding="ascii")
    done = analyze("verify", installed, "--man=no", expect=None)
    complaints = [line for line in done.stderr.splitlines() if "outpost" in line]
    assert not complaints and done.returncode == 0, done.stderr


def allowed(unit):
    """The names that SystemCallFilter leaves, sets expanded as systemd does."""
    sets = {}
    for line in analyze("syscall-filter").stdout.splitlines():
        if line.startswith("@"):
            inside = sets.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.strip().startswith("#"):
            inside.append(line.strip())

    def expand(word):
        return set().union(*map(expand, sets[word])) if word.startswith("@") else {word}
    names = expand("@default")
    for line in settings(unit)["SystemCallFilter"]:
        words = set().union(*map(expand, line.lstrip("~").split()))
        names = names - words if line.startswith("~") else names | words
    return names


def test_no_call_that_an_office_makes_is_shut(installed, tmp_path, broker, city, station, started):
    trace = tmp_path / "trace"
    office = town.Office(tmp_path / "office", city, broker, station.plugin(poll='"100ms"'))
    office.argv = ("strace", "-f", "-qq", "-e", "signal=none", "-o", str(trace), *office.argv)
    started(office)
    city.wait_for("wristband.seen", 12, seconds=60)
    station.do("strap", 3, open=True)
    city.wait_for("wristband.strap_opened")
    office.command("status")
    keeper, = (pid for pids in office.children().values() for pid in pids)
    os.kill(keeper, signal.SIGTERM)
    assert office.process.wait(30) == 0
    text = trace.read_text(encoding="utf-8", errors="replace")
    made = set(re.findall(r"^\d+ +(\w+)\(", text, re.M))
    assert not re.search(r"(mmap|mprotect)\(.*PROT_WRITE\|PROT_EXEC", text)
    families = set(re.findall(r"socket\((AF_\w+)", text))
    # Who looks for an address asks NETLINK for ours first, and does without.
    assert families - {"AF_NETLINK"} <= set(*map(str.split, settings(installed)["RestrictAddressFamilies"]))
    assert {"openat", "seccomp", "clock_adjtime", "capset"} <= made
    if os.geteuid() == 0:
        made.discard("fchown")  # SQLite keeps the owner of its files, but only as root
    shut = made - allowed(installed)
    assert not shut, f"the unit shuts {sorted(shut)}"
