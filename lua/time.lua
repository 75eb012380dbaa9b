-- time - moments as devices write them and as events keep them: seconds since 1970 in UTC.
--
--   time.parse("2026-11-21T11:04:05.5+08:00")        1795230245.5
--   time.parse("2026-11-21 11:04:05", 480)           1795230245     a device's local time
--   time.read("2026/11/21 9:04:05", 480)             1795223045     whoever wrote it
--   time.format(1795230245.5)                        "2026-11-21T03:04:05.500Z"
--   time.format(1795230245.5, 480)                   "2026-11-21T11:04:05.500+08:00"
--
-- An offset is whole minutes east of Greenwich: 480 in China. Strict: what is read lies in the
-- years 2000 to 2099 and is a moment that a calendar and a clock show (no 30 February, no 24:00,
-- no second 60). What is none answers nil and says what was expected. No clock, no zones, no
-- summer time: who knows the device knows its offset.
local bcd = require "bcd"

local time = {}

local FIRST_YEAR, LAST_YEAR = 2000, 2099
local FIRST, LAST = 946684800, 4102444799 -- 2000-01-01T00:00:00Z, 2099-12-31T23:59:59Z
local OFFSET_MAX = 14 * 60
local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function show(value)
    return type(value) == "string" and ('"%s"'):format(value:sub(1, 40):gsub("%c", "?"))
        or tostring(value)
end

local function refuse(expected, value)
    return nil, ("expected %s, got %s"):format(expected, show(value))
end

-- Year, month, day of a day number (0 is 1970-01-01), proleptic Gregorian calendar: years begin
-- in March, so that the leap day is the last of its year.
local function civil(days)
    local shifted = days + 719468
    local era = shifted // 146097
    local of_era = shifted - era * 146097
    local year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    local of_year = of_era - (365 * year + year // 4 - year // 100)
    local month = (5 * of_year + 2) // 153
    local day = of_year - (153 * month + 2) // 5 + 1
    month = month < 10 and month + 3 or month - 9
    return year + era * 400 + (month <= 2 and 1 or 0), month, day
end

-- The day number of a day: civil() turned round.
local function day_number(year, month, day)
    local shifted = month <= 2 and year - 1 or year
    local of_era = shifted % 400
    local of_year = (153 * (month > 2 and month - 3 or month + 9) + 2) // 5 + day - 1
    return shifted // 400 * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
end

-- 2000 to 2099: each fourth year is one.
local function days_of(year, month)
    return month == 2 and year % 4 == 0 and 29 or DAYS[month]
end

local function is_offset(offset)
    return math.type(offset) == "integer" and offset >= -OFFSET_MAX and offset <= OFFSET_MAX
end

local function check_offset(offset)
    if not is_offset(offset) then
        error(("an offset is minutes, -%d to %d, got %s"):format(OFFSET_MAX, OFFSET_MAX,
            show(offset)), 3)
    end
    return offset
end

local NUMBERS = {
    { "year", FIRST_YEAR, LAST_YEAR }, { "month", 1, 12 }, { "day", 1, 31 }, { "hour", 0, 23 },
    { "min", 0, 59 }, { "sec", 0, 59 },
}

-- What is no moment of these numbers, or nil.
local function fault_of(fields)
    for _, row in ipairs(NUMBERS) do
        local name, least, most = row[1], row[2], row[3]
        local number = fields[name]
        local whole = math.type(number) == "integer" or name == "sec" and type(number) == "number"
        if not whole or not (number >= least and number < most + 1) then
            return ("%s: expected %d to %d, got %s"):format(name, least, most, show(number))
        end
    end
    if fields.day > days_of(fields.year, fields.month) then
        return ("day: expected a day of %04d-%02d, got %d"):format(fields.year, fields.month,
            fields.day)
    end
    return nil
end

-- The seconds of { year, month, day, hour, min, sec }, which a clock with that offset shows.
-- `sec` may have a fraction. nil and what is wrong when it is no moment.
function time.seconds(fields, offset)
    local fault = fault_of(fields)
    if fault then
        return nil, fault
    end
    return (day_number(fields.year, fields.month, fields.day) * 24 + fields.hour) * 3600
        + (fields.min - check_offset(offset or 0)) * 60 + fields.sec
end

-- { year, month, day, hour, min, sec } that a clock with that offset shows at a moment; `sec` is
-- whole.
function time.fields(seconds, offset)
    local shown = math.floor(seconds) + check_offset(offset or 0) * 60
    local year, month, day = civil(shown // 86400)
    local of_day = shown % 86400
    return { year = year, month = month, day = day, hour = of_day // 3600,
        min = of_day // 60 % 60, sec = of_day % 60 }
end

local OFFSET = 'an offset such as "+08:00", "Z" or "CST-8:00:00"'

-- "+08:00", "+0800" and "+08" as 480, "Z" as 0; nil for anything else.
local function iso_offset(text)
    if text == "Z" or text == "z" then
        return 0
    end
    local whole = #text == 3 and text .. ":00" or text
    local sign, hours, minutes = whole:match("^([+-])(%d%d):?(%d%d)$")
    if not sign or tonumber(minutes) > 59 then
        return nil
    end
    local count = tonumber(hours) * 60 + tonumber(minutes)
    return sign == "-" and -count or count
end

-- As POSIX writes a zone, west counted up: "CST-8:00:00" is 480. Without summer time.
local function posix_offset(text)
    local sign, hours, rest = text:match("^%a%a%a+([+-]?)(%d%d?)(.*)$")
    local minutes = rest == "" and "00" or rest and rest:match("^:(%d%d)$")
        or rest and rest:match("^:(%d%d):00$")
    if not minutes or tonumber(minutes) > 59 then
        return nil
    end
    local count = tonumber(hours) * 60 + tonumber(minutes)
    return sign == "-" and count or -count
end

-- The minutes that a text says: ISO 8601 or the POSIX zone of an access terminal.
function time.offset(text)
    local offset = type(text) == "string" and (iso_offset(text) or posix_offset(text))
    if not is_offset(offset) then
        return refuse(OFFSET, text)
    end
    return offset
end

local MOMENT = "a time such as 2026-11-21T03:04:05Z"

local SHAPES = {
    "^(%d%d%d%d)%-(%d%d)%-(%d%d)[T ](%d%d):(%d%d):(%d%d)(.*)$",
    "^(%d%d%d%d)(%d%d)(%d%d)T(%d%d)(%d%d)(%d%d)(.*)$",
}

-- The six numbers and what follows the seconds.
local function read_digits(text)
    for _, shape in ipairs(SHAPES) do
        local year, month, day, hour, minute, second, rest = text:match(shape)
        if year then
            return { year = tonumber(year), month = tonumber(month), day = tonumber(day),
                hour = tonumber(hour), min = tonumber(minute), sec = tonumber(second) }, rest
        end
    end
end

-- ISO 8601, long (2026-11-21T03:04:05, also with a blank for the T) or short (20261121T030405),
-- with or without a fraction. One without an offset of its own needs `offset`, that of the device;
-- with one it is not looked at. The answer is a whole number when there is no fraction.
function time.parse(text, offset)
    if type(text) ~= "string" or #text > 40 then
        return refuse(MOMENT, text)
    end
    local fields, rest = read_digits(text)
    if not fields then
        return refuse(MOMENT, text)
    end
    local fraction, zone = rest:match("^[.,](%d+)(.*)$")
    if zone == nil then
        zone = rest
    end
    if zone ~= "" then
        offset = iso_offset(zone)
        if not is_offset(offset) then
            return refuse(MOMENT, text)
        end
    elseif not offset then
        return refuse("a time with an offset, such as 2026-11-21T03:04:05+08:00", text)
    end
    local seconds, fault = time.seconds(fields, check_offset(offset))
    if not seconds then
        return nil, fault
    end
    return fraction and seconds + tonumber("0." .. fraction) or seconds
end

local LAX = "^(%d%d%d%d)([-/.])(%d%d?)%2(%d%d?)[T ] *(%d%d?):(%d%d?)(.*)$"

-- The same as people and careless devices write it, too: 2026/11/21 9:04:05, 2026-1-2 3:04,
-- 20261121110405. A day comes before its hour and a year before its month, always.
function time.read(text, offset)
    if type(text) ~= "string" or #text > 40 then
        return refuse(MOMENT, text)
    end
    local year, _, month, day, hour, minute, behind = text:match(LAX)
    local second, rest = (behind or ""):match("^:(%d%d?)(.*)$")
    if not year then
        year, month, day, hour, minute, second =
            text:match("^(%d%d%d%d)(%d%d)(%d%d)(%d%d)(%d%d)(%d%d)$")
    end
    if not year then
        return time.parse(text, offset)
    end
    return time.parse(("%s-%02d-%02dT%02d:%02d:%02d%s"):format(year, tonumber(month),
        tonumber(day), tonumber(hour), tonumber(minute), tonumber(second) or 0,
        rest or behind or ""), offset)
end

-- RFC 3339 with milliseconds: in UTC with a Z, or as a clock with that offset shows it.
-- Milliseconds are cut, not rounded, so a text never lies in the future of its moment.
function time.format(seconds, offset)
    local ms = math.floor(seconds * 1000)
    local fields = time.fields(ms // 1000, offset)
    local zone = "Z"
    if offset then
        zone = ("%s%02d:%02d"):format(offset < 0 and "-" or "+", math.abs(offset) // 60,
            math.abs(offset) % 60)
    end
    return ("%04d-%02d-%02dT%02d:%02d:%02d.%03d%s"):format(fields.year, fields.month, fields.day,
        fields.hour, fields.min, fields.sec, ms % 1000, zone)
end

-- Seconds since 1970 as a device says them, as a number or as digits.
function time.unix(value)
    local seconds = value
    if type(value) == "string" then
        seconds = value:find("^%d+%.?%d*$") and #value <= 24 and tonumber(value) or nil
    end
    if type(seconds) ~= "number" or not (seconds >= FIRST and seconds < LAST + 1) then
        return refuse("seconds since 1970, of the years 2000 to 2099", value)
    end
    return seconds
end

-- The six bytes YYMMDDhhmmss at `at` (from 1), two digits each, of a clock with that offset: JT/T
-- 808 says 480. All zeros and the like are no moment.
function time.from_bcd(bytes, at, offset)
    local fields = bcd.time(bytes, at)
    if not fields then
        return refuse("six bytes of digits, YYMMDDhhmmss", (bytes:sub(at, at + 5):gsub(".",
            function(byte) return ("%02X"):format(byte:byte()) end)))
    end
    return time.seconds(fields, check_offset(offset))
end

-- The six bytes of a moment. nil outside the years 2000 to 2099.
function time.to_bcd(seconds, offset)
    local fields = time.fields(seconds, check_offset(offset))
    if fields.year < FIRST_YEAR or fields.year > LAST_YEAR then
        return refuse("a moment of the years 2000 to 2099", seconds)
    end
    return bcd.write(("%02d%02d%02d%02d%02d%02d"):format(fields.year - 2000, fields.month,
        fields.day, fields.hour, fields.min, fields.sec), 6)
end

return time
