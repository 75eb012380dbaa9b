-- doors - lines of the tables rtlog and rtstate: events at doors, and how the doors are. Pure.
--
--   time=2017-01-10 11:49:32 \t pin=0 \t cardno=0 \t eventaddr=1 \t event=27 \t
--       inoutstatus=1 \t verifytype=0 \t index=21                      (some send ATTLOG's columns)
--   transaction cardno=0 \t pin=0 \t verified=200 \t doorid=1 \t eventtype=100 \t inoutstate=2 \t
--       time_second=548003688 \t index=92                       (the same, when it is asked for)
--   time=2017-01-10 15:42:40 \t sensor=00 \t relay=00 \t alarm=0200000000000000
local attlog = require "attlog"
local codes = require "codes"
local lines = require "lines"
local time = require "time"

local doors = {}

local DOORS_MOST = 8
local SENSORS = { [1] = "closed", [2] = "open" }

-- The values of a line; between some there are blanks and no tabs.
local function values_of(line)
    if not line:find("\t", 1, true) then
        line = line:gsub("%f[ ] +([%a_]+=)", "\t%1")
    end
    return lines.values(line, "\t")
end

-- The time of an event as text; the maker's own counting has months of 31 days.
local function told_of(values)
    local number = lines.whole(values.time_second)
    if values.time or not number then
        return values.time
    end
    local days = number // 86400
    return ("%04d-%02d-%02d %02d:%02d:%02d"):format(2000 + days // 372, days // 31 % 12 + 1,
        days % 31 + 1, number // 3600 % 24, number // 60 % 60, number % 60)
end

-- Whether a line is an event of this form, and not ATTLOG's columns.
function doors.is_event(line)
    return line:find("event=", 1, true) ~= nil or line:find("eventtype=", 1, true) ~= nil
end

-- { time =, told =, day =, pin =, event =, inout =, verify = (text), index =, door = }, or nil and
-- "malformed" or "bad_time".
function doors.event(line, offset)
    local values = values_of((line:gsub("^%s*transaction%s+", "")))
    local event, told = lines.whole(values.event or values.eventtype), told_of(values)
    if not event or not told then
        return nil, "malformed"
    end
    local seconds = time.parse(told, offset)
    if not seconds then
        return nil, "bad_time"
    end
    return { time = seconds, told = told, day = attlog.day(told), pin = values.pin or "",
        event = event, inout = lines.whole(values.inoutstatus or values.inoutstate),
        verify = values.verifytype or values.verified, index = lines.whole(values.index),
        door = lines.whole(values.eventaddr or values.doorid) }
end

function doors.key(event)
    return ("%s\n%s\n%d\n%s\n%s"):format(event.pin, event.told, event.event, event.door or "",
        event.index or "")
end

-- The record for checkin.
function doors.record(event)
    local meaning = codes.event(event.event)
    local someone = event.pin ~= "" and event.pin ~= "0" and event.pin or nil
    return { what = meaning.what, reason = meaning.reason, state = meaning.state, person = someone,
        time = event.time, told = event.told, serial = event.index, door = event.door,
        method = codes.method(event.verify),
        codes = { event = event.event, inout = event.inout,
            verify = event.verify and #event.verify < 4 and lines.whole(event.verify) or nil } }
end

-- { time =, told =, doors = { { alarm = bits, sensor = "closed", "open" or nil }, ... } }, or nil
-- and "malformed" or "bad_time".
function doors.state(line, offset)
    local values = values_of(line)
    local alarm, sensor = values.alarm or "", values.sensor or ""
    if not values.time or alarm == "" and sensor == "" or alarm:find "%X" or sensor:find "%X" then
        return nil, "malformed"
    end
    local seconds = time.parse(values.time, offset)
    if not seconds then
        return nil, "bad_time"
    end
    local list = {}
    for door = 1, math.min(DOORS_MOST, math.max(#alarm // 2, 4 * (#sensor // 2))) do
        local byte = 2 * ((door - 1) // 4) + 1
        local four = tonumber(sensor:sub(byte, byte + 1), 16) or 0
        list[door] = { alarm = tonumber(alarm:sub(2 * door - 1, 2 * door), 16) or 0,
            sensor = SENSORS[four >> 2 * ((door - 1) % 4) & 3] }
    end
    return { time = seconds, told = values.time, doors = list }
end

local function add(records, state, door, meaning, what, bit)
    records[#records + 1] = { what = what, state = meaning.state, time = state.time,
        told = state.told, door = door, codes = { alarm = 1 << bit - 1 } }
end

-- What has changed since `before` (doors of an earlier state, or nil): records for checkin. At
-- first sight an alarm is news, an open door is not.
function doors.changes(before, state)
    local records = {}
    for door, now in ipairs(state.doors) do
        local was = before and before[door] or {}
        for bit, meaning in ipairs(codes.STATE_BITS) do
            local old, new = (was.alarm or 0) >> bit - 1 & 1, now.alarm >> bit - 1 & 1
            if new > old then
                add(records, state, door, meaning, meaning.what, bit)
            elseif new < old and meaning.ends then
                add(records, state, door, meaning, meaning.ends, bit)
            end
        end
        if was.sensor and now.sensor and was.sensor ~= now.sensor then
            records[#records + 1] = { what = "door", state = now.sensor, time = state.time,
                told = state.told, door = door }
        end
    end
    return records
end

return doors
