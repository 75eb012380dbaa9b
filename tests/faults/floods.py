"""floods - a keeper whose only host is tests/bench/flood: a long history, without devices.

What is in the journal is counted from its files: the bundles as zstd frames, the tail as rows.
"""
import collections
import json
import os
import re
import sqlite3
import subprocess

import town

FLOOD = os.path.join(town.BUILD, "tests", "bench", "flood")
KEEPER = os.path.join(town.BUILD, "libexec", "outpost", "keeper")
TYPE = re.compile(rb'"type":"([a-z._]+)","time"')
EVENTS = {"flood.alarm": "alarm", "flood.record": "record", "flood.reading": "telemetry"}
MB = 1 << 20


class Keeper(town.Program):
    """The real keeper on the state folder `state`; `flood` are settings of the host."""

    def __init__(self, folder, state, quota_mb, reserve_mb, **flood):
        self.state, self.result = str(state), os.path.join(str(folder), "result.json")
        libexec = os.path.join(str(folder), "libexec")
        os.makedirs(libexec, exist_ok=True)
        for name, program in (("keeper", KEEPER), ("host", FLOOD)):
            if not os.path.lexists(os.path.join(libexec, name)):
                os.symlink(program, os.path.join(libexec, name))
        self.config = os.path.join(str(folder), "config.json")
        with open(self.config, "w", encoding="ascii") as out:
            json.dump({"office": {"id": "flood"}, "lua": "",
                       "storage": {"quota": quota_mb * MB, "reserve": reserve_mb * MB},
                       "limits": {"messages": 1000000, "bytes": 1 << 30},
                       "plugins": [{"plugin": "flood", "instance": "flood", "events": EVENTS}]}, out)
        self.env = dict(os.environ, FLOOD_RESULT=self.result,
                        **{"FLOOD_" + name.upper(): str(value) for name, value in flood.items()})
        super().__init__(folder, "keeper", os.path.join(libexec, "keeper"), "--state", self.state,
                         "--libexec", libexec, "--config-fd")

    def start(self):
        with open(self.config, "rb") as config, open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.argv, str(config.fileno())], env=self.env,
                                            pass_fds=[config.fileno()], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        return self

    def told(self):
        """What the host says was acknowledged; nothing at the very beginning."""
        try:
            with open(self.result, encoding="ascii") as result:
                return json.load(result)
        except FileNotFoundError:
            return {"alarm": 0, "record": 0, "telemetry": 0, "refused": 0, "done": False}

    def status(self):
        return json.loads(town.run(town.OUTPOST, "status", "--json", "--state", self.state,
                                   expect=None).stdout or "{}")

    def storage(self):
        return self.status().get("storage", {})


def disk_bytes(folder):
    """What du says: allocated blocks of every file and folder."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in (".", *names):
            try:
                total += os.lstat(os.path.join(path, name)).st_blocks * 512
            except FileNotFoundError:
                pass  # a file half written has been put in its place meanwhile
    return total


def bundles(journal, sealed):
    """The bundles of sealed tiles; the next may be written already while its events are in the tail."""
    above = os.path.join(journal, "tile", "entries")
    for path, _, names in os.walk(above):
        for name in names:
            index = re.sub("[x/]", "", os.path.relpath(os.path.join(path, name), above))
            if int(index) < sealed // 256:
                yield os.path.join(path, name)


def texts(journal):
    """The events of a stopped journal, as bytes with many in each."""
    database = sqlite3.connect(f"file:{journal}/tail.db?immutable=1", uri=True)
    (sealed,), = database.execute("SELECT size FROM sealed")
    yield b"".join(body for body, in database.execute("SELECT body FROM event"))
    database.close()
    files = sorted(bundles(journal, sealed))
    for at in range(0, len(files), 500):
        yield subprocess.run(["zstd", "-dcq", *files[at:at + 500]], check=True, capture_output=True).stdout


def count(journal):
    """How many events of each type the files hold."""
    found = collections.Counter()
    for text in texts(journal):
        found.update(kind.decode() for kind in TYPE.findall(text))
    return found
