-- fact - one record of the terminal, whichever way it came, and what it is to checkin. Pure.
--
-- A fact has ISAPI's own words: major, minor, serialNo, frontSerialNo, currentEvent, time,
-- What is "" or 0 because the firmware fills in what it does not have counts as absent when it is
-- translated, not before. Names, cards and addresses go no further than this table.
local codes = require "codes"
local time = require "time"

local fact = {}

local TEXT_MAX = 128
local SERIAL_MAX <const> = 4294967295

-- The digits of a number that is too great for an integer, as they stand in the bytes.
local function digits(raw, name)
    local found
    for number in (raw or ""):gmatch('"' .. name .. '"%s*:%s*(%d+)%s*[,}]') do
        if found and found ~= number then
            return nil -- whose it is, nobody knows
        end
        found = number
    end
    return found
end

-- A number that is no text is one all the same; 0 is what firmware fills in.
local function text(value, raw, name)
    if type(value) == "number" and value ~= 0 then
        local whole = math.tointeger(value)
        value = math.type(value) == "float" and digits(raw, name) or whole and tostring(whole)
    end
    return type(value) == "string" and #value <= TEXT_MAX and value or nil
end

local function integer(value)
    if type(value) == "string" and #value <= 15
        and (value:find "^%d+$" or value:find "^0[xX]%x+$") then
        value = tonumber(value)
    end
    return type(value) == "number" and math.tointeger(value) or nil
end

local function boolean(value)
    if type(value) == "boolean" then
        return value
    end
    return value == "true" or value ~= "false" and nil
end

-- Each word and the names that terminals have for it; the first is the right one.
local WORDS = {
    { integer, "major", "majorEventType", "majorEvent" },
    { integer, "minor", "subEventType", "minorEventType", "subEvent" },
    { integer, "serialNo" }, { integer, "frontSerialNo", "fronSerialNo" },
    { boolean, "currentEvent" },
    { text, "employeeNoString", "employeeNo" }, { text, "name" }, { text, "cardNo" },
    { integer, "doorNo" }, { integer, "cardReaderNo" }, { integer, "picturesNumber" },
    { text, "attendanceStatus" }, { text, "currentVerifyMode" }, { text, "mask" },
    { text, "time", "dateTime" }, { text, "pictureURL" },
}

-- A fact from the object that holds it and, of a push, the one around that; `raw` are its bytes.
-- nil and why when the pair of codes is missing, because then it is nothing.
function fact.read(inner, outer, raw)
    local one = { raw = raw }
    for _, word in ipairs(WORDS) do
        for i = 2, #word do
            local value = word[1](inner[word[i]], raw, word[i])
            if one[word[2]] == nil or (one[word[2]] == "" and value) then
                one[word[2]] = value
            end
        end
    end
    if not one.major or not one.minor then
        return nil, "expected a record with major and minor, got one without"
    end
    if outer then
        one.time = text(outer.dateTime) or one.time
    end
    if one.serialNo and (one.serialNo < 1 or one.serialNo > SERIAL_MAX) then
        one.serialNo = nil
    end
    return one
end

local function filled(value)
    return value ~= nil and value ~= "" and value ~= 0 and value or nil
end

-- Seconds UTC of a time in the terminal's words, or nil and why; `offset` is that of a clock that
-- names none. Some firmware has "+8:00", or a blank before it.
function fact.moment(told, offset)
    return time.read(told:gsub("%s*([+-])(%d):(%d%d)$", "%10%2:%3"):gsub("%s+([+-]%d%d:?%d%d)$",
        "%1"), offset)
end

-- The same of a record.
function fact.seconds(one, offset)
    return one.time and (fact.moment(one.time, offset)) or nil
end

-- What makes a record this one and no other with the same number: codes, moment, person. Written
-- the same whichever way it came.
function fact.identity(one, offset)
    return ("%d.%d.%s.%s"):format(one.major, one.minor,
        fact.seconds(one, offset) or one.time or "", filled(one.employeeNoString) or "")
end

local function what_of(one, meaning)
    if meaning.what ~= "unmatched" then
        return meaning.what, meaning.reason
    end
    return filled(one.employeeNoString) and "rejected" or "unknown_person", "mismatch"
end

-- The record that checkin.meaning() takes. `about` is { terminal =, offset =, sha256 = fn }.
function fact.record(one, about)
    local meaning = codes.meaning(one.major, one.minor)
    local what, reason = what_of(one, meaning)
    return {
        what = what, reason = reason, method = meaning.method, state = meaning.state,
        liveness = reason == "liveness" and "failed" or nil,
        terminal = about.terminal, serial = one.serialNo, told = one.time,
        time = fact.seconds(one, about.offset), live = one.currentEvent,
        person = filled(one.employeeNoString), door = filled(one.doorNo),
        codes = { major = one.major, minor = one.minor },
        raw = one.raw and about.sha256(one.raw) or nil, picture = one.picture,
    }
end

-- Whether somebody has to act on it now, so that it does not wait for older records.
function fact.is_urgent(one)
    local what = codes.meaning(one.major, one.minor).what
    return what == "tamper" or what == "duress"
end

return fact
