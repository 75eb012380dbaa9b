"""plugins/README.md, "A first plugin in fifteen minutes": what it says, done to the letter, works."""
import os
import re
import shutil
import socketserver
import struct
import subprocess
import threading

import pytest

import town

LINES_MOST = 40


def steps():
    """[(language, text), ...] of the section's blocks, in order."""
    with open(os.path.join(town.ROOT, "plugins", "README.md"), encoding="utf-8") as text:
        section = text.read().split("## A first plugin in fifteen minutes\n")[1].split("\n## ")[0]
    return re.findall(r"```(\w+)\n(.*?)```", section, re.S)


def block(language, number):
    return [text for kind, text in steps() if kind == language][number]


class Contacts(socketserver.BaseRequestHandler):
    """An Acme DI-4 by its manual: answers function 2; contacts 1 and 3 are open."""

    def handle(self):
        while True:
            head = self.request.recv(7, socketserver.socket.MSG_WAITALL)
            if len(head) < 7:
                return
            transaction, _, length, unit = struct.unpack(">HHHB", head)
            function, first, count = struct.unpack(
                ">BHH", self.request.recv(length - 1, socketserver.socket.MSG_WAITALL))
            assert (function, first + count <= 4, unit) == (2, True, 1)
            self.request.sendall(struct.pack(">HHHBBBB", transaction, 0, 4, unit, 2, 1, 0b0101 >> first))


@pytest.fixture
def device():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Contacts) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def tree(tmp_path):
    """An appliance of our own whose plugins may be written."""
    (tmp_path / "bin").mkdir()
    shutil.copy(town.OUTPOST, tmp_path / "bin" / "outpost")
    (tmp_path / "libexec").symlink_to(os.path.join(town.BUILD, "libexec"))
    share = tmp_path / "share" / "outpost"
    share.mkdir(parents=True)
    (share / "lua").symlink_to(os.path.join(town.ROOT, "lua"))
    shutil.copytree(os.path.join(town.ROOT, "plugins", "example"), share / "plugins" / "example")
    return tmp_path


def shell(tree, script):
    """Its output; an error of any line fails."""
    done = subprocess.run(
        ["/bin/sh", "-euc", script], cwd=tree / "share" / "outpost", timeout=60, check=False,
        env={**os.environ, "PATH": f"{tree}/bin:{os.environ['PATH']}"}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_who_follows_the_readme_reads_a_new_device(tree, device):
    folder = tree / "share" / "outpost" / "plugins" / "doors"
    assert " passed, 0 failed" in shell(tree, block("sh", 0))
    plugin = block("lua", 0)
    assert len(plugin.splitlines()) <= LINES_MOST
    (folder / "plugin.lua").write_text(plugin)
    (folder / "test" / "plugin_test.lua").write_text(block("lua", 1))
    assert shell(tree, block("sh", 1)).endswith("1 passed, 0 failed\n")
    line = block("lua", 2).replace("192.168.1.60", f"127.0.0.1:{device}")
    (tree / "share" / "outpost" / "outpost.lua").write_text('office { id = "350105-003" }\n' + line)
    said = shell(tree, block("sh", 2) + "\nkill $!; wait $! || true\n")
    assert ": ok: office 350105-003, 1 plugin instance" in said
    assert re.findall(r"doors\.\w+", said.split(": ok:")[1]).count("doors.opened") == 2, said


def test_its_test_can_fail(tree):
    folder = tree / "share" / "outpost" / "plugins" / "doors"
    shell(tree, block("sh", 0))
    (folder / "plugin.lua").write_text(
        block("lua", 0).replace("self.host.store.put(key, is_open)", "self[key] = is_open"))
    (folder / "test" / "plugin_test.lua").write_text(block("lua", 1))
    done = town.run(str(tree / "bin" / "outpost"), "test", str(folder), expect=1)
    assert "FAILED a_door_is_told_once" in done.stdout
