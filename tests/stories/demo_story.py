"""The demo keeps its promise: its last line is the whole story, and nothing is left behind."""
import os
import re
import signal
import subprocess
import tempfile

import pytest
import town
import uploads

DEMO = os.path.join(town.ROOT, "tests", "sim", "demo.py")
LAST = re.compile(r"demo: produced=(\d+) received=\1 duplicates=0 missing=0 verified=yes "
                  r"p50_ms=[\d.]+ p99_ms=[\d.]+")


@pytest.fixture(name="folder")
def short_folder():
    """The keeper's socket needs a path of less than 108 letters; tmp_path is longer with the demo's."""
    with tempfile.TemporaryDirectory(prefix="story-") as folder:
        yield folder


def start(folder, *more, **environment):
    return subprocess.Popen([DEMO, *more], stdout=subprocess.PIPE, text=True,
                            env={**os.environ, "TMPDIR": folder, **environment})


def path_without(folder, *missing):
    """A PATH on which all is but these programs."""
    for place in os.get_exec_path():
        for name in os.listdir(place) if os.path.isdir(place) else ():
            if name not in missing and not os.path.lexists(os.path.join(folder, name)):
                os.symlink(os.path.join(place, name), os.path.join(folder, name))
    return str(folder)


def left_over(folder):
    """Files of the demo, and processes that still speak of its folder."""
    found = subprocess.run(["pgrep", "-f", f"{folder}/outpost-demo"], capture_output=True,
                           text=True, check=False).stdout
    return os.listdir(folder), found


def test_the_demo_ends_by_itself_and_tells_the_truth(folder):
    demo = start(folder, "--duration", "5")
    said, _ = demo.communicate(timeout=180)
    assert demo.returncode == 0, said
    assert LAST.fullmatch(said.splitlines()[-1])
    assert re.search(r"evidence\.recorded +T1A0001_012345_\d{14}_IMP\.mp4$", said, re.MULTILINE), said
    if uploads.why_not() is None:
        assert re.search(r"evidence\.uploaded +T1A0001_012345_\d{14}_IMP\.mp4$", said, re.MULTILINE), said
        assert "clips: 1 of 1 important ones are at the city, the same byte for byte" in said
    else:
        assert "left out: the upload server" in said and "evidence.uploaded" not in said
    assert left_over(folder) == ([], "")


def test_the_demo_says_what_it_leaves_out_and_cleans_up_on_ctrl_c(folder, tmp_path):
    demo = start(folder, PATH=path_without(tmp_path, "npm"))
    assert "left out: the upload server, so clips stay in the office" in demo.stdout.readline()
    assert "office" in demo.stdout.readline()
    begun = next(line for line in demo.stdout if "evidence.recorded" in line)
    demo.send_signal(signal.SIGINT)
    said, _ = demo.communicate(timeout=180)
    assert demo.returncode == 0, begun + said
    assert LAST.fullmatch(said.splitlines()[-1])
    assert "evidence.uploaded" not in said
    assert left_over(folder) == ([], "")
