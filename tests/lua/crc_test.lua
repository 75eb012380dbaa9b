local crc = require "crc"
local t = require "testing"

-- The "check" column of the catalogue.
t.test("each_crc_has_the_check_value_of_the_catalogue", function()
    local checks = { modbus = 0x4B37, ibm_3740 = 0x29B1, xmodem = 0x31C3, kermit = 0x2189,
        ibm_sdlc = 0x906E, smbus = 0xF4, iso_hdlc = 0xCBF43926 }
    for name, check in pairs(checks) do
        t.equal({ name, crc[name]("123456789") }, { name, check })
    end
end)

t.test("a_frame_with_its_own_crc_behind_it_gives_zero", function()
    local frame = "\x01\x03\x00\x00\x00\x0A"
    t.equal(crc.modbus(frame .. string.pack("<I2", crc.modbus(frame))), 0)
    t.equal(crc.modbus(frame), 0xCDC5)
end)

t.test("nothing_gives_the_start", function()
    t.equal(crc.modbus(""), 0xFFFF)
    t.equal(crc.iso_hdlc(""), 0)
    t.equal(crc.bcc(""), 0)
end)

t.test("sums_are_cut_to_their_width", function()
    t.equal(crc.bcc("\x12\x34\x56"), 0x70)
    t.equal(crc.sum("\xFF\x02"), 1)
    t.equal(crc.sum("\xFF\x02", 16), 0x101)
    t.equal(crc.lrc("\x01\x03\x00\x00\x00\x0A"), 0xF2)
    t.equal(crc.sum("\x01\x03" .. string.char(crc.lrc("\x01\x03"))), 0)
end)

return t.finish()
