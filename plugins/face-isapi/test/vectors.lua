-- vectors - samples that others took from real terminals, each against what its index expects.
--
--   vectors.check(folder)     --> { { file =, kind =, fault =, skipped = } }, the last two as text
--
-- index.jsonl of the folder says what kind of bytes a file holds and what must be read from it.
-- A kind that has no reader of its own here must at least be JSON or XML in which each expected
-- value stands somewhere under its name.
local answer = require "answer"
local codes = require "codes"
local device = require "device"
local json = require "json"
local multipart = require "multipart"
local notice = require "notice"
local people = require "people"
local search = require "search"
local xml = require "xml"

local vectors = {}

local ALIASES = { dateTime = "time" }

local function read(path)
    local file = io.open(path, "rb")
    local bytes = file and file:read "a"
    if file then
        file:close()
    end
    return bytes
end

local function same(got, wanted)
    return got == wanted or got ~= nil and type(got) ~= type(wanted)
        and tostring(got) == tostring(wanted)
end

local function differ(name, got, wanted)
    return not same(got, wanted)
        and ("%s: expected %s, got %s"):format(name, tostring(wanted), tostring(got)) or nil
end

-- The first value of that name anywhere in a table of tables.
local function anywhere(object, name)
    if object[name] ~= nil and type(object[name]) ~= "table" then
        return object[name]
    end
    for _, value in pairs(object) do
        local found = type(value) == "table" and anywhere(value, name)
        if found then
            return found
        end
    end
end

local function texts_of(element)
    local object = {}
    for i, child in ipairs(element) do
        object[#child == 0 and object[child.name] == nil and child.name or i] = #child == 0
            and child.text or texts_of(child)
    end
    return object
end

local function document(bytes)
    local root = bytes:find "^%s*<" and xml.decode(bytes)
    if root then
        return texts_of(root)
    end
    return json.decode(bytes)
end

-- ---- What each kind must hold: nil, or what is wrong

local function fields(expect, value_of)
    for name, wanted in pairs(expect) do
        local fault = type(wanted) ~= "table" and differ(name, value_of(name), wanted)
        if fault then
            return fault
        end
    end
end

local function generic(entry, bytes)
    local object, why = document(bytes)
    if type(object) ~= "table" then
        return "expected JSON or XML: " .. tostring(why)
    end
    return fields(entry.expect or {}, function(name) return anywhere(object, name) end)
end

local function event_value(found, name)
    local one = found.fact or {}
    local value = one[name]
    if value == nil and found.fact then
        value = one[ALIASES[name]]
    end
    if value == nil then
        value = found[name]
    end
    if value == nil then
        value = anywhere(found.object, name)
    end
    return value
end

local function event(expect, found)
    return fields(expect, function(name) return event_value(found, name) end)
end

local function of_multipart(entry, bytes)
    local parts, why = multipart.parts(bytes, entry.content_type)
    if not parts then
        return nil, why
    end
    local sums = { parts = #parts, heartbeats = 0, access_events = 0, live = 0, jpeg_bytes = 0,
        notices = {} }
    for _, part in ipairs(parts) do
        local found = notice.of_parts { part }
        if not found then
            sums.jpeg_bytes = sums.jpeg_bytes + #part.body
        else
            table.insert(sums.notices, found)
            sums.heartbeats = sums.heartbeats + (found.kind == "heartbeat" and 1 or 0)
            sums.access_events = sums.access_events + (found.kind == "record" and 1 or 0)
            sums.live = sums.live + (found.fact and found.fact.currentEvent and 1 or 0)
        end
    end
    return sums
end

-- The expected events are among the notices, in their order.
local function stream(entry, bytes)
    local sums, why = of_multipart(entry, bytes)
    if not sums then
        return why
    end
    local at = 1
    for i, wanted in ipairs(entry.expect.events or {}) do
        local fault
        repeat
            fault = sums.notices[at] and event(wanted, sums.notices[at]) or nil
            at = at + 1
        until not fault or at > #sums.notices
        if fault or at > #sums.notices + 1 then
            return ("event %d: %s"):format(i, fault or "there is none")
        end
    end
    return fields(entry.expect, function(name) return sums[name] end)
end

local function content_type(entry)
    if entry.content_type then
        return entry.content_type
    end
    local ending = entry.file:match "%.(%w+)$"
    return ending == "json" and "application/json" or ending == "xml" and "application/xml"
        or "multipart/form-data; boundary=MIME_boundary"
end

local function pushed(entry, bytes)
    local found, why = notice.pushed(bytes, content_type(entry))
    if not found then
        return why
    end
    local sums = multipart.boundary(content_type(entry))
        and of_multipart({ content_type = content_type(entry) }, bytes) or {}
    return fields(entry.expect, function(name)
        return sums[name] ~= nil and sums[name] or event_value(found, name)
    end)
end

local function negative(entry, bytes)
    local found = notice.pushed(bytes, content_type(entry))
    local accepted = found ~= nil and found.kind == "record"
    return differ("accept", accepted, entry.expect.accept)
end

local function page(entry, bytes)
    local got, why = search.page(bytes)
    if not got then
        return why
    end
    local expect = entry.expect
    local fault = differ("status", got.status, expect.status)
        or differ("total", got.total, expect.total) or differ("n", #got.facts, expect.n)
    for i, wanted in ipairs(expect.items or {}) do
        local one = got.facts[i]
        fault = fault or not one and "item " .. i .. " is missing"
            or fields(wanted, function(name) return one[name] end)
            or not one.raw and "item " .. i .. " has no bytes"
    end
    return fault or nil
end

local function status(entry, bytes)
    local said = answer.read(entry.http_status or 200, bytes)
    local locked, seconds = answer.lock(bytes)
    local names = { ok = said.ok, subStatusCode = said.sub, statusCode = said.code,
        statusString = said.text, locked = locked, unlock_seconds = seconds }
    return fields(entry.expect, function(name)
        if names[name] ~= nil then
            return names[name]
        end
        return anywhere(document(bytes) or {}, name)
    end)
end

local function clock(entry, bytes)
    local got, why = device.clock(bytes)
    if not got then
        return why
    end
    local names = { timeMode = got.mode, localTime = got.told, timeZone = got.zone,
        utc_offset_minutes = got.offset }
    return fields(entry.expect, function(name) return names[name] end)
end

local function persons(entry, bytes)
    local got, why = people.page(bytes)
    if not got then
        return why
    end
    local expect = entry.expect
    local fault = differ("status", got.status, expect.status) or differ("n", #got.list, expect.n)
    for i, one in ipairs(got.list) do
        fault = fault or expect.employeeNo
            and differ("employeeNo", one.number, expect.employeeNo[i])
            or expect.numOfFace and differ("numOfFace", one.faces, expect.numOfFace[i])
    end
    return fault or nil
end

local function info(entry, bytes)
    local got, why = device.info(bytes)
    if not got then
        return why
    end
    local names = { macAddress = got.mac, model = got.model, serialNumber = got.serial,
        firmwareVersion = got.firmware }
    return fields(entry.expect, function(name)
        return names[name] or anywhere(document(bytes), name)
    end)
end

local function hosts(entry, bytes)
    local list, why = device.hosts(bytes)
    if not list then
        return why
    end
    local one = list[1] or {}
    local names = { protocolType = one.protocol, portNo = one.port, url = one.url,
        ipAddress = one.address }
    return fields(entry.expect, function(name)
        return names[name] or anywhere(document(bytes), name)
    end)
end

-- The members of the sample that ours must have too.
local function request(_, bytes)
    local theirs = (json.decode(bytes) or {}).AcsEventCond
    local is_range = theirs and theirs.beginSerialNo
    local ours = json.decode(is_range and search.range(1, 30, 0, "1")
        or search.period("2000-01-01T00:00:00+03:00", "2037-12-31T23:59:59+03:00", 0, "1"))
        .AcsEventCond
    for name in pairs(theirs or {}) do
        if ours[name] == nil and name ~= "timeReverseOrder" then
            return "ours has no " .. name
        end
    end
    return not theirs and "expected an AcsEventCond" or nil
end

local function door(_, bytes)
    local theirs, ours = document(bytes), document(device.door(xml.text(xml.decode(bytes), "cmd")))
    return differ("cmd", ours.cmd, theirs.cmd)
end

local READERS = {
    { "^alertStream body", stream }, { "^pushed event", pushed }, { "^httpHosts POST", pushed },
    { "^negative", negative }, { "^AcsEvent response", page }, { "^AcsEvent request", request },
    { "ResponseStatus", status }, { "^401", status }, { "^System/time", clock },
    { "^UserInfo/Search", persons }, { "DeviceInfo", info }, { "HttpHostNotification", hosts },
    { "RemoteControl/door", door }, { "EventNotificationAlert", function(entry, bytes)
        local found, why = notice.read(bytes)
        return not found and why or event(entry.expect, found)
    end },
}

local function reader_of(kind)
    for _, row in ipairs(READERS) do
        if kind:find(row[1]) then
            return row[2]
        end
    end
    return generic
end

local function check_one(folder, entry)
    if entry.kind:find "^ContentMgmt" then
        return nil, "recordings, which this plugin does not read"
    end
    local bytes = read(folder .. "/" .. entry.file)
    if not bytes then
        return "the file is missing"
    end
    return reader_of(entry.kind)(entry, bytes)
end

-- Nil when there is no such folder.
function vectors.check(folder)
    local index = read(folder .. "/index.jsonl")
    if not index then
        return nil
    end
    local results = {}
    for line in index:gmatch "[^\n]+" do
        local entry = assert(json.decode(line), "index.jsonl: no JSON")
        local fault, skipped = check_one(folder, entry)
        results[#results + 1] = { file = entry.file, kind = entry.kind, fault = fault,
            skipped = skipped }
    end
    return results
end

-- Each pair that a vendor's table names and ours does not name so; nil without the table.
function vectors.codes(folder)
    local bytes = read(folder .. "/acs_codes_hcnetsdk.json")
    if not bytes then
        return nil
    end
    local faults, told = {}, json.decode(bytes)
    local majors = told.major
    for minor, row in pairs(told.extra5 or {}) do
        majors["5"][minor] = row
    end
    for major, rows in pairs(majors) do
        for minor, row in pairs(rows) do
            if codes.meaning(tonumber(major), tonumber(minor)).name ~= row.name then
                faults[#faults + 1] = ("(%s, %s) %s"):format(major, minor, row.name)
            end
        end
    end
    for _, minor in ipairs(told.person_pass_minors or {}) do
        if codes.meaning(5, minor).what ~= "verified" then
            faults[#faults + 1] = ("(5, %d) is no check-in"):format(minor)
        end
    end
    return faults
end

return vectors
