-- manscdp_fuzz - what must hold for anything that a registered camera says; see manscdp_fuzz.c.
--
-- Nothing raises; the camera hears a status of SIP; what is told fits the declared events, and
-- no text of the camera's that people wrote is in it; what a list holds has its bounds. Nothing
-- leads the fuzzer inside Lua, so the first byte says whether the others are the body, or choose
-- elements.
local events = require "events"
local gather = require "gather"
local manscdp = require "manscdp"
local reception = require "reception"
local roll = require "roll"

local ID = "35010500001320000007"
local SECRET = "朱镕基"
local CMDS = { "Alarm", "MobilePosition", "Keepalive", "Catalog", "RecordInfo", "DeviceInfo",
    "DeviceStatus", "MediaStatus", "Other" }
local KINDS = { "Notify", "Response", "notify", "Query", "Control" }
local NAMES = { "Longitude", "Latitude", "Speed", "Direction", "Altitude", "Time", "AlarmTime",
    "AlarmMethod", "AlarmType", "AlarmPriority", "AlarmDescription", "SumNum", "SN", "DeviceID",
    "Info", "DeviceList", "RecordList", "Item", "Name", "StartTime", "EndTime", "FilePath",
    "FileSize", "DeviceTime", "Status", "Online", "Model", "Firmware", "Result", "Channel" }
local VALUES = { "119.3", "26.1", "-181", "91", "0", "1", "2", "5", "", "99999999999", "1e308",
    "nan", "2026-11-21T11:04:05", "2026-13-41T25:61:61", "1970-01-01T00:00:00", ID,
    SECRET .. "在", "ON", "<Info><AlarmType>3</AlarmType></Info>", "a b", "</Notify>", "&lt;&#0;",
    "0.0000000001", "360", "2099-01-01T00:00:00Z" }

local function pick(list, byte)
    return list[(byte or 0) % #list + 1]
end

local function made(bytes)
    local kind = pick(KINDS, bytes:byte(2))
    local parts = { "<", kind, "><CmdType>", pick(CMDS, bytes:byte(3)), "</CmdType>" }
    local depth, open = 0, {}
    for at = 4, #bytes - 1, 2 do
        local name, value = pick(NAMES, bytes:byte(at)), bytes:byte(at + 1)
        if value > 200 and depth < 4 then
            depth, open[depth + 1] = depth + 1, name
            parts[#parts + 1] = ("<%s Num='%d'>"):format(name, value)
        else
            parts[#parts + 1] = ("<%s>%s</%s>"):format(name, pick(VALUES, value), name)
        end
    end
    for at = depth, 1, -1 do
        parts[#parts + 1] = "</" .. open[at] .. ">"
    end
    return table.concat(parts) .. "</" .. kind .. ">"
end

-- ---- A host that keeps nothing but what it is told

local host = { told = {}, clock = 1795230245, store = { stored = {} },
    metrics = { count = function() end } }

function host.now() return host.clock end
function host.mono() return host.clock - 1795000000 end
function host.random(count) return ("r"):rep(count) end
function host.store.get(key) return host.store.stored[key] end
function host.store.put(key, value)
    assert(#key <= 128)
    host.store.stored[key] = value
end

host.log = { warn = function() end, debug = function() end }

local function check_text(kind, name, value)
    assert(type(value) ~= "string" or not value:find(SECRET, 1, true), kind .. "." .. name)
end

function host.emit(event)
    local declared = assert(events.declared[event.type], event.type)
    local data, why = declared.data:check(event.data)
    assert(data, why)
    assert(event.time == nil or event.time > 946684800)
    for name, value in pairs(event.data) do
        check_text(event.type, name, value)
    end
end

local config = { cameras = { [ID] = { password = "x" } }, offset = 480, position_every = 1000,
    keepalive = 60000, missed = 3, realm = "r", algorithm = "MD5" }
local cameras = roll.new(host, config)
local route = { kind = "udp", address = "10.0.0.7", port = 5060 }
roll.registered(cameras, cameras.cameras[ID], route, 1e9)

-- ---- What is read

local function check_item(item)
    for name, value in pairs(item) do
        assert(type(value) ~= "string" or #value <= 128 and utf8.len(value), name)
        assert(type(value) ~= "number" or value == value and math.abs(value) < 1e24, name)
    end
end

local function check_read(body)
    local answer = manscdp.read(body, 480)
    if answer and answer.items then
        local gathered = gather.new(function(item) return item.id or item.file or "" end, 10, 0)
        assert(#answer.items <= 1000)
        for _, item in ipairs(answer.items) do
            check_item(item)
        end
        gather.add(gathered, answer.sum, answer.items, 1)
        assert(#gathered.items <= 10 and gather.missing(gathered) >= 0)
        gather.gaps(answer.items)
    elseif answer then
        check_item(answer)
    end
    check_item(manscdp.asked(body, 480))
end

local desk = reception.new(host, config, { roll = cameras, ask = function() end,
    on_response = function(_, body) check_read(body) end })
local HEADERS = { { "via", "v" }, { "from", "<sip:" .. ID .. "@r>" }, { "to", "<sip:1@r>" },
    { "call-id", "1" } }

return function(bytes)
    host.clock = host.clock + 2
    local text = (bytes:byte(1) or 0) % 2 == 0 and bytes:sub(2) or made(bytes)
    local answer = reception.take(desk, { method = "MESSAGE", uri = "sip:1", headers = HEADERS,
        cseq = 1, body = text, beyond = "" }, route)
    assert(answer.status == 200 or answer.status == 400 or answer.status == 503)
    if answer.after then
        answer.after()
    end
    local body = manscdp.decode(text)
    if body then
        check_read(body)
    end
end
