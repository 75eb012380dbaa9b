#!/usr/bin/python3
"""folders - tests mirror the tree and are not empty; every folder says what belongs there."""
import os

import tree

GLANCE = 30  # sources that a reader can take in at once
PROOF_OF_LIFE = {
    "_test.c": "cmocka_unit_test",
    "_fuzz.c": "LLVMFuzzerTestOneInput",
    "_test.lua": "test",
    "_story.py": "def test_",
    "_fault.py": "def test_",
    "_test.py": "def test_",
}
TOLD = ("core", "plugins", "tests")  # each folder directly below these has a README too


def test_faults(root):
    for path in tree.files(root, *PROOF_OF_LIFE):
        text = "\n".join(tree.lines(root, path))
        ending = next(e for e in PROOF_OF_LIFE if path.endswith(e))
        if PROOF_OF_LIFE[ending] not in text:
            yield path, 0, "holds no test"
        if path.startswith(os.path.join("tests", "core")):
            source = path[len("tests/"):].replace("_test.c", ".c")
            if not os.path.exists(os.path.join(root, source)):
                yield path, 0, f"expected a source {source} that it tests"


def folders(root):
    tracked = {os.path.dirname(p) for p in tree.files(root, "")}
    for folder in sorted(f for f in tracked if f and not f.startswith(".")):
        parts = folder.split(os.sep)
        yield parts[0]
        if len(parts) > 1 and parts[0] in TOLD:
            yield os.path.join(*parts[:2])
        if len(parts) > 2 and parts[0] == "core":
            yield folder


def crowded(root):
    """Folders of core with more sources than a reader can take in: such a room has parts."""
    sources = {}
    for path in tree.files(root, ".c"):
        if path.startswith("core" + os.sep):
            sources.setdefault(os.path.dirname(path), []).append(path)
    for folder, paths in sorted(sources.items()):
        if len(paths) > GLANCE:
            yield folder, 0, f"expected at most {GLANCE} sources, got {len(paths)}: put some into a part"


def lint(root):
    yield from test_faults(root)
    yield from crowded(root)
    for folder in sorted(set(folders(root))):
        if not os.path.exists(os.path.join(root, folder, "README.md")):
            yield folder, 0, "expected a README.md that says what belongs here"


if __name__ == "__main__":
    tree.run(lint)
