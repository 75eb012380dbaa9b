-- The plugin in the real host, with cameras at TCP lines: registrations, signs of life, alarms,
-- positions, and what deaths and refusals make of them.
local double = require "double"
local t = require "testing"

local ID = double.ID

local function settings(more)
    local all = { id = double.PLATFORM, tcp = "tcp://0.0.0.0:5060",
        cameras = { [ID] = { password = double.PASSWORD } } }
    for name, value in pairs(more or {}) do
        all[name] = value
    end
    return all
end

-- A camera that is registered, unless `options.stays_out`.
local function begin(options)
    options = options or {}
    local camera = double.camera(options)
    local office = t.office { config = settings(options.settings), store = options.store,
        devices = { ["tcp://10.0.0.7"] = camera.line } }
    camera.line:call(5060)
    if not options.stays_out then
        camera:register()
        office:run "1s"
    end
    return office, camera
end

local function keep_alive(office, camera, minutes)
    for _ = 1, minutes do
        camera:keepalive()
        office:run "1m"
    end
end

t.test("a_camera_registers_with_its_password_and_is_online_once", function()
    local office, camera = begin()
    t.equal({ camera.challenges, camera.answers }, { 1, { 200 } })
    local event = office:next "bodycam.online"
    t.equal({ event.subject, event.lane }, { "device/bodycam/" .. ID, "record" })
    t.equal(event.data, { camera = ID, cause = "registered", transport = "tcp",
        address = "10.0.0.7" })
    camera:register()
    office:run "10s"
    t.equal(office:told(), { "bodycam.online" })
end)

t.test("the_answer_to_a_registration_sets_the_cameras_clock", function()
    local sip = require "sip"
    local _, camera = begin()
    t.equal(sip.header(camera.last, "date"):match "^2026%-11%-21T08:00:0[01]%.%d%d%d$" ~= nil, true)
    t.equal(sip.header(camera.last, "expires"), "3600")
end)

t.test("a_wrong_password_is_refused_and_five_of_them_are_one_alarm", function()
    local office, camera = begin { password = "wrong", stays_out = true }
    for _ = 1, 8 do
        camera:register()
        office:run "1s"
    end
    t.equal(camera.answers, { 403, 403, 403, 403, 403, 403, 403, 403 })
    t.equal(camera.challenges, 5)
    t.equal(office:events()[1].data, { camera = ID, address = "10.0.0.7", tries = 5 })
    office:run "11m"
    for _ = 1, 8 do
        camera:register()
        office:run "1s"
    end
    t.equal(office:told(), { "bodycam.auth_failed" })
    camera.password = double.PASSWORD
    office:run "11m"
    camera.line:call(5060)
    camera:register()
    office:run "1s"
    t.equal(office:told(), { "bodycam.auth_failed", "bodycam.online" })
end)

local function try_in_vain(office, camera)
    camera.password = "wrong"
    for _ = 1, 5 do
        camera:register()
        office:run "1s"
    end
end

t.test("wrong_passwords_are_told_again_after_a_good_one_or_a_day", function()
    local office, camera = begin { stays_out = true }
    try_in_vain(office, camera)
    office:run "23h"
    camera.line:call(5060)
    try_in_vain(office, camera)
    t.equal(#office:told "bodycam.auth_failed", 1)
    office:run "2h"
    camera.line:call(5060)
    try_in_vain(office, camera)
    t.equal(#office:told "bodycam.auth_failed", 2)
    office:run "11m"
    camera.line:call(5060)
    camera.password = double.PASSWORD
    camera:register()
    office:run "1s"
    try_in_vain(office, camera)
    t.equal(#office:told "bodycam.auth_failed", 3)
end)

t.test("a_registration_ends_when_it_should_also_when_the_plugin_began_anew", function()
    local office, camera = begin { settings = { keepalive = "1h" }, stays_out = true }
    camera:register(300)
    office:run "100s"
    office:kill()
    office:run "190s"
    t.equal(office:told "bodycam.offline", {})
    office:run "15s"
    t.equal(office:next("bodycam.offline").data.cause, "expired")
end)

t.test("the_sixteen_newest_alarms_are_kept", function()
    local office, camera = begin()
    for second = 0, 19 do
        camera:notify("Alarm", { { "AlarmTime", ("2026-11-21T08:00:%02d"):format(second) } })
    end
    office:run "1s"
    t.equal({ #office:told "bodycam.alarm", #office:stored("alarms/" .. ID) }, { 20, 16 })
end)

t.test("strangers_are_named_in_the_log_sixteen_times_at_most", function()
    local office, camera = begin { stays_out = true }
    for number = 1, 20 do
        camera.id = ("%020d"):format(number)
        camera:register()
    end
    office:run "1s"
    t.equal({ #office:log(), office:metrics().strangers_refused }, { 17, 20 })
end)

t.test("a_challenge_names_the_first_ten_digits_of_our_number", function()
    local sip = require "sip"
    local _, camera = begin()
    local _, told = sip.credentials(camera.challenge)
    t.equal(told.realm, "3501050000")
end)

t.test("a_camera_that_is_not_in_the_settings_is_refused_and_told_once", function()
    local office, camera = begin { id = "35010500001320000008" }
    camera:register()
    camera:keepalive()
    office:run "1s"
    t.equal({ camera.answers, office:told() }, { { 403, 403, 403 }, {} })
    t.equal(#office:log(), 2) -- it has started, and this
    t.equal(office:metrics().strangers_refused, 3)
end)

t.test("who_is_not_registered_is_not_believed", function()
    local office, camera = begin { stays_out = true }
    camera:keepalive()
    camera:notify("Alarm", { { "AlarmMethod", 2 } })
    office:run "1s"
    t.equal({ camera.answers, office:told() }, { { 403, 403 }, {} })
end)

t.test("three_missed_keepalives_and_it_is_offline_and_its_return_records_the_gap", function()
    local office, camera = begin()
    keep_alive(office, camera, 5)
    office:run "1m"
    t.equal(office:told(), { "bodycam.online" })
    office:run "1m"
    local event = office:next "bodycam.offline"
    t.equal({ event.data.cause, event.data.last_heard:sub(1, 18) },
        { "silent", "2026-11-21T00:04:0" })
    office:run "10m"
    camera.line:call(5060)
    camera:keepalive()
    office:run "1s"
    t.equal(office:told(), { "bodycam.online", "bodycam.offline", "gap.recorded",
        "bodycam.online" })
    local gap = office:next "gap.recorded"
    t.equal({ gap.data.camera, gap.data.cause, gap.data.from }, { ID, "silent",
        event.data.last_heard })
    t.holds(gap.data.seconds > 700 and gap.data.seconds < 800)
    t.equal(office:next("bodycam.online").data.cause, "heard")
end)

t.test("a_camera_that_leaves_or_does_not_come_again_is_offline_with_the_reason", function()
    local office, camera = begin()
    camera:register(0)
    office:run "1s"
    t.equal(office:next("bodycam.offline").data.cause, "left")
    camera:keepalive()
    office:run "1s"
    t.equal(camera.answers, { 200, 200, 403 })
    camera:register(120)
    office:run "1s"
    keep_alive(office, camera, 3)
    t.equal(office:next("bodycam.offline").data.cause, "expired")
    t.equal(camera.answers[#camera.answers], 403)
end)

t.test("an_alarm_is_durable_before_the_camera_hears_200", function()
    local office, camera = begin()
    camera:notify("Alarm", { { "AlarmPriority", 1 }, { "AlarmMethod", 2 },
        { "AlarmTime", "2026-11-21T08:00:01" }, { "Longitude", 119.3 }, { "Latitude", 26.1 } })
    office:run "1s"
    local event = office:next "bodycam.alarm"
    t.equal({ event.lane, event.time }, { "alarm", "2026-11-21T00:00:01.000000Z" })
    local data = event.data
    t.equal(#data.raw, 64)
    data.raw = nil
    t.equal(data, { camera = ID, channel = ID, priority = 1, method = 2, kind = "device",
        told = "2026-11-21T08:00:01", longitude = 119.3, latitude = 26.1 })
    local steps = office:trace("commit", "send")
    t.holds(steps[#steps - 2]:find "^commit .*bodycam%.alarm", steps[#steps - 2])
    t.holds(steps[#steps - 1]:find "^send", steps[#steps - 1])
    t.equal(camera.asked[#camera.asked].cmd, "Alarm") -- the answer of GB/T 28181 9.4
    t.equal({ camera.answers[2], camera.asked[#camera.asked].kind }, { 200, "Response" })
end)

t.test("an_alarm_that_comes_again_is_one_whatever_dies_between", function()
    for _, when in ipairs { "before", "after" } do
        for nth = 1, 4 do
            local office, camera = begin()
            local body = "<Notify><CmdType>Alarm</CmdType><SN>9</SN><DeviceID>" .. ID
                .. "</DeviceID><AlarmTime>2026-11-21T08:00:01</AlarmTime></Notify>"
            office:die { [when] = "any", nth = nth }
            for _ = 1, 6 do
                camera:say(body)
                office:run "5s"
                if camera.line:count() == 0 then
                    camera.line:call(5060)
                end
            end
            t.equal(office:told "bodycam.alarm", { "bodycam.alarm" })
            t.equal(office:deaths(), 1)
        end
    end
end)

t.test("a_refused_commit_is_no_answer_and_nothing_is_lost", function()
    local office, camera = begin()
    office:refuse(1)
    camera:notify("Alarm", { { "AlarmTime", "2026-11-21T08:00:01" } })
    office:run "1s"
    t.equal({ camera.answers, office:told "bodycam.alarm" }, { { 200 }, {} })
    camera.line:call(5060)
    camera.sn = 0
    camera:notify("Alarm", { { "AlarmTime", "2026-11-21T08:00:01" } })
    office:run "1s"
    t.equal(office:told "bodycam.alarm", { "bodycam.alarm" })
end)

t.test("more_alarms_than_a_camera_can_mean_are_put_off_and_none_is_lost", function()
    local office, camera = begin()
    for _ = 1, 31 do
        camera:notify("Alarm", { { "AlarmMethod", 5 } })
    end
    office:run "1s"
    t.equal({ #office:told "bodycam.alarm", camera.answers[#camera.answers] }, { 30, 503 })
    office:run "1m"
    t.equal(office:next("bodycam.alarms_put_off").data, { camera = ID, count = 1 })
    camera:notify("Alarm", { { "AlarmMethod", 5 } })
    office:run "1s"
    t.equal({ #office:told "bodycam.alarm", camera.answers[#camera.answers] }, { 31, 200 })
end)

t.test("of_positions_one_in_ten_seconds_is_told_and_none_without_a_place", function()
    local office, camera = begin()
    local function at(longitude, time)
        camera:notify("MobilePosition", { { "Time", time or "2026-11-21T08:00:01" },
            { "Longitude", longitude }, { "Latitude", longitude == 0 and 0 or 26.1 },
            { "Speed", 3.5 },
            { "Direction", 400 } })
        office:run "1s"
    end
    at(181)
    at(0)
    for _ = 1, 10 do
        at(119.3)
    end
    t.equal(office:told "bodycam.position", { "bodycam.position" })
    local event = office:next "bodycam.position"
    t.equal({ event.lane, event.time }, { "telemetry", "2026-11-21T00:00:01.000000Z" })
    t.equal(event.data, { camera = ID, channel = ID, longitude = 119.3, latitude = 26.1,
        speed = 3.5, told = "2026-11-21T08:00:01" })
    at(119.4, "1970-01-01T08:00:00")
    event = office:next "bodycam.position"
    t.equal({ event.time:sub(1, 16), event.data.told }, { "2026-11-21T00:00",
        "1970-01-01T08:00:00" })
    t.equal(office:metrics().positions_thinned, 9)
    office:run "10s"
    at(119.5, "2026-11-13T08:00:00")
    t.equal(office:next("bodycam.position").time:sub(1, 13), "2026-11-21T00")
    office:run "10s"
    at(119.5, "2026-11-21T08:30:00")
    event = office:next "bodycam.position"
    t.equal({ event.time:sub(1, 16), event.data.told }, { "2026-11-21T00:00",
        "2026-11-21T08:30:00" })
end)

t.test("after_a_restart_a_camera_that_was_there_is_there_and_the_gap_is_recorded", function()
    local office, camera = begin()
    keep_alive(office, camera, 5)
    office:kill()
    office:run "3s"
    camera.line:call(5060)
    camera:keepalive()
    office:run "1s"
    t.equal(office:told(), { "bodycam.online", "gap.recorded" })
    t.equal(office:next("gap.recorded").data.cause, "plugin_stopped")
    t.equal(camera.answers[#camera.answers], 200)
    office:run "4m"
    t.equal(office:next("bodycam.offline").data.cause, "silent")
end)

t.test("who_calls_and_is_no_camera_is_hung_up_on_and_a_camera_is_not", function()
    local office, camera = begin()
    t.equal(camera.line:count(), 1)
    camera.line:call(5060)
    office:run "29s"
    t.equal(camera.line:count(), 2)
    office:run "2s"
    t.equal(camera.line:count(), 1)
end)

t.test("a_camera_that_is_taken_out_of_the_settings_is_offline_and_forgotten", function()
    local office = begin { store = { ["camera/1"] = { online = true }, ["alarms/1"] = { "x" },
        ["camera/2"] = { online = false } } }
    local event = office:next "bodycam.offline"
    t.equal(event.data, { camera = "1", cause = "removed" })
    t.equal({ office:stored "camera/1", office:stored "alarms/1", office:stored "camera/2" }, {})
end)

-- Each of them took seconds once, and the host ends a handler that does not wait for 200 ms.
t.test("no_message_takes_so_long_that_the_host_ends_it", function()
    local office, camera = begin()
    local blanks = (" "):rep(15000)
    local function name(text)
        return "<Notify><CmdType>Alarm</CmdType><AlarmTime>" .. text .. "</AlarmTime></Notify>"
    end
    for _, body in ipairs { name("x" .. (" "):rep(60000) .. "y"), name(("&"):rep(12000)),
        ("\n"):rep(60000) .. "<", "<Notify>" .. (" "):rep(60000) .. "<", "<?xml " .. blanks,
        "<Notify><CmdType>Alarm</CmdType>" .. ("<a/>"):rep(9000) .. "</Notify>" } do
        camera:say(body)
        office:run "1s"
    end
    for _, value in ipairs { "x" .. blanks .. "y", blanks, (";"):rep(15000), ('"'):rep(15000),
        ("a=b;"):rep(4000), "<" .. blanks, (",a="):rep(5000) } do
        for _, header in ipairs { "contact", "authorization", "expires" } do
            camera:request("REGISTER", { { header, value } })
            office:run "1s"
        end
    end
    camera:keepalive()
    office:run "10s"
    t.equal({ camera.answers[#camera.answers], office:deaths(), #office:errors() }, { 200, 0, 0 })
    camera.line:call(5060)
    camera.line:send("X" .. ("\n"):rep(60000) .. "\r\n\r\n")
    office:run "1s"
    t.equal({ office:deaths(), #office:errors() }, { 0, 0 })
end)

t.test("nonsense_is_answered_400_and_ends_nothing_else", function()
    local office, camera = begin()
    camera:say "<Notify>"
    camera:say "<Notify><CmdType>Broadcast</CmdType></Notify>"
    camera:request("PUBLISH")
    camera:request("INVITE")
    camera:keepalive()
    office:run "1s"
    t.equal(camera.answers, { 200, 400, 200, 405, 488, 200 })
    camera.line:send "nonsense\r\n\r\n"
    office:run "1s"
    t.equal(camera.line:count(), 0)
    t.equal(office:metrics().sip_malformed, 1)
end)

return t.finish()
