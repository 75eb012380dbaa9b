-- report - what a collection station says of a file it has taken in: JSON with the fields of
-- GA/T 947 part 4 as public stations send them. Pure.
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
    return type(value) == "string" and time.parse(value, offset) or nil
end

-- { file_no =, name =, size =, kind =, sm3 =, original =, collected =, officer =, unit =, device =,
-- station =, important = } with times in seconds UTC; nil and what was expected.
function report.decode(text, offset)
    local told = json.decode(text)
    if type(told) ~= "table" then
        return nil, "expected a JSON object"
    end
    local name = told.FileName
    if type(name) ~= "string" or name == "" or #name > 255 or name:find "[%c/\\]" then
        return nil, "expected a FileName"
    end
    local size = told.Size
    if math.type(size) ~= "integer" or size < 0 then
        return nil, "expected a Size in bytes"
    end
    return { file_no = code(told.FileNo), name = name, size = size, kind = code(told.Kind, 16),
        sm3 = digest(told.Sm3), original = moment(told.OriginalTime, offset),
        collected = moment(told.CollectedAt, offset), officer = code(told.UserNo),
        unit = code(told.DeptCode), device = code(told.RecorderSerial),
        station = code(told.StationId), important = told.Important == true or told.Locked == true }
end

return report
