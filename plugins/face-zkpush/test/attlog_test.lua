local attlog = require "attlog"
local t = require "testing"

local CHINA = 480
local MOMENT = 1787196447 -- 2026-08-20T03:27:27Z

local function row(more, compares)
    return attlog.row("7\t2026-08-20 11:27:27\t255\t15" .. (more or ""), CHINA, compares)
end

t.test("four_to_twelve_fields_are_one_record", function()
    for count = 0, 8 do
        local found = row(("\t0"):rep(count))
        t.equal({ found.pin, found.time, found.told, found.day, found.status, found.verify,
            found.counter }, { "7", MOMENT, "2026-08-20 11:27:27", "20260820", "255", "15" })
        t.equal(attlog.key(found), attlog.key(row()))
    end
    t.equal(row("\t0\t0\t0\t0\t0\t0\t\r").time, MOMENT)
end)

t.test("the_name_of_the_table_may_stand_before_a_record", function()
    for _, before in ipairs { "ATTLOG ", "ATTLOG\t" } do
        t.equal(attlog.row(before .. "7\t2026-08-20 11:27:27\t255\t15", CHINA), row())
    end
end)

t.test("blanks_between_the_fields_are_as_good_as_tabs", function()
    for _, line in ipairs { "7 2026-08-20 11:27:27 255 15",
        "7   2026-08-20 11:27:27  255  15 0 0 ", "       7 2026-08-20T11:27:27 255 15",
        "ATTLOG 7 2026-08-20 11:27:27 255 15\r" } do
        local found = attlog.row(line, CHINA)
        t.equal({ found.pin, found.time, found.status, found.verify }, { "7", MOMENT, "255", "15" })
    end
    t.equal(attlog.key(attlog.row("7 2026-08-20 11:27:27 255 15", CHINA)), attlog.key(row()))
    t.equal({ attlog.row("7 2026-02-30 11:27:27 255 15", CHINA) }, { nil, "bad_time" })
    for _, line in ipairs { "7 2026-08-20 11:27:27 255", "una sola columna",
        "2026-08-20 11:27:27" } do
        t.equal({ attlog.row(line, CHINA) }, { nil, "malformed" })
    end
end)

t.test("a_time_may_be_written_without_its_zeros_and_with_slashes", function()
    for _, told in ipairs { "2026/08/20 11:27:27", "2026-8-20 11:27:27", "2026/8/20 11:27:27" } do
        local found = attlog.row(("7\t%s\t255\t15"):format(told), CHINA)
        t.equal(found, row())
    end
    t.equal(attlog.row("7\t2026-8-2 9:5:3\t255\t15", CHINA).told, "2026-08-02 09:05:03")
    t.equal({ attlog.row("7\t2026-13-2 9:5:3\t255\t15", CHINA) }, { nil, "bad_time" })
end)

t.test("what_is_no_record_says_why", function()
    local MALFORMED = { "", "x", "1\t2026-08-20 11:27:27\t0", "\t2026-08-20 11:27:27\t0\t1",
        ("9"):rep(65) .. "\t2026-08-20 11:27:27\t0\t1" }
    for _, line in ipairs(MALFORMED) do
        t.equal({ attlog.row(line, CHINA) }, { nil, "malformed" })
    end
    for _, moment in ipairs { "", "2026-02-30 01:00:00", "2026-08-20 24:00:00",
        "1999-12-31 23:59:59", "2026-08-20 11:27:27Z",
        "2026-08-20 11:27", "0000-00-00 00:00:00", "1787196447" } do
        t.equal({ attlog.row("1\t" .. moment .. "\t0\t1", CHINA) }, { nil, "bad_time" })
    end
end)

t.test("the_last_field_may_be_the_number_of_the_record", function()
    t.equal(row("\t0\t0\t0\t48213").counter, 48213)
    t.equal(row("\t0\t0\t0\t0\t0\t0\t48213\t").counter, 48213)
    t.equal(row("\t0\t0\t0\t0\t0\t0\t7").counter, 7)
    for _, other in ipairs { "\t48213", "\t0\t0\t48213", "\t0\t0\t0\t1", "\t0\t0\t0\t255\t0\t0",
        "\t0\t0\t0\t0\t36.5\t36.5", "\t0\t0\t0\t350105199001011234", "\t0\t0\t0\t-4000" } do
        t.equal(row(other).counter, nil)
    end
    t.holds(attlog.key(row "\t0\t0\t0\t48213") ~= attlog.key(row "\t0\t0\t0\t48214"))
end)

t.test("a_clock_that_says_its_offset_is_believed", function()
    t.equal(row("\t0\t0\t0\t0\t0\t0\t+32400").time, MOMENT - 3600)
    t.equal(row("\t0\t0\t0\t0\t0\t0\t-28800").time, MOMENT + 16 * 3600)
    for _, odd in ipairs { "28800", "+28801", "+99999", "+" } do
        t.equal(row("\t0\t0\t0\t0\t0\t0\t" .. odd).time, MOMENT)
    end
end)

t.test("a_comparison_with_a_card_that_failed_is_no_check_in", function()
    local function what(status, more, compares)
        return attlog.record(attlog.row(("7\t2026-08-20 11:27:27\t%s\t1%s"):format(status, more),
            CHINA, compares))
    end
    local CARD = "\t0\t0\t0\t350105199001011234\t1"
    t.equal(what("0", CARD).what, "verified")
    t.equal({ what("1", CARD).what, what("1", CARD).reason }, { "rejected", "mismatch" })
    t.equal({ what("2", CARD).what, what("2", CARD).reason }, { "rejected", "blocked" })
    t.equal(what("7", CARD).what, "other")
    t.equal(what("0", CARD).method, "face")
    t.equal(what("1", "\t0\t0\t0\t350105199001011234\t0").what, "verified")
    t.equal(what("1", "\t0\t0\t0\t\t1", true).what, "rejected")
    t.equal(what("1", "\t0\t0\t0\t\t1").what, "verified")
end)

t.test("the_method_is_told_where_the_number_is_certain", function()
    local function method(verify)
        return attlog.record(attlog.row("7\t2026-08-20 11:27:27\t0\t" .. verify, CHINA)).method
    end
    t.equal({ method "1", method "3", method "4", method "15", method "18", method "25" },
        { "fingerprint", "password", "card", "face", "face+card", "palm" })
    for _, verify in ipairs { "0", "2", "9", "200", "77", "", "x" } do
        t.equal(method(verify), nil)
    end
end)

t.test("nobody_is_nobody", function()
    t.equal(attlog.record(attlog.row("0\t2026-08-20 11:27:27\t0\t1", CHINA)).person, nil)
    t.equal(attlog.record(attlog.row("007\t2026-08-20 11:27:27\t0\t1", CHINA)).person, "007")
end)

return t.finish()
