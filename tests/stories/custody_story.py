"""outpost evidence: the history of a file, what officers decide about it, and exports that anybody can check."""
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile

import pytest

import exports
import stranger
import town
from viewing_story import OFFICER, ROOT, STRANGER, Album

pytestmark = pytest.mark.skipif(not ROOT, reason="only root can be somebody else")


class Archive(Album):
    """An office whose officer is somebody else than who runs it."""

    def words(self, words, user=OFFICER):
        argv = [self.argv[0], "evidence", *words, "--state", self.state]
        return ["setpriv", f"--reuid={user}", "--regid=0", "--clear-groups", *argv] if user else argv

    def evidence(self, *words, user=OFFICER, expect=0):
        done = subprocess.run(self.words(words, user), capture_output=True, check=False, timeout=120, text=True)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def told(self, pattern):
        done = self.command("events", "--json", "--type", pattern, expect=None).stdout
        return [json.loads(line) for line in done.splitlines()]

    def row(self, blob):
        rows = self.evidence("list", "--json").splitlines()
        return next(row for row in map(json.loads, rows) if row["sha256"] == blob["sha256"])

    def export(self, blob, folder, **more):
        out = self.evidence("export", blob["sha256"], str(folder), "--reason", "法院调取 (2026)12", **more)
        assert "check it with" in out
        return exports.Export(folder)


@pytest.fixture
def home():
    with tempfile.TemporaryDirectory(prefix="custody-") as folder:
        os.chmod(folder, 0o777)
        yield pathlib.Path(folder)


@pytest.fixture
def office(home, started):
    return started(Archive(home)).begin()


def test_an_export_is_checked_with_public_tools_alone(office, home):
    other = office.store(text="something else")
    blob = office.store(text="a clip", parts=40, path="DCIM/20261121/013000_A.mp4", **{"class": "case"})
    export = office.export(blob, home / "export")
    listed, = [line for line in office.evidence("list").splitlines() if line.startswith(blob["sha256"])]
    assert listed.endswith("kept until it is released, DCIM/20261121/013000_A.mp4")
    assert export.path("check.sh").read_bytes() == pathlib.Path(exports.CHECKER).read_bytes()
    assert export.check(expect=0, run=("unshare", "--net", "sh"))
    said = export.check(expect=0)
    assert "全部相符" in said and "file/013000_A.mp4" in said
    assert export.check("--key", os.path.join(office.state, "journal", "key.pub"), expect=0)
    data = export.path("file/013000_A.mp4").read_bytes()
    assert hashlib.sha256(data).hexdigest() == blob["sha256"]
    types = [json.loads(path.read_bytes())["type"] for path in export.events()]
    assert types == ["keepsake.stored", "evidence.viewed"]
    exported = json.loads(export.path("exported.json").read_bytes())
    listed = hashlib.sha256(export.path("SHA256SUMS").read_bytes()).hexdigest()
    assert exported["data"]["manifest"] == listed
    assert exported["data"]["who"]["name"] == OFFICER
    page = export.path("index.html").read_text(encoding="utf-8")
    assert "<td>DCIM/20261121/013000_A.mp4</td>" in page
    assert "法院调取 (2026)12" in page and blob["sm3"] in page and "@" not in page.split("</style>")[1]
    assert other["sha256"] not in page
    office.verify()


def test_a_second_export_tells_of_the_first(office, home):
    blob = office.store(text="twice")
    office.export(blob, home / "one").check(expect=0)
    office.blob("get", blob["sha256"])
    export = office.export(blob, home / "two")
    assert f"file/{blob['sha256']}.bin" in export.check(expect=0)
    assert [json.loads(path.read_bytes())["type"] for path in export.events()] == [
        "keepsake.stored", "evidence.viewed", "evidence.exported", "evidence.viewed", "evidence.viewed"]
    history = office.evidence("show", blob["sha256"])
    assert history.count("evidence.exported") == 2 and "法院调取" in history


def exporting(office, blob, folder, *strace):
    return subprocess.Popen(["strace", "-D", "-qq", "-e", "trace=/^rename", *strace,
                             *office.words(["export", blob["sha256"], str(folder), "--reason", "x"])])


def which_rename(office, home):
    """With which of its renames an export of a file without a history lays down its list."""
    trace = home / "trace"
    assert exporting(office, office.store(text="the first"), home / "first", "-o", str(trace)).wait(timeout=120) == 0
    town.wait_for(lambda: 'first"' in trace.read_text(encoding="utf-8"), 10, "the last rename")
    names = [line for line in trace.read_text(encoding="utf-8").splitlines() if line.startswith("rename")]
    return 1 + next(at for at, name in enumerate(names) if 'SHA256SUMS"' in name)


def test_an_export_is_whole_while_others_look(office, home):
    """What comes between the history and the event of the export is in the history in the end."""
    nth, blob, folder = which_rename(office, home), office.store(text="popular"), home / "export"
    stopped = exporting(office, blob, folder, "-o", "/dev/null", "-e", f"inject=/^rename:signal=STOP:when={nth}")
    how = town.wait_for(lambda: os.waitid(os.P_PID, stopped.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG), 60,
                        "its stop")
    assert how.si_code == os.CLD_STOPPED and os.path.exists(f"{folder}.part/index.html")
    assert len(office.told("evidence.exported")) == 1
    office.blob("get", blob["sha256"])
    stopped.send_signal(signal.SIGCONT)
    assert stopped.wait(timeout=120) == 0
    export = exports.Export(folder)
    export.check(expect=0)
    told = [json.loads(path.read_bytes()) for path in export.events()]
    assert [event["type"] for event in told[-2:]] == ["evidence.viewed", "evidence.exported"]
    assert told[-2]["data"]["purpose"] == "view"


def test_what_was_changed_is_named(office, home):
    blob = office.store(text="fragile", parts=3)
    export = office.export(blob, home / "export")
    for name in export.names():
        if name == "check.sh":
            continue
        with export.changed() as copy:
            copy.flip(name)
            said = copy.check(expect=1)
            place = name.replace(".proof", "") if name.startswith(("events/", "exported")) else name
            assert place.removesuffix(".json") in said, said
        with export.changed() as copy:
            copy.path(name).rename(copy.path(name + "x"))
            assert name in copy.check(expect=1)
    with export.changed() as copy:
        copy.path("events/more.json").write_text("{}")
        assert "events/more.json" in copy.check(expect=1)


def test_whoever_leaves_an_event_out_is_found(office, home):
    """Also when all of the rest is made anew around it: each event names the one before."""
    blob = office.store(text="looked at")
    office.blob("get", blob["sha256"])
    export = office.export(blob, home / "export")
    looked = export.events()[1]
    assert json.loads(looked.read_bytes())["type"] == "evidence.viewed"
    for path in (looked, looked.with_suffix(".proof")):
        path.unlink()
    sums = export.path("SHA256SUMS")
    lines = [line for line in sums.read_text(encoding="ascii").splitlines(keepends=True) if looked.name not in line]
    sums.write_text("".join(lines), encoding="ascii")
    said = export.check(expect=1)
    assert f"events/{looked.name}: 缺少" in said, said


def test_who_makes_all_of_it_anew_is_found_by_the_key(office, home):
    """An export of another office is good in itself, but not by this office's key."""
    export = office.export(office.store(text="mine"), home / "export")
    key = home / "office.pub"
    key.write_text(export.path("key.pub").read_text(encoding="ascii"), encoding="ascii")
    export.check("--key", str(key), expect=0)
    key.write_text("office+01234567+AAAA\n", encoding="ascii")
    said = export.check("--key", str(key), expect=1)
    assert "key.pub" in said and said.count("BAD") == 1
    assert "published" in export.check(expect=0)


def test_a_log_is_of_the_suite_of_the_key_that_was_laid_there(home, started):
    office = Archive(home)
    os.makedirs(os.path.join(office.state, "keys"))
    town.run(town.OUTPOST, "keygen", "--out", os.path.join(office.state, "keys", "journal.key"),
             "--name", f"outpost/{office.office}", "--suite", "sm3+sm2")
    started(office).begin()
    assert json.loads(office.verify("--json").stdout)["suite"] == "sm3+sm2"
    office.export(office.store(text="of a key"), home / "export").check(expect=0)


def test_only_officers_decide_and_give_reasons(office, home):
    blob = office.store(text="one", **{"class": "ordinary"})
    sha = blob["sha256"]
    for user in (STRANGER, None):
        for words in (("mark", sha, "case"), ("release", sha), ("export", sha, str(home / "no"))):
            said = office.evidence(*words, "--reason", "x", user=user, expect=1)
            assert "officer" in said, said
    assert "--reason" in office.evidence("mark", sha, "case", expect=2)
    assert "important or case" in office.evidence("mark", sha, "ordinary", "--reason", "x", expect=2)
    assert office.evidence("export", sha, expect=2).startswith("outpost evidence: export: expected SHA256, then FOLDER\n")
    assert office.evidence(expect=2).startswith("outpost evidence: expected list, show, mark, release or export\n")
    assert not (home / "no").exists() and not (home / "no.part").exists()
    assert not office.told("evidence.*")


def test_a_mark_holds_and_a_release_lets_go(office):
    blob = office.store(text="one", **{"class": "ordinary"})
    sha = blob["sha256"]
    before = office.row(blob)["until"]
    office.evidence("mark", sha, "important", "--keep", "90d", "--reason", "投诉")
    assert office.row(blob)["class"] == "important" and office.row(blob)["until"] > before
    office.evidence("mark", sha, "important", "--keep", "1d", "--reason", "again")
    assert office.row(blob)["until"] == office.told("evidence.marked")[0]["data"]["until"]
    assert "no case" in office.evidence("release", sha, "--reason", "x", expect=1)
    office.evidence("mark", sha, "case", "--reason", "(2026)闽01刑初7号")
    row = office.row(blob)
    assert row["class"] == "case" and "until" not in row
    assert "of a case" in office.evidence("mark", sha, "important", "--reason", "x", expect=1)
    office.evidence("release", sha, "--keep", "10d", "--reason", "结案")
    row = office.row(blob)
    assert row["class"] == "important" and row["until"] > row["stored"]
    told = office.told("evidence.*")
    assert [event["type"] for event in told] == ["evidence.marked"] * 3 + ["evidence.released"]
    assert told[-1]["data"]["reason"] == "结案" and told[-1]["data"]["from"] == "case"
    assert all(event["data"]["who"] == {"name": OFFICER, "role": "officer", "via": "local"} for event in told)


def test_what_is_no_evidence_is_not_exported(office, home):
    blob = office.store(text="a face", **{"class": "picture"})
    said = office.evidence("export", blob["sha256"], str(home / "no"), "--reason", "x", expect=1)
    assert "no evidence" in said
    assert blob["sha256"] not in office.evidence("list")
    office.evidence("mark", blob["sha256"], "important", "--reason", "it is now")
    office.export(blob, home / "yes").check(expect=0)


def test_without_a_keeper_nothing_is_left_behind(office, home):
    blob = office.store(text="one")
    assert office.stop() == 0
    assert "no keeper" in office.evidence("export", blob["sha256"], str(home / "no"), "--reason", "x", user=None, expect=1)
    assert not (home / "no").exists() and not (home / "no.part").exists()
    assert "keepsake.stored" in office.evidence("show", blob["sha256"], user=None)


def test_what_is_there_is_not_written_over(office, home):
    blob = office.store(text="one")
    (home / "there").mkdir()
    said = office.evidence("export", blob["sha256"], str(home / "there"), "--reason", "x", expect=1)
    assert "File exists" in said and not office.told("evidence.*")


def test_a_stored_file_that_was_changed_is_not_exported(office, home):
    blob = office.store(text="fragile")
    (path,) = office.files().values()
    with open(path, "r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))
    said = office.evidence("export", blob["sha256"], str(home / "no"), "--reason", "x", expect=1)
    assert "not what was stored" in said
    assert not (home / "no").exists() and not (home / "no.part").exists()


@stranger.NEEDED
def test_go_checks_an_export_too(office, home, tmp_path):
    blob = office.store(text="for a stranger", parts=5)
    export = office.export(blob, home / "export")
    program = stranger.build(tmp_path)
    said = town.run(program, "export", str(export.folder)).stdout
    assert said.count("ok event") == 3
    with export.changed() as copy:
        copy.flip("exported.json")
        town.run(program, "export", str(copy.folder), expect=1)
