-- operlog - one line of table OPERLOG: what was done at the terminal, or whom it knows. Pure.
--
--   OPLOG 70 \t operator \t 2026-09-14 19:05:35 \t object 1 \t ...      as real terminals write
--   OPLOG \t 9 \t operator \t object \t 2026-06-19 12:00:00              as some documents have it
--   USER PIN=1 \t Name=... \t Pri=0 \t ...          FP, FACE, BIODATA, USERPIC ...: never looked at
--
-- The columns differ, so what stands where is told by where the time stands. Some firmware has
-- blanks for the tabs.
local attlog = require "attlog"
local codes = require "codes"
local lines = require "lines"
local time = require "time"

local operlog = {}

-- What a line begins with, and what it is: templates and pictures are not kept, whatever they hold.
local KINDS = {
    oplog = "operation", user = "user", fp = "template", face = "template", fvein = "template",
    biodata = "template", templatev10 = "template", facev7 = "template", ssrface7 = "template",
    fingertmp = "template", userpic = "picture", biophoto = "picture", attphoto = "picture",
    userphoto = "picture", idcard = "card", identitycard = "card",
}

-- "operation", "user", "template", "picture", "card" or "unknown", and what follows the word.
function operlog.kind(line)
    local word, rest = line:match "^%s*(%a[%w_]*)[ \t]+(.*)$"
    return word and KINDS[word:lower()] or "unknown", rest
end

local function time_at(fields)
    for i = 2, #fields do
        if fields[i]:find "^%d%d%d%d%-%d%d?%-%d%d?[ T]" then
            return i
        end
    end
end

local function fields_of(rest)
    if not rest:find("\t", 1, true) then
        rest = rest:gsub(" +", "\t"):gsub("(%d%d%d%d%-%d%d?%-%d%d?)\t(%d%d?:)", "%1 %2")
    end
    return lines.fields(rest)
end

-- { code =, operator =, target =, time =, told =, day =, objects = {} } of what follows OPLOG, or
-- nil and "malformed" or "bad_time".
function operlog.operation(rest, offset)
    local fields = fields_of(rest)
    local code = lines.whole(fields[1])
    if not code or #fields < 2 then
        return nil, "malformed"
    end
    local at = time_at(fields)
    local seconds = at and time.parse(fields[at], offset)
    if not seconds then
        return nil, "bad_time"
    end
    local objects = {}
    for i = 3, #fields do
        if i ~= at then
            objects[#objects + 1] = fields[i]
        end
    end
    return { code = code, operator = at > 2 and fields[2] or "", target = objects[1] or "",
        time = seconds, told = fields[at], day = attlog.day(fields[at]), objects = objects }
end

-- Whom the terminal knows: all of USER's values, names in small letters. Only the number is ever
-- used, and only while somebody asks for it.
function operlog.user(rest)
    local values = lines.values(rest, "\t")
    values.pin = values.pin and values.pin:match "^%S+" -- what follows a blank is another value
    return values.pin and values or nil
end

function operlog.key(operation)
    return ("%d\n%s\n%s\n%s"):format(operation.code, operation.told, operation.operator,
        table.concat(operation.objects, "\n"))
end

local function alarm_of(operation)
    for _, object in ipairs(operation.objects) do
        local number = lines.whole(object)
        if codes.ALARMS[number] then
            return codes.ALARMS[number], number
        end
    end
end

-- The record for checkin. Of the objects, which may be numbers of persons, nothing goes out but the
-- reason of an alarm.
function operlog.record(operation)
    local meaning, alarm = codes.OPERATIONS[operation.code], nil
    if operation.code == codes.ALARM then
        meaning, alarm = alarm_of(operation)
    end
    meaning = meaning or { what = "other" }
    local person = meaning.person and operation.target or ""
    return { what = meaning.what, reason = meaning.reason, state = meaning.state,
        person = person ~= "" and person ~= "0" and person or nil, time = operation.time,
        told = operation.told, codes = { operation = operation.code, alarm = alarm } }
end

return operlog
