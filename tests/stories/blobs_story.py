"""host.blob: bytes stored beside the journal and named by an event of the same commit."""
import hashlib
import json
import os
import shutil
import signal
import subprocess

import pytest

import town
import updates
from subject import PLUGIN, last, run

HERE = os.path.dirname(os.path.abspath(__file__))

# Stores the picture that a register announces, as long as the register says, with its event.
KEEPS = """
    host.every(config.poll, function()
        local words = self.bus:read_holding(0, 1)
        if not words or words[1] == host.store.get "value" then
            return
        end
        local spool <close>, message, code = host.blob.open { class = "picture", most = 100000 }
        if not spool then
            host.log.warn("no picture: %s", message)
            if code ~= "full" then
                return
            end
        end
        for _ = 1, words[1] do
            if spool and not spool:write(("x"):rep(1000)) then
                break
            end
        end
        local blob = spool and assert(spool:finish())
        if blob then
            host.blob.keep(blob.sha256, { class = "important", keep = "30d" })
        end
        host.emit { type = "subject.changed", data = { value = blob and blob.size or 0 } }
        host.store.put("value", words[1])
    end)
"""

PROMISES = """
t.test("a_blob_is_kept_with_its_event", function()
    local office, device = begin()
    office:run "5s"
    local blobs = office:blobs()
    t.equal(#blobs, 1)
    t.equal({ blobs[1].size, blobs[1].class, blobs[1].keep_ms, blobs[1].erase, #blobs[1].bytes },
        { 5000, "important", 30 * 86400000, false, 5000 })
    t.equal(#blobs[1].sha256, 64)
    t.equal(#blobs[1].sm3, 64)
    t.equal(office:trace("spool", "seal", "commit"), { "spool picture", "seal 5000",
        "commit blob important subject.changed put value" })
    device.holding[0] = 90                       -- more than a pipe holds
    office:run "5s"
    t.equal(#office:blobs()[2].bytes, 90000)
end)
t.test("whenever_it_dies_there_is_one_event_for_one_blob", function()
    for nth = 1, 8 do
        local office = begin()
        office:die { before = "any", nth = nth }
        office:run "20s"
        t.equal(office:told(), { "subject.changed" })
        t.equal(#office:blobs(), 1)
    end
end)
t.test("no_room_is_no_end", function()
    local office = begin()
    office:refuse_blobs(1)
    office:run "5s"
    t.equal(office:events()[1].data.value, 0)
    t.equal(office:blobs(), {})
    t.equal(office:trace "spool", { "spool picture: No space left on device" })
end)
t.test("what_is_too_big_is_thrown_away", function()
    local office, device = begin()
    device.holding[0] = 101
    office:run "500ms"
    t.equal(office:trace("seal", "abandon"), {})
    office:run "2s"
    t.equal(#office:blobs()[1].bytes, 100000)
end)
"""


def test_a_plugin_is_tested_with_blobs_in_memory(tmp_path):
    plugin = PLUGIN.replace('needs = { "modbus" }', 'needs = { "modbus", "blob" }')
    done = run(tmp_path, KEEPS, PROMISES, plugin=plugin)
    assert (done.returncode, last(done)) == (0, "4 passed, 0 failed"), done.stdout


# ---- in a real office

STEPS = ["opened", "written", "finished", "named", "committed"]


class Keepsakes(town.Office):
    """An office whose plugin stores what it is asked to."""

    def __init__(self, folder):
        installed = updates.Installed(folder / "installed", ())
        shutil.copytree(os.path.join(HERE, "plugins", "keepsake"),
                        os.path.dirname(installed.path("keepsake")))
        super().__init__(folder / "office", plugins='plugin "keepsake" "desk" {}\n')
        self.argv = (installed.outpost, *self.argv[1:])

    def is_up(self):
        """Its plugin lists what it can be asked for as soon as it runs."""
        return os.path.exists(os.path.join(self.state, "keeper.sock")) and town.run(
            town.OUTPOST, "do", "desk", "claim", "sha256=x", "--state", self.state,
            expect=None).stderr.find("expected") >= 0

    def begin(self):
        town.wait_for(self.is_up, 20, "the plugin to answer")
        return self

    def store(self, **params):
        return json.loads(self.command("do", "desk", "store", "--json", "--params",
                                       json.dumps(params)).stdout)

    def stop_at(self, step, **params):
        """Asks, and waits until the plugin is there; nobody waits for the answer."""
        seen = self.text().count(f"reached {step}")
        asker = subprocess.Popen([town.OUTPOST, "do", "desk", "store", "--params", json.dumps(
            {"stop": step, **params}), "--state", self.state], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        town.wait_for(lambda: self.text().count(f"reached {step}") > seen, 10, f"the step {step}")
        return asker

    def stored(self):
        """The data of its events."""
        told = self.command("events", "--json", "--type", "keepsake.stored", expect=None).stdout
        return [json.loads(line)["data"] for line in told.splitlines()]

    def get(self, sha256):
        return subprocess.run([town.OUTPOST, "blob", "get", sha256, "--state", self.state],
                              check=True, timeout=30, stdout=subprocess.PIPE).stdout

    def files(self):
        """What is stored or comes; what is in old/ goes."""
        found = {}
        for folder, _, names in os.walk(os.path.join(self.state, "blobs")):
            for name in names:
                path = os.path.join(folder, name)
                found[os.path.relpath(path, os.path.join(self.state, "blobs"))] = path
        return {name: path for name, path in found.items() if not name.startswith("old/")}

    def check(self, count):
        """So many events, each with its blob, and no file that no event names."""
        events = self.stored()
        assert len(events) == count
        for event in events:
            data = self.get(event["sha256"])
            assert hashlib.sha256(data).hexdigest() == event["sha256"]
            assert len(data) == event["size"]
        names = {event["sha256"] for event in events}
        town.wait_for(lambda: len(self.files()) == len(names), 10, "what nobody named to go")
        assert {name.replace("/", "") for name in self.files()} == names


@pytest.fixture
def keepsakes(tmp_path, started):
    return started(Keepsakes(tmp_path)).begin()


def test_bytes_come_back_as_they_went_in(keepsakes):
    blob = keepsakes.store(text="hello", parts=300)
    wanted = b"hello" * 300000
    assert (blob["size"], blob["sha256"]) == (len(wanted), hashlib.sha256(wanted).hexdigest())
    assert keepsakes.get(blob["sha256"]) == wanted
    assert blob.pop("known") is False
    assert keepsakes.stored() == [blob]


def test_what_is_on_disk_cannot_be_read_there(keepsakes):
    keepsakes.store(text="secret", parts=3)
    for path in keepsakes.files().values():
        with open(path, "rb") as file:
            assert b"secret" not in file.read()


def test_nothing_and_the_same_twice_are_one_blob_each(keepsakes):
    empty = keepsakes.store(text="x", parts=0)
    assert empty["size"] == 0 and keepsakes.get(empty["sha256"]) == b""
    one, two = keepsakes.store(text="twice"), keepsakes.store(text="twice")
    assert (one.pop("known"), two.pop("known")) == (False, True)
    assert one == two
    assert len(keepsakes.files()) == 2
    keepsakes.check(3)


@pytest.mark.parametrize("step", STEPS)
def test_a_host_that_dies_leaves_all_or_nothing(step, keepsakes):
    asker = keepsakes.stop_at(step, text="abc", parts=50)
    os.kill(keepsakes.children()["host"][0], signal.SIGKILL)
    asker.wait()
    keepsakes.begin().check(step == "committed")
    keepsakes.store(text="abc", parts=50)
    keepsakes.check(1 + (step == "committed"))


@pytest.mark.parametrize("step", STEPS)
def test_a_keeper_that_dies_leaves_all_or_nothing(step, keepsakes):
    keepsakes.store(text="before")
    asker = keepsakes.stop_at(step, text="abc", parts=50)
    keepsakes.kill()
    asker.wait()
    keepsakes.start()
    keepsakes.begin().check(1 + (step == "committed"))
    keepsakes.store(text="abc", parts=50)
    keepsakes.check(2 + (step == "committed"))


def test_a_digest_that_was_not_sealed_is_refused(keepsakes):
    sha256 = hashlib.sha256(b"never seen").hexdigest()
    refused = json.loads(keepsakes.command("do", "desk", "claim", "--json", f"sha256={sha256}").stdout)
    assert "the keeper refused" in refused["refused"] and sha256 in refused["refused"]
    assert keepsakes.stored() == []
    known = keepsakes.store(text="seen")  # what is stored already may be named by anybody
    claimed = json.loads(keepsakes.command("do", "desk", "claim", "--json",
                                           f"sha256={known['sha256']}").stdout)
    assert claimed["refused"] == ""


def test_only_so_many_are_open_at_once(keepsakes):
    askers = [keepsakes.stop_at("opened", text="abc") for _ in range(4)]
    done = keepsakes.command("do", "desk", "store", "text=abc", expect=1)
    assert "busy" in done.stderr
    os.kill(keepsakes.children()["host"][0], signal.SIGKILL)
    for asker in askers:
        asker.wait()
    keepsakes.begin().check(0)
