-- threshold - raises an alarm when a band's battery is low, for stories about replays.
--
-- Counts what it reads; the count is stored, and told every minute.
local schema = require "schema"

local plugin = {
    api = 1,
    name = "threshold",
    summary = "Alarms about low batteries among the readings of a journal.",
    config = schema.record {
        low = schema.integer { doc = "alarm at this or less", unit = "%", min = 0, max = 100,
            default = 5 },
        types = schema.text { doc = "types of events that are readings", default = "bench.*" },
        url = schema.text { doc = "a device that says whether to alarm", default = "" },
    },
    events = {
        ["threshold.low"] = { lane = "alarm", doc = "a battery is low", data = schema.record {
            band = schema.text {}, battery = schema.integer {}, seq = schema.integer {} } },
        ["threshold.counted"] = { lane = "telemetry", doc = "so many readings so far",
            data = schema.record { count = schema.integer {} } },
    },
}

local function on_reading(self, event)
    local battery = event.data.battery
    self.count = self.count + 1
    if battery and battery <= self.low then
        self.host.emit { type = "threshold.low", subject = event.subject,
            data = { band = event.data.band, battery = battery, seq = event.seq } }
    end
end

function plugin.start(host, config)
    local self = { host = host, low = config.low, count = host.store.get "count" or 0 }
    host.on(config.types, function(event) on_reading(self, event) end)
    host.every("1m", function()
        host.store.put("count", self.count)
        host.emit { type = "threshold.counted", data = { count = self.count } }
    end)
    return self
end

return plugin
