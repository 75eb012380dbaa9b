"""faketime - programs under another clock: libfaketime, steered by a file while they run.

Only the wall clock is faked (DONT_FAKE_MONOTONIC): a monotonic clock that goes back would stop every
timer, which no real one does.
"""
import atexit
import contextlib
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
LIBRARY = "/usr/lib/{}/faketime/libfaketime.so.1"


def library():
    machine = subprocess.run(["gcc", "-print-multiarch"], check=True, capture_output=True, text=True)
    return LIBRARY.format(machine.stdout.strip())


def sweep():
    """Removes what the library leaves in shared memory of processes that were killed."""
    for name in os.listdir("/dev/shm"):
        pid = re.fullmatch(r"(?:faketime_shm|sem\.faketime_sem)_(\d+)", name)
        if pid and not os.path.exists("/proc/" + pid[1]):
            with contextlib.suppress(OSError):  # another user's
                os.unlink("/dev/shm/" + name)


atexit.register(sweep)


class Clock:
    """What the programs with its environment think that it is: say("+1d"), say("@1970-01-02 00:00:00").

    A clock that starts at "@..." goes on from there; "+3d" and "-2000d" are against the real one.
    `synced` is what the kernel is said to think of it (adjtimex)."""

    def __init__(self, folder, said="+0"):
        os.makedirs(str(folder), exist_ok=True)
        self.file = os.path.join(str(folder), "faketime")
        self.synced_file = os.path.join(str(folder), "faketime.synced")
        self.say(said)
        shim = os.path.join(str(folder), "adjtimex.so")
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-O1", "-o", shim, os.path.join(HERE, "adjtimex.c")],
                       check=True)
        self.environment = {
            **os.environ, "LD_PRELOAD": f"{shim} {library()}", "FAKETIME_TIMESTAMP_FILE": self.file,
            "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1", "TZ": "UTC",
            "CLOCK_IS_SYNCED": self.synced_file,
            # the sanitizer wants to be the first library; it need not be
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def say(self, text):
        with open(self.file + ".new", "w", encoding="ascii") as out:
            out.write(text + "\n")
        os.rename(self.file + ".new", self.file)

    def sync(self, synced=True):
        if synced:
            with open(self.synced_file, "w", encoding="ascii"):
                pass
        elif os.path.exists(self.synced_file):
            os.unlink(self.synced_file)
