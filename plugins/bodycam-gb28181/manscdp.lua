-- manscdp - the XML in the messages of GB/T 28181: what cameras say, and how they are asked. Pure.
--
--   local body, why = manscdp.decode(bytes)
--   body.kind "Notify", body.cmd "Alarm", body.sn 17, body.device "35010500001320000007"
--   manscdp.read(body, 480)      what a body of its command says, as a table
--   manscdp.query("Catalog", 17, "35010500001320000007")
--
-- Whatever first line and encoding say, letters are UTF-8 here (lua/xml.lua: declared GB2312,
-- sent as GBK, GB18030 or UTF-8). Names of elements may differ in capitals. What is missing or
-- nonsense is absent, never 0; a text is at most TEXT_MOST bytes. Times without a zone are the
-- camera's local ones.
local document = require "document"
local time = require "time"
local xml = require "xml"
local trim = require "trim"

local manscdp = {}

local TEXT_MOST, ITEMS_MOST, NUMBER_MOST = 128, 1000, 1e16

-- ---- Elements

-- The first of each name; made once, because a document may have thousands of elements.
local function index_of(element)
    local index = {}
    for _, one in ipairs(element) do
        local name = one.name:lower()
        index[name] = index[name] or one
    end
    return index
end

local function child(element, name)
    element.index = element.index or index_of(element)
    return element.index[name:lower()]
end

-- Whole letters of at most TEXT_MOST bytes, or nil for none.
local function text(element, name)
    local one = child(element, name)
    local value = one and trim((one.text:gsub("%c", " "))) or ""
    if #value > TEXT_MOST then
        value = value:sub(1, utf8.offset(value, 0, TEXT_MOST + 1) - 1)
    end
    return value ~= "" and value or nil
end

-- "119.3", ".5" and what printf makes of it with %e.
local function decimal(element, name)
    local value = text(element, name)
    local digits = value and #value <= 24 and value:gsub("[eE][+-]?%d%d?$", "")
    local number = digits and digits:find "^[+-]?%d*%.?%d*$" and tonumber(value)
    return number and math.abs(number) < NUMBER_MOST and number or nil
end

local function whole(element, name)
    local value = text(element, name)
    return value and #value <= 15 and value:find "^%d+$" and math.tointeger(tonumber(value)) or nil
end

-- A number of a camera or channel: 20 digits, of some makes fewer.
local function id(element, name)
    local value = text(element, name)
    return value and #value <= 20 and value:find "^%d+$" and value or nil
end

-- A word such as ON, OK, all; never a sentence.
local function word(element, name)
    local value = text(element, name)
    return value and #value <= 32 and value:find "^[%w_.:/-]+$" and value or nil
end

-- Seconds UTC, and the text as it was told.
local function moment(element, name, offset)
    local value = text(element, name)
    return value and time.read(value, offset) or nil, value
end

-- Each element in those of a name, of which there may be several.
local function each_in(element, name, fn)
    for _, one in ipairs(element) do
        if one.name:lower() == name then
            fn(one)
        end
    end
end

-- ---- What the commands say

-- The edition of 2022 puts places into a list; the last one with a place is the newest.
local function placed_in(element)
    local found
    each_in(element, "devicelist", function(list)
        each_in(list, "item", function(item)
            found = decimal(item, "Longitude") and decimal(item, "Latitude") and item or found
        end)
    end)
    return found
end

local function position(element, offset)
    local item = not child(element, "Longitude") and placed_in(element) or nil
    local at, told = moment(element, "Time", offset)
    if item then
        local taken, taken_told = moment(item, "CaptureTime", offset)
        at, told = taken or at, taken and taken_told or told
        element = item
    end
    return { time = at, told = told, channel = item and id(item, "DeviceID"),
        longitude = decimal(element, "Longitude"),
        latitude = decimal(element, "Latitude"), speed = decimal(element, "Speed"),
        direction = decimal(element, "Direction"), altitude = decimal(element, "Altitude") }
end

local function alarm(element, offset)
    local at, told = moment(element, "AlarmTime", offset)
    if not told then
        at, told = moment(element, "Time", offset)
    end
    local type
    each_in(element, "info", function(info) type = type or whole(info, "AlarmType") end)
    return { time = at, told = told, priority = whole(element, "AlarmPriority"),
        method = whole(element, "AlarmMethod"), type = type or whole(element, "AlarmType"),
        description = text(element, "AlarmDescription"),
        longitude = decimal(element, "Longitude"), latitude = decimal(element, "Latitude") }
end

local function channel(item)
    return { id = id(item, "DeviceID"), name = text(item, "Name"), status = word(item, "Status"),
        manufacturer = text(item, "Manufacturer"), model = text(item, "Model"),
        parent = text(item, "ParentID"), address = text(item, "Address"),
        longitude = decimal(item, "Longitude"), latitude = decimal(item, "Latitude") }
end

local function record(item, offset)
    local from, from_told = moment(item, "StartTime", offset)
    local to, to_told = moment(item, "EndTime", offset)
    return { channel = id(item, "DeviceID"), name = text(item, "Name"),
        file = text(item, "FilePath"), address = text(item, "Address"), from = from, to = to,
        from_told = from_told, to_told = to_told, type = word(item, "Type"),
        secrecy = whole(item, "Secrecy"), size = decimal(item, "FileSize"),
        recorder = text(item, "RecorderID") }
end

local function told_number(list)
    local digits = list.attributes.Num or list.attributes.num or list.attributes.NUM or ""
    return #digits <= 10 and digits:find "^%d+$" and math.tointeger(tonumber(digits)) or nil
end

-- `name` is that of the element of the items; SumNum says how many there are in all messages
-- together.
local function listing(name, read)
    return function(element, offset)
        local answer = { result = word(element, "Result"), sum = whole(element, "SumNum"),
            items = {} }
        each_in(element, name, function(list)
            answer.num = answer.num or told_number(list)
            each_in(list, "item", function(item)
                if #answer.items < ITEMS_MOST then
                    answer.items[#answer.items + 1] = read(item, offset)
                end
            end)
        end)
        answer.num = answer.num or #answer.items
        return answer
    end
end

local READERS = {
    Keepalive = function(element) return { status = word(element, "Status") } end,
    MobilePosition = position,
    Alarm = alarm,
    Catalog = listing("devicelist", channel),
    RecordInfo = listing("recordlist", record),
    DeviceInfo = function(element)
        return { result = word(element, "Result"), name = text(element, "DeviceName"),
            manufacturer = text(element, "Manufacturer"), model = text(element, "Model"),
            firmware = text(element, "Firmware"), channels = whole(element, "Channel") }
    end,
    DeviceStatus = function(element, offset)
        local at, told = moment(element, "DeviceTime", offset)
        return { result = word(element, "Result"), online = word(element, "Online"),
            status = word(element, "Status"), encode = word(element, "Encode"),
            record = word(element, "Record"), time = at, told = told }
    end,
    MediaStatus = function(element) return { type = whole(element, "NotifyType") } end,
}

-- ---- In

local GB = { GB2312 = true, GBK = true, GB18030 = true }

-- The charset to read it in: the host sees through a GB that is none; what says UTF-8, something
-- else or nothing and is no UTF-8 is GB, because cameras know no third one.
local function charset_of(bytes)
    local declared = bytes:match "^<%?xml[^>]-encoding%s*=%s*[\"']([^\"']*)"
    if GB[(declared or ""):upper()] then
        return "GB18030"
    end
    return utf8.len(bytes) and "UTF-8" or "GB18030"
end

local ENTITIES = { ["amp;"] = true, ["lt;"] = true, ["gt;"] = true, ["quot;"] = true,
    ["apos;"] = true }

-- "&" in a name that somebody typed, and nobody escaped.
local function escape_lone(bytes)
    return (bytes:gsub("&(#?%w*;?)", function(rest)
        return not ENTITIES[rest] and not rest:find "^#%w+;$" and "&amp;" .. rest or nil
    end))
end

-- Num=8, without quotes.
local function quote_attributes(tag)
    return (tag:gsub("(%s[%w:_-]+%s*=%s*)([%w.:_-]+)", '%1"%2"'))
end

-- As it was meant, where that is no XML: control characters in names are blanks, the first line has
-- said what it had to say, and what stands behind the end is somebody's old memory.
local function repaired(bytes)
    local said = bytes:gsub("^<%?[^<>]*>", "")
    local stop = document.ending(said, 1) or #said
    if not said:find("<", stop + 1, true) then -- a second document is no memory
        said = said:sub(1, stop)
    end
    said = escape_lone(said):gsub("[%z\1-\8\11\12\14-\31]", " ")
    return (said:gsub("<%a[^<>\"']*", quote_attributes))
end

-- Some put empty lines before the document, or a NUL behind it.
local function parse(bytes)
    local said = bytes:find "[^%s%z]" and bytes:match "^%s*(.*[^%s%z])" or ""
    local options = { encoding = charset_of(said) }
    local tree, why = xml.decode(said, options)
    if not tree then
        tree = xml.decode(repaired(said), options)
    end
    return tree, why
end

local CMDS = {} -- some write KeepAlive
for name in pairs(READERS) do
    CMDS[name:lower()] = name
end

local KINDS = { notify = "Notify", response = "Response", query = "Query", control = "Control" }

-- A body: { kind =, cmd =, sn =, device =, tree = }, or nil and what was expected.
function manscdp.decode(bytes)
    local tree, why = parse(bytes)
    if not tree then
        return nil, why
    end
    local kind, cmd = KINDS[tree.name:lower()], word(tree, "CmdType")
    if not kind or not cmd then
        return nil, "expected a Notify, Response, Query or Control with a CmdType"
    end
    return { kind = kind, cmd = CMDS[cmd:lower()] or cmd, sn = whole(tree, "SN"),
        device = id(tree, "DeviceID"), tree = tree }
end

-- What it says; nil for a command of which nobody here knows what it says. `offset` is that of the
-- camera's clock in minutes.
function manscdp.read(body, offset)
    local read = READERS[body.cmd]
    return read and read(body.tree, offset)
end

-- What a query asks for: { from =, to =, from_told =, to_told =, type =, interval = }.
function manscdp.asked(body, offset)
    local from, from_told = moment(body.tree, "StartTime", offset)
    local to, to_told = moment(body.tree, "EndTime", offset)
    return { from = from, to = to, from_told = from_told, to_told = to_told,
        type = word(body.tree, "Type"), secrecy = whole(body.tree, "Secrecy"),
        interval = whole(body.tree, "Interval") }
end

-- ---- Out

-- Local time of a camera, as GB/T 28181 writes it: 2026-11-21T11:04:05.
function manscdp.local_time(seconds, offset)
    return time.format(seconds, offset):sub(1, 19)
end

-- The body of a question or an answer to it. `fields`: further elements, { name, value } in order;
-- values are numbers, times and words: nothing that XML would have to escape.
function manscdp.body(kind, cmd, sn, device, fields)
    local lines = { '<?xml version="1.0" encoding="GB2312"?>', "<" .. kind .. ">" }
    local all = { { "CmdType", cmd }, { "SN", sn }, { "DeviceID", device } }
    table.move(fields or {}, 1, #(fields or {}), #all + 1, all)
    for _, field in ipairs(all) do
        local value = tostring(field[2])
        assert(not value:find "[^%w_.:/ -]", field[1])
        lines[#lines + 1] = ("<%s>%s</%s>"):format(field[1], value, field[1])
    end
    lines[#lines + 1] = "</" .. kind .. ">\r\n"
    return table.concat(lines, "\r\n")
end

function manscdp.query(cmd, sn, device, fields)
    return manscdp.body("Query", cmd, sn, device, fields)
end

return manscdp
