-- The pure modules, one promise after the other.
local answer = require "answer"
local careless = require "careless"
local codes = require "codes"
local device = require "device"
local fact = require "fact"
local json = require "json"
local notice = require "notice"
local order = require "order"
local people = require "people"
local picture = require "picture"
local search = require "search"
local t = require "testing"
local turn = require "turn"
local ways = require "ways"

t.test("a_code_is_a_pair_and_an_unknown_one_is_nothing", function()
    t.equal(codes.meaning(5, 75), { name = "FACE_VERIFY_PASS", what = "verified", method = "face" })
    t.equal(codes.meaning(1, 1024).what, "other")
    t.equal(codes.meaning(2, 1024).what, "restarted")
    t.equal(codes.meaning(3, 1024).name, "REMOTE_OPEN_DOOR")
    t.equal(codes.meaning(5, 4711), { what = "other" })
    t.equal(codes.meaning(7, 75), { what = "other" })
end)

t.test("what_firmware_fills_in_counts_as_absent", function()
    local one = fact.read({ major = 5, minor = 75, employeeNoString = "", doorNo = 0,
        serialNo = 0, currentEvent = "false", cardNo = "00123456789012345678901" })
    local record = fact.record(one, { terminal = "T", offset = 480 })
    t.equal({ record.person, record.door, record.serial, record.live },
        { nil, nil, nil, false })
    for person, words in pairs { [""] = { employeeNo = 0 }, ["7"] = { employeeNo = 7 },
        ["8"] = { employeeNoString = "", employeeNo = 8 }, ["0"] = { employeeNoString = "0" },
        ["007"] = { employeeNoString = "007", employeeNo = 7 } } do
        words.major, words.minor = 5, 76
        record = fact.record(fact.read(words), { terminal = "T", offset = 480 })
        t.equal({ record.person or "", record.what },
            { person, person == "" and "unknown_person" or "rejected" })
    end
    t.equal(fact.read { major = 5 }, nil)
    t.equal(fact.read({ majorEventType = "5", subEventType = "75" }).minor, 75)
end)

t.test("what_is_before_and_in_a_text_of_old_firmware_is_no_hindrance", function()
    t.equal(careless.readable "\xEF\xBB\xBF{}", "{}")
    t.equal(careless.readable '{"name":"\xCD\xF5\x84\x5C"}', '{"name":"王刓"}')
    t.equal(careless.readable '{"name":"王"}', '{"name":"王"}')
    local page = search.page '\xEF\xBB\xBF{"AcsEvent":{"InfoList":[{"major":5,"minor":75}]}}'
    t.equal(page.facts[1].raw, '{"major":5,"minor":75}')
    local list = '{"UserInfoSearch":{"UserInfo":[{"employeeNo":"7","name":"\x84\x5C"}]}}'
    t.equal(people.page(list).list[1].number, "7")
    t.equal(answer.read(200, '\xEF\xBB\xBF{"statusCode":4}').ok, false)
end)

t.test("what_firmware_forgets_to_escape_holds_up_no_page", function()
    local PAGE = '{"AcsEvent":{"InfoList":[{"major":5,"minor":75,"serialNo":9,"name":"%s"}%s]}}%s'
    for name, more in pairs { ["a\tb\1"] = "", ["a\\xb"] = "", ["\\uD83D"] = "", ["a\\\\"] = "",
        ["1"] = ",", ["a\\\\\\\"b"] = " ,\n" } do
        local page = search.page(PAGE:format(name, more, "\0\r\n"))
        t.equal({ name, page and page.facts[1].serialNo }, { name, 9 })
    end
    t.equal(careless.json '{"a\\":1', nil)
    t.equal(search.page('{"InfoList":{"major":5,"minor":75,"serialNo":9}}').facts[1].serialNo, 9)
    local beat = '\r\n<?xml version="1.0"?><EventNotificationAlert><eventType>heartBeat</eventType>'
        .. "</EventNotificationAlert>\0"
    t.equal(notice.read(beat).kind, "heartbeat")
end)

local function alert(serial)
    return ('{"eventType":"accessControllerEvent","dateTime":"2026-11-21T11:04:05+08:00",'
        .. '"AccessControllerEvent":{"major":5,"minor":75,"serialNo":%d}}'):format(serial)
end

t.test("several_notices_at_once_are_all_told", function()
    local found = notice.read("[" .. alert(1) .. ',{"eventType":"heartBeat"},' .. alert(2) .. "]")
    t.equal({ found.fact.serialNo, #found.more, found.more[1].serialNo }, { 1, 1, 2 })
    local parts = {}
    for i, body in ipairs { '{"eventType":"heartBeat"}', alert(1), "\xFF\xD8", alert(2),
        "[" .. alert(3) .. "," .. alert(4) .. "]" } do
        parts[i] = { headers = {}, body = body }
    end
    local pictures
    found, pictures = notice.of_parts(parts)
    local serials = { found.fact.serialNo }
    for i, one in ipairs(found.more) do
        serials[i + 1] = one.serialNo
    end
    t.equal({ serials, pictures }, { { 1, 2, 3, 4 }, { "\xFF\xD8" } })
    t.equal({ notice.read "[]" }, { nil, "expected an eventType, got none" })
    t.equal({ notice.read "[1]" }, { nil, "expected an eventType, got none" })
end)

t.test("times_are_read_as_firmware_writes_them", function()
    for _, text in ipairs { "2026-11-21T11:04:05+8:00", "2026-11-21T11:04:05 +08:00",
        "2026-11-21 11:04:05", "2026/11/21 11:04:05", "2026-11-21T03:04:05Z",
        "20261121T110405+08", "2026-11-20T22:04:05-5:00" } do
        t.equal({ text, (fact.moment(text, 480)) }, { text, 1795230245 })
    end
    for _, text in ipairs { "", "1970-01-01T08:00:00+08:00", "yesterday", "1795230245",
        "2026-11-21T11:04:05+88:00" } do
        t.equal({ text, (fact.moment(text, 480)) }, { text })
    end
end)

t.test("numbers_that_no_integer_holds_are_read_as_they_stand", function()
    local long = "1234567890123456789012345"
    for _, item in ipairs { '{"major":5,"minor":75,"cardNo":%s,"employeeNo":%s}',
        '{"cardNo" : %s ,"employeeNo":\n%s\n,"major":"0x5","minor":"0x4B"}' } do
        item = item:format(long, long)
        local one = search.page('{"AcsEvent":{"InfoList":[' .. item .. "]}}").facts[1]
        t.equal({ one.cardNo, one.employeeNoString, one.major, one.minor }, { long, long, 5, 75 })
    end
    t.equal(fact.read({ major = 5, minor = 75, employeeNo = 7.0 }).employeeNoString, "7")
    t.equal(fact.read({ major = 5, minor = 75, employeeNo = 1e30 }, nil, "{}").employeeNoString,
        nil)
end)

t.test("an_identity_is_the_same_whichever_way_a_record_came", function()
    local pushed = fact.read({ majorEventType = 5, subEventType = 75, employeeNoString = "7" },
        { dateTime = "2026-11-21T11:04:05+08:00" })
    local found = fact.read { major = 5, minor = 75, employeeNoString = "7",
        time = "2026-11-21T03:04:05Z" }
    t.equal(fact.identity(pushed, 480), fact.identity(found, 480))
end)

t.test("the_bytes_of_each_record_are_those_it_came_in", function()
    local items = { '{"major":5,"minor":1,"name":"a\\"]}"}', '{"major":5,"minor":2,"x":{"y":[1]}}' }
    local page = search.page('{"AcsEvent":{"InfoList":[' .. items[1] .. " ,\n" .. items[2] .. "]}}")
    t.equal({ page.facts[1].raw, page.facts[2].raw }, items)
end)

t.test("a_search_asks_for_what_all_models_demand", function()
    local cond = json.decode(search.range(4, 33, 30, "id")).AcsEventCond
    t.equal({ cond.major, cond.minor, cond.beginSerialNo, cond.endSerialNo, cond.maxResults,
        cond.searchResultPosition, cond.searchID }, { 0, 0, 4, 33, 30, 30, "id" })
end)

t.test("pages_end_when_one_brings_nothing_new", function()
    local found = search.collection(function() return true end)
    local page = { status = "MORE", facts = { { serialNo = 3 }, { serialNo = 2 } } }
    local function identity() return "x" end
    t.equal(search.take(found, page, identity), true)
    t.equal(search.take(found, page, identity), false)
    t.equal(search.take(found, { status = "MORE", facts = {} }, identity), false)
    t.equal(#found.list, 2)
end)

t.test("marks_are_found_at_their_places_only", function()
    local row = order.add_mark(order.add_mark(nil, "aaaabbbb"), "ccccdddd")
    t.holds(order.has_mark(row, "ccccdddd"))
    t.holds(not order.has_mark(row, "bbbbcccc"))
    t.holds(not order.has_mark(nil, "aaaabbbb"))
    for i = 1, 1000 do
        row = order.add_mark(row, ("%08x"):format(i))
    end
    t.equal(#row, 400 * 8)
    t.holds(order.has_mark(row, ("%08x"):format(1000)))
end)

t.test("steps_pass_what_was_told_ahead_and_say_what_is_missing", function()
    local state = { cursor = 1, top = 5, ahead = { 4 } }
    local told = { [4] = true }
    local facts = { { serialNo = 1 }, { serialNo = 2 }, { serialNo = 4 }, { serialNo = 7 } }
    local steps = order.steps(state, facts, function(one) return told[one.serialNo] end)
    local list = {}
    for i, step in ipairs(steps) do
        list[i] = ("%d %s %s"):format(step.serial, step.fact and "told" or "passed",
            step.missing or 0)
    end
    t.equal(list, { "2 told 0", "4 passed 1", "7 told 2" })
end)

t.test("a_search_that_says_neither_status_nor_count_goes_on_while_pages_are_full", function()
    local function more(page, got)
        local found = search.collection(function() return true end)
        for i = 1, got do
            page.facts[i] = { serialNo = i }
        end
        return search.take(found, page, function() return "x" end)
    end
    t.equal({ more({ facts = {} }, 30), more({ facts = {} }, 29) }, { true, false })
    t.equal({ more({ facts = {}, status = "OK" }, 30), more({ facts = {}, total = 30 }, 30) },
        { false, false })
    t.equal(more({ facts = {}, status = "OK", total = 31 }, 30), true)
    t.equal(search.page '{"AcsEvent":{"responseStatusStrg":"no match","totalMatches":"7"}}',
        { status = "NO MATCH", total = 7, facts = {} })
end)

t.test("a_locked_account_says_for_how_long", function()
    t.equal({ answer.lock "<u><lockStatus>locked</lockStatus><unlockTime>9</unlockTime></u>" },
        { true, 9 })
    t.equal({ answer.lock '{"lockStatus":"unlock","unlockTime":9}' }, { false })
    t.equal({ answer.lock '{"userCheck":{"lockStatus":"LOCK","unlockTime":"9"}}' }, { true, 9 })
    t.equal({ answer.lock "what" }, { false })
end)

t.test("a_success_is_a_status_and_a_statuscode", function()
    t.holds(answer.read(200, '{"statusCode":1}').ok)
    t.holds(not answer.read(200, '{"statusCode":4}').ok)
    t.holds(not answer.read(403, '{"statusCode":1}').ok)
    t.holds(answer.read(200, '{"AcsEvent":{}}').ok)
    local said = answer.read(200, '{"statusCode":4,"subStatusCode":"notSupport"}')
    t.holds(answer.is_unsupported(200, said))
    t.equal(answer.read(400, '{"statusCode":6,"subStatusCode":"<b>"}').sub, nil)
end)

t.test("a_terminal_says_who_it_is_in_either_language", function()
    for _, body in ipairs {
        '<DeviceInfo version="2.0" xmlns="http://www.std-cgi.com/ver10/XMLSchema"><model>K1</model>'
            .. "<serialNumber>S1</serialNumber></DeviceInfo>",
        '<a:DeviceInfo xmlns:a="urn:x"><a:serialNumber> S1 </a:serialNumber><a:model>K1</a:model>'
            .. "</a:DeviceInfo>",
        '\xEF\xBB\xBF{"DeviceInfo":{"model":"K1","serialNumber":"S1","x":8}}',
        '{"model":"K1","serialNumber":"S1","deviceName":"\xCD\xF5"}',
    } do
        local info = device.info(body)
        t.equal({ info.serial, info.model }, { "S1", "K1" })
    end
    for _, body in ipairs { "", "{}", "[]", "8", "<x/>", '{"DeviceInfo":8}' } do
        t.equal(device.info(body), nil)
    end
end)

t.test("zones_count_west", function()
    t.equal({ device.zone(480), device.zone(-210), device.zone(0) },
        { "CST-8:00:00", "CST+3:30:00", "CST-0:00:00" })
    local clock = device.clock(device.set_clock(1795230245, 480))
    t.equal({ clock.seconds, clock.offset, clock.mode }, { 1795230245, 480, "manual" })
end)

t.test("clocks_of_other_firmware_are_read_too", function()
    for _, body in ipairs {
        '{"Time":{"timeMode":"NTP","localTime":"2026-11-21T11:04:05+08:00",'
            .. '"timeZone":"CST-8:00:00"}}',
        "<Time><timeMode>NTP</timeMode><localTime>2026-11-21T11:04:05</localTime>"
            .. "<timeZone>CST-8:00:00DST01:00:00,M3.2.0/02:00:00,M11.1.0/02:00:00</timeZone>"
            .. "</Time>",
    } do
        local clock = device.clock(body)
        t.equal({ clock.seconds, clock.offset, clock.mode }, { 1795230245, 480, "NTP" })
    end
    t.equal(device.clock("<Time><localTime>2026-11-21T11:04:05</localTime></Time>", 480).seconds,
        1795230245)
    for _, body in ipairs { "", "{}", '{"Time":[]}', '{"Time":{"localTime":8}}', "<Time/>" } do
        t.equal(device.clock(body), nil)
    end
end)

t.test("a_place_to_push_to_is_found_again", function()
    local place = { address = "10.0.0.1", port = 8088, path = "/isapi" }
    t.holds(device.has_host(device.hosts(device.host(place, 30)), place))
    t.holds(not device.has_host(device.hosts "<HttpHostNotificationList/>", place))
end)

t.test("a_picture_s_path_loses_host_and_login", function()
    t.equal(picture.path "http://10.0.0.9:5000/LOCALS/pic/1.jpeg@WEB0001",
        "/LOCALS/pic/1.jpeg@WEB0001")
    t.equal(picture.path "http://10.0.0.9/a.jpeg@admin:secret", "/a.jpeg")
    t.equal(picture.path "http://10.0.0.9/a b", nil)
    t.equal(picture.path "", nil)
end)

t.test("a_face_s_parts_are_in_the_order_that_terminals_insist_on", function()
    local parts = people.face("0042", "\xFF\xD8x")
    t.equal({ parts[1].name, parts[2].name }, { "FaceDataRecord", "FaceImage" })
    t.equal(json.decode(parts[1].body).FPID, "0042")
    t.equal(people.fault(("\xFF\xD8" .. ("x"):rep(people.FACE_MAX))),
        "picture: expected at most 204800 bytes, got 204802")
end)

t.test("a_way_counts_when_it_has_brought_something", function()
    local one = ways.new("auto", true)
    t.equal({ one.way, ways.wants_stream(one), ways.wants_push(one) }, { nil, true, true })
    t.holds(ways.heard(one, "stream") and not ways.heard(one, "stream"))
    t.holds(ways.heard(one, "push") and not ways.heard(one, "stream"))
    t.equal({ one.way, ways.wants_stream(one) }, { "push", false })
    t.holds(not ways.missed_some(one, 2) and ways.missed_some(one, 1))
    t.equal({ one.way, ways.wants_stream(one) }, { "poll", true })
    t.holds(not ways.heard(ways.new("poll", true), "push"))
end)

t.test("the_usual_silence_is_the_longest_of_the_last", function()
    local one = ways.new("stream")
    t.equal(ways.usual_silence(one, 30), 30)
    for _, silence in ipairs { 5, 25, 24 } do
        ways.beat(one, silence)
    end
    t.equal(ways.usual_silence(one, 30), 25)
    for _ = 1, 8 do
        ways.beat(one, 10)
    end
    t.equal(ways.usual_silence(one, 30), 10)
end)

t.test("waits_double_up_to_their_last", function()
    t.equal({ ways.wait_ms(0, 5000, 300000), ways.wait_ms(1, 5000, 300000),
        ways.wait_ms(60, 5000, 300000) }, { 5000, 10000, 300000 })
end)

t.test("who_dies_in_turn_keeps_it_for_a_lease_and_no_longer", function()
    local now = 0
    local line = turn.new { mono = function() return now end,
        sleep = function(ms) now = now + ms / 1000 end }
    local first = turn.take(line)
    local second <close> = turn.take(line) -- the first never gives it back
    t.holds(now > 60 and now < 61 and second ~= first)
end)

return t.finish()
