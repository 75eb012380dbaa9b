-- answer - what a terminal answers to a request: done or not, and why. Pure.
--
-- Success is status 200 and, where the body says a statusCode, 1. A 200 with another statusCode is
-- a failure. What is not to be had is told from what failed, because it is not asked for again.
local careless = require "careless"
local xml = require "xml"

local answer = {}

local UNSUPPORTED = { notSupport = true, methodNotAllowed = true, invalidOperation = true,
    badUrl = true, urlNotExist = true }
local WORD_MAX = 64

local function integer(value)
    return math.tointeger(tonumber(value) or 0.5)
end

local function word(value)
    return type(value) == "string" and #value <= WORD_MAX and value:find "^[%w _.-]+$" and value
        or nil
end

-- The first element of that name anywhere below.
local function below(element, name)
    for _, child in ipairs(element) do
        if child.name == name then
            return child.text
        end
        local found = below(child, name)
        if found then
            return found
        end
    end
end

-- Names to their texts in a body of JSON or XML, wherever they stand in it.
local function texts(body, names)
    local found = {}
    if body:find "^[%s\xEF\xBB\xBF]*<" then
        local root = xml.decode(careless.trim(body))
        for _, name in ipairs(root and names or {}) do
            found[name] = below(root, name)
        end
        return found
    end
    local object = careless.json(body)
    object = type(object) == "table" and (object.ResponseStatus or object.userCheck or object) or {}
    for _, name in ipairs(type(object) == "table" and names or {}) do
        local value = object[name]
        found[name] = type(value) ~= "table" and type(value) ~= "userdata" and value or nil
    end
    return found
end

-- What a ResponseStatus says: { ok =, code =, text =, sub =, missing = }. A body that is none is
-- judged by the status alone.
function answer.read(status, body)
    local said = texts(body or "", { "statusCode", "statusString", "subStatusCode", "errorMsg" })
    local code = integer(said.statusCode)
    return {
        ok = status >= 200 and status < 300 and (code == nil or code == 1),
        code = code, text = word(said.statusString), sub = word(said.subStatusCode),
        missing = word(said.errorMsg),
    }
end

-- Whether it says that it cannot do that at all.
function answer.is_unsupported(status, said)
    return status == 404 or status == 405 or status == 501
        or not said.ok and UNSUPPORTED[said.sub] == true
end

-- For people: the terminal's own words, which are of a fixed set; never what was sent to it.
function answer.why(status, said)
    return ("the terminal answers %d%s%s"):format(status, said.sub and " " .. said.sub or "",
        said.missing and " (" .. said.missing .. ")" or "")
end

-- Of a 401: whether the account is locked, and for how many seconds still.
function answer.lock(body)
    local said = texts(body or "", { "lockStatus", "unlockTime", "retryLoginTime" })
    local locked = tostring(said.lockStatus):lower():find "^lock" ~= nil
    local seconds = integer(said.unlockTime)
    return locked, locked and seconds and seconds >= 0 and seconds or nil
end

return answer
