-- What cameras are asked and what their answers become, in the real host.
local double = require "double"
local sip = require "sip"
local t = require "testing"

local ID, ITEM = double.ID, double.item

local function begin(script, more)
    local camera = double.camera { script = script }
    local config = { id = double.PLATFORM, tcp = "tcp://0.0.0.0:5060",
        cameras = { [ID] = { password = double.PASSWORD } } }
    for name, value in pairs(more or {}) do
        config[name] = value
    end
    local office = t.office { config = config, devices = { ["tcp://10.0.0.7"] = camera.line } }
    camera.line:call(5060)
    camera:register(7200)
    office:run "1s"
    return office, camera
end

local function channel(number, status)
    return ITEM { DeviceID = number, Name = "cam " .. number, Status = status or "ON" }
end

-- Eight channels in four messages.
local function eight()
    local script = { sum = 8 }
    for i = 1, 4 do
        script[i] = { channel(2 * i - 1), channel(2 * i, i == 4 and "OFF" or "ON") }
    end
    return script
end

t.test("behind_the_first_keepalive_catalogue_model_and_status_are_read", function()
    local office, camera = begin { Catalog = eight(), DeviceInfo = { { "Manufacturer", "Acme" },
        { "Model", "DSJ-4G" } }, DeviceStatus = { { "Online", "ONLINE" }, { "Status", "OK" },
        { "DeviceTime", "2026-11-21T08:01:00" } } }
    t.equal(camera.asked, {})
    camera:keepalive()
    office:run "5s"
    t.equal({ camera.asked[1].cmd, camera.asked[2].cmd, camera.asked[3].cmd },
        { "Catalog", "DeviceInfo", "DeviceStatus" })
    t.equal(office:next("bodycam.catalogue").data,
        { camera = ID, sum = 8, got = 8, complete = true, on = 7 })
    t.equal(office:next("bodycam.info").data,
        { camera = ID, manufacturer = "Acme", model = "DSJ-4G" })
    local status = office:next("bodycam.status").data
    t.holds(status.drift > 50 and status.drift < 60)
    t.equal({ status.online, status.status }, { "ONLINE", "OK" })
    t.equal(#office:look("channels", { camera = ID }), 8)
    t.equal(office:look("cameras")[1].model, "DSJ-4G")
end)

t.test("a_camera_that_registers_again_and_was_there_is_not_asked_again", function()
    local office, camera = begin { Catalog = eight() }
    camera:keepalive()
    office:run "2m"
    local count = #camera.asked
    camera:register()
    office:run "1s"
    camera:keepalive()
    office:run "1m"
    t.equal({ count, #camera.asked }, { 3, 3 })
end)

t.test("what_has_not_changed_is_told_once", function()
    local office, camera = begin({ Catalog = eight(), DeviceInfo = { { "Model", "A" } } },
        { refresh = "1h", keepalive = "1h" })
    camera:keepalive()
    office:run "65m"
    t.equal(#camera.asked >= 4, true)
    t.equal(office:told "bodycam.catalogue", { "bodycam.catalogue" })
    t.equal(office:told "bodycam.info", { "bodycam.info" })
end)

t.test("a_camera_that_does_not_answer_is_asked_again_less_and_less_often", function()
    local office, camera = begin({}, { keepalive = "1h" })
    local function catalogues()
        local count = 0
        for _, asked in ipairs(camera.asked) do
            count = count + (asked.cmd == "Catalog" and 1 or 0)
        end
        return count
    end
    camera:keepalive()
    office:run "6m"
    t.equal(catalogues(), 2)
    office:run "5m"
    t.equal(catalogues(), 2)
    office:run "6m"
    t.equal(catalogues(), 3)
    camera.script.Catalog = eight()
    office:run "90m"
    t.equal(catalogues(), 4)
end)

t.test("a_catalogue_that_is_asked_for_is_answered_whole", function()
    local office = begin { Catalog = eight() }
    local answer = office:act("catalogue", { camera = ID })
    t.equal({ answer.sum, answer.got, answer.missing, answer.complete, #answer.channels },
        { 8, 8, 0, true, 8 })
    t.equal(answer.channels[8], { channel = "8", name = "cam 8", status = "OFF" })
end)

t.test("what_did_not_all_come_is_told_each_time_and_not_kept", function()
    local office, camera = begin({ Catalog = eight() }, { refresh = "5m", keepalive = "1h" })
    camera:keepalive()
    office:run "2m"
    camera.script.Catalog = { eight()[1], sum = 8 }
    office:run "20m"
    t.equal(#office:told "bodycam.catalogue" >= 3, true)
    local count = #office:told "bodycam.catalogue"
    camera.script.Catalog = eight() -- the same eight, and one more that never comes
    camera.script.Catalog.sum = 9
    office:run "6m"
    t.equal(#office:told "bodycam.catalogue" > count, true)
    t.equal(#office:look("channels", { camera = ID }), 8)
end)

t.test("a_model_that_is_no_name_of_a_product_is_not_told", function()
    local office, camera = begin { DeviceInfo = { { "Manufacturer", "Acme" }, { "Model", "a" } } }
    camera.script.DeviceInfo = nil
    camera:keepalive()
    office:run "1s"
    camera.script.DeviceInfo = nil
    office:run "15s"
    for _, asked in ipairs(camera.asked) do
        if asked.cmd == "DeviceInfo" then
            camera:say(("<Response><CmdType>DeviceInfo</CmdType><SN>%d</SN><DeviceID>%s</DeviceID>"
                .. "<Manufacturer>Acme</Manufacturer><Model>王警官的</Model></Response>"):format(
                asked.sn, ID))
        end
    end
    office:run "1s"
    t.equal(office:next("bodycam.info").data, { camera = ID, manufacturer = "Acme" })
end)

t.test("what_we_ask_says_the_address_by_which_the_camera_has_called_us", function()
    local office, camera = begin { Catalog = { sum = 0, {} } }
    office:act("catalogue", { camera = ID })
    t.equal(sip.via(camera.requests[1]).host .. ":" .. sip.via(camera.requests[1]).port,
        "10.0.0.1:5060")
end)

t.test("the_longest_names_still_fit_the_answer_and_the_store", function()
    local long, script = ('"'):rep(200), { sum = 120 }
    for message = 1, 12 do
        script[message] = {}
        for i = 1, 10 do
            script[message][i] = ITEM { DeviceID = ("%020d"):format(10 * message + i), Name = long,
                Manufacturer = long, Model = long, ParentID = long, Status = ("S"):rep(32) }
        end
    end
    local office = begin { Catalog = script }
    local answer = office:act("catalogue", { camera = ID })
    t.equal({ answer.got, answer.complete, #answer.channels, answer.not_shown },
        { 120, true, 100, 20 })
    t.equal(#office:look("channels", { camera = ID }), 64)
end)

t.test("what_comes_twice_or_never_ends_with_what_is_known", function()
    local twice = eight()
    twice[4] = twice[3]
    local office = begin { Catalog = twice }
    local answer = office:act("catalogue", { camera = ID })
    t.equal({ answer.got, answer.missing, answer.complete }, { 6, 2, false })
    local lost = eight()
    lost[2] = nil
    office = begin { Catalog = { lost[1], sum = 8 } }
    answer = office:act("catalogue", { camera = ID })
    t.equal({ answer.got, answer.missing, answer.complete }, { 2, 6, false })
    t.equal(office:next("bodycam.catalogue").data.complete, false)
end)

local function recording(from, to, number)
    return ITEM { DeviceID = ID, StartTime = from, EndTime = to, FilePath = number, FileSize = 9,
        Type = "time" }
end

t.test("recordings_come_in_their_order_with_times_in_utc_and_their_gaps", function()
    local office, camera = begin { RecordInfo = { sum = 3,
        { recording("2026-11-21T10:00:00", "2026-11-21T10:30:00", "c") },
        { recording("2026-11-21T07:50:00", "2026-11-21T08:30:00", "a"),
            recording("2026-11-21T08:31:22", "2026-11-21T10:00:00", "b") } } }
    local answer = office:act("records",
        { camera = ID, from = "2026-11-21T08:00:00", to = "2026-11-21T12:00:00+08:00" })
    t.equal(camera.asked[1].tree[4].text, "2026-11-21T08:00:00")
    t.equal(camera.asked[1].tree[5].text, "2026-11-21T12:00:00")
    t.equal({ answer.sum, answer.complete, #answer.recordings, answer.not_shown },
        { 3, true, 3, 0 })
    t.equal(answer.recordings[1], { channel = ID, from = "2026-11-20T23:50:00.000Z",
        to = "2026-11-21T00:30:00.000Z", told = "2026-11-21T07:50:00", file = "a", size = 9,
        type = "time" })
    t.equal(answer.gaps, { { from = "2026-11-21T00:30:00.000Z", to = "2026-11-21T00:31:22.000Z",
        seconds = 82 } })
    local data = office:next("bodycam.records").data
    t.equal({ data.got, data.gaps, data.gap_seconds, data.from }, { 3, 1, 82,
        "2026-11-21T00:00:00.000Z" })
end)

t.test("a_window_that_is_none_is_refused", function()
    local office = begin {}
    for _, window in ipairs { { "x", "2026-11-21T08:00:00" },
        { "2026-11-21T08:00:00", "2026-11-21T08:00:00" },
        { "2026-11-21T08:00:00", "2026-12-31T08:00:00" } } do
        local answer, why = office:act("records",
            { camera = ID, from = window[1], to = window[2] })
        t.equal(answer, nil)
        t.holds(why:find "expected", why)
    end
end)

t.test("a_camera_that_is_not_there_or_says_no_is_told_to_who_asks", function()
    local office, camera = begin {}
    local function why(params)
        local answer, text = office:act("catalogue", params)
        t.equal(answer, nil)
        return text
    end
    t.holds(why { camera = "1" }:find "expected one of the setting cameras")
    camera.says = 404
    t.holds(why { camera = ID }:find "says no: 404")
    camera.says = 200
    t.holds(why { camera = ID }:find "did not answer")
    camera:register(0)
    office:run "1s"
    t.holds(why { camera = ID }:find "online")
end)

t.test("a_camera_that_cannot_answer_has_not_said_that_there_is_nothing", function()
    for _, result in ipairs { "ERROR", "Error" } do
        local office, camera = begin {}
        camera.line.on = function(_, bytes)
            local asked = sip.parse(bytes)
            if asked.status then
                return
            end
            camera:put(sip.write(sip.reply(asked, 200)))
            camera:say((asked.body:gsub("Query>", "Response>"):gsub("</DeviceID>.*</Response>",
                "</DeviceID><Result>" .. result .. "</Result></Response>")))
        end
        for action, params in pairs { status = {}, catalogue = {},
            records = { from = "2026-11-21T08:00:00", to = "2026-11-21T12:00:00" } } do
            params.camera = ID
            local answer, why = office:act(action, params)
            t.equal({ action, answer }, { action })
            t.holds(why:find "says ERROR", why)
        end
        t.equal(office:told(), { "bodycam.online" })
    end
end)

t.test("an_answer_that_nobody_asked_for_is_nobodys", function()
    local office, camera = begin {}
    camera:say("<Response><CmdType>Catalog</CmdType><SN>1</SN><DeviceID>" .. ID
        .. "</DeviceID><SumNum>0</SumNum></Response>")
    office:run "1s"
    t.equal({ camera.answers, office:metrics().answers_unasked }, { { 200, 200 }, 1 })
end)

t.test("a_camera_is_asked_for_its_position_and_asked_again_in_the_same_dialog", function()
    local office, camera = begin({}, { positions = "30s", keepalive = "1h" })
    camera:keepalive()
    office:run "2m"
    local first = camera.requests[#camera.requests]
    t.equal({ first.method, camera.asked[#camera.asked].cmd, sip.header(first, "event") },
        { "SUBSCRIBE", "MobilePosition", "presence" })
    camera:keepalive()
    office:run "58m"
    local second = camera.requests[#camera.requests]
    t.equal({ second.method, second.cseq }, { "SUBSCRIBE", 2 })
    t.equal(sip.header(second, "call-id"), sip.header(first, "call-id"))
    t.equal(sip.address(sip.header(second, "to")).parameters.tag, "camera")
    camera.says = 481
    camera:register(7200)
    office:run "56m"
    local asked = {}
    for _, request in ipairs(camera.requests) do
        asked[#asked + 1] = request.method == "SUBSCRIBE" and request.cseq or nil
    end
    t.equal({ asked[1], asked[2], asked[3], asked[4] }, { 1, 2, 3, 1 })
end)

t.test("roles_are_kept", function()
    local office = begin {}
    local answer = office:act("records", { camera = ID, from = "x", to = "y" },
        { role = "social_worker" })
    t.equal(answer, nil)
end)

return t.finish()
