-- Cameras that count wrong, say always the same, leave out what belongs there, or speak for others.
local digest = require "digest"
local double = require "double"
local sip = require "sip"
local t = require "testing"

local ID = double.ID

local function begin(udp, more)
    local camera = double.camera { udp = udp }
    local kind = udp and "udp" or "tcp"
    local config = { id = double.PLATFORM, [kind] = kind .. "://0.0.0.0:5060", keepalive = "1h",
        cameras = { [ID] = { password = double.PASSWORD } } }
    for name, value in pairs(more or {}) do
        config[name] = value
    end
    local office = t.office { config = config, devices = { [camera.url] = camera.line } }
    if not udp then
        camera.line:call(5060)
    end
    camera:register()
    office:run "1s"
    return office, camera
end

-- ---- Lengths

local function alarm(description)
    return '<?xml version="1.0" encoding="GB2312"?>\r\n<Notify>\r\n<CmdType>Alarm</CmdType>'
        .. "<SN>1</SN><DeviceID>" .. ID .. "</DeviceID><AlarmMethod>2</AlarmMethod>"
        .. "<AlarmDescription>" .. description .. "</AlarmDescription>\r\n</Notify>\r\n"
end

t.test("over_tcp_too_a_body_whose_length_counts_letters_is_read_whole", function()
    local gbk = require "gbk"
    local text = "\u{8dcc}\u{5012}\u{ff0c}\u{8bf7}\u{6c42}\u{652f}\u{63f4}"
    for _, body in ipairs { alarm(text), alarm((gbk.encode(text))) } do
        for _, size in ipairs { 16, 99, 100000 } do
            local office, camera = begin()
            local bytes = camera:compose("MESSAGE", nil, body)
            local letters = utf8.len(alarm(text))
            bytes = bytes:gsub("Content%-Length: %d+", "Content-Length: " .. letters)
            t.holds(#body > letters)
            for from = 1, #bytes, size do
                camera:put(bytes:sub(from, from + size - 1))
            end
            office:run "1s"
            t.equal({ size, camera.answers }, { size, { 200, 200 } }) -- it does not wait for more
            t.equal(office:next("bodycam.alarm").data.raw, digest.sha256((body:gsub("%s+$", ""))))
            camera:keepalive()
            office:run "1s"
            t.equal(camera.answers, { 200, 200, 200 })
        end
    end
end)

t.test("a_torn_body_in_chinese_is_refused_when_the_next_message_comes", function()
    local office, camera = begin()
    camera:say((alarm("\u{8dcc}"):gsub("</Notify>%s*", "")))
    camera:keepalive()
    office:run "1s"
    t.equal({ camera.answers, office:told "bodycam.alarm" }, { { 200, 400, 200 }, {} })
end)

t.test("what_is_left_in_a_cameras_memory_behind_the_document_is_nothing", function()
    local office, camera = begin(true)
    camera:say(alarm "x" .. "\0\0otify>\1\2")
    office:run "1s"
    t.equal({ camera.answers, #office:told "bodycam.alarm" }, { { 200, 200 }, 1 })
end)

-- ---- Marks by which requests are told from each other

local function always_the_same(bytes)
    return (bytes:gsub("branch=%w+", "branch=z9hG4bK0"):gsub("Call%-ID: %w+", "Call-ID: 1")
        :gsub("CSeq: %d+", "CSeq: 1"):gsub("tag=%d+", "tag=0"))
end

t.test("a_camera_that_numbers_nothing_can_register_and_none_of_its_alarms_is_lost", function()
    local camera = double.camera { udp = true }
    local put = camera.put
    function camera:put(bytes)
        put(self, bytes:find "^SIP" and bytes or always_the_same(bytes))
    end
    local office = t.office { config = { id = double.PLATFORM, udp = "udp://0.0.0.0:5060",
        cameras = { [ID] = { password = double.PASSWORD } } },
        devices = { [camera.url] = camera.line } }
    camera:register()
    office:run "1s"
    t.equal({ camera.challenges, camera.answers }, { 1, { 200 } })
    for second = 1, 3 do
        camera:notify("Alarm", { { "AlarmMethod", 5 },
            { "AlarmTime", ("2026-11-21T08:00:%02d"):format(second) } })
    end
    office:run "1s"
    t.equal({ #office:told "bodycam.alarm", camera.answers },
        { 3, { 200, 200, 200, 200 } })
end)

t.test("an_answer_without_a_branch_is_known_by_its_call", function()
    local office, camera = begin(true)
    local put = camera.put
    function camera:put(bytes)
        put(self, bytes:find "^SIP" and bytes:gsub(";branch=%w+", "") or bytes)
    end
    camera.script = { Catalog = { sum = 1, { double.item { DeviceID = "1" } } } }
    t.equal(office:act("catalogue", { camera = ID }).complete, true)
    camera.says = 403
    local _, why = office:act("catalogue", { camera = ID })
    t.holds(why:find "the camera says no: 403", why)
end)

t.test("a_camera_that_says_accepted_says_yes", function()
    local office, camera = begin(true)
    camera.says = 202
    local asked
    camera.line.on = function(_, bytes)
        asked = sip.parse(bytes)
        camera:put(sip.write(sip.reply(asked, 202)))
        camera.line:message(5060, camera:compose("MESSAGE", nil, (asked.body:gsub("Query>",
            "Response>"):gsub("</DeviceID>", "</DeviceID><SumNum>0</SumNum>"))), "300ms")
        camera.line.on = nil
    end
    t.equal(office:act("catalogue", { camera = ID }).complete, true)
end)

-- ---- Channels

local CHANNEL = "35010500001340000001"

local function from_channel(camera)
    local bytes = camera:compose("MESSAGE", nil, (alarm "x":gsub(ID, CHANNEL)))
    camera:put((bytes:gsub("From: <sip:" .. ID, "From: <sip:" .. CHANNEL)))
end

t.test("an_alarm_in_the_name_of_a_channel_is_the_cameras", function()
    for _, udp in ipairs { false, true } do
        local office, camera = begin(udp)
        from_channel(camera)
        office:run "1s"
        t.equal(camera.answers, { 200, 200 })
        local data = office:next("bodycam.alarm").data
        t.equal({ data.camera, data.channel }, { ID, CHANNEL })
    end
end)

t.test("a_channel_of_nobody_in_particular_is_a_stranger", function()
    local other = "35010500001320000008"
    local office, camera = begin(true, { cameras = { [ID] = { password = double.PASSWORD },
        [other] = { password = double.PASSWORD } } })
    camera.id = other
    camera:register()
    office:run "1s"
    camera.id = ID
    from_channel(camera)
    office:run "1s"
    t.equal({ camera.answers, office:metrics().strangers_refused }, { { 200, 200, 403 }, 1 })
end)

return t.finish()
