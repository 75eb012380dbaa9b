"""The clock of a replay: timers between events, boots, clocks that are set; and what bounds it. The journal
is made here, record by record, as core/rehearse/replay.h says."""
import datetime
import json
import os
import subprocess

import town

REHEARSE = os.path.join(town.BUILD, "libexec", "outpost", "rehearse")
BEGIN_US = 1795305600 * 10**6
PLUGIN = """
local plugin = { api = 1, name = "subject", summary = "Made for a test.", config = {},
    events = { ["subject.said"] = { lane = "record" } } }
local function say(host, word)
    host.emit { type = "subject.said", data = { word = word } }
end
function plugin.start(host)
%s
end
return plugin
"""


class Feed:
    """Events of somebody else, a minute apart unless it is said otherwise."""

    def __init__(self, folder, body):
        self.folder = os.path.join(str(folder), "subject")
        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(self.folder, "plugin.lua"), "w", encoding="utf-8") as out:
            out.write(PLUGIN % body)
        start = json.dumps({"plugin": "subject", "instance": "one", "office": "x", "config": {},
                            "folder": self.folder, "lua": os.path.join(town.ROOT, "lua"),
                            "events": {"subject.said": "record"}}).encode()
        self.bytes = [b"start %d %d\n" % (BEGIN_US, len(start)) + start]
        self.seq = 0

    def event(self, utc_s, mono_s=None, boot=False, kind="a.b", size=2):
        body = json.dumps({"type": kind, "data": "x" * size}).encode()
        mono_s = utc_s if mono_s is None else mono_s
        self.bytes.append(b"event %d 1 %d %d %d %s %d\n" % (
            self.seq, BEGIN_US + utc_s * 10**6, mono_s * 10**6, boot, kind.encode(), len(body)) + body)
        self.seq += 1
        return self

    def replay(self, expect=0, end_s=0):
        """[(seconds since the beginning, word), ...] and the last line."""
        end = BEGIN_US + end_s * 10**6 if end_s else 0
        done = subprocess.run([REHEARSE, "replay"], input=b"".join(self.bytes) + b"end %d\n" % end,
                              capture_output=True, check=False, timeout=60)
        assert done.returncode == expect, done.stdout[-2000:]
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return [(seconds(line["at"]), line["data"]["word"]) for line in lines[:-1]], lines[-1]


def seconds(at):
    return datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp() - BEGIN_US / 10**6


def test_timers_fire_between_events_in_the_time_of_the_journal(tmp_path):
    feed = Feed(tmp_path, """
        host.every("1m", function() say(host, "tick") end)
        host.on("a.*", function(event)
            say(host, "seen " .. event.seq) host.sleep("30s") say(host, "later")
        end)
    """)
    told, end = feed.event(0).event(150).replay(end_s=200)
    assert sorted(told) == [(30, "later"), (30, "seen 0"), (60, "tick"), (120, "tick"),
                            (180, "later"), (180, "seen 1"), (180, "tick")]
    assert (end["replayed"], end["restarts"], end["why"]) == (2, 0, None)


def test_where_the_box_started_anew_the_plugin_does_from_its_store(tmp_path):
    feed = Feed(tmp_path, """
        local starts = (host.store.get "starts" or 0) + 1
        host.store.put("starts", starts)
        host.on("a.*", function(event) say(host, starts .. " " .. event.seq) end)
        host.every("1m", function() end)
    """)
    told, end = feed.event(10).event(20).event(864000, 5, boot=True).event(864010, 15).replay()
    assert told == [(10, "1 0"), (20, "1 1"), (864000, "2 2"), (864010, "2 3")]
    assert end["restarts"] == 1


def test_a_clock_that_was_set_moves_no_timer(tmp_path):
    """In a journal of 1970 that was set right, no fifty years of ticks."""
    feed = Feed(tmp_path, """
        host.every("1s", function() say(host, "tick") end)
        host.on("a.*", function(event) say(host, "seen " .. event.seq) end)
    """)
    told, _ = feed.event(-10**9, 10).event(100, 12).event(90, 13).replay()
    words = [word for _, word in told]
    assert words.count("tick") in (3, 4, 5) and [word for word in words if word != "tick"] == [
        "seen 0", "seen 1", "seen 2"]
    assert [second for second, word in told if word == "seen 2"] == [90]


def test_a_plugin_hears_what_it_says_itself(tmp_path):
    feed = Feed(tmp_path, """
        host.on("a.*", function(event) say(host, "heard " .. event.seq) end)
        host.on("subject.*", function(event)
            if event.data.word:find "^heard" then say(host, "echo of " .. event.data.word) end
        end)
    """)
    told, _ = feed.event(1).event(2).replay()
    assert told == [(1, "heard 0"), (1, "echo of heard 0"), (2, "heard 1"), (2, "echo of heard 1")]


def test_only_so_many_events_wait_for_a_handler_that_does_not_end(tmp_path):
    feed = Feed(tmp_path, 'host.on("a.*", function() host.sleep("10h") end)')
    for second in range(1200):
        feed.event(second, size=60000)
    _, end = feed.replay(expect=1)
    assert "KiB of events wait for a handler" in end["why"]


def test_what_every_handler_has_seen_is_forgotten(tmp_path):
    feed = Feed(tmp_path, 'host.on("a.*", function() end)\nhost.on("c.*", function() end)')
    for second in range(1200):
        feed.event(second, kind="a.b" if second % 2 else "d.e", size=60000)
    assert feed.replay()[1]["replayed"] == 1200


def test_errors_of_handlers_are_counted_and_do_not_end_it(tmp_path):
    feed = Feed(tmp_path, 'host.every("1s", function() error("boom") end)')
    _, end = feed.event(0).event(10).replay()
    assert end["raised"] in (10, 11) and "boom" in end["errors"][0] and end["why"] is None


def test_a_journal_that_ends_in_the_middle_is_no_finding(tmp_path):
    feed = Feed(tmp_path, "")
    feed.event(0)
    feed.bytes[-1] = feed.bytes[-1][:-5]
    done = subprocess.run([REHEARSE, "replay"], input=b"".join(feed.bytes), capture_output=True,
                          check=False, timeout=60)
    assert done.returncode == 1 and b"in the middle" in done.stdout
