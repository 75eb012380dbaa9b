"""history - what was produced against what arrived, counted outside the product.

What was PRODUCED is a list of Told: a simulated station's own log of edges, or the numbers of the
plugin `ticker`, which are 1, 2, 3 by construction. What ARRIVED is read from the city's database with
Python's sqlite3. findings() compares the two and is empty when all is well:

    lost       was produced and is not there
    twice      is there more than once, under whatever seq
    invented   is there and was never produced
    order      within a stream and lane, the city's seqs do not rise as it was produced
    late       within a lane, an event arrived after one of a higher seq
    id         an event's own words (id, sequence, office, log, lane, type) are not those of its row
    prev       an event does not name its lane's event before it
    hole       a seq below the highest is missing

Nothing here asks a program of the product.
"""
import collections
import json
import sqlite3

ALARM, RECORD, TELEMETRY = "alarm", "record", "telemetry"

# stream: whose; item: which, unique in its stream; lane: which way it must have come.
Told = collections.namedtuple("Told", "stream item lane")
Row = collections.namedtuple("Row", "rowid office log seq lane type prev recorded received body")
EDGES = {"wristband.strap_opened": ALARM, "wristband.strap_closed": RECORD,
         "wristband.case_opened": ALARM, "wristband.case_closed": RECORD}


def tick_lane(number):
    """As plugins/ticker/plugin.lua does it."""
    return ALARM if number % 8 == 0 else TELEMETRY if number % 4 == 2 else RECORD


def ticks(count, stream="ticker"):
    """What the plugin ticker has produced when it has counted to `count`."""
    return [Told(stream, number, tick_lane(number)) for number in range(1, count + 1)]


class Occurrences:
    """Edges carry no number: the third opening of a band is ("wristband.strap_opened", 3)."""

    def __init__(self):
        self.seen = collections.Counter()

    def number(self, stream, kind):
        self.seen[stream, kind] += 1
        return kind, self.seen[stream, kind]


def edges(station):
    """What the simulated station has done to straps and cases, in its own words."""
    count, told = Occurrences(), []
    for line in station.happened():
        kind = "wristband." + line["what"]
        if kind in EDGES:
            band = line["tag"].lower()
            told.append(Told(band, count.number(band, kind), EDGES[kind]))
    return told


def rows(database):
    """Every row of the table event, in the order in which they arrived."""
    city = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60)
    try:
        found = city.execute(f"SELECT {', '.join(Row._fields)} FROM event ORDER BY rowid").fetchall()
    finally:
        city.close()
    return [Row(*values[:-1], json.loads(values[-1])) for values in found]


def contents(found):
    """[(Told, Row), ...] by seq: the ticks and edges among the rows."""
    count, items = Occurrences(), []
    for row in sorted(found, key=lambda row: (row.log, row.seq)):
        if row.type.startswith("ticker."):
            items.append((Told(row.type.split(".")[0], row.body["data"]["n"], row.lane), row))
        elif row.type in EDGES:
            band = row.body["data"]["band"].lower()
            items.append((Told(band, count.number(band, row.type), row.lane), row))
    return items


def compare(told, items):
    """Lost, twice, invented."""
    wanted = collections.Counter(told)
    have = collections.Counter(content for content, _ in items)
    for content in sorted((wanted - have).keys(), key=str):
        yield f"lost: {content}"
    for content, count in have.items():
        if content not in wanted:
            yield f"invented: {content}"
        elif count > wanted[content]:
            seqs = [row.seq for other, row in items if other == content]
            yield f"twice: {content} as seq {seqs}"


def out_of_order(told, items):
    """Each item that comes, by seq, after one of its stream and lane that was produced later."""
    place = {content: at for at, content in enumerate(told)}
    newest = {}
    for content, row in items:
        at, key = place.get(content, -1), (content.stream, content.lane)
        if at < newest.get(key, -1):
            yield f"order: {content} as seq {row.seq}"
        newest[key] = max(at, newest.get(key, -1))


def by_lane(found):
    lanes = collections.defaultdict(list)
    for row in found:
        lanes[row.office, row.log, row.lane].append(row)
    return lanes


def arrived_late(found):
    for lane, members in by_lane(found).items():
        newest = -1
        for row in members:
            if row.seq < newest:
                yield f"late: {'/'.join(lane)} seq {row.seq} came after seq {newest}"
            newest = max(newest, row.seq)


def wrong_ids(found):
    seen = set()
    for row in found:
        body = row.body
        right = {"id": f"{row.office}/{row.log}/{row.seq}", "sequence": f"{row.seq:016d}",
                 "office": row.office, "log": row.log, "lane": row.lane, "type": row.type}
        wrong = {name: body.get(name) for name, value in right.items() if body.get(name) != value}
        if wrong or body["id"] in seen:
            yield f"id: seq {row.seq} of {row.log} says {wrong or body['id']}"
        seen.add(body["id"])


def wrong_links(found):
    for lane, members in by_lane(found).items():
        before = -1
        for row in sorted(members, key=lambda row: row.seq):
            if row.prev != before:
                yield f"prev: {'/'.join(lane)} seq {row.seq} names {row.prev}, before it is {before}"
            before = row.seq


def holes(found):
    seqs = collections.defaultdict(set)
    for row in found:
        seqs[row.office, row.log].add(row.seq)
    for log, have in seqs.items():
        missing = sorted(set(range(max(have) + 1)) - have)
        if missing:
            yield f"hole: {'/'.join(log)} lacks {len(missing)} from seq {missing[0]}"


def findings(told, found, may_be_late=False):
    """Every difference as a text; [] when what arrived is what was produced. What was lost in the
    middle of a connection comes again after newer ones: then rows may be late, nothing else."""
    items = contents(found)
    late = [] if may_be_late else arrived_late(found)
    return [*compare(told, items), *out_of_order(told, items), *late, *wrong_ids(found),
            *wrong_links(found), *holes(found)]


def overtaken(found, alarm):
    """How many older events of other lanes arrived after this row: what the alarm overtook."""
    return sum(row.log == alarm.log and row.lane != ALARM and row.seq < alarm.seq
               and row.rowid > alarm.rowid for row in found)
