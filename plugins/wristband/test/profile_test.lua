local double = require "double"
local profile = require "profile"
local t = require "testing"

local function base()
    return {
        name = "mine", style = "slots", most = 4,
        blocks = { head = { table = "input", first = 0, length = 2 },
            slot = { table = "input", first = 10, length = 4, stride = 4 } },
        fields = { count = { block = "head", at = 0 }, tag = { block = "slot", at = 0,
            type = "u32" }, age = { block = "slot", at = 2 } },
    }
end

-- Changes the base profile at a dotted path and expects the error.
local function refuses(path, value, message)
    local sheet = base()
    local at, names = sheet, {}
    for name in path:gmatch("[^.]+") do
        names[#names + 1] = name
    end
    for i = 1, #names - 1 do
        at = at[names[i]]
    end
    at[names[#names]] = value
    local checked, err = profile.check(sheet)
    t.equal(checked, nil)
    t.equal(err, message)
end

t.test("all_shipped_profiles_are_right_and_named_after_their_files", function()
    for _, name in ipairs(profile.SHIPPED) do
        local checked, err = profile.check(double.sheet(name))
        t.equal(err, nil)
        t.equal(checked.name, name)
    end
end)

t.test("a_checked_profile_has_every_default", function()
    local checked = assert(profile.check(base()))
    t.equal(checked.unit, 1)
    t.equal(checked.fields.age, { block = "slot", at = 2, type = "u16", order = "big",
        bytes = "big", unit = "s", inverted = false })
end)

t.test("an_error_names_field_expectation_and_value", function()
    refuses("style", "slot", 'style: expected one of "slots", "mailbox", "fifo", got "slot"')
    refuses("fields.strp", { at = 1 },
        'fields.strp: expected a known name, perhaps "strap", got a table')
    refuses("fields.age.at", 4, 'fields.age.at: expected at most 3, because block "slot" has the '
        .. "length 4, got 4")
    refuses("fields.tag.at", 3, 'fields.tag.at: expected at most 2, because block "slot" has the '
        .. "length 4, got 3")
    refuses("fields.age.unit", "h", "fields.age.unit: expected s, min or ms for age, % or V for "
        .. 'battery, dBm or % for rssi, got "h"')
    refuses("fields.age.block", "slto",
        'fields.age.block: expected the name of a block, got "slto"')
    refuses("fields.rssi", { block = "head", at = 1 },
        'fields.rssi.block: expected a block with a stride, got "head"')
    refuses("fields.station", { block = "slot", at = 3 },
        'fields.station.block: expected a block without a stride, got "slot"')
    refuses("fields.age", nil, "fields.age: expected a field, because only its age tells a heard "
        .. "slot from a stale one, got nothing")
    refuses("fields.tag.type", "float",
        'fields.tag.type: expected u16, u32, bytes or text, because it is an id, got "float"')
    refuses("fields.tag.type", "bytes",
        "fields.tag.length: expected a length with the types bytes and text only, got nothing")
    refuses("fields.battery", { block = "slot", at = 3, unit = "V" },
        "fields.battery.empty: expected volts below those of full, because the unit is V, "
        .. "got nothing")
    refuses("fields.strap", { block = "slot", at = 3, bit = 16 },
        "fields.strap.bit: expected bits within the number, got 16")
end)

t.test("blocks_must_fit_one_read_and_the_address_space", function()
    refuses("blocks.slot.length", 126,
        "blocks.slot.length: expected at most 125, what one read can bring, got 126")
    refuses("blocks.slot.stride", 3, "blocks.slot.stride: expected at least the length 4, got 3")
    refuses("blocks.slot.first", 65530, "blocks.slot.first: expected an address whose last "
        .. "register is at most 65535, got 65530")
    refuses("blocks.slot.table", "register",
        'blocks.slot.table: expected one of "holding", "input", "coil", "discrete", got "register"')
    refuses("most", nil, "most: expected how many slots there are at most, got nothing")
    refuses("blocks", {}, "blocks: expected at least one block, got nothing")
end)

t.test("a_queue_needs_one_block_a_count_and_a_release", function()
    local function queue(change)
        local sheet = double.sheet("rf433-fifo")
        change(sheet)
        return select(2, profile.check(sheet))
    end
    t.equal(queue(function(s) s.release = nil end),
        "release: expected the write that drops an entry, got nothing")
    t.equal(queue(function(s) s.fields.count = nil end),
        "fields.count: expected a field that says whether an entry waits, got nothing")
    t.equal(queue(function(s) s.release.value = "oldest" end), "release.value: expected a number "
        .. 'of 0 to 65535, or "sequence" with a field sequence, got "oldest"')
    t.equal(queue(function(s) s.fields.sequence = nil end), "release.value: expected a number "
        .. 'of 0 to 65535, or "sequence" with a field sequence, got "sequence"')
    t.equal(queue(function(s) s.blocks.entry.stride = 11 end),
        "blocks: expected a single block without stride, because a fifo is read at once, "
        .. "got a table")
    refuses("release", { table = "coil", at = 0, value = 0 },
        "release: expected none for slots, got a table")
end)

t.test("no_table_of_any_shape_raises", function()
    math.randomseed(11)
    local junk = { 0, -1, 70000, 1.5, "", "x", true, {}, { {} }, { a = {} }, "sequence", "slot" }
    local function mutate(value)
        if type(value) ~= "table" then
            return math.random() < 0.1 and junk[math.random(#junk)] or value
        end
        local copy = {}
        for key, item in pairs(value) do
            if math.random() > 0.05 then
                copy[key] = math.random() < 0.05 and junk[math.random(#junk)] or mutate(item)
            end
        end
        return copy
    end
    for i = 1, 3000 do
        local checked, err = profile.check(mutate(double.sheet(
            profile.SHIPPED[i % #profile.SHIPPED + 1])))
        t.holds(checked or type(err) == "string")
    end
end)

return t.finish()
