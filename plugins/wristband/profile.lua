-- profile - what a base station profile may say, and whether it makes sense as a whole.
--
-- A profile is a table of data (profiles/*.lua, or a file of the user). check() answers the same
-- table with every default filled in, so that nobody else needs to know the defaults; README.md
-- teaches how to write one.
local schema = require "schema"

local profile = {}

profile.SHIPPED = {
    "enless", "inveo-rfid", "lora-modbus", "monnit-serial", "monnit-tcp", "rf433-fifo",
}

local WORDS_MAX = 125 -- of one Modbus read; a slot is never split over two reads
local BITS_MAX = 2000
local ORDERS = { "big", "little" }

local FIELD = schema.record {
    block = schema.text { doc = "the block it lies in; needed when there are several", max = 32,
        optional = true },
    at = schema.integer { doc = "first register, counted from 0 at the start of the block (slot)",
        min = 0, max = BITS_MAX - 1 },
    type = schema.choice { doc = "how the registers are read", default = "u16",
        choices = { "u16", "i16", "u32", "i32", "float", "bytes", "text" } },
    length = schema.integer { doc = "registers of a bytes or text", min = 1, max = 16,
        optional = true },
    order = schema.choice { doc = "which word of two comes first", choices = ORDERS,
        optional = true },
    bytes = schema.choice { doc = "which byte of a word comes first", choices = ORDERS,
        optional = true },
    bit = schema.integer { doc = "the lowest bit, if it is not the whole number", min = 0, max = 31,
        optional = true },
    bits = schema.integer { doc = "how many bits", min = 1, max = 16, optional = true },
    inverted = schema.boolean { doc = "a flag whose 0 means yes", default = false },
    values = schema.list(schema.number {}, { doc = "what the numbers 0, 1, 2 ... stand for",
        max = 256, optional = true }),
    unknown = schema.list(schema.integer {}, { doc = "numbers that mean: not known", max = 16,
        optional = true }),
    scale = schema.number { doc = "the number is multiplied by it", optional = true },
    min = schema.number { doc = "below it: not known", optional = true },
    max = schema.number { doc = "above it: not known", optional = true },
    unit = schema.text { doc = "age: s, min, ms; battery: %, V; rssi: dBm, %", max = 8,
        optional = true },
    empty = schema.number { doc = "volts of an empty battery", optional = true },
    full = schema.number { doc = "volts of a full battery", optional = true },
}

profile.field = FIELD

local function field(doc)
    return schema.record(FIELD.fields, { doc = doc, optional = true })
end

local BLOCK = schema.record {
    table = schema.choice { doc = "which of the four Modbus tables",
        choices = { "holding", "input", "coil", "discrete" } },
    first = schema.integer { doc = "raw address (from 0) of the first register", min = 0,
        max = 65535 },
    length = schema.integer { doc = "how many registers", min = 1, max = BITS_MAX },
    stride = schema.integer { doc = "from one slot to the next; absent: the block is no slot",
        min = 1, max = BITS_MAX, optional = true },
}

profile.block = BLOCK

-- The whole; for documents also its parts `block` and `field`.
profile.schema = schema.record {
    name = schema.text { doc = "name of the profile; in every event", max = 32,
        pattern = "^%w[%w_.-]*$", expects = 'a name of letters, digits, "-", "_" or "."' },
    summary = schema.text { doc = "one line for people", default = "" },
    style = schema.choice { doc = "how the station shows its wristbands",
        choices = { "slots", "mailbox", "fifo" } },
    unit = schema.integer { doc = "Modbus unit (slave) address", min = 0, max = 255, default = 1 },
    order = schema.choice { doc = "which word of two comes first", choices = ORDERS,
        default = "big" },
    bytes = schema.choice { doc = "which byte of a word comes first", choices = ORDERS,
        default = "big" },
    most = schema.integer { doc = "slots: how many there are at most", min = 1, max = 1000,
        optional = true },
    blocks = schema.map(BLOCK, { doc = "what is read together", max = 8 }),
    fields = schema.record({
        station = field "serial of the station, proves that it is still the same one",
        count = field "slots: how many are used; mailbox, fifo: how many entries wait",
        sequence = field "slots: changes with the table; fifo: number of the oldest entry",
        tag = schema.record(FIELD.fields, { doc = "id of the wristband" }),
        age = field "time since the station heard the wristband; slots must have it",
        active = field "0: this slot has nothing",
        strap = field "1: strap open",
        case = field "1: case open",
        battery = field "battery",
        rssi = field "strength of the signal",
    }, { doc = "where things are" }),
    release = schema.record({
        table = schema.choice { doc = "where to write", choices = { "coil", "holding" } },
        at = schema.integer { doc = "raw address (from 0)", min = 0, max = 65535 },
        value = schema.any { doc = 'a number, or "sequence": the sequence of the entry' },
    }, { doc = "mailbox, fifo: the write that drops the entry", optional = true }),
}

local PER_STATION = { station = true, count = true, sequence = true }
local UNITS = {
    age = { s = true, min = true, ms = true },
    battery = { ["%"] = true, V = true },
    rssi = { dBm = true, ["%"] = true },
}
local DEFAULT_UNITS = { age = "s", battery = "%", rssi = "dBm" }
local ID_TYPES = { u16 = true, u32 = true, bytes = true, text = true }

-- Leaves check() with an error in the form of all errors of settings.
local function refuse(path, expected, got)
    error({ text = ("%s: expected %s, got %s"):format(path, expected, schema.show(got)) }, 0)
end

local function is_bits(block)
    return block.table == "coil" or block.table == "discrete"
end

local function width(one)
    if one.type == "bytes" or one.type == "text" then
        return one.length
    end
    return (one.type == "u16" or one.type == "i16") and 1 or 2
end

local function check_block(checked, name, block)
    local path = "blocks." .. name
    local most = is_bits(block) and BITS_MAX or WORDS_MAX
    if block.length > most then
        refuse(path .. ".length", ("at most %d, what one read can bring"):format(most),
            block.length)
    end
    if block.stride and block.stride < block.length then
        refuse(path .. ".stride", ("at least the length %d"):format(block.length), block.stride)
    end
    local slots = block.stride and checked.most or 1
    local last = block.first + (slots - 1) * (block.stride or 0) + block.length - 1
    if last > 65535 then
        refuse(path .. ".first", "an address whose last register is at most 65535", block.first)
    end
end

local function check_blocks(checked)
    local strided, only = 0, nil
    for name, block in pairs(checked.blocks) do
        strided = strided + (block.stride and 1 or 0)
        only = only == nil and name or false
    end
    if only == nil then
        refuse("blocks", "at least one block", nil)
    end
    if checked.style == "slots" and (strided == 0 or not checked.most) then
        refuse(strided == 0 and "blocks" or "most", strided == 0 and "a block with a stride"
            or "how many slots there are at most", nil)
    end
    if checked.style ~= "slots" and (not only or strided > 0) then
        refuse("blocks", ("a single block without stride, because a %s is read at once"):format(
            checked.style), checked.blocks)
    end
    for name, block in pairs(checked.blocks) do
        check_block(checked, name, block)
    end
    return only or nil
end

local function check_place(checked, name, one)
    local path = "fields." .. name
    local block = one.block and checked.blocks[one.block]
    if not block then
        refuse(path .. ".block", "the name of a block", one.block)
    end
    if (one.type == "bytes" or one.type == "text") ~= (one.length ~= nil) then
        refuse(path .. ".length", "a length with the types bytes and text only", one.length)
    end
    if one.at + width(one) > block.length then
        refuse(path .. ".at", ('at most %d, because block "%s" has the length %d'):format(
            block.length - width(one), one.block, block.length), one.at)
    end
    if is_bits(block) and (one.type ~= "u16" or one.bit) then
        refuse(path .. ".type", "u16 without bit, because its block holds single bits", one.type)
    end
    local per_slot = checked.style == "slots" and not PER_STATION[name]
    if per_slot ~= (block.stride ~= nil) then
        refuse(path .. ".block", per_slot and "a block with a stride" or "a block without a stride",
            one.block)
    end
end

local function check_meaning(name, one)
    local path = "fields." .. name
    if (name == "tag" or name == "station") and not ID_TYPES[one.type] then
        refuse(path .. ".type", "u16, u32, bytes or text, because it is an id", one.type)
    end
    if UNITS[name] and not UNITS[name][one.unit] then
        refuse(path .. ".unit", "s, min or ms for age, % or V for battery, dBm or % for rssi",
            one.unit)
    end
    if one.unit == "V" and not (one.empty and one.full and one.empty < one.full) then
        refuse(path .. ".empty", "volts below those of full, because the unit is V", one.empty)
    end
    local word_bits = width(one) == 1 and 16 or 32
    if one.bit and (one.type == "float" or one.length or one.bit + (one.bits or 1) > word_bits) then
        refuse(path .. ".bit", "bits within the number", one.bit)
    end
end

local function check_style(checked)
    local fields, release = checked.fields, checked.release
    if checked.style == "slots" then
        if not fields.age then
            refuse("fields.age", "a field, because only its age tells a heard slot from a stale "
                .. "one", nil)
        end
        if release then
            refuse("release", "none for slots", release)
        end
        return
    end
    if not fields.count then
        refuse("fields.count", "a field that says whether an entry waits", nil)
    end
    if not release then
        refuse("release", "the write that drops an entry", nil)
    end
    local number = math.type(release.value) == "integer" and release.value >= 0
        and release.value <= 65535
    if not number and not (release.value == "sequence" and fields.sequence
        and release.table == "holding") then
        refuse("release.value", 'a number of 0 to 65535, or "sequence" with a field sequence',
            release.value)
    end
end

local function complete(checked)
    local only = check_blocks(checked)
    for name, one in pairs(checked.fields) do
        one.block = one.block or only
        one.order = one.order or checked.order
        one.bytes = one.bytes or checked.bytes
        one.unit = one.unit or DEFAULT_UNITS[name]
        check_place(checked, name, one)
        check_meaning(name, one)
    end
    check_style(checked)
    return checked
end

-- The profile with its defaults, or nil and what is wrong in the words of all settings.
function profile.check(sheet)
    local checked, err = profile.schema:check(sheet)
    if not checked then
        return nil, err
    end
    local ok, result = pcall(complete, checked)
    if ok then
        return result
    end
    return nil, type(result) == "table" and result.text or result
end

return profile
