"""replays - an office that has raised alarms over a journal, and what those must have been."""
import json
import os
import shutil

import town
import updates

LOW, LOWER = 5, 3
URL = "modbus-tcp://10.0.0.9"
PLUGINS = os.path.join(town.ROOT, "tests", "sim", "plugins")
INSTANCES = ('plugin "filler" "filler" {{ count = {count}, batch = {batch}, awaits = {awaits} }}\n'
             'plugin "threshold" "low" {{ low = {low}, url = "%s" }}\n' % URL)
# Programs with the small bounds of a test take few events at once.
BATCH = 12 if os.path.basename(town.BUILD).split("-")[0] in ("asan", "test") else 200
LIMITS = 'limits { messages = 1000000, bytes = "1024MB" }\n'


class Office(updates.UpdatedOffice):
    """An office whose plugins are those of tests/sim/plugins."""

    def __init__(self, folder, count, awaits=LOW):
        installed = updates.Installed(os.path.join(str(folder), "programs"), ())
        for name in ("filler", "threshold"):
            shutil.copytree(os.path.join(PLUGINS, name),
                            os.path.dirname(installed.path(name)))
        super().__init__(os.path.join(str(folder), "office"), installed,
                         plugins=LIMITS + INSTANCES.format(count=count, batch=BATCH, low=LOW, awaits=awaits))

    def counts(self):
        types = [event["type"] for event in self.events()]
        return types.count("bench.reading"), types.count("threshold.low")

    def events(self):
        done = self.command("events", "--json")
        return [event for event in map(json.loads, done.stdout.splitlines()) if "type" in event]

    def config_with(self, low):
        return self.config_changed(f"low = {LOW}", f"low = {low}")

    def config_changed(self, old, new):
        path = os.path.join(os.path.dirname(self.config), "other.lua")
        with open(self.config, encoding="utf-8") as file:
            text = file.read()
        assert old in text
        with open(path, "w", encoding="utf-8") as out:
            out.write(text.replace(old, new))
        return path

    def try_it(self, *more, expect):
        return town.run(self.installed.outpost, "try", *more, "--state", self.state, expect=expect)


def low_of(events, low):
    """What the plugin has to say about these readings, told without it: (subject, band, battery, seq)."""
    return [(event["subject"], event["data"]["band"], event["data"]["battery"], int(event["sequence"]))
            for event in events
            if event["type"] == "bench.reading" and event["data"]["battery"] <= low]


def as_told(data, subject):
    return (subject, data["band"], data["battery"], data["seq"])
