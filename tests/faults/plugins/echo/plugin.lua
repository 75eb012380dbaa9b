-- echo - says again what numbers the events have that it hears; for tests of numbers.
local schema = require "schema"

local plugin = {
    api = 1,
    name = "echo",
    summary = "Says the sequence of each tick again, for tests of the journal.",
    needs = {},
    config = schema.record {},
    events = {
        ["echo.heard"] = {
            lane = "record",
            doc = "a tick was heard",
            data = schema.record {
                seq = schema.integer { doc = "its number, as the host says it" },
                text = schema.text { doc = "its number, as the event says it" },
                next = schema.integer { doc = "one more" },
            },
        },
    },
}

function plugin.start(host)
    host.on("ticker.*", function(event)
        host.store.put("last", event.seq)
        host.emit {
            type = "echo.heard",
            data = { seq = event.seq, text = event.sequence, next = host.store.get("last") + 1 },
        }
    end)
    return {}
end

return plugin
