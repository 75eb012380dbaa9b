local checkin = require "checkin"
local t = require "testing"

local function hash(number)
    return ("%020x"):format(#number) .. "ffff"
end

local name_of = checkin.naming({ ["350105199001011234"] = "3501050012" }, hash)

local function visit(more)
    local record = { what = "verified", terminal = "K1T-1", serial = 7, time = 1795230245,
        told = "2026-11-21T11:04:05+08:00", live = true, person = "0042", method = "face",
        codes = { major = 5, minor = 75 }, raw = "ab" }
    for key, value in pairs(more or {}) do
        record[key] = value
    end
    return record
end

t.test("a_person_who_was_recognised_is_the_subject_and_the_record_stays_traceable", function()
    t.equal(checkin.meaning(visit(), name_of), { type = "checkin.verified",
        subject = "person/0042", time = 1795230245, data = { terminal = "K1T-1", record = 7,
            told = "2026-11-21T11:04:05+08:00", live = true, method = "face", raw = "ab",
            codes = { major = 5, minor = 75 } } })
end)

t.test("whom_the_terminal_does_not_know_has_no_subject_of_a_person", function()
    local event = checkin.meaning(visit { what = "unknown_person", reason = "mismatch" }, name_of)
    t.equal(event.subject, "device/face-terminal/K1T-1")
    t.equal(event.data.reason, "mismatch")
end)

t.test("a_recognition_of_nobody_is_no_check_in", function()
    for _, person in ipairs { "", false } do
        local record = visit()
        record.person = person or nil
        t.equal(checkin.meaning(record, name_of).type, "terminal.record")
    end
end)

t.test("what_is_not_of_a_visit_is_not_told_with_it", function()
    local event = checkin.meaning(visit { what = "door", state = "forced", liveness = "passed",
        score = 90, reason = "mismatch" }, name_of)
    t.equal(event.type, "terminal.door")
    t.equal({ event.data.state, event.data.method, event.data.liveness, event.data.score,
        event.data.reason }, { "forced" })
end)

t.test("what_a_terminal_says_in_place_of_a_time_is_not_told", function()
    local event = checkin.meaning(visit { told = "Zhang San" }, name_of)
    t.equal({ event.data.told, event.time }, { nil, 1795230245 })
end)

t.test("every_meaning_is_an_event_that_its_schema_takes", function()
    local events = checkin.events()
    for _, what in ipairs(checkin.WHAT) do
        local event = checkin.meaning(visit { what = what, state = "open", reason = "liveness",
            liveness = "failed", score = 12.5, picture = "cd", door = 1 }, name_of)
        t.equal({ events[event.type].data:check(event.data) }, { event.data })
    end
end)

t.test("numbers_that_may_be_personal_are_never_told", function()
    t.equal(name_of "350105199001011234", "3501050012")
    for _, plain in ipairs { "1", "0042", "12345678", "A7", "SJ-1001", "P_12" } do
        t.equal(name_of(plain), plain)
    end
    for _, personal in ipairs { "35010519900101123X", "13800138000", "123456789", "ZhangWei",
        "张三", "6222020200112233445", "", "a b", "ABCD1", "1/2" } do
        local name = name_of(personal)
        t.equal(name, "p-" .. hash(personal):sub(1, 20))
    end
end)

t.test("own_events_of_a_make_come_beside_the_shared_ones", function()
    local events = checkin.events { ["terminal.own"] = { lane = "record" } }
    t.holds(events["terminal.own"] and events["checkin.verified"])
    t.equal(checkin.events()["terminal.own"], nil)
end)

t.test("pictures_are_none_a_hash_or_kept_for_a_bounded_time", function()
    t.equal(checkin.pictures "none", { mode = "none" })
    t.equal(checkin.pictures "hash", { mode = "hash" })
    t.equal(checkin.pictures "keep 7d", { mode = "keep", seconds = 604800 })
    t.equal(checkin.pictures "keep 30d", { mode = "keep", seconds = 2592000 })
    for _, wrong in ipairs { "keep", "keep 0d", "keep 31d", "keep 7", "all", "" } do
        local pictures, why = checkin.pictures(wrong)
        t.equal(pictures, nil)
        t.holds(why:find('expected "none"', 1, true))
    end
end)

t.test("the_setting_of_pictures_has_the_form_of_what_is_meant", function()
    local settings = require("schema").record(checkin.settings {})
    t.equal(settings:check {}, { people = {}, pictures = "none" })
    t.holds(settings:check { pictures = "keep 7d", people = { ["1"] = "3501050012" } })
    t.equal(settings:check { pictures = "KEEP" }, nil)
end)

return t.finish()
