local double = require "double"
local t = require "testing"

local TAG = 0x00B30001
local NAME = { [TAG] = "11730945", [TAG + 1] = "11730946", [TAG + 2] = "11730947" }

-- A plugin on a station of tables, running.
local function begin(station, settings)
    local config = double.config(settings)
    local world = double.world(station.bus)
    double.start(world, config)
    return world, config
end

-- `seconds` rounds, one a second.
local function pass(world, config, seconds)
    for _ = 1, seconds do
        world.now = world.now + 1
        double.round(world, config)
    end
end

t.test("an_edge_is_one_event_with_its_facts", function()
    local station = double.slots()
    local world, config = begin(station,
        { profile = "monnit-tcp", bands = { [NAME[TAG]] = "3501050012" } })
    station.hear(TAG, 0)
    pass(world, config, 3)
    station.hear(TAG, 1, 80, 2)
    pass(world, config, 3)
    t.equal(double.told(world, "strap"), { "wristband.strap_opened 11730945" })
    local event = world.journal[#world.journal - 1]
    t.equal(event, { type = "wristband.strap_opened", time = 1000002,
        subject = "person/3501050012", data = { band = NAME[TAG], station = "7", age = 2,
            profile = "monnit-tcp", raw = "00B3000100090002" .. "0001000101180046" } })
end)

t.test("a_band_nobody_wears_is_a_device", function()
    local station = double.slots()
    local world, config = begin(station, { profile = "monnit-tcp" })
    station.hear(TAG, 0)
    pass(world, config, 1)
    t.equal(world.journal[#world.journal].subject, "device/wristband/11730945")
end)

t.test("a_restart_tells_a_gap_and_no_edge_again", function()
    local station = double.slots()
    local world, config = begin(station, { profile = "monnit-tcp" })
    station.hear(TAG, 1)
    pass(world, config, 3)
    local before = #world.journal
    world.now = world.now + 100
    double.start(world, config)
    pass(world, config, 3)
    t.equal(#world.journal, before + 1)
    local gap = world.journal[#world.journal]
    t.equal(gap.type, "gap.recorded")
    t.equal(gap.data, { from = "1970-01-12T13:46:41.000Z", to = "1970-01-12T13:48:23.000Z",
        seconds = 102, cause = "plugin_stopped", profile = "monnit-tcp", station = "7" })
end)

t.test("a_station_that_falls_silent_is_offline_once_also_over_restarts", function()
    local station = double.slots()
    local world, config = begin(station, { profile = "monnit-tcp", offline_after = "5s" })
    station.hear(TAG, 0)
    pass(world, config, 3)
    station.bus.fails = true
    pass(world, config, 20)
    double.start(world, config)
    pass(world, config, 20)
    station.bus.fails = nil
    pass(world, config, 3)
    t.equal(double.told(world, "^station"), { "station.offline no_answer", "station.online " })
    t.equal(double.told(world, "gap"), { "gap.recorded plugin_stopped",
        "gap.recorded station_offline" })
end)

t.test("a_station_that_was_never_there_is_offline_too", function()
    local world, config = begin({}, { profile = "monnit-tcp", offline_after = "5s" })
    pass(world, config, 10)
    t.equal(double.told(world, "."), { "station.offline no_answer" })
    t.equal(world.journal[1].data.first, true)
    t.equal(world.journal[1].subject, "device/station/monnit-tcp")
end)

t.test("another_station_is_not_believed", function()
    local station = double.slots()
    local world, config = begin(station, { profile = "monnit-tcp" })
    station.hear(TAG, 0)
    pass(world, config, 2)
    station.words[1] = 8
    station.hear(TAG, 1)
    pass(world, config, 5)
    t.equal(double.told(world, "strap"), {})
    t.equal(double.told(world, "^station"), { "station.offline wrong_station" })
    config = double.config { profile = "monnit-tcp", station = "8" }
    double.start(world, config)
    pass(world, config, 1)
    t.equal(double.told(world, "strap"), { "wristband.strap_opened 11730945" })
end)

t.test("a_fifo_of_another_station_is_not_emptied", function()
    local station = double.fifo()
    station.serial = 8
    local world, config = begin(station, { profile = "rf433-fifo", station = "7" })
    station.hear(TAG, 1)
    pass(world, config, 5)
    t.equal(#station.queue, 1)
    t.equal(double.told(world, "."), { "station.offline wrong_station" })
end)

t.test("one_lost_among_others_is_lost_and_back_once", function()
    local station = double.slots()
    local world, config = begin(station, { profile = "monnit-tcp", lost_after = "60s" })
    station.hear(TAG, 0)
    station.hear(TAG + 1, 0)
    pass(world, config, 2)
    for age = 1, 100 do
        station.age(TAG, age)
        pass(world, config, 1)
        if age == 80 then
            double.start(world, config)
        end
    end
    t.equal(double.told(world, "lost"), { "wristband.lost 11730945" })
    station.age(TAG, 0)
    pass(world, config, 3)
    t.equal(double.told(world, "back"), { "wristband.back 11730945" })
end)

t.test("all_lost_is_one_alarm_and_who_stays_away_is_lost_afterwards", function()
    local station = double.slots()
    local world, config = begin(station, { profile = "monnit-tcp", lost_after = "60s" })
    for i = 0, 2 do
        station.hear(TAG + i, 0, 80, 7 * i)
    end
    pass(world, config, 2)
    for age = 1, 100 do
        for i = 0, 2 do
            station.age(TAG + i, age + 7 * i)
        end
        pass(world, config, 1)
    end
    t.equal(double.told(world, "lost"), { "station.all_lost " })
    double.start(world, config)
    for age = 101, 180 do
        station.age(TAG, age - 101)
        for i = 1, 2 do
            station.age(TAG + i, age + 7 * i)
        end
        if age > 110 then
            station.age(TAG, 1)
            station.age(TAG + 1, 1)
        end
        pass(world, config, 1)
    end
    t.equal(double.told(world, "lost"), { "station.all_lost ", "wristband.lost 11730947" })
    t.equal(double.told(world, "hears"), { "station.hears_again " })
    t.equal(double.told(world, "gap"), { "gap.recorded plugin_stopped",
        "gap.recorded radio_silence" })
end)

t.test("a_mailbox_band_is_lost_only_while_somebody_listens", function()
    local station = double.mailbox()
    local world, config = begin(station,
        { profile = "inveo-rfid", lost_after = "30s", canary = "A0B30003" })
    station.hear(TAG, 0)
    pass(world, config, 1)
    station.bus.fails = true
    pass(world, config, 100)
    station.bus.fails = nil
    for _ = 1, 25 do
        station.hear(TAG + 2, 0)
        pass(world, config, 1)
    end
    t.equal(double.told(world, "lost"), {})
    for _ = 1, 10 do
        station.hear(TAG + 2, 0)
        pass(world, config, 1)
    end
    t.equal(double.told(world, "lost"), { "wristband.lost A0B30001" })
end)

t.test("a_late_reading_makes_no_edge", function()
    local station = double.fifo()
    local world, config = begin(station, { profile = "rf433-fifo" })
    station.hear(TAG, 0, 80, 1)
    station.hear(TAG, 1, 80, 20)
    pass(world, config, 1)
    t.equal(double.told(world, "strap"), {})
    t.equal(world.counts.readings_late, 1)
    t.equal(#station.queue, 0)
end)

t.test("a_slot_that_grows_old_at_once_is_believed_the_second_time", function()
    local station = double.slots()
    local world, config = begin(station, { profile = "monnit-tcp", lost_after = "60s" })
    station.hear(TAG, 0)
    station.hear(TAG + 1, 0)
    pass(world, config, 5)
    station.hear(TAG, 1, 80, 100)
    pass(world, config, 1)
    t.equal(double.told(world, "strap"), {})
    t.equal(double.told(world, "lost"), {})
    station.hear(TAG, 1, 80, 101)
    pass(world, config, 1)
    t.equal(double.told(world, "strap"), { "wristband.strap_opened 11730945" })
    t.equal(double.told(world, "lost"), { "wristband.lost 11730945" })
end)

t.test("noise_in_a_fifo_is_dropped_and_counted", function()
    local station = double.fifo()
    local world, config = begin(station, { profile = "rf433-fifo" })
    station.hear(0xFFFFFFFF, 1)
    station.hear(TAG, 0)
    pass(world, config, 1)
    t.equal(world.counts.entries_empty, 1)
    t.equal(double.told(world, "wristband"), { "wristband.seen 11730945" })
end)

t.test("entries_that_a_fifo_lost_are_a_gap", function()
    local station = double.fifo()
    local world, config = begin(station, { profile = "rf433-fifo" })
    station.hear(TAG, 0)
    pass(world, config, 1)
    station.next = station.next + 3
    station.hear(TAG, 0)
    pass(world, config, 2)
    t.equal(double.told(world, "gap"), { "gap.recorded station_overflow" })
    t.equal(world.journal[#world.journal].data.missing, 3)
end)

t.test("alive_is_stored_once_a_minute", function()
    local station = double.slots()
    local world, config = begin(station, { profile = "monnit-tcp" })
    pass(world, config, 1)
    local puts, alive = 0, world.stored.station.alive
    for _ = 1, 600 do
        pass(world, config, 1)
        if world.stored.station.alive ~= alive then
            puts, alive = puts + 1, world.stored.station.alive
        end
    end
    t.equal(puts, 10)
end)

---- 10,000 random stories against a model

local PROFILES = {
    { name = "rf433-fifo", make = double.fifo },
    { name = "inveo-rfid", make = double.mailbox },
    { name = "monnit-tcp", make = double.slots },
}

-- What must be told: each change of a flag in what the station took in, in order.
local function expect(model, tag, flags)
    local before = model.flags[tag] or 0
    for bit, kind in pairs { [1] = "strap", [2] = "case" } do
        if (before ~ flags) & bit ~= 0 then
            local list = model.told[kind .. tag] or {}
            model.told[kind .. tag] = list
            list[#list + 1] = flags & bit ~= 0 and "opened" or "closed"
        end
    end
    model.flags[tag] = flags
end

local function told_by(world)
    local told = {}
    for _, event in ipairs(world.journal) do
        local kind, edge = event.type:match("^wristband%.(%l+)_(%l+)$")
        if kind == "strap" or kind == "case" then
            local key = kind .. event.data.band
            told[key] = told[key] or {}
            table.insert(told[key], edge)
        end
    end
    return told
end

-- Something goes wrong: a death before or after the commit, a refused commit, an acknowledgement
-- that is lost, or one whose answer is.
local function strike(world, station, config)
    local kind = math.random(8)
    if kind == 1 then
        world.die = "before"
    elseif kind == 2 then
        world.die = "after"
    elseif kind == 3 then
        world.refuse = true
    elseif kind == 4 then
        station.write_fails = "lost"
    elseif kind == 5 then
        station.write_fails = "unheard"
    elseif kind == 6 then
        double.restart(world, config)
    end
end

local function settle(world, config, station)
    world.die, world.refuse, station.write_fails = nil, nil, nil
    for _ = 1, 3 do
        double.round(world, config)
    end
end

local function random_story(one, config)
    local station = one.make()
    local world = double.world(station.bus)
    local model = { flags = {}, told = {} }
    local function name(tag)
        return one.name == "inveo-rfid" and ("A0B3000%d"):format(tag & 15) or NAME[tag]
    end
    double.start(world, config)
    for _ = 1, math.random(3, 12) do
        local tag, flags = TAG + 2 * math.random(0, 1), math.random(0, 3)
        if station.hear(tag, flags) then
            expect(model, name(tag), flags)
        end
        strike(world, station, config)
        world.now = world.now + 1
        if one.name == "monnit-tcp" then -- a level: it must be looked at before it changes again
            settle(world, config, station)
        else
            double.round(world, config)
        end
    end
    settle(world, config, station)
    t.equal(told_by(world), model.told)
end

t.test("ten_thousand_random_stories_tell_each_edge_exactly_once", function()
    math.randomseed(20261121)
    for _, one in ipairs(PROFILES) do
        local config = double.config { profile = one.name }
        for _ = 1, 10000 // #PROFILES + 1 do
            random_story(one, config)
        end
    end
end)

return t.finish()
