-- station - the base station: online or not, and whether it is still the same one. Pure.
--
--   state = { online =, cause =, serial =, good = (wall seconds of the newest good poll), alive =
--             (wall seconds when this plugin last stored anything), deaf =, deaf_since = }
--
-- Same invariant as band.lua: an event exactly when the stored state changes with it.
local station = {}

local function copy(state)
    local new = {}
    for key, value in pairs(state) do
        new[key] = value
    end
    return new
end

local function event(kind, time, extra)
    return { kind = kind, time = time, extra = extra }
end

function station.gap(from, to, cause)
    return event("gap.recorded", to, { from = from, to = to, cause = cause })
end

-- Whether a poll came from another station than the trusted one.
function station.is_other(state, serial, wanted)
    local trusted = wanted or state.serial -- as configured, or as it was when first seen
    return trusted ~= nil and serial ~= trusted
end

-- A good poll of the right station. The first one ever is no edge: nothing was missed.
function station.good(state, now, serial)
    local new, events = copy(state), {}
    new.good, new.serial = now, serial
    if state.online == false then
        events[1] = event("station.online", now, {})
        events[2] = station.gap(state.good or state.since, now, "station_offline")
    end
    new.online, new.cause, new.since = true, nil, nil
    return new, events
end

-- The station is given up: `cause` is "no_answer", "garbage" or "wrong_station". Once per edge; a
-- wrong station is told even when there was silence before.
function station.bad(state, now, cause, extra)
    local news = state.online ~= false
        or cause == "wrong_station" and state.cause ~= "wrong_station"
    if not news then
        return state, {}
    end
    local new = copy(state)
    new.online, new.cause, new.since = false, cause, state.since or now
    extra.cause, extra.last_good = cause, state.good
    extra.first = state.online == nil or nil
    return new, { event("station.offline", now, extra) }
end

-- Nothing at all is heard any more, through a station that answers.
function station.deafen(state, now, extra)
    local new = copy(state)
    new.deaf, new.deaf_since = true, extra.last_seen or now
    return new, { event("station.all_lost", now, extra) }
end

function station.undeafen(state, now)
    local new = copy(state)
    new.deaf, new.deaf_since = false, nil
    return new, { event("station.hears_again", now, {}),
        station.gap(state.deaf_since or now, now, "radio_silence") }
end

-- A hole in the numbers of a FIFO's entries (16 bits, wrapping) is lost entries; a step back is a
-- station that began anew. `last` is the number before, or nil.
function station.hole(state, now, last, sequence)
    local ahead = last and sequence and (sequence - last) & 0xFFFF or 1
    if ahead <= 1 then
        return {}
    end
    local gap = station.gap(state.good or now, now,
        ahead < 0x8000 and "station_overflow" or "station_restarted")
    gap.extra.missing = ahead < 0x8000 and ahead - 1 or nil
    return { gap }
end

return station
