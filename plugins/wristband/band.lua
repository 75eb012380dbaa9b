-- band - one wristband: what a reading changes, and which events that makes. Pure.
--
--   state = { strap =, case = (open?, absent: never known), low =, lost =, at = (wall seconds of
--             the newest reading), battery =, told = { at =, battery = } (the newest "seen") }
--
-- Invariant: an event is made exactly when the stored state changes in the same place, so that
-- storing both in one transaction makes one event per edge, however often a reading is repeated.
-- A wristband that was never seen starts as closed and charged: one that is first seen open is an
-- edge, and its event says first = true.
local band = {}

local HYSTERESIS = 10 -- percent above low_battery before a battery counts as charged again
local NEWS_BATTERY = 5 -- percent a battery moves before that alone is worth a "seen"

local EDGES = {
    { field = "strap", [true] = "wristband.strap_opened", [false] = "wristband.strap_closed" },
    { field = "case", [true] = "wristband.case_opened", [false] = "wristband.case_closed" },
}

local function copy(state)
    local new = {}
    for key, value in pairs(state or {}) do
        new[key] = value
    end
    return new
end

local function add(events, kind, time, extra)
    events[#events + 1] = { kind = kind, time = time, extra = extra or {} }
end

local function step_back(new, reading, moment, events)
    if new.lost and moment.silence <= moment.lost_after then
        add(events, "wristband.back", moment.at, { last_seen = new.at })
        new.lost = false
    end
    new.at = moment.at
    new.rssi = reading.rssi
end

local function step_flags(new, reading, moment, events)
    for _, edge in ipairs(EDGES) do
        local open = reading[edge.field]
        if open ~= nil and open ~= (new[edge.field] or false) then
            add(events, edge[open], moment.at)
        end
        if open ~= nil then
            new[edge.field] = open
        end
    end
end

local function step_battery(new, reading, moment, events)
    local battery = reading.battery
    if not battery then
        return
    end
    new.battery = battery
    if battery <= moment.low_battery and not new.low then
        new.low = true
        add(events, "wristband.battery_low", moment.at, { limit = moment.low_battery })
    elseif battery >= math.min(100, moment.low_battery + HYSTERESIS) then
        new.low = false
    end
end

-- By exception: first sight, an edge, a battery that moved; and the heartbeat. A step of the wall
-- clock backwards counts as a heartbeat, or there would be none until it caught up.
local function is_news(state, new, moment, edges)
    local told = state and state.told
    if not told or edges > 0 then
        return true
    end
    if moment.silence > moment.lost_after then
        return false
    end
    local moved = math.abs((new.battery or 0) - (told.battery or 0)) >= NEWS_BATTERY
    return moved or math.abs(moment.now - told.at) >= moment.heartbeat
end

local function same(a, b)
    return a.strap == b.strap and a.case == b.case and a.low == b.low and a.lost == b.lost
        and a.told == b.told
end

-- moment = { now = wall seconds, at = when the reading was heard, silence = seconds since then,
--            lost_after =, heartbeat = seconds, low_battery = percent }
-- Returns the new state, a list of { kind =, time =, extra = fields beside the usual ones }, and
-- whether the new state must be stored; if not, it may be forgotten without harm.
function band.step(state, reading, moment)
    local new, events = copy(state), {}
    step_back(new, reading, moment, events)
    step_flags(new, reading, moment, events)
    step_battery(new, reading, moment, events)
    if is_news(state, new, moment, #events) then
        new.told = { at = moment.now, battery = new.battery }
        add(events, "wristband.seen", moment.at, {
            battery = new.battery, rssi = new.rssi,
            strap = new.strap == true and "open" or new.strap == false and "closed" or nil,
            case = new.case == true and "open" or new.case == false and "closed" or nil,
        })
    end
    for _, event in ipairs(events) do
        event.extra.first = state == nil or nil
    end
    return new, events, state == nil or not same(state, new)
end

-- Contact is lost: the age is over the limit. That the wristband was taken off is not known.
function band.lose(state, moment)
    local new = copy(state)
    new.lost = true
    return new, { { kind = "wristband.lost", time = moment.now,
        extra = { last_seen = new.at, silence = moment.silence, battery = new.battery } } }
end

return band
