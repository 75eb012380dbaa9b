-- crc - checksums that devices use. A CRC has the name and the parameters of the catalogue of
-- parametrised CRC algorithms (reveng.sourceforge.io/crc-catalogue), whose "check" column is
-- crc.NAME("123456789").
local crc = {}

local function reflect(value, width)
    local turned = 0
    for _ = 1, width do
        turned = turned << 1 | value & 1
        value = value >> 1
    end
    return turned
end

-- Tables of 256 steps: the lowest bit first when `reflected`, else the highest.
local function steps_of(width, poly, reflected)
    local steps, top, mask = {}, 1 << width - 1, (1 << width) - 1
    local turned = reflect(poly, width)
    for byte = 0, 255 do
        local value = reflected and byte or byte << width - 8
        for _ = 1, 8 do
            if reflected then
                value = value & 1 == 1 and value >> 1 ~ turned or value >> 1
            else
                value = value & top ~= 0 and (value << 1 ~ poly) & mask or value << 1 & mask
            end
        end
        steps[byte] = value
    end
    return steps
end

-- A function of bytes. `width` is 8 to 32 bits; `reflected` stands for the catalogue's refin and
-- refout, which are the same in all that devices use.
function crc.new(options)
    local width, first, last = options.width, options.init, options.xorout or 0
    local reflected, mask = options.reflected, (1 << options.width) - 1
    local steps = steps_of(width, options.poly, reflected)
    return function(bytes)
        local value = first
        for i = 1, #bytes do
            local byte = bytes:byte(i)
            if reflected then
                value = value >> 8 ~ steps[(value ~ byte) & 0xFF]
            else
                value = (value << 8 & mask) ~ steps[(value >> width - 8 ~ byte) & 0xFF]
            end
        end
        return value ~ last
    end
end

-- CRC-16/MODBUS. On the wire its low byte comes first.
crc.modbus = crc.new { width = 16, poly = 0x8005, init = 0xFFFF, reflected = true }
-- CRC-16/IBM-3740, often called CCITT-FALSE.
crc.ibm_3740 = crc.new { width = 16, poly = 0x1021, init = 0xFFFF }
-- CRC-16/XMODEM.
crc.xmodem = crc.new { width = 16, poly = 0x1021, init = 0 }
-- CRC-16/KERMIT, the true CCITT.
crc.kermit = crc.new { width = 16, poly = 0x1021, init = 0, reflected = true }
-- CRC-16/IBM-SDLC, also X-25.
crc.ibm_sdlc = crc.new { width = 16, poly = 0x1021, init = 0xFFFF, reflected = true,
    xorout = 0xFFFF }
-- CRC-8/SMBUS.
crc.smbus = crc.new { width = 8, poly = 0x07, init = 0 }
-- CRC-32/ISO-HDLC, the one of zip and Ethernet.
crc.iso_hdlc = crc.new { width = 32, poly = 0x04C11DB7, init = 0xFFFFFFFF, reflected = true,
    xorout = 0xFFFFFFFF }

-- All bytes in exclusive or: the block check character (BCC) of JT/T 808 and many others.
function crc.bcc(bytes)
    local value = 0
    for i = 1, #bytes do
        value = value ~ bytes:byte(i)
    end
    return value
end

-- All bytes added, in `width` bits (8 if left out).
function crc.sum(bytes, width)
    local value = 0
    for i = 1, #bytes do
        value = value + bytes:byte(i)
    end
    return value & (1 << (width or 8)) - 1
end

-- The longitudinal redundancy check of Modbus ASCII: what makes the sum zero.
function crc.lrc(bytes)
    return -crc.sum(bytes) & 0xFF
end

return crc
