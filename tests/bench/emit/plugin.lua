-- emit - emits as much as becomes durable: some handlers, each a commit of a hundred events. For the
-- bench only.
local schema = require "schema"

local EVENTS, PAD = 100, ("x"):rep(340)

local plugin = {
    api = 1,
    name = "emit",
    summary = "As many events as the journal takes.",
    needs = {},
    config = schema.record { handlers = schema.integer { doc = "commits at once", min = 1 } },
    events = {
        ["bench.reading"] = { lane = "telemetry", doc = "a reading", data = schema.record {
            band = schema.text { doc = "the band" },
            rssi = schema.integer { doc = "how it is heard", unit = "dBm" },
            raw = schema.text { doc = "the registers", max = 400 },
        } },
    },
}

local function emit_some(host)
    for i = 1, EVENTS do
        host.emit { type = "bench.reading", subject = "device/wristband/B-0193",
            data = { band = "B-0193", rssi = -71 - i % 9, raw = PAD } }
    end
end

function plugin.start(host, config)
    for _ = 1, config.handlers do
        host.every("1ms", function() emit_some(host) end)
    end
    return {}
end

return plugin
