-- device - who the terminal is, what its clock says, whom it tells. XML out and in. Pure.
--
-- Some firmware says its name and its time in JSON.
local careless = require "careless"
local fact = require "fact"
local time = require "time"
local xml = require "xml"

local device = {}

local ID = "^%w[%w_:.-]*$"
local SPACE = "http://www.isapi.org/ver20/XMLSchema"

local function id(text)
    return text and #text <= 64 and text:find(ID) and text or nil
end

-- The first element of the name, the root included.
local function named(root, name)
    if root.name == name then
        return root
    end
    for _, child in ipairs(root) do
        local found = named(child, name)
        if found then
            return found
        end
    end
end

local function root_of(body, name)
    local root, why = xml.decode(careless.trim(body))
    root = root and named(root, name)
    return root, not root and (why or ("expected a %s, got something else"):format(name)) or nil
end

-- said(name): the text that XML or JSON says under that name in what is called `root`, or nil. nil
-- and why when it is neither.
local function said_in(body, root)
    local object = careless.json(body)
    if type(object) == "table" then
        object = type(object[root]) == "table" and object[root] or object
        return function(name) return type(object[name]) == "string" and object[name] or nil end
    end
    local element, why = root_of(body, root)
    return element and function(name) return xml.text(element, name) end, why
end

-- { serial =, model =, firmware =, mac = } of GET System/deviceInfo. Without a serial number the
-- MAC address stands for it, because something must.
function device.info(body)
    local said, why = said_in(body, "DeviceInfo")
    if not said then
        return nil, why
    end
    local mac = id(said "macAddress")
    local info = { mac = mac, serial = id(said "serialNumber") or mac,
        model = id(said "model"), firmware = id(said "firmwareVersion") }
    if not info.serial then
        return nil, "expected a serialNumber or macAddress, got neither"
    end
    return info
end

-- ---- The clock

-- { mode =, seconds =, offset = } of GET System/time. The zone counts west, as POSIX does; the time
-- has its own offset, and when both are there and differ, that of the time is what it shows. Rules
-- of summer time behind the zone are not looked at. `otherwise` is the offset where none is said.
function device.clock(body, otherwise)
    local said, why = said_in(body, "Time")
    if not said then
        return nil, why
    end
    local zone, told = said "timeZone", said "localTime"
    local offset = zone and time.offset(zone:match "^%a+[+-]?[%d:]+" or zone)
    local seconds
    seconds, why = fact.moment(told or "", offset or otherwise)
    if not seconds then
        return nil, "localTime: " .. why
    end
    return { mode = said "timeMode", seconds = seconds, offset = offset, zone = zone,
        told = told }
end

-- 480 -> "CST-8:00:00", as terminals write it.
function device.zone(offset)
    return ("CST%s%d:%02d:00"):format(offset < 0 and "+" or "-", math.abs(offset) // 60,
        math.abs(offset) % 60)
end

-- The body that sets the clock to a moment in a zone.
function device.set_clock(seconds, offset)
    return assert(xml.encode { name = "Time", attributes = { version = "2.0", xmlns = SPACE },
        { name = "timeMode", text = "manual" },
        { name = "localTime", text = (time.format(seconds, offset):gsub("%.%d+", "")) },
        { name = "timeZone", text = device.zone(offset) } })
end

-- ---- Whom it pushes to

-- The list of GET Event/notification/httpHosts: { { id =, url =, address =, port =, protocol = } }.
function device.hosts(body)
    local root, why = xml.decode(body)
    if not root then
        return nil, why
    end
    local list = root.name == "HttpHostNotification" and { root }
        or xml.all(root, "HttpHostNotification")
    for i, one in ipairs(list) do
        list[i] = { id = xml.text(one, "id"), url = xml.text(one, "url"),
            address = xml.text(one, "ipAddress") or xml.text(one, "hostName"),
            port = xml.text(one, "portNo"), protocol = xml.text(one, "protocolType") }
    end
    return list
end

-- The body that makes it push to http://ADDRESS:PORT/PATH. Heartbeats too, so that silence shows.
function device.host(place, heartbeat_s)
    return assert(xml.encode { name = "HttpHostNotification",
        attributes = { version = "2.0", xmlns = SPACE },
        { name = "id", text = "1" }, { name = "url", text = place.path },
        { name = "protocolType", text = "HTTP" },
        { name = "parameterFormatType", text = "JSON" },
        { name = "addressingFormatType", text = "ipaddress" },
        { name = "ipAddress", text = place.address },
        { name = "portNo", text = tostring(place.port) },
        { name = "httpAuthenticationMethod", text = "none" },
        { name = "SubscribeEvent",
            { name = "heartbeat", text = tostring(heartbeat_s) },
            { name = "eventMode", text = "all" },
            { name = "EventList", { name = "Event",
                { name = "type", text = "AccessControllerEvent" },
                { name = "pictureURLType", text = "binary" } } } } })
end

-- Whether one of the places is ours.
function device.has_host(hosts, place)
    for _, one in ipairs(hosts) do
        if one.address == place.address and one.port == tostring(place.port)
            and one.url == place.path then
            return true
        end
    end
    return false
end

-- ---- The door

device.DOOR = { "open", "close", "alwaysOpen", "alwaysClose", "resume" }

function device.door(command)
    return assert(xml.encode { name = "RemoteControlDoor",
        attributes = { version = "2.0", xmlns = SPACE }, { name = "cmd", text = command } })
end

return device
