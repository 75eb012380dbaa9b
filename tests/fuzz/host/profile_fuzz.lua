-- profile_fuzz - what must hold for any profile and any registers; see profile_fuzz.c.
--
-- The bytes say which shipped profile, which mistakes are made in it, and the registers. Nothing
-- leads the fuzzer inside Lua, so it sends short inputs; each is drawn out to a long stream.
local profile = require "profile"
local reader = require "reader"

-- Numbers of 0 to 255: the bytes, and then what a linear congruence makes of them.
local function stream_of(bytes)
    local at, state = 0, #bytes
    return function()
        at = at + 1
        local byte = bytes:byte(at) or 0
        state = state * 6364136223846793005 + 1442695040888963407 + byte
        return at <= #bytes and byte or state >> 40 & 0xFF
    end
end

-- A bus whose registers are 512 words of the stream, over and over.
local function bus_of(stream)
    local image = {}
    for i = 0, 511 do
        image[i] = stream() << 8 | stream()
    end
    local function word(address)
        return image[address & 511]
    end
    local function words(_, address, count)
        assert(address >= 0 and address + count <= 65536 and count >= 1 and count <= 125)
        local list = {}
        for i = 1, count do
            list[i] = word(address + i - 1)
        end
        return list
    end
    local function bits(_, address, count)
        assert(address >= 0 and address + count <= 65536 and count >= 1 and count <= 2000)
        local list = {}
        for i = 1, count do
            list[i] = word(address + i - 1) & 1 == 1
        end
        return list
    end
    local function write(_, address, value)
        assert(address >= 0 and address <= 65535)
        assert(type(value) == "boolean" or value >= 0 and value <= 65535)
        return true
    end
    return { read_holding = words, read_input = words, read_coils = bits, read_discrete = bits,
        write_coil = write, write_register = write }
end

local function check_reading(reading)
    assert(#reading.tag <= 64 and reading.tag:find("^%w[%w_:.-]*$"))
    assert(#reading.raw <= 2048)
    assert(not reading.age or reading.age >= 0)
    assert(not reading.battery or reading.battery >= 0 and reading.battery <= 100)
    assert(not reading.rssi or reading.rssi >= -200 and reading.rssi <= 100)
end

local JUNK = { 0, -1, 1, 16, 125, 126, 65535, 70000, 1.5, 0 / 0, math.huge, math.mininteger, "",
    "x", "u32", "bytes", "float", "coil", "slots", "fifo", "sequence", "V", "\xFF", true, false, {},
    { {} }, { 65535 } }

-- Every place of a table that an edit may change, in an order that does not depend on the run.
local function places(sheet, list)
    local keys = {}
    for key in pairs(sheet) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    for _, key in ipairs(keys) do
        list[#list + 1] = { sheet, key }
        if type(sheet[key]) == "table" then
            places(sheet[key], list)
        end
    end
    return list
end

-- One edit: a place, and what it becomes: junk, nothing, another number, a copy of another place.
local function edit(sheet, where, how, value)
    local list = places(sheet, {})
    local place = list[where % math.max(1, #list) + 1]
    if not place then
        return
    end
    local junk = JUNK[value % #JUNK + 1]
    if how % 4 == 0 then
        place[1][place[2]] = junk
    elseif how % 4 == 1 then
        place[1][place[2]] = nil
    elseif how % 4 == 2 then
        place[1][place[2]] = value
    else
        place[1][type(junk) == "string" and junk or "strap"] = type(place[1][place[2]]) ~= "table"
            and place[1][place[2]] or nil
    end
end

local function look(checked, stream)
    local one, bus = reader.new(checked), bus_of(stream)
    if checked.style == "slots" then
        local found = reader.table(one, bus)
        for _, reading in ipairs(found and found.readings or {}) do
            check_reading(reading)
        end
        return
    end
    local found = reader.entry(one, bus)
    if found and found.reading then
        check_reading(found.reading)
        reader.release(one, bus, found)
    end
end

-- `sheets` gives a fresh copy of the shipped profile of that number.
return function(sheets, bytes)
    local stream = stream_of(bytes)
    local sheet = sheets(stream())
    for _ = 1, stream() % 6 do
        edit(sheet, stream() << 8 | stream(), stream(), stream())
    end
    local checked, err = profile.check(sheet)
    assert(checked or type(err) == "string")
    if checked then
        look(checked, stream)
    end
end
