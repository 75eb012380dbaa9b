-- bits - flags and small numbers inside a word. Bit 0 is the lowest, as in manuals.
local bits = {}

function bits.is_set(word, bit)
    return word >> bit & 1 == 1
end

-- The number in `width` bits from bit `from` upwards.
function bits.field(word, from, width)
    return word >> from & (1 << width) - 1
end

-- What the set bits mean, from the lowest: bits.names(0x9, { [0] = "sos", [3] = "off" }) is
-- { "sos", "off" }. A set bit without a name becomes "bit N": nobody's flag is lost. `width` is 32
-- if left out.
function bits.names(word, names, width)
    local found = {}
    for bit = 0, (width or 32) - 1 do
        if bits.is_set(word, bit) then
            found[#found + 1] = names[bit] or "bit " .. bit
        end
    end
    return found
end

-- Which bits changed: two lists of bit numbers, those that were set and those that were cleared.
function bits.edges(before, after, width)
    local set, cleared = {}, {}
    for bit = 0, (width or 32) - 1 do
        local was, is = bits.is_set(before, bit), bits.is_set(after, bit)
        if is and not was then
            set[#set + 1] = bit
        elseif was and not is then
            cleared[#cleared + 1] = bit
        end
    end
    return set, cleared
end

return bits
