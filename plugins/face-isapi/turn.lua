-- turn - one after the other: handlers that must not run beside each other take turns.
--
--   local _ <close> = turn.take(self.line)
--
-- Whoever was first is first. A handler that dies where not even <close> runs (out of budget) keeps
-- its turn for a lease and no longer.
local turn = {}

local LOOK_MS = 4
local LEASE_S = 60

function turn.new(host)
    return { host = host, last = 0, now = 1, since = 0 }
end

local Mine = {}

local function pass(line, number)
    if line.now <= number then
        line.now, line.since = number + 1, line.host.mono()
    end
end

Mine.__close = function(mine)
    pass(mine.line, mine.number)
end

function turn.take(line)
    line.last = line.last + 1
    local number = line.last
    if line.now == number then
        line.since = line.host.mono()
    end
    while line.now < number do
        if line.host.mono() - line.since > LEASE_S then
            pass(line, line.now)
        else
            line.host.sleep(LOOK_MS)
        end
    end
    return setmetatable({ line = line, number = number }, Mine)
end

return turn
