-- reader - one look at a base station: requests by the profile, readings out.
--
-- The only file here that speaks Modbus; the bus is handed in. Failures are nil, message, code.
-- What is read in several requests is believed only when station, count, sequence and the tags
-- read the same before and after, so that no reading is ever given to the wrong wristband.
local decode = require "decode"

local reader = {}

local ATTEMPTS = 3
local WORDS_MAX, BITS_MAX = 125, 2000
local READS = {
    holding = "read_holding", input = "read_input", coil = "read_coils", discrete = "read_discrete",
}

local function sorted_blocks(profile, strided)
    local names = {}
    for name, block in pairs(profile.blocks) do
        if (block.stride ~= nil) == strided then
            names[#names + 1] = name
        end
    end
    table.sort(names)
    return names
end

function reader.new(profile)
    return {
        profile = profile,
        heads = sorted_blocks(profile, false), slots = sorted_blocks(profile, true),
    }
end

local function read(bus, block, address, count)
    local words, message, code = bus[READS[block.table]](bus, address, count)
    if words and #words ~= count then
        return nil, ("asked for %d registers, got %d"):format(count, #words), "identity"
    end
    return words, message, code
end

local function read_heads(self, bus)
    local words = {}
    for _, name in ipairs(self.heads) do
        local block = self.profile.blocks[name]
        local message, code
        words[name], message, code = read(bus, block, block.first, block.length)
        if not words[name] then
            return nil, message, code
        end
    end
    return words
end

local function per_read(block)
    local most = (block.table == "coil" or block.table == "discrete") and BITS_MAX or WORDS_MAX
    return (most - block.length) // block.stride + 1
end

-- Appends the words of slots 0 .. count-1 of one block to slots[i][name].
local function read_block(self, bus, name, count, slots)
    local block = self.profile.blocks[name]
    local at = 0
    while at < count do
        local several = math.min(per_read(block), count - at)
        local length = (several - 1) * block.stride + block.length
        local words, message, code =
            read(bus, block, block.first + at * block.stride, length)
        if not words then
            return nil, message, code
        end
        for i = 0, several - 1 do
            local slot = slots[at + i + 1] or {}
            slots[at + i + 1] = slot
            slot[name] = table.move(words, i * block.stride + 1,
                i * block.stride + block.length, 1, {})
        end
        at = at + several
    end
    return slots
end

local function read_slots(self, bus, count)
    local slots = {}
    for _, name in ipairs(self.slots) do
        local done, message, code = read_block(self, bus, name, count, slots)
        if not done then
            return nil, message, code
        end
    end
    return slots
end

-- With a slot spread over several reads: whether each still has the tag it had.
local function drop_moved(self, bus, slots)
    if #self.slots == 1 then
        return slots
    end
    local name = self.profile.fields.tag.block
    local again, message, code = read_block(self, bus, name, #slots, {})
    if not again then
        return nil, message, code
    end
    for i, slot in ipairs(slots) do
        if decode.tag(self.profile, slot) ~= decode.tag(self.profile, again[i]) then
            slot.moved = true
        end
    end
    return slots
end

-- Of two readings of one wristband the younger one counts; of two equally old ones whatever is
-- open in either, because a missed cut is worse than a second look.
local function merge(one, other)
    local age, other_age = one.age or 0, other.age or 0
    if age ~= other_age then
        return age < other_age and one or other
    end
    for _, name in ipairs { "strap", "case" } do
        if other[name] and not one[name] then
            return other
        end
    end
    return one
end

local function readings_of(self, slots)
    local readings, index, silent = {}, {}, 0
    for _, slot in ipairs(slots) do
        local reading, why
        if not slot.moved then
            reading, why = decode.reading(self.profile, slot, self.slots)
        end
        silent = silent + (why == "silent" and 1 or 0)
        local known = reading and index[reading.tag]
        if known then
            readings[known] = merge(readings[known], reading)
        elseif reading then
            readings[#readings + 1] = reading
            index[reading.tag] = #readings
        end
    end
    return readings, silent
end

local function same_head(a, b)
    return a.station == b.station and a.count == b.count and a.sequence == b.sequence
end

local function attempt(self, bus)
    local words, message, code = read_heads(self, bus)
    if not words then
        return nil, message, code
    end
    local head = decode.head(self.profile, words)
    local count = self.profile.fields.count and head.count or self.profile.most
    if not count or count > self.profile.most then
        return nil, ("the station says it has %s wristbands, at most %d are possible"):format(
            count or "no number of", self.profile.most), "garbage"
    end
    local slots
    slots, message, code = read_slots(self, bus, count)
    if slots then
        slots, message, code = drop_moved(self, bus, slots)
    end
    local after
    if slots then
        after, message, code = read_heads(self, bus)
    end
    if not after then
        return nil, message, code
    end
    if not same_head(head, decode.head(self.profile, after)) then
        return nil, "the table kept changing while it was read", "torn"
    end
    local look = { station = head.station }
    look.readings, look.silent = readings_of(self, slots)
    return look
end

-- The whole slot table: { station =, readings =, silent = number of slots without a reading }.
function reader.table(self, bus)
    local look, message, code
    for _ = 1, ATTEMPTS do
        look, message, code = attempt(self, bus)
        if code ~= "torn" then
            break
        end
    end
    return look, message, code
end

-- The oldest entry of a mailbox or FIFO: { station =, count =, reading = or nil, why = }. Count,
-- serial and entry come with one read.
function reader.entry(self, bus)
    local words, message, code = read_heads(self, bus)
    if not words then
        return nil, message, code
    end
    local look = decode.head(self.profile, words)
    if not look.count then
        return nil, "the number of waiting entries is unknown", "garbage"
    end
    if look.count > 0 then
        look.reading, look.why = decode.reading(self.profile, words, self.heads)
    end
    return look
end

-- Drops the entry that was looked at. Only after what it said is committed.
function reader.release(self, bus, look)
    local release = self.profile.release
    local number = release.value == "sequence" and look.sequence or release.value
    if number == "sequence" then
        return nil, "the entry has no sequence", "garbage"
    end
    if release.table == "coil" then
        return bus:write_coil(release.at, number ~= 0)
    end
    return bus:write_register(release.at, number)
end

return reader
