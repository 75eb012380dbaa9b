-- attlog - one line of table ATTLOG: who stood before the terminal, and when. Pure.
--
--   PIN \t 2026-08-20 11:27:27 \t status \t verify [\t workcode \t ... up to 12 fields and more]
--
-- Behind the seventh field stand, by firmware: mask, temperature (twice), in the eleventh the
-- offset of the clock in seconds ("+28800") or the terminal's number of the record, a Base64 text;
-- or the number of a citizen's card and 0 or 1 (terminals that compare persons with their cards);
-- or as the last one the number of the record. Some write the word ATTLOG before it all, some have
-- blanks between the fields.
local codes = require "codes"
local lines = require "lines"
local time = require "time"

local attlog = {}

local PIN_MOST = 64
local NUMBERED = 11 -- the field that is nothing else than a number of the record, or an offset
local COUNTER_LEAST = 256 -- below it the last of fewer fields may be a mask or a temperature

local function is_card_number(text)
    return text ~= nil and text:find "^%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d[%dXx]$" ~= nil
end

-- The offset of field 11, in minutes, or nil.
local function own_offset(fields)
    local sign, count = (fields[11] or ""):match "^([+-])(%d%d?%d?%d?%d?)$"
    local seconds = sign and tonumber(count)
    if not seconds or seconds % 60 ~= 0 or seconds > 14 * 3600 then
        return nil
    end
    return (sign == "-" and -1 or 1) * (seconds // 60)
end

local function counter_of(fields)
    local last = #fields
    while last > 7 and fields[last] == "" do
        last = last - 1
    end
    local number = last > 7 and lines.whole(fields[last])
    local least = last == NUMBERED and 1 or COUNTER_LEAST
    return number and number >= least and number or nil
end

-- What a comparison of a person with his card came to; nil for an ordinary record.
local function check_of(fields, compares)
    if not (compares and #fields == 9 or is_card_number(fields[8])) or fields[9] ~= "1" then
        return nil
    end
    return ({ ["0"] = "passed", ["1"] = "failed", ["2"] = "blocked" })[fields[3]] or "unknown"
end

-- The day as eight digits, by the terminal's clock. `told` is a time that was read.
function attlog.day(told)
    return told:sub(1, 4) .. told:sub(6, 7) .. told:sub(9, 10)
end

local STRICT = "^%d%d%d%d%-%d%d%-%d%d[ T]%d%d:%d%d:%d%d$"
local LAX = "^(%d%d%d%d)[-/](%d%d?)[-/](%d%d?)[ T](%d%d?):(%d%d?):(%d%d?)$"

-- The time as most terminals write it, or nil: "2026/8/20 9:05:03" is 2026-08-20 09:05:03.
local function usual(told)
    if told:find(STRICT) then
        return told
    end
    local year, month, day, hour, min, sec = told:match(LAX)
    return year and ("%s-%02d-%02d %02d:%02d:%02d"):format(year, tonumber(month), tonumber(day),
        tonumber(hour), tonumber(min), tonumber(sec))
end

-- The fields of a line; one without tabs has blanks between them, and one in its time.
local function fields_of(line)
    line = line:gsub("^ATTLOG[ \t]+", "")
    if not line:find("\t", 1, true) then
        local pin, day, clock, rest = line:match(
            "^%s*(%S+) +(%d+%-%d+%-%d+)[ T](%d+:%d+:%d+) +(.*)$")
        line = pin and ("%s\t%s %s\t%s"):format(pin, day, clock, rest:gsub(" +", "\t")) or line
    end
    return lines.fields(line)
end

-- { pin =, time = seconds UTC, told =, day =, status =, verify = (texts), counter =, check = }, or
-- nil and "malformed" or "bad_time". `offset` is the terminal's, in minutes; `compares` says that
-- the terminal compares persons with their cards.
function attlog.row(line, offset, compares)
    local fields = fields_of(line)
    local pin, told = fields[1], usual(fields[2] or "")
    if #fields < 4 or pin == "" or #pin > PIN_MOST then
        return nil, "malformed"
    end
    local shifted = own_offset(fields)
    local seconds = told and time.parse(told, shifted or offset)
    if not seconds then
        return nil, "bad_time"
    end
    return { pin = pin, time = seconds, told = told, day = attlog.day(told), status = fields[3],
        verify = fields[4], counter = counter_of(fields), check = check_of(fields, compares) }
end

-- The same record again has the same key, whatever else stands in its line.
function attlog.key(row)
    return ("%s\n%s\n%s\n%s"):format(row.pin, row.told, row.verify, row.counter or "")
end

local CHECKS = {
    failed = { "rejected", "mismatch" }, blocked = { "rejected", "blocked" }, unknown = { "other" },
    passed = { "verified" },
}
local CHECK_METHODS = { ["1"] = "face", ["2"] = "face+fingerprint", ["3"] = "fingerprint+face" }

local function numbers(row)
    return { status = lines.whole(row.status), verify = lines.whole(row.verify) }
end

-- The record for checkin, without terminal and raw.
function attlog.record(row)
    local check = CHECKS[row.check] or { "verified" }
    return { what = check[1], reason = check[2], time = row.time, told = row.told,
        person = row.pin ~= "0" and row.pin or nil, serial = row.counter, codes = numbers(row),
        method = row.check and CHECK_METHODS[row.verify] or not row.check
            and codes.method(row.verify) or nil }
end

return attlog
