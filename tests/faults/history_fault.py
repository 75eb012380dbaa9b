"""The history checker itself: it must find a lost, a doubled, a swapped event and the rest."""
import json
import sqlite3

import history
import pytest

COLUMNS = "office, log, seq, lane, type, prev, recorded, received, body"
COUNT = 64


class Copy:
    """A city's database as it should be after COUNT ticks and four edges, to be spoilt."""

    def __init__(self, path):
        self.path = str(path)
        self.db = sqlite3.connect(self.path, isolation_level=None)
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.execute(f"CREATE TABLE event ({COLUMNS}, PRIMARY KEY (office, log, seq))")
        self.newest = {}
        self.size = 0
        for number in range(1, COUNT + 1):
            self.put("ticker.tick", history.tick_lane(number), {"n": number})
        for kind in ("opened", "closed") * 2:
            self.put(f"wristband.strap_{kind}", history.EDGES[f"wristband.strap_{kind}"],
                     {"band": "B-1"})

    def put(self, kind, lane, data):
        seq, self.size = self.size, self.size + 1
        body = {"id": f"o/l/{seq}", "sequence": f"{seq:016d}", "office": "o", "log": "l",
                "lane": lane, "type": kind, "data": data}
        self.db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        ("o", "l", seq, lane, kind, self.newest.get(lane, -1), "", "",
                         json.dumps(body)))
        self.newest[lane] = seq

    def edit(self, seq, **changes):
        body = json.loads(self.db.execute("SELECT body FROM event WHERE seq = ?", (seq,)).fetchone()[0])
        body.update(changes)
        self.db.execute("UPDATE event SET body = ? WHERE seq = ?", (json.dumps(body), seq))

    def kinds(self):
        return {finding.split(":")[0] for finding in history.findings(told(), history.rows(self.path))}


def told():
    """What was produced: COUNT ticks; a strap opened and closed, twice."""
    count = history.Occurrences()
    kinds = [f"wristband.strap_{kind}" for kind in ("opened", "closed") * 2]
    return history.ticks(COUNT) + [history.Told("b-1", count.number("b-1", kind), history.EDGES[kind])
                                   for kind in kinds]


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path / "city.db")


def lose(copy):
    copy.db.execute("DELETE FROM event WHERE seq = 20")


def lose_the_newest(copy):
    copy.db.execute("DELETE FROM event WHERE seq = ?", (copy.size - 1,))


def double(copy):
    """The same tick once more under a seq of its own: no key of a table would notice."""
    copy.put("ticker.tick", history.tick_lane(21), {"n": 21})


def double_an_edge(copy):
    copy.put("wristband.strap_opened", "alarm", {"band": "B-1"})


def swap(copy):
    """Ticks 9 and 11 (both records) trade places, ids and all."""
    copy.edit(8, data={"n": 11})
    copy.edit(10, data={"n": 9})


def swap_arrivals(copy):
    copy.db.execute("UPDATE event SET rowid = rowid + 1000 WHERE seq = 8")


def misname(copy):
    copy.edit(30, id="o/l/31")


def mislead(copy):
    copy.db.execute("UPDATE event SET prev = prev - 1 WHERE seq = 30")


def wrong_lane(copy):
    copy.db.execute("UPDATE event SET lane = 'record' WHERE seq = 7")


@pytest.mark.parametrize("spoil, found", [
    (lose, "lost"), (lose, "hole"), (lose_the_newest, "lost"), (double, "twice"),
    (double_an_edge, "invented"), (swap, "order"), (swap_arrivals, "late"), (misname, "id"),
    (mislead, "prev"), (wrong_lane, "lost"), (wrong_lane, "id"),
])
def test_what_is_wrong_is_found(copy, spoil, found):
    spoil(copy)
    assert found in copy.kinds()


def test_what_is_right_has_no_findings(copy):
    assert history.findings(told(), history.rows(copy.path)) == []


def test_alarms_that_overtake_are_no_disorder(copy):
    """Two lanes may arrive in any order; how much an alarm overtook can be counted."""
    copy.db.execute("UPDATE event SET rowid = rowid + 1000 WHERE lane = 'record'")
    found = history.rows(copy.path)
    assert history.findings(told(), found) == []
    first_alarm = next(row for row in found if row.seq == 7)
    assert history.overtaken(found, first_alarm) == 5  # ticks 1, 3, 4, 5, 7: the records before tick 8
