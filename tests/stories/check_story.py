"""outpost check: each broken configuration is told with file, line, setting, expectation, value."""
import pytest

import town

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
