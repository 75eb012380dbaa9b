-- Records made while the terminal's clock was set back are found by the hole in their numbers.
local double = require "double"
local holes = require "holes"
local t = require "testing"

local START = double.START

local function told(office)
    local serials = {}
    for i, event in ipairs(office:events "checkin.*") do
        serials[i] = event.data.record
    end
    table.sort(serials)
    return serials
end

local function numbers(count)
    local list = {}
    for i = 1, count do
        list[i] = i
    end
    return list
end

-- Readings that began a day or more ago.
local function count_deep(terminal)
    local count = 0
    for _, request in ipairs(terminal.http:requests "GET /cgi-bin/recordFinder.cgi") do
        local from = tonumber(request.query:match "StartTime=(%d+)")
        local to = tonumber(request.query:match "EndTime=(%d+)")
        count = count + (to - from >= 86399 and 1 or 0)
    end
    return count
end

-- An office that has read 20 records and read far back once, as it does each day.
local function settled()
    local terminal = double.new { rows = {} }
    for i = 1, 20 do
        terminal.rows[i] = double.row(i, START - 5000 + i * 10)
    end
    local office = double.office(terminal)
    office:run "11m"
    return terminal, office, count_deep(terminal)
end

local function remember(terminal, first, last, at)
    for serial = first, last do
        table.insert(terminal.rows, double.row(serial, math.floor(at) + serial - first))
    end
    table.sort(terminal.rows, function(a, b) return a.CreateTime < b.CreateTime end)
end

t.test("a_clock_set_back_and_right_again_between_two_readings_hides_nothing", function()
    local terminal, office, before = settled()
    local now = t.office_now()
    remember(terminal, 21, 25, now - 7200 - 400)
    remember(terminal, 26, 26, now - 10)
    office:run "6m"
    t.equal({ told(office), count_deep(terminal) > before }, { numbers(26), true })
    t.equal({ #office:events "gap.recorded", #office:events "terminal.serial_reset" }, { 1, 0 })
end)

t.test("many_of_them_are_no_numbers_that_begin_again", function()
    local terminal, office = settled()
    local now = t.office_now()
    remember(terminal, 21, 150, now - 7200 - 400)
    remember(terminal, 151, 152, now - 10)
    office:run "6m"
    t.equal({ told(office), office:told "terminal.serial_reset" }, { numbers(152), {} })
end)

t.test("a_hole_below_what_was_pushed_is_seen_too", function()
    local terminal = double.new { rows = {} }
    remember(terminal, 1, 20, START - 5000)
    local office = double.office(terminal, { listen = "http://0.0.0.0:8089" })
    office:run "11m"
    local now = math.floor(t.office_now())
    remember(terminal, 21, 25, now - 7200)
    remember(terminal, 26, 26, now)
    terminal.http:push(8089, "POST /", { body = ('{"Code":"AccessControl","Action":"Pulse",'
        .. '"Index":0,"Data":{"UserID":"1001","RealUTC":%d,"Status":1,"ErrorCode":0,"Method":15,'
        .. '"RecNo":26}}'):format(now) })
    office:run "6m"
    t.equal(told(office), numbers(26))
end)

t.test("numbers_that_never_come_are_looked_for_once", function()
    local terminal, office, before = settled()
    remember(terminal, 25, 25, t.office_now() - 10)
    office:run "6m"
    local once = count_deep(terminal) - before
    t.equal({ once >= 2 and once <= 6, #office:events "gap.recorded" }, { true, 1 })
    for serial = 26, 40 do
        remember(terminal, serial, serial, t.office_now() - 5)
        office:run "6m"
    end
    office:restart()
    office:run "5h"
    t.equal({ count_deep(terminal) - before, #office:events "gap.recorded" }, { once, 1 })
end)

t.test("a_firmware_that_leaves_numbers_out_is_read_far_back_once_an_hour", function()
    local terminal, office, before = settled()
    local serial, count = 20, 0
    for turn = 1, 48 do -- eight hours
        serial = serial + 2
        remember(terminal, serial, serial, t.office_now() - 5)
        office:run "10m"
        count = turn == 1 and count_deep(terminal) - before or count
    end
    local all = count_deep(terminal) - before
    t.holds(count > 0 and all <= 9 * count, all)
end)

t.test("no_moment_of_looking_for_a_hole_is_a_bad_one_to_die", function()
    for nth = 1, 8 do
        for _, step in ipairs { { after = "any", nth = nth }, { before = "commit", nth = nth } } do
            local terminal, office = settled()
            local now = t.office_now()
            remember(terminal, 21, 25, now - 7200)
            remember(terminal, 26, 26, now - 10)
            office:die(step)
            office:run "30m"
            t.equal(told(office), numbers(26))
        end
    end
end)

t.test("a_reading_far_back_that_fails_keeps_nothing_new_back", function()
    local terminal, office = settled()
    local now = t.office_now()
    remember(terminal, 21, 25, now - 7200)
    remember(terminal, 26, 26, now - 10)
    terminal.oldest = now - 86400 -- it answers nothing about what is older
    office:run "6m"
    remember(terminal, 27, 27, t.office_now() - 10)
    office:run "6m"
    t.equal(told(office)[#told(office)], 27)
    terminal.oldest = nil
    office:run "30m"
    t.equal(told(office), numbers(27))
end)

t.test("a_number_far_from_all_others_is_no_hole_until_it_is_read", function()
    local state, ledger = { top = 20 }, { serials = {} }
    holes.hear(state, ledger, 20 + holes.MOST + 1)
    t.equal(holes.count(state, ledger), 0)
    holes.hear(state, ledger, 20 + holes.MOST)
    t.equal(holes.count(state, ledger), holes.MOST - 1)
    holes.note(state, ledger, 21, 1 << 40)
    t.holds(holes.has(state, 1 << 40))
end)

return t.finish()
