-- Every sample of ../shared/vectors/zkpush against what its index expects. Nothing here knows a
-- sample: the index's kind says how it is read, and what it expects is looked up in what was read.
local doors = require "doors"
local attlog = require "attlog"
local codes = require "codes"
local command = require "command"
local desk = require "desk"
local json = require "json"
local lines = require "lines"
local operlog = require "operlog"
local picture = require "picture"
local rehearsal = require "rehearsal"
local t = require "testing"

local FOLDER = rehearsal.folder .. "/../../../shared/vectors/zkpush/"
local CHINA = 480

local function read(name)
    local file = io.open(FOLDER .. name, "rb")
    if not file then
        return nil
    end
    local text = file:read "a"
    file:close()
    return text
end

-- "a=1&b=2" of a request line's query, names in small letters.
local function query_of(text)
    local query = {}
    for name, value in (text:match "%?([^%s].-)%s*$" or ""):gsub(" HTTP/1%.%d$", "")
        :gmatch "([^&=]+)=([^&]*)" do
        query[name:lower()] = value
    end
    return query
end

-- ---- Readers: what a body holds, under the names that an index may use

local READERS = {}

local function attendance(body)
    local found = { rows = {}, valid = 0, bad_time = 0, malformed = 0, lines = 0 }
    for line in lines.each(body) do
        local row, fault = attlog.row(line, CHINA)
        found.lines = found.lines + 1
        if row then
            found.valid = found.valid + 1
            local fields = lines.fields(line)
            found.rows[found.valid] = { pin = row.pin, time = row.told, status = row.status,
                verify = row.verify, counter = row.counter, workcode = fields[5],
                maskflag = fields[8], temperature = fields[9], check = row.check,
                fields = #fields }
        else
            found[fault] = found[fault] + 1
        end
    end
    return found
end

READERS["^post cdata.*table=attlog"] = attendance

READERS["^post cdata.*table=operlog"] = function(body)
    local found = { oplog = {}, users = {}, templates = 0, pictures = 0, lines = 0,
        bad_time = 0, malformed = 0 }
    for line in lines.each(body) do
        found.lines = found.lines + 1
        local kind, rest = operlog.kind(line)
        if kind == "operation" then
            local one, fault = operlog.operation(rest, CHINA)
            if one then
                one.time = one.told
                found.oplog[#found.oplog + 1] = one
            else
                found[fault] = found[fault] + 1
            end
        elseif kind == "user" then
            found.users[#found.users + 1] = operlog.user(rest)
        elseif kind == "template" then
            found.templates = found.templates + 1
        elseif kind == "picture" then
            found.pictures = found.pictures + 1
        end
    end
    found.ack_count_of_decoded = #found.oplog + #found.users
    return found
end

READERS["^post cdata.*table=rtlog"] = function(body)
    if not doors.is_event(body) then
        return attendance(body)
    end
    local found = { rows = {}, valid = 0, bad_time = 0, malformed = 0, lines = 0 }
    for line in lines.each(body) do
        local event, fault = doors.event(line, CHINA)
        found.lines = found.lines + 1
        if event then
            found.valid = found.valid + 1
            event.time = event.told
            found.rows[found.valid] = event
            for name, value in pairs(event) do
                found[name] = found[name] or value
            end
        else
            found[fault] = found[fault] + 1
        end
    end
    return found
end

local SENSORS = { closed = "closed", open = "open" }

READERS["^post cdata.*table=rtstate"] = function(body)
    local state = assert(doors.state(body, CHINA))
    local found = { time = state.told, lines = 1 }
    for number, door in ipairs(state.doors) do
        local names = {}
        for bit, meaning in ipairs(codes.STATE_BITS) do
            if door.alarm >> bit - 1 & 1 == 1 then
                names[#names + 1] = ("%s (bit %d)"):format(meaning.name, bit)
            end
        end
        found["alarm_door" .. number] = #names == 0 and "none" or table.concat(names, ", ")
        found["sensor_door" .. number] = SENSORS[door.sensor] or "no contact"
    end
    return found
end

READERS["^post cdata.*table=attphoto"] = function(body, entry)
    local found = picture.read(body, query_of(entry.request or ""))
    found.image_len, found.image, found.lines = found.length, body:sub(found.from), 1
    return found
end

-- The query of a request's first line, and its headers.
READERS["request"] = function(body)
    local found = query_of(body:match "^[^\r\n]*")
    for name, value in body:gmatch "\n([%w-]+):[ \t]*([^\r\n]*)" do
        found[name:lower()] = value
    end
    return found
end

READERS["^getrequest response"] = function(body)
    local cmds = command.read(body)
    -- What is read is what would be written.
    for i, one in ipairs(cmds) do
        cmds[i] = { one[1], one[2] }
        t.holds(body:find(command.line(one[1], one[2]), 1, true), "a command reads otherwise")
    end
    return { cmds = cmds }
end

READERS["^post devicecmd"] = function(body)
    local results = {}
    for i, one in ipairs(command.results(body)) do
        results[i] = { one.id, one.code, one.cmd }
    end
    return { results = results, ack = "OK" }
end

local function values(body)
    local found = lines.values(body, body:find "\t" and "\t" or ",")
    found.lines = 1
    return found
end

READERS["^post registry"] = values
READERS["^post cdata.*table=options"] = values

-- Settings, a value a line.
READERS["response"] = function(body)
    return lines.values(body, body:find "[\r\n]" and "\r\n" or ",")
end

-- What is not kept: how many lines there were, and what the first one says.
READERS[""] = function(body)
    local first = (body:match "^[^\r\n]*" or ""):gsub("^%a[%w_]* ", "")
    local found = lines.values(first, "\t")
    found.lines = 0
    for _ in lines.each(body) do
        found.lines = found.lines + 1
    end
    return found
end

-- The longest pattern that fits is the most special one; the empty one fits all.
local function reader_of(kind)
    local best
    for pattern in pairs(READERS) do
        if kind:lower():find(pattern) and (not best or #pattern > #best) then
            best = pattern
        end
    end
    return READERS[best]
end

-- ---- Expectations

local differs

-- Members that a reader has for certain; another one that it has not is a remark of the index.
local MEMBERS = { pin = true, time = true, status = true, verify = true, code = true,
    operator = true, target = true, event = true, index = true, valid = true, rows = true }

-- A table is expected in each of its members, rows in their number too; a number of a list is its
-- length.
local function differs_in(path, wanted, got)
    if type(wanted) == "table" then
        if type(got) ~= "table" then
            return ("%s: expected a table, got %s"):format(path, tostring(got))
        end
        for key, value in pairs(wanted) do
            local is = got[key] == nil and type(key) == "string" and got[key:lower()] or got[key]
            local why = differs(path .. "." .. key, value, is)
            if why and (is ~= nil or type(key) == "number" or MEMBERS[key]) then
                return why
            elseif why and key ~= "note" then
                print("not looked at: " .. path .. "." .. key)
            end
        end
        if #wanted > 0 and #wanted ~= #got and type(wanted[1]) == "table"
            and type(got[1]) == "table" and path:find "rows$" then
            return ("%s: expected %d, got %d"):format(path, #wanted, #got)
        end
        return nil
    elseif type(got) == "table" then
        -- A user named by his number only; a list named by how many.
        got = type(wanted) == "number" and #got or got.pin
    end
    if tostring(wanted) ~= tostring(got) then
        return ("%s: expected %s, got %s"):format(path, tostring(wanted), tostring(got))
    end
end
differs = differs_in

-- What an index is known to expect. A name beside these that no reader has is a remark of the
-- index, and named as not looked at.
local EXPECTED = { ack = true, rows = true, valid = true, bad_time = true, malformed = true,
    oplog = true, users = true, ack_count_of_decoded = true, time = true, pin = true, event = true,
    inout = true, index = true, alarm_door1 = true, sensor_door1 = true, image = true,
    image_len = true, cmds = true, results = true }

local function without_remarks(entry, found)
    local wanted = {}
    for name, value in pairs(entry.expect or {}) do
        if EXPECTED[name] or found[name] ~= nil or found[name:lower()] ~= nil then
            wanted[name] = value
        elseif name ~= "note" then
            print(("not looked at: %s: %s"):format(entry.file, name))
        end
    end
    return wanted
end

local function look(entry)
    local body = assert(read(entry.file), entry.file .. ": in the index, and not there")
    local found = reader_of(entry.kind)(body, entry)
    if not found.ack then
        local query = query_of(entry.request or "")
        query.table = query.table or entry.kind:match "table=(%w+)"
        found.ack = desk.ack(query, found.lines or 0)
    end
    return differs(entry.file, without_remarks(entry, found), found)
end

t.test("every_sample_is_read_as_its_index_expects", function()
    local index = read "index.jsonl"
    if not index then
        print(("skipped: %s is not here"):format(FOLDER .. "index.jsonl"))
        return
    end
    local count, faults = 0, {}
    for line in index:gmatch "[^\r\n]+" do
        local entry = assert(json.decode(line))
        count = count + 1
        faults[#faults + 1] = look(entry)
    end
    t.equal(faults, {})
    print(("%d samples of %s"):format(count, FOLDER))
end)

t.test("an_expectation_that_is_not_met_is_told", function()
    local wanted = { rows = { { pin = "3" } }, valid = 1, oplog = 2, users = { "7" } }
    local function got()
        return { rows = { { pin = "3", time = "x" } }, valid = 1, oplog = { {}, {} },
            users = { { pin = "7" } } }
    end
    t.equal(differs("a", wanted, got()), nil)
    for _, spoil in ipairs {
        function(one) one.rows[1].pin = "4" end, function(one) one.rows[2] = { pin = "5" } end,
        function(one) one.valid = "2" end, function(one) one.oplog[3] = {} end,
        function(one) one.users[1].pin = "8" end, function(one) one.valid = nil end,
        function(one) one.rows = nil end,
    } do
        local one = got()
        spoil(one)
        t.holds(differs("a", wanted, one), "a difference was not seen")
    end
end)

return t.finish()
