"""What the office did can be proven: to itself, from a copy, and to somebody with the public key."""
import json
import shutil

import town


def test_office_and_city_verify(office, city, station):
    station.do("strap", 3, open=True)
    city.wait_for("wristband.strap_opened")
    assert office.stop() == 0
    office.verify()
    city.verify()


def test_a_copied_folder_verifies_and_a_changed_one_does_not(office, city, station, tmp_path):
    station.do("strap", 3, open=True)
    city.wait_for("wristband.strap_opened")
    assert office.stop() == 0
    copy = tmp_path / "copy"
    shutil.copytree(office.state, copy)
    town.run(town.OUTPOST, "verify", "--state", str(copy))
    tail = copy / "journal" / "tail.db"
    forged = tail.read_bytes().replace(b"wristband.strap_opened", b"wristband.strap_closed")
    assert forged != tail.read_bytes()
    tail.write_bytes(forged)
    done = town.run(town.OUTPOST, "verify", "--state", str(copy), expect=1)
    assert done.stdout + done.stderr != ""


def test_a_proof_needs_only_the_public_key(office, city, station, tmp_path):
    station.do("strap", 3, open=True)
    event, = city.wait_for("wristband.strap_opened")
    seq = str(int(event["sequence"]))
    proofs = []  # the checkpoint comes behind the alarm

    def is_proven():
        proofs.append(office.command("prove", seq, expect=None))
        return proofs[-1].returncode == 0
    town.wait_for(is_proven, 10, "a proof")
    proof = proofs[-1]
    path = tmp_path / "proof.json"
    path.write_text(proof.stdout, encoding="utf-8")
    key = f"{office.state}/journal/key.pub"
    town.run(town.OUTPOST, "verify", "--proof", str(path), "--key", key)
    forged = json.dumps(json.loads(proof.stdout)).replace("strap_opened", "strap_closed")
    path.write_text(forged, encoding="utf-8")
    town.run(town.OUTPOST, "verify", "--proof", str(path), "--key", key, expect=1)


def test_a_journal_made_anew_is_another_log(office, city, station):
    city.wait_for("wristband.seen", 12)
    first = office.status()["log"]
    assert office.stop() == 0
    shutil.rmtree(office.state + "/journal")
    office.start()
    town.wait_for(lambda: len(city.rows("SELECT DISTINCT log FROM event")) == 2, 30,
                  "events of the new log")
    assert office.status()["log"] != first


def test_two_offices_share_a_city(office, city, broker, tmp_path, started):
    other_station = started(town.Station(tmp_path, name="other"))
    started(town.Office(tmp_path / "other", city, broker, other_station.plugin(poll='"100ms"'),
                        office="350105-004"))
    other_station.do("strap", 1, open=True)
    event, = city.wait_for("wristband.strap_opened")
    assert event["office"] == "350105-004"
    assert {row[0] for row in city.rows("SELECT DISTINCT office FROM event")} == {
        "350105-003", "350105-004"}
