local double = require "double"
local json = require "json"
local t = require "testing"

local START = double.START

local function rows(count, first)
    local list = {}
    for i = 1, count do
        list[i] = double.row((first or 0) + i, START - 5000 + i * 10)
    end
    return list
end

-- Numbers of the check-ins, in the order in which they were told.
local function told(office, kind)
    local serials = {}
    for i, event in ipairs(office:events(kind or "checkin.*")) do
        serials[i] = event.data.record or "live"
    end
    return serials
end

local function numbers(count)
    local list = {}
    for i = 1, count do
        list[i] = i
    end
    return list
end

local function asked_with(terminal, password)
    local count = 0
    for _, request in ipairs(terminal.http:requests()) do
        count = count + (request.password == password and 1 or 0)
    end
    return count
end

---- login

t.test("a_wrong_password_is_tried_once_and_never_again", function()
    local terminal = double.new { rows = rows(3), stream = double.stream {} }
    local office = double.office(terminal, { password = "wrong" })
    office:run "2h"
    office:restart()
    office:run "2h"
    office:kill()
    office:run "2h"
    t.equal(asked_with(terminal, "wrong"), 1)
    t.equal(office:told(), { "terminal.auth_failed" })
end)

t.test("a_password_that_is_refused_later_is_tried_once_more_and_never_again", function()
    local terminal = double.new { rows = rows(3), stream = double.stream({}, 20) }
    local office = double.office(terminal)
    office:run "1m"
    local before = #terminal.http:requests()
    terminal.http.login.password, double.PASSWORD = "new one", "changed"
    office:run "6h"
    double.PASSWORD = "Secret-77"
    t.equal(#terminal.http:requests() - before, 1)
    t.equal(#office:events "terminal.auth_failed", 1)
end)

-- The same office with another user or password.
local function configured(office, terminal, config)
    config.url, config.password = double.URL, config.password or double.PASSWORD
    return t.office { config = config, devices = { [double.URL] = terminal.http },
        store = office:stored() }
end

t.test("eight_passwords_that_were_refused_are_known_and_not_tried_again", function()
    local terminal = double.new { rows = {} }
    local office = double.office(terminal, { password = "wrong1" })
    office:run "1m"
    for turn = 1, 2 do
        for i = turn == 1 and 2 or 1, 8 do
            office = configured(office, terminal, { password = "wrong" .. i })
            office:run "10m"
            t.equal(#office:events "terminal.auth_failed", turn == 1 and 1 or 0)
        end
    end
    for i = 1, 8 do
        t.equal(asked_with(terminal, "wrong" .. i), 1)
    end
    office = configured(office, terminal, { password = "wrong9" })
    office:run "10m"
    for _, number in ipairs { 9, 8, 2 } do
        office = configured(office, terminal, { password = "wrong" .. number })
        office:run "10m"
        t.equal(asked_with(terminal, "wrong" .. number), 1)
    end
    office = configured(office, terminal, { password = "wrong1" }) -- forgotten: the ninth
    office:run "10m"
    t.equal(asked_with(terminal, "wrong1"), 2)
    office = configured(office, terminal, {})
    office:run "10m"
    t.equal(office:look("terminal").online, true)
end)

t.test("a_refusal_that_was_stored_as_one_mark_still_counts", function()
    local terminal = double.new { rows = {} }
    local mark = require("digest").sha256(("admin\0wrong\0%s"):format(double.URL))
    local office = t.office { config = { url = double.URL, password = "wrong" },
        devices = { [double.URL] = terminal.http }, store = { refused = mark } }
    office:run "10m"
    t.equal(#terminal.http:requests(), 0)
end)

t.test("who_is_refused_before_its_serial_is_known_is_called_by_its_address", function()
    for url, name in pairs {
        ["http://10.0.0.30"] = "10.0.0.30", ["http://10.0.0.30:8080"] = "10.0.0.30-8080",
        ["https://hall.office.example:8443"] = "hall.office.example-8443",
        ["http://[fe80::1:2]:81"] = "fe80-1-2-81", ["http://[::1]"] = "1",
    } do
        local terminal = double.new { rows = {} }
        local office = t.office { config = { url = url, password = "wrong" },
            devices = { [url] = terminal.http } }
        office:run "1m"
        local event = office:events("terminal.auth_failed")[1]
        t.equal({ event.data.terminal, event.subject }, { name, "device/face-terminal/" .. name })
    end
end)

---- the memory of the terminal

t.test("what_it_remembers_is_told_once_and_in_order", function()
    for _, form in ipairs { "epoch", "text" } do
        local terminal = double.new { rows = rows(300), cap = 100, form = form }
        local office = double.office(terminal)
        office:run "1h"
        office:restart()
        office:run "1h"
        t.equal(told(office), numbers(300))
        local event = office:events("checkin.verified")[1]
        t.equal({ event.subject, event.data.method, event.data.live, event.time },
            { "person/1001", "face", false, "2026-11-20T22:36:50.000000Z" })
    end
end)

t.test("firmware_that_wants_another_form_of_times_is_read_on", function()
    local terminal = double.new { rows = rows(3) }
    local office = double.office(terminal)
    office:run "10m"
    terminal.form = "text"
    terminal.rows = rows(5)
    office:run "30m"
    t.equal(told(office), numbers(5))
end)

t.test("no_moment_is_a_bad_one_to_die", function()
    for nth = 1, 14 do
        for _, step in ipairs { { after = "any", nth = nth }, { before = "commit", nth = nth } } do
            local terminal = double.new { rows = rows(200), cap = 60 }
            local office = double.office(terminal)
            office:die(step)
            office:run "30m"
            t.equal(told(office), numbers(200))
        end
    end
end)

t.test("a_clock_set_back_long_ago_is_no_worse_moment_to_die", function()
    for nth = 1, 24 do
        local list = {}
        for i = 1, 400 do
            list[i] = double.row(i, START - 20000 + i * 20 - (i > 200 and 3000 or 0))
        end
        table.sort(list, function(a, b) return a.CreateTime < b.CreateTime end)
        local office = double.office(double.new { rows = list, cap = 60 })
        office:die { after = "commit", nth = nth }
        office:run "30m"
        local serials = told(office)
        table.sort(serials)
        t.equal(serials, numbers(400))
        t.equal(office:told "terminal.serial_reset", {})
    end
end)

t.test("names_and_cards_are_in_no_event_and_in_no_store", function()
    local terminal = double.new { rows = { double.row(1, START - 50, { UserID = "",
        CardNo = "6222020200112233", Status = 1, Method = 1 }), double.row(2, START - 40,
        { UserID = "350105199001011234" }) } }
    local office = double.office(terminal)
    office:run "10m"
    local all = json.encode(office:events()) .. json.encode(office:stored())
        .. table.concat(office:log())
    for _, secret in ipairs { "ZHANG", "6222020200112233", "350105199001011234", "Secret-77" } do
        t.holds(not all:find(secret, 1, true), secret)
    end
    t.holds(office:events("checkin.verified")[2].subject:find("^person/p%-%x+$"))
end)

t.test("a_clock_that_was_set_back_loses_nothing_and_doubles_nothing", function()
    local terminal = double.new { rows = rows(20), stream = double.stream {} }
    local office = double.office(terminal)
    office:run "10m"
    terminal.ahead = -7200
    for i = 21, 25 do
        terminal.rows[i] = double.row(i, t.office_now() - 7200 + i)
    end
    office:run "10m"
    t.equal(told(office), numbers(25))
    local wrong = office:events "terminal.clock_wrong"
    t.equal({ #wrong, math.abs(wrong[1].data.drift + 7200) <= 1 }, { 1, true })
end)

t.test("numbers_that_begin_again_are_told_and_so_are_their_records", function()
    local terminal = double.new { rows = rows(20, 500) }
    local office = double.office(terminal)
    office:run "10m"
    terminal.rows = {}
    for i = 1, 5 do
        terminal.rows[i] = double.row(i, t.office_now() - 20 + i)
    end
    office:run "10m"
    t.equal(#told(office), 25)
    local reset = office:events "terminal.serial_reset"
    t.equal({ #reset, reset[1].data.before, reset[1].data.after }, { 1, 520, 1 })
end)

t.test("numbers_that_are_missing_are_told_as_a_gap", function()
    local list = rows(10)
    table.remove(list, 5)
    table.remove(list, 5)
    local terminal = double.new { rows = list }
    local office = double.office(terminal)
    office:run "10m"
    local gaps = office:events "gap.recorded"
    t.equal({ #gaps, gaps[1].data.first, gaps[1].data.missing }, { 1, 5, 2 })
end)

t.test("more_than_is_remembered_is_still_told_once", function()
    local list = {}
    for i = 1, 6000 do
        list[i] = double.row(i, START - 80000 + i * 10)
    end
    local terminal = double.new { rows = list }
    local office = double.office(terminal)
    office:run "1h"
    office:restart()
    office:run "49h"
    t.equal(#told(office), 6000)
    t.holds(office:look("terminal").known <= 4096 + 256 + 64, office:look("terminal").known)
end)

---- the stream

t.test("what_the_stream_told_is_not_told_again_by_its_record", function()
    local terminal = double.new { rows = {}, stream = double.stream { double.face(START + 5) } }
    local office = double.office(terminal, { reconcile = "10s" })
    office:run "6s"
    t.equal(told(office), { "live" })
    terminal.rows[1] = double.row(7, START + 6)
    office:run "1h"
    office:restart()
    office:run "1h"
    t.equal(told(office), { "live" })
    t.equal(office:events("checkin.verified")[1].data.score, 92)
end)

t.test("a_face_that_is_told_three_times_is_one_check_in_and_a_second_record_is_another", function()
    local terminal = double.new { rows = {}, stream = { { after = "5s", body = double.part(
        double.face(START + 3)) .. double.part(double.face(START + 4)) .. double.part(
        double.face(START + 5)) .. double.part(double.face(START + 5, "1002")) } } }
    local office = double.office(terminal)
    office:run "7s"
    t.equal(told(office), { "live", "live" })
    terminal.rows = { double.row(7, START + 3), double.row(8, START + 5),
        double.row(9, START + 5, { UserID = "1002" }) }
    office:run "10m"
    t.equal(told(office), { "live", "live", 8 })
end)

t.test("a_stream_that_falls_silent_is_noticed_and_what_it_missed_is_told", function()
    local terminal = double.new { rows = {}, stream = double.stream({}, 4) }
    local office = double.office(terminal, { reconcile = "1d" })
    office:run "30s"
    terminal.rows[1] = double.row(1, START + 30)
    terminal.stream = double.stream {}
    office:run "16s" -- it is noticed 15 s after the last heartbeat, at 35 s, and opened 5 s later
    t.equal(told(office), { 1 })
    t.equal(#office:events "terminal.offline", 0)
end)

t.test("a_stream_of_noise_is_given_up_and_opened_again_later", function()
    local noise = {}
    for i = 1, 40 do
        noise[i] = { after = "100ms", body = ("x\n"):rep(30000) }
    end
    local terminal = double.new { rows = {}, stream = noise }
    local office = double.office(terminal)
    office:run "1m"
    local opened = 0
    for _, request in ipairs(terminal.http:requests "GET /cgi-bin/eventManager.cgi") do
        opened = opened + (request.fault and 0 or 1)
    end
    t.holds(opened >= 2 and opened <= 4, opened)
    terminal.stream = double.stream { double.face(START + 70) }
    office:run "2m"
    t.equal(told(office), { "live" })
end)

t.test("an_event_that_does_not_say_what_it_means_has_the_records_read", function()
    local new_file = "Code=_NewFile_;action=Pulse;index=0;data={\"File\":\"/a.jpg\"}"
    local terminal = double.new { rows = {}, stream = double.stream { new_file } }
    local office = double.office(terminal, { reconcile = "1d" })
    office:run "4s"
    terminal.rows[1] = double.row(1, START + 4)
    office:run "5s"
    t.equal(told(office), { 1 })
end)

t.test("an_event_whose_end_cannot_be_found_has_the_records_read", function()
    local gbk = 'Code=AccessControl;action=Pulse;index=0;data={ "CardName":"\x84\x5C","UserID":"7"}'
    local terminal = double.new { rows = {}, stream = double.stream { gbk } }
    local office = double.office(terminal, { reconcile = "1d" })
    office:run "4s"
    terminal.rows[1] = double.row(1, START + 4)
    office:run "16s"
    t.equal(told(office), { 1 })
end)

t.test("doors_and_housings_are_told_with_their_alarms", function()
    local terminal = double.new { rows = {}, stream = double.stream {
        'Code=DoorStatus;action=Pulse;index=0;data={"Status":"Open"}',
        'Code=ChassisIntruded;action=Start;index=0;data={"UTC":1795219215}',
        'Code=ChassisIntruded;action=Start;index=0;data={"UTC":1795219215}',
        'Code=ChassisIntruded;action=Stop;index=0;data={"UTC":1795219225}' } }
    local office = double.office(terminal)
    office:run "1m"
    t.equal(office:told "terminal.*", { "terminal.online", "terminal.online", "terminal.door",
        "terminal.tamper", "terminal.tamper_restored" })
end)

t.test("one_that_does_not_answer_is_offline_until_it_does", function()
    local terminal = double.new { rows = rows(3), stream = double.stream({}, 3) }
    local office = double.office(terminal)
    office:run "1m"
    terminal.http:fail "timeout"
    office:run "10m"
    terminal.http:heal()
    office:run "30m"
    local kinds = office:told "terminal.*"
    t.equal({ #office:events "terminal.offline", kinds[3], kinds[4] },
        { 1, "terminal.offline", "terminal.online" })
    t.equal(office:look("terminal").online, true)
    t.equal(office:look("terminal").firmware, "2.000.0000000.1.R")
end)

t.test("another_terminal_is_not_believed", function()
    local terminal = double.new { rows = rows(3), stream = double.stream({}, 3) }
    local office = double.office(terminal)
    office:run "1m"
    terminal.serial, terminal.rows = "OTHER1", rows(9)
    office:run "20m"
    t.equal(#told(office), 3)
    t.equal(office:events("terminal.offline")[1].data.cause, "wrong_terminal")
    terminal.serial = "5PGM37"
    office:run "20m"
    t.equal(#told(office), 9)
end)

---- what it pushes

local PUSHED = '{"Code":"AccessControl","Action":"Pulse","Index":0,"Data":{"UserID":"1001",'
    .. '"CardName":"ZHANG SAN","RealUTC":%d,"Status":1,"ErrorCode":0,"Method":15,"RecNo":%d}}'

t.test("what_is_pushed_is_answered_when_it_is_on_disk_and_told_once", function()
    local terminal = double.new { rows = {} }
    local office = double.office(terminal, { listen = "http://0.0.0.0:8089" })
    office:run "1s"
    for _ = 1, 2 do
        local reply = terminal.http:push(8089, "POST /", { body = PUSHED:format(START + 1, 4) })
        office:run "1s"
        t.equal(reply.status, 200)
    end
    terminal.rows[1] = double.row(4, START + 1)
    office:run "20m"
    t.equal(told(office), { 4 })
    t.holds(office:trace("commit", "push")[1])
end)

t.test("a_push_that_is_not_on_disk_is_not_acknowledged_and_comes_again", function()
    local terminal = double.new { rows = {} }
    local office = double.office(terminal, { listen = "http://0.0.0.0:8089" })
    office:run "10s"
    office:die { before = "commit" }
    local reply = terminal.http:push(8089, "POST /", { body = PUSHED:format(START + 1, 4) })
    office:run "3s"
    t.holds(reply.status ~= 200)
    reply = terminal.http:push(8089, "POST /", { body = PUSHED:format(START + 1, 4) })
    office:run "3s"
    t.equal({ reply.status, told(office) }, { 200, { 4 } })
end)

t.test("garbage_is_acknowledged_counted_and_told_to_nobody", function()
    local terminal = double.new { rows = {} }
    local office = double.office(terminal, { listen = "http://0.0.0.0:8089" })
    office:run "10s"
    local count = #office:events()
    for _, body in ipairs { "\x1f\x8bgarbage", "{", "Code=", "", ("x"):rep(5000) } do
        local reply = terminal.http:push(8089, "POST /", { body = body })
        office:run "1s"
        t.equal(reply.status, 200)
    end
    t.equal(#office:events(), count)
end)

local function push_with_picture(setting, refuse)
    local terminal = double.new { rows = {} }
    local office = double.office(terminal, { listen = "http://0.0.0.0:8089", pictures = setting })
    office:run "5s"
    if refuse then
        office:refuse_blobs(2, "full")
    end
    local body = ("--b\r\nContent-Type: text/plain\r\n\r\n%s\r\n--b\r\nContent-Type: image/jpeg\r\n"
        .. "Content-Length: 8\r\n\r\n\xFF\xD8face\xFF\xD9\r\n--b--\r\n"):format(
        PUSHED:format(START + 1, 4))
    for _ = 1, 2 do
        terminal.http:push(8089, "POST /", { body = body,
            headers = { ["Content-Type"] = "multipart/mixed; boundary=b" } })
        office:run "2s"
    end
    return office, office:events("checkin.verified")[1].data.picture
end

t.test("a_picture_is_nothing_a_hash_or_kept_for_the_time_that_is_set", function()
    local office, picture = push_with_picture(nil)
    t.equal({ picture, #office:blobs() }, { nil, 0 })
    office, picture = push_with_picture "hash"
    t.equal({ picture, #office:blobs() }, { require("digest").sha256 "\xFF\xD8face\xFF\xD9", 0 })
    office, picture = push_with_picture "keep 7d"
    local blobs = office:blobs()
    t.equal({ #blobs, blobs[1].sha256, blobs[1].class }, { 1, picture, "picture" })
    t.equal({ blobs[1].keep_ms, blobs[1].erase }, { 604800000, true })
end)

t.test("a_record_counts_for_more_than_a_picture_for_which_there_is_no_room", function()
    local office, picture = push_with_picture("keep 7d", true)
    t.equal({ #told(office), picture, #office:blobs() },
        { 1, require("digest").sha256 "\xFF\xD8face\xFF\xD9", 0 })
end)

t.test("without_a_password_nobody_asks_and_what_is_pushed_is_told", function()
    local terminal = double.new { rows = rows(3) }
    local office = t.office { config = { url = double.URL, listen = "http://0.0.0.0:8089",
        serial = "5PGM37" }, devices = { [double.URL] = terminal.http } }
    office:run "10m"
    terminal.http:push(8089, "POST /", { body = PUSHED:format(START + 1, 4) })
    office:run "10m"
    t.equal({ #terminal.http:requests(), told(office) }, { 0, { 4 } })
end)

return t.finish()
