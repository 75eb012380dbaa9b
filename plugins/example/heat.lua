-- heat - when a temperature is worth an event. Pure.
local heat = {}

local COOLER = 2 -- degrees below the limit before it counts as cool again: no flapping

-- state = { hot = } as stored, or nil. Returns the new state and the event type, or nil for none.
function heat.step(state, degrees, limit)
    local hot = state ~= nil and state.hot
    if not hot and degrees > limit then
        return { hot = true }, "cabinet.too_hot"
    end
    if hot and degrees < limit - COOLER then
        return { hot = false }, "cabinet.cool_again"
    end
    return { hot = hot }, nil
end

return heat
