"""stranger - tests/proof-go, built: an implementation that is not ours checks what we prove."""
import os
import shutil
import subprocess

import pytest
import town

SOURCE = os.path.join(town.ROOT, "tests", "proof-go", "stranger.go")
GOPATH = "/usr/share/gocode"
NEEDED = pytest.mark.skipif(
    not shutil.which("go") or not os.path.isdir(GOPATH + "/src/golang.org/x/mod/sumdb"),
    reason="go or golang-golang-x-mod-dev is missing: etc/packages.debian names both")


def build(folder):
    program = str(folder / "stranger")
    subprocess.run(["go", "build", "-o", program, SOURCE], check=True, timeout=300, cwd=folder,
                   env={**os.environ, "GO111MODULE": "off", "GOPATH": GOPATH, "GOFLAGS": "",
                        "GOCACHE": str(folder / "cache"), "GOTELEMETRY": "off"})
    return program
