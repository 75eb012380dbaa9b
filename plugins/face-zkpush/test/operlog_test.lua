local operlog = require "operlog"
local t = require "testing"

local function operation(line)
    local kind, rest = operlog.kind(line)
    t.equal(kind, "operation")
    return operlog.operation(rest, 480)
end

t.test("the_columns_are_found_by_the_time", function()
    local real = operation "OPLOG 3\t0\t2026-09-14 19:05:35\t55\t0\t0\t0"
    local other = operation "OPLOG\t3\t0\t55\t2026-09-14 19:05:35"
    for _, one in ipairs { real, other } do
        t.equal({ one.code, one.operator, one.target, one.time, one.day },
            { 3, "0", "55", 1789383935, "20260914" })
    end
    local bare = operation "OPLOG\t0\t1\t2026-01-01 00:00:00"
    t.equal({ bare.code, bare.operator, bare.target, #bare.objects }, { 0, "1", "", 0 })
end)

t.test("blanks_between_the_columns_are_as_good_as_tabs", function()
    local line = "OPLOG 3\t0\t2026-09-14 19:05:35\t55\t0\t0\t0"
    t.equal(operation(line:gsub("\t", " ")), (operation(line)))
    t.equal(operation("OPLOG 3 0 55  2026-09-14 19:05:35").target, "55")
    t.equal(operlog.user("PIN=1001 Name=A B Pri=0").pin, "1001")
end)

t.test("what_is_no_operation_says_why", function()
    for line, why in pairs { ["OPLOG x\t1\t2026-01-01 00:00:00"] = "malformed",
        ["OPLOG 5"] = "malformed", ["OPLOG 5\t0"] = "bad_time",
        ["OPLOG 5\t0\t2026-13-01 00:00:00"] = "bad_time" } do
        t.equal({ operation(line) }, { nil, why })
    end
end)

t.test("each_kind_of_line_is_told_by_its_word", function()
    for line, kind in pairs { ["USER PIN=1\tName=x"] = "user", ["FP PIN=1\tTMP=x"] = "template",
        ["FACE PIN=1"] = "template", ["FVEIN Pin=1"] = "template", ["BIODATA Pin=1"] = "template",
        ["templatev10 size=1"] = "template", ["USERPIC PIN=1"] = "picture",
        ["BIOPHOTO PIN=1"] = "picture", ["IDCARD PIN=0"] = "card", ["GARBAGE x"] = "unknown",
        ["x"] = "unknown", [""] = "unknown" } do
        t.equal({ line, (operlog.kind(line)) }, { line, kind })
    end
    t.equal(operlog.user "Name=x", nil)
    t.equal(operlog.user "PIN=\tName=x", nil)
end)

t.test("alarms_duress_and_a_start_have_their_meaning", function()
    local function record(line)
        return operlog.record(operation(line))
    end
    t.equal(record("OPLOG 3\t0\t2026-09-14 19:05:35\t55\t0\t0\t0").what, "tamper")
    t.equal(record("OPLOG 3\t0\t2026-09-14 19:05:35\t0\t55\t0\t0").what, "tamper")
    t.equal(record("OPLOG 3\t0\t2026-09-14 19:05:35\t54\t0\t0\t0").state, "forced")
    t.equal(record("OPLOG 3\t0\t2026-09-14 19:05:35\t99\t0\t0\t0").what, "other")
    t.equal(record("OPLOG 0\t0\t2026-09-14 19:05:35\t0").what, "restarted")
    local duress = record "OPLOG 32\t0\t2026-09-14 19:05:35\t1001\t0\t0\t0"
    t.equal({ duress.what, duress.person, duress.codes }, { "duress", "1001", { operation = 32 } })
    t.equal(record("OPLOG 2\t0\t2026-09-14 19:05:35\t0\t0").person, nil)
end)

t.test("numbers_of_persons_stay_inside", function()
    local record = operlog.record(operation
        "OPLOG 9\t35010519900101\t2026-09-14 19:05:35\t350105199001011234\t0\t0\t0")
    t.equal(record, { what = "other", codes = { operation = 9 }, time = 1789383935,
        told = "2026-09-14 19:05:35" })
end)

t.test("the_same_operation_has_the_same_key", function()
    local line = "OPLOG 70\t0\t2026-09-14 19:05:35\t2\t0\t0\t0"
    t.equal(operlog.key(operation(line)), operlog.key(operation(line)))
    t.holds(operlog.key(operation(line)) ~= operlog.key(operation(line:gsub("\t2\t", "\t3\t"))))
end)

return t.finish()
