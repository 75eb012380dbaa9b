-- push_fuzz - what must hold for anything that a terminal posts; see push_fuzz.c.
--
-- Nothing raises; what becomes an event is what lua/checkin.lua declares; and nothing of a record
-- goes out that could be a name or the number of a card. The first byte says which table it is, and
-- whether the others are the upload, or each a word of it: nothing leads the fuzzer inside Lua.
local attlog = require "attlog"
local checkin = require "checkin"
local command = require "command"
local doors = require "doors"
local lines = require "lines"
local operlog = require "operlog"
local picture = require "picture"

local EVENTS = checkin.events()
local OFFSET = 480

local function name_of(number)
    return checkin.naming({}, function(text) return ("%020x"):format(#text) end)(number)
end

local WORDS = { method = true, reason = true, state = true, raw = true, terminal = true,
    told = true }

-- What goes out is a number, a flag, a time or one of our own words.
local function check_event(record)
    record.terminal, record.raw = "SN1", "00"
    local event = checkin.meaning(record, name_of)
    local data, why = EVENTS[event.type].data:check(event.data)
    assert(data, why)
    assert(event.time == nil or event.time >= 0)
    for name, value in pairs(event.data) do
        if type(value) == "string" then
            assert(WORDS[name], name)
            assert(name ~= "told" or value:find "^[%d:TZ.+/ -]+$")
        elseif name == "codes" then
            for _, number in pairs(value) do
                assert(math.type(number) == "integer" and number >= 0)
            end
        end
    end
    assert(event.subject:find "^[%w/_.:-]+$" and #event.subject <= 64 + 24, event.subject)
end

local function check_row(row, record, key)
    assert(row.time >= 946684800 - 86400 and row.time <= 4102444800 + 86400)
    assert(#row.day == 8 and type(key) == "string")
    check_event(record)
end

local READERS = {
    function(line)
        local row, fault = attlog.row(line, OFFSET, #line % 2 == 0)
        assert(row or fault == "malformed" or fault == "bad_time")
        if row then
            check_row(row, attlog.record(row), attlog.key(row))
        end
    end,
    function(line)
        local kind, rest = operlog.kind(line)
        if kind == "user" then
            operlog.user(rest)
        elseif kind == "operation" then
            local one, fault = operlog.operation(rest, OFFSET)
            assert(one or fault == "malformed" or fault == "bad_time")
            if one then
                check_row(one, operlog.record(one), operlog.key(one))
            end
        end
    end,
    function(line)
        local event, fault = doors.event(line, OFFSET)
        assert(event or fault == "malformed" or fault == "bad_time")
        if event then
            check_row(event, doors.record(event), doors.key(event))
        end
    end,
    function(line)
        local state, fault = doors.state(line, OFFSET)
        assert(state or fault == "malformed" or fault == "bad_time")
        for _, record in ipairs(state and doors.changes(nil, state) or {}) do
            check_event(record)
        end
    end,
}

local VOCABULARY = {
    "\t", "\t", "\t", "\t", "\n", "\r\n", "=", "=", "&", ",", " ", "\0", "\1",
    "0", "1", "27", "55", "100", "255", "4001", "2026", "48213", "-1002", "36.5", "FF",
    "2026-08-20 11:27:27", "2026-08-20 11:27:27", "\t2026-08-20 11:27:27\t",
    "2026-13-20 11:27:27", "+28800", "-50400", "+72000", "\t0\t0\t0\t0\t0\t0\t",
    "350105199001011234", "35010519900101123X", "99999999999999999999", "0200000000000000",
    "0000101000000011", "Zhang San", "\xD5\xC5", ("9"):rep(70), ("x"):rep(5000),
    "OPLOG ", "OPLOG\t", "USER PIN=", "FP PIN=", "BIODATA ", "time=", "\tpin=", "\tevent=",
    "\tindex=", "\tverifytype=", "\teventaddr=", "\tinoutstatus=", "\tsensor=", "\talarm=",
    "ID=", "&Return=", "&CMD=", "C:", "PIN=", "CMD=uploadphoto", "\tpicture=",
    "20260722143000-1001.jpg",
}

local WORDS_MOST = 100

-- The bytes as words: half of them are themselves (where `between` is nothing), or all are words
-- with `between` between them and a time in the second place of a line.
local function drawn(bytes, between)
    local list = {}
    for i = 1, math.min(#bytes, WORDS_MOST) do
        local byte = bytes:byte(i)
        local word = VOCABULARY[byte % #VOCABULARY + 1]
        list[i] = (byte >= 128 or between ~= "") and word or bytes:sub(i, i)
        if i % 14 == 2 and byte % 8 > 0 and between ~= "" then
            list[i] = "2026-08-20 11:27:27"
        elseif i % 14 == 0 and between ~= "" then
            list[i] = "\n"
        end
    end
    return table.concat(list, between)
end

return function(bytes)
    local which, body = bytes:byte(1) or 0, bytes:sub(2)
    if which >= 128 then
        body = drawn(body, which >= 192 and "\t" or "")
    end
    if which % 8 < 4 then
        local last = 0
        for line in lines.each(body) do
            assert(#line >= 1 and #line <= 4096 and not line:find "[\r\n]")
            READERS[which % 8 + 1](line)
            last = last + 1
        end
        assert(last <= #body)
    elseif which % 8 == 4 then
        for _, one in ipairs(command.results(body)) do
            assert(#one.id <= 32 and (one.code == nil or math.type(one.code) == "integer"))
        end
    elseif which % 8 == 5 then
        for _, one in ipairs(command.read(body)) do
            assert(command.read(command.line(one[1], one[2]))[1][2] == one[2])
        end
    elseif which % 8 == 6 then
        local found = picture.read(body, {})
        assert(found.length >= 0 and found.from >= 1 and found.length <= #body)
    else
        lines.values(body, ",")
    end
end
