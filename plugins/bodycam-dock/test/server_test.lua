-- The plugin in an office whose dock is a server: FTP, a web server, ISAPI.
local digest = require "digest"
local t = require "testing"

local FTP, WEB = "ftp://10.0.0.8?passive=50000-50010", "http://10.0.0.9"
local NOW = 1775894400 -- 2026-04-11T08:00:00Z
local TIME = "2026-04-11T08:00:00Z"
local LOGIN = { user = "dock", password = "secret" }
local BIG = ("0123456789abcdef"):rep(20000)

local function office_of(url, device, config)
    local settings = { url = url, poll = "10s", settle = "30s", user = "dock",
        password = "secret" }
    for name, value in pairs(config or {}) do
        settings[name] = value
    end
    return t.office { config = settings, devices = { [url] = device }, time = TIME }
end

local function hashes(office)
    local list = {}
    for _, event in ipairs(office:events "evidence.recorded") do
        list[event.data.path] = event.data.sha256
    end
    return list
end

-- ---- FTP

local function ftp_of(files, more)
    local options = { files = files, login = LOGIN }
    for name, value in pairs(more or {}) do
        options[name] = value
    end
    return t.ftp(options)
end

t.test("clips_come_from_a_file_server_with_all_that_its_names_say", function()
    local dock = ftp_of { ["/20260411/T1A0001_012345_20260411083015.MP4"] = { body = BIG,
        time = NOW - 600 }, ["/20260411/a.mp4.part"] = "x", ["/20260411/sn.txt"] = "012345" }
    local office = office_of(FTP, dock)
    local data = office:next("evidence.recorded", "2m").data
    t.equal({ data.path, data.source, data.size, data.sha256, data.officer, data.modified_at },
        { "20260411/T1A0001_012345_20260411083015.MP4", "ftp://10.0.0.8/", #BIG,
            digest.sha256(BIG), "012345", "2026-04-11T07:50:00.000Z" })
    office:run "1h"
    t.equal(office:told(), { "dock.online", "evidence.recorded" })
end)

t.test("sftp_is_asked_with_the_key_that_the_settings_name", function()
    local dock = ftp_of({ ["/DCIM/MOV_1.MP4"] = { body = BIG, time = NOW - 600 } },
        { exact = false })
    local office = office_of("sftp://10.0.0.8", dock, { host_key = "SHA256:" .. ("A"):rep(43) })
    local data = office:next("evidence.recorded", "2m").data
    t.equal({ data.path, data.source, data.sha256, data.modified_at },
        { "DCIM/MOV_1.MP4", "sftp://10.0.0.8/", digest.sha256(BIG), "2026-04-11T07:50:00.000Z" })
end)

t.test("a_line_that_breaks_goes_on_at_the_byte_where_it_stopped", function()
    local dock = ftp_of { ["/a.mp4"] = { body = BIG, time = NOW - 600, breaks = 100000 } }
    dock.on = function(self, request)
        if request.call == "read" and request.from == 100000 then
            self.files["/a.mp4"].breaks = 200000
        elseif request.call == "read" and request.from == 200000 then
            self.files["/a.mp4"].breaks = nil
        end
    end
    local office = office_of(FTP, dock)
    t.equal(office:next("evidence.recorded", "2m").data.sha256, digest.sha256(BIG))
    local from = {}
    for _, request in ipairs(dock:requests "read") do
        from[#from + 1] = request.from
    end
    t.equal({ from, #office:blobs() }, { { 0, 100000, 200000 }, 1 })
end)

t.test("a_file_that_is_another_one_when_it_goes_on_is_begun_anew", function()
    local dock = ftp_of { ["/a.mp4"] = { body = BIG, time = NOW - 600, breaks = 100000 } }
    dock.on = function(self, request)
        if request.call == "read" and request.from > 0 then
            self.files["/a.mp4"] = { body = BIG:reverse(), time = NOW }
        end
    end
    local office = office_of(FTP, dock)
    t.equal(office:next("evidence.recorded", "10m").data.sha256, digest.sha256(BIG:reverse()))
    t.equal(#office:blobs(), 1)
end)

t.test("a_file_that_is_longer_or_shorter_than_it_is_said_to_be_is_not_taken", function()
    local dock = ftp_of { ["/long.mp4"] = { body = "123456", size = 4 },
        ["/short.mp4"] = { body = "123", size = 4 }, ["/right.mp4"] = "1234" }
    local office = office_of(FTP, dock)
    office:run "10m"
    t.equal(hashes(office), { ["right.mp4"] = digest.sha256 "1234" })
    t.equal(#office:blobs(), 1)
end)

t.test("one_clip_that_cannot_be_read_holds_up_no_other", function()
    local dock = ftp_of { ["/1.mp4"] = { body = BIG, breaks = 0 }, ["/2.mp4"] = "two" }
    local office = office_of(FTP, dock)
    office:run "10m"
    t.equal(hashes(office), { ["2.mp4"] = digest.sha256 "two" })
    local reads = #dock:requests "read /1.mp4"
    office:run "1h"
    t.holds(#dock:requests "read /1.mp4" - reads < 40, "it is tried again and again")
end)

t.test("a_listing_with_the_servers_own_clock_is_read_by_the_offset", function()
    local dock = ftp_of({ ["/MOV_1.MP4"] = { body = "x", time = NOW - 600 } }, { exact = false })
    local office = office_of(FTP, dock, { offset = 60 })
    local data = office:next("evidence.recorded", "2m").data
    t.equal({ data.recorded_from, data.trust, data.recorded_at }, { "listing", "listing",
        "2026-04-11T07:50:00.000Z" }) -- the exact time is asked for behind it
end)

t.test("a_wrong_password_is_tried_once_until_it_is_another", function()
    local dock = ftp_of({ ["/a.mp4"] = "x" }, { login = { user = "dock", password = "other" } })
    local office = office_of(FTP, dock)
    office:run "1h"
    office:restart()
    office:run "1h"
    t.equal({ #dock:requests "list", office:told() }, { 1, { "dock.auth_failed" } })
end)

t.test("who_goes_back_to_a_wrong_password_locks_no_account", function()
    local dock, store = ftp_of({ ["/a.mp4"] = "x" }), nil
    local function try(number)
        local before = #dock:requests "list"
        local office = t.office { config = { url = FTP, user = "dock",
            password = "wrong" .. number }, devices = { [FTP] = dock }, time = TIME, store = store }
        office:run "5m"
        store = office:stored()
        return #dock:requests "list" - before
    end
    for number = 1, 9 do
        t.equal(try(number), 1)
    end
    t.equal({ try(9), try(2), try(1) }, { 0, 0, 1 }) -- the ninth is forgotten
end)

t.test("no_moment_of_a_pull_is_a_bad_one_to_die", function()
    for nth = 1, 16 do
        local dock = ftp_of { ["/x/a.mp4"] = BIG, ["/x/b.mp4"] = "two" }
        local office = office_of(FTP, dock, { poll = "1s", settle = "2s" })
        office:die { after = "any", nth = nth }
        office:run "5m"
        t.equal(hashes(office), { ["x/a.mp4"] = digest.sha256(BIG),
            ["x/b.mp4"] = digest.sha256 "two" })
        t.equal({ #office:events "evidence.recorded", #office:blobs() }, { 2, 2 })
    end
end)

-- ---- A web server

local HEAD = { ["last-modified"] = "Sat, 11 Apr 2026 07:00:00 GMT",
    date = "Sat, 11 Apr 2026 08:05:00 GMT" }

-- Files that a web server shows, with heads, and with ranges if it knows them.
local function web_of(files, options)
    options = options or {}
    local function page(body, request)
        local headers = { ["content-length"] = tostring(#body), ["content-type"] = "video/mp4" }
        for name, value in pairs(HEAD) do
            headers[name] = value
        end
        if request.method == "HEAD" then
            return { headers = headers, body = "" }
        end
        local from = tonumber((request.headers.Range or request.headers.range or ""):match "%d+")
        if from and options.ranges then
            local first = options.ranges == "wrong" and from - 1 or from
            headers["content-range"] = ("bytes %d-%d/%d"):format(first, #body - 1, #body)
            return { status = 206, headers = headers, body = body:sub(from + 1) }
        end
        return { headers = headers, body = body }
    end
    return t.http { login = not options.open and LOGIN or nil, on = function(device, request)
        local known = options.open
            or request.user == LOGIN.user and request.password == LOGIN.password
        if not known then
            return nil
        end
        local body = files[request.path]
        if options.on then
            local answer = options.on(device, request)
            if answer then
                return answer
            end
        end
        return body and page(body, request) or nil
    end }
end

t.test("clips_come_from_folders_that_a_web_server_shows", function()
    local files = { ["/rec/"] = '<a href="day/">day/</a><a href="../">..</a>',
        ["/rec/day/"] = '<a href="a%20b_20260411083015.mp4">x</a><a href="x.html">y</a>',
        ["/rec/day/a%20b_20260411083015.mp4"] = "a clip" }
    local dock = web_of(files)
    local office = office_of(WEB, dock, { path = "/rec" })
    local data = office:next("evidence.recorded", "2m").data
    t.equal({ data.path, data.source, data.sha256, data.recorded_from, data.modified_at },
        { "day/a b_20260411083015.mp4", WEB .. "/rec", digest.sha256 "a clip", "name",
            "2026-04-11T07:00:00.000Z" })
    t.holds(math.abs(data.clock_offset - 300) < 60 and data.clock_from == "server")
    local heads = #dock:requests "HEAD"
    office:run "1h"
    t.equal({ #dock:requests "HEAD", #office:events "evidence.recorded" }, { heads, 1 })
    t.equal(office:told()[2], "dock.clock_wrong")
end)

t.test("a_web_servers_file_goes_on_with_a_range_or_is_begun_anew", function()
    for _, ranges in ipairs { true, false, "wrong" } do
        local tries = 0
        local dock = web_of({ ["/"] = '<a href="a.mp4">x</a>', ["/a.mp4"] = BIG },
            { ranges = ranges, on = function(_, request)
                tries = tries + (request.method == "GET" and request.path == "/a.mp4" and 1 or 0)
                if tries == 1 and request.path == "/a.mp4" and request.method == "GET" then
                    return { headers = { ["content-length"] = tostring(#BIG) },
                        body = BIG:sub(1, 1000) }
                end
            end })
        local office = office_of(WEB, dock)
        t.equal(office:next("evidence.recorded", "10m").data.sha256, digest.sha256(BIG))
        t.equal(tries, ranges == true and 2 or 3)
    end
end)

t.test("a_web_server_that_knows_no_head_is_asked_for_the_file_itself", function()
    for _, status in ipairs { 400, 405, 501 } do
        local dock = web_of({ ["/"] = '<a href="a.mp4">x</a><a href="b.mp4">x</a>',
            ["/a.mp4"] = BIG, ["/b.mp4"] = "two" }, { on = function(_, request)
                return request.method == "HEAD" and { status = status } or nil
            end })
        local office = office_of(WEB, dock)
        office:run "10m"
        t.equal(hashes(office), { ["a.mp4"] = digest.sha256(BIG),
            ["b.mp4"] = digest.sha256 "two" })
        t.equal(#dock:requests "HEAD", 1)
    end
end)

t.test("a_web_server_whose_heads_tell_no_size_is_asked_for_the_file_itself", function()
    local dock = web_of({ ["/"] = '<a href="a.mp4">x</a><a href="b.mp4">x</a>',
        ["/a.mp4"] = BIG, ["/b.mp4"] = "two" }, { on = function(_, request)
            return request.method == "HEAD" and { headers = HEAD, body = "" } or nil
        end })
    local office = office_of(WEB, dock)
    office:run "10m"
    t.equal(hashes(office), { ["a.mp4"] = digest.sha256(BIG), ["b.mp4"] = digest.sha256 "two" })
    t.equal(#dock:requests "HEAD", 1)
end)

t.test("what_a_web_server_does_not_tell_the_size_of_is_not_taken", function()
    local dock = web_of({ ["/"] = '<a href="a.mp4">x</a>', ["/a.mp4"] = "x" },
        { open = true, on = function(_, request)
            return request.path == "/a.mp4" and { body = "x" } or nil
        end })
    local office = office_of(WEB, dock)
    office:run "10m"
    t.equal(#office:events "evidence.recorded", 0)
end)

-- ---- ISAPI

local function item_xml(item)
    return ([[<searchMatchItem><trackID>101</trackID><timeSpan><startTime>%s</startTime>
<endTime>%s</endTime></timeSpan><mediaSegmentDescriptor><codecType>H.264</codecType><playbackURI>
rtsp://10.0.0.9/Streaming/tracks/101/?starttime=x&amp;name=%s&amp;size=%d</playbackURI>
</mediaSegmentDescriptor></searchMatchItem>]]):gsub("\n", ""):format(item.from, item.to, item.name,
        #item.body)
end

-- A recorder with two items to a page.
local function recorder(items, options)
    options = options or {}
    local function search(body)
        local at = options.stuck and 0 or tonumber(body:match "<searchResultPosition>(%d+)<")
        t.holds(body:find "<searchID>%x+%-%x+%-4%x+%-[89ab]%x+%-%x+<", body)
        local page = {}
        for i = at + 1, math.min(at + 2, #items) do
            page[#page + 1] = item_xml(items[i])
        end
        return ("<CMSearchResult><responseStatusStrg>%s</responseStatusStrg><numOfMatches>%d"
            .. "</numOfMatches><matchList>%s</matchList></CMSearchResult>"):format(
            at + 2 < #items and "MORE" or "OK", #page, table.concat(page))
    end
    return t.http { login = LOGIN, on = function(_, request)
        if request.password ~= LOGIN.password then
            return nil
        elseif request.path == "/ISAPI/System/time" then
            return options.time and { body = "<Time><localTime>" .. options.time
                .. "</localTime></Time>" } or { status = 404 }
        elseif request.path == "/ISAPI/ContentMgmt/search" then
            return { body = search(request.body) }
        end
        local name = request.body:match "&amp;name=(%w+)&amp;"
        for _, item in ipairs(items) do
            if item.name == name then
                local body = item.sends or item.body
                return { body = body, headers = { ["content-length"] = tostring(#body) } }
            end
        end
        return { status = 404 }
    end }
end

local function item(name, hour, body, more)
    local one = { name = name, from = ("2026-04-11T%02d:00:00Z"):format(hour),
        to = ("2026-04-11T%02d:30:00Z"):format(hour), body = body }
    for key, value in pairs(more or {}) do
        one[key] = value
    end
    return one
end

t.test("what_a_search_finds_is_downloaded_with_the_devices_own_tokens", function()
    local dock = recorder({ item("0001", 9, "one"), item("0002", 10, "two"),
        item("0003", 11, "three") }, { time = "2026-04-11T16:01:40+08:00" })
    local office = office_of(WEB, dock, { api = "isapi" })
    office:run "5m"
    local events = office:events "evidence.recorded"
    t.equal(#events, 3)
    local data = events[1].data
    t.equal({ data.path, data.sha256, data.recorded_at, data.ended_at, data.recorded_from,
        data.trust, data.kind, data.clock_from }, { "101/20260411090000_0001",
        digest.sha256 "one", "2026-04-11T01:00:00.000Z", "2026-04-11T01:30:00.000Z", "search",
        "told", "video", "device" })
    t.holds(data.clock_offset > 60 and data.clock_offset <= 100)
    office:run "3h"
    t.equal(#dock:requests "POST /ISAPI/ContentMgmt/download", 3)
end)

t.test("a_recorder_that_always_shows_its_first_page_is_not_asked_for_ever", function()
    local dock = recorder({ item("0001", 9, "one"), item("0002", 10, "two"),
        item("0003", 11, "three") }, { stuck = true })
    local office = office_of(WEB, dock, { api = "isapi", poll = "1m" })
    office:run "4m"
    t.equal({ #dock:requests "POST /ISAPI/ContentMgmt/search" <= 12,
        #office:events "evidence.recorded" }, { true, 2 })
end)

t.test("an_answer_that_is_no_footage_or_not_all_of_it_is_not_taken", function()
    local dock = recorder { item("0001", 9, BIG, { sends = "no recording" }),
        item("0002", 10, BIG, { sends = BIG:sub(1, -2) }), item("0003", 11, "three") }
    local office = office_of(WEB, dock, { api = "isapi" })
    office:run "10m"
    t.equal(hashes(office), { ["101/20260411110000_0003"] = digest.sha256 "three" })
    t.equal(#office:blobs(), 1)
end)

-- ---- Settings

t.test("settings_that_cannot_be_meant_are_refused", function()
    for words, config in pairs {
        ["url: expected a folder"] = { url = "mnt/dock" },
        ["without a path"] = { url = "http://h/x" },
        ["api: expected isapi"] = { url = "/mnt", api = "isapi" },
        ["user and password"] = { url = "/mnt", user = "x" },
        ["patterns: "] = { url = "/mnt", patterns = { "{x}" } },
        ["url: "] = { url = "ftp://h/x" },
        ["host_key: "] = { url = "sftp://h", user = "u", password = "p" },
    } do
        local ok, why = pcall(t.office, { config = config })
        t.holds(not ok and tostring(why):find(words, 1, true), tostring(why))
    end
end)

return t.finish()
