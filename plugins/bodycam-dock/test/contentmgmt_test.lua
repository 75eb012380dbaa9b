local contentmgmt = require "contentmgmt"
local json = require "json"
local rehearsal = require "rehearsal"
local t = require "testing"
local time = require "time"
local xml = require "xml"

local URI = "rtsp://10.0.0.5:80/tracks/101/?starttime=20260701T083214Z&name=0000465&size=%s"

local function item(from, to, uri)
    return ("<searchMatchItem><trackID>101</trackID><timeSpan><startTime>%s</startTime><endTime>%s"
        .. "</endTime></timeSpan><mediaSegmentDescriptor><playbackURI>%s</playbackURI>"
        .. "</mediaSegmentDescriptor><metadataMatches><metadataDescriptor>recordType.meta."
        .. "std-cgi.com/VMD</metadataDescriptor></metadataMatches></searchMatchItem>"):format(from,
        to, (uri:gsub("&", "&amp;")))
end

local function page(status, ...)
    return "<CMSearchResult xmlns='x'><responseStatusStrg>" .. status .. "</responseStatusStrg>"
        .. "<numOfMatches>" .. select("#", ...) .. "</numOfMatches><matchList>"
        .. table.concat({ ... }) .. "</matchList></CMSearchResult>"
end

t.test("a_search_says_a_real_uuid_and_local_times_with_a_z", function()
    local id = contentmgmt.uuid(("\xff\x00"):rep(8))
    t.equal(id, "ff00ff00-ff00-4f00-bf00-ff00ff00ff00")
    local tree = xml.decode(contentmgmt.query { id = id, track = 101, from = 1782871200,
        to = 1782874800, offset = 480 })
    t.equal({ xml.text(tree, "searchID"), xml.text(tree, "trackIDList/trackID"),
        xml.text(tree, "timeSpanList/timeSpan/startTime"), xml.text(tree, "maxResults"),
        xml.text(tree, "searchResultPosition") },
        { id, "101", "2026-07-01T10:00:00Z", "40", "0" })
end)

t.test("what_was_found_is_in_order_with_times_in_utc_and_the_devices_tokens", function()
    local answer = contentmgmt.decode(page("MORE",
        item("2026-07-01T12:00:00Z", "2026-07-01T13:00:00Z", URI:format "5"),
        item("2026-07-01T10:00:00Z", "2026-07-01T11:00:00Z", URI:format "1063889248"),
        item("2026-07-01T15:00:00Z", "2026-07-01T14:00:00Z", URI:format "5")), 480)
    t.equal({ answer.status, answer.matches, #answer.items, answer.upside_down },
        { "MORE", 3, 2, 1 })
    local first = answer.items[1]
    t.equal({ first.from, first.name, first.size, first.type, first.track },
        { 1782871200, "0000465", 1063889248, "VMD", "101" })
end)

t.test("a_download_says_the_tokens_again_and_what_has_none_is_not_asked_for", function()
    local uri = URI:format "7"
    local order = contentmgmt.order { uri = uri, name = "0000465", size = 7 }
    t.holds(order:find("&amp;name=0000465&amp;size=7", 1, true))
    t.equal(xml.text(xml.decode(order), "playbackURI"), uri)
    for _, wrong in ipairs { { uri = "rtsp://x" }, { uri = uri, name = "a", size = 0 },
        { name = "a", size = 1 } } do
        t.equal(contentmgmt.order(wrong), nil)
    end
end)

t.test("nothing_found_is_an_answer_and_nonsense_is_none", function()
    local answer = contentmgmt.decode(page "NO MATCHES", 480)
    t.equal({ answer.status, answer.items }, { "NO MATCHES", {} })
    for _, wrong in ipairs { "", "<x/>", "<CMSearchResult>" } do
        t.equal(contentmgmt.decode(wrong, 480), nil)
    end
end)

-- Answers of other people's devices, where they are there.
local FOLDER = rehearsal.folder .. "/../../../shared/vectors/isapi/"

local function content(name)
    local file = io.open(FOLDER .. name, "rb")
    local bytes = file and file:read "a"
    if file then
        file:close()
    end
    return bytes
end

t.test("the_samples_of_other_people_say_what_they_are_said_to_say", function()
    local index = content "index.jsonl"
    if not index then
        print("skipped: " .. FOLDER .. " is not here")
    end
    for line in (index or ""):gmatch "[^\n]+" do
        local row = json.decode(line)
        if row.file:find "^cm_search" then
            local answer = assert(contentmgmt.decode(content(row.file), 480))
            t.equal({ answer.matches, answer.status }, { row.expect.n, row.expect.status })
            for i, wanted in ipairs(row.expect.items or {}) do
                local got = answer.items[i]
                t.equal({ got.type, got.name, got.size },
                    { wanted.type, wanted.name, wanted.size })
            end
        end
    end
end)

-- A request of ours that asks for the same as theirs says the same.
local function check_search(bytes)
    local theirs = assert(xml.decode(bytes))
    local function told(path) return xml.text(theirs, path) end
    local track = told "trackIDList/trackID" or told "trackList/trackID"
    local span = "timeSpanList/timeSpan/"
    local ours = assert(xml.decode(contentmgmt.query { id = told "searchID", track = track,
        from = time.parse((told(span .. "startTime"):gsub("Z$", "")), 480),
        to = time.parse((told(span .. "endTime"):gsub("Z$", "")), 480), offset = 480,
        most = told "maxResults", position = told "searchResultPosition"
            or told "searchResultPostion" }))
    for _, path in ipairs { "searchID", span .. "startTime", span .. "endTime", "maxResults" } do
        t.equal(xml.text(ours, path), told(path))
    end
    t.equal({ ours.name, xml.text(ours, "trackIDList/trackID") }, { theirs.name, track })
end

local function check_download(bytes)
    local theirs = assert(xml.decode(bytes))
    local uri = xml.text(theirs, "playbackURI")
    local ours = assert(xml.decode(contentmgmt.order { uri = uri, name = "x", size = 1 }))
    t.equal({ ours.name, xml.text(ours, "playbackURI"), ours.attributes.xmlns },
        { theirs.name, uri, theirs.attributes.xmlns or ours.attributes.xmlns })
end

t.test("requests_say_what_those_of_other_people_say", function()
    for line in (content "index.jsonl" or ""):gmatch "[^\n]+" do
        local file = json.decode(line).file
        if file:find "^req_cm_search" then
            check_search(content(file))
        elseif file:find "^req_cm_download" then
            check_download(content(file))
        end
    end
end)

return t.finish()
