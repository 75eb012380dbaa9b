-- update - how a new version of a plugin is tried by `outpost reload`.
local schema = require "schema"

local update = {}

update.schema = schema.record {
    trial = schema.duration {
        doc = "how long a new version is on trial; when it ends, does not answer or stops reading "
            .. "its devices meanwhile, the old one runs again",
        min = "2s", max = "1h", default = "90s",
    },
}

-- Each setting is checked by itself.
function update.faults()
    return {}
end

function update.resolve(settings)
    return { trial = settings.trial }
end

return update
