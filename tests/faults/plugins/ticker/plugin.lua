-- ticker - counts, and says aloud what the keeper has acknowledged; for tests of the journal.
--
-- Number and event commit together: after any crash the numbers in the journal have no hole and
-- none twice, and none that was said aloud is missing.
local schema = require "schema"

local SAID = 50 -- the last so many: the host lets no plugin flood the log

local tick = schema.record { n = schema.integer { doc = "counts from 1", min = 1 } }

local plugin = {
    api = 1,
    name = "ticker",
    summary = "Counts, for tests of the journal.",
    needs = {},
    config = schema.record {
        count = schema.integer { doc = "so many ticks, then rest", min = 1, max = 1000000 },
        group = schema.integer { doc = "ticks in a commit", min = 1, max = 100, default = 1 },
        pause = schema.duration { doc = "rest between two commits", default = "0s" },
    },
    events = {
        ["ticker.tick"] = { lane = "record", doc = "a number", data = tick },
        ["ticker.alarm"] = { lane = "alarm", doc = "every eighth number", data = tick },
        ["ticker.reading"] = { lane = "telemetry", doc = "two of eight numbers", data = tick },
    },
}

local function kind_of(n)
    return n % 8 == 0 and "ticker.alarm" or n % 4 == 2 and "ticker.reading" or "ticker.tick"
end

local function count_one(host)
    local n = (host.store.get("n") or 0) + 1
    host.store.put("n", n)
    host.emit { type = kind_of(n), data = { n = n } }
    return n
end

function plugin.start(host, config)
    for i = 1, config.count do
        local n = count_one(host)
        if i % config.group == 0 or i == config.count then
            host.commit()
            if config.count - i < SAID then
                host.log.info("acked %d", n)
            end
            if config.pause > 0 then
                host.sleep(config.pause)
            end
        end
    end
    return {}
end

return plugin
