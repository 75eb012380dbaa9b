-- bandwidth - "512kbit/s" and "2Mbit/s" as bits a second.
local bandwidth = {}

local BITS = { k = 1000, M = 1000000 }

bandwidth.PATTERN = "%d+[kM]bit/s"

-- "512kbit/s" -> 512000; what is beyond every bound becomes the largest number.
function bandwidth.bits(text)
    local number, unit = text:match("^(%d+)([kM])")
    return math.tointeger(tonumber(number) * BITS[unit]) or math.maxinteger
end

-- 16kbit/s to 1000Mbit/s: with less nothing gets there, more is as good as none.
function bandwidth.fits(text)
    local bits = bandwidth.bits(text)
    return bits >= 16 * BITS.k and bits <= 1000 * BITS.M
end

return bandwidth
