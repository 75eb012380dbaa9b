"""promised - whether events are what docs/asyncapi.yaml says of them.

Every story that has a city is checked by this at its end: the envelope, the lane a type may come in, and
the data by the type's schema. Of each type at most EACH events, for some stories make thousands.
"""
import collections
import functools
import os

import jsonschema
import yaml

import town

EACH = 25
SCHEMAS = "#/components/schemas/"


@functools.lru_cache(None)
def document():
    with open(os.path.join(town.ROOT, "docs", "asyncapi.yaml"), encoding="utf-8") as text:
        return yaml.safe_load(text)


@functools.lru_cache(None)
def validator(name):
    return jsonschema.Draft7Validator({"$ref": SCHEMAS + name},
                                      resolver=jsonschema.RefResolver.from_schema(document()))


@functools.lru_cache(None)
def types_of(lane):
    *_, kinds = document()["components"]["schemas"][lane + "Event"]["allOf"]
    return {kind["properties"]["type"]["const"] for kind in kinds["oneOf"]}


def is_ours(event):
    """A story's own plugins promise nothing here, nor does a keeper in memory (sim/fake_keeper.py)."""
    plugin = event["source"].split("/")[2]
    return not event["type"].startswith("test.") and (
        plugin == "keeper" or os.path.isdir(os.path.join(town.ROOT, "plugins", plugin)))


def check(event):
    validator("event").validate(event)
    assert event["type"] in types_of(event["lane"]), f"{event['type']} in lane {event['lane']}"
    validator(event["type"]).validate(event["data"])


def check_all(events):
    seen = collections.Counter()
    for event in events:
        seen[event["type"]] += 1
        if seen[event["type"]] <= EACH and is_ours(event):
            check(event)
