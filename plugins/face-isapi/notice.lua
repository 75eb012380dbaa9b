-- notice - what a terminal says of its own accord, pushed or in its stream, as one thing. Pure.
--
--   notice.read(body)                     a body or part of JSON or XML
--   notice.pushed(body, content_type)     a whole push, which may be multipart, with pictures
--
-- A notice is { kind = "record", fact = }, { kind = "heartbeat" } or { kind = "other" }, and has
-- eventType and dateTime as they were said. Of several at once the first record counts, and `more`
-- are the facts of the others. Foreign bytes never raise: nil and what was expected.
local careless = require "careless"
local fact = require "fact"
local multipart = require "multipart"
local xml = require "xml"

local notice = {}

local DEPTH_MAX = 8
local MESSAGE_MOST = 64 << 10
local RECORD = "AccessControllerEvent"

-- An element as a table of its elements' texts, as JSON would have it.
local function plain(element, depth)
    if #element == 0 or depth == DEPTH_MAX then
        return element.text
    end
    local object = {}
    for _, child in ipairs(element) do
        if object[child.name] == nil then
            object[child.name] = plain(child, depth + 1)
        end
    end
    return object
end

-- The object that a text says, from either language, without the name around it. nil and why.
local function object_of(text)
    local root, why
    if text:find "^[%s\xEF\xBB\xBF]*<" then
        root, why = xml.decode(careless.trim(text))
        root = root and { [root.name] = plain(root, 1) }
    else
        root, why = careless.json(text)
    end
    if type(root) ~= "table" then
        return nil, why or "expected an object"
    end
    local inner = root.EventNotificationAlert
    return type(inner) == "table" and inner or root
end

local function is_heartbeat(object)
    local kind = tostring(object.eventType):lower()
    return kind == "heartbeat" or kind == "videoloss" and object.eventState == "inactive"
end

-- The record in an object, whatever letters its name is written in.
local function record_of(object)
    if object.eventType:lower() ~= RECORD:lower() then
        return nil
    end
    for name, value in pairs(object) do
        if type(name) == "string" and type(value) == "table" and name:lower() == RECORD:lower() then
            return value
        end
    end
end

-- `raw` are its bytes, where they are known.
local function read_one(object, raw)
    if type(object) ~= "table" or type(object.eventType) ~= "string" then
        return nil, "expected an eventType, got none"
    end
    local found = { kind = "other", eventType = object.eventType, dateTime = object.dateTime,
        object = object }
    local record = record_of(object)
    if is_heartbeat(object) then
        found.kind = "heartbeat"
    elseif record then
        local one, why = fact.read(record, object, raw)
        if not one then
            return nil, why
        end
        found.kind, found.fact, found.more = "record", one, {}
    end
    return found
end

-- The first record of several notices, else the first of them.
local function choose(list)
    local best
    for _, one in ipairs(list) do
        if not best or one.kind == "record" and best.kind ~= "record" then
            best = one
        elseif one.kind == "record" then
            best.more[#best.more + 1] = one.fact
            table.move(one.more, 1, #one.more, #best.more + 1, best.more)
        end
    end
    return best
end

function notice.read(text)
    if #text > MESSAGE_MOST then
        return nil, ("expected a message of at most %d bytes, got %d"):format(MESSAGE_MOST, #text)
    end
    local object, why = object_of(text)
    if not object then
        return nil, why
    elseif object[1] == nil then
        return read_one(object, text)
    end
    local list = {}
    for _, member in ipairs(object) do
        list[#list + 1], why = read_one(member)
    end
    return choose(list), #list == 0 and why or nil
end

-- Whether a part holds a message and not a picture.
local function is_message(part)
    local kind = (part.headers["content-type"] or ""):lower()
    return kind:find "json" or kind:find "xml"
        or not kind:find "^image/" and part.body:find "^[%s\xEF\xBB\xBF]*[{<%[]"
end

-- The notice in parts and the pictures that came with it, in their order.
function notice.of_parts(parts)
    local list, why, pictures = {}, "expected a part with a message, got none", {}
    for _, part in ipairs(parts) do
        if not is_message(part) then
            pictures[#pictures + 1] = part.body
        else
            list[#list + 1], why = notice.read(part.body)
        end
    end
    local found = choose(list)
    return found, found and pictures or why
end

-- A body that is not what its Content-Type says is refused: nobody knows then what it is.
function notice.pushed(body, content_type)
    if multipart.boundary(content_type) then
        local parts, why = multipart.parts(body, content_type)
        if not parts then
            return nil, why
        end
        return notice.of_parts(parts)
    end
    local found, why = notice.read(body)
    return found, found and {} or why
end

return notice
