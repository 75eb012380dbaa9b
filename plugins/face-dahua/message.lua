-- message - what a text of a stream or an upload says: a heartbeat, or events. Pure.
--
--   message.read "Code=AccessControl;action=Pulse;index=0;data={...}"
--       --> { { code = "AccessControl", action = "Pulse", index = 0, data = { ... }, raw = text } }
--   message.read "Heartbeat"           --> {}, "heartbeat"
--   message.read "anything else"       --> nil, what was expected
--
-- Three forms: the semicolon text, JSON (one event, a list, or { Events = { ... } }), and pairs
-- ("Events[0].Data.UserID=7"). Names in these may be GBK, or hold control characters and
-- backslashes as they are, which no JSON is: then such a letter becomes "?", and the event is read
-- all the same.
local json = require "json"

local message = {}

local EVENTS_MOST = 64
local DEPTH_MOST = 8

local function escape(letter)
    return not letter:find '["\\/bfnrtu]' and "?" .. letter or nil
end

-- The value, however its letters are encoded. nil and why.
local function decode(text)
    local value, why = json.decode(text)
    if value == nil then
        -- two bytes are a letter of GBK; the second may look like a backslash
        local plain = text:gsub("[\x81-\xFE][\x40-\x7E\x80-\xFE]", "??"):gsub("[\x80-\xFF]", "?")
        plain = plain:gsub("%c", " "):gsub("\\(.)", escape):gsub(",(%s*[%]}])", "%1")
        value, why = json.decode(plain)
    end
    return value, why
end

-- The member of that name, however its letters are written.
local function member(object, name)
    if object[name] ~= nil then
        return object[name]
    end
    for key, value in pairs(object) do
        if type(key) == "string" and key:lower() == name then
            return value
        end
    end
    return nil
end

---- JSON

local function data_of(value)
    if type(value) == "string" then
        value = decode(value)
    end
    return type(value) == "table" and value or nil
end

-- An event of an object. Firmware that has no "Data" has its members beside the code.
local function event_of(object, raw)
    local code = member(object, "code") or member(object, "event")
    if type(code) ~= "string" or not code:find("^[%w_]+$") or #code > 64 then
        return nil
    end
    local action = member(object, "action")
    return { code = code, action = type(action) == "string" and action:sub(1, 32) or nil,
        index = math.tointeger(tonumber(member(object, "index"))),
        data = data_of(member(object, "data")) or object, raw = raw }
end

local function add_objects(list, value, raw, depth)
    if type(value) ~= "table" or depth > 3 then
        return
    end
    local event = event_of(value, raw)
    if event then
        list[#list + 1] = #list < EVENTS_MOST and event or nil
        return
    end
    local events = member(value, "events")
    for _, one in ipairs(type(events) == "table" and events or value) do
        add_objects(list, one, raw, depth + 1)
    end
end

local function read_json(text)
    local value, why = decode(text)
    if value == nil then
        return nil, ("expected JSON: %s"):format(why)
    end
    local list = {}
    add_objects(list, value, text, 1)
    if #list == 0 then
        return nil, "expected an event in the JSON"
    end
    return list
end

---- the semicolon text

local function read_semicolons(text)
    local head, place = text:match("^(Code=[^\n]-)[Dd]ata%s*=%s*()[{%[]")
    head = head or text:match("^[^\r\n]*")
    local code = head:match("^Code=([%w_]+)")
    if not code or #code > 64 then
        return nil, "expected Code=NAME;action=...;index=..."
    end
    local event = { code = code, action = head:match(";%s*[Aa]ction=([%w_]*)"),
        index = math.tointeger(tonumber(head:match(";%s*[Ii]ndex=(%d+)"))), data = {}, raw = text }
    if place then
        local data, why = decode(text:sub(place))
        if type(data) ~= "table" then
            return nil, ("%s: expected data in JSON: %s"):format(code, why)
        end
        event.data = data
    end
    return { event }
end

---- pairs

-- Puts the value where the path says: "Events[0].Data.UserID".
local function put(root, path, value)
    local at, last = root, nil
    for name, rest in path:gmatch("([%w_]+)(%[?%d*%]?)") do
        if last then
            at[last] = type(at[last]) == "table" and at[last] or {}
            at = at[last]
        end
        last = name
        local index = tonumber(rest:match("%d+"))
        if index and index < EVENTS_MOST then
            at[last] = type(at[last]) == "table" and at[last] or {}
            at, last = at[last], index + 1
        end
    end
    if last then
        at[last] = value
    end
end

local function read_pairs(text)
    local root, list = {}, {}
    for path, value in text:gmatch("([%w_%[%]%.]+)=([^\r\n]*)") do
        local _, depth = path:gsub("%.", "")
        if depth <= DEPTH_MOST then
            put(root, path, value)
        end
    end
    for index = 1, EVENTS_MOST do
        local object = type(root.Events) == "table" and root.Events[index]
        list[#list + 1] = type(object) == "table" and event_of(object, text) or nil
    end
    if #list == 0 then
        return nil, "expected Events[0].Code=NAME"
    end
    return list
end

-- The events of a text, and "heartbeat" when it is a sign of life. nil and what was expected.
function message.read(text)
    text = text:gsub("^\xEF\xBB\xBF", ""):gsub("^%s+", ""):gsub("%s+$", "") -- a byte order mark
    if #text == 9 and text:lower() == "heartbeat" then
        return {}, "heartbeat"
    elseif text:find("^Code=") then
        return read_semicolons(text)
    elseif text:find("^[{%[]") then
        return read_json(text)
    elseif text:find("^Events%[") then
        return read_pairs(text)
    end
    return nil, "expected Heartbeat, Code=..., Events[0]... or JSON"
end

return message
