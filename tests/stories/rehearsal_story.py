"""outpost test: what a test can see and do in the real host, and that every defect makes one fail."""
import os
import re
import subprocess

import pytest

import town
from subject import GOOD, PLUGIN, last, run, write

# What the good plugin is checked by. Each kind of broken one below fails it.
PROMISES = """
t.test("a_change_is_told_once_and_acknowledged_after_its_commit", function()
    local office, device = begin()
    office:run "10s"
    device.holding[0] = 6
    office:run "10s"
    t.equal(office:trace("commit", "write"), {
        "commit subject.changed put value", "write_register 1 = 5",
        "commit subject.changed put value", "write_register 1 = 6" })
end)
t.test("whenever_it_dies_nothing_is_lost_or_told_twice", function()
    for _, when in ipairs { "before", "after" } do
        for nth = 1, 12 do
            local office, device = begin()
            office:die { [when] = "any", nth = nth }
            office:run "5s"
            device.holding[0] = 6
            office:run "20s"
            t.equal(office:told(), { "subject.changed", "subject.changed" })
            t.equal(device.holding[1] == 6 or office:deaths() == 1, true)
        end
    end
end)
t.test("a_refused_commit_changes_nothing", function()
    local office = begin()
    office:refuse(1)
    office:run "10s"
    t.equal(office:told(), { "subject.changed" })
end)
"""


def test_a_good_plugin_passes(tmp_path):
    done = run(tmp_path, GOOD, PROMISES)
    assert (done.returncode, last(done)) == (0, "3 passed, 0 failed"), done.stdout
    assert done.stdout.startswith("ok a_change_is_told_once"), done.stdout


# What is done to the good plugin -> what the run must say.
BROKEN = {
    "tells it at every look":
        (("words[1] ~= known", "words[1]"), "expected"),
    "acknowledges before the commit":
        (("            host.commit()\n", ""), "write_register 1 = 5"),
    "keeps what it told in memory only":
        (('host.store.put("value", words[1])', "self.known = words[1]"), "expected"),
    "loops for ever":
        (("host.commit()", "while true do end"), "ran for more than 200 ms without waiting"),
    "swallows being stopped, and loops on":
        (("host.commit()", "while true do pcall(function() while true do end end) end"),
         "ran for more than 200 ms without waiting"),
    "runs a pattern that never ends":
        (("host.commit()", 'string.find(("a"):rep(500), ("a-"):rep(40) .. "b")'),
         "a function of Lua's own ran on and on"),
    "waits for nothing without an end":
        (("host.commit()", "while true do host.sleep(0) end"), "while no time passes"),
    "eats memory":
        (("host.commit()", 'local all = {} for i = 1, 1e6 do all[i] = ("x"):rep(1000) .. i end'),
         "not enough memory"),
    "emits what it has not declared":
        (('type = "subject.changed"', 'type = "subject.chnaged"'), "is not declared in plugin.lua"),
    "emits what its schema forbids":
        (("data = { value = words[1] }", 'data = { value = "much" }'), "expected an integer"),
    "raises":
        (("host.commit()", "local none; none.x = 1"), "plugin.lua"),
    "cannot start":
        (("host.every(config.poll", "host.evry(config.poll"), "cannot start"),
}


# Each look costs 200 ms and more: they make the shortest of the tests fail, and are not asked for the others.
LONG = {"loops for ever", "swallows being stopped, and loops on", "runs a pattern that never ends", "eats memory"}


@pytest.mark.parametrize("what", sorted(BROKEN))
def test_a_broken_plugin_fails(what, tmp_path):
    (old, new), said = BROKEN[what]
    assert old in GOOD
    some = ["--filter", "a_refused_commit"] if what in LONG else []
    done = run(tmp_path, GOOD.replace(old, new), PROMISES, *some)
    assert done.returncode == 1
    assert re.fullmatch(r"\d passed, [1-9]\d* failed", last(done)), done.stdout
    assert re.search(said, done.stdout), done.stdout


# Tests that are wrong themselves -> what the run must say.
WRONG_TESTS = {
    "a configuration that does not check":
        ('t.test("x", function() begin { config = { poll = "1ms" } } end)',
         "poll: expected a duration"),
    "a setting nobody knows":
        ('t.test("x", function() begin { config = { pol = "1s" } } end)', 'perhaps "poll"'),
    "more devices than a rehearsal has":
        ('t.test("x", function() local all = {} for i = 1, 33 do '
         'all["modbus-tcp://10.0.1." .. i] = t.modbus() end t.office { devices = all } end)',
         "too many of them"),
    "an address that is none":
        ('t.test("x", function() t.office { devices = { ["10.0.0.1"] = t.modbus() } } end)',
         "devices: 10.0.0.1: "),
    "an option nobody knows":
        ('t.test("x", function() t.office { devises = {} } end)', "devises: expected"),
    "an event that never comes":
        ('t.test("x", function() begin():next "subject.heard" end)', "no event subject.heard"),
    "a device that answers nonsense":
        ('t.test("x", function() local o, d = begin() d.holding[0] = "hot" o:run "2s" end)',
         "expected a whole number from 0 to 65535, got hot"),
    "a device that raises":
        ('t.test("x", function() local o, d = begin() d.on = function() error "here" end '
         'o:run "2s" end)', "here"),
    "an office that plays inside a device":
        ('t.test("x", function() local o, d = begin() d.on = function() o:run "1s" end '
         'o:run "2s" end)', "from inside a device's answer"),
    "an office that is over":
        ('t.test("x", function() local o = begin() begin() o:run "1s" end)', "this office is over"),
    "a file without tests": ("", "an empty test file proves nothing"),
    "a file that is no Lua": ("t.test(", "subject_test.lua"),
    "a test that runs for ever": ('t.test("x", function() while true do end end)', "took more than 1 s"),
    "a test that eats memory":
        ('t.test("x", function() local s = ("x"):rep(1e6) while true do s = s .. s end end)',
         "not enough memory"),
}


@pytest.mark.parametrize("what", sorted(WRONG_TESTS))
def test_a_wrong_test_fails_and_says_why(what, tmp_path):
    tests, said = WRONG_TESTS[what]
    done = run(tmp_path, GOOD, tests, "--limit", "1" if "than 1 s" in said else "60")
    assert (done.returncode, last(done)) == (1, "0 passed, 1 failed"), done.stdout
    assert said in done.stdout, done.stdout


def test_what_is_no_plugin_is_a_failure(tmp_path):
    done = town.run(town.OUTPOST, "test", str(tmp_path), expect=1)
    assert "with plugin.lua in it" in done.stdout and last(done) == "0 passed, 1 failed"
    (write(tmp_path, GOOD, PROMISES) / "test" / "subject_test.lua").unlink()
    done = town.run(town.OUTPOST, "test", str(tmp_path / "subject"), expect=1)
    assert "there are none" in done.stdout and last(done) == "0 passed, 1 failed"


def test_only_the_tests_that_are_asked_for_run(tmp_path):
    done = run(tmp_path, GOOD, PROMISES, "--filter", "whenever", expect=0)
    assert last(done) == "1 passed, 0 failed"
    done = run(tmp_path, GOOD, PROMISES, "--filter", "no such test", expect=1)
    assert 'there is no test with "no such test"' in done.stdout


def test_a_plugin_is_found_by_its_name_and_usage_is_told(tmp_path):
    done = town.run(town.OUTPOST, "test", "example", expect=0, cwd=tmp_path)
    assert last(done).endswith(" passed, 0 failed")
    assert "--filter" in town.run(town.OUTPOST, "test", "--help").stdout
    assert "expected a plugin's folder" in town.run(town.OUTPOST, "test", expect=2).stderr
    assert "--limit" in town.run(town.OUTPOST, "test", "x", "--limit", "soon", expect=2).stderr


HOUR = """
t.test("an_hour", function()
    local office, device = begin()
    local begun = os.clock()
    office:run "1h"
    t.equal(#device:requests "read", 3600)
    t.holds(os.clock() - begun < 60, "an hour took " .. os.clock() - begun .. " s")
end)
"""


def test_an_hour_takes_less_than_two_seconds(tmp_path):
    run(tmp_path, GOOD, HOUR, expect=0)  # its test counts what the processor spends


CHANCE = """
t.test("chance", function()
    local office = begin()
    office:run "10s"
    for i, line in ipairs(office:trace()) do
        print(i, line, select(2, office:trace())[i])
    end
    print(math.random(1000000))
end)
"""
CHANCE_START = """
    host.every(config.poll, function()
        local names = {}
        for i = 1, 20 do names["name" .. i] = i end
        for name in pairs(names) do host.log.info("%s %d", name, math.random(1000000)) end
        host.log.info("%s", tostring(names))
    end)
"""


@pytest.mark.skipif(subprocess.run(["setarch", "-R", "true"], check=False).returncode != 0,
                    reason="this system does not allow fixed addresses (personality(2))")
def test_every_run_is_like_the_one_before(tmp_path):
    runs = {run(tmp_path, CHANCE_START.replace("%", "%%") % (), CHANCE, expect=0).stdout
            for _ in range(4)}
    assert len(runs) == 1


def test_a_plugin_that_needs_what_there_is_not_is_told_the_nearest_word(tmp_path):
    plugin = PLUGIN.replace('needs = { "modbus" }', 'needs = { "modbos" }')
    write(tmp_path, GOOD, PROMISES, plugin)
    done = town.run(town.OUTPOST, "test", str(tmp_path / "subject"), expect=None)
    assert done.returncode != 0
    assert 'needs: expected a word of this host, perhaps "modbus", got "modbos"' in done.stdout
    office = tmp_path / "outpost.lua"
    office.write_text('office { id = "1" }\nplugin "subject" "gate" {}\n')
    done = town.run(os.path.join(town.BUILD, "libexec", "outpost", "host"), "config", str(office), "--plugins", str(tmp_path),
                    "--lua", os.path.join(town.ROOT, "lua"), expect=None)
    assert done.returncode == 1
    assert 'perhaps "modbus", got "modbos"' in done.stdout + done.stderr


RANDOM_START = """
    local function chance()
        return (host.random(4):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
    end
    host.store.put("first", host.store.get "first" or chance())
    host.store.put("last", chance())
"""
RANDOM = """
t.test("chance_is_the_same_in_each_rehearsal_and_never_again_in_one", function()
    local first, second = begin(), begin()
    t.equal(first:stored(), second:stored())
    t.equal(second:stored().first, "e26e06f8")
    local last = second:stored().last
    second:restart()
    t.holds(second:stored().last ~= last)
end)
"""


def test_chance_is_the_same_in_each_rehearsal(tmp_path):
    done = run(tmp_path, RANDOM_START, RANDOM)
    assert (done.returncode, last(done)) == (0, "1 passed, 0 failed"), done.stdout


MORE = """
t.test("others_events_come_once_and_in_order_over_a_death", function()
    local office = begin()
    for i = 1, 3 do office:give { type = "other.said", data = { n = i } } end
    office:die { after = "commit" }
    office:run "5s"
    office:give { type = "other.said", data = { n = 4 } }
    office:give { type = "other.else", data = { n = 5 } }
    office:restart()
    office:run "5s"
    local seen = {}
    for i, event in ipairs(office:events "subject.heard") do seen[i] = event.data.n end
    t.equal(seen, { 1, 2, 3, 4 })
    t.equal(office:deaths(), 1)
end)
t.test("a_device_that_takes_too_long_holds_up_the_plugin_and_is_a_timeout", function()
    local office, device = begin { config = { poll = "10s" } }
    device.delay = 700
    office:run "10s"
    t.equal(office:trace("read"), { "read_holding 0+1: timeout" })
    t.equal(device:requests()[1], { at = 10.0, name = "read_holding", unit = 1, address = 0,
        count = 1, fault = "timeout" })
end)
t.test("whom_the_keeper_does_not_hear_for_15_s_is_killed", function()
    local office, device = begin { config = { poll = "30s" } }
    device.on = function() require("rehearsal").pass(40000) end
    office:run "2m"
    t.holds(office:deaths() >= 1)
    t.holds(office:trace("die")[1]:find "did not answer the keeper", office:trace("die")[1])
end)
t.test("errors_that_are_asked_for_are_fine", function()
    local office = begin()
    office:give { type = "other.bad" }
    office:run "5s"
    t.holds(office:errors()[1]:find "bad indeed")
end)
t.test("what_is_stored_metrics_and_the_log_can_be_looked_at", function()
    local office, device = begin { store = { value = 5, other = { 1, 2 } } }
    office:run "3s"
    t.equal(office:told(), {})
    t.equal(office:stored "other", { 1, 2 })
    t.equal(office:stored(), { value = 5, other = { 1, 2 } })
    t.equal(office:stored "none", nil)
    device:fail { with = 6, on = "read", nth = 2, times = 2 }
    device.holding[0] = 9
    local event = office:next "subject.changed"
    t.equal({ event.type, event.lane, event.data.value, event.time },
        { "subject.changed", "alarm", 9, "2026-11-21T00:00:04.000000Z" })
    t.holds(office:metrics().looks >= 3)
    t.equal(office:log()[1], "info subject rehearsal: started")
    office:run "2s"
    t.equal(office:trace "read_holding 0+1: exception", { "read_holding 0+1: exception",
        "read_holding 0+1: exception" })
end)
"""
MORE_START = """
    host.every(config.poll, function() host.metrics.count("looks", 1) end)
    host.on("other.said", function(event)
        host.emit { type = "subject.heard", data = { n = event.data.n } }
    end)
    host.on("other.bad", function() error "bad indeed" end)
""" + GOOD


def test_what_can_be_done_and_looked_at(tmp_path):
    done = run(tmp_path, MORE_START, MORE)
    assert (done.returncode, last(done)) == (0, "5 passed, 0 failed"), done.stdout


def test_a_new_plugin_passes_its_tests_at_once(tmp_path):
    (tmp_path / "plugins").mkdir()
    made = town.run(town.OUTPOST, "new", "demo-2", expect=0, cwd=tmp_path)
    assert "outpost test plugins/demo-2" in made.stdout
    done = town.run(town.OUTPOST, "test", "plugins/demo-2", expect=0, cwd=tmp_path)
    assert re.fullmatch(r"\d+ passed, 0 failed", last(done))
    texts = [p.read_text() for p in (tmp_path / "plugins" / "demo-2").rglob("*") if p.is_file()]
    assert len(texts) >= 5 and not any(re.search(r"\bexample\b", text) for text in texts)
    assert sorted(p.name for p in (tmp_path / "plugins").iterdir()) == ["demo-2"]
    readme = (tmp_path / "plugins" / "demo-2" / "README.md").read_text()
    assert "until here" not in readme and readme.startswith("# demo-2") and "## Settings" in readme


@pytest.mark.parametrize("name", ["Demo", "2fast", "a/b", "", "..", "x" * 33, "keeper", "courier", "-x"])
def test_a_bad_name_is_refused(name, tmp_path):
    done = town.run(town.OUTPOST, "new", name, "--plugins", str(tmp_path), expect=2)
    assert "outpost new" in done.stderr
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_not_touched(tmp_path):
    town.run(town.OUTPOST, "new", "demo", "--plugins", str(tmp_path), expect=0)
    (tmp_path / "demo" / "plugin.lua").write_text("mine")
    done = town.run(town.OUTPOST, "new", "demo", "--plugins", str(tmp_path), expect=1)
    assert "it is there already" in done.stderr
    assert (tmp_path / "demo" / "plugin.lua").read_text() == "mine"
    done = town.run(town.OUTPOST, "new", "demo", "--plugins", str(tmp_path / "none"), expect=1)
    assert "there is none here" in done.stderr and not (tmp_path / "none").exists()
    assert "--plugins" in town.run(town.OUTPOST, "new", "--help").stdout
    town.run(town.OUTPOST, "new", expect=2)
