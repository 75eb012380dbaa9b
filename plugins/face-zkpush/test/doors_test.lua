local codes = require "codes"
local doors = require "doors"
local t = require "testing"

local LINE = "time=2026-08-20 11:27:27\tpin=1001\tcardno=99\teventaddr=1\tevent=%s\tinoutstatus=0"
    .. "\tverifytype=%s\tindex=21"

local function record(event, verify)
    return doors.record(assert(doors.event(LINE:format(event, verify or "15"), 480)))
end

t.test("an_event_is_told_by_its_number", function()
    t.equal(record "0", { what = "verified", person = "1001", time = 1787196447,
        told = "2026-08-20 11:27:27", serial = 21, door = 1, method = "face",
        codes = { event = 0, inout = 0, verify = 15 } })
    for event, what in pairs { ["27"] = "unknown_person", ["23"] = "rejected", ["39"] = "rejected",
        ["100"] = "tamper", ["109"] = "tamper", ["236"] = "tamper_restored", ["101"] = "duress",
        ["102"] = "door", ["206"] = "restarted", ["26"] = "other", ["255"] = "other",
        ["6005"] = "other", ["99999"] = "other" } do
        t.equal({ event, record(event).what }, { event, what })
    end
    t.equal({ record("29").reason, record("39").reason, record("21").reason },
        { "expired", "blocked", "wrong_period" })
end)

t.test("an_event_has_a_number_and_a_time", function()
    t.equal({ doors.event("time=2026-08-20 11:27:27\tpin=1", 480) }, { nil, "malformed" })
    t.equal({ doors.event("pin=1\tevent=0", 480) }, { nil, "malformed" })
    t.equal({ doors.event("time=2026-08-20 25:27:27\tevent=0", 480) }, { nil, "bad_time" })
end)

t.test("an_event_that_is_asked_for_is_the_same_as_when_it_was_pushed", function()
    local pushed = assert(doors.event(LINE:format("27", "15"), 480))
    local asked = assert(doors.event("transaction cardno=99\tpin=1001\tverified=15\tdoorid=1"
        .. "\teventtype=27\tinoutstate=0\ttime_second=856092447\tindex=21\tsitecode=0", 480))
    t.equal(asked, pushed)
    t.equal(doors.key(asked), doors.key(pushed))
    t.equal({ doors.event("eventtype=27\ttime_second=5270399", 480) }, { nil, "bad_time" })
    t.holds(doors.is_event "transaction pin=1\teventtype=27")
    t.holds(not doors.is_event "1\t2026-08-20 11:27:27\t0\t1\t0\t0\t0\t0\t0\t0\t\teyJhIjo=")
end)

t.test("blanks_between_the_values_are_as_good_as_tabs", function()
    local line = LINE:format("27", "15")
    t.equal(doors.event(line:gsub("\t", "  "), 480), assert(doors.event(line, 480)))
    t.equal(doors.state("time=2026-08-20 11:27:27 sensor=02 relay=00 alarm=02", 480).doors[1],
        { alarm = 2, sensor = "open" })
end)

t.test("newer_firmware_says_the_method_in_bits", function()
    t.equal(codes.method "0000000000000010", "face")
    t.equal(codes.method "0000001000000000", "password")
    t.equal(codes.method "0000101000000011", "face+password+card")
    for _, unclear in ipairs { "0000101000000010", "0000000000000000", "0000000001000000",
        "0000000001000011", "00000010" } do
        t.equal(codes.method(unclear), nil)
    end
    t.equal(record("0", "0000000000000010").codes.verify, nil)
end)

local function state(alarm, sensor)
    return assert(doors.state(("time=2026-08-20 11:27:27\tsensor=%s\trelay=00\talarm=%s"):format(
        sensor or "00", alarm), 480))
end

t.test("a_state_has_two_digits_of_alarm_and_two_bits_of_sensor_a_door", function()
    local found = state("0280000000000001", "09")
    t.equal({ found.doors[1], found.doors[2], found.doors[3], found.doors[8] },
        { { alarm = 2, sensor = "closed" }, { alarm = 0x80, sensor = "open" }, { alarm = 0 },
            { alarm = 1 } })
    t.equal(#state("020000000000000").doors, 7) -- as the document prints it
    t.equal(state("00", "0009").doors[6].sensor, "open")
    for _, line in ipairs { "time=2026-08-20 11:27:27", "sensor=00\talarm=00",
        "time=2026-08-20 11:27:27\tsensor=zz\talarm=00" } do
        t.equal({ doors.state(line, 480) }, { nil, "malformed" })
    end
    t.equal({ doors.state("time=x\tsensor=00\talarm=00", 480) }, { nil, "bad_time" })
end)

local function changes(before, after)
    local list = {}
    for _, one in ipairs(doors.changes(before and before.doors, after)) do
        list[#list + 1] = ("%s %s %d"):format(one.what, one.state or "-", one.door)
    end
    return list
end

t.test("what_changed_is_told_once", function()
    local quiet, torn = state("0000", "05"), state("0210", "06")
    t.equal(changes(nil, quiet), {})
    t.equal(changes(nil, torn), { "tamper - 1", "door held_open 2" })
    t.equal(changes(torn, torn), {})
    t.equal(changes(quiet, torn), { "tamper - 1", "door open 1", "door held_open 2" })
    t.equal(changes(torn, quiet), { "tamper_restored - 1", "door closed 1" })
    t.equal(changes(state "00", state "FF"), { "door forced 1", "tamper - 1", "duress - 1",
        "duress - 1", "door held_open 1", "other - 1", "other - 1", "tamper - 1" })
end)

return t.finish()
