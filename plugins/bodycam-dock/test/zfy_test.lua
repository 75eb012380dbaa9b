local gbk = require "gbk"
local t = require "testing"
local zfy = require "zfy"

local function field(text, size)
    return text .. ("\0"):rep(size - #text)
end

local function struct(serial, user, name, unit, unit_name)
    return field(serial, 8) .. field(user, 7) .. field(gbk.encode(name), 33) .. field(unit, 13)
        .. field(gbk.encode(unit_name), 33)
end

t.test("the_structure_tells_whose_it_is", function()
    t.equal(zfy.struct(struct("T1A0001", "012345", "测试民警", "330106000000", "某区司法局")),
        { device = "T1A0001", officer = "012345", officer_name = "测试民警",
            unit = "330106000000", unit_name = "某区司法局" })
end)

t.test("a_field_that_is_full_has_no_nul_and_one_that_is_empty_is_absent", function()
    t.equal(zfy.struct(struct("T1A00012", "0123456", "", "3301060000001", "")),
        { device = "T1A00012", officer = "0123456", unit = "3301060000001" })
    t.equal(zfy.struct(("\0"):rep(94)), {})
    t.equal(zfy.struct(("\255"):rep(94)), {})
end)

t.test("what_lies_behind_the_first_nul_is_nothing", function()
    local bytes = "T1\0XXXX\0" .. struct("", "012345", "a", "1", "b"):sub(9)
    t.equal(zfy.struct(bytes).device, "T1")
end)

t.test("another_size_is_refused", function()
    for _, bytes in ipairs { "", ("\0"):rep(93), ("\0"):rep(95) } do
        t.equal({ zfy.struct(bytes) }, { nil, ("expected 94 bytes of ZFY_INFO, got %d"):format(
            #bytes) })
    end
end)

t.test("sn_txt_is_a_number_or_an_ini", function()
    for _, text in ipairs { "012345", "012345\r\n", " 012345 \n", "\xEF\xBB\xBF012345\r\nx" } do
        t.equal(zfy.sn(text), { officer = "012345" })
    end
    t.equal(zfy.sn "SN=T1A0001\r\nUserNo=012345", { device = "T1A0001", officer = "012345" })
    for _, text in ipairs { "", "two words", "\0\0" } do
        t.equal(zfy.sn(text), nil)
    end
end)

t.test("an_ini_is_read_under_any_section_in_either_charset", function()
    local text = "; a comment\r\n[Recorder]\r\nRecorderSerial = T1A0001\r\nUserNo:012345\r\n"
        .. 'UserName="测试"\r\nDeptCode=330106000000\nBoundAt=2026-04-11 08:00:00\n'
        .. "SM3=" .. ("Ab"):rep(32) .. "\nOther=1\nUserNo=999999"
    local wanted = { device = "T1A0001", officer = "012345", officer_name = "测试",
        unit = "330106000000", bound = 1775865600, sm3 = ("ab"):rep(32) }
    t.equal(zfy.ini(text), wanted)
    t.equal(zfy.ini((gbk.encode(text))), wanted)
end)

t.test("what_is_no_code_is_absent_and_a_file_has_a_bound", function()
    t.equal(zfy.ini "UserNo=01 23\nDeptCode=x;y\nSN=1", { device = "1" })
    t.equal(zfy.ini "nothing", nil)
    t.equal(zfy.ini(("x"):rep(zfy.FILE_MOST + 1)), nil)
end)

return t.finish()
