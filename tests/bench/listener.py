"""listener - hears at the broker what an office sends: when, which batch, how many bytes."""
import bisect
import collections
import os
import sqlite3
import subprocess
import time

import appliance  # noqa: F401  (sets the paths of the build)
import drain

# prev, last: as the batch names them; payload: as it came.
Batch = collections.namedtuple("Batch", "at lane prev last payload")
EVENT = b'"specversion"'
TOPICS = [word for lane in ("alarm", "record", "telemetry") for word in ("-t", f"outpost/+/+/up/{lane}")]


class Listener:
    """mosquitto_sub, which takes little of the processors that are measured. `batches()` are read when
    it is over; their times are those of the wall."""

    def __init__(self, broker, folder):
        self.path = os.path.join(folder, "heard")
        # What is retained comes as soon as it listens.
        subprocess.run(["mosquitto_pub", "-p", str(broker.port), "-t", "outpost/no/one/up/alarm", "-m", "ready",
                        "-q", "1", "-r"], check=True)
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(
                ["mosquitto_sub", "-V", "5", "-p", str(broker.port), "-i", "ear", "-q", "1", *TOPICS, "-F",
                 "%U\t%t\t%P\t%l\t%p"], stdout=out, stderr=subprocess.DEVNULL)
        try:
            drain.wait_for(lambda: os.path.getsize(self.path) > 0, 10, "the listener")
        except AssertionError:
            self.stop()
            raise
        self.silent = os.path.getsize(self.path)

    def size(self):
        """Bytes of what has been heard of batches."""
        return os.path.getsize(self.path) - self.silent

    def batches(self):
        found, at = [], 0
        with open(self.path, "rb") as file:
            heard = file.read()
        while at < len(heard):
            head = heard[at:at + 1000].split(b"\t", 4)
            at += sum(map(len, head[:4])) + len("\t" * 4)
            payload = heard[at:at + int(head[3])]
            at += len(payload) + len("\n")
            said = dict(user.split(":", 1) for user in head[2].decode().split())
            if "last" in said:
                found.append(Batch(float(head[0]), head[1].decode().rsplit("/", 1)[1], int(said["prev"]),
                                   int(said["last"]), payload))
        return found

    def stop(self):
        self.process.kill()
        self.process.wait()


def events_in(batches):
    """How many events the payloads hold, unpacked after the run."""
    count = sum(batch.payload.count(EVENT) for batch in batches if batch.payload[:1] == b"[")
    packed = b"".join(batch.payload for batch in batches if batch.payload[:1] != b"[")
    if packed:
        plain = subprocess.run(["zstd", "-dqc"], input=packed, stdout=subprocess.PIPE, check=True).stdout
        count += plain.count(EVENT)
    return count


def events_heard(seqs, batches):
    """Of one lane, whose sequences are given in order: how many came again, how many were never heard."""
    times = [0] * (len(seqs) + 1)
    for batch in batches:
        times[bisect.bisect_right(seqs, batch.prev)] += 1
        times[bisect.bisect_right(seqs, batch.last)] -= 1
    again = never = now = 0
    for change in times[:-1]:
        now += change
        again += max(0, now - 1)
        never += now == 0
    return again, never


def rows(city):
    """(log, seq, lane) of every event that the city has."""
    database = sqlite3.connect(f"file:{city.path}?mode=ro", uri=True, timeout=10)
    try:
        return database.execute("SELECT log, seq, lane FROM event").fetchall()
    finally:
        database.close()


def city_key(folder):
    """A verifier of a city that is not there."""
    path = os.path.join(folder, "nobody.key")
    subprocess.run([drain.CITY, "keygen", "--out", path], check=True, capture_output=True)
    return path + ".pub"
