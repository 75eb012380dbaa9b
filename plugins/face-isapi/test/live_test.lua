-- What a terminal tells of its own accord: pushes, its stream, and which of them is believed.
local double = require "double"
local t = require "testing"

local PUSH = { mode = "push", listen = "http://0.0.0.0:8088",
    push_to = "http://10.0.0.1:8088/isapi" }
local FACE = "\xFF\xD8a face\xFF\xD9"
local BEAT = '{"eventType":"videoloss","eventState":"inactive","activePostCount":1}'

local function with(more, base)
    local config = {}
    for name, value in pairs(base or PUSH) do
        config[name] = value
    end
    for name, value in pairs(more) do
        config[name] = value
    end
    return config
end

local function serials(office)
    local list = {}
    for _, event in ipairs(office:events "*") do
        if event.data.record then
            list[#list + 1] = event.data.record
        end
    end
    return list
end

local function part(body)
    return ("--MIME_boundary\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s\r\n")
        :format(#body, body)
end

-- A stream of pieces { after =, body = } that stays open without a word at its end.
local function stream(pieces)
    for _, piece in ipairs(pieces) do
        piece.body = part(piece.body)
    end
    return { headers = { ["Content-Type"] = "multipart/mixed; boundary=MIME_boundary" },
        stream = pieces, stays = true }
end

local function ways(office)
    local list = {}
    for i, event in ipairs(office:events "terminal.online") do
        list[i] = event.data.way
    end
    return list
end

-- ---- Pushes

t.test("a_push_is_answered_when_its_record_is_on_disk", function()
    local one = double.new()
    local office = double.begin(one, PUSH)
    office:run "5s"
    local reply = one:push(one:record { person = "8001" })
    office:run "1s"
    t.equal(reply.status, 200)
    local event = office:events("checkin.verified")[1]
    t.equal({ event.subject, event.data.record, event.data.live }, { "person/8001", 1, true })
    local lines = office:trace("commit checkin", "push", "answer")
    t.holds(lines[#lines]:find "^commit" == nil or #lines == 1, table.concat(lines, "\n"))
end)

t.test("whoever_was_not_answered_pushes_again_and_is_heard_once", function()
    for _, when in ipairs { "before", "after" } do
        local one = double.new()
        local office = double.begin(one, PUSH)
        office:run "5s"
        local record = one:record { person = "8001" }
        office:die { [when] = "commit" }
        one:push(record)
        office:run "5s"
        local again = one:push(record)
        office:run "5s"
        t.equal(again.status, 200)
        t.equal(serials(office), { 1 })
        t.equal(office:deaths(), 1)
    end
end)

t.test("a_push_without_its_forerunners_has_them_searched_first", function()
    local one = double.new()
    local office = double.begin(one, PUSH)
    office:run "5s"
    one:fill(9)
    local reply = one:push(one:record { person = "8001" })
    office:run "3s"
    t.equal(reply.status, 200)
    t.equal(serials(office), { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 })
end)

t.test("what_the_search_cannot_bring_is_not_acknowledged", function()
    local one = double.new()
    local office = double.begin(one, PUSH)
    office:run "5s"
    one:fill(9)
    one.http:fail "timeout"
    local reply = one:push(one:record { person = "8001" })
    office:run "10s"
    t.equal(reply.status, 503)
    t.equal(serials(office), {})
    one.http:heal()
    office:run "1m"
    t.equal(#serials(office), 10)
end)

t.test("an_alarm_does_not_wait_for_older_records", function()
    local one = double.new()
    local office = double.begin(one, PUSH)
    office:run "5s"
    one:fill(9)
    one.http:fail "timeout"
    local reply = one:push(one:record { major = 1, minor = 1028 })
    office:run "1s"
    t.equal({ reply.status, office:told "terminal.tamper" }, { 200, { "terminal.tamper" } })
    one.http:heal()
    one:record { person = "8001" }
    office:run "6m"
    t.equal(serials(office), { 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11 })
    t.equal(#office:events "gap.recorded", 0)
end)

t.test("heartbeats_other_events_and_nonsense_are_answered_and_tell_nothing", function()
    local one = double.new()
    local office = double.begin(one, PUSH)
    office:run "5s"
    local function push(path, body, kind)
        local reply = one.http:push(8088, "POST " .. path, { body = body,
            headers = { ["Content-Type"] = kind or "application/json" } })
        office:run "1s"
        return reply.status
    end
    t.equal(push("/isapi", BEAT), 200)
    t.equal(push("/isapi", '{"eventType":"VMD"}'), 200)
    t.equal(push("/isapi", "{"), 200)
    t.equal(push("/isapi", BEAT, "multipart/form-data; boundary=x"), 200)
    t.equal(push("/else", BEAT), 404)
end)

t.test("messages_and_bodies_have_bounds", function()
    local notice = require "notice"
    local long = '{"eventType":"VMD","text":"' .. ("x"):rep(65536) .. '"}'
    local found, why = notice.read(long)
    t.equal({ found, why }, { nil, "expected a message of at most 65536 bytes, got " .. #long })
    local one = double.new()
    one.pages = { ["GET /ISAPI/System/deviceInfo"] = function()
        return { body = "<DeviceInfo>" .. (" "):rep(256 << 10) .. "</DeviceInfo>" }
    end }
    local office = double.begin(one)
    office:run "1m"
    t.equal(office:told(), {})
    t.holds(office:look("status").fault)
end)

t.test("a_push_without_a_number_only_says_that_there_is_something", function()
    local one = double.new()
    local office = double.begin(one, PUSH)
    office:run "5s"
    one:record { person = "8001" }
    one:push({ major = 5, minor = 75, employeeNoString = "8001", time = one.records[1].time })
    office:run "5s"
    t.equal(serials(office), { 1 })
end)

t.test("the_terminal_is_told_where_to_push_to_and_told_again_when_it_forgot", function()
    local one = double.new()
    local office = double.begin(one, PUSH)
    office:run "5s"
    t.holds(one.hosts:find "<ipAddress>10.0.0.1</ipAddress>" and one.hosts:find "/isapi")
    one.hosts = nil
    office:run "20m"
    t.holds(one.hosts)
    t.equal(#one.http:requests "PUT /ISAPI/Event/notification/httpHosts/1", 2)
end)

local function push_picture(one, office)
    local alert = one:alert(one:record { person = "8001" }, true)
    local reply = one.http:push(8088, "POST /isapi", {
        body = "--b\r\nContent-Type: application/json\r\n\r\n" .. alert
            .. "\r\n--b\r\nContent-Type: image/jpeg\r\n\r\n" .. FACE .. "\r\n--b--\r\n",
        headers = { ["Content-Type"] = "multipart/form-data; boundary=b" } })
    office:run "1s"
    t.equal(reply.status, 200)
    local told = office:events "checkin.verified"
    return told[#told].data.picture
end

t.test("pictures_are_only_hashed_and_only_when_that_is_wished", function()
    for mode, hash in pairs { none = false, hash = require("digest").sha256(FACE) } do
        local one = double.new()
        local office = double.begin(one, with { pictures = mode })
        office:run "5s"
        t.equal(push_picture(one, office) or false, hash)
        t.equal(#office:blobs(), 0)
    end
end)

t.test("a_picture_that_is_kept_is_a_blob_for_as_long_as_that", function()
    local one = double.new()
    local office = double.begin(one, with { pictures = "keep 7d" })
    office:run "5s"
    local hash = push_picture(one, office)
    local blobs = office:blobs()
    t.equal({ #blobs, blobs[1].sha256, blobs[1].bytes, blobs[1].class, blobs[1].keep_ms },
        { 1, hash, FACE, "picture", 7 * 86400 * 1000 })
    t.holds(blobs[1].erase)
end)

t.test("where_there_is_no_room_a_check_in_is_told_without_its_picture_being_kept", function()
    local one = double.new()
    local office = double.begin(one, with { pictures = "keep 7d" })
    office:run "5s"
    office:refuse_blobs(1)
    t.equal(push_picture(one, office), require("digest").sha256(FACE))
    t.equal(#office:blobs(), 0)
    push_picture(one, office)
    t.equal(#office:blobs(), 1)
end)

t.test("a_record_that_the_search_brings_has_its_picture_fetched", function()
    local one = double.new()
    one.pages = { ["GET /LOCALS/pic/1.jpeg@WEB0001"] = function() return { body = FACE } end }
    one:fill(3)
    local office = double.begin(one, { pictures = "keep 1d" })
    office:run "10s"
    t.equal(office:events("checkin.verified")[1].data.picture, office:blobs()[1].sha256)
    t.equal(#one.http:requests "GET /LOCALS", 1)
end)

t.test("a_picture_that_is_named_live_instead_of_sent_is_fetched_where_that_is_wished", function()
    for mode, count in pairs { none = 0, hash = 1 } do
        local one = double.new()
        one.pages = { ["GET /LOCALS/pic/7.jpeg"] = function() return { body = FACE } end }
        local office = double.begin(one, with { pictures = mode })
        office:run "5s"
        local record = one:record { person = "8001" }
        record.url = "http://10.0.0.9/LOCALS/pic/7.jpeg"
        one:push(record)
        office:run "1s"
        local told = office:events "checkin.verified"
        t.equal({ #told, told[1].data.picture },
            { 1, count == 1 and require("digest").sha256(FACE) or nil })
        t.equal(#one.http:requests "GET /LOCALS", count)
    end
end)

t.test("whenever_it_dies_an_event_names_a_picture_that_is_there", function()
    for nth = 1, 10 do
        local one = double.new()
        one.pages = { ["GET /LOCALS/pic/1.jpeg@WEB0001"] = function() return { body = FACE } end }
        one:fill(3)
        local office = double.begin(one, { pictures = "keep 1d" })
        office:die { after = "any", nth = nth }
        office:run "30s"
        t.equal(office:events("checkin.verified")[1].data.picture, office:blobs()[1].sha256)
        t.equal(#office:events "checkin.verified", 1)
    end
end)

-- ---- The stream

t.test("a_stream_tells_live_and_its_backlog_is_told_once_in_order", function()
    local one = double.new()
    one:fill(41)
    one.stream = function(session)
        local pieces = {}
        for i = 41, 1, -1 do
            pieces[#pieces + 1] = { body = one:alert(one.records[i], false) }
        end
        local live = one.records[42] or one:record { person = "8001" }
        pieces[#pieces + 1] = { after = "10s", body = one:alert(live, true) }
        return session == 1 and stream(pieces) or { status = 404 }
    end
    local office = double.begin(one, { mode = "stream" })
    office:run "15s"
    t.equal(#serials(office), 42)
    t.equal(serials(office)[42], 42)
    t.equal(office:events("checkin.verified")[14].data.live, nil)
end)

t.test("a_stream_that_stalls_is_noticed_within_three_heartbeats_and_nothing_is_lost", function()
    local one = double.new()
    one.stream = function(session)
        local pieces = {}
        for i = 1, 6 do
            pieces[i] = { after = "10s", body = BEAT }
        end
        one.opened = one.opened or {}
        one.opened[session] = require("rehearsal").now()
        return stream(pieces)
    end
    local office = double.begin(one, { mode = "stream" })
    office:run "65s"
    one:fill(3)
    office:run "35s"
    t.equal(#one.opened, 2)
    local silent = one.opened[2] - one.opened[1] - 60 -- the last heartbeat came after 60 s
    t.holds(silent <= 30 + 5, silent) -- three heartbeats, and 5 s of waiting
    t.equal(serials(office), { 1, 2, 3 })
    t.equal(office:metrics().streams_stalled, 1)
end)

t.test("a_session_that_is_taken_is_tried_later_and_later", function()
    local one = double.new()
    local office = double.begin(one, { mode = "stream" })
    office:run "20m"
    t.holds(one.sessions >= 6 and one.sessions <= 12, one.sessions)
end)

t.test("whenever_it_dies_what_a_stream_told_is_told_once_in_order", function()
    for _, when in ipairs { "before", "after" } do
        for nth = 1, 16 do
            local one = double.new()
            one:fill(10)
            one.stream = function()
                local pieces = {}
                for i = 1, 5 do
                    local live = one:record { person = "8001" }
                    pieces[i] = { after = "1s", body = one:alert(live, true) }
                end
                return stream(pieces)
            end
            local office = double.begin(one, { mode = "stream", poll = "2s" })
            office:die { [when] = "any", nth = nth }
            office:run "4m"
            local told = serials(office)
            for i, serial in ipairs(told) do
                t.equal(serial, i)
            end
            t.equal(#told, one.last)
        end
    end
end)

-- ---- Which way

t.test("auto_says_what_really_delivers", function()
    local one = double.new()
    one.stream = function() return stream { { after = "300s", body = BEAT } } end
    local office = double.begin(one, with { mode = "auto" })
    office:run "15s"
    one:push(one:record { person = "8001" })
    office:run "5s"
    t.equal(ways(office), { "poll", "push" })
    t.equal(office:look("status").way, "push")
end)

t.test("a_push_that_is_promised_and_never_comes_is_not_believed", function()
    local one = double.new()
    one.stream = function(session)
        local live = session == 1 and one:record { person = "8001" }
        return stream { { after = "20s", body = live and one:alert(live, true) or BEAT },
            { after = "20s", body = BEAT } }
    end
    local office = double.begin(one, with { mode = "auto", poll = "1h" })
    office:run "30s"
    t.equal(ways(office), { "poll", "stream" })
end)

t.test("when_only_the_search_brings_records_that_is_said", function()
    local one = double.new()
    local office = double.begin(one, with { mode = "auto" })
    office:run "5s"
    one:push(one:record { person = "8001" })
    office:run "5s"
    for _ = 1, 4 do
        one:record { person = "8002" }
        office:run "6m"
    end
    t.equal(ways(office), { "poll", "push", "poll" })
    t.equal(#serials(office), 5)
end)

t.test("a_terminal_that_cannot_be_searched_is_told_as_it_speaks", function()
    local one = double.new { no_search = true }
    local office = double.begin(one, PUSH)
    office:run "5s"
    for _, serial in ipairs { 7, 8, 8, 12, 10, 12 } do
        one:push { serialNo = serial, major = 5, minor = 75, employeeNoString = "8001",
            time = "2026-11-21T11:04:" .. 10 + serial .. "+08:00" }
        office:run "1s"
    end
    t.equal(serials(office), { 7, 8, 12, 10 })
    local gap = office:events("gap.recorded")[1].data
    t.equal({ gap.first, gap.missing, gap.cause }, { 9, 3, "records_lost" })
end)

return t.finish()
