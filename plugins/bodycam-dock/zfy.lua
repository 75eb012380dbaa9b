-- zfy - who a recorder says that it belongs to: ZFY_INFO, sn.txt and ini files. Pure.
--
-- ZFY_INFO is 94 bytes, each field in GBK and filled up with NUL (GA/T 947, SDKs of the makers):
-- cSerial[8] userNo[7] userName[33] unitNo[13] unitName[33]. An ini or sn.txt lies at the root
-- of the recorder's disk. The answer is { device =, officer =, officer_name =, unit =, unit_name
-- = }; what is empty or of the wrong letters is absent. Names of persons are for who may see
-- them, not for events.
local gbk = require "gbk"
local time = require "time"

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

-- Without white space at both ends. Not "^%s*(.-)%s*$": that takes the square of the blanks.
local function trim(text)
    return text:find "%S" and text:match "^%s*(.*%S)" or ""
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

-- The structure; nil and what was expected when there are not 94 bytes.
function zfy.struct(bytes)
    if #bytes ~= zfy.SIZE then
        return nil, ("expected %d bytes of ZFY_INFO, got %d"):format(zfy.SIZE, #bytes)
    end
    local found, at = {}, 1
    for _, field in ipairs(FIELDS) do
        local name, size = field[1], field[2]
        local text = bytes:sub(at, at + size - 1):match "^[^%z]*"
        found[name] = clean(name, letters(text))
        at = at + size
    end
    return found
end

-- Without the mark that some editors put in front, and as UTF-8.
local function document(bytes)
    if #bytes > zfy.FILE_MOST then
        return nil, ("expected at most %d bytes, got %d"):format(zfy.FILE_MOST, #bytes)
    end
    return letters((bytes:gsub("^\xEF\xBB\xBF", "")))
end

local KEYS = { recorderserial = "device", serial = "device", sn = "device", deviceid = "device",
    cserial = "device", deviceno = "device", userno = "officer", policeno = "officer",
    police = "officer", username = "officer_name", deptcode = "unit", unitno = "unit",
    deptname = "unit_name", unitname = "unit_name", boundat = "bound", sm3 = "sm3" }

local function put(found, name, value, offset)
    local key = KEYS[(name:lower():gsub("[%s_-]", ""))]
    if not key or found[key] then
        return
    elseif key == "bound" then
        found.bound = time.parse(value, offset)
    elseif key == "sm3" then
        found.sm3 = value:lower():match("^" .. ("%x"):rep(64) .. "$")
    else
        found[key] = clean(key, value)
    end
end

-- NAME=VALUE or NAME: VALUE in lines, under any [section]; comments begin with ; or #.
function zfy.ini(bytes, offset)
    local text, why = document(bytes)
    if not text then
        return nil, why
    end
    local found = {}
    for line in (text .. "\n"):gmatch "([^\r\n]*)[\r\n]" do
        local name, value = line:sub(1, LINE_MOST):match "^%s*([%a][%w_ -]*)[=:](.*)$"
        if name then
            value = trim(value)
            put(found, name, value:match '^"(.*)"$' or value, offset or 480)
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
