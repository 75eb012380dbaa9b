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

t.test("what_is_being_tried_or_of_another_method_is_no_answer", function()
    for _, status in ipairs { 100, 403 } do
        local office, camera = begin()
        camera.line.on = function(_, bytes)
            local asked = sip.parse(bytes)
            local first = sip.reply(asked, status)
            first.headers[5] = { "cseq", status == 403 and "1 OPTIONS" or "1 MESSAGE" }
            camera:put(sip.write(first))
            local body = asked.body:gsub("Query>", "Response>"):gsub("</DeviceID>",
                "</DeviceID><SumNum>0</SumNum>")
            camera.line:message(5060, camera:compose("MESSAGE", nil, body), "300ms")
            camera.line.on = nil
        end
        t.equal(office:act("catalogue", { camera = ID }).complete, true)
    end
end)

t.test("answers_that_are_remembered_have_a_bound", function()
    local office, camera = begin()
    local first = camera:keepalive()
    office:run "1s"
    for _ = 1, 26 do
        for _ = 1, 20 do
            camera:keepalive()
        end
        office:run "100ms"
    end
    camera:put(first)
    office:run "1s"
    t.equal({ #camera.answers, office:metrics().sip_repeated }, { 523 })
end)

-- Twelve cameras that are there and have been asked as far as they may be at once.
local function begin_many()
    local cameras, devices, settings = {}, {}, {}
    for number = 1, 12 do
        local camera = double.camera { udp = true, id = ("350105000013200%05d"):format(number) }
        cameras[number], settings[camera.id] = camera, { password = double.PASSWORD }
        devices[("udp://10.0.1.%d:5060"):format(number)] = camera.line
    end
    local office = t.office { devices = devices, config = { id = double.PLATFORM,
        udp = "udp://0.0.0.0:5060", cameras = settings } }
    for _, step in ipairs { "register", "keepalive" } do
        for _, camera in ipairs(cameras) do
            camera[step](camera)
        end
        office:run "5s"
    end
    return office, cameras
end

local function sum(cameras, count)
    local total = 0
    for _, camera in ipairs(cameras) do
        total = total + count(camera)
    end
    return total
end

t.test("not_all_cameras_are_asked_at_the_same_time", function()
    local office, cameras = begin_many()
    t.equal({ #office:told "bodycam.online",
        sum(cameras, function(camera) return #camera.asked end) }, { 12, 8 })
    office:run "1m"
    t.holds(sum(cameras, function(camera) return #camera.asked > 0 and 1 or 0 end) == 12)
end)

t.test("no_more_than_32_questions_wait_for_an_answer_and_every_alarm_is_told", function()
    local office, cameras = begin_many()
    for _, camera in ipairs(cameras) do
        camera.deaf = 1000
        for second = 1, 3 do
            camera:notify("Alarm", alarm(second))
        end
    end
    office:run "400ms"
    t.equal(#office:told "bodycam.alarm", 36)
    t.equal(sum(cameras, function(camera) return 1000 - camera.deaf end), 36 + 32)
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
    camera:put((camera:compose("OPTIONS"):gsub("Length: 0", "Length: x")))
    camera:keepalive()
    office:run "1s"
    t.equal(camera.answers, { 200, 400, 200 })
end)

return t.finish()
