-- Cameras over UDP, in the real host: what comes twice, what is lost, and what dies between.
local double = require "double"
local sip = require "sip"
local t = require "testing"

local ID = double.ID

local function begin(script, more)
    local camera = double.camera { udp = true, script = script }
    local config = { id = double.PLATFORM, udp = "udp://0.0.0.0:5060",
        cameras = { [ID] = { password = double.PASSWORD } } }
    for name, value in pairs(more or {}) do
        config[name] = value
    end
    local office = t.office { config = config, devices = { [camera.url] = camera.line } }
    camera:register()
    office:run "1s"
    return office, camera
end

local function alarm(second)
    return { { "AlarmMethod", 5 }, { "AlarmTime", ("2026-11-21T08:00:%02d"):format(second) } }
end

t.test("a_camera_registers_and_is_asked_over_udp", function()
    local office, camera = begin { Catalog = { sum = 1, { double.item { DeviceID = "1" } } } }
    t.equal({ camera.challenges, camera.answers }, { 1, { 200 } })
    camera:keepalive()
    office:run "5s"
    t.equal(office:next("bodycam.online").data.transport, "udp")
    t.equal(office:next("bodycam.catalogue").data.got, 1)
    t.equal(camera.requests[1].uri, "sip:" .. ID .. "@10.0.0.7:5060")
end)

t.test("the_same_request_again_gets_the_same_answer_for_half_a_minute_and_does_nothing", function()
    local office, camera = begin()
    local bytes = camera:notify("Alarm", alarm(1))
    office:run "1s"
    local first = sip.write(camera.last)
    for _ = 1, 3 do
        camera:put(bytes)
        office:run "5s"
        t.equal(sip.write(camera.last), first)
    end
    t.equal({ #camera.answers, office:metrics().sip_repeated }, { 5, 3 })
    office:run "30s"
    camera:put(bytes)
    office:run "1s"
    t.equal({ #camera.answers, office:metrics().alarms_repeated }, { 6, 1 })
    t.equal(office:told "bodycam.alarm", { "bodycam.alarm" })
end)

t.test("whatever_dies_an_alarm_that_is_repeated_until_200_is_told_once", function()
    for _, when in ipairs { "before", "after" } do
        for nth = 1, 4 do
            local office, camera = begin()
            office:die { [when] = "any", nth = nth }
            local bytes = camera:notify("Alarm", alarm(1))
            for _ = 1, 6 do
                office:run "3s"
                camera:put(bytes)
            end
            office:run "1s"
            t.equal(office:told "bodycam.alarm", { "bodycam.alarm" })
            t.equal(camera.answers[#camera.answers], 200)
        end
    end
end)

t.test("what_the_keeper_refused_is_done_when_it_comes_again", function()
    local office, camera = begin()
    office:refuse(1)
    local bytes = camera:notify("Alarm", alarm(1))
    office:run "1s"
    t.equal({ camera.answers, office:told "bodycam.alarm" }, { { 200 }, {} })
    camera:put(bytes)
    office:run "1s"
    t.equal({ camera.answers, office:told "bodycam.alarm" }, { { 200, 200 }, { "bodycam.alarm" } })
end)

t.test("a_question_that_is_lost_is_sent_again_and_in_vain_for_eight_seconds", function()
    local office, camera = begin { Catalog = { sum = 0, {} } }
    camera.deaf = 2
    local answer = office:act("catalogue", { camera = ID })
    t.equal({ answer.complete, #camera.asked }, { true, 1 })
    camera.deaf = 100
    local why
    answer, why = office:act("catalogue", { camera = ID })
    t.equal(answer, nil)
    t.holds(why:find "no answer within 8 s", why)
    t.equal(100 - camera.deaf, 5) -- at once and after 0.5, 1.5, 3.5 and 7.5 s
end)

t.test("an_answer_goes_to_the_port_of_the_via_unless_a_router_is_between", function()
    local camera, other = double.camera { udp = true }, t.line {}
    local office = t.office { config = { id = double.PLATFORM, udp = "udp://0.0.0.0:5060",
        cameras = { [ID] = { password = double.PASSWORD } } },
        devices = { [camera.url] = camera.line, ["udp://10.0.0.7:5061"] = other } }
    local function heard(via)
        local bytes = camera:compose "OPTIONS"
        other.heard, camera.answers = "", {}
        camera:put((bytes:gsub("10%.0%.0%.7:5060;rport", via)))
        office:run "1s"
        return { camera.answers[1], other.heard:match "^SIP/2.0 (%d+)" }
    end
    t.equal(heard "10.0.0.7:5060;rport", { 200 })
    t.equal(heard "10.0.0.7:5061", { nil, "200" })
    t.equal(heard "10.0.0.7:5061;rport", { 200 })
    t.equal(heard "192.168.1.9:5061", { 200 })
end)

-- Two cameras with the same number: the second is at `url`.
local function begin_two(url, script)
    local camera = double.camera { udp = true }
    local other = double.camera { udp = true, script = script }
    local office = t.office { config = { id = double.PLATFORM, udp = "udp://0.0.0.0:5060",
        cameras = { [ID] = { password = double.PASSWORD } } },
        devices = { [camera.url] = camera.line, [url] = other.line } }
    camera:register()
    office:run "1s"
    other.count = 100
    return office, camera, other
end

t.test("another_address_must_register_and_cannot_answer_for_the_camera", function()
    local office, camera, thief = begin_two "udp://10.0.0.8:5060"
    thief:keepalive()
    office:run "1s"
    t.equal(thief.answers, { 403 })
    camera.line.on = function(_, bytes)
        local asked = sip.parse(bytes)
        thief:put(sip.write(sip.reply(asked, 404)))
        camera.missed = bytes
    end
    local _, why = office:act("catalogue", { camera = ID })
    t.holds(camera.missed and why:find "no answer within", why)
    t.holds(office:metrics().sip_answers_unasked >= 1)
end)

t.test("another_port_of_its_address_is_followed_and_remembered", function()
    local office, camera, moved = begin_two("udp://10.0.0.7:5061",
        { Catalog = { sum = 1, { double.item { DeviceID = "1" } } } })
    moved:keepalive()
    office:run "5s"
    t.equal(moved.answers[1], 200)
    office:kill()
    office:run "2s"
    t.equal(office:act("catalogue", { camera = ID }).got, 1)
    t.equal(#camera.asked, 0)
end)

t.test("pings_and_noise_are_nothing", function()
    local office, camera = begin()
    for _, bytes in ipairs { "\r\n\r\n", "\0", "noise", "SIP/2.0 200 OK\r\n\r\n" } do
        camera:put(bytes)
    end
    office:run "1s"
    t.equal({ camera.answers, office:metrics().sip_malformed }, { { 200 }, 2 })
    camera:keepalive()
    office:run "1s"
    t.equal(camera.answers, { 200, 200 })
end)

return t.finish()
