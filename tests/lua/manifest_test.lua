local manifest = require "manifest"
local schema = require "schema"
local t = require "testing"

-- A manifest that is right, with `changes`.
local function declared(changes)
    local whole = { api = 1, name = "doors", summary = "Doors.", config = schema.record {},
        events = { ["doors.opened"] = { lane = "alarm", doc = "d", data = schema.record {} } },
        start = print }
    for name, value in pairs(changes or {}) do
        whole[name] = value
    end
    return whole
end

local function refuses(changes, fault)
    t.equal(manifest.fault(declared(changes), "doors"), "its manifest: " .. fault)
end

t.test("a_right_manifest_has_no_fault", function()
    t.equal(manifest.fault(declared(), "doors"), nil)
    t.equal(manifest.fault(declared { events = { ["a.b_2.c"] = { lane = "record" } } }, "doors"),
        nil)
end)

t.test("an_event_that_the_keeper_does_not_take_is_named", function()
    for _, kind in ipairs { "opened", "doors.Opened", "doors..opened", ".doors", "doors.",
        "doors.*", ("d"):rep(63) .. ".d" } do
        refuses({ events = { [kind] = { lane = "alarm" } } }, 'events: expected small letters, '
            .. 'digits and "_" with a dot between, as "door.opened", at most 64 bytes, got '
            .. schema.show(kind))
    end
    refuses({ events = { ["doors.opened"] = { lane = "alrm" } } }, 'events: doors.opened: lane: '
        .. 'expected "alarm", "record" or "telemetry", got "alrm"')
    refuses({ events = { ["doors.opened"] = "alarm" } },
        'events: doors.opened: expected a table, got "alarm"')
    refuses({ events = { ["doors.opened"] = { lane = "alarm", data = {} } } },
        "events: doors.opened: data: expected a schema, got an empty table")
    refuses({ events = { ["doors.opened"] = { lane = "alarm", date = {} } } },
        'events: doors.opened: date: expected a known name, perhaps "data"')
    refuses({ events = "none" }, 'events: expected a table, got "none"')
end)

t.test("a_name_that_a_manifest_does_not_have_is_guessed", function()
    refuses({ event = {} }, 'event: expected a known name, perhaps "events"')
    refuses({ [1] = "x" }, "1: expected one of actions, api, check, config, events, name, needs, "
        .. "start, state, summary, views")
end)

t.test("a_plugin_that_cannot_be_started_is_told_before", function()
    refuses({ start = false }, "start: expected a function, got false")
end)

return t.finish()
