-- report - what a collection station says of a file it has taken in: JSON with the fields of
-- GA/T 947 part 4 as public stations send them. Pure.
local gbk = require "gbk"
local json = require "json"
local time = require "time"

local report = {}

local CODE = "^[%w_.-]+$"

local function code(value, most)
    return type(value) == "string" and #value <= (most or 64) and value:find(CODE) and value or nil
end

local function digest(value)
    return type(value) == "string" and value:lower():match("^" .. ("%x"):rep(64) .. "$") or nil
end

local function moment(value, offset)
    return type(value) == "string" and time.read(value, offset) or nil
end

-- A size, as a number or as digits.
local function bytes_of(value)
    local size = type(value) == "string" and #value <= 15 and value:find "^%d+$"
        and tonumber(value) or value
    return math.type(size) == "integer" and size >= 0 and size or nil
end

local YES = { [true] = true, [1] = true, ["1"] = true, ["true"] = true }

-- Its fields by their names in small letters: stations differ in capitals and in "_".
local function read_fields(text)
    local told = json.decode((text:gsub("^\xEF\xBB\xBF", "")))
    if type(told) ~= "table" then
        return nil
    end
    local fields, said = {}, {}
    for name, value in pairs(told) do
        name = tostring(name)
        local field = name:lower():gsub("_", "")
        if not said[field] or name < said[field] then -- of two the one in capitals
            fields[field], said[field] = value, name
        end
    end
    return fields
end

-- { file_no =, name =, size =, kind =, sm3 =, original =, collected =, officer =, unit =, device =,
-- station =, important = } with times in seconds UTC; nil and what was expected.
function report.decode(text, offset)
    local told = read_fields(utf8.len(text) and text or (gbk.decode(text) or ""))
    if not told then
        return nil, "expected a JSON object"
    end
    local name = told.filename
    if type(name) ~= "string" or name == "" or #name > 255 or name:find "[%c/\\]" then
        return nil, "expected a FileName"
    end
    local size = bytes_of(told.size or told.filesize)
    if not size then
        return nil, "expected a Size in bytes"
    end
    return { file_no = code(told.fileno), name = name, size = size, kind = code(told.kind, 16),
        sm3 = digest(told.sm3), original = moment(told.originaltime, offset),
        collected = moment(told.collectedat, offset), officer = code(told.userno),
        unit = code(told.deptcode), device = code(told.recorderserial),
        station = code(told.stationid),
        important = (YES[told.important] or YES[told.locked]) == true }
end

return report
