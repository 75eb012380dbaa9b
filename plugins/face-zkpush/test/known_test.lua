local known = require "known"
local t = require "testing"

-- A store as the host has one: what is put counts, in the order of the keys.
local function store()
    local rows = {}
    return { rows = rows,
        put = function(key, value)
            assert(#key <= 128 and #value <= 65536)
            rows[key] = value
        end,
        remove = function(key) rows[key] = nil end,
        range = function(from, below, limit)
            local list = {}
            for key, value in pairs(rows) do
                if key >= from and key < below then
                    list[#list + 1] = { key, value }
                end
            end
            table.sort(list, function(a, b) return a[1] < b[1] end)
            return table.move(list, 1, math.min(#list, limit), 1, {}), #list > limit
        end }
end

local NONE = { records = 0, values = 0 }
local MANY = known.bounds(1)

-- Some hash of a number.
local function hash(i)
    return known.short(("%016x"):format(i * 0x9E3779B97F4A7C15))
end

local function day(i)
    return ("2026%02d%02d"):format(i // 28 % 12 + 1, i % 28 + 1)
end

t.test("eight_letters_are_48_bits", function()
    t.equal(known.short "000000000000ffff", "AAAAAAAA")
    t.equal(known.short "ffffffffffff0000", "________")
    t.equal(known.short "000000000001", "AAAAAAAB")
end)

-- As terminals have them: 300 a day for a year, then all of it again in chunks of 128.
t.test("a_hundred_thousand_records_are_known_a_year_later", function()
    local shelf, held = store(), NONE
    local days = {}
    for i = 0, 99999 do
        local at = i // 300
        days[at] = days[at] or {}
        table.insert(days[at], i)
    end
    for turn = 1, 2 do
        local new = 0
        for at = 0, #days do
            local one = known.open(shelf, "SN1", held, MANY)
            for _, i in ipairs(days[at]) do
                new = new + (known.learn(one, day(at), hash(i)) and 1 or 0)
            end
            held = known.flush(one)
        end
        t.equal({ turn, new, held }, { turn, turn == 1 and 100000 or 0,
            { records = 100000, values = 334 } })
    end
    local bytes, keys = 0, 0
    for key, value in pairs(shelf.rows) do
        bytes, keys = bytes + #key + #value, keys + 1
    end
    t.holds(bytes < 820000 and keys < 400, ("%d bytes, %d keys"):format(bytes, keys))
end)

t.test("a_day_of_many_records_has_several_values", function()
    local shelf = store()
    local one = known.open(shelf, "SN1", NONE, MANY)
    for i = 1, 4000 do
        t.holds(known.learn(one, "20260820", hash(i)))
    end
    known.flush(one)
    local sizes = {}
    for key, value in pairs(shelf.rows) do
        sizes[key] = #value // 8
    end
    t.equal(sizes, { ["known/SN1/20260820/001"] = 1500, ["known/SN1/20260820/002"] = 1500,
        ["known/SN1/20260820/003"] = 1000 })
    local again = known.open(shelf, "SN1", { records = 4000, values = 3 }, MANY)
    for i = 1, 4000 do
        t.holds(not known.learn(again, "20260820", hash(i)))
    end
    t.equal(known.flush(again), { records = 4000, values = 3 })
end)

t.test("what_was_not_flushed_is_not_known", function()
    local shelf = store()
    t.holds(known.learn(known.open(shelf, "SN1", NONE, MANY), "20260820", hash(1)))
    t.holds(known.learn(known.open(shelf, "SN1", NONE, MANY), "20260820", hash(1)))
end)

t.test("terminals_and_days_are_apart", function()
    local shelf = store()
    for _, serial in ipairs { "SN1", "SN10" } do
        for _, at in ipairs { "20260820", "20260821" } do
            local one = known.open(shelf, serial, NONE, MANY)
            t.holds(known.learn(one, at, hash(1)))
            known.flush(one)
        end
    end
end)

t.test("letters_across_two_hashes_are_no_hash", function()
    local one = known.open(store(), "SN1", NONE, MANY)
    t.holds(known.learn(one, "20260820", "AAAABBBB"))
    t.holds(known.learn(one, "20260820", "CCCCDDDD"))
    t.holds(known.learn(one, "20260820", "BBBBCCCC"))
    t.holds(not known.learn(one, "20260820", "CCCCDDDD"))
end)

t.test("beyond_a_bound_the_oldest_days_go_and_are_told_again", function()
    for _, bounds in ipairs { { records = 1000, values = 9999 },
        { records = 9999, values = 10 } } do
        local shelf, held = store(), NONE
        for at = 0, 19 do
            local one = known.open(shelf, "SN1", held, bounds)
            for i = 1, 100 do
                t.holds(known.learn(one, day(at), hash(at * 1000 + i)))
            end
            held = known.flush(one)
            t.holds(held.records <= 1000 and held.values <= 10)
        end
        local one = known.open(shelf, "SN1", held, bounds)
        t.holds(not known.learn(one, day(19), hash(19001)))
        t.holds(not known.learn(one, day(10), hash(10001)))
        t.holds(known.learn(one, day(0), hash(1)))
    end
end)

t.test("all_terminals_together_stay_within_the_store_of_a_plugin", function()
    t.equal(known.bounds(1), { records = 200000, values = 10000 })
    for terminals = 1, 32 do
        local each = known.bounds(terminals)
        t.holds(each.records >= 87500 and each.values >= 1875)
        t.holds(each.records * terminals * 8 + each.values * terminals * 64 < 30 * 1024 * 1024)
        t.holds(each.values * terminals < 65000)
    end
end)

t.test("many_days_in_one_upload_are_all_kept", function()
    local shelf = store()
    local one = known.open(shelf, "SN1", NONE, MANY)
    for at = 0, 99 do
        t.holds(known.learn(one, day(at), hash(at)))
    end
    t.equal(known.flush(one), { records = 100, values = 100 })
    t.holds(known.weight(one) >= 800)
    known.committed(one)
    t.equal(known.weight(one), 0)
    local again = known.open(shelf, "SN1", { records = 100, values = 100 }, MANY)
    for at = 0, 99 do
        t.holds(not known.learn(again, day(at), hash(at)))
    end
end)

return t.finish()
