"""Hostile plugins: whatever a plugin does, it harms itself.

Two kinds. What Lua can try runs beside four healthy plugins that poll a device of somebody else's making;
their rhythm is counted at the device, before the villain begins and while it is at it. What native code
can try runs inside the real host behind its boundary, and what it achieved is looked at from outside; each
such attack must succeed against a host without the boundary, or its failure would prove nothing.
"""
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

import pytest
import town
import villains

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "sim", "doubles"))
import modbus  # noqa: E402

pytestmark = pytest.mark.skipif(os.path.basename(town.BUILD).startswith("asan"),
                                reason="the sanitizer wants to be preloaded first")

HEALTHY, SECONDS, STRETCHES = 4, 3, 3
KB = 1024


# ---- Healthy neighbours

class Meter(modbus.TcpDevice):
    """A good device that notes when it is asked."""

    def __init__(self):
        self.asked_at = []
        super().__init__("good")

    def answer(self, line):
        super().answer(line)
        self.asked_at.append(time.monotonic())


def rhythm(meters, began, ended):
    """Polls a second of all meters together, and the 99th percentile of the time between two polls."""
    polls, gaps = 0, []
    for meter in meters:
        times = [at for at in list(meter.asked_at) if began <= at < ended]
        polls += len(times)
        gaps += [later - at for at, later in zip(times, times[1:])]
    return polls / (ended - began), statistics.quantiles(gaps, n=100)[98]


def own_kib(pid):
    """Its own memory: what it shares with others by files depends on who else runs."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return int(re.search(r"^Anonymous:\s+(\d+)", rollup.read(), re.M).group(1))


def lasting_kib(pid):
    """Without what it holds for a moment: a tile of the largest events, while it is sealed, has 12 MiB."""
    found = []
    for _ in range(5):
        found.append(own_kib(pid))
        time.sleep(0.2)
    return min(found)


def told_at(office, words):
    """When the log said so, in seconds: [at, ...]."""
    found = []
    for line in office.text().splitlines():
        if re.search(words, line):
            hour, minute, second = line[11:26].split(":")
            found.append(int(hour) * 3600 + int(minute) * 60 + float(second))
    return found


def pid_of(office, name):
    return next(child["pid"] for child in office.status()["children"] if child["name"] == name)


class Neighbours:
    """A villain among healthy plugins: `seconds` before it begins, and as long while it is at it. Their rhythm
    is compared when it `counts`: on a machine that does other things too it says nothing."""

    def __init__(self, tmp_path, started, seconds, counts):
        self.house = villains.House(tmp_path / "house")
        self.meters = [Meter() for _ in range(HEALTHY)]
        for i, meter in enumerate(self.meters):
            self.house.healthy(f"healthy{i}", meter.url)
        self.started, self.seconds, self.counts, self.work, self.lasts = started, seconds, counts, 0, 0

    def work_before(self):
        """An honest plugin's history comes first, so that the keeper's caches are full as after a day."""
        self.work, self.lasts = 12000, STRETCHES * self.seconds + 1
        self.house.add("worker", villains.WORK)

    def live(self, name):
        """Runs; the figures."""
        office = self.office = self.started(self.house.office())
        town.wait_for(lambda: len(told_at(office, "started$")) >= HEALTHY + 1, 15, "all to start")
        town.wait_for(lambda: office.status()["events"] >= self.work, 15, "the keeper to have worked", 0.1)
        pids = {f"healthy{i}": pid_of(office, f"healthy{i}") for i in range(HEALTHY)}
        time.sleep(0.5)
        began = time.monotonic()
        town.wait_for(lambda: re.search("(?<!worker): it begins", office.text()), self.seconds + 15, "the villain", 0.1)
        begun = time.monotonic()
        before_kib = lasting_kib(office.pid)
        if self.counts:
            self.compare(rhythm(self.meters, began, begun))
        else:
            time.sleep(self.seconds)
        peak_kib = own_kib(office.pid)
        if self.lasts:
            time.sleep(max(0, begun + self.lasts + 4 - time.monotonic()))  # it rests, and so does the keeper
        self.grown_kib = lasting_kib(office.pid) - before_kib
        self.same = all(pid_of(office, name) == pid for name, pid in pids.items())
        polls = f"polls {self.rate_ratio:.3f}, p99 {self.p99_more * 1000:+.1f} ms, " if self.counts else ""
        print(f"\n{name}: {polls}keeper {self.grown_kib:+} KiB (meanwhile {peak_kib - before_kib:+})", end="")
        return self

    def compare(self, usual):
        """With what is usual. What disturbs the machine for a moment is no villain's doing: the best of
        three stretches counts."""
        for _ in range(STRETCHES):
            began = time.monotonic()
            time.sleep(self.seconds)
            rate, p99 = rhythm(self.meters, began, time.monotonic())
            self.rate_ratio, self.p99_ratio, self.p99_more = rate / usual[0], usual[1] / p99, p99 - usual[1]
            if self.is_even():
                break

    def is_even(self):
        return self.rate_ratio >= 0.95 and (self.p99_ratio >= 0.95 or self.p99_more <= 0.010)

    def check(self):
        assert self.same, "a healthy plugin was started anew: " + self.office.text()[-3000:]
        assert not self.counts or self.is_even(), "the healthy ones lost their rhythm"
        assert self.grown_kib <= KB, "the keeper grew"

    def close(self):
        for meter in self.meters:
            meter.close()


@pytest.fixture
def neighbours(tmp_path, started, request):
    there, counts = [], request.node.get_closest_marker("slow") is not None

    def make(seconds=SECONDS):
        there.append(Neighbours(tmp_path, started, seconds, counts))
        return there[-1]
    yield make
    for one in there:
        one.close()


def restart_seconds(office, name):
    """From the deaths of the instance to its starts again: the first of them, which waits for nothing."""
    died = told_at(office, f"keeper: {name}: died")
    began = [at for at in told_at(office, f"{name} {name}: started") if at > died[0]]
    return began[0] - died[0]


QUICK = {"swallows_the_error_that_ends_it"}


def villain_cases():
    for name in villains.LUA:
        yield pytest.param(name, id=name, marks=[] if name in QUICK else [pytest.mark.slow])


@pytest.mark.parametrize("name", villain_cases())
def test_a_villain_harms_only_itself(name, neighbours):
    fate, words, lua, *need = villains.LUA[name]
    there = neighbours()
    if fate == villains.PACED:
        there.work_before()
    there.house.add(name, lua, SECONDS + 9 * (fate == villains.PACED), there.lasts, *need)
    there.live(name)
    office = there.office
    villain = next(child for child in office.status()["children"] if child["name"] == name)
    if words:
        assert re.search(re.escape(words), office.text()), office.text()[-3000:]
    if fate == villains.ENDED:
        assert villain["deaths"] >= 1
        took = restart_seconds(office, name)
        print(f", back after {took:.3f} s", end="")
        assert took <= 1 or not there.counts
        town.wait_for(lambda: "plugin.restarted" in office.command("events").stdout, 5, "the event")
    else:
        assert villain["deaths"] == 0, office.text()[-3000:]
        assert villain["state"] == "running"
    if fate == villains.PACED and words == "has to wait":
        assert villain["held_ms"] > 0
    there.check()
    assert len(office.text()) < 200 * KB, "the log was flooded"
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", office.text()), "a terminal would obey the log"


# ---- Dying: what the supervisor does

@pytest.mark.parametrize("order, exit_code, patience", [
    pytest.param("reads_from_nowhere", "signal 11", 5, id="a segfault"),
    pytest.param("ends_without_a_word", "exit 0", 5, id="an end", marks=pytest.mark.slow),
    pytest.param("runs_a_shell /nowhere/x", "signal 31", 5, id="an attack", marks=pytest.mark.slow),
    pytest.param("says_nonsense", "exit 75|signal 9", 8, id="nonsense", marks=pytest.mark.slow),
    pytest.param("hangs_up", "exit 75|signal 9", 8, id="a hang-up", marks=pytest.mark.slow),
    pytest.param("spins_deaf", "signal 9", 30, id="a host that hangs", marks=pytest.mark.slow),
])
def test_who_dies_is_back_within_a_second_and_nobody_else_notices(order, exit_code, patience, neighbours):
    there = neighbours()
    there.house.attack("villain", order, SECONDS)
    there.live(order)
    office = there.office
    town.wait_for(lambda: re.search(f"villain: died \\(({exit_code})\\)", office.text()), patience,
                  exit_code, 0.1)
    town.wait_for(lambda: len(told_at(office, "villain villain: started")) >= 2, 5, "its return")
    took = restart_seconds(office, "villain")
    print(f", back after {took:.3f} s", end="")
    asked_for_it = "died (exit 75)" in office.text()  # and is given a second first
    assert took <= 1 + asked_for_it or not there.counts
    town.wait_for(lambda: "plugin.restarted" in office.command("events").stdout, 5, "the event")
    there.check()


@pytest.mark.slow
def test_who_dies_again_and_again_is_quarantined(neighbours):
    there = neighbours(20)
    there.house.attack("villain", "reads_from_nowhere", 20)
    there.live("dies again and again")
    state = next(c for c in there.office.status()["children"] if c["name"] == "villain")
    assert (state["state"], state["deaths"]) == ("quarantined", 5)
    assert "plugin.quarantined" in there.office.command("events").stdout
    there.check()


@pytest.mark.slow
def test_native_code_that_floods_the_keeper_is_held_back(neighbours):
    there = neighbours()
    there.work_before()
    there.house.attack("villain", f"floods_the_keeper {there.lasts}", 15)
    there.live("floods the keeper")
    assert "villain: says more than 2000 messages" in there.office.text()
    there.check()


@pytest.mark.slow
def test_native_code_that_floods_the_log_is_not_heard_any_more(neighbours):
    there = neighbours()
    there.house.attack("villain", f"floods_the_log {3 * SECONDS}", SECONDS)
    there.live("floods the log")
    text = there.office.text()
    assert "villain villain: says more than 20 lines a second" in text or "were left out" in text
    assert not re.search("^[^ ]*Z error keeper: noise", text, re.M), "it has spoken in the keeper's name"
    there.check()
    assert len(text) < 200 * KB


# Its error output is not the log but the socket or pipe that whoever collects the log has made.
COLLECTED = """import os, socket, sys
ours, its = socket.socketpair() if sys.argv[1] == "socket" else map(os.fdopen, os.pipe(), "rw")
if os.fork() == 0:
    its.close()
    while True:
        said = os.read(ours.fileno(), 65536)
        os.write(2, said) if said else os._exit(0)
os.dup2(its.fileno(), 2)
os.execvp(sys.argv[2], sys.argv[2:])"""


@pytest.mark.slow
@pytest.mark.parametrize("order, through", [
    ("shuts_the_log", ["/usr/bin/python3", "-c", COLLECTED, "socket"]),
    ("reads_the_log 10", ["/usr/bin/python3", "-c", COLLECTED, "pipe"]),
    ("rewinds_the_log", []),
], ids=["shut", "read", "rewound"])
def test_native_code_cannot_take_the_log_from_others(order, through, tmp_path, started):
    house = villains.House(tmp_path / "house")
    house.attack("villain", order)
    house.add("neighbour", "")
    office = house.office()
    office.argv = (*through, *office.argv)
    started(office)
    town.wait_for(lambda: len(told_at(office, "(villain|neighbour): started$")) == 2 or
                  order.startswith("reads") and told_at(office, "neighbour: started$"), 15, "the attack")
    time.sleep(2)
    before = office.text()
    for died in range(1, 4):
        town.wait_for(lambda: pid_of(office, "neighbour") > 0, 15, "the neighbour")
        os.kill(pid_of(office, "neighbour"), signal.SIGKILL)
        town.wait_for(lambda n=died: office.text().count("keeper: neighbour: died") >= n, 15, "the keeper's word")
    town.wait_for(lambda: "attacked " + order.split()[0] in office.text(), 20, "the end of the attack")
    assert office.text().startswith(before), "what was said is not there any more"


# ---- Escapes

class World:
    """What attacks are after, and how it is seen from outside whether they got it."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.victim = subprocess.Popen(
            ["/usr/bin/python3", "-c", "import ctypes, time\nb = ctypes.create_string_buffer(b'mine..')\n"
             "print(ctypes.addressof(b), flush=True)\ntime.sleep(600)"], stdout=subprocess.PIPE, text=True)
        self.place = int(self.victim.stdout.readline())
        self.victims = [subprocess.Popen(["sleep", "600"]) for _ in range(4)]
        self.listening = [self.listen(socket.AF_INET, ("127.0.0.1", 0)) for _ in range(2)]
        self.local = self.listen(socket.AF_UNIX, str(folder / "local"))
        self.udp = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for one in self.udp:
            one.bind(("127.0.0.1", 0))
            one.setblocking(False)
        self.free = town.free_port()
        self.shared = f"/outpost-{os.getpid()}-{folder.parent.name}"
        for name in ("changed", "removed", "opened", "secret"):
            (folder / name).write_text("treasure-5521\n", encoding="ascii")
            (folder / name).chmod(0o600)
        (folder / "mounted").mkdir()
        self.office = None

    @staticmethod
    def listen(family, address):
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.bind(address)
        listening.listen(5)
        listening.setblocking(False)
        return listening

    def path(self, name):
        return str(self.folder / name)

    def close(self):
        for process in (self.victim, *self.victims):
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        for one in (*self.listening, self.local, *self.udp):
            one.close()
        if os.path.ismount(self.path("mounted")):
            town.run("umount", self.path("mounted"))
        if os.path.exists("/dev/shm" + self.shared):
            os.unlink("/dev/shm" + self.shared)

    # Whether an attack succeeded.

    def there_is(self, name):
        return os.path.lexists(self.path(name))

    def has_changed(self, name):
        return not self.there_is(name) or open(self.path(name), encoding="ascii").read() != "treasure-5521\n"

    @staticmethod
    def was_reached(listening):
        try:
            listening.accept()[0].close()
            return True
        except BlockingIOError:
            return False

    @staticmethod
    def has_heard(udp):
        try:
            return b"stolen" in udp.recv(100)
        except BlockingIOError:
            return False

    def memory(self):
        with open(f"/proc/{self.victim.pid}/mem", "rb") as memory:
            memory.seek(self.place)
            return memory.read(6)

    def traced(self):
        with open(f"/proc/{self.victims[0].pid}/status", encoding="ascii") as status:
            return "TracerPid:\t0\n" not in status.read()

    def limited(self):
        with open(f"/proc/{self.victims[3].pid}/limits", encoding="ascii") as limits:
            return bool(re.search(r"Max open files\s+7 ", limits.read()))

    def host_of(self, name):
        return pid_of(self.office, name)

    def peak_kib(self, name):
        """0 of a host that has just ended."""
        try:
            with open(f"/proc/{self.host_of(name)}/status", encoding="ascii") as status:
                found = re.search(r"VmHWM:\s+(\d+)", status.read())
                return int(found.group(1)) if found else 0
        except (FileNotFoundError, ProcessLookupError):
            return 0

    def listens_somewhere(self):
        said = re.search(r"listens at (\d+)", self.office.text())
        return bool(said) and town.listens(int(said.group(1)))

    def open_files(self, name):
        """0 of a host that has just ended."""
        try:
            return len(os.listdir(f"/proc/{self.host_of(name)}/fd"))
        except (FileNotFoundError, ProcessLookupError):
            return 0


# name: (argument, whether it succeeded)
ESCAPES = {
    "makes_a_file": (lambda w: w.path("made"), lambda w: w.there_is("made")),
    "changes_a_file": (lambda w: w.path("changed"), lambda w: w.has_changed("changed")),
    "reads_a_file": (lambda w: w.path("secret"), lambda w: "treasure-5521" in w.office.text()),
    "removes_a_file": (lambda w: w.path("removed"), lambda w: not w.there_is("removed")),
    "links_a_file": (lambda w: w.path("linked"), lambda w: w.there_is("linked")),
    "opens_a_file_to_all": (lambda w: w.path("opened"),
                            lambda w: os.stat(w.path("opened")).st_mode & 0o77 != 0),
    "makes_shared_memory": (lambda w: w.shared, lambda w: os.path.exists("/dev/shm" + w.shared)),
    "mounts_over_a_folder": (lambda w: w.path("mounted"), lambda w: os.path.ismount(w.path("mounted"))),
    "forks": (lambda w: w.path("forked"), lambda w: w.there_is("forked")),
    "runs_a_shell": (lambda w: w.path("run"), lambda w: w.there_is("run")),
    "runs_a_child_shell": (lambda w: w.path("child"), lambda w: w.there_is("child")),
    "runs_from_memory": (lambda w: w.path("memory"), lambda w: w.there_is("memory")),
    "traces": (lambda w: w.victims[0].pid, World.traced),
    "kills": (lambda w: w.victims[1].pid, lambda w: w.victims[1].poll() is not None),
    "kills_by_handle": (lambda w: w.victims[2].pid, lambda w: w.victims[2].poll() is not None),
    "limits": (lambda w: w.victims[3].pid, World.limited),
    "writes_foreign_memory": (lambda w: f"{w.victim.pid} {w.place}", lambda w: w.memory() == b"stolen"),
    "writes_memory_as_a_file": (lambda w: f"{w.victim.pid} {w.place}", lambda w: w.memory() == b"stolen"),
    "connects": (lambda w: w.listening[0].getsockname()[1], lambda w: w.was_reached(w.listening[0])),
    "connects_by_its_first_bytes": (lambda w: w.listening[1].getsockname()[1],
                                    lambda w: w.was_reached(w.listening[1])),
    "listens": (lambda w: w.free, lambda w: town.listens(w.free)),
    "sends_a_datagram": (lambda w: w.udp[0].getsockname()[1], lambda w: w.has_heard(w.udp[0])),
    "sends_raw": (lambda w: w.udp[1].getsockname()[1], lambda w: w.has_heard(w.udp[1])),
    "connects_to_a_local_program": (lambda w: w.path("local"), lambda w: w.was_reached(w.local)),
    "takes_a_gigabyte": (lambda w: "x", lambda w: w.peak_kib("takes_a_gigabyte") > 512 * KB),
    "shares_a_gigabyte": (lambda w: "x", lambda w: w.peak_kib("shares_a_gigabyte") > 512 * KB),
    "takes_a_gigabyte_of_stack": (lambda w: "x", lambda w: w.peak_kib("takes_a_gigabyte_of_stack") > 512 * KB),
    "makes_its_stack_a_gigabyte": (lambda w: "x", lambda w: w.peak_kib("makes_its_stack_a_gigabyte") > 512 * KB),
    "listens_anywhere": (lambda w: "x", World.listens_somewhere),
    "opens_without_end": (lambda w: "x", lambda w: w.open_files("opens_without_end") > 200),
    "forges_an_alarm": (lambda w: "x", lambda w: "journal.damaged" in w.office.command("events").stdout),
}
ROOT_ONLY = {"mounts_over_a_folder", "sends_raw"}
KEEPERS_OWN = {"forges_an_alarm"}  # what stops this is the keeper, boundary or not
TOGETHER = {"writes_foreign_memory": "writes_memory_as_a_file"}  # they share a victim


def attempt(tmp_path, started, names, at_least=None):
    """{name: whether it succeeded} of attacks that run at the same time, each in a host of its own, how many
    seconds they had, and what the office said. Hosts without the boundary are given until every attack has
    succeeded that can, however busy the machine; those behind it `at_least` so many seconds."""
    kind = "open" if at_least is None else "confined"
    world = World(tmp_path / (kind + "-world"))
    succeeded = dict.fromkeys(names, False)

    def look():
        for name in names:
            succeeded[name] = succeeded[name] or bool(ESCAPES[name][1](world))
        return all(succeeded[name] for name in names if name not in KEEPERS_OWN)

    try:
        house = villains.House(tmp_path / kind, confined=at_least is not None)
        for name in names:
            house.attack(name, f"{name} {ESCAPES[name][0](world)}")
        world.office = started(house.office())
        for name in names:
            town.wait_for(lambda n=name: f"attack {n} " in world.office.text(), 20, f"the attack {name}", 0.1)
        began = time.monotonic()
        end = began + (at_least or 20 * town.PATIENCE)
        while time.monotonic() < end and not look():
            time.sleep(0.2)
        look()
        return succeeded, time.monotonic() - began, world.office.text()
    finally:
        if world.office is not None:
            world.office.stop()
        world.close()


def waves():
    """All escapes, those apart that share a victim."""
    mine = [n for n in ESCAPES if os.geteuid() == 0 or n not in ROOT_ONLY]
    return [n for n in mine if n not in TOGETHER.values()], [n for n in mine if n in TOGETHER.values()]


@pytest.mark.parametrize("wave", [0, 1], ids=["all at once", "and again"])
def test_no_escape_succeeds_that_would_without_the_boundary(wave, tmp_path, started):
    names = waves()[wave]
    without, seconds, _ = attempt(tmp_path, started, names)
    void = [name for name in names if not without[name] and name not in KEEPERS_OWN]
    assert not void, f"these attacks do not even succeed without a boundary: {void}"
    behind, _, text = attempt(tmp_path, started, names, at_least=2 + 2 * seconds)
    print(f"\n{len(names)} attacks: {sum(without.values())} succeed without the boundary, "
          f"{sum(behind.values())} behind it", end="")
    assert not any(behind.values()), ([name for name in names if behind[name]], text[-3000:])
