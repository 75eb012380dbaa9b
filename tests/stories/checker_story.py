"""etc/evidence/check.sh against exports that this file makes by itself, with openssl and hashlib: every shape of a small
tree, both suites, and what no program of ours would ever write."""
import base64
import hashlib
import json
import subprocess

import pytest

import exports

SUITES = {"ed25519": ("sha256", b"\x01", 32, []),
          "sm2": ("sm3", b"\xffsm2-with-sm3\0", 65, ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"])}
CLIP = b"a clip"
SHA256 = hashlib.sha256(CLIP).hexdigest()

if "sm3" not in hashlib.algorithms_available:
    del SUITES["sm2"]


def b64(data):
    return base64.b64encode(data).decode()


class Office:
    """A key pair, and a log of events that it signs."""

    def __init__(self, folder, suite, name="outpost/x"):
        self.name = name
        self.hash, prefix, length, self.options = SUITES[suite]
        self.key = str(folder / "key.pem")
        self.openssl("genpkey", "-algorithm", suite, "-out", self.key)
        public = prefix + self.openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")[-length:]
        self.id = hashlib.sha256(f"{self.name}\n".encode() + public).digest()[:4]
        self.vkey = f"{self.name}+{self.id.hex()}+{b64(public)}\n"
        self.folder, self.events = folder, []

    @staticmethod
    def openssl(*words):
        return subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=30).stdout

    def digest(self, data):
        return hashlib.new(self.hash, data).digest()

    def note(self, text):
        (self.folder / "text").write_bytes(text.encode())
        signature = self.openssl("pkeyutl", "-sign", "-inkey", self.key, "-rawin", "-in", str(self.folder / "text"),
                                 *self.options)
        return f"{text}\n— {self.name} {b64(self.id + signature)}\n"

    def tell(self, kind, data, source="/x/keeper/keeper", wrapped=""):
        seq = len(self.events)
        body = {"specversion": "1.0", "id": f"x/y/{seq}", "source": source, "type": kind, "time": "2026-11-21T00:00:00Z",
                "sequence": f"{seq:016}", "data": {"sha256": SHA256, **data}, **({"event": wrapped} if wrapped else {})}
        self.events.append(json.dumps(body, separators=(",", ":")).encode())
        return seq

    # RFC 9162 2.1.1 and 2.1.3.1, as they stand there.
    def root(self, leaves):
        if len(leaves) == 1:
            return self.digest(b"\0" + leaves[0])
        k = 1 << (len(leaves) - 1).bit_length() - 1
        return self.digest(b"\1" + self.root(leaves[:k]) + self.root(leaves[k:]))

    def path(self, index, leaves):
        if len(leaves) == 1:
            return []
        k = 1 << (len(leaves) - 1).bit_length() - 1
        if index < k:
            return [*self.path(index, leaves[:k]), self.root(leaves[k:])]
        return [*self.path(index - k, leaves[k:]), self.root(leaves[:k])]

    def checkpoint(self):
        suite = "suite sm3+sm2\n" if self.hash == "sm3" else ""
        return self.note(f"outpost/x/y\n{len(self.events)}\n{b64(self.root(self.events))}\n{suite}")

    def export(self, folder, history, more=(), later=0, source="/x/keeper/keeper"):
        """An export of that history; `more` files are in its list, `later` events come behind it, and `source`
        has announced it."""
        export = exports.Export(folder)
        for part in ("file", "events"):
            export.path(part).mkdir(parents=True)
        files = {"file/clip.mp4": CLIP, "key.pub": self.vkey.encode(), **dict(more),
                 **{f"events/{seq}.json": self.events[seq] for seq in history}}
        sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()).encode()
        last = self.tell("evidence.exported", {"manifest": hashlib.sha256(sums).hexdigest()}, source)
        for _ in range(later):
            self.tell("band.seen", {})
        note = self.checkpoint()
        files |= {"SHA256SUMS": sums, "exported.json": self.events[last], "checkpoint": note.encode()}
        for seq, name in [*((seq, f"events/{seq}.proof") for seq in history), (last, "exported.proof")]:
            hashes = "".join(b64(node) + "\n" for node in self.path(seq, self.events))
            files[name] = f"c2sp.org/tlog-proof@v1\nindex {seq}\n{hashes}\n{note}".encode()
        for name, data in files.items():
            export.path(name).write_bytes(data)
        return export


@pytest.fixture(name="office", params=sorted(SUITES))
def office_of_each_suite(request, tmp_path):
    return Office(tmp_path, request.param)


def named(said):
    """The places that were named, each once."""
    return {line.split("BAD", 1)[1].split(":", 1)[0].strip() for line in said.splitlines() if " BAD " in line}


@pytest.mark.parametrize("before", range(1, 9))
def test_every_shape_of_a_small_tree(office, tmp_path, before):
    for _ in range(before):
        office.tell("evidence.recorded", {}, source="/x/bodycam-dock/dock")
    export = office.export(tmp_path / "export", range(before), later=before % 4)
    assert "全部相符" in export.check(expect=0)
    with export.changed() as copy:
        for seq in range(before):
            wrong = office.path((seq + 1) % before, office.events) if before > 1 else [bytes(32)]
            lines = copy.path(f"events/{seq}.proof").read_text(encoding="utf-8").split("\n\n", 1)
            head = "\n".join([*lines[0].splitlines()[:2], *map(b64, wrong)])
            copy.path(f"events/{seq}.proof").write_text(f"{head}\n\n{lines[1]}", encoding="utf-8")
        assert named(copy.check(expect=1)) == {f"events/{seq}.json" for seq in range(before)}


def test_a_signature_of_somebody_else_is_none(office, tmp_path):
    office.tell("evidence.recorded", {})
    export = office.export(tmp_path / "export", [0])
    (tmp_path / "other").mkdir()
    other = Office(tmp_path / "other", "ed25519" if office.hash == "sha256" else "sm2")
    text = export.path("checkpoint").read_text(encoding="utf-8").split("\n\n")[0] + "\n"
    forged = other.note(text)
    for note in (forged, forged.replace(b64(other.id)[:5], b64(office.id)[:5])):
        for name in ("checkpoint", "exported.proof", "events/0.proof"):
            proof = export.path(name).read_text(encoding="utf-8")
            start = proof.index("outpost/x/y\n")
            export.path(name).write_text(proof[:start] + note, encoding="utf-8")
        assert named(export.check(expect=1)) == {"checkpoint"}


def test_the_same_bytes_have_one_spelling(office, tmp_path):
    office.tell("evidence.recorded", {})
    export = office.export(tmp_path / "export", [0])
    proof = export.path("exported.proof").read_text(encoding="utf-8")
    line = proof.splitlines()[2]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = line[:-2] + letters[letters.index(line[-2]) + 1] + "="
    assert base64.b64decode(other) == base64.b64decode(line)
    for old, new in ((line, other), ("index 1", "index 01"), ("\n\n", "\n\n\n"), ("\n", "\r\n"), (line, line + " "), (line, "\n" + line)):
        with export.changed() as copy:
            copy.path("exported.proof").write_text(proof.replace(old, new, 1), encoding="utf-8", newline="")
            assert "exported.json" in named(copy.check(expect=1)) or "exported.proof" in named(copy.check()), new


def test_what_is_signed_and_wrong_all_the_same_is_named(office, tmp_path):
    """The office's own program cannot make these; somebody with its key could."""
    office.tell("evidence.recorded", {})
    office.tell("evidence.viewed", {"previous": 0})
    office.tell("evidence.viewed", {"previous": 1})
    assert named(office.export(tmp_path / "gap", [0, 2]).check(expect=1)) == {"events/1.json"}
    foreign = office.tell("evidence.recorded", {"sha256": "0" * 64})
    export = office.export(tmp_path / "foreign", [0, foreign])
    assert named(export.check(expect=1)) == {f"events/{foreign}.json"}
    two = [("file/other.mp4", CLIP)]
    assert named(office.export(tmp_path / "two", [0], more=two).check(expect=1)) == {"SHA256SUMS"}
    other = office.export(tmp_path / "other", [0], more=[("file/clip.mp4", b"another clip")])
    assert named(other.check(expect=1)) == {"file/clip.mp4"}


def test_an_export_that_a_plugin_announces_is_none(office, tmp_path):
    """What is in the journal is signed, also what a plugin says there of a file that was never stored."""
    office.tell("evidence.recorded", {}, source="/x/bodycam-dock/dock")
    for nth, source in enumerate(("/x/bodycam-dock/dock", "/x/keeper/dock", "/y/keeper/keeper", "/x/x/keeper/keeper")):
        said = office.export(tmp_path / str(nth), [0], source=source).check(expect=1)
        assert "exported.json" in named(said), said


def test_a_key_with_a_strange_name_does_not_write_on_the_screen(tmp_path):
    office = Office(tmp_path, "ed25519", name="outpost/\x1b[2Jx")
    office.tell("evidence.recorded", {}, source="/x/bodycam-dock/dock")
    said = office.export(tmp_path / "export", [0]).check(expect=0)
    assert "\x1b" not in said and "outpost/[2Jx+" in said


def test_what_a_salvaged_event_wraps_is_not_its_own(office, tmp_path):
    """The numbers inside are those of a log that is gone."""
    inside = {"specversion": "1.0", "type": "evidence.viewed", "data": {"sha256": SHA256, "previous": 4711}}
    office.tell("journal.salvaged", {}, wrapped=inside)
    assert "journal.salvaged" in office.export(tmp_path / "export", [0]).check(expect=0)
