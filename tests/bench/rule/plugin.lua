-- rule - consumes readings and emits a result for each. For the bench of the host only.
local schema = require "schema"
local rule = require "rule"

local plugin = {
    api = 1,
    name = "rule",
    summary = "One small rule on every reading.",
    needs = {},
    config = schema.record { type = schema.text { doc = "of the event that is emitted" } },
    events = {
        ["rule.result"] = { lane = "telemetry", doc = "what the rule says", data = schema.record {
            band = schema.text { doc = "the band" },
            rssi = schema.integer { doc = "how it is heard", unit = "dBm" },
            before = schema.integer { doc = "how it was heard", unit = "dBm" },
            weak = schema.boolean { doc = "below the limit" },
            falls = schema.boolean { doc = "less than before" },
            raw = schema.text { doc = "the registers" },
        } },
        ["rule.plain"] = { lane = "telemetry", doc = "the same, whatever it is", data = schema.any {} },
    },
}

function plugin.start(host, config)
    host.on("bench.reading", rule(host.emit, config.type))
    return {}
end

return plugin
