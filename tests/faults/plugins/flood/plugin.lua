-- flood - much telemetry that does not compress, and a few alarms and records between; for tests of quotas.
local schema = require "schema"

local number = schema.integer { doc = "counts from 1", min = 1 }

local plugin = {
    api = 1,
    name = "flood",
    summary = "Fills the journal, for tests of quotas.",
    needs = {},
    config = schema.record {
        count = schema.integer { doc = "so many events, then rest", min = 1, max = 1000000 },
        group = schema.integer { doc = "so many in a commit", min = 1, max = 64, default = 8 },
        bytes = schema.integer { doc = "of each telemetry event, about", min = 8, max = 50000 },
    },
    events = {
        ["flood.reading"] = {
            lane = "telemetry",
            doc = "most of them",
            data = schema.record { n = number, text = schema.text { doc = "noise", max = 50000 } },
        },
        ["flood.record"] = { lane = "record", doc = "each 16th", data = schema.record { n = number } },
        ["flood.alarm"] = { lane = "alarm", doc = "each 100th", data = schema.record { n = number } },
    },
}

local function noise(bytes)
    local words = {}
    for i = 1, bytes // 8 do
        words[i] = string.format("%08x", math.random(0, 0xffffffff))
    end
    return table.concat(words)
end

local function emit(host, n, bytes)
    if n % 100 == 0 then
        host.emit { type = "flood.alarm", data = { n = n } }
    elseif n % 16 == 0 then
        host.emit { type = "flood.record", data = { n = n } }
    else
        host.emit { type = "flood.reading", data = { n = n, text = noise(bytes) } }
    end
end

function plugin.start(host, config)
    local n = host.store.get("n") or 0
    while n < config.count do
        n = n + 1
        emit(host, n, config.bytes)
        if n % config.group == 0 or n == config.count then
            host.store.put("n", n)
            host.commit()
        end
    end
    return {}
end

return plugin
