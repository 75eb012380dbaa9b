-- moment - the time as web servers say it: "Sat, 21 Nov 2026 03:04:05 GMT". Pure.
local time = require "time"

local moment = {}

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9,
    Oct = 10, Nov = 11, Dec = 12 }

-- Seconds UTC, or nil when it is none.
function moment.of_web(text)
    local day, month, year, clock = (text or ""):match
        "^%a%a%a, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d:%d%d:%d%d) GMT$"
    if not MONTHS[month or ""] then
        return nil
    end
    return (time.parse(("%s-%02d-%sT%sZ"):format(year, MONTHS[month], day, clock)))
end

return moment
