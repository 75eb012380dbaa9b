-- Terminals as chance makes them: records, holes, clocks, resets, silence, deaths of the plugin,
-- pushes in between. Whatever it was, each record is told once, and each run of numbers in order.
local double = require "double"
local t = require "testing"
local time = require "time"

local ROUNDS = 30

-- Numbers from 0 to most - 1, the same for a seed each time.
local function chance_of(seed)
    local state = seed * 2654435761 + 1
    return function(most)
        state = state * 6364136223846793005 + 1442695040888963407
        return (state >> 33) % most
    end
end

local function new_terminal(chance)
    return double.new { by_time = chance(2) == 0, page = ({ 30, 30, 10, 7 })[chance(4) + 1],
        no_status = chance(5) == 0, truth = {}, skew = 0, run = 1,
        has_jumps = chance(2) == 0 }
end

local function note(one, record)
    record.run = one.run
    one.truth[#one.truth + 1] = record
    return record
end

local function visit(one, chance)
    local jumps = one.has_jumps and chance(20) == 0
    one.skew = one.skew + (jumps and chance(7200) - 5400 or chance(40))
    local record = one:record { person = tostring(8000 + chance(9)),
        time = (time.format(1795230245 + one.run * 864000 + one.skew, 480):gsub("%.%d+", "")) }
    return note(one, record)
end

local function several(one, chance, most)
    for _ = 1, chance(most) + 1 do
        if one.last > 0 and chance(12) == 0 then
            one.last = one.last + chance(4)
        end
        visit(one, chance)
    end
end

local DEEDS = {
    function(one, chance) several(one, chance, 70) end,
    function(one, chance) several(one, chance, 5) end,
    function(one, chance, office)
        for _ = 1, chance(6) + 1 do
            one:push(visit(one, chance))
            if chance(2) == 0 then
                office:run(chance(300) + 1)
            end
        end
    end,
    function(one, chance, office)
        if #one.truth > 0 then
            one:push(one.truth[chance(#one.truth) + 1]) -- again, or of an older run
        end
        office:run "1s"
    end,
    function(one, chance, office)
        one.http:fail { with = ({ "timeout", "refused", "closed" })[chance(3) + 1],
            nth = chance(3) + 1, times = chance(4) + 1 }
        office:run "2s"
    end,
    function(_, chance, office)
        office:die { [chance(2) == 0 and "before" or "after"] = "any", nth = chance(6) + 1 }
        office:run(chance(4000) + 1)
    end,
    function(one, chance, office)
        office:run "10m" -- caught up, so that nothing is lost with its memory
        one.last, one.run, one.skew, one.has_jumps = 0, one.run + 1, 0, false
        if chance(2) == 0 then
            one.records = {}
        end
        several(one, chance, 20)
        office:run "3m" -- before a push of just the next number makes that run the old one
    end,
}

-- The numbers told, as runs: a new one begins where a number is not greater than the last.
local function told_runs(office)
    local runs, last = {}, math.huge
    for _, event in ipairs(office:events "checkin.verified") do
        local serial = event.data.record
        if serial <= last then
            runs[#runs + 1] = {}
        end
        table.insert(runs[#runs], serial)
        last = serial
    end
    return runs
end

local function true_runs(one)
    local runs = {}
    for _, record in ipairs(one.truth) do
        runs[record.run] = runs[record.run] or {}
        table.insert(runs[record.run], record.serialNo)
    end
    return runs
end

t.test("whatever_happens_each_record_is_told_once_in_the_order_of_its_run", function()
    for seed = 1, ROUNDS do
        local chance = chance_of(seed)
        local one = new_terminal(chance)
        several(one, chance, 60)
        local office = double.begin(one, { mode = "push", listen = "http://0.0.0.0:8088",
            push_to = "http://10.0.0.1:8088/isapi", poll = "2s", timeout = "1s" })
        for _ = 1, 6 do
            DEEDS[chance(#DEEDS) + 1](one, chance, office)
        end
        one.http:heal()
        office:run "3h"
        local ok, why = pcall(t.equal, told_runs(office), true_runs(one))
        office:errors()
        t.holds(ok, ("seed %d: %s"):format(seed, why))
    end
end)

return t.finish()
