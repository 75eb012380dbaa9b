"""uploads - a city's upload server (uploads/server.mjs) as a program, and what its log says.

The server's own log is the witness of what went over the line: which bytes were stored by which
request, and what it confirmed.
"""
import fcntl
import filecmp
import json
import os
import re
import shutil
import subprocess

import town

HOME = os.path.join(town.ROOT, "tests", "sim", "uploads")
INSTALLED = os.path.join(town.ROOT, "build", "npm-uploads")
# What is not known in some seconds is not there: by itself npm tries for more than a minute.
PATIENCE = ("--prefer-offline", "--fetch-retries=2", "--fetch-retry-mintimeout=1000",
            "--fetch-retry-maxtimeout=3000", "--fetch-timeout=30000")


def why_not():
    """What is missing to run it; None when it can."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed: apt-get install nodejs npm"
    try:
        install()
    except subprocess.CalledProcessError as why:
        return f"npm ci: {reason(why.stderr)}"
    except subprocess.TimeoutExpired as why:
        return f"npm ci: no end after {why.timeout} s"
    return None


def reason(said):
    """What npm says is wrong, in a line: "network is down", not where its log lies."""
    lines = [line.removeprefix("npm error ") for line in said.splitlines() if line.startswith("npm error ")]
    telling = [line for line in lines if " " in line and not re.match("code |syscall |errno |A complete log", line)]
    return (telling or lines or [said.strip()])[0][:200]


def install():
    """npm ci, once for a package-lock.json; several tests may ask at the same time."""
    os.makedirs(INSTALLED, exist_ok=True)
    with open(os.path.join(INSTALLED, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        theirs, ours = (os.path.join(place, "package-lock.json") for place in (HOME, INSTALLED))
        whole = os.path.join(INSTALLED, "node_modules", ".package-lock.json")
        if not (os.path.exists(whole) and os.path.exists(ours) and filecmp.cmp(theirs, ours, False)):
            for name in ("package.json", "package-lock.json"):
                shutil.copy(os.path.join(HOME, name), INSTALLED)
            subprocess.run(["npm", "ci", "--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts",
                            *PATIENCE], cwd=INSTALLED, check=True, capture_output=True, text=True,
                           stdin=subprocess.DEVNULL, timeout=120)
        bring("server.mjs")


def bring(name):
    """Not over the file that a server of another test may be reading just now."""
    theirs, ours = (os.path.join(place, name) for place in (HOME, INSTALLED))
    if not (os.path.exists(ours) and filecmp.cmp(theirs, ours, False)):
        shutil.copy(theirs, ours + ".new")
        os.rename(ours + ".new", ours)


def courier(server, authority, **more):
    """The block of an office's configuration; `more` are settings as they stand there."""
    own = authority.pair("offices/" + town.OFFICE_ID, "bulk")
    given = {"url": server.url, **own}
    lines = [f'{name} = "{value}"' for name, value in given.items()] + [f"{k} = {v}" for k, v in more.items()]
    return f'courier {{ {", ".join(lines)} }}\n'


class Uploads(town.Program):
    """The server on `folder`/uploads; `certificate` are ca, cert and key of secure.Authority."""

    def __init__(self, folder, certificate, most=None, name="uploads"):
        self.home = os.path.join(str(folder), name)
        os.makedirs(self.home, exist_ok=True)
        self.port = town.free_port()
        self.url = f"https://127.0.0.1:{self.port}/files/"
        argv = ["node", os.path.join(INSTALLED, "server.mjs"), "--dir", self.home, "--port", str(self.port)]
        for option in ("ca", "cert", "key"):
            argv += [f"--{option}", certificate[option]]
        super().__init__(folder, name + "-server", *argv, *(["--most", str(most)] if most else []))

    def start(self):
        super().start()
        town.wait_for(lambda: town.listens(self.port), 20, f"the upload server; {self.text()}")
        return self

    def path(self, *names):
        return os.path.join(self.home, *names)

    def happened(self):
        """Its log: a request each, or bytes that were stored. Cut lines of a killed one are left out."""
        found = []
        for line in self.text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                pass
        return [line for line in found if isinstance(line, dict)]

    def partial(self):
        """Bytes of uploads that are not finished."""
        names = [n[:-5] for n in os.listdir(self.home) if n.endswith(".json")]
        return sum(os.path.getsize(self.path(n)) for n in names if os.path.exists(self.path(n)))

    def stored(self):
        """How many bytes it has written in all, whatever became of them."""
        return sum(line["to"] - line["from"] for line in self.happened() if "stored" in line)

    def sent_twice(self):
        """PATCH requests that began below what the server had confirmed of that upload before."""
        confirmed, bad = {}, []
        for line in self.happened():
            if "method" not in line or not line["path"].startswith("/files/"):
                continue
            upload = line["path"]
            if line["method"] == "PATCH" and int(line["from"]) < confirmed.get(upload, 0):
                bad.append(line)
            if line.get("confirmed") is not None and line["status"] in (200, 204):
                confirmed[upload] = max(confirmed.get(upload, 0), int(line["confirmed"]))
        return bad

    def creations(self):
        return [line for line in self.happened() if line.get("method") == "POST" and line["status"] == 201]
