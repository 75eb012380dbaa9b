-- The plugin in the real host; the thermometer is a table, and time passes when it is told to.
local t = require "testing"

local URL = "modbus-tcp://10.0.0.9"
local COOL, HOT, BROKEN = 200, 461, 0x7FFF

-- An office with a thermometer that shows so much.
local function begin(register)
    local sensor = t.modbus { input = { [0] = register } }
    return t.office { config = { url = URL }, devices = { [URL] = sensor } }, sensor
end

t.test("a_hot_cabinet_is_one_alarm_and_a_cool_one_one_record", function()
    local office, sensor = begin(COOL)
    office:run "1m"
    t.equal(office:told(), {})
    sensor.input[0] = HOT
    local hot = office:next "cabinet.too_hot"
    t.equal({ hot.lane, hot.subject, hot.data }, { "alarm", "office", { degrees = 46.1 } })
    office:run "1h"
    sensor.input[0] = COOL
    t.equal(office:next("cabinet.cool_again").lane, "record")
    t.equal(office:told(), { "cabinet.too_hot", "cabinet.cool_again" })
end)

t.test("whenever_the_plugin_dies_there_is_one_event_for_an_edge", function()
    for _, when in ipairs { "before", "after" } do
        for nth = 1, 8 do
            local office, sensor = begin(COOL)
            office:die { [when] = "any", nth = nth }
            office:run "25s"
            sensor.input[0] = HOT
            office:run "2m"
            t.equal(office:told(), { "cabinet.too_hot" })
            t.equal(office:stored "state", { hot = true })
            t.equal(office:deaths(), 1)
        end
    end
end)

t.test("a_refused_commit_is_made_up_for_after_the_restart", function()
    local office = begin(HOT)
    office:refuse(2)
    office:run "2m"
    t.equal(office:told(), { "cabinet.too_hot" })
    t.equal(office:trace("end"), { "end 75", "end 75" })
end)

t.test("no_answer_and_a_broken_sensor_are_no_temperature", function()
    local office, sensor = begin(BROKEN)
    office:run "1m"
    sensor.input[0] = HOT
    sensor:fail "timeout"
    office:run "1m"
    t.equal(office:told(), {})
    sensor:heal()
    office:next "cabinet.too_hot"
end)

t.test("a_test_is_on_record_before_it_is_answered", function()
    local office, sensor = begin(COOL)
    t.equal(office:look "latest", {})
    t.equal(office:act "test", { degrees = 20.0 })
    t.equal(office:told(), { "cabinet.tested" })
    t.equal(office:look "latest", { degrees = 20.0, at = "2026-11-21T00:00:00.000Z" })
    sensor.input[0] = BROKEN
    t.equal({ office:act "test" }, { nil, "no temperature: the sensor is broken" })
    t.equal({ office:act("test", {}, { role = "officer" }) },
        { nil, "test: expected to be asked for by technician, got officer" })
    t.equal(office:told(), { "cabinet.tested" })
end)

return t.finish()
