local heat = require "heat"
local plugin = require "plugin"
local t = require "testing"

-- A host that is a table: what the plugin emits and stores is in it, `register` is the sensor.
local function pretend()
    local world = { events = {}, stored = {}, register = 200 }
    world.host = {
        log = { debug = function() end },
        emit = function(event)
            assert(plugin.events[event.type].data:check(event.data))
            world.events[#world.events + 1] = event.type
        end,
        store = {
            get = function(key) return world.stored[key] end,
            put = function(key, value) world.stored[key] = value end,
        },
        every = function(_, fn) world.tick = fn end,
        modbus = { open = function()
            return { read_input = function()
                if not world.register then
                    return nil, "no answer in time", "timeout"
                end
                return { world.register }
            end }
        end },
    }
    plugin.start(world.host, assert(plugin.config:check { url = "modbus-tcp://10.0.0.9" }))
    return world
end

t.test("it_is_too_hot_once_and_cool_again_once", function()
    local state, kind
    local told = {}
    for _, degrees in ipairs { 20, 46, 47, 44, 46, 42, 41, 60 } do
        state, kind = heat.step(state, degrees, 45)
        told[#told + 1] = kind
    end
    t.equal(told, { "cabinet.too_hot", "cabinet.cool_again", "cabinet.too_hot" })
end)

t.test("a_hot_register_becomes_an_event_also_over_a_restart", function()
    local world = pretend()
    world.tick()
    world.register = 461
    world.tick()
    plugin.start(world.host, assert(plugin.config:check { url = "modbus-tcp://10.0.0.9" }))
    world.tick()
    t.equal(world.events, { "cabinet.too_hot" })
end)

t.test("no_answer_and_a_broken_sensor_are_no_temperature", function()
    local world = pretend()
    world.register = nil
    world.tick()
    world.register = 0x7FFF
    world.tick()
    t.equal(world.events, {})
end)

return t.finish()
