"""exports - an export of evidence, checked by the checker that it brings along, and changed on purpose."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

import town

CHECKER = os.path.join(town.ROOT, "etc", "evidence", "check.sh")


class Export:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def path(self, name):
        return self.folder / name

    def names(self):
        """Of every file, as in the list."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def events(self):
        """The events of the history, in order."""
        return sorted(self.path("events").glob("*.json"), key=lambda path: int(path.stem))

    def check(self, *words, expect=None, run=("sh",)):
        """What the checker of the tree says: one that was changed must not judge itself."""
        done = subprocess.run([*run, CHECKER, *words, str(self.folder)], capture_output=True, check=False,
                              timeout=60 * town.PATIENCE, stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]})
        said = (done.stdout + done.stderr).decode(errors="replace")
        assert expect is None or done.returncode == expect, said
        self.code = done.returncode
        return said

    def flip(self, name, at=None, bit=1):
        data = bytearray(self.path(name).read_bytes())
        data[len(data) // 2 if at is None else at] ^= bit
        self.path(name).write_bytes(data)

    @contextlib.contextmanager
    def changed(self):
        """A copy to change."""
        with tempfile.TemporaryDirectory(prefix="export-") as folder:
            shutil.copytree(self.folder, os.path.join(folder, "copy"))
            yield Export(os.path.join(folder, "copy"))
