-- presence - whether a terminal is there: what it last was heard, its silences and their ends.
local intake = require "intake"
local time = require "time"

local presence = {}

local NOTE_S = 60 -- a sign of life is stored this often, to spare the flash

-- A sign of life is heard that is worth no commit.
function presence.heard(shop, one)
    one.heard = shop.host.mono()
end

-- Whether the sign of life is worth a commit of its own.
function presence.is_due(shop, one)
    return not one.state.online or not one.met
        or shop.host.now() - (one.state.heard or 0) > NOTE_S
end

local function tell_gap(self, cause)
    local from, now = self.one.state.heard, self.shop.host.now()
    if from and now > from then
        intake.event(self, "gap.recorded", { from = time.format(from), to = time.format(now),
            seconds = now - from, cause = cause }, now)
    end
end

-- In the terminal's turn: it is heard. Tells that it is back, and of what time nothing is known.
-- `connects` says that it has just connected.
function presence.seen(self, connects)
    local shop, one, now = self.shop, self.one, self.shop.host.mono()
    one.gap = one.heard and now - one.heard
    if connects then
        one.posted = now -- its memory may follow
    end
    one.quiet = now - math.max(one.posted, one.since)
    one.heard = now
    local state = one.state
    if state.online == false then
        tell_gap(self, "terminal_offline")
    elseif not one.met and state.heard
        and shop.host.now() - state.heard > shop.config.offline_after / 1000 then
        tell_gap(self, "plugin_stopped")
    end
    if not state.online then
        intake.event(self, "terminal.online", { model = state.model, firmware = state.firmware,
            way = "push" }, shop.host.now())
        state.online = true
    end
    if presence.is_due(shop, one) then
        intake.touch(self)
    end
    one.met = true
end

-- Regularly: who was not heard for too long is told as offline, once.
function presence.look(shop)
    local limit = shop.config.offline_after / 1000
    for _, one in pairs(shop.terminals) do
        if one.state.online ~= false and shop.host.mono() - (one.heard or one.since) > limit then
            intake.run(shop, one, function(self)
                one.state.online, self.is_silence = false, true -- the gap begins before it
                local last = one.state.heard
                intake.event(self, "terminal.offline", { cause = "no_answer",
                    last_good = last and time.format(last) }, shop.host.now())
            end)
        end
    end
end

return presence
