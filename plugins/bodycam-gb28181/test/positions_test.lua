-- A camera is asked to tell its position, and goes on telling it: what is promised, shortened,
-- ended, forgotten and lost on the way.
local double = require "double"
local sip = require "sip"
local t = require "testing"

local ID = double.ID

-- A camera that has been asked once; `headers` are in its answers.
local function begin(headers)
    local camera = double.camera { script = { Catalog = { sum = 0, {} } } }
    camera.headers = headers
    local office = t.office { devices = { [camera.url] = camera.line }, config = {
        id = double.PLATFORM, tcp = "tcp://0.0.0.0:5060", keepalive = "1h", positions = "30s",
        cameras = { [ID] = { password = double.PASSWORD } } } }
    camera.line:call(5060)
    camera:register(86400)
    office:run "1s"
    camera:keepalive()
    office:run "2m"
    return office, camera
end

-- Since the last call: { call, cseq } of each time it was asked; calls are numbered.
local function asks(camera)
    local found, calls = {}, camera.calls or {}
    camera.calls = calls
    for at = (camera.seen or 0) + 1, #camera.requests do
        local request = camera.requests[at]
        if request.method == "SUBSCRIBE" then
            local id = sip.header(request, "call-id")
            calls[id] = calls[id] or (calls.count or 0) + 1
            calls.count = math.max(calls.count or 0, calls[id])
            found[#found + 1] = { calls[id], request.cseq }
        end
    end
    camera.seen = #camera.requests
    return found
end

local function notify(office, camera, state, call, body)
    camera:put((camera:compose("NOTIFY", { { "event", "presence" },
        { "subscription-state", state } }, body):gsub("Call%-ID: %w+", "Call-ID: " .. call)))
    office:run "1s"
    return camera.answers[#camera.answers]
end

local function call_of(camera)
    for at = #camera.requests, 1, -1 do
        if camera.requests[at].method == "SUBSCRIBE" then
            return sip.header(camera.requests[at], "call-id")
        end
    end
end

t.test("it_is_asked_again_before_what_it_has_granted_is_over", function()
    for seconds, minutes in pairs { ["600"] = 7, ["120"] = 2, ["99999"] = 57, [""] = 57,
        ["x"] = 57 } do
        local office, camera = begin { { "expires", seconds } }
        local first = asks(camera)
        t.equal({ seconds, first[1] }, { seconds, { 1, 1 } })
        office:run(("%dm"):format(minutes))
        t.equal({ seconds, asks(camera)[1] }, { seconds, { 1, #first + 1 } })
    end
end)

t.test("one_that_grants_nothing_is_not_asked_before_its_next_catalogue", function()
    local office, camera = begin { { "expires", "0" } }
    t.equal(asks(camera), { { 1, 1 } })
    office:run "10h"
    t.equal(asks(camera), {})
end)

t.test("one_that_does_not_answer_is_asked_again_soon_in_the_same_dialog", function()
    local office, camera = begin()
    t.equal(asks(camera), { { 1, 1 } })
    camera.deaf = 1
    office:run "58m"
    t.equal({ camera.deaf, asks(camera) }, { 0, {} })
    office:run "6m"
    t.equal(asks(camera), { { 1, 3 } })
end)

t.test("one_that_has_ended_it_is_asked_anew_unless_it_does_not_want_to", function()
    for state, again in pairs { terminated = true, ["Terminated;reason=timeout"] = true,
        ["terminated;reason=deactivated"] = true, ["terminated;reason=rejected"] = false,
        ["terminated;reason=noresource"] = false, ["active;expires=60"] = false } do
        local office, camera = begin()
        asks(camera)
        t.equal(notify(office, camera, state, call_of(camera)), 200)
        office:run "1m"
        t.equal({ state, asks(camera)[1] }, { state, again and { 2, 1 } or nil })
    end
end)

t.test("the_end_of_another_dialog_ends_nothing", function()
    local office, camera = begin()
    asks(camera)
    t.equal(notify(office, camera, "terminated", "4711"), 200)
    office:run "1m"
    t.equal(asks(camera), {})
end)

t.test("a_position_is_told_by_a_notify_and_one_that_says_nothing_is_good_too", function()
    local office, camera = begin()
    local call = call_of(camera)
    t.equal(notify(office, camera, "active", call, "\r\n"), 200)
    t.equal(notify(office, camera, "active;expires=3600", call, "<Notify><CmdType>MobilePosition"
        .. "</CmdType><SN>1</SN><DeviceID>" .. ID .. "</DeviceID><Time>2026-11-21T08:02:00</Time>"
        .. "<Longitude>119.3</Longitude><Latitude>26.1</Latitude></Notify>"), 200)
    t.equal(office:next("bodycam.position").data.longitude, 119.3)
    t.equal(notify(office, camera, "active", call, "<Notify>"), 400)
end)

t.test("one_that_registers_with_another_call_is_asked_again_at_once", function()
    local office, camera = begin()
    asks(camera)
    camera:register(86400)
    office:run "10s"
    t.equal(asks(camera), { { 1, 2 } })
    camera.says = 481 -- it was switched off, and knows of nothing
    camera:register(86400)
    office:run "5s"
    t.equal(asks(camera), { { 1, 3 }, { 2, 1 } })
end)

t.test("servers_between_that_want_to_stay_there_are_named", function()
    local office, camera = begin { { "record-route", "<sip:a;lr>, <sip:b;lr>" },
        { "record-route", "<sip:c;lr>" }, { "expires", "120" } }
    office:run "2m"
    local request = camera.requests[#camera.requests]
    t.equal({ request.method, sip.values(request, "route") },
        { "SUBSCRIBE", { "<sip:c;lr>", "<sip:b;lr>", "<sip:a;lr>" } })
end)

return t.finish()
