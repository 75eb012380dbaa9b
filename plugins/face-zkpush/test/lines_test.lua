local lines = require "lines"
local t = require "testing"

local function all(body)
    local list = {}
    for line, is_cut in lines.each(body) do
        list[#list + 1] = is_cut and "cut" or line
    end
    return list
end

t.test("lines_end_at_lf_or_cr_or_both_and_empty_ones_are_none", function()
    t.equal(all "a\r\nb\n\n\r\nc", { "a", "b", "c" })
    t.equal(all "\xEF\xBB\xBFa\nb", { "a", "b" })
    t.equal(all "", {})
    t.equal(all "\n\r", {})
    t.equal(all "a", { "a" })
end)

t.test("a_long_line_is_cut_and_says_so", function()
    local seen = all(("x"):rep(4096) .. "\n" .. ("y"):rep(4097) .. "\nz")
    t.equal({ #seen, #seen[1], seen[2], seen[3] }, { 3, 4096, "cut", "z" })
    for line in lines.each(("y"):rep(100000)) do
        t.equal(#line, 4096)
    end
end)

t.test("white_space_is_cut_off_at_both_ends_only", function()
    t.equal({ lines.trim " \t a b \0\r", lines.trim "a", lines.trim "  \0 ", lines.trim "" },
        { "a b", "a", "", "" })
end)

t.test("fields_are_trimmed_and_bounded", function()
    t.equal(lines.fields "1\t a \t\tb\r", { "1", "a", "", "b" })
    t.equal(lines.fields "1\t", { "1", "" })
    t.equal(#lines.fields(("a\t"):rep(1000)), 32)
end)

t.test("of_values_names_are_small_and_the_first_counts", function()
    t.equal(lines.values("PIN=1\tName=A B\tpin=2\tempty=\tnone\t~DeviceName=X", "\t"),
        { pin = "1", name = "A B", empty = "", devicename = "X" })
    local many = {}
    for i = 1, 500 do
        many[i] = ("k%d=%d"):format(i, i)
    end
    local count = 0
    for _ in pairs(lines.values(table.concat(many, ","), ",")) do
        count = count + 1
    end
    t.equal(count, 256)
end)

t.test("whole_numbers_are_digits_only", function()
    t.equal({ lines.whole "0", lines.whole "007", lines.whole "999999999999999" },
        { 0, 7, 999999999999999 })
    for _, text in ipairs { "", "-1", "1.5", "1e3", "0x10", " 1", ("9"):rep(16) } do
        t.equal(lines.whole(text), nil)
    end
    t.equal(lines.whole(nil), nil)
end)

return t.finish()
