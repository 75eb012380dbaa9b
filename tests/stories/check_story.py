"""outpost check: each broken configuration is told with file, line, setting, expectation, value."""
import json
import os

import pytest

import town
import updates

OFFICE = 'office { id = "350105-003", name = "示范司法所", timezone = "Asia/Shanghai" }\n'
GATE = 'plugin "wristband" "gate" { url = "modbus-tcp://127.0.0.1:502", profile = "monnit-tcp"%s }\n'

# (text, line, words that the error must hold: setting, expectation, value)
BROKEN = {
    "a value of the wrong kind":
        (OFFICE + GATE % ', low_battery = "x"', 2, ["low_battery", "an integer", '"x"']),
    "a number out of range":
        (OFFICE + GATE % ", low_battery = 101", 2, ["low_battery", "at most 100", "101"]),
    "a setting nobody knows":
        (OFFICE + GATE % ", low_batery = 20", 2, ["low_batery", "low_battery"]),
    "a setting that is missing":
        (OFFICE + 'plugin "wristband" "gate" { profile = "monnit-tcp" }\n', 2, ["url"]),
    "a duration that is none":
        (OFFICE + GATE % ', poll = "often"', 2, ["poll", "duration", '"often"']),
    "a duration that is too short":
        (OFFICE + GATE % ', poll = "1ms"', 2, ["poll", "20ms", "1ms"]),
    "a plugin that is not there":
        (OFFICE + 'plugin "wristbnd" "gate" {}\n', 2, ["wristbnd"]),
    "the same instance twice":
        (OFFICE + GATE % "" + GATE % "", 3, ["gate"]),
    "an office without an id":
        ('office { name = "x" }\n', 1, ["id"]),
    "an office id that is none":
        ('office { id = "no id/", name = "x" }\n', 1, ["id", "no id/"]),
    "a time zone that is none":
        ('office { id = "a", timezone = "Asia/Shangai" }\n', 1, ["timezone", "Asia/Shangai", "tzdata"]),
    "a folder of time zones":
        ('office { id = "a", timezone = "Asia" }\n', 1, ["timezone", '"Asia"']),
    "a city that is no broker":
        (OFFICE + 'city { url = "http://x" }\n', 2, ["url", "mqtt", "http://x"]),
    "Lua that is no Lua":
        (OFFICE + "plugin plugin\n", 2, ["outpost.lua"]),
}


def test_a_check_that_is_killed_is_said(tmp_path):
    """Not "it does not check": nothing is known of it. And `run` goes on with the last good one, if any."""
    installed = updates.Installed(tmp_path / "programs")
    host = os.path.join(installed.folder, "libexec", "outpost", "host")
    with open(host, "w", encoding="ascii") as out:
        out.write("#!/bin/sh\nkill -9 $$\n")
    config = tmp_path / "outpost.lua"
    config.write_text(OFFICE, encoding="utf-8")
    for words in (["check"], ["run", "--state", str(tmp_path / "state")],
                  ["reload", "--state", str(tmp_path / "state")]):
        done = town.run(installed.outpost, *words, "--config", str(config), expect=1)
        assert f"{config}: the check was killed by signal 9 (Killed)" in done.stderr, done.stderr


def test_a_check_that_ends_without_a_word_is_said(tmp_path):
    installed = updates.Installed(tmp_path / "programs")
    with open(os.path.join(installed.folder, "libexec", "outpost", "host"), "w", encoding="ascii") as out:
        out.write("#!/bin/sh\nexit 70\n")
    config = tmp_path / "outpost.lua"
    config.write_text(OFFICE, encoding="utf-8")
    done = town.run(installed.outpost, "check", "--config", str(config), expect=1)
    assert "the check ended with 70 and said nothing" in done.stderr


def check(tmp_path, text):
    config = tmp_path / "outpost.lua"
    config.write_text(text, encoding="utf-8")
    return config, town.run(town.OUTPOST, "check", "--config", str(config), expect=None)


@pytest.mark.parametrize("what", sorted(BROKEN))
def test_a_broken_configuration_is_named(what, tmp_path):
    text, line, words = BROKEN[what]
    config, done = check(tmp_path, text)
    assert done.returncode == 1
    errors = [e for e in done.stderr.splitlines() if e.startswith(f"{config}:{line}:")]
    assert errors, done.stderr
    for word in words:
        assert word in errors[0]


def test_all_errors_are_told_not_only_the_first(tmp_path):
    _, done = check(tmp_path, OFFICE + GATE % ', low_battery = "x", poll = "often"')
    assert "low_battery" in done.stderr and "poll" in done.stderr


def test_a_good_configuration_is_ok(tmp_path):
    _, done = check(tmp_path, OFFICE + GATE % "")
    assert (done.returncode, done.stderr) == (0, "")
    assert ": ok" in done.stdout


def test_a_configuration_that_is_missing_is_named(tmp_path):
    done = town.run(town.OUTPOST, "check", "--config", str(tmp_path / "no.lua"), expect=1)
    assert "no.lua" in done.stderr


SECRET = "t0psecret-of-the-terminal"


@pytest.mark.parametrize("what, mode, text, words", [
    ("one that only its owner may read", 0o600, SECRET + "\n", None),
    ("one that everybody may read", 0o644, SECRET, "which everybody may read: chmod o="),
    ("an empty one", 0o600, "\n", "which is empty"),
    ("none", None, "", "which cannot be read: No such file"),
    ("one that is too long", 0o600, SECRET * 50, "another one in the file"),
])
def test_a_password_may_lie_in_a_file_of_its_own(tmp_path, what, mode, text, words):
    secret = tmp_path / "hall.password"
    if mode is not None:
        secret.write_text(text, encoding="utf-8")
        secret.chmod(mode)
    config, done = check(tmp_path, OFFICE + 'plugin "face-isapi" "hall" { url = "http://10.0.0.8", user = "box",\n'
                         'password = "file:hall.password" }\n')
    assert SECRET not in done.stdout + done.stderr, what
    assert done.returncode == (1 if words else 0), done.stderr
    if words:
        assert done.stderr.startswith(f"{config}:3:") and words in done.stderr


# What the author of a plugin may try where the configuration of all is read.
AUTHOR = """
local schema = require "schema"
local own = schema.record { note = schema.text { default = "-" } }
%(before)s
return { api = 1, name = "author", summary = "x", config = own, start = function() end,
    events = { ["author.told"] = { lane = "record" } }, %(more)s }
"""
RAISES = "function(c)\n    return c.note.none.none\nend"


def read_with(tmp_path, before="", more=""):
    """host config with the author's plugin beside the face terminal's."""
    plugins = tmp_path / "plugins"
    (plugins / "author").mkdir(parents=True)
    (plugins / "face-isapi").symlink_to(os.path.join(town.ROOT, "plugins", "face-isapi"))
    (plugins / "author" / "plugin.lua").write_text(AUTHOR % {"before": before, "more": more})
    secret = tmp_path / "hall.password"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    config = tmp_path / "outpost.lua"
    config.write_text(OFFICE + 'plugin "author" "one" {}\n'
                      'plugin "face-isapi" "hall" { url = "http://10.0.0.8", user = "box",\n'
                      'password = "file:hall.password" }\nplugin "author" "two" {}\n', encoding="utf-8")
    return config, town.run(os.path.join(town.BUILD, "libexec", "outpost", "host"), "config", str(config),
                            "--plugins", str(plugins), "--lua", os.path.join(town.ROOT, "lua"), expect=None)


@pytest.mark.parametrize("before", [
    # what others have set: by the library that all schemas come from, and by what all libraries call
    "local kinds = require 'kinds' local walk = kinds.walk kinds.walk = function(...) note = ... "
    "return walk(...) end",
    "local class = getmetatable(own) local inspect = class.inspect class.inspect = function(self, value, load) "
    "if value.url then value.url = 'http://6.6.6.6' end return inspect(self, value, load) end",
    "for _, name in ipairs { 'config', 'manifest', 'schema', 'json' } do "
    "for key in pairs(require(name)) do require(name)[key] = nil end end",
    "string.format, string.find, table.sort, table.concat, math.type = nil",
    "pcall, rawlen, select, _G.require, rawget = nil",
    # a file that nobody has named
    "own.inspect = function(_, _, load) return { note = load('hall.password') or load('%s') or '-' } end",
    # tables that answer otherwise when they are asked again
    "own = setmetatable({}, { __index = own, __pairs = function() return next, {}, nil end })",
])
def test_what_one_manifest_does_no_other_instance_feels(tmp_path, before):
    _, done = read_with(tmp_path, before % tmp_path.joinpath("hall.password") if "%s" in before else before)
    read = {plugin["instance"]: plugin for plugin in json.loads(done.stdout)["plugins"]}
    assert read["hall"]["config"]["url"] == "http://10.0.0.8"
    assert read["hall"]["config"]["password"] == SECRET and done.stdout.count(SECRET) == 1
    assert read["hall"]["events"]["checkin.verified"] == "record"
    assert read["one"]["config"] == {"note": "-"} and read["one"]["events"] == {"author.told": "record"}


def test_a_manifest_declares_nothing_behind_the_check(tmp_path):
    _, done = read_with(tmp_path, more='events = setmetatable({ ["author.told"] = { lane = "record" } }, { __pairs = '
                        'function() return next, { ["journal.damaged"] = { lane = "alarm" } }, nil end }),')
    read = {plugin["instance"]: plugin for plugin in json.loads(done.stdout)["plugins"]}
    assert read["one"]["events"] == {"author.told": "record"}


@pytest.mark.parametrize("before, more, words", [
    ("", f"check = {RAISES}", 'plugin "author" "one": check: it raised author/plugin.lua:7: attempt to index'),
    ("", "check = function() return {} end", "check: expected a text that says what is wrong, or nothing, got a table"),
    ("own.inspect = function() error 'no' end", "", "they cannot be checked: it raised author/plugin.lua:4: no"),
    ("own.inspect = function() return nil end", "", "refuses the settings and does not say why"),
    ("own.inspect = function() return { own.inspect } end", "", "it cannot be handed to its host: a function"),
    ("own.inspect = function() while true do end end", "",
     'plugin "author": author/plugin.lua:4: ran for more than 5000 ms'),
])
def test_a_manifest_that_fails_is_named_with_its_line(tmp_path, before, more, words):
    config, done = read_with(tmp_path, before, more)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"{config}:2: ") and words in done.stderr, done.stderr


NOSY = """
local schema = require "schema"
return { api = 1, name = "nosy", summary = "x", needs = { "folder" },
    config = schema.record { named = schema.text {}, folder = schema.text { default = "/" } },
    check = function(config) config.file = "%s" end,
    start = function(host, config)
        for _, path in ipairs { config.named, config.file } do
            local bytes, why, code = host.folder.read(path)
            host.log.info("%%s", bytes or code)
        end
        return {}
    end }
"""


def test_a_file_that_only_a_manifest_names_is_not_opened(tmp_path, started):
    installed = updates.Installed(tmp_path / "programs", ())
    os.makedirs(os.path.dirname(installed.path("nosy")))
    for name in ("named", "other"):
        (tmp_path / name).write_text(f"what is in {name}")
    installed.write("nosy", NOSY % (tmp_path / "other"))
    office = started(updates.UpdatedOffice(tmp_path / "office", installed, plugins=f"""
        plugin "nosy" "one" {{ named = "{tmp_path / "named"}" }}\n"""))
    town.wait_for(lambda: "host: nosy one: denied" in office.text(), 20, "it to have tried")
    assert "host: nosy one: what is in named" in office.text() and "what is in other" not in office.text()
