-- counter - a backlog of numbered readings, and an alarm twice a second: for the outage of the peers.
--
-- Number and readings commit together, so that after a kill the counting goes on where the journal
-- ends, and every number that was said to be acknowledged is in it.
local schema = require "schema"

local reading = schema.record {
    n = schema.integer { doc = "counts from 1", min = 1 },
    raw = schema.text { doc = "as large as a reading is", max = 400 },
}

local plugin = {
    api = 1,
    name = "counter",
    summary = "Counts, for a comparison.",
    needs = {},
    config = schema.record {
        count = schema.integer { doc = "so many readings, then only alarms", min = 1, max = 10000000 },
        batch = schema.integer { doc = "readings in a transaction", min = 1, max = 200, default = 100 },
    },
    events = {
        ["counter.reading"] = { lane = "telemetry", doc = "a number", data = reading },
        ["counter.alarm"] = { lane = "alarm", doc = "a number", data = reading },
    },
}

local RAW = ("x"):rep(300)

local function emit(host, kind, key)
    local n = (host.store.get(key) or 0) + 1
    host.store.put(key, n)
    host.emit { type = kind, data = { n = n, raw = RAW } }
    return n
end

local function count(host, config)
    local n = host.store.get("n") or 0
    while n < config.count do
        for _ = 1, math.min(config.batch, config.count - n) do
            n = emit(host, "counter.reading", "n")
        end
        host.commit()
    end
    host.log.info("acked %d", n)
end

function plugin.start(host, config)
    host.every("500ms", function() emit(host, "counter.alarm", "alarms") end)
    host.after("0ms", function() count(host, config) end)
    return {}
end

return plugin
