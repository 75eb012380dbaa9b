-- The search behind everything, in the real host: what it tells, in which order, how often.
local double = require "double"
local t = require "testing"

local function serials(office)
    local list = {}
    for _, event in ipairs(office:events "*") do
        if event.data.record then
            list[#list + 1] = event.data.record
        end
    end
    return list
end

local function upto(last, first, list)
    list = list or {}
    for i = first or 1, last do
        list[#list + 1] = i
    end
    return list
end

t.test("what_is_stored_is_told_once_in_order_of_its_numbers", function()
    local one = double.new { by_time = true }
    one:fill(100)
    local office = double.begin(one)
    office:run "30s"
    t.equal(serials(office), upto(100))
    local event = office:events("checkin.verified")[1]
    t.equal(event.subject, "person/8001")
    t.equal(event.data.codes, { major = 5, minor = 75 })
    t.equal(event.data.method, "face")
    one:record { person = "8003" }
    office:run "15s"
    t.equal(serials(office), upto(101))
end)

t.test("a_clock_that_jumps_back_in_a_page_changes_no_order", function()
    local one = double.new { by_time = true }
    one:fill(50)
    for _ = 1, 40 do
        one:record { time = "2026-11-21T08:00:00+08:00", person = "8001" }
    end
    local office = double.begin(one)
    office:run "30s"
    t.equal(serials(office), upto(90))
end)

t.test("small_pages_and_no_status_are_read_to_their_end", function()
    for _, quirk in ipairs { { page = 7 }, { no_status = true }, { page = 10, by_time = true } } do
        local one = double.new(quirk)
        one:fill(65)
        local office = double.begin(one)
        office:run "30s"
        t.equal(serials(office), upto(65))
    end
end)

local function none() end

t.test("whatever_status_and_count_say_all_pages_are_read", function()
    for _, quirk in ipairs { { no_status = true, total = none }, { total = none },
        { total = function() return 1 end }, { total = function(count) return count * 9 end },
        { no_status = true, total = function(count) return tostring(count) end },
        { page = 7, same_page = true, newest_first = true }, { page = 4, same_page = true },
        { same_page = true, total = function(count) return count + 1 end } } do
        for _, by in ipairs { false, true } do
            if not (by and quirk.same_page) then
                quirk.no_range, quirk.by_time = by, by
                local one = double.new(quirk)
                one:fill(65)
                local office = double.begin(one)
                office:run "30s"
                local list = serials(office)
                table.sort(list)
                t.equal(list, upto(65))
            end
        end
    end
end)

t.test("numbers_beyond_those_of_the_documents_are_read_and_begin_again_at_1", function()
    for _, last in ipairs { 2147483647, 4294967295 } do
        local one = double.new { page = 30 }
        one.last = last - 40
        one:fill(38)
        local office = double.begin(one, { mode = "push", listen = "http://0.0.0.0:8088",
            push_to = "http://10.0.0.1:8088/isapi" })
        office:run "30s"
        one:push(one:record { person = "8001" })
        one:record { person = "8002" }
        office:run "1h"
        one.last = 0
        for _ = 1, 3 do
            one:push(one:record { person = "8003" })
        end
        office:run "1h"
        t.equal(serials(office), upto(3, 1, upto(last, last - 39)))
        t.equal(#office:events "terminal.serial_reset", 1)
    end
end)

t.test("a_log_that_begins_at_a_great_number_is_found", function()
    local one = double.new()
    one.last = 168408
    one:fill(40)
    local office = double.begin(one)
    office:run "30s"
    t.equal(serials(office), upto(168448, 168409))
    t.equal(#office:events "gap.recorded", 0)
end)

t.test("numbers_that_are_missing_are_a_gap_and_not_waited_for", function()
    local one = double.new()
    one:fill(5)
    one.last = 8
    one:fill(5)
    one.last = 500
    one:fill(3)
    local office = double.begin(one)
    office:run "30s"
    t.equal(serials(office), upto(503, 501, upto(13, 9, upto(5))))
    local gaps = office:events "gap.recorded"
    t.equal({ gaps[1].data.first, gaps[1].data.missing, gaps[2].data.first, gaps[2].data.missing },
        { 6, 3, 14, 487 })
end)

t.test("a_record_that_is_stored_a_moment_late_is_no_gap", function()
    local one = double.new()
    one:fill(5)
    local late = table.remove(one.records, 4)
    one.pages = { ["POST /ISAPI/AccessControl/AcsEvent"] = function(self, request)
        self.searches = (self.searches or 0) + 1
        if self.searches == 3 then
            table.insert(self.records, 4, late)
        end
        return self:search(request.body)
    end }
    local office = double.begin(one)
    office:run "30s"
    t.equal(serials(office), upto(5))
    t.equal(#office:events "gap.recorded", 0)
end)

t.test("whenever_it_dies_each_record_is_told_once_in_order", function()
    for _, when in ipairs { "before", "after" } do
        for nth = 1, 24 do
            local one = double.new { by_time = true }
            one:fill(70)
            local office = double.begin(one)
            office:die { [when] = "any", nth = nth }
            office:run "30s"
            t.equal(serials(office), upto(70))
            t.holds(office:deaths() == 1 or nth > 9)
        end
    end
end)

t.test("a_refused_commit_loses_nothing_and_tells_nothing_twice", function()
    for times = 1, 3 do
        local one = double.new()
        one:fill(70)
        local office = double.begin(one)
        office:run "50ms"
        office:refuse(times)
        office:run "1m"
        t.equal(serials(office), upto(70))
        office:errors()
    end
end)

t.test("numbers_that_begin_again_are_told_again", function()
    local one = double.new()
    one:fill(40)
    local office = double.begin(one)
    office:run "20s"
    one.records, one.last = {}, 0 -- reset: its memory is empty
    for _ = 1, 5 do
        one:record { person = "8005", time = "2026-11-22T09:00:00+08:00" }
    end
    office:run "20s"
    t.equal(serials(office), upto(5, 1, upto(40)))
    local reset = office:events "terminal.serial_reset"
    t.equal(#reset, 1)
    t.equal({ reset[1].data.before, reset[1].data.after }, { 40, 1 })
    office:run "10m"
    t.equal(#office:events "terminal.serial_reset", 1)
    t.equal(#office:events "gap.recorded", 0)
end)

t.test("after_a_wrap_old_records_that_are_still_there_are_not_told_again", function()
    local one = double.new()
    one.last = 900
    one:fill(100)
    local office = double.begin(one)
    office:run "20s"
    one.last = 0
    one:fill(20)
    office:run "20s"
    t.equal(serials(office), upto(20, 1, upto(1000, 901)))
    one:fill(5)
    office:run "20s"
    t.equal(serials(office), upto(25, 1, upto(1000, 901)))
    t.equal(#office:events "terminal.serial_reset", 1)
end)

t.test("two_runs_of_numbers_side_by_side_are_told_one_after_the_other", function()
    local one = double.new()
    one:fill(70)
    one.last = 0
    for _ = 1, 45 do
        one:record { person = "8006", time = "2026-11-23T09:00:00+08:00" }
    end
    local office = double.begin(one)
    office:run "1m"
    t.equal(serials(office), upto(45, 1, upto(70)))
    t.equal(#office:events "terminal.serial_reset", 1)
end)

t.test("whenever_it_dies_two_runs_of_numbers_are_told_one_after_the_other", function()
    for nth = 1, 40 do
        local one = double.new { by_time = true }
        one:fill(70)
        one.last = 0
        for _ = 1, 65 do
            one:record { person = "8006", time = "2026-11-23T09:00:00+08:00" }
        end
        local office = double.begin(one)
        office:die { after = "any", nth = nth }
        office:run "1m"
        t.equal(serials(office), upto(65, 1, upto(70)))
        t.equal(#office:events "gap.recorded", 0)
    end
end)

t.test("what_was_not_read_before_a_wrap_is_told_before_what_came_after_it", function()
    local one = double.new()
    one.last = 900
    one:fill(50)
    local office = double.begin(one)
    office:run "20s"
    one.http:fail "refused"
    one:fill(50)
    one.last = 0
    one:fill(20)
    office:run "5m"
    one.http:heal()
    office:run "1m"
    t.equal(serials(office), upto(20, 1, upto(1000, 901)))
end)

t.test("a_hole_in_the_second_run_of_numbers_does_not_end_it", function()
    local one = double.new()
    one:fill(200)
    local office = double.begin(one)
    office:run "20s"
    one.last = 0
    for serial = 1, 150 do
        if serial < 40 or serial > 110 then
            one:record { serialNo = serial, person = "1", time = "2026-11-23T09:00:00+08:00" }
        end
    end
    office:run "2h"
    t.equal(serials(office), upto(150, 111, upto(39, 1, upto(200))))
end)

t.test("with_history_new_only_what_comes_from_then_on_is_told", function()
    local one = double.new()
    one.last = 1000
    one:fill(100)
    local office = double.begin(one, { history = "new" })
    office:run "20s"
    t.equal(serials(office), {})
    one:fill(3)
    office:run "20s"
    t.equal(serials(office), upto(1103, 1101))
    one.last = 0
    one:fill(2)
    office:run "20s"
    t.equal(serials(office), upto(2, 1, upto(1103, 1101)))
end)

t.test("a_terminal_without_ranges_is_searched_by_time", function()
    for _, quirk in ipairs { { no_range = true }, { ignores_range = true } } do
        local one = double.new(quirk)
        one:fill(70)
        local office = double.begin(one)
        office:run "30s"
        t.equal(serials(office), upto(70))
        one:fill(40)
        office:run "30s"
        t.equal(serials(office), upto(110))
        t.equal(office:look("status").searched_by, "time")
    end
end)

t.test("unknown_codes_are_told_with_their_numbers_and_not_guessed", function()
    local one = double.new()
    one:record { major = 5, minor = 4711, person = "8001" }
    one:record { major = 9, minor = 75, person = "8001" }
    one:record { minor = 38, person = "" }
    one:record { major = 1, minor = 1028 }
    one:record { minor = 76 }
    one:record { minor = 76, person = "8001" }
    one:record { minor = 104, person = "8001" }
    local office = double.begin(one)
    office:run "20s"
    local told = {}
    for _, event in ipairs(office:events "*") do
        if event.data.codes then
            told[#told + 1] = event.type
        end
    end
    t.equal(told, { "terminal.record", "terminal.record", "terminal.record", "terminal.tamper",
        "checkin.unknown_person", "checkin.rejected", "checkin.rejected" })
    t.equal(office:events("checkin.rejected")[2].data.liveness, "failed")
end)

t.test("names_cards_and_texts_of_the_terminal_go_nowhere", function()
    local one = double.new()
    one:record { person = "350105199001011234" }
    one:record { person = "8001" }
    local office = double.begin(one)
    office:run "20s"
    local said = {}
    for _, event in ipairs(office:events "*") do
        said[#said + 1] = require("json").encode(event)
    end
    local all = table.concat(said) .. table.concat(office:log())
    t.holds(not all:find "SECRET" and not all:find "350105199001011234", all)
    t.holds(office:events("checkin.verified")[1].subject:find "^person/p%-%x+$")
end)

return t.finish()
