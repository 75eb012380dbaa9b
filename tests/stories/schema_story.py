"""What docs/asyncapi.yaml and docs/schemas say of events is so, and what is not so is found."""
import copy
import json
import os
import signal

import jsonschema
import pytest

import promised
import town


def test_events_of_an_office_with_all_its_troubles_are_as_promised(office, city, station):
    os.kill(office.children()["host"][0], signal.SIGKILL)
    city.wait_for("plugin.restarted")
    station.do("strap", 3, open=True)
    city.wait_for("wristband.strap_opened")
    assert office.stop() == 0
    office.start()
    city.wait_for("box.stopped")
    city.wait_for("gap.recorded")
    found = city.events()
    assert {"box.started", "wristband.seen"} <= {event["type"] for event in found}
    promised.check_all(found)


def test_what_was_not_promised_is_found(office, city):
    event, = city.wait_for("box.started")
    promised.check(event)
    for change in (lambda e: e["data"].update(after="lunch"), lambda e: e["data"].pop("log"),
                   lambda e: e["data"].update(more=1), lambda e: e.pop("salt"),
                   lambda e: e.update(sequence="1"), lambda e: e.update(specversion="0.3")):
        wrong = copy.deepcopy(event)
        change(wrong)
        with pytest.raises(jsonschema.ValidationError):
            promised.check(wrong)
    with pytest.raises(AssertionError):
        promised.check(dict(event, lane="alarm"))


def test_each_schema_is_one_and_is_that_of_the_asyncapi_document():
    schemas = promised.document()["components"]["schemas"]
    folder = os.path.join(town.ROOT, "docs", "schemas")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as text:
            schema = json.load(text)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema.pop("$id") == "urn:outpost:event:" + name.removesuffix(".json")
        schema.pop("$schema")
        assert schema == schemas[name.removesuffix(".json")]
