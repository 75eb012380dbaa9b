local answer = require "answer"
local methods = require "methods"
local moment = require "moment"
local records = require "records"
local t = require "testing"
local translate = require "translate"

t.test("answers_are_pairs_and_errors_are_told_though_the_status_is_200", function()
    t.equal(answer.read "Info.status=Close\r\na = b c \r\n",
        { ["Info.status"] = "Close", a = "b c" })
    t.equal(answer.read "OK\r\n", { OK = true })
    t.equal(answer.read "", {})
    t.equal({ answer.read "Error\r\nBad Request!\r\n" }, { nil, "Bad Request!", "request" })
    t.equal({ answer.read "Error: Invalid channel" }, { nil, "Invalid channel", "error" })
    t.equal({ answer.read "ERROR" }, { nil, "Error", "error" })
    t.equal(answer.read "Error: No Events\r\n", {})
    for _, other in ipairs { "Error: No Record Found!", "ERROR\r\nNo Data found" } do
        t.equal(answer.read(other), {})
    end
    t.equal({ answer.read "Error: No Authority" }, { nil, "No Authority", "error" })
    for _, page in ipairs { "<html>", '<html lang="en">\r\n<meta name="a" content="b">\r\n',
        '<!DOCTYPE html>\n<script>\nvar a = 1;\n</script>', '{"error":"a=b"}' } do
        t.equal({ answer.read(page) }, { nil, "expected name=value", "garbage" })
    end
    t.equal(answer.read "ErrorCode=0", { ErrorCode = "0" })
end)

t.test("a_version_is_told_without_the_day_of_its_build", function()
    local function version(text)
        return { answer.version(answer.read(text)) }
    end
    t.equal(version "version=2.000.0000000.1.R,build:2020-01-01\r\n",
        { "2.000.0000000.1.R", "2020-01-01" })
    t.equal(version "version=2.400 build:20200101", { "2.400", "20200101" })
    t.equal(version "a=b", {})
end)

t.test("times_are_seconds_milliseconds_or_local_text", function()
    for _, said in ipairs { 1790665389, "1790665389", 1790665389000, "1790665389000",
        "2026-09-29 15:03:09", "2026/9/29 15:03:09", "2026-09-29T15:03:09",
        "2026-09-29T07:03:09Z" } do
        t.equal(moment.read(said, 480), 1790665389)
    end
    for _, nothing in ipairs { 0, "", "0", 285452474, "1970-01-01 00:00:00", "x", ("1"):rep(30),
        "2026-13-01 1:00:00", -5, 0 / 0, math.huge } do
        t.equal(moment.read(nothing, 480), nil)
    end
    t.equal(moment.read(nil, 480), nil)
    t.equal(moment.read({}, 480), nil)
end)

t.test("a_page_is_the_rows_that_are_there", function()
    local page = records.read("totalCount=9\r\nfound=100\r\nrecords[7].RecNo=12\r\n"
        .. "records[7].CreateTime=1790665389\r\nrecords[3].RecNo=13\r\nrecords[7].UserID=a=b\r\n"
        .. "records[3].CreateTime=2026-09-29 15:03:10\r\n", 480)
    t.equal({ page.total, page.found, #page.rows }, { 9, 100, 2 })
    t.equal({ page.rows[1].serial, page.rows[1].time, page.rows[1].UserID },
        { 12, 1790665389, "a=b" })
    t.equal({ page.rows[2].serial, page.rows[2].time }, { 13, 1790665390 })
    t.equal(page.rows[1].raw, "RecNo=12\nCreateTime=1790665389\nUserID=a=b")
    t.equal(#records.read("found=0\r\n", 480).rows, 0)
    t.equal(#records.read("Error: No Events\r\n", 480).rows, 0)
    t.equal({ records.read("Error\r\nBad Request!", 480) }, { nil, "Bad Request!", "request" })
end)

t.test("rows_and_their_bytes_are_bounded", function()
    local lines = {}
    for i = 1, 3000 do
        lines[i] = ("records[%d].RecNo=%d"):format(i, i)
    end
    t.equal(#records.read(table.concat(lines, "\r\n"), 480).rows, 1100)
    local page = records.read(("records[0].A=%s\r\n"):format(("x"):rep(1000)):rep(100), 480)
    t.holds(#page.rows[1].raw <= 4200)
end)

t.test("a_question_has_its_times_in_the_form_that_is_asked_for", function()
    t.holds(records.query(1790665389, 1790665390, "epoch", 480):find(
        "StartTime=1790665389&EndTime=1790665390&count=256", 1, true))
    t.holds(records.query(1790665389, 1790665390, "text", 480):find(
        "StartTime=2026-09-29%2015:03:09&EndTime=2026-09-29%2015:03:10", 1, true))
end)

---- what they mean

local ABOUT = { terminal = "T", offset = 480, methods = methods.of({}, {}), live = true }

local function mean(code, data, action)
    local record, how = translate.event({ code = code, action = action or "Pulse", index = 0,
        data = data }, ABOUT)
    return record and { record.what, record.person, record.method, record.reason, record.state }
        or how
end

t.test("an_access_is_what_its_error_says_and_then_its_status", function()
    t.equal(mean("AccessControl", { UserID = "7", Status = 1, Method = 15 }),
        { "verified", "7", "face" })
    t.equal(mean("AccessControl", { UserID = "7", Status = 1, ErrorCode = 0, Method = "1" }),
        { "verified", "7", "card" })
    t.equal(mean("AccessControl", { UserID = "7", Status = 1, ErrorCode = 16 }),
        { "rejected", "7", nil, "no_right" })
    t.equal(mean("AccessControl", { UserID = "7", Status = 0 }),
        { "rejected", "7", nil, "not_told" })
    t.equal(mean("AccessControl", { UserID = "", Status = 0, ErrorCode = 16, Method = 15 }),
        { "unknown_person", nil, "face", "no_right" })
    t.equal(mean("AccessControl", { UserID = "7", ErrorCode = 22, Status = 0 }),
        { "duress", "7", nil, "not_told" })
    t.equal(mean("AccessControl", { Status = 1, Method = 5 }), { "door", nil, nil, nil, "button" })
    t.equal(mean("AccessControl", { UserID = "7" }), { "other", "7" })
end)

t.test("a_face_is_recognised_or_nobodys", function()
    t.equal(mean("_DoorFace_", { UserID = "22", Similarity = 92 }), { "verified", "22", "face" })
    t.equal(mean("_DoorFace_", { UserID = "", Similarity = 0 }), { "unknown_person", nil, "face" })
end)

t.test("doors_and_housings_are_told_by_their_states", function()
    t.equal(mean("DoorStatus", { Status = "Open" }), { "door", nil, nil, nil, "open" })
    t.equal(mean("DoorStatus", { Status = "Close" }), { "door", nil, nil, nil, "closed" })
    t.equal(mean("DoorStatus", { Status = "Fake" }), { "other" })
    t.equal(mean("BreakIn", {}), { "door", nil, nil, nil, "forced" })
    t.equal(mean("DoorNotClosed", {}, "Start"), { "door", nil, nil, nil, "held_open" })
    t.equal(mean("ChassisIntruded", {}, "Start"), { "tamper" })
    t.equal(mean("ChassisIntruded", {}, "Stop"), { "tamper_restored" })
end)

t.test("what_does_not_say_what_it_means_is_looked_up_never_guessed", function()
    t.equal(mean("_NewFile_", { File = "/a.jpg" }), "look")
    t.equal(mean("VideoMotion", {}), "noise")
    t.equal(mean("SomethingNew", { UserID = "7" }), { "other" })
end)

t.test("numbers_of_methods_mean_what_the_model_means", function()
    local function word(number, models, setting)
        return methods.of(models or {}, setting)[number]
    end
    t.equal({ word(0), word(1), word(6), word(15), word(21), word(22) },
        { "password", "card", "fingerprint", "face" })
    t.equal({ word(22, { "ASI7213X" }), word(22, { "SS 3542 MF W", "" }) },
        { "face+password", "face+password" })
    t.equal(word(21, { "ASI7213X" }), nil)
    t.equal({ word(21, {}, { ["21"] = "fingerprint" }), word(15, {}, { ["15"] = "card" }) },
        { "fingerprint", "card" })
end)

t.test("a_score_or_a_number_that_cannot_be_is_not_told", function()
    local record = translate.event({ code = "AccessControl", data = { UserID = "7", Status = 1,
        Similarity = 200, Door = -1, RecNo = -5, Method = 1.5 } }, ABOUT)
    t.equal({ record.score, record.door, record.serial, record.method }, {})
end)

return t.finish()
