"""The manual pages say what the commands say: each command, its usage, each of its options."""
import os
import re
import subprocess

import pytest

import town

PROGRAMS = {"outpost": town.OUTPOST, "outpost-city": town.OUTPOST_CITY}


def page(program):
    """The page's sections as lines of text, set so wide that no line is broken."""
    path = os.path.join(town.ROOT, "docs", "man", program + ".1")
    text = town.run("man", "-E", "ascii", "-l", path,
                    env={**os.environ, "MANWIDTH": "2000", "LC_ALL": "C", "MANPAGER": "cat"}).stdout
    sections, found = {}, None
    for line in text.splitlines()[1:]:
        if re.match(r"[A-Z]", line):
            found = sections.setdefault(line.strip(), [])
        elif found is not None and line.strip():
            found.append(line.strip())
    return sections


def commands(program):
    listed = town.run(PROGRAMS[program], "--help").stdout
    return re.findall(r"^  (\w+) ", listed, re.M)


def help_of(program, command):
    return town.run(PROGRAMS[program], command, "--help").stdout


def usage(program, command):
    """The lines of usage, each whole: a line that begins with blanks goes on with the one before."""
    head = help_of(program, command).split("\n\n")[0].removeprefix("usage: ")
    return re.sub(r"\n\s+", " ", head).splitlines()


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_synopsis_is_the_usage_of_every_command_in_their_order(program):
    told = [line for command in commands(program) for line in usage(program, command)]
    assert page(program)["SYNOPSIS"] == told
    assert len(commands(program)) >= 7


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_and_every_option_is_described(program):
    sections = page(program)
    described = "\n".join(sum((lines for name, lines in sections.items() if name != "SYNOPSIS"), []))
    for command in commands(program):
        assert re.search(rf"^{command}\b", "\n".join(sections["COMMANDS"]), re.M), command
        for option in re.findall(r"--[a-z][a-z-]*", help_of(program, command)):
            assert option in described, f"{command} {option}"


def test_each_command_has_a_page_of_its_name_when_installed(tmp_path):
    subprocess.run(["make", "-s", "-C", town.ROOT, "install-manual", f"DESTDIR={tmp_path}",
                    "PREFIX=/usr"], check=True)
    folder = tmp_path / "usr" / "share" / "man" / "man1"
    for program in PROGRAMS:
        for command in commands(program):
            text = (folder / f"{program}-{command}.1").read_text(encoding="ascii")
            assert text == f".so man1/{program}.1\n"
    assert (folder / "outpost.1").exists()
