-- zfy - who a recorder says that it belongs to: ZFY_INFO, sn.txt and ini files. Pure.
--
-- ZFY_INFO is 94 bytes, each field in GBK and filled up with NUL (GA/T 947, SDKs of the makers):
-- cSerial[8] userNo[7] userName[33] unitNo[13] unitName[33]. An ini or sn.txt lies at the root
-- of the recorder's disk. The answer is { device =, officer =, officer_name =, unit =, unit_name
-- = }; what is empty or of the wrong letters is absent. Names of persons are for who may see
-- them, not for events.
local gbk = require "gbk"
local time = require "time"
local trim = require "trim"

local zfy = {}

local FIELDS = { { "device", 8 }, { "officer", 7 }, { "officer_name", 33 }, { "unit", 13 },
    { "unit_name", 33 } }
zfy.SIZE = 94
zfy.FILE_MOST = 64 * 1024
local LINE_MOST = 512

local CODES = { device = true, officer = true, unit = true } -- letters and digits alone

local function letters(bytes)
    return utf8.len(bytes) and bytes or (gbk.decode(bytes))
end

local function clean(name, text)
    local value = trim(text)
    if value == "" or value:find "%c" or #value > 128 then
        return nil
    end
    if CODES[name] then
        return #value <= 32 and value:find "^[%w-]+$" and value or nil
    end
    return value
end

-- The letters of a field; one that is full may end within a letter.
local function field_letters(bytes, size)
    for cut = 0, #bytes == size and 3 or 0 do
        local whole = bytes:sub(1, #bytes - cut)
        if utf8.len(whole) and (cut == 0 or whole:find "[\xE0-\xEF]") then
            return whole
        end
    end
    local text = gbk.decode(bytes)
    return #bytes == size and text:gsub("\u{FFFD}$", "") or text
end

-- Nothing but bytes that belong to no letter: memory that was never written.
local function is_blank(text)
    return text:gsub("\u{FFFD}", "") == ""
end

-- The structure; nil and what was expected when there are not 94 bytes.
function zfy.struct(bytes)
    if #bytes ~= zfy.SIZE then
        return nil, ("expected %d bytes of ZFY_INFO, got %d"):format(zfy.SIZE, #bytes)
    end
    local found, at = {}, 1
    for _, field in ipairs(FIELDS) do
        local name, size = field[1], field[2]
        local text = bytes:sub(at, at + size - 1):match "^[^%z]*"
        text = field_letters(text, size)
        found[name] = not is_blank(text) and clean(name, text) or nil
        at = at + size
    end
    return found
end

-- Notepad of Windows writes two bytes a letter where it is told "Unicode".
local function of_utf16(bytes, format)
    local out = {}
    for at = 1, #bytes - 1, 2 do
        local code = string.unpack(format, bytes, at)
        out[#out + 1] = code >= 0xD800 and code <= 0xDFFF and "?" or utf8.char(code)
    end
    return table.concat(out)
end

-- Without the mark that some editors put in front, and as UTF-8.
local function document(bytes)
    if #bytes > zfy.FILE_MOST then
        return nil, ("expected at most %d bytes, got %d"):format(zfy.FILE_MOST, #bytes)
    end
    local mark = bytes:sub(1, 2)
    if mark == "\xFF\xFE" or mark == "\xFE\xFF" then
        return of_utf16(bytes:sub(3), mark == "\xFF\xFE" and "<I2" or ">I2")
    elseif bytes:find "^[^%z]%z[^%z]%z" or bytes:find "^%z[^%z]%z[^%z]" then -- without its mark
        return of_utf16(bytes, bytes:byte(1) > 0 and "<I2" or ">I2")
    end
    local text = bytes:gsub("^\xEF\xBB\xBF", "")
    return letters((text:gsub("[%z\26]+$", ""))) -- what is behind the end
end

-- Names as recorders and docks write them, in small letters and without what stands between words.
local KEYS = { bound = "boundat bindtime bindat 绑定时间", sm3 = "sm3",
    device = "recorderserial recorderid recorderno serial serialno serialnumber sn csn cserial "
        .. "deviceid deviceno devicesn devicecode devid devno devsn dsjid bodycamid cameraid "
        .. "camerano cameracode terminalid 设备编号 设备编码 设备号 设备序列号 产品序号 产品编号 序列号 "
        .. "执法仪编号 执法记录仪编号 记录仪编号",
    officer = "userno userid usercode police policeno policeid policenum policenumber policecode "
        .. "jybh jh officer officerno officerid employeeno employeeid staffno staffid "
        .. "警号 警员编号 警员号 民警编号 民警警号 使用人编号 使用者编号 人员编号 工号",
    officer_name = "username policename officername jyxm 姓名 警员姓名 民警姓名 使用人",
    unit = "deptcode deptno deptid departmentcode departmentid unitno unitid unitcode orgcode "
        .. "orgid orgno dwbh 单位编号 单位代码 单位编码 部门编号 部门代码 部门编码 机构代码 机构编号",
    unit_name = "deptname unitname orgname dwmc 单位名称 单位 部门名称 部门" }

local KEY_OF = {}
for key, words in pairs(KEYS) do
    for word in words:gmatch "%S+" do
        KEY_OF[word] = key
    end
end

local function value_of(text)
    local value = trim((text:gsub("%s[;#].*$", "")))
    return value:match '^"(.*)"$' or value:match "^'(.*)'$" or value
end

local function put(found, name, value, offset)
    local key = KEY_OF[(name:lower():gsub("[%s_.-]", ""))]
    if not key or found[key] then
        return
    elseif key == "bound" then
        found.bound = time.read(value, offset)
    elseif key == "sm3" then
        found.sm3 = value:lower():match("^" .. ("%x"):rep(64) .. "$")
    else
        found[key] = clean(key, value)
    end
end

-- NAME=VALUE or NAME: VALUE in lines, under any [section]; comments begin with ; or #, also those
-- behind a value.
function zfy.ini(bytes, offset)
    local text, why = document(bytes)
    if not text then
        return nil, why
    end
    local found = {}
    for line in (text .. "\n"):gmatch "([^\r\n]*)[\r\n]" do
        local name, value = line:sub(1, LINE_MOST):gsub("^([^=:]-)：", "%1:"):match
            "^%s*([%a\x80-\xFF][%w_.%s\x80-\xFF-]*)[=:](.*)$"
        if name then
            put(found, name, value_of(value), offset or 480)
        end
    end
    if next(found) == nil then
        return nil, "expected lines such as RecorderSerial=T1A0001"
    end
    return found
end

-- sn.txt: the officer's number alone in its first line, or lines as in an ini.
function zfy.sn(bytes, offset)
    local text, why = document(bytes)
    if not text then
        return nil, why
    end
    local officer = clean("officer", trim(text:sub(1, LINE_MOST)):match "^[^\r\n]*")
    if officer then
        return { officer = officer }
    end
    return zfy.ini(bytes, offset)
end

return zfy
