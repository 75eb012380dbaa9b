local registers = require "registers"
local t = require "testing"

local WORDS = { 0x1234, 0x5678, 0xFFFF, 0x8000, 0x4148, 0x0000 }

t.test("words_become_wider_numbers_in_both_orders", function()
    t.equal(registers.u16(WORDS, 0), 0x1234)
    t.equal(registers.u16(WORDS, 0, "little"), 0x3412)
    t.equal(registers.u32(WORDS, 0), 0x12345678)
    t.equal(registers.u32(WORDS, 0, "little"), 0x56781234)
    t.equal(registers.u32(WORDS, 0, "little", "little"), 0x78563412)
    t.equal(registers.float(WORDS, 4), 12.5)
end)

t.test("signs_are_kept", function()
    t.equal(registers.i16(WORDS, 2), -1)
    t.equal(registers.i16(WORDS, 3), -32768)
    t.equal(registers.i32(WORDS, 2), -32768)
    t.equal(registers.i16({ 65536 - 73 }, 0), -73)
end)

t.test("a_missing_word_is_unknown", function()
    t.equal(registers.u16(WORDS, 6), nil)
    t.equal(registers.u32(WORDS, 5), nil)
    t.equal(registers.hex(WORDS, 5, 2), nil)
    t.equal(registers.value(WORDS, { at = 99 }), nil)
end)

t.test("numbers_that_are_none_are_unknown", function()
    t.equal(registers.float({ 0x7FC0, 0 }, 0), nil)
    t.equal(registers.float({ 0x7F80, 0 }, 0), nil)
end)

t.test("ids_lose_their_padding_and_texts_their_blanks", function()
    t.equal(registers.bytes({ 0xAB12, 0x3400, 0 }, 0, 3), "AB1234")
    t.equal(registers.bytes({ 0, 0 }, 0, 2), nil)
    t.equal(registers.bytes({ 0xFFFF, 0xFFFF }, 0, 2), nil)
    t.equal(registers.text({ 0x4142, 0x4320, 0 }, 0, 3), "ABC")
    t.equal(registers.text({ 0x4241 }, 0, 1, "little"), "AB")
    t.equal(registers.text({ 0 }, 0, 1), nil)
end)

t.test("a_sentinel_is_unknown_and_never_a_number", function()
    t.equal(registers.value({ 0xFFFF }, { at = 0, unknown = { 0xFFFF } }), nil)
    t.equal(registers.value({ 0x7FFF }, { at = 0, type = "i16", unknown = { 0x7FFF } }), nil)
    t.equal(registers.value({ 0xFFFF }, { at = 0, type = "i16", unknown = { 0xFFFF } }), nil)
    t.equal(registers.value({ 0xFFFF, 0xFFFF },
        { at = 0, type = "u32", unknown = { 0xFFFFFFFF } }), nil)
end)

t.test("a_wide_sentinel_hides_a_flag_and_a_narrow_one_its_bits", function()
    local flag = { at = 0, bit = 0, unknown = { 0xFFFF } }
    t.equal(registers.value({ 0xFFFF }, flag), nil)
    t.equal(registers.value({ 0x0001 }, flag), 1)
    t.equal(registers.value({ 0xFFFE }, flag), 0)
    local battery = { at = 0, bit = 8, bits = 8, unknown = { 0, 255 } }
    t.equal(registers.value({ 0x0003 }, battery), nil)
    t.equal(registers.value({ 0xFF00 }, battery), nil)
    t.equal(registers.value({ 0x6403 }, battery), 100)
end)

t.test("values_scale_and_range_come_after_the_sentinel", function()
    t.equal(registers.value({ 0x000B }, { at = 0, bit = 2, bits = 2, values = { 100, 75, 50 } }),
        50)
    t.equal(registers.value({ 0x000F }, { at = 0, bit = 2, bits = 2, values = { 100, 75, 50 } }),
        nil)
    t.equal(registers.value({ 250 }, { at = 0, scale = 0.5 }), 125.0)
    t.equal(registers.value({ 250 }, { at = 0, max = 100 }), nil)
    t.equal(registers.value({ 250 }, { at = 0, min = 251 }), nil)
end)

t.test("coils_read_as_ones_and_zeros", function()
    t.equal(registers.value({ true, false }, { at = 0 }), 1)
    t.equal(registers.value({ true, false }, { at = 1 }), 0)
end)

t.test("a_type_that_there_is_not_is_told_with_those_that_there_are", function()
    local ok, fault = pcall(registers.value, { 0, 0 }, { at = 0, type = "f32" })
    t.equal(ok, false)
    t.holds(fault:find('expected "u16", "i16", "u32", "i32", "float", "bytes" or "text", got "f32"',
        1, true), fault)
end)

t.test("random_words_never_raise", function()
    math.randomseed(6)
    local types = { "u16", "i16", "u32", "i32", "float", "bytes", "text" }
    for _ = 1, 20000 do
        local words = {}
        for i = 1, math.random(0, 4) do
            words[i] = math.random(0, 0xFFFF)
        end
        registers.value(words, { at = math.random(0, 4), type = types[math.random(#types)],
            length = 2, unknown = { 0xFFFF, 0 }, max = 70000 })
    end
end)

return t.finish()
