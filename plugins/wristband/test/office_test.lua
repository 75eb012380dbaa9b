-- The plugin in the real host: what commits, deaths, refusals and time-outs make of it. What it
-- decides from which registers is told by the other tests, which need no host.
local double = require "double"
local t = require "testing"

local URL = "modbus-tcp://10.0.0.5"
local TAG = 0x00B30001
local NAME = { [TAG] = "11730945", [TAG + 2] = "11730947" }

local STATIONS = {
    { profile = "rf433-fifo", make = double.fifo },
    { profile = "inveo-rfid", make = double.mailbox },
    { profile = "monnit-tcp", make = double.slots },
}

local function name_of(one, tag)
    return one.profile == "inveo-rfid" and ("A0B3000%d"):format(tag & 15) or NAME[tag]
end

-- A station of tables (double.lua) at the end of a line.
local function on_line(station)
    return t.modbus { on = function(_, request)
        local bus, what = station.bus, request.count or request.values[1]
        local answer, _, code, exception = bus[request.name](bus, request.address, what)
        return answer, exception or code
    end }
end

local function begin(one, settings)
    local station = one.make()
    station.line = on_line(station)
    settings = settings or {}
    settings.url, settings.profile = URL, one.profile
    return t.office { config = settings, devices = { [URL] = station.line } }, station
end

local function edges(office, kind)
    local list = {}
    for i, event in ipairs(office:events(kind or "*")) do
        list[i] = event.type .. " " .. (event.data.band or event.data.cause or "")
    end
    return list
end

t.test("an_entry_of_a_fifo_goes_only_after_the_commit_of_its_events", function()
    local office, station = begin(STATIONS[1])
    station.hear(TAG, 0)
    office:run "3s"
    station.hear(TAG, 1)
    local event = office:next "wristband.strap_opened"
    t.equal({ event.lane, event.subject }, { "alarm", "device/wristband/11730945" })
    office:run "1s"
    local last = office:trace("commit", "write")
    local commit = last[#last - 1]
    t.holds(commit:find "^commit wristband%.strap_opened wristband%.seen ", commit)
    t.equal(last[#last], "write_register 20 = 65531")
    t.equal(#station.queue, 0)
end)

t.test("whenever_it_dies_a_cut_strap_is_one_alarm_and_the_station_is_emptied", function()
    for _, one in ipairs(STATIONS) do
        for _, when in ipairs { "before", "after" } do
            for nth = 1, 10 do
                local office, station = begin(one)
                station.hear(TAG, 0)
                office:run "3s"
                office:die { [when] = "any", nth = nth }
                station.hear(TAG, 1)
                office:run "10s"
                t.equal(edges(office, "wristband.strap_opened"),
                    { "wristband.strap_opened " .. name_of(one, TAG) })
                t.equal(#(station.queue or {}), 0)
                t.equal(office:deaths(), 1)
            end
        end
    end
end)

t.test("a_refused_commit_loses_nothing_and_tells_nothing_twice", function()
    for _, one in ipairs(STATIONS) do
        local office, station = begin(one)
        station.hear(TAG, 0)
        office:run "3s"
        office:refuse(3)
        station.hear(TAG, 1)
        office:run "10s"
        t.equal(#office:trace "refuse", 3)
        t.equal(edges(office, "wristband.strap_opened"),
            { "wristband.strap_opened " .. name_of(one, TAG) })
    end
end)

t.test("a_refused_commit_at_the_start_is_tried_again_by_a_new_process", function()
    local office = begin(STATIONS[3])
    office:refuse(1)
    office:kill()
    office:run "5s"
    t.equal(office:trace("refuse", "end"), { "refuse the journal has no room", "end 75" })
    t.holds(#office:trace "read" > 0)
end)

t.test("a_station_that_times_out_is_offline_once_and_the_gap_is_told", function()
    local office, station = begin(STATIONS[3], { offline_after = "5s" })
    station.hear(TAG, 0)
    office:run "3s"
    station.line:fail "timeout"
    local offline = office:next "station.offline"
    t.equal({ offline.lane, offline.data.cause, offline.time },
        { "alarm", "no_answer", "2026-11-21T00:00:08.500000Z" })
    office:run "1m"
    office:restart()
    office:run "1m"
    station.line:heal()
    local gap = office:next "gap.recorded"
    t.equal({ gap.data.cause, gap.data.seconds }, { "plugin_stopped", gap.data.seconds })
    gap = office:next "gap.recorded"
    t.equal({ gap.data.cause, gap.data.from }, { "station_offline", "2026-11-21T00:00:03.000Z" })
    t.equal(edges(office, "station.*"), { "station.offline no_answer", "station.online " })
end)

t.test("one_answer_that_is_lost_or_late_is_nothing", function()
    for _, fault in ipairs { "timeout", "unheard", "closed", "identity", 6 } do
        local office, station = begin(STATIONS[1])
        station.hear(TAG, 0)
        station.hear(TAG, 1)
        station.line:fail { with = fault, nth = 2 }
        office:run "1m"
        t.equal(edges(office, "station.*"), {})
        t.equal(edges(office, "wristband.strap_opened"), { "wristband.strap_opened 11730945" })
        t.equal(#station.queue, 0)
    end
end)

---- random stories against a model, as in watch_test.lua

-- What must be told: each change of the strap in what the station took in, in order.
local function expect(model, tag, flags)
    if (model.flags[tag] or 0) & 1 ~= flags & 1 then
        model.told[#model.told + 1] = ("wristband.strap_%s %s"):format(
            flags & 1 ~= 0 and "opened" or "closed", tag)
    end
    model.flags[tag] = flags
end

local function strike(office, station)
    local kind = math.random(6)
    if kind == 1 then
        office:die { before = "any", nth = math.random(8) }
    elseif kind == 2 then
        office:die { after = "any", nth = math.random(8) }
    elseif kind == 3 then
        office:refuse(math.random(2))
    elseif kind == 4 then
        station.line:fail { with = "unheard", on = "write" }
    elseif kind == 5 then
        station.line:fail { with = "timeout", nth = math.random(4) }
    end
end

local function straps(office)
    local list = {}
    for _, edge in ipairs(edges(office)) do
        list[#list + 1] = edge:find "strap" and edge or nil
    end
    return list
end

local function random_story(one)
    local office, station = begin(one)
    local model = { flags = {}, told = {} }
    for _ = 1, math.random(3, 8) do
        local tag, flags = TAG + 2 * math.random(0, 1), math.random(0, 1)
        if station.hear(tag, flags) then
            expect(model, name_of(one, tag), flags)
        end
        strike(office, station)
        office:run "10s"
    end
    station.line:heal()
    office:run "1m"
    t.equal(straps(office), model.told)
end

t.test("a_hundred_random_stories_tell_each_edge_exactly_once", function()
    math.randomseed(20261121)
    for _, one in ipairs(STATIONS) do
        for _ = 1, 34 do
            random_story(one)
        end
    end
end)

local FOUND = { name = "wang", role = "technician" }

t.test("the_bands_are_shown_a_page_at_a_time_with_who_wears_them", function()
    local office, station = begin(STATIONS[3], { bands = { ["11730947"] = "3501050012" } })
    t.equal(office:look "bands", {})
    station.hear(TAG, 1, 80)
    station.hear(TAG + 2, 0, 90)
    office:run "3s"
    local bands = office:look "bands"
    t.equal({ #bands, bands[1].band, bands[1].strap, bands[1].battery, bands[1].person },
        { 2, "11730945", "open", 80, nil })
    t.equal({ bands[2].band, bands[2].strap, bands[2].person, bands[2].lost },
        { "11730947", "closed", "3501050012", nil })
    t.holds(bands[1].heard:find "^2026%-11%-21T00:00:0%d")
    t.equal(#office:look("bands", { limit = 1 }), 1)
    t.equal(office:look("bands", { after = "11730945" })[1].band, "11730947")
    local none, why = office:look("bands", { limit = 401 })
    t.equal({ none, why },
        { nil, "params: limit: expected an integer, at least 1, at most 400, got 401" })
end)

t.test("a_band_that_was_replaced_is_forgotten_with_an_event_and_not_missed", function()
    local office, station = begin(STATIONS[1], { lost_after = "60s" })
    station.hear(TAG, 0)
    station.hear(TAG + 2, 0)
    office:run "3s"
    local answer = office:act("forget", { band = NAME[TAG] }, FOUND)
    t.equal(answer.band, NAME[TAG])
    t.equal(office:stored("band/" .. NAME[TAG]), nil)
    t.equal(office:events("wristband.forgotten")[1].data.by, "wang")
    office:restart()
    for _ = 1, 5 do
        station.hear(TAG + 2, 0)
        office:run "30s"
    end
    t.equal(office:told "wristband.lost", {})
    t.equal({ office:act("forget", { band = NAME[TAG] }, FOUND) },
        { nil, "band: expected one that is known (see the view bands), got 11730945" })
    station.hear(TAG, 0) -- it is not gone after all
    office:run "3s"
    t.equal(#office:look "bands", 2)
end)

t.test("nobody_can_be_made_invisible", function()
    local office, station = begin(STATIONS[3],
        { bands = { ["11730945"] = "3501050012" }, canary = "11730947" })
    station.hear(TAG, 0)
    station.hear(TAG + 2, 0)
    office:run "3s"
    local _, why = office:act("forget", { band = "11730945" }, FOUND)
    t.holds(why:find("expected one that nobody wears", 1, true), why)
    _, why = office:act("forget", { band = "11730947" }, FOUND)
    t.equal(why, "band: expected another one than the canary")
    _, why = office:act("forget", { band = "11730945" }, { role = "social_worker" })
    t.holds(why:find("by technician, got social_worker", 1, true), why)
    t.equal(#office:look "bands", 2)
    t.equal(office:told "wristband.forgotten", {})
end)

t.test("whenever_it_dies_a_band_is_forgotten_wholly_or_not_at_all", function()
    for _, when in ipairs { "before", "after" } do
        local office, station = begin(STATIONS[1])
        station.hear(TAG, 0)
        office:run "3s"
        office:die { [when] = "commit" }
        office:act("forget", { band = NAME[TAG] }, FOUND)
        office:run "10s"
        local is_gone = office:stored("band/" .. NAME[TAG]) == nil
        t.equal(#office:told "wristband.forgotten", is_gone and 1 or 0)
        t.equal(is_gone, when == "after")
        t.equal(#office:look "bands", is_gone and 0 or 1)
    end
end)

return t.finish()
