-- moment - the time as web servers say it: "Sat, 21 Nov 2026 03:04:05 GMT". Pure.
--
-- Old ones say it in the two other forms of RFC 9110, and some with an offset for GMT.
local time = require "time"

local moment = {}

local MONTHS = { jan = 1, feb = 2, mar = 3, apr = 4, may = 5, jun = 6, jul = 7, aug = 8, sep = 9,
    oct = 10, nov = 11, dec = 12 }
local ZONES = { GMT = "Z", UTC = "Z", Z = "Z" }

-- Day, month, year, clock, zone as they stand there.
local function pieces(text)
    local day, month, year, clock, zone = text:match
        "^%a+,%s*(%d%d?)[ -](%a%a%a)[ -](%d+) (%d%d?:%d%d:%d%d) ([%w+-]+)%s*$"
    if day then
        return day, month, year, clock, zone
    end
    month, day, clock, year = text:match "^%a%a%a (%a%a%a) +(%d%d?) (%d%d:%d%d:%d%d) (%d%d%d%d)%s*$"
    return day, month, year, clock, "GMT"
end

-- Seconds UTC, or nil when it is none.
function moment.of_web(text)
    local day, month, year, clock, zone = pieces(text or "")
    local number = MONTHS[(month or ""):lower()]
    if not number or #year ~= 4 and #year ~= 2 then
        return nil
    end
    return (time.read(("%s%s-%02d-%02dT%s%s"):format(#year == 2 and "20" or "", year, number,
        tonumber(day), clock, ZONES[zone:upper()] or zone)))
end

return moment
