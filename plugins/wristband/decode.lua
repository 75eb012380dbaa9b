-- decode - registers of one wristband, by a profile, as a reading.
--
--   reading = { tag =, age = seconds, strap = open?, case = open?, battery = percent, rssi =,
--               sequence =, raw = hex of the registers it was read from }
--
-- What is unknown is absent. Nothing that is impossible becomes a value.
local registers = require "registers"

local decode = {}

local SECONDS = { s = 1, min = 60, ms = 0.001 }
local RSSI_RANGE = { dBm = { -200, 30 }, ["%"] = { 0, 100 } }

local function value(profile, name, words)
    local field = profile.fields[name]
    return field and registers.value(words[field.block], field)
end

local function flag(profile, name, words)
    local number = value(profile, name, words)
    if number == nil then
        return nil
    end
    return (number ~= 0) ~= profile.fields[name].inverted
end

local function age(profile, words)
    local number = value(profile, "age", words)
    return number and number >= 0 and number * SECONDS[profile.fields.age.unit] or nil
end

local function battery(profile, words)
    local number, field = value(profile, "battery", words), profile.fields.battery
    if number and field.unit == "V" then
        if number <= 0 then
            return nil
        end
        local share = (number - field.empty) / (field.full - field.empty)
        number = math.max(0, math.min(1, share)) * 100
    end
    if not number or number < 0 or number > 100 then
        return nil
    end
    return math.floor(number + 0.5)
end

local function rssi(profile, words)
    local number = value(profile, "rssi", words)
    local range = number and RSSI_RANGE[profile.fields.rssi.unit]
    return range and number >= range[1] and number <= range[2] and number or nil
end

local function id(profile, name, words)
    local found = value(profile, name, words)
    if math.type(found) == "integer" then
        found = ("%d"):format(found)
    end
    return found and #found <= 64 and found:find("^%w[%w_:.-]*$") and found or nil
end

-- The words of a block as hex, or as bits for coils.
local function raw(words)
    if type(words[1]) ~= "boolean" then
        return registers.hex(words, 0, #words)
    end
    local bits = {}
    for i, bit in ipairs(words) do
        bits[i] = bit and "1" or "0"
    end
    return table.concat(bits)
end

-- { station =, count =, sequence = } of the blocks that are read once. `words` maps the name of a
-- block to its words, here and below.
function decode.head(profile, words)
    return {
        station = id(profile, "station", words),
        count = value(profile, "count", words),
        sequence = value(profile, "sequence", words),
    }
end

-- The tag alone, to see whether a slot still belongs to the same wristband.
function decode.tag(profile, words)
    return id(profile, "tag", words)
end

-- The reading, or nil and "empty" (no wristband) or "silent" (never heard, nothing new).
function decode.reading(profile, words, blocks)
    local tag = id(profile, "tag", words)
    if not tag then
        return nil, "empty"
    end
    local heard = age(profile, words)
    if flag(profile, "active", words) == false or profile.style == "slots" and not heard then
        return nil, "silent"
    end
    local parts = {}
    for i, name in ipairs(blocks) do
        parts[i] = raw(words[name])
    end
    return {
        tag = tag, age = heard, strap = flag(profile, "strap", words),
        case = flag(profile, "case", words), battery = battery(profile, words),
        rssi = rssi(profile, words), raw = table.concat(parts, " "),
        sequence = profile.style ~= "slots" and value(profile, "sequence", words) or nil,
    }
end

return decode
