-- command - what a terminal is asked to do, and what it answers. Pure.
--
--   C:17:DATA UPDATE USERINFO PIN=1001 \t Name=... \t Pri=0         the answer to getrequest
--   ID=17&Return=0&CMD=DATA                    what is posted to devicecmd, or one value a line
--
-- A value is never more than a value: what could begin another field or another command is refused.
local lines = require "lines"
local time = require "time"

local command = {}

local RESULTS_MOST = 256

-- Security PUSH has other tables and names for the same.
local function is_security(dialect)
    return dialect == "security"
end

local function value(text)
    assert(not text:find "[%c]", "expected a value without control characters")
    return text
end

-- Adds the person or changes name and card. `name` is in the terminal's own character set.
function command.put_person(dialect, pin, name, card)
    if is_security(dialect) then
        return ("DATA UPDATE user CardNo=%s\tPin=%s\tPassword=\tGroup=0\tStartTime=0\tEndTime=0"
            .. "\tName=%s\tPrivilege=0"):format(value(card), value(pin), value(name))
    end
    return ("DATA UPDATE USERINFO PIN=%s\tName=%s\tPri=0\tPasswd=\tCard=%s\tGrp=1\tTZ=%s"):format(
        value(pin), value(name), value(card), ("0"):rep(16))
end

-- Removes the person with face and fingers.
function command.remove_person(dialect, pin)
    return (is_security(dialect) and "DATA DELETE user Pin=%s" or "DATA DELETE USERINFO PIN=%s")
        :format(value(pin))
end

-- Asks for everybody whom it knows.
function command.list_persons(dialect)
    return is_security(dialect)
        and "DATA QUERY tablename=user,fielddesc=Pin,filter=*" or "DATA QUERY USERINFO"
end

-- Asks for the records between two moments once more.
function command.resend(dialect, from, until_, offset)
    local function local_text(moment)
        return (time.format(moment, offset):sub(1, 19):gsub("T", " "))
    end
    if is_security(dialect) then
        return ("DATA QUERY tablename=transaction,fielddesc=*,filter=starttime=%s\tendtime=%s")
            :format(local_text(from), local_text(until_))
    end
    return ("DATA QUERY ATTLOG StartTime=%s\tEndTime=%s"):format(local_text(from),
        local_text(until_))
end

-- A moment as the maker counts: each month has 31 days.
function command.encode(seconds, offset)
    local at = time.fields(seconds, offset)
    return ((at.year - 2000) * 372 + (at.month - 1) * 31 + at.day - 1) * 86400
        + at.hour * 3600 + at.min * 60 + at.sec
end

-- Sets the clock; what it shows is local time.
function command.set_time(dialect, seconds, offset)
    return ("SET %s DateTime=%d"):format(is_security(dialect) and "OPTIONS" or "OPTION",
        command.encode(seconds, offset))
end

-- The answer to a terminal that asks for the time: Greenwich, and our offset.
function command.tell_time(seconds, offset)
    return ("DateTime=%d,ServerTZ=%s%02d%02d"):format(command.encode(seconds, 0),
        offset < 0 and "-" or "+", math.abs(offset) // 60, math.abs(offset) % 60)
end

-- The line of one command.
function command.line(id, text)
    return ("C:%s:%s"):format(id, text)
end

-- What command.line() has written, read again: { { id, text }, ... }.
function command.read(body)
    local list = {}
    for line in lines.each(body) do
        local id, text = line:match "^C:([%w_-]+):(.+)$"
        if id then
            list[#list + 1] = { id, text }
        end
    end
    return list
end

local function return_code(text)
    return #text <= 10 and text:find "^%-?%d+$" and math.tointeger(tonumber(text)) or nil
end

-- { { id =, code = whole number, cmd = }, ... } of what is posted to devicecmd.
function command.results(body)
    local list, one = {}, nil
    for line in lines.each(body) do
        for piece in line:gmatch "[^&]+" do
            local name, text = piece:match "^%s*(%a+)%s*=(.*)$"
            name = name and name:lower()
            if name == "id" and #list < RESULTS_MOST then
                one = { id = lines.trim(text):sub(1, 32) }
                list[#list + 1] = one
            elseif one and name == "return" and not one.code then
                one.code = return_code(lines.trim(text))
            elseif one and name == "cmd" and not one.cmd then
                one.cmd = lines.trim(text):sub(1, 64)
            end
        end
    end
    return list
end

return command
