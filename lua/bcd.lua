-- bcd - decimal digits, two a byte, the first in the high half: telephone numbers, serials, times.
local bcd = {}

-- `count` bytes of `bytes` from `at` (from 1) as text with all its zeros: they are part of a number
-- that names something. nil when bytes are missing or a half is no digit; with `filler` (0 to 15,
-- as 0xF) that half may fill up the end.
function bcd.read(bytes, at, count, filler)
    if at < 1 or count < 0 or at + count - 1 > #bytes then
        return nil
    end
    local digits = {}
    for i = at, at + count - 1 do
        local byte = bytes:byte(i)
        digits[#digits + 1] = byte >> 4
        digits[#digits + 1] = byte & 0xF
    end
    while filler and digits[#digits] == filler do
        digits[#digits] = nil
    end
    for _, digit in ipairs(digits) do
        if digit > 9 then
            return nil
        end
    end
    return table.concat(digits)
end

-- Digits as `count` bytes, zeros before them. nil when it is no text of digits or does not fit.
function bcd.write(digits, count)
    if not digits:find("^%d*$") or #digits > 2 * count then
        return nil
    end
    local all = ("0"):rep(2 * count - #digits) .. digits
    return (all:gsub("(%d)(%d)", function(high, low)
        return string.char(tonumber(high) << 4 | tonumber(low))
    end))
end

-- YYMMDDhhmmss in six bytes as its six numbers, the year as 2000 to 2099. nil when a digit or a
-- number is none; whether there is such a day is for who knows its clock.
function bcd.time(bytes, at)
    local digits = bcd.read(bytes, at, 6)
    if not digits then
        return nil
    end
    local numbers = {}
    for pair in digits:gmatch("%d%d") do
        numbers[#numbers + 1] = tonumber(pair)
    end
    local year, month, day, hour, minute, second = table.unpack(numbers)
    if month < 1 or month > 12 or day < 1 or day > 31 or hour > 23 or minute > 59
        or second > 59 then
        return nil
    end
    return { year = 2000 + year, month = month, day = day, hour = hour, min = minute, sec = second }
end

return bcd
