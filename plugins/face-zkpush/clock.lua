-- clock - whether a terminal's clock is right, told by the records it sends. Pure.
--
-- A terminal has no way to say what time it has, but each record says when it was made. One that
-- lies in the future tells at once that the clock is ahead. One in the past tells nothing when it
-- may come from the memory, so a clock that is behind shows only in a record that surely was just
-- made: new, alone, from a terminal that was heard shortly before and had nothing to send.
local clock = {}

local QUIET_S = 60 -- heard within, and nothing posted within
local AGAIN_S = 30 -- a drift that has changed by less is no news

-- How far the clock is ahead in seconds (negative: behind), or nil when the record does not tell.
-- seen = { now =, time = (of the record), alone =, heard = seconds ago, posted = seconds ago }
function clock.drift(seen)
    local drift = seen.time - seen.now
    if drift > 0 then
        return drift
    end
    local just_made = seen.alone and seen.heard and seen.heard <= QUIET_S
        and seen.posted and seen.posted >= QUIET_S
    return just_made and drift or nil
end

-- Whether a drift is to be told, and what is to be remembered of it: nil when the clock is right.
function clock.judge(before, drift, tolerance)
    if math.abs(drift) <= tolerance then
        return before ~= nil, nil
    end
    return before == nil or math.abs(drift - before) > math.max(AGAIN_S, tolerance), drift
end

return clock
