local band = require "band"
local silence = require "silence"
local station = require "station"
local t = require "testing"

local function step(state, reading, now)
    local age = reading.age or 0
    return band.step(state, reading, { now = now or 1000, at = (now or 1000) - age, silence = age,
        lost_after = 60, heartbeat = 600, low_battery = 25 })
end

local function kinds(events)
    local list = {}
    for i, event in ipairs(events) do
        list[i] = event.kind
    end
    return list
end

t.test("first_sight_of_a_closed_band_is_seen_and_nothing_else", function()
    local state, events, is_changed = step(nil, { strap = false, case = false, battery = 80 })
    t.equal(kinds(events), { "wristband.seen" })
    t.equal(events[1].extra, { first = true, strap = "closed", case = "closed", battery = 80 })
    t.equal(is_changed, true)
    t.equal(state.strap, false)
end)

t.test("a_strap_open_at_first_sight_is_an_alarm", function()
    local _, events = step(nil, { strap = true, case = true, battery = 3 })
    t.equal(kinds(events), { "wristband.strap_opened", "wristband.case_opened",
        "wristband.battery_low", "wristband.seen" })
    t.equal(events[1].extra.first, true)
end)

t.test("a_reading_repeated_changes_nothing_and_needs_no_storing", function()
    local state = step(nil, { strap = true, battery = 80 })
    for _ = 1, 5 do
        local new, events, is_changed = step(state, { strap = true, battery = 80 })
        t.equal(events, {})
        t.equal(is_changed, false)
        state = new
    end
end)

t.test("unknown_flags_are_never_an_edge", function()
    local state = step(nil, { strap = true })
    local new, events = step(state, { battery = 80 })
    t.equal(kinds(events), { "wristband.seen" })
    t.equal(new.strap, true)
end)

t.test("a_battery_is_low_once_until_it_was_charged", function()
    local state = step(nil, { battery = 26 })
    local told = 0
    for _, percent in ipairs { 25, 24, 26, 25, 34, 20, 35, 26, 25 } do
        local events
        state, events = step(state, { battery = percent })
        for _, kind in ipairs(kinds(events)) do
            told = told + (kind == "wristband.battery_low" and 1 or 0)
        end
    end
    t.equal(told, 2)
end)

t.test("seen_comes_by_exception_and_as_heartbeat", function()
    local state = step(nil, { battery = 80 }, 1000)
    local events
    state, events = step(state, { battery = 77 }, 1001)
    t.equal(events, {})
    state, events = step(state, { battery = 75 }, 1002)
    t.equal(kinds(events), { "wristband.seen" })
    state, events = step(state, { battery = 75 }, 1601)
    t.equal(events, {})
    state, events = step(state, { battery = 75 }, 1602)
    t.equal(kinds(events), { "wristband.seen" })
    t.equal(kinds(select(2, step(state, { battery = 75 }, 10))), { "wristband.seen" })
end)

t.test("lost_ends_with_a_fresh_reading_only", function()
    local state = band.lose(step(nil, { battery = 80 }), { now = 1061, silence = 61 })
    local events
    state, events = step(state, { battery = 80, age = 100 }, 1100)
    t.equal(events, {})
    t.equal(state.lost, true)
    state, events = step(state, { battery = 80, age = 2 }, 1110)
    t.equal(kinds(events), { "wristband.back", "wristband.seen" })
    t.equal(events[1].time, 1108)
    t.equal(state.lost, false)
end)

---- silence

local function one(tag, seconds, more)
    more = more or {}
    return { tag = tag, silence = seconds, heard = seconds, lost = more.lost,
        canary = more.canary or false }
end

local function judged(...)
    local lost, deaf = silence.judge({ ... }, 60)
    return { lost, deaf }
end

t.test("one_silent_among_heard_ones_is_lost", function()
    t.equal(judged(one("a", 61), one("b", 5)), { { "a" }, false })
    t.equal(judged(one("a", 60), one("b", 5)), { {}, false })
end)

t.test("all_silent_is_the_station", function()
    t.equal(judged(one("a", 61), one("b", 65)), { {}, true })
    t.equal(judged(one("a", 61), one("b", 500, { lost = true }), one("c", 62)), { {}, true })
end)

t.test("while_the_others_may_follow_it_is_not_decided", function()
    t.equal(judged(one("a", 61), one("b", 45)), { {}, false })
end)

t.test("a_heard_canary_makes_all_others_leave_one_by_one", function()
    t.equal(judged(one("a", 61), one("b", 70), one("c", 3, { canary = true })),
        { { "a", "b" }, false })
    t.equal(judged(one("c", 61, { canary = true }), one("a", 3)), { { "c" }, false })
end)

t.test("a_canary_alone_tells_a_deaf_station", function()
    t.equal(judged(one("c", 61, { canary = true })), { {}, true })
    t.equal(judged(one("a", 61)), { { "a" }, false })
    t.equal(judged(one("a", 61), one("b", 900, { lost = true })), { { "a" }, false })
end)

---- station

t.test("a_station_is_told_online_and_offline_once", function()
    local state, events = station.good({}, 100, "7")
    t.equal(events, {})
    state, events = station.good(state, 101, "7")
    t.equal(events, {})
    state, events = station.bad(state, 120, "no_answer", {})
    t.equal(kinds(events), { "station.offline" })
    t.equal(events[1].extra, { cause = "no_answer", last_good = 101 })
    state, events = station.bad(state, 121, "no_answer", {})
    t.equal(events, {})
    state, events = station.good(state, 150, "7")
    t.equal(kinds(events), { "station.online", "gap.recorded" })
    t.equal(events[2].extra, { from = 101, to = 150, cause = "station_offline" })
    t.equal(state.online, true)
end)

t.test("another_station_is_not_trusted_until_it_is_named", function()
    local state = station.good({}, 100, "7")
    t.equal(station.is_other(state, "7"), false)
    t.equal(station.is_other(state, "8"), true)
    t.equal(station.is_other(state, "8", "8"), false)
    t.equal(station.is_other({}, "8", "7"), true)
    t.equal(station.is_other({}, "8"), false)
    state = station.bad(state, 110, "no_answer", {})
    local events
    state, events = station.bad(state, 111, "wrong_station", { got = "8" })
    t.equal(kinds(events), { "station.offline" })
    t.equal(select(2, station.bad(state, 112, "wrong_station", {})), {})
end)

t.test("a_hole_in_the_numbers_is_a_gap", function()
    local state = { good = 90 }
    t.equal(station.hole(state, 100, nil, 5), {})
    t.equal(station.hole(state, 100, 5, 5), {})
    t.equal(station.hole(state, 100, 65535, 0), {})
    t.equal(station.hole(state, 100, 5, 9)[1].extra,
        { from = 90, to = 100, cause = "station_overflow", missing = 3 })
    t.equal(station.hole(state, 100, 500, 0)[1].extra,
        { from = 90, to = 100, cause = "station_restarted" })
end)

return t.finish()
