-- Names and files of other people's recorders and docks, where they are there.
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

t.test("recorders_and_stations_say_whose_they_are", function()
    local index = {}
    for line in (content "index.jsonl" or ""):gmatch "[^\n]+" do
        local row = json.decode(line)
        index[row.file] = row.expect
    end
    for file, expect in pairs(index) do
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

return t.finish()
