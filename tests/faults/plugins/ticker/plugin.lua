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
    },
    events = {
        ["ticker.tick"] = { lane = "record", doc = "a number", data = tick },
        ["ticker.alarm"] = { lane = "alarm", doc = "every eighth number", data = tick },
    },
}

function plugin.start(host, config)
    for i = 1, config.count do
        local n = (host.store.get("n") or 0) + 1
        host.store.put("n", n)
        host.emit { type = n % 8 == 0 and "ticker.alarm" or "ticker.tick", data = { n = n } }
        host.commit()
        if config.count - i < SAID then
            host.log.info("acked %d", n)
        end
    end
    return {}
end

return plugin
