-- The plugin in the real host: what is answered when, what is told once, who is heard.
local digest = require "digest"
local t = require "testing"

local URL, PORT = "http://0.0.0.0:8088", 8088
local HERE, ELSEWHERE = "http://10.0.0.7", "http://10.0.0.8"
local ANYWHERE = "10.0.0.0/24"

local function open(settings, more)
    local config = { url = URL, terminals = { SN1 = "10.0.0.7" } }
    for name, value in pairs(settings or {}) do
        config[name] = value
    end
    local device, other = t.http {}, t.http {}
    local options = { config = config, devices = { [HERE] = device, [ELSEWHERE] = other },
        time = "2026-08-20T03:30:00Z" }
    for name, value in pairs(more or {}) do
        options[name] = value
    end
    return t.office(options), device, other
end

local function ask(box, device, what, body, headers)
    local reply = device:push(PORT, what, { body = body, headers = headers })
    box:run "500ms"
    return reply.status, reply.body
end

local function upload(box, device, table_, body, headers)
    return ask(box, device, "POST /iclock/cdata?SN=SN1&table=" .. table_, body, headers)
end

-- Lines of ATTLOG from the first number to the last, a second apart, at 08:00 of a day.
local function punches(first, last, day)
    local list = {}
    for i = first, last do
        list[#list + 1] = ("%d\t%s 08:%02d:%02d\t255\t15\t0\t0\t0\t0\t0\t0\t"):format(i,
            day or "2026-08-19", i // 60 % 60, i % 60)
    end
    return table.concat(list, "\n") .. "\n"
end

local function checkins(box)
    local list = {}
    for i, event in ipairs(box:events "checkin.verified") do
        list[i] = event.subject
    end
    return list
end

local function numbers(first, last)
    local list = {}
    for i = first, last do
        list[#list + 1] = "person/" .. i
    end
    return list
end

t.test("a_record_is_a_check_in_with_its_time_method_and_hash", function()
    local box, device = open()
    local line = "1\t2026-08-20 11:29:50\t255\t15\t0\t0\t0\t0\t0\t0\t"
    t.equal({ upload(box, device, "ATTLOG&Stamp=9999", line .. "\n") }, { 200, "OK: 1" })
    local event = box:events("checkin.verified")[1]
    t.equal({ event.subject, event.time:sub(1, 19), event.data },
        { "person/1", "2026-08-20T03:29:50", { terminal = "SN1", method = "face", live = true,
            told = "2026-08-20 11:29:50", codes = { status = 255, verify = 15 },
            raw = digest.sha256(line) } })
end)

t.test("a_whole_memory_that_comes_again_is_known_after_a_restart_too", function()
    local box, device = open()
    for turn = 1, 3 do
        for first = 1, 385, 128 do
            t.equal({ upload(box, device, "ATTLOG", punches(first, first + 127)) },
                { 200, "OK: 128" })
        end
        if turn == 1 then
            box:restart()
        elseif turn == 2 then
            box:kill()
        end
    end
    t.equal(checkins(box), numbers(1, 512))
    t.equal(box:metrics().records_repeated, 512)
end)

t.test("ok_is_said_after_the_commit_and_never_without_one", function()
    local box, device = open()
    box:refuse(1)
    t.equal({ (upload(box, device, "ATTLOG", punches(1, 3))) }, { 503 })
    t.equal(checkins(box), {})
    t.equal({ upload(box, device, "ATTLOG", punches(1, 3)) }, { 200, "OK: 3" })
    t.equal(checkins(box), numbers(1, 3))
    box:errors()
end)

t.test("whenever_it_dies_each_record_is_told_exactly_once", function()
    for _, when in ipairs { "before", "after" } do
        for nth = 1, 5 do
            local box, device = open()
            box:die { [when] = "commit", nth = nth }
            local status
            for _ = 1, 8 do
                status = upload(box, device, "ATTLOG", punches(1, 350))
                if status == 200 then
                    break
                end
                box:run "2s"
            end
            t.equal(status, 200)
            t.equal({ when, nth, checkins(box) }, { when, nth, numbers(1, 350) })
        end
    end
end)

-- The same upload from so many connections at once: replies, when all are there.
local function at_once(count)
    local devices, replies = {}, {}
    for i = 1, count do
        devices["http://10.0.0." .. i] = t.http {}
    end
    local box = open({ terminals = { SN1 = ANYWHERE } }, { devices = devices })
    for _, device in pairs(devices) do
        replies[#replies + 1] = device:push(PORT, "POST /iclock/cdata?SN=SN1&table=ATTLOG",
            { body = punches(1, 250) })
    end
    box:run "10s"
    return box, replies
end

t.test("the_same_upload_twice_at_once_is_told_once", function()
    local box, replies = at_once(3)
    for i = 1, 3 do
        t.equal({ replies[i].status, replies[i].body }, { 200, "OK: 250" })
    end
    t.equal(checkins(box), numbers(1, 250))
end)

t.test("a_whole_memory_in_one_piece_is_taken_new_and_known", function()
    local box, device = open()
    local list = {}
    for i = 1, 12000 do
        list[i] = ("%d\t2026-08-19 %02d:%02d:%02d\t255\t15"):format(i % 40 + 1, i // 3600,
            i // 60 % 60, i % 60)
    end
    for _, body in ipairs { table.concat(list, "\n"), table.concat(list, "\n"),
        ("noise\n"):rep(300000) } do
        local reply = device:push(PORT, "POST /iclock/cdata?SN=SN1&table=ATTLOG", { body = body })
        box:run "5m"
        t.equal({ reply.status, reply.body }, { 200, "OK: " .. select(2, (body .. "\n"):gsub(
            "[^\n]+\n", "")) })
    end
    t.equal(#box:events "checkin.verified", 12000)
end)

t.test("lines_that_are_no_records_are_answered_and_do_not_hide_the_others", function()
    local box, device = open()
    local body = "1\t2026-08-19 08:00:00\t0\t15\r\nnoise\r\n2\t2026-02-30 08:00:00\t0\t1\r\n"
        .. ("x"):rep(5000) .. "\r\n\t2026-08-19 08:00:00\t0\t1\r\n"
    for _ = 1, 2 do
        t.equal({ upload(box, device, "ATTLOG", body) }, { 200, "OK: 5" })
    end
    t.equal(box:told(), { "terminal.online", "checkin.verified", "terminal.record" })
    t.equal(box:events("terminal.record")[1].data.codes, { bad_time = 1 })
    t.equal({ box:metrics().lines_malformed, box:metrics().times_bad }, { 6, 2 })
end)

t.test("a_number_that_may_be_personal_is_a_pseudonym_in_event_and_store", function()
    local box, device = open { people = { ["9001"] = "3501050012" } }
    local ID = "350105199001011234"
    upload(box, device, "ATTLOG", ID .. "\t2026-08-19 08:00:00\t0\t15\n"
        .. "9001\t2026-08-19 08:00:01\t0\t15\n")
    local subjects = checkins(box)
    t.holds(subjects[1]:find "^person/p%-%x+$", subjects[1])
    t.equal(subjects[2], "person/3501050012")
    local json = require "json"
    t.holds(not json.encode(box:stored()):find(ID, 1, true))
end)

-- ---- What is not kept

t.test("templates_pictures_and_cards_are_answered_counted_and_never_kept", function()
    local box, device = open()
    local SECRET = "TVJTUDIxAAADj"
    local uploads = {
        { "BIODATA", "BIODATA Pin=1\tNo=0\tType=9\tTmp=" .. SECRET .. "\n", "OK: 1" },
        { "OPERLOG", "FP PIN=1\tFID=0\tTMP=" .. SECRET .. "\nUSER PIN=1\tName=" .. SECRET
            .. "\tCard=77\nBIOPHOTO PIN=1\tContent=" .. (SECRET):rep(2000) .. "\n", "OK: 3" },
        { "ATTPHOTO", "PIN=20260819080000-1.jpg\nSN=SN1\nsize=99\nCMD=uploadphoto\0\xFF\xD8"
            .. SECRET, "OK: 1" },
        { "IDCARD", "IDCARD PIN=0\tIDNum=" .. SECRET .. "\n", "OK: 1" },
        { "tabledata&tablename=templatev10&count=1", "templatev10 pin=1\ttemplate=" .. SECRET,
            "templatev10=1" },
        { "tabledata&tablename=user&count=1", "user uid=5\tpin=4\tname=" .. SECRET, "user=1" },
        { "SOMETHING", SECRET, "OK: 1" },
    }
    for _, one in ipairs(uploads) do
        t.equal({ one[1], upload(box, device, one[1], one[2]) }, { one[1], 200, one[3] })
    end
    local json = require "json"
    t.holds(not json.encode(box:stored()):find(SECRET, 1, true))
    t.holds(not json.encode(box:events()):find(SECRET, 1, true))
    t.holds(not table.concat(box:trace(), "\n"):find(SECRET, 1, true))
    local counts = box:metrics()
    t.equal({ counts.templates_refused, counts.pictures_refused, counts.cards_refused,
        counts.persons_refused, counts.tables_unknown }, { 3, 2, 1, 2, 1 })
end)

-- ---- Who may

t.test("who_is_not_on_the_list_is_not_heard_and_told_once_an_hour", function()
    local box, device, other = open({ terminals = { SN1 = "10.0.0.7", SN2 = "10.0.0.8" } })
    for _ = 1, 3 do
        t.equal((ask(box, device, "POST /iclock/cdata?SN=SN9&table=ATTLOG", punches(1, 1))), 403)
        t.equal((ask(box, other, "POST /iclock/cdata?SN=SN1&table=ATTLOG", punches(1, 1))), 403)
        t.equal((ask(box, device, "POST /iclock/cdata?table=ATTLOG", punches(1, 1))), 403)
    end
    t.equal(box:told(), { "terminal.refused", "terminal.refused" })
    t.equal({ box:events("*")[1].data, box:events("*")[2].data },
        { { address = "10.0.0.7", reason = "serial" },
            { address = "10.0.0.8", reason = "address", terminal = "SN1" } })
    box:run "1h"
    ask(box, device, "GET /iclock/getrequest?SN=SN9")
    t.equal(#box:events "terminal.refused", 3)
end)

t.test("strangers_are_told_in_a_bounded_number_an_hour", function()
    local devices = {}
    for i = 1, 30 do
        devices["http://10.0.0." .. i] = t.http {}
    end
    local box = open({ terminals = { SN1 = ANYWHERE } }, { devices = devices })
    for turn = 1, 2 do
        for _, device in pairs(devices) do
            device:push(PORT, "GET /iclock/getrequest?SN=SN9", {})
        end
        box:run "20s"
        t.equal(#box:events "terminal.refused", 20 * turn)
        box:run "1h"
    end
end)

t.test("other_paths_are_not_there_and_aspx_is_the_same", function()
    local box, device = open()
    t.equal((ask(box, device, "GET /")), 404)
    t.equal((ask(box, device, "GET /iclock/shell?SN=SN1")), 404)
    t.equal({ ask(box, device, "POST /iclock/cdata.aspx?SN=SN1&table=ATTLOG", punches(1, 1)) },
        { 200, "OK: 1" })
    t.equal({ ask(box, device, "GET /iclock/getrequest.aspx?SN=SN1") }, { 200, "OK" })
    t.equal({ ask(box, device, "GET /iclock/ping?SN=SN1") }, { 200, "OK" })
end)

t.test("it_is_told_how_far_it_has_sent_also_after_a_restart", function()
    local box, device = open()
    local HELLO = "GET /iclock/cdata?SN=SN1&options=all&pushver=2.4.1&language=83&DeviceType=att"
    t.holds((select(2, ask(box, device, HELLO))):find("ATTLOGStamp=0\n", 1, true))
    upload(box, device, "ATTLOG&Stamp=4711", punches(1, 1))
    upload(box, device, "OPERLOG&OpStamp=12", "")
    upload(box, device, "ATTLOG&Stamp=" .. ("9"):rep(30), punches(2, 2))
    box:kill()
    local _, told = ask(box, device, HELLO)
    t.holds(told:find("ATTLOGStamp=4711\n", 1, true), told)
    t.holds(told:find("OPERLOGStamp=12\n", 1, true), told)
    local _, commands = ask(box, device, "GET /iclock/getrequest?SN=SN1")
    t.holds(commands:find "^C:%d+:DATA QUERY ATTLOG StartTime=2026%-08%-18 ", commands)
end)

-- ---- Security PUSH

local function register(box, device)
    local query = "?SN=SN1&pushver=3.0.1&options=all"
    t.equal({ ask(box, device, "GET /iclock/cdata" .. query) }, { 200, "OK" })
    local _, code = ask(box, device, "POST /iclock/registry?SN=SN1",
        "DeviceType=acc,~DeviceName=F20/M,FirmVer=Ver 8.0.1.3-20151229")
    local _, settings = ask(box, device, "POST /iclock/push?SN=SN1", "")
    local token = digest.md5(code:match "^RegistryCode=(%x+)$" .. "SN1"
        .. settings:match "SessionID=(%x+)\n")
    return { Cookie = "token=" .. token }
end

local EVENT = "time=2026-08-20 11:29:50\tpin=1001\tcardno=0\teventaddr=1\tevent=0\tinoutstatus=0"
    .. "\tverifytype=15\tindex=%d"

t.test("a_terminal_that_registers_shows_its_token", function()
    local box, device = open()
    local cookie = register(box, device)
    t.equal({ upload(box, device, "rtlog", EVENT:format(21), cookie) }, { 200, "OK" })
    box:kill()
    t.equal({ upload(box, device, "rtlog", EVENT:format(21), cookie) }, { 200, "OK" })
    for _, wrong in ipairs { {}, { Cookie = "token=00" }, { Cookie = "other=1" } } do
        t.equal((upload(box, device, "rtlog", EVENT:format(22), wrong)), 403)
    end
    local _, told = ask(box, device, "GET /iclock/cdata?SN=SN1&options=all&pushver=2.4.1")
    t.holds(told:find "^registry=ok\nRegistryCode=%x+\n", told)
    t.equal({ box:events("checkin.verified")[1].subject, #box:events "checkin.verified",
        box:events("terminal.online")[1].data }, { "person/1001", 1,
        { terminal = "SN1", way = "push", model = "F20/M", firmware = "Ver 8.0.1.3-20151229" } })
end)

t.test("what_a_terminal_says_of_itself_is_told_only_where_it_is_a_model_or_a_version", function()
    local box, device = open()
    local function told(options)
        upload(box, device, "options", options)
        local state = box:stored "terminal/SN1"
        return { state.model, state.firmware }
    end
    t.equal(told "~DeviceName=MB10-VL,FWVersion=ZAM70-NF28VA-3.3.12",
        { "MB10-VL", "ZAM70-NF28VA-3.3.12" })
    for _, other in ipairs { "~DeviceName=Zhang San", "~DeviceName=ZhangSan", "~DeviceName=张三 1",
        "~DeviceName=350105199001011234", "FWVersion=Ver 6222020200112233" } do
        t.equal(told(other), { "MB10-VL", "ZAM70-NF28VA-3.3.12" })
    end
end)

t.test("tokens_may_be_left_to_firmware_that_has_cookies", function()
    local box, device = open { tokens = false }
    ask(box, device, "GET /iclock/cdata?SN=SN1&pushver=3.0.1&options=all")
    t.equal({ upload(box, device, "rtlog", EVENT:format(21)) }, { 200, "OK" })
end)

t.test("the_states_of_doors_are_told_when_they_change", function()
    local box, device = open()
    local function state(alarm, sensor)
        t.equal({ upload(box, device, "rtstate", ("time=2026-08-20 11:30:01\tsensor=%s\trelay=00"
            .. "\talarm=%s"):format(sensor, alarm)) }, { 200, "OK" })
    end
    state("0000000000000000", "01")
    state("0200000000000000", "01")
    box:kill()
    state("0200000000000000", "02")
    state("0000000000000000", "02")
    t.equal(box:told(), { "terminal.online", "terminal.tamper", "terminal.door",
        "terminal.tamper_restored" })
    t.equal(box:events("terminal.tamper")[1].lane, "alarm")
end)

t.test("numbers_that_begin_again_are_told", function()
    local box, device = open()
    for index, second in pairs { [5000] = 1, [5001] = 2, [4990] = 3, [1] = 4 } do
        upload(box, device, "rtlog", (EVENT:format(index):gsub(":50\t", (":0%d\t"):format(second))))
    end
    t.holds(#box:events "terminal.serial_reset" <= 1)
    t.equal(#box:events "checkin.verified", 4)
end)

-- ---- Being there, clocks

t.test("a_terminal_that_falls_silent_is_told_once_and_its_gap_when_it_is_back", function()
    local box, device = open()
    upload(box, device, "ATTLOG", punches(1, 1))
    box:run "20m"
    t.equal(box:told "terminal.*", { "terminal.online", "terminal.offline" })
    upload(box, device, "ATTLOG", punches(2, 2))
    t.equal(box:told(), { "terminal.online", "checkin.verified", "terminal.offline",
        "gap.recorded", "terminal.online", "checkin.verified" })
    local gap = box:events("gap.recorded")[1].data
    t.equal({ gap.cause, gap.seconds > 1190 and gap.seconds < 1210 }, { "terminal_offline", true })
end)

t.test("one_that_was_never_heard_is_offline_too", function()
    local box = open()
    box:run "10m"
    t.equal(box:told(), { "terminal.offline" })
end)

t.test("a_time_without_the_plugin_is_a_gap", function()
    local box, device = open({}, { store = { ["terminal/SN1"] = { stamps = {}, online = true,
        heard = 1787190000 } } })
    upload(box, device, "ATTLOG", punches(1, 1))
    t.equal(box:events("gap.recorded")[1].data.cause, "plugin_stopped")
end)

t.test("polling_for_commands_costs_one_commit_a_minute", function()
    local box, device = open()
    ask(box, device, "GET /iclock/getrequest?SN=SN1")
    local before = box:commits()
    for _ = 1, 60 do
        ask(box, device, "GET /iclock/getrequest?SN=SN1")
        box:run "9500ms"
    end
    t.holds(box:commits() - before <= 10, tostring(box:commits() - before))
    t.equal(box:told(), { "terminal.online" })
end)

t.test("a_clock_that_is_wrong_is_told_and_set_where_that_is_wished", function()
    for _, clock in ipairs { "tell", "set" } do
        local box, device = open { clock = clock }
        upload(box, device, "ATTLOG", "1\t2026-08-20 13:30:10\t0\t15\n")
        upload(box, device, "ATTLOG", "1\t2026-08-20 13:30:12\t0\t15\n")
        local wrong = box:events "terminal.clock_wrong"
        t.equal({ #wrong, wrong[1].data.drift > 7190 and wrong[1].data.drift < 7220 }, { 1, true })
        local _, commands = ask(box, device, "GET /iclock/getrequest?SN=SN1")
        t.equal(commands:find("SET OPTION DateTime=", 1, true) ~= nil, clock == "set")
        upload(box, device, "rtstate", "time=2026-08-20 11:30:03\tsensor=00\trelay=00\talarm=00")
        t.equal(box:events("terminal.clock_wrong")[2].data.corrected, true)
    end
end)

t.test("a_terminal_that_asks_for_the_time_is_told", function()
    local box, device = open()
    local _, told = ask(box, device, "GET /iclock/rtdata?SN=SN1&type=time")
    t.holds(told:find "^DateTime=%d+,ServerTZ=%+0800$", told)
end)

-- ---- Questions and settings

t.test("who_asks_hears_that_a_terminal_did_not_fetch_the_command", function()
    local box = open()
    local answer, why = box:act("put_person", { terminal = "SN1", number = "1001", name = "Li" })
    t.equal({ answer, why }, { nil,
        "the terminal did not ask for commands in time; nothing was done" })
    answer, why = box:act("remove_person", { terminal = "SN9", number = "1001" })
    t.equal({ answer, why }, { nil,
        'terminal: expected one of the setting terminals, got "SN9"' })
    t.equal(box:told "terminal.person_put", {})
end)

t.test("the_terminals_can_be_looked_at", function()
    local box, device = open()
    upload(box, device, "ATTLOG", punches(1, 3))
    local rows = box:look("terminals", {})
    t.equal({ #rows, rows[1].terminal, rows[1].online, rows[1].records, rows[1].address },
        { 1, "SN1", true, 3, "10.0.0.7" })
end)

t.test("a_terminal_that_is_forgotten_connects_anew_and_its_records_stay_known", function()
    local box, device = open()
    register(box, device)
    t.equal((upload(box, device, "ATTLOG", punches(1, 1))), 403)
    t.equal(box:act("forget", { terminal = "SN1" }), { terminal = "SN1", done = true })
    t.equal((upload(box, device, "ATTLOG", punches(1, 1))), 200)
    box:act("forget", { terminal = "SN1" })
    t.equal((upload(box, device, "ATTLOG", punches(1, 1))), 200)
    t.equal(#box:events "checkin.verified", 1)
end)

t.test("settings_that_make_no_sense_together_are_told", function()
    for name, wrong in pairs { terminals = { {}, { SN1 = "10.0.0" }, { SN1 = "10.0.0.7/33" } },
        timezone = { "+99:00" }, pictures = { "keep 7d", "hash" }, url = { "tcp://0.0.0.0:1" } } do
        for _, value in ipairs(wrong) do
            local ok, why = pcall(open, { [name] = value })
            t.holds(not ok and tostring(why):find(name .. ": expected", 1, true)
                or not ok and tostring(why):find(name .. ": ", 1, true), tostring(why))
        end
    end
end)

return t.finish()
