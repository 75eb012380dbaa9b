local records = require "records"
local sweep = require "sweep"
local t = require "testing"

local START = 1790640000

-- A terminal: { { serial, time } ... } in the order in which it lists them. At most `cap` at once.
local function device(rows, cap, options)
    options = options or {}
    local self = { asked = 0 }
    function self.ask(from, to)
        self.asked = self.asked + 1
        if options.fails_at == self.asked then
            return nil, "no answer", "timeout"
        end
        local page = { rows = {} }
        for i = 1, #rows do
            local row = rows[options.newest_first and #rows + 1 - i or i]
            if row[2] >= from and row[2] <= to and #page.rows < cap then
                page.rows[#page.rows + 1] = { serial = row[1], time = row[2], raw = "" }
            end
        end
        return page
    end
    return self
end

-- Serials in the order in which they are handed over.
local function run(one, cap, from, to, known)
    local serials = {}
    local sweeper = { ask = one.ask, count = cap,
        is_known = function(row) return known and known[row.serial] or false end,
        done = function() end,
        take = function(rows)
            for _, row in ipairs(rows) do
                serials[#serials + 1] = row.serial
            end
        end }
    local ok, lost, code = sweep.run(sweeper, from, to)
    return serials, ok and lost, code
end

local function list(count, step)
    local rows, serials = {}, {}
    for i = 1, count do
        rows[i], serials[i] = { i, START + i * step }, i
    end
    return rows, serials
end

t.test("each_record_is_read_once_whatever_a_page_holds", function()
    for _, cap in ipairs { 2, 7, 30, 100, 1024 } do
        local rows, serials = list(100, 60)
        local got, lost = run(device(rows, cap), cap, START, START + 86400)
        t.equal(got, serials)
        t.equal(lost, {})
    end
end)

t.test("days_are_asked_for_one_by_one_and_empty_ones_only_once", function()
    local rows, serials = list(10, 86400)
    local one = device(rows, 1024)
    t.equal(run(one, 1024, START, START + 20 * 86400), serials)
    t.holds(one.asked <= 20 + 2 * 10 + 1, one.asked)
end)

t.test("a_firmware_that_lists_the_newest_first_is_read_to_the_end", function()
    local rows, serials = list(100, 60)
    for _, cap in ipairs { 2, 7, 30 } do
        t.equal(run(device(rows, cap, { newest_first = true }), cap, START, START + 86400), serials)
    end
end)

t.test("a_clock_that_was_set_back_changes_nothing_about_the_order", function()
    local rows = {}
    for i = 1, 40 do
        rows[i] = { i, START + 40000 + (i <= 25 and i * 60 or i * 60 - 7200) }
    end
    table.sort(rows, function(a, b) return a[2] < b[2] end)
    local _, serials = list(40, 1)
    t.equal(run(device(rows, 7), 7, START, START + 86400), serials)
end)

t.test("numbers_that_begin_again_stay_behind_the_old_ones", function()
    local rows = {}
    for i = 1, 5 do
        rows[i], rows[i + 5] = { 900 + i, START + i }, { i, START + 100 + i }
    end
    t.equal(run(device(rows, 3), 3, START, START + 86400),
        { 901, 902, 903, 904, 905, 1, 2, 3, 4, 5 })
end)

t.test("records_of_one_second_that_no_page_holds_are_told_as_lost", function()
    local rows = {}
    for i = 1, 10 do
        rows[i] = { i, START + 5 }
    end
    rows[11] = { 11, START + 9 }
    local got, lost = run(device(rows, 4), 4, START, START + 100)
    t.equal({ got, lost }, { { 1, 2, 3, 4, 11 }, { START + 5 } })
end)

t.test("a_page_that_repeats_for_ever_ends_the_window", function()
    local one = { asked = 0 }
    function one.ask()
        one.asked = one.asked + 1
        return { rows = { { serial = 1, time = START + 1, raw = "" } } }
    end
    t.equal(run(one, 1024, START, START + 1000), { 1 })
    t.holds(one.asked <= 3)
end)

t.test("pages_that_always_bring_something_new_are_bounded", function()
    local one = { asked = 0 }
    function one.ask(from)
        one.asked = one.asked + 1
        return { rows = { { serial = one.asked, time = from, raw = "" } } }
    end
    local _, lost = run(one, 1024, START, START + 1000)
    t.holds(one.asked <= 400 and #lost == 1)
end)

t.test("what_is_known_is_not_handed_over", function()
    local rows = list(10, 60)
    t.equal(run(device(rows, 3), 3, START, START + 86400, { [1] = true, [5] = true }),
        { 2, 3, 4, 6, 7, 8, 9, 10 })
end)

t.test("what_was_read_before_a_failure_is_handed_over", function()
    local rows = list(10, 60)
    local got, _, code = run(device(rows, 3, { fails_at = 3 }), 3, START, START + 86400)
    t.equal({ got, code }, { { 1, 2, 3, 4, 5 }, "timeout" })
end)

t.test("many_records_of_a_day_are_handed_over_in_pieces", function()
    local rows, serials = list(5000, 10)
    t.equal(run(device(rows, records.COUNT), records.COUNT, START, START + 86400), serials)
end)

return t.finish()
