local bits = require "bits"
local t = require "testing"

t.test("bits_count_from_the_lowest", function()
    t.equal(bits.is_set(0x8000, 15), true)
    t.equal(bits.is_set(0x8000, 14), false)
    t.equal(bits.field(0xABCD, 4, 8), 0xBC)
    t.equal(bits.field(0xFFFFFFFF, 31, 1), 1)
end)

t.test("a_flag_without_a_name_is_told_by_its_number", function()
    t.equal(bits.names(0x89, { [0] = "sos", [3] = "off" }), { "sos", "off", "bit 7" })
    t.equal(bits.names(0, { [0] = "sos" }), {})
    t.equal(bits.names(0x100, {}, 8), {})
end)

t.test("edges_are_what_changed", function()
    local set, cleared = bits.edges(0x5, 0x6)
    t.equal(set, { 1 })
    t.equal(cleared, { 0 })
    set, cleared = bits.edges(7, 7)
    t.equal(set, {})
    t.equal(cleared, {})
end)

return t.finish()
