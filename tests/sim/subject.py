"""subject - a plugin made for a test of `outpost test`, its tests, and their run."""
import town

URL = "modbus-tcp://10.0.0.9"

PLUGIN = """
local schema = require "schema"
local plugin = {
    api = 1, name = "subject", summary = "Made for a test.", needs = { "modbus" },
    config = schema.record {
        url = schema.text { default = "%s" },
        poll = schema.duration { default = "1s", min = "100ms" },
    },
    events = {
        ["subject.changed"] = { lane = "alarm",
            data = schema.record { value = schema.integer {} } },
        ["subject.heard"] = { lane = "record", data = schema.record { n = schema.integer {} } },
    },
}
function plugin.start(host, config)
    local self = { host = host, bus = assert(host.modbus.open(config.url)) }
%s
    return self
end
return plugin
"""

# Reads a register; a change is told once, stored, and only then acknowledged in register 1.
GOOD = """
    host.every(config.poll, function()
        local words = self.bus:read_holding(0, 1)
        local known = host.store.get "value"
        if words and words[1] ~= known then
            host.emit { type = "subject.changed", data = { value = words[1] } }
            host.store.put("value", words[1])
            host.commit()
            self.bus:write_register(1, words[1])
        end
    end)
"""

TEST = """
local t = require "testing"
local URL = "%s"
local function begin(options)
    local device = t.modbus { holding = { [0] = 5, [1] = 0 } }
    options = options or {}
    options.devices = { [URL] = device }
    return t.office(options), device
end
%s
return t.finish()
"""


def write(tmp_path, start, tests, plugin=PLUGIN):
    folder = tmp_path / "subject"
    (folder / "test").mkdir(parents=True, exist_ok=True)
    (folder / "plugin.lua").write_text(plugin % (URL, start))
    (folder / "test" / "subject_test.lua").write_text(TEST % (URL, tests))
    return folder


def run(tmp_path, start, tests, *options, expect=None, plugin=PLUGIN):
    folder = write(tmp_path, start, tests, plugin)
    return town.run(town.OUTPOST, "test", str(folder), *options, expect=expect)


def last(done):
    return done.stdout.splitlines()[-1]
