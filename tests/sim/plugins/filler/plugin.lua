-- filler - fills a journal with the readings of thirty bands, always the same ones.
local schema = require "schema"

local plugin = {
    api = 1,
    name = "filler",
    summary = "Fills a journal for stories.",
    config = schema.record {
        count = schema.integer { doc = "so many readings", min = 0, max = 100000000,
            default = 20000 },
        awaits = schema.integer { doc = "it waits for whoever alarms about batteries of so much or "
            .. "less, so that alarms come soon", min = -1, max = 100, default = -1 },
        batch = schema.integer { doc = "so many at once", min = 1, max = 200, default = 200 },
    },
    events = {
        ["bench.reading"] = { lane = "telemetry", doc = "what a band says",
            data = schema.record { band = schema.text {}, battery = schema.integer {} } },
    },
}

local DUE = 20 -- alarms that may be under way

-- 0 to 100, as if by chance: the high bits of a linear congruential generator.
local function battery_of(number)
    return (number * 1103515245 + 12345 >> 8) % 101
end

local function fill(self)
    for _ = 1, math.min(self.batch, self.count - self.done) do
        local battery = battery_of(self.done)
        self.host.emit { type = "bench.reading",
            subject = ("device/wristband/B-%04d"):format(self.done % 30),
            data = { band = ("B-%04d"):format(self.done % 30), battery = battery } }
        self.due = self.due + (battery <= self.awaits and 1 or 0)
        self.done = self.done + 1
    end
    self.host.store.put("done", self.done)
end

function plugin.start(host, config)
    local self = { host = host, count = config.count, batch = config.batch,
        awaits = config.awaits, due = 0, done = host.store.get "done" or 0 }
    host.on("threshold.low", function() self.due = self.due - 1 end)
    host.every("10ms", function()
        if self.done < self.count and self.due <= DUE then
            fill(self)
        end
    end)
    return self
end

return plugin
