-- registers - what 16-bit Modbus words mean: wider numbers, signs, bits, sentinels, scaling.
--
-- `words` is a list as host.modbus returns it (booleans for coils); `at` counts from 0, as a
-- device's manual does. Word order "big" means the high word comes first, byte order "big" that
-- the high byte of each word does; nil is "big". Every reader answers nil when a word is missing.
local registers = {}

function registers.u16(words, at, bytes)
    local word = words[at + 1]
    if type(word) == "boolean" then
        return word and 1 or 0
    end
    if word and bytes == "little" then
        return (word & 0xFF) << 8 | word >> 8
    end
    return word
end

function registers.i16(words, at, bytes)
    local word = registers.u16(words, at, bytes)
    return word and (word ~ 0x8000) - 0x8000
end

function registers.u32(words, at, order, bytes)
    local first, second = registers.u16(words, at, bytes), registers.u16(words, at + 1, bytes)
    if not first or not second then
        return nil
    end
    if order == "little" then
        first, second = second, first
    end
    return first << 16 | second
end

function registers.i32(words, at, order, bytes)
    local value = registers.u32(words, at, order, bytes)
    return value and (value ~ 0x80000000) - 0x80000000
end

-- IEEE 754 single; nil too for what is no number (NaN, infinite).
function registers.float(words, at, order, bytes)
    local value = registers.u32(words, at, order, bytes)
    local number = value and string.unpack("<f", string.pack("<I4", value))
    if not number or number ~= number or math.abs(number) == math.huge then
        return nil
    end
    return number
end

-- `count` words as upper-case hex digits, four a word.
function registers.hex(words, at, count, bytes)
    local digits = {}
    for i = 0, count - 1 do
        local word = registers.u16(words, at + i, bytes)
        if not word then
            return nil
        end
        digits[#digits + 1] = ("%04X"):format(word)
    end
    return table.concat(digits)
end

-- Words as hex without the zero bytes at the end; nil for nothing but zeros or nothing but ones.
function registers.bytes(words, at, count, bytes)
    local digits = registers.hex(words, at, count, bytes)
    if not digits or not digits:find("[^F]") then
        return nil
    end
    local last = #digits
    while last > 0 and digits:sub(last - 1, last) == "00" do
        last = last - 2
    end
    return last > 0 and digits:sub(1, last) or nil
end

-- Two letters a word, up to the first zero byte or trailing blanks; nil for none.
function registers.text(words, at, count, bytes)
    local digits = registers.hex(words, at, count, bytes)
    local letters = digits and digits:gsub("%x%x", function(pair)
        return string.char(tonumber(pair, 16))
    end)
    letters = letters and letters:match("^%Z*"):match("^(.-)%s*$")
    return letters ~= "" and letters or nil
end

-- `width` bits from bit `first` (0 is the lowest).
function registers.bits(value, first, width)
    return value >> first & (1 << width) - 1
end

local READERS = {
    u16 = function(words, field) return registers.u16(words, field.at, field.bytes) end,
    i16 = function(words, field) return registers.i16(words, field.at, field.bytes) end,
    u32 = function(words, field)
        return registers.u32(words, field.at, field.order, field.bytes)
    end,
    i32 = function(words, field)
        return registers.i32(words, field.at, field.order, field.bytes)
    end,
    float = function(words, field)
        return registers.float(words, field.at, field.order, field.bytes)
    end,
    bytes = function(words, field)
        return registers.bytes(words, field.at, field.length, field.bytes)
    end,
    text = function(words, field)
        return registers.text(words, field.at, field.length, field.bytes)
    end,
}

-- A sentinel is written as the register shows it, so FFFF also meets the -1 of an i16.
local function is_sentinel(value, sentinel)
    if math.type(value) == "integer" and value < 0 then
        return value & 0xFFFF == sentinel or value & 0xFFFFFFFF == sentinel
    end
    return value == sentinel
end

local function any_sentinel(field, value, from, below)
    for _, sentinel in ipairs(field.unknown or {}) do
        if sentinel >= from and sentinel < below and is_sentinel(value, sentinel) then
            return true
        end
    end
    return false
end

local function in_range(field, value)
    return value >= (field.min or -math.huge) and value <= (field.max or math.huge)
end

-- The bits of a field, or nil. A sentinel too wide for the bits (FFFF for a flag) means the whole
-- word, any other the bits alone.
local function bits_value(field, word)
    local width = field.bits or 1
    if any_sentinel(field, word, 1 << width, math.huge) then
        return nil
    end
    local value = registers.bits(word, field.bit, width)
    return not any_sentinel(field, value, 0, 1 << width) and value or nil
end

-- The value of a field { at, type, order, bytes, length, bit, bits, values, unknown, scale, min,
-- max }, or nil for unknown: a missing word, a sentinel, no entry in `values`, out of range.
function registers.value(words, field)
    local read = READERS[field.type or "u16"]
    if not read then
        error(('registers.value: type: expected "u16", "i16", "u32", "i32", "float", "bytes" or '
            .. '"text", got "%s"'):format(tostring(field.type)), 2)
    end
    local value = read(words, field)
    if value == nil or type(value) == "string" then
        return value
    end
    if field.bit then
        value = bits_value(field, value)
    elseif any_sentinel(field, value, -math.huge, math.huge) then
        value = nil
    end
    if value and field.values then
        value = field.values[value + 1]
    end
    value = value and field.scale and value * field.scale or value
    return value and in_range(field, value) and value or nil
end

return registers
