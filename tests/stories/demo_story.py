"""The demo keeps its promise: its last line is the whole story, and nothing is left behind."""
import os
import re
import signal
import subprocess
import tempfile
import time

import pytest
import town

DEMO = os.path.join(town.ROOT, "tests", "sim", "demo.py")
LAST = re.compile(r"demo: produced=(\d+) received=\1 duplicates=0 missing=0 verified=yes "
                  r"p50_ms=[\d.]+ p99_ms=[\d.]+")


@pytest.fixture(name="folder")
def short_folder():
    """The keeper's socket needs a path of less than 108 letters; tmp_path is longer with the demo's."""
    with tempfile.TemporaryDirectory(prefix="story-") as folder:
        yield folder


def start(folder, *more):
    return subprocess.Popen([DEMO, *more], stdout=subprocess.PIPE, text=True,
                            env={**os.environ, "TMPDIR": folder})


def left_over(folder):
    """Files of the demo, and processes that still speak of its folder."""
    found = subprocess.run(["pgrep", "-f", f"{folder}/outpost-demo"], capture_output=True,
                           text=True, check=False).stdout
    return os.listdir(folder), found


def test_the_demo_ends_by_itself_and_tells_the_truth(folder):
    demo = start(folder, "--duration", "5")
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, said
    assert LAST.fullmatch(said.splitlines()[-1])
    assert left_over(folder) == ([], "")


def test_the_demo_cleans_up_on_ctrl_c(folder):
    demo = start(folder)
    assert "office" in demo.stdout.readline()
    time.sleep(2)
    demo.send_signal(signal.SIGINT)
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, said
    assert LAST.fullmatch(said.splitlines()[-1])
    assert left_over(folder) == ([], "")
