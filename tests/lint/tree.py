"""tree - what every lint needs: the files of a tree and how to report."""
import os
import subprocess
import sys

SKIP = {"build", ".git", "__pycache__", ".pytest_cache", "node_modules"}


def files(root, *endings):
    """Paths relative to root of all files with one of the endings, sorted. In a git checkout those
    that git ignores are left out."""
    found = []
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(i for i in inner if i not in SKIP)
        for name in sorted(names):
            if name.endswith(endings):
                found.append(os.path.relpath(os.path.join(folder, name), root))
    return without_ignored(root, found)


def without_ignored(root, paths):
    if not os.path.isdir(os.path.join(root, ".git")):
        return paths
    asked = subprocess.run(["git", "-C", root, "check-ignore", "--stdin"], check=False,
                           input="\n".join(paths), capture_output=True, text=True)
    ignored = set(asked.stdout.splitlines())
    return [p for p in paths if p not in ignored]


def lines(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as text:
        return text.read().splitlines()


def run(lint):
    """Runs lint(root), which yields (path, line number or 0, text); prints; exits."""
    root = sys.argv[1] if len(sys.argv) > 1 else os.getcwd()
    bad = 0
    for path, line, text in lint(root):
        bad += 1
        print(f"{path}:{line}: {text}" if line else f"{path}: {text}")
    sys.exit(1 if bad else 0)
