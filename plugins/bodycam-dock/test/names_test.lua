local gbk = require "gbk"
local names = require "names"
local t = require "testing"

local USUAL = assert(names.compile(names.USUAL))

local function read(name, patterns)
    return names.read(patterns and assert(names.compile(patterns)) or USUAL, name, 480)
end

t.test("every_named_field_is_told_by_a_name_that_has_it", function()
    local found = read "330106_012345_T1A0001_20260411083015_0001_imp.MP4"
    t.equal(found, { unit = "330106", officer = "012345", device = "T1A0001", seq = 1,
        important = true, time = 1775867415, told = "2026-04-11T08:30:15", ext = "mp4",
        kind = "video", pattern = 1 })
end)

t.test("what_a_name_does_not_tell_is_absent", function()
    t.equal(read "MOV_0001.MP4", { ext = "mp4", kind = "video", important = false })
    t.equal(read "README", { important = false })
    local found = read "20260411083015.jpg"
    t.equal({ found.told, found.officer, found.kind }, { "2026-04-11T08:30:15", nil, "picture" })
end)

t.test("digits_that_are_no_moment_are_no_time", function()
    for _, name in ipairs { "20261341083015.jpg", "20260411246099.jpg", "19990411083015.jpg" } do
        t.equal(read(name).time, nil)
    end
end)

t.test("names_in_gbk_are_read_too", function()
    local found = read((gbk.encode "执法_012345_20260411083015.MP4"))
    t.equal({ found.officer, found.told }, { "012345", "2026-04-11T08:30:15" })
end)

t.test("a_pattern_of_the_offices_own_is_read_as_it_is_written", function()
    local cases = {
        { "{police:6}@{recorder}-{yyyy-MM-dd HH.mm.ss}", "012345@A-7-2026-04-11 08.30.15.mp4",
            { "012345", "A-7", "2026-04-11T08:30:15" } },
        { "CAM{device:3-4}*{yyMMdd}T{HHmmss}", "camX12 any 260411T083015.mp4",
            { nil, "X12", "2026-04-11T08:30:15" } },
        { "{time:ddMMyyyy}_{HHmmss}[_{officer:4-6}]", "11042026_083015_1234.avi",
            { "1234", nil, "2026-04-11T08:30:15" } },
        { "{time:ddMMyyyy}_{HHmmss}[_{officer:4-6}]", "11042026_083015.avi",
            { nil, nil, "2026-04-11T08:30:15" } },
        { "{yyyyMMdd}_{seq}", "20260411_12.avi", {} }, -- a day alone is no moment
    }
    for _, case in ipairs(cases) do
        local found = read(case[2], { case[1] })
        t.equal({ found.officer, found.device, found.told }, case[3])
    end
end)

t.test("the_first_pattern_that_fits_counts_and_is_told", function()
    t.equal(read("012345.mp4", { "{seq:3}", "{officer:6}", "*" }).pattern, 2)
    t.equal(read("x.mp4", { "{seq:3}" }).pattern, nil)
end)

t.test("paths_that_lead_elsewhere_are_refused", function()
    for _, path in ipairs { "../a.mp4", "a/../../b.mp4", "/etc/passwd", "a//b", "", "a\0b", "a\\b",
        "c:x", ".", "a/./b", ("x/"):rep(16) .. "a", ("x"):rep(256) } do
        t.equal(read(path), nil)
    end
    t.holds(read "20260411/T1A0001/20260411083015.mp4".time)
end)

t.test("a_pattern_that_is_none_is_refused_with_what_was_expected", function()
    for text, words in pairs { ["{name}"] = "{officer}", ["{officer"] = "expected a }",
        ["[a"] = "expected a ]", ["a]"] = "expected no ]", ["{officer:0}"] = "length",
        ["{officer:9-6}"] = "length", ["{officer:99}"] = "length", [("a"):rep(41)] = "at most 40",
        [("a"):rep(129)] = "1 to 128", [""] = "1 to 128", ["{important}"] = "{officer}" } do
        local patterns, why = names.compile { text }
        t.equal(patterns, nil)
        t.holds(why:find(words, 1, true), why)
    end
end)

t.test("no_name_takes_long", function()
    local bad = "*{seq}*{seq}*{seq}*{seq}*{seq}*{seq}*x"
    local both = assert(names.compile { bad, "*" }) -- what the first has used up is gone for all
    t.equal(names.read(both, ("1"):rep(255), 480).pattern, nil)
    t.equal(names.read(both, ("1"):rep(8), 480).pattern, 2)
end)

t.test("what_is_still_being_written_is_known_by_its_name", function()
    for _, name in ipairs { "a.MP4.part", "a.tmp", ".a.mp4", "~a.mp4", "a.mp4.filepart" } do
        t.holds(names.is_half(name), name)
    end
    t.holds(not names.is_half "a.part.mp4" and not names.is_half "part")
end)

return t.finish()
