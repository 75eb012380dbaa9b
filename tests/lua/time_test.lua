local time = require "time"
local t = require "testing"

-- The answer, or the words of the refusal.
local function said(...)
    local value, fault = time.parse(...)
    return value or fault
end

t.test("known_moments_are_written_as_rfc_3339", function()
    t.equal(time.format(0), "1970-01-01T00:00:00.000Z")
    t.equal(time.format(951782399.5), "2000-02-28T23:59:59.500Z")
    t.equal(time.format(951782400), "2000-02-29T00:00:00.000Z")
    t.equal(time.format(1795230245.1239), "2026-11-21T03:04:05.123Z")
    t.equal(time.format(1795230245, 480), "2026-11-21T11:04:05.000+08:00")
    t.equal(time.format(1795230245, -210), "2026-11-20T23:34:05.000-03:30")
    t.equal(time.format(1795230245, 0), "2026-11-21T03:04:05.000+00:00")
end)

t.test("every_day_of_two_centuries_agrees_with_the_c_library", function()
    for day = -25000, 48000, 13 do
        local seconds = day * 86400 + 3661
        t.equal(time.format(seconds), os.date("!%Y-%m-%dT%H:%M:%S.000Z", seconds))
    end
end)

t.test("every_day_of_this_century_is_read_as_it_was_written", function()
    for seconds = 946684800, 4102444799, 86399 * 3 do
        for _, offset in ipairs { 0, 480, -210, 840, -840 } do
            local fields = time.fields(seconds, offset)
            local back = time.seconds(fields, offset)
            if fields.year >= 2000 and fields.year <= 2099 then
                t.equal(back, seconds)
                t.equal(time.parse(time.format(seconds, offset)), seconds + 0.0)
            else
                t.equal(back, nil)
            end
        end
    end
end)

t.test("iso_8601_is_read_with_its_own_offset", function()
    t.equal(said("2026-11-21T03:04:05Z"), 1795230245)
    t.equal(said "2026-11-21T11:04:05+08:00", 1795230245)
    t.equal(said "2026-11-21T11:04:05+0800", 1795230245)
    t.equal(said "2026-11-21T11:04:05+08", 1795230245)
    t.equal(said "2026-11-20T23:34:05-03:30", 1795230245)
    t.equal(said "2026-11-21 03:04:05.25Z", 1795230245.25)
    t.equal(said "2026-11-21T03:04:05,5Z", 1795230245.5)
    t.equal(said "20261121T030405Z", 1795230245)
    t.equal(said("2026-11-21T03:04:05Z", 480), 1795230245)
end)

t.test("a_local_time_needs_the_devices_offset", function()
    t.equal(said("2026-11-21T11:04:05", 480), 1795230245)
    t.equal(said("2026-11-21 11:04:05", 480), 1795230245)
    t.equal(said("20261121T110405", 480), 1795230245)
    t.equal(said "2026-11-21T11:04:05", "expected a time with an offset, such as "
        .. '2026-11-21T03:04:05+08:00, got "2026-11-21T11:04:05"')
    t.equal(pcall(time.parse, "2026-11-21T11:04:05", 4.5), false)
    t.equal(pcall(time.parse, "2026-11-21T11:04:05", 841), false)
end)

t.test("what_no_calendar_and_no_clock_shows_is_refused", function()
    t.equal(said "2026-02-29T00:00:00Z", "day: expected a day of 2026-02, got 29")
    t.equal(said "2026-04-31T00:00:00Z", "day: expected a day of 2026-04, got 31")
    t.equal(said "2028-02-29T00:00:00Z", 1835395200)
    t.equal(said "2000-02-29T00:00:00Z", 951782400)
    t.equal(said "2026-13-01T00:00:00Z", "month: expected 1 to 12, got 13")
    t.equal(said "2026-00-01T00:00:00Z", "month: expected 1 to 12, got 0")
    t.equal(said "2026-11-00T00:00:00Z", "day: expected 1 to 31, got 0")
    t.equal(said "2026-11-21T24:60:00Z", "hour: expected 0 to 23, got 24")
    t.equal(said "2026-11-21T24:00:00Z", "hour: expected 0 to 23, got 24")
    t.equal(said "2026-11-21T23:60:00Z", "min: expected 0 to 59, got 60")
    t.equal(said "2026-11-21T23:59:60Z", "sec: expected 0 to 59, got 60")
    t.equal(said "1999-12-31T23:59:59Z", "year: expected 2000 to 2099, got 1999")
    t.equal(said "2100-01-01T00:00:00Z", "year: expected 2000 to 2099, got 2100")
end)

t.test("what_is_no_time_at_all_is_refused", function()
    for _, text in ipairs { "", "2026-11-21", "2026-11-21T03:04Z", "2026-11-21T03:04:05 Z",
        "2026-11-21T03:04:05.Z", "2026-11-21T03:04:05+8:00", "2026-11-21T03:04:05+08:60",
        "2026-11-21T03:04:05+15:00", "2026-11-21T03:04:05+08:",
        "2026-1-21T03:04:05Z", "20261121030405",
        "2026-11-21T03:04:05Z\n", "2026-11-21T03:04:05.123456789012345678901234567Z" } do
        t.holds(said(text):find("^expected a time such as 2026%-11%-21T03:04:05Z, got "), text)
    end
    t.holds(said(nil):find "got nil")
    t.holds(said(20261121):find "got 20261121")
    t.holds(said("x\27[1m"):find('"x?[1m"', 1, true))
end)

t.test("times_of_people_and_careless_devices_are_read_and_no_others", function()
    for _, text in ipairs { "2026-11-21T11:04:05", "2026/11/21 11:04:05", "2026.11.21 11:04:05",
        "2026-11-21  11:04:05", "20261121110405", "20261121T110405", "2026-11-21T11:04:05+08:00",
        "2026/11/21 03:04:05Z" } do
        t.equal({ text, (time.read(text, 480)) }, { text, 1795230245 })
    end
    t.equal(time.read("2026-1-2T3:4:5.5", 480), 1767294245.5)
    t.equal(time.read("2026/1/2 3:4", 480), 1767294240)
    for _, text in ipairs { "", "2026-11-21", "2026-11/21 11:04:05", "21.11.2026 11:04:05",
        "2026-11-21 11:04:5x", "2026-11-21 11:04:", "2026-11-21 11", "2026-02-30 11:04:05",
        "2026112111040", "202611211104055", "2026-111-21 11:04:05", ("2"):rep(41) } do
        local seconds, fault = time.read(text, 480)
        t.equal({ text, seconds }, { text })
        t.holds(fault:find "^expected" or fault:find "day: expected", text)
    end
    t.equal(time.read("2026/11/21 11:04:05"), nil)
    t.equal(time.read(nil, 480), nil)
end)

t.test("an_offset_is_read_as_iso_and_as_terminals_write_zones", function()
    for text, minutes in pairs { Z = 0, ["+08:00"] = 480, ["-0330"] = -210, ["+14"] = 840,
        ["CST-8:00:00"] = 480, ["CST-3:00:00"] = 180, ["EST5"] = -300, ["IST-5:30"] = 330 } do
        t.equal(time.offset(text), minutes)
    end
    for _, text in ipairs { "", "8", "+8", "+15:00", "CST", "CST-25:00:00", "CST-8:60:00",
        "CST-8:00:01", "CST-8DST" } do
        local minutes, fault = time.offset(text)
        t.equal(minutes, nil)
        t.holds(fault:find("expected an offset such as", 1, true), text)
    end
    t.equal(time.offset(nil), nil)
end)

t.test("seconds_are_those_of_this_century", function()
    t.equal(time.unix(1795230245), 1795230245)
    t.equal(time.unix "1795230245", 1795230245)
    t.equal(time.unix "1795230245.5", 1795230245.5)
    t.equal(time.unix(946684800), 946684800)
    t.equal(time.unix(4102444799.9), 4102444799.9)
    for _, value in ipairs { 946684799, 4102444800, 0, -1, 0 / 0, 1 / 0, "", "0x6A", "1e9", " 1",
        "1795230245s", 1795230245000, true } do
        local seconds, fault = time.unix(value)
        t.equal(seconds, nil)
        t.holds(fault:find("expected seconds since 1970", 1, true))
    end
end)

t.test("bcd_times_are_read_and_written_with_the_devices_offset", function()
    local bytes = "\x26\x11\x21\x11\x04\x05"
    t.equal(time.from_bcd(bytes, 1, 480), 1795230245)
    t.equal(time.from_bcd("\x7E" .. bytes, 2, 480), 1795230245)
    t.equal(time.to_bcd(1795230245, 480), bytes)
    t.equal(time.to_bcd(1795230245.9, 480), bytes)
    for _, bad in ipairs { "\0\0\0\0\0\0", "\x26\x02\x30\0\0\0", "\x26\x11\x21\x24\x60\0",
        "\x26\x11\x2A\0\0\0", "\x26\x11" } do
        local seconds, fault = time.from_bcd(bad, 1, 480)
        t.equal(seconds, nil)
        t.holds(fault:find "expected")
    end
    t.equal(time.to_bcd(946684799, 0), nil)
    t.equal(time.to_bcd(946684799, 480), "\x00\x01\x01\x07\x59\x59")
end)

t.test("numbers_that_are_none_are_refused_one_by_one", function()
    local good = { year = 2026, month = 11, day = 21, hour = 3, min = 4, sec = 5.5 }
    t.equal(time.seconds(good), 1795230245.5)
    for _, name in ipairs { "year", "month", "day", "hour", "min", "sec" } do
        for _, bad in ipairs { "1", -1, 3000, 0 / 0 } do
            local fields = {}
            for key, value in pairs(good) do
                fields[key] = value
            end
            fields[name] = bad
            local seconds, fault = time.seconds(fields)
            t.equal(seconds, nil)
            t.holds(fault:find(name .. ": expected", 1, true))
        end
    end
    t.equal(time.seconds {}, nil)
end)

return t.finish()
