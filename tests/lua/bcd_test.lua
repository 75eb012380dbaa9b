local bcd = require "bcd"
local t = require "testing"

t.test("digits_keep_their_zeros", function()
    t.equal(bcd.read("\x01\x44\x50\x37\x62\x02", 1, 6), "014450376202")
    t.equal(bcd.read("xx\x00\x01", 3, 2), "0001")
    t.equal(bcd.read("", 1, 0), "")
end)

t.test("what_is_no_digit_is_none", function()
    t.equal(bcd.read("\x1A", 1, 1), nil)
    t.equal(bcd.read("\x12\xF3", 1, 2, 0xF), nil)
    t.equal(bcd.read("\x12", 1, 2), nil)
    t.equal(bcd.read("\x12", 0, 1), nil)
end)

t.test("a_filler_ends_the_number", function()
    t.equal(bcd.read("\x12\x3F", 1, 2, 0xF), "123")
    t.equal(bcd.read("\xFF", 1, 1, 0xF), "")
    t.equal(bcd.read("\x12\x3F", 1, 2), nil)
end)

t.test("digits_are_written_with_zeros_before_them", function()
    t.equal(bcd.write("14450376202", 6), "\x01\x44\x50\x37\x62\x02")
    t.equal(bcd.write("", 2), "\0\0")
    t.equal(bcd.write("12345", 2), nil)
    t.equal(bcd.write("12a", 2), nil)
    t.equal(bcd.read(bcd.write("0987654321", 5), 1, 5), "0987654321")
end)

t.test("six_bytes_are_a_time_or_none", function()
    t.equal(bcd.time("\x26\x08\x17\x22\x18\x12", 1),
        { year = 2026, month = 8, day = 17, hour = 22, min = 18, sec = 12 })
    for _, wrong in ipairs { "\0\0\0\0\0\0", "\xFF\xFF\xFF\xFF\xFF\xFF", "\x26\x13\x01\0\0\0",
        "\x26\x01\x32\0\0\0", "\x26\x01\x01\x24\0\0", "\x26\x01\x01\0\x60\0", "\x26\x01" } do
        t.equal(bcd.time(wrong, 1), nil)
    end
end)

return t.finish()
