-- Names and files of other people's recorders and docks, where they are there.
local digest = require "digest"
local json = require "json"
local names = require "names"
local rehearsal = require "rehearsal"
local report = require "report"
local t = require "testing"
local zfy = require "zfy"

local FOLDER = rehearsal.folder .. "/../../../shared/vectors/bodycam/"

local function content(path)
    local file = io.open(FOLDER .. path, "rb")
    local bytes = file and file:read "a"
    if file then
        file:close()
    else
        print("skipped: " .. FOLDER .. path .. " is not here")
    end
    return bytes
end

local ALIASES = { police = "officer", time = "told", sequence = "seq", recorder = "device" }

local function check_name(patterns, row)
    local found = names.read(patterns, row.name, 480)
    local said = { accept = found ~= nil }
    for name, value in pairs(found or {}) do
        said[name] = value
    end
    for name, wanted in pairs(row.expect) do
        local got = said[ALIASES[name] or name]
        if tostring(got) ~= (wanted == json.null and "nil" or tostring(wanted)) then
            error(("%s: %s: expected %s, got %s"):format(row.name, name, wanted, got))
        end
    end
end

t.test("the_names_of_other_people_mean_what_they_are_said_to_mean", function()
    local lines = content "filenames.jsonl"
    local patterns = names.compile(names.USUAL)
    for line in (lines or ""):gmatch "[^\n]+" do
        check_name(patterns, json.decode(line))
    end
end)

local function expectations()
    local index = {}
    for line in (content "index.jsonl" or ""):gmatch "[^\n]+" do
        local row = json.decode(line)
        index[row.file] = row.expect or {}
    end
    return index
end

t.test("recorders_and_stations_say_whose_they_are", function()
    for file, expect in pairs(expectations()) do
        if file:find "^zfy_" then
            local found = zfy.struct(content(file))
            t.equal({ found.device, found.officer, found.officer_name, found.unit,
                found.unit_name }, { expect.cSerial, expect.userNo, expect.userName, expect.unitNo,
                expect.unitName })
        elseif file:find "^sn" or file:find "%.ini$" then
            t.equal(zfy.sn(content(file)).officer, expect.police)
        elseif file:find "report%.json$" then
            local found = report.decode(content(file), 480)
            t.equal(found.file_no, expect.file_no)
            t.holds(found.original ~= found.collected)
        end
    end
end)

-- The listing of a dock, in the real plugin: what it sees, passes over and looks into.
local function check_listing(text, expect, exact)
    local url = "ftp://10.0.0.8?passive=50000-50010"
    local dock = t.ftp { exact = exact, listings = { ["/"] = text } }
    local office = t.office { config = { url = url, poll = "10s", settle = "30s" },
        devices = { [url] = dock }, time = "2026-04-11T08:00:00Z" }
    office:run "25s" -- before any of it is whole
    t.equal(office:metrics().clips_seen, expect.complete_files)
    local looked = {}
    for _, request in ipairs(dock:requests "list") do
        looked[request.path:gsub("^/", ""):gsub("/$", "")] = true
    end
    for _, folder in ipairs(expect.dirs or {}) do
        t.holds(looked[folder], folder)
    end
    for _, name in ipairs(expect.partial or {}) do
        t.holds(names.is_half(name), name)
    end
end

t.test("listings_of_docks_show_what_they_are_said_to_show", function()
    for file, expect in pairs(expectations()) do
        if file:find "^ftp_" and expect.complete_files then
            check_listing(content(file), expect, file:find "mls" ~= nil)
        end
    end
end)

t.test("sums_of_other_people_come_out", function()
    for line in (content "sm3_vectors.jsonl" or ""):gmatch "[^\n]+" do
        local row = json.decode(line)
        local bytes = row.msg_hex:gsub("%x%x", function(two)
            return string.char(tonumber(two, 16))
        end)
        t.equal(digest.sm3(bytes), row.sm3)
    end
end)

return t.finish()
