"""tall - a journal and a city's database that begin at a great number, as if all before had been.

The office and the city make their own empty databases, which are then changed by SQL: so the schema is the
product's. What was "before" is made up, but adds up: hash tiles along the right edge of the tree, its edge,
the last sealed tile's row, the marks of the lanes. The events from there on are real.
"""
import hashlib
import json
import os
import shutil
import sqlite3

TILE = 256
LANES = ["alarm", "record", "telemetry"]


def leaf(body):
    return hashlib.sha256(b"\0" + body).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def fold(hashes):
    while len(hashes) > 1:
        hashes = [node(*hashes[i:i + 2]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def tile_path(level, index):
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03d}")
    return os.path.join("tile", str(level), *groups)


def random_hashes(count, *seed):
    """The same for the same seed."""
    return [hashlib.sha256(repr((seed, i)).encode()).digest() for i in range(count)]


def grow(folder, size):
    """Writes the full hash tiles along the edge of a tree of `size`, a multiple of 256; its edge."""
    edge = []  # from below
    left = size // TILE  # hashes of the level
    level = 1
    while left > 0:
        width, first = left % TILE, left - left % TILE
        hashes = []
        for i in range(first, left):
            below = random_hashes(TILE, size, level - 1, i)
            path = os.path.join(folder, tile_path(level - 1, i))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(b"".join(below))
            hashes.append(fold(below))
        for bit in range(8):
            if width >> bit & 1:
                start = width & ~((2 << bit) - 1)
                edge.append(fold(hashes[start:start + (1 << bit)]))
        left //= TILE
        level += 1
    return b"".join(reversed(edge))


def compose(office, log, seq, lane):
    """An event as the keeper composes it."""
    return json.dumps({
        "specversion": "1.0", "id": f"{office}/{log}/{seq}", "source": f"/{office}/filler/made",
        "type": "filler.made", "time": "2026-11-21T03:04:05.123456Z", "subject": "office",
        "datacontenttype": "application/json", "office": office, "log": log,
        "sequence": f"{seq:016d}", "lane": lane, "recorded": "2026-11-21T03:04:05.200113Z",
        "boot": "b", "mono": "1", "clock": "synced", "salt": "00", "data": {}},
        separators=(",", ":")).encode()


class Past:
    """What is said to have been: `size` events, of which the last three are of a lane each."""

    def __init__(self, start):
        self.start = start  # the number that the office's next event gets
        self.size = start - start % TILE
        self.marks = {lane: self.size - 3 + i for i, lane in enumerate(LANES)}
        self.log = self.edge = None


def put_journal(state, past, cursor=None):
    """Rewrites the journal of a stopped office. `cursor` is (instance, name) of one that has consumed all."""
    folder = os.path.join(state, "journal")
    for name in ("checkpoint", "closed", "receipt", "tail.db-reserve"):
        if os.path.exists(os.path.join(folder, name)):
            os.remove(os.path.join(folder, name))
    shutil.rmtree(os.path.join(folder, "tile"), ignore_errors=True)
    past.edge = grow(folder, past.size)
    lanes = bytes([2] * (TILE - 3) + [0, 1, 2])
    db = sqlite3.connect(os.path.join(folder, "tail.db"), isolation_level=None)
    (office, past.log), = db.execute("SELECT office, log FROM log")
    db.execute("BEGIN")
    for table in ("event", "tile", "receipt", "consumer", "sealed", "link"):
        db.execute(f"DELETE FROM {table}")
    db.execute("UPDATE log SET closed = 0")
    db.execute("INSERT INTO sealed (id, size, edge) VALUES (1, ?, ?)", (past.size, past.edge))
    db.execute("INSERT INTO tile (n, alarms, records, telemetry, lanes, digest) VALUES (?, 1, 1, ?, ?, ?)",
               (past.size // TILE - 1, TILE - 2, lanes, bytes(32)))
    for number, lane in enumerate(LANES):
        db.execute("INSERT INTO link (lane, acked) VALUES (?, ?)", (number, past.marks[lane]))
    for seq in range(past.size, past.start):
        body = compose(office, past.log, seq, LANES[seq % 3])
        db.execute("INSERT INTO event (seq, lane, body, leaf) VALUES (?, ?, ?, ?)",
                   (seq, seq % 3, body, leaf(body)))
    if cursor:
        db.execute("INSERT INTO consumer (instance, name, seq) VALUES (?, ?, ?)", (*cursor, past.start - 1))
    db.execute("COMMIT")
    db.close()


def put_city(database, office, past):
    """The database of a stopped city that has had all before the journal's `size`."""
    db = sqlite3.connect(database, isolation_level=None)
    db.execute("BEGIN")
    for table in ("event", "lane", "ahead", "log", "tile", "checkpoint", "office"):
        db.execute(f"DELETE FROM {table}")
    db.execute("INSERT INTO log (office, log, touched, suite, size, edge) VALUES (?, ?, ?, ?, ?, ?)",
               (office, past.log, "2026-11-21T03:04:05Z", "sha256+ed25519", past.size, past.edge))
    for lane, seq in past.marks.items():
        db.execute("INSERT INTO lane (office, log, lane, seq) VALUES (?, ?, ?, ?)",
                   (office, past.log, lane, seq))
    db.execute("COMMIT")
    db.close()
