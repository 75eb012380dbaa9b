-- limits - how much each plugin instance may say to the journal in a second.
local schema = require "schema"

local limits = {}

limits.schema = schema.record {
    messages = schema.integer { doc = "events, store writes and questions a second", min = 200,
        max = 1000000, default = 2000 },
    bytes = schema.text { doc = 'what they hold, a second: "64KB" to "1024MB"', max = 16,
        default = "2MB", pattern = "^%d+[KM]B$", expects = 'a size such as "512KB" or "2MB"' },
}

local BYTES = { KB = 1 << 10, MB = 1 << 20 }
local LEAST, MOST = 64 * BYTES.KB, 1024 * BYTES.MB

local function bytes(text)
    local number, unit = text:match("^(%d+)(%uB)$")
    return math.tointeger(tonumber(number) * BYTES[unit]) or math.maxinteger
end

-- What does not fit together: a list of { setting =, text = }.
function limits.faults(settings)
    local size = bytes(settings.bytes)
    if size >= LEAST and size <= MOST then
        return {}
    end
    return { { setting = "bytes",
        text = ('expected 64KB to 1024MB, got "%s"'):format(settings.bytes) } }
end

-- The settings as the machine counts.
function limits.resolve(settings)
    return { messages = settings.messages, bytes = bytes(settings.bytes) }
end

return limits
