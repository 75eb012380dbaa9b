-- duration - times as people write them ("250ms", "1s", "5m", "2h", "1d") and as the machine
-- counts them (whole milliseconds).
local duration = {}

local UNITS = {
    { name = "d", ms = 86400000 },
    { name = "h", ms = 3600000 },
    { name = "m", ms = 60000 },
    { name = "s", ms = 1000 },
    { name = "ms", ms = 1 },
}

local MAX_MS = 100 * 366 * 86400000 -- a century; also keeps every sum exact

local function unit_ms(name)
    for _, unit in ipairs(UNITS) do
        if unit.name == name then
            return unit.ms
        end
    end
    return nil
end

-- "1.5s" -> 1500. nil for anything that is not a number with a unit, or not whole milliseconds.
function duration.parse(text)
    if type(text) ~= "string" or #text > 24 then
        return nil
    end
    local digits, name = text:match("^(%d+%.?%d*)(%l+)$")
    local unit = name and unit_ms(name)
    local number = unit and tonumber(digits)
    if not number then
        return nil
    end
    return math.tointeger(number * unit <= MAX_MS and number * unit)
end

-- 90000 -> "90s": the largest unit that needs no fraction.
function duration.format(ms)
    for _, unit in ipairs(UNITS) do
        if ms % unit.ms == 0 and ms >= unit.ms then
            return ("%d%s"):format(ms // unit.ms, unit.name)
        end
    end
    return ("%dms"):format(ms)
end

return duration
