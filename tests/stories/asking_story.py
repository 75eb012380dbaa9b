"""outpost do and show: who may ask for what, what comes back, and what is on record of it."""
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

import town
import updates

HERE = os.path.dirname(os.path.abspath(__file__))
ASKER = 'plugin "asker" "desk" {}\n'
ROOT = os.geteuid() == 0
STRANGER, OFFICER = "games", "daemon"  # of every Debian's /etc/passwd


def private(folder):
    """A copy of the build in `folder` whose only plugin is asker; the path of its `outpost`."""
    installed = updates.Installed(folder, ())
    shutil.copytree(os.path.join(HERE, "plugins", "asker"), os.path.dirname(installed.path("asker")))
    return installed.outpost


@pytest.fixture(scope="module")
def programs():
    """Where another Unix user can come to, too."""
    with tempfile.TemporaryDirectory(prefix="asking-") as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder), private(pathlib.Path(folder))


class AskedOffice(town.Office):
    def __init__(self, folder, outpost, city, broker):
        access = f'access {{ officer = {{ "{OFFICER}" }} }}\n'
        super().__init__(folder, city, broker, access + ASKER)
        self.outpost = outpost
        self.argv = (outpost, *self.argv[1:])

    def ask(self, word, *more, user=None):
        """(exit code, standard output, standard error)."""
        argv = [self.outpost, word, *more, "--state", self.state]
        if user:
            argv = ["setpriv", f"--reuid={user}", "--regid=0", "--clear-groups", *argv]
        done = town.run(*argv, expect=None)
        return done.returncode, done.stdout, done.stderr

    def begin(self, *more):
        return subprocess.Popen([self.outpost, "do", "desk", *more, "--state", self.state],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def desk(programs, city, broker, started):
    folder, outpost = programs
    home = tempfile.mkdtemp(prefix="office-", dir=folder)
    os.chmod(home, 0o755)
    office = started(AskedOffice(home, outpost, city, broker))
    town.wait_for(lambda: is_up(office), 10, "the plugin to start")
    return office


def is_up(office):
    return os.path.exists(os.path.join(office.state, "keeper.sock")) and (
        office.ask("show", "desk", "total")[0] == 0)


def performed(city, count):
    """The data of all action.performed, as soon as there are `count`; more never come."""
    city.wait_for("action.performed", count)
    return [event["data"] for event in city.events("action.performed")]


def test_who_may_not_connect_is_told_so(desk):
    os.chmod(os.path.join(desk.state, "keeper.sock"), 0o600)
    code, _, err = desk.ask("show", "desk", "total", user=STRANGER)
    assert code == 1 and "expected a user who may connect to it (people.conf" in err


def test_who_may_not_read_the_journal_is_not_told_that_there_is_none(desk):
    os.chmod(os.path.join(desk.state, "journal"), 0o700)
    for word in ("events", "verify"):
        code, _, err = desk.ask(word, user=STRANGER)
        assert code != 0 and "Permission denied" in err and "No such file" not in err, err
    os.chmod(desk.state, 0o700)
    code, _, err = desk.ask("events", user=STRANGER)
    assert code == 1 and "no journal can be read: Permission denied" in err


def test_an_action_is_done_once_and_on_record_once(desk, city):
    assert desk.ask("do", "desk", "add", "n=5", "note=hunter2") == (0, "total  5\n", "")
    assert desk.ask("do", "desk", "add", "--json") == (0, '{"total":6}\n', "")
    assert desk.ask("show", "desk", "total") == (0, "total  6\n", "")
    one, two = performed(city, 2)
    name = one["who"]["name"]
    assert one == two == {"instance": "desk", "action": "add", "outcome": "done",
                          "who": {"name": name, "role": "technician", "via": "local"}}
    assert [event["data"] for event in city.events("asker.added")] == [
        {"n": 5, "by": f"{name}/technician/local"}, {"n": 1, "by": f"{name}/technician/local"}]
    assert not any("hunter2" in body for body, in city.rows("SELECT body FROM event"))
    assert "hunter2" not in desk.text()


def test_a_wrong_role_is_refused_and_on_record(desk, city):
    code, out, err = desk.ask("do", "desk", "decide")
    assert (code, out) == (1, "")
    assert "decide of desk: expected to be asked for by an officer, and " in err
    assert err.endswith(" is a technician\n")
    refused, = performed(city, 1)
    assert (refused["outcome"], refused["error"]) == ("refused", "EPERM")
    assert "role" not in refused["who"]


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
def test_each_unix_user_has_the_roles_that_the_configuration_gives_it(desk, city):
    assert desk.ask("do", "desk", "decide", user=OFFICER) == (0, OFFICER + "\n", "")
    code, _, err = desk.ask("do", "desk", "add", user=OFFICER)
    assert code == 1 and f"by a technician, and {OFFICER} is an officer" in err
    assert desk.ask("show", "desk", "total", user=OFFICER)[0] == 0
    code, _, err = desk.ask("show", "desk", "total", user=STRANGER)
    assert code == 1 and "none of those whom the block access names" in err
    assert [(one["who"], one["outcome"]) for one in performed(city, 2)] == [
        ({"name": OFFICER, "role": "officer", "via": "local"}, "done"),
        ({"name": OFFICER, "via": "local"}, "refused")]


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
def test_a_reload_gives_roles_and_touches_no_plugin(desk, city, broker):
    host = desk.children()["host"]
    assert desk.ask("show", "desk", "total", user=STRANGER)[0] == 1
    desk.configure(f'access {{ social_worker = {{ "{STRANGER}" }} }}\n' + ASKER, city, broker)
    town.run(desk.outpost, "reload", "--config", desk.config, "--state", desk.state)
    assert desk.ask("show", "desk", "total", user=STRANGER)[0] == 0
    code, _, err = desk.ask("do", "desk", "decide", user=OFFICER)
    assert code == 1 and "by an officer" in err
    assert desk.children()["host"] == host


def test_what_there_is_not_is_named(desk, city):
    code, _, err = desk.ask("do", "gate", "add")
    assert (code, err) == (1, 'outpost do: there is no instance "gate"\n')
    code, _, err = desk.ask("do", "desk", "ad")
    assert code == 1 and 'desk has no action "ad"; it has ' in err and "stumble" in err
    assert desk.ask("do", "desk", "Add it")[0] == 2
    assert desk.ask("do")[0] == 2
    desk.ask("do", "desk", "add")
    assert len(performed(city, 1)) == 1  # nothing was asked of anybody before


@pytest.mark.parametrize("words, expected", [
    (["n=x"], 'n: expected an integer, at least 1, at most 100, got "x"'),
    (["n=101"], "n: expected an integer, at least 1, at most 100, got 101"),
    (["m=1"], "m: expected a known name, perhaps"),
    (["--params", '{"note":7}'], "note: expected a text of at most 256 bytes, got 7"),
])
def test_bad_params_are_named_with_what_was_expected(desk, city, words, expected):
    code, _, err = desk.ask("do", "desk", "add", *words)
    assert code == 1 and expected in err, err
    assert desk.ask("show", "desk", "total")[1] == "total  0\n"
    refused, = performed(city, 1)
    assert (refused["outcome"], refused["error"]) == ("refused", "EINVAL")


def test_what_is_no_question_is_refused_before_it_is_asked(desk):
    for words in (["n"], ["n=1", "n=2"], ["--params", "[1]"], ["--params", "{}", "n=1"]):
        assert desk.ask("do", "desk", "add", *words)[0] == 2, words


def test_an_action_that_raises_has_done_nothing(desk, city):
    code, _, err = desk.ask("do", "desk", "stumble", "word=Zhangsan")
    assert (code, err) == (1, "outpost do: stumbled over Zhangsan\n")
    assert desk.ask("show", "desk", "total")[1] == "total  0\n"
    failed, = performed(city, 1)
    assert (failed["outcome"], failed["error"]) == ("failed", "ECANCELED")
    assert "Zhangsan" not in desk.text() and "action stumble" in desk.text()


def test_a_view_changes_nothing_and_is_bounded(desk, city):
    code, _, err = desk.ask("show", "desk", "meddle")
    assert code == 1 and "a view changes nothing" in err
    assert desk.ask("show", "desk", "total")[1] == "total  0\n"
    code, _, err = desk.ask("show", "desk", "huge")
    assert code == 1 and "128 KiB" in err
    assert desk.ask("show", "desk", "rows")[1] == "more   n  name\n       1  甲\n[1,2]     b\n"
    assert city.events("action.performed") == []


def test_it_lists_what_there_is(desk):
    code, out, _ = desk.ask("do", "desk")
    assert code == 0 and "add: adds to the total (technician)\n" in out
    assert "    n: how much (an integer, at least 1, at most 100; else 1)\n" in out
    assert "decide: decides (officer)\n" in out
    assert "total: the total (officer, social_worker, technician)\n" in desk.ask("show", "desk")[1]


def sleepers(desk):
    """How many actions slept at once, after each that began and each that ended."""
    steps = re.findall(r" (sleeps|slept)$", desk.text(), re.M)
    return list(itertools.accumulate(1 if step == "sleeps" else -1 for step in steps))


def test_a_host_that_is_killed_in_the_middle_is_told_and_on_record(desk, city):
    asked = desk.begin("sleep", "ms=90000")
    town.wait_for(lambda: sleepers(desk) == [1], 20, "its sleep")
    os.kill(desk.children()["host"][0], signal.SIGKILL)
    _, err = asked.communicate(timeout=60)
    assert asked.returncode == 1 and "ended before it had answered" in err
    failed, = performed(city, 1)
    assert (failed["action"], failed["outcome"], failed["error"]) == ("sleep", "failed", "ECONNRESET")
    town.wait_for(lambda: desk.ask("show", "desk", "total")[0] == 0, 10, "the host again")


def test_an_action_goes_on_when_its_asker_goes_away(desk, city):
    asked = desk.begin("sleep", "ms=500")
    town.wait_for(lambda: sleepers(desk), 20, "its sleep")
    asked.kill()
    asked.communicate()
    done, = performed(city, 1)
    assert (done["action"], done["outcome"]) == ("sleep", "done")
    assert desk.ask("show", "desk", "total")[1] == "total  1\n"


def test_of_twenty_at_once_each_is_done_or_told_that_it_is_not(desk, city):
    asked = [desk.begin("sleep", "ms=700") for _ in range(20)]
    ends = [one.communicate(timeout=120)[1] for one in asked]
    done = sum(one.returncode == 0 for one in asked)
    busy = sum("ask again" in err for err in ends)
    assert done >= 8 and done + busy == 20, ends  # more than 8 only where 20 cannot be started in 700 ms
    assert max(sleepers(desk)) <= 8
    outcomes = [one["outcome"] for one in performed(city, 20)]
    assert (outcomes.count("done"), outcomes.count("refused")) == (done, busy)
    assert len(city.wait_for("asker.added", done)) == done
    town.time.sleep(0.3)
    assert len(city.events("action.performed")) == 20
    assert desk.ask("show", "desk", "total")[1] == f"total  {done}\n"
