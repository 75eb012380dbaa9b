-- storage - how much room the journal and the blobs may take, and what of it is kept for what
-- matters.
local schema = require "schema"

local storage = {}

local function size(doc, default)
    return schema.text { doc = doc, max = 16, default = default, pattern = "^%d+[MG]B$",
        expects = 'a size such as "512MB" or "4GB"' }
end

storage.schema = schema.record {
    quota = size("what the journal may take on disk, at least 64MB", "4GB"),
    reserve = size("the part of it that only alarms and records may use: 8MB to a quarter", "64MB"),
    keep = schema.record({
        telemetry = schema.duration { doc = "how long telemetry stays that the city has, while "
            .. "there is room", default = "7d" },
    }, { default = {} }),
    blobs = schema.record({
        quota = size("what pictures, clips and captures may take beside it, at least 16MB", "4GB"),
        reserve = size("the part of it that only important ones and those of a case may use: at "
            .. "most half", "256MB"),
    }, { default = {} }),
}

local BYTES = { MB = 1 << 20, GB = 1 << 30 }
local LEAST_QUOTA, LEAST_RESERVE, MOST_QUOTA = 64 * BYTES.MB, 8 * BYTES.MB, 65536 * BYTES.GB
local LEAST_BLOBS = 16 * BYTES.MB

-- "512MB" -> 536870912; what is beyond every bound becomes the largest number.
local function bytes(text)
    local number, unit = text:match("^(%d+)(%uB)$")
    return math.tointeger(tonumber(number) * BYTES[unit]) or math.maxinteger
end

-- What does not fit together: a list of { setting =, text = }.
function storage.faults(settings)
    local quota, reserve = bytes(settings.quota), bytes(settings.reserve)
    local faults = {}
    if quota < LEAST_QUOTA or quota > MOST_QUOTA then
        faults[1] = { setting = "quota",
            text = ('expected 64MB to 65536GB, got "%s"'):format(settings.quota) }
    elseif reserve < LEAST_RESERVE or reserve > quota // 4 then
        faults[1] = { setting = "reserve",
            text = ('expected 8MB to a quarter of quota ("%s"), got "%s"'):format(settings.quota,
                settings.reserve) }
    end
    local most, kept = bytes(settings.blobs.quota), bytes(settings.blobs.reserve)
    if most < LEAST_BLOBS or most > MOST_QUOTA then
        faults[#faults + 1] = { setting = "blobs.quota",
            text = ('expected 16MB to 65536GB, got "%s"'):format(settings.blobs.quota) }
    elseif kept > most // 2 then
        faults[#faults + 1] = { setting = "blobs.reserve",
            text = ('expected at most half of blobs.quota ("%s"), got "%s"'):format(
                settings.blobs.quota, settings.blobs.reserve) }
    end
    return faults
end

-- The settings as the machine counts: bytes and milliseconds.
function storage.resolve(settings)
    return { quota = bytes(settings.quota), reserve = bytes(settings.reserve),
        keep = { telemetry = settings.keep.telemetry },
        blobs = { quota = bytes(settings.blobs.quota),
            reserve = bytes(settings.blobs.reserve) } }
end

return storage
