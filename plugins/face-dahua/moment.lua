-- moment - the times of a terminal: seconds or milliseconds since 1970, or local text. Pure.
local time = require "time"
local trim = require "trim"

local moment = {}

local MILLISECONDS = 100000000000 -- no second before the year 5138 is that great

local function of_number(number)
    local seconds = number >= MILLISECONDS and number / 1000 or number
    seconds = seconds % 1 == 0 and math.tointeger(seconds) or seconds
    return time.unix(seconds) and seconds or nil
end

-- "2026-5-1 8:00:00" and "2026/05/01 08:00:00" are seen, too.
local function of_text(text, offset)
    local year, month, day, hour, rest = trim(text):match(
        "^(%d%d%d%d)[-/.](%d%d?)[-/.](%d%d?)[T ]+(%d%d?):(.*)$")
    if not year then
        return nil
    end
    return (time.parse(("%s-%02d-%02dT%02d:%s"):format(year, tonumber(month), tonumber(day),
        tonumber(hour), rest), offset))
end

-- Seconds UTC of what a field says, or nil when it says nothing: 0, "", a clock that was never set.
-- Texts are those of a clock `offset` minutes east.
function moment.read(value, offset)
    if type(value) == "number" then
        return of_number(value)
    elseif type(value) ~= "string" or #value > 40 then
        return nil
    elseif value:find("^%d+%.?%d*$") then
        return of_number(tonumber(value))
    end
    return of_text(value, offset)
end

return moment
