local decode = require "decode"
local double = require "double"
local profile = require "profile"
local reader = require "reader"
local t = require "testing"

-- Reads a table image by a shipped profile: readings and the reads that were made.
local function look(name, tables)
    local bus = double.bus(tables)
    local one = reader.new(assert(profile.check(double.sheet(name))))
    local found, message, code = reader.table(one, bus)
    return found, bus.reads, message, code
end

local function fill(into, first, words)
    for i, word in ipairs(words) do
        into[first + i - 1] = word
    end
    return into
end

local function zeros(first, count)
    local words = {}
    for address = first, first + count - 1 do
        words[address] = 0
    end
    return words
end

t.test("monnit_tcp_reads_slots_from_holding_registers", function()
    local words = fill(zeros(0, 900), 0, { 0x00A1, 0xB2C3, 0x0102, 2 })
    fill(words, 100, { 0x00B3, 0x0001, 9, 12, 1, 1, 280, 64 })
    fill(words, 108, { 0x00B3, 0x0002, 9, 0xFFFF, 0, 0, 0, 0 })
    local found, reads = look("monnit-tcp", { holding = words })
    t.equal(found, { station = "10597059", silent = 1, readings = { { tag = "11730945", age = 12,
        strap = true, case = false, battery = 80, rssi = 64,
        raw = "00B300010009000C0001000101180040" } } })
    t.equal(reads, { "holding 0+4", "holding 100+16", "holding 0+4" })
end)

t.test("a_slot_is_never_split_over_two_reads", function()
    local words = fill(zeros(0, 900), 0, { 0, 7, 1, 100 })
    local _, reads = look("monnit-tcp", { holding = words })
    t.equal(reads, { "holding 0+4", "holding 100+120", "holding 220+120", "holding 340+120",
        "holding 460+120", "holding 580+120", "holding 700+120", "holding 820+80", "holding 0+4" })
end)

t.test("monnit_serial_gathers_list_fast_block_and_coils", function()
    local words = fill(zeros(1, 1400), 1, { 0, 95, 2 })
    for slot = 0, 49 do
        fill(words, 100 + 2 * slot, { 0xFFFF, 0xFFFF })
    end
    fill(words, 102, { 1, 2 })
    fill(words, 1007, { 3, 1, 0, 0, 0, 250, 65536 - 71 })
    fill(words, 104, { 1, 3 })
    local coils = {}
    for address = 2000, 2199 do
        coils[address] = false
    end
    coils[2004], coils[2005] = true, true
    local found, reads = look("monnit-serial", { holding = words, coil = coils })
    t.equal(found, { station = "95", silent = 1, readings = { { tag = "65538", age = 3,
        strap = true, case = true, battery = 50, rssi = -71,
        raw = "11 0003000100000000000000FAFFB9 00010002" } } })
    t.equal(reads, { "holding 1+3", "coil 2000+198", "holding 1000+119", "holding 1119+119",
        "holding 1238+112", "holding 100+100", "holding 100+100", "holding 1+3" })
end)

t.test("a_slot_that_changed_its_wristband_between_reads_is_not_believed", function()
    local words = fill(zeros(1, 1400), 1, { 0, 95, 2 })
    fill(words, 100, { 0, 11, 0, 12 })
    fill(words, 1000, { 1, 0, 0, 0, 0, 250, 65500 })
    fill(words, 1007, { 1, 0, 0, 0, 0, 250, 65500 })
    local coils = {}
    for address = 2000, 2199 do
        coils[address] = true
    end
    local bus = double.bus { holding = words, coil = coils }
    bus.before_read = function(n)
        if n == 7 then
            words[101] = 99
        end
    end
    local one = reader.new(assert(profile.check(double.sheet("monnit-serial"))))
    local found = assert(reader.table(one, bus))
    t.equal(#found.readings, 1)
    t.equal(found.readings[1].tag, "12")
end)

t.test("a_table_that_changes_is_read_again", function()
    local words = fill(zeros(0, 900), 0, { 0, 7, 1, 1 })
    fill(words, 100, { 0, 1, 9, 1, 1, 0, 280, 64 })
    fill(words, 108, { 0, 2, 9, 1, 1, 0, 280, 64 })
    local bus = double.bus { holding = words }
    bus.before_read = function(n) words[3] = n < 3 and 1 or 2 end
    local one = reader.new(assert(profile.check(double.sheet("monnit-tcp"))))
    t.equal(#assert(reader.table(one, bus)).readings, 2)
    bus.before_read = function(n) words[3] = n % 3 == 1 and 1 or 2 end
    local _, _, code = reader.table(one, bus)
    t.equal(code, "torn")
end)

t.test("enless_reads_battery_from_status_bits", function()
    local words = fill(zeros(31000, 1103), 31000, { 2, 0, 0 })
    fill(words, 31003, { 0x0A01, 5, 65536 - 80, 0, 77, 0x000D, 1, 2, 3, 4, 5 })
    fill(words, 31014, { 0x0A01, 5, 0x7FFF, 0, 78, 0xFFFF, 0, 0, 0, 0, 0 })
    local found = look("enless", { holding = words })
    t.equal(found.readings[1], { tag = "77", age = 5, strap = true, case = false, battery = 25,
        rssi = -80, raw = "0A010005FFB00000004D000D00010002000300040005" })
    t.equal({ found.readings[2].strap, found.readings[2].battery, found.readings[2].rssi }, {})
end)

t.test("lora_never_updated_is_unknown_and_minutes_are_seconds", function()
    local words = fill(zeros(0, 600), 0, { 5, 1, 2 })
    fill(words, 16, { 0x70B3, 0xD57E, 0xD000, 0x0001, 2, 0x0010, 55, 65536 - 99, 1 })
    fill(words, 25, { 0x70B3, 0xD57E, 0xD000, 0x0002, 0xFFFF, 0xFFFF, 0xFFFF, 0x7FFF, 0 })
    local found = look("lora-modbus", { input = words })
    t.equal(found.station, "65541")
    t.equal(found.silent, 1)
    t.equal(found.readings, { { tag = "70B3D57ED0000001", age = 120, strap = true, case = true,
        battery = 55, rssi = -99, raw = "70B3D57ED000000100020010" .. "0037FF9D0001" } })
end)

t.test("inveo_has_a_flag_an_id_and_a_status_word", function()
    local words = fill(zeros(1000, 12), 1000, { 1, 0, 0xE200, 0x1234, 0x5600 })
    fill(words, 1010, { 0x5A02, 65536 - 55 })
    local one = reader.new(assert(profile.check(double.sheet("inveo-rfid"))))
    local bus = double.bus { holding = words }
    local found = assert(reader.entry(one, bus))
    t.equal(found.count, 1)
    t.equal(found.reading.tag, "E200123456")
    t.equal({ found.reading.strap, found.reading.case, found.reading.battery, found.reading.rssi },
        { false, true, 90, -55 })
    t.equal(bus.reads, { "holding 1000+12" })
    words[1010], words[1011] = 0, 0
    found = assert(reader.entry(one, bus))
    t.equal({ found.reading.battery, found.reading.rssi }, {})
end)

t.test("rf433_has_its_tag_low_word_first", function()
    local words = fill({}, 0, { 0, 7, 1, 3, 65535, 0x0001, 0x00B3, 1, 0xFFFF, 0x7FFF, 9 })
    local one = reader.new(assert(profile.check(double.sheet("rf433-fifo"))))
    local found = assert(reader.entry(one, double.bus { holding = words }))
    t.equal(found, { station = "7", count = 3, sequence = 65535, reading = { tag = "11730945",
        age = 9, strap = true, case = false, sequence = 65535,
        raw = "0000000700010003FFFF000100B30001FFFF7FFF0009" } })
end)

t.test("one_wristband_in_two_slots_is_read_from_the_younger_or_the_open_one", function()
    local words = fill(zeros(0, 900), 0, { 0, 7, 1, 2 })
    fill(words, 100, { 0, 1, 9, 50, 1, 1, 280, 64 })
    fill(words, 108, { 0, 1, 9, 3, 1, 0, 280, 64 })
    t.equal(look("monnit-tcp", { holding = words }).readings[1].strap, false)
    words[103] = 3
    t.equal(look("monnit-tcp", { holding = words }).readings[1].strap, true)
    t.equal(#look("monnit-tcp", { holding = words }).readings, 1)
end)

t.test("an_impossible_number_of_wristbands_is_garbage", function()
    local words = fill(zeros(0, 900), 0, { 0, 7, 1, 101 })
    local _, _, message, code = look("monnit-tcp", { holding = words })
    t.equal(code, "garbage")
    t.equal(message, "the station says it has 101 wristbands, at most 100 are possible")
end)

t.test("random_registers_give_readings_within_their_bounds", function()
    math.randomseed(3)
    for _, name in ipairs(profile.SHIPPED) do
        local sheet = assert(profile.check(double.sheet(name)))
        local blocks = {}
        for block in pairs(sheet.blocks) do
            blocks[#blocks + 1] = block
        end
        table.sort(blocks)
        for _ = 1, 2000 do
            local words = {}
            for block, declared in pairs(sheet.blocks) do
                words[block] = {}
                for i = 1, declared.length do
                    words[block][i] = declared.table == "coil" and math.random() < 0.5
                    if declared.table ~= "coil" then
                        words[block][i] = math.random(0, 0xFFFF)
                    end
                end
            end
            local reading = decode.reading(sheet, words, blocks)
            if reading then
                t.holds(reading.tag:find("^[%w]+$"))
                t.holds(not reading.battery or reading.battery >= 0 and reading.battery <= 100)
                t.holds(not reading.age or reading.age >= 0)
            end
        end
    end
end)

return t.finish()
