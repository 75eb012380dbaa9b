"""appliance - a keeper whose hosts are tests/bench/load: the journal under load, without devices."""
import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

BUILD = os.environ.get("OUTPOST_BUILD", os.path.abspath("build/release"))
BENCH = os.path.join(BUILD, "tests", "bench")
LIBRARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lua")
OUTPOST = os.path.join(BUILD, "bin", "outpost")
SLOWDISK = os.path.join(BENCH, "slowdisk")
UNLIMITED = {"messages": 1000000, "bytes": 1 << 30}  # what a host may say a second


def scratch():
    """A folder on the disk that is measured: beside the build, not in a tmpfs."""
    os.makedirs(os.path.join(BUILD, "scratch"), exist_ok=True)
    return tempfile.mkdtemp(dir=os.path.join(BUILD, "scratch"))


def slow(folder, sync_us=0):
    """The environment of a program whose syncs are counted, and slow when asked."""
    return dict(os.environ, LD_PRELOAD=SLOWDISK, SYNC_US=str(sync_us),
                BENCH_SYNCS=os.path.join(folder, "syncs"),
                BENCH_SYNCS_CHILD=os.path.join(folder, "syncs-child"))


def syncs(folder, name="syncs"):
    with open(os.path.join(folder, name), "rb") as counters:
        return int.from_bytes(counters.read(8), "little")


def limit(kind, batch, seconds, sync_us=0):
    """Runs tests/bench/limit; its figures, with the syncs it made."""
    folder = scratch()
    try:
        done = subprocess.run([os.path.join(BENCH, "limit"), kind, str(batch), str(seconds),
                               os.path.join(folder, "limit.db")], env=slow(folder, sync_us),
                              check=True, capture_output=True, text=True)
        return dict(json.loads(done.stdout), syncs=syncs(folder))
    finally:
        shutil.rmtree(folder)


def cpu_ns(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as stat:
        return int(stat.read().split()[0])


def cpu_seconds(pid):
    """Of the process, and of its errands that have ended."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    tick = os.sysconf("SC_CLK_TCK")
    return sum(map(int, fields[11:13])) / tick, sum(map(int, fields[13:15])) / tick


def written_bytes(pid):
    with open(f"/proc/{pid}/io", encoding="ascii") as io:
        return int([line for line in io if line.startswith("write_bytes")][0].split()[1])


PREPARED = {}


def start(folder, config, env):
    """A keeper with that configuration, on folder/state."""
    libexec = os.path.join(folder, "libexec")
    with open(os.path.join(folder, "config"), "w", encoding="ascii") as out:
        json.dump(config, out)
    with open(os.path.join(folder, "config"), "rb") as file:
        return subprocess.Popen(
            [os.path.join(libexec, "keeper"), "--state", os.path.join(folder, "state"), "--libexec",
             libexec, "--config-fd", str(file.fileno())], env=env, pass_fds=[file.fileno()],
            stderr=subprocess.DEVNULL)


def link_libexec(folder, host=os.path.join(BENCH, "load")):
    libexec = os.path.join(folder, "libexec")
    os.makedirs(libexec)
    os.symlink(os.path.join(BUILD, "libexec/outpost/keeper"), os.path.join(libexec, "keeper"))
    os.symlink(host, os.path.join(libexec, "host"))


def storage_of(state):
    done = subprocess.run([OUTPOST, "status", "--json", "--state", state], check=False,
                          capture_output=True, text=True)
    return json.loads(done.stdout)["storage"] if done.returncode == 0 else None


def run_until(folder, suite, is_ready):
    """Runs a keeper without plugins until its storage is_ready(); CPU seconds that it took."""
    process = start(folder, {"office": {"id": "bench", "suite": suite}, "lua": "", "plugins": []},
                    os.environ)
    while not is_ready(storage_of(os.path.join(folder, "state"))):
        assert process.poll() is None
        time.sleep(0.1)
    spent = cpu_seconds(process.pid)[0]
    process.terminate()
    process.wait(60)
    return spent


def prepared(suite):
    """An empty journal whose reserve is whole, and the CPU of a start on it: that the one is made
    once, in a minute, and that the other reads it, is no load."""
    if suite not in PREPARED:
        folder = scratch()
        link_libexec(folder)
        run_until(folder, suite, lambda storage: storage and storage["reserve"]["is_whole"])
        PREPARED[suite] = (os.path.join(folder, "state"),
                           run_until(folder, suite, lambda storage: storage))
        atexit.register(shutil.rmtree, folder, True)
    return PREPARED[suite]


class Appliance:
    """Runs `plugins` loads for LOAD_SECONDS and collects what they and the keeper have to say; or, in the
    host itself, a list of plugins."""

    def __init__(self, plugins=8, suite="sha256+ed25519", sync_us=0, **load):
        self.folder = scratch()
        self.result = os.path.join(self.folder, "result")
        self.plugins = plugins
        events = {"bench.reading": "telemetry", "bench.alarm": "alarm"}
        if isinstance(plugins, list):
            link_libexec(self.folder, os.path.join(BUILD, "libexec/outpost/host"))
        else:
            link_libexec(self.folder)
            plugins = [{"plugin": "load", "instance": f"load{i}", "events": events} for i in range(plugins)]
        whole, self.start_cpu_s = prepared(suite)
        shutil.copytree(whole, self.state())
        config = {"office": {"id": "bench", "suite": suite}, "lua": LIBRARY, "limits": UNLIMITED,
                  "plugins": plugins}
        env = dict(slow(self.folder, sync_us), LOAD_RESULT=self.result,
                   **{"LOAD_" + key.upper(): str(value) for key, value in load.items()})
        self.process = start(self.folder, config, env)

    def state(self):
        return os.path.join(self.folder, "state")

    def status(self):
        done = subprocess.run([OUTPOST, "status", "--json", "--state", self.state()], check=False,
                              capture_output=True, text=True)
        return json.loads(done.stdout or "{}")  # nothing answers yet

    def results(self, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if os.path.exists(self.result):
                with open(self.result, encoding="ascii") as lines:
                    found = [json.loads(line) for line in lines if line.endswith("\n")]
                if len(found) >= self.plugins:
                    return found
            time.sleep(0.02)
        raise TimeoutError("the loads did not report")

    def measure(self):
        """The figures of one run; the appliance is gone afterwards."""
        try:
            found = self.results()
            status = self.status()
            cpu_s, errands_s = cpu_seconds(self.process.pid)
            cpu_s -= self.start_cpu_s
            figures = {
                "events": sum(r["events"] for r in found),
                "failed": sum(r["failed"] for r in found),
                "seconds": max(r["seconds"] for r in found),
                "p50_us": max(r["p50_us"] for r in found),
                "p99_us": max(r["p99_us"] for r in found),
                "max_us": max(r["max_us"] for r in found),
                "cpu_s": cpu_s,
                "cpu_errands_s": errands_s,
                "written": written_bytes(self.process.pid),
                "groups": status["commits"],
                "syncs": syncs(self.folder),
                "syncs_errands": syncs(self.folder, "syncs-child"),
            }
            figures["rate"] = figures["events"] / figures["seconds"]
            return figures
        finally:
            self.stop()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        shutil.rmtree(self.folder)


def ingest(**how):
    return Appliance(**how).measure()
