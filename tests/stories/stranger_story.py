"""Checkpoints, tiles and proofs are taken by an implementation that is not ours: Go's sumdb."""
import os
import shutil

import pytest
import scribe
import stranger
import town

COUNTS = [700, 900, 1400]  # into a second and a third tile, and never to an even end

pytestmark = stranger.NEEDED


@pytest.fixture(scope="module", name="stranger")
def build(tmp_path_factory):
    return stranger.build(tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """A journal folder, and the checkpoints that it had before."""
    folder = tmp_path_factory.mktemp("journal")
    older = []
    for count in COUNTS:
        path = scribe.write(folder / "state", count)
        older.append(shutil.copy(os.path.join(path, "checkpoint"), folder / f"checkpoint-{count}"))
    return path, [str(path) for path in older[:-1]]


def test_every_tile_and_the_growth_between_checkpoints(stranger, journal):
    path, older = journal
    said = town.run(stranger, "log", path, *older).stdout
    assert said.count("ok growth") == len(older)
    assert f"size {sum(COUNTS) + 2 * len(COUNTS)} " in said


@pytest.mark.parametrize("seq", [0, 255, 256, 1703, 3005])
def test_a_proof_of_any_event(stranger, journal, tmp_path, seq):
    path, _ = journal
    proof = tmp_path / "proof.json"
    proof.write_text(town.run(town.OUTPOST, "prove", str(seq), path).stdout, encoding="utf-8")
    key = os.path.join(path, "key.pub")
    assert town.run(stranger, "proof", str(proof), key).stdout.startswith(f"ok event {seq} of ")
    forged = proof.read_text(encoding="utf-8").replace('"mono', '"nomo').replace("mono", "nomo")
    proof.write_text(forged, encoding="utf-8")
    town.run(stranger, "proof", str(proof), key, expect=1)


def test_a_changed_tile_or_signature_is_refused(stranger, journal, tmp_path):
    path, _ = journal
    for name in ("checkpoint", "tile/0/003", "tile/1/000.p/11"):
        copy = shutil.copytree(path, tmp_path / name.replace("/", "-"))
        changed = bytearray((copy / name).read_bytes())
        changed[len(changed) // 2] ^= 1
        (copy / name).write_bytes(changed)
        town.run(stranger, "log", str(copy), expect=1)
