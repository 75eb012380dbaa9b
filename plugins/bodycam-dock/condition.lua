-- condition - how the dock is, told when it changes and only then: what was told is in the store.
local digest = require "digest"
local ledger = require "ledger"

local condition = {}

local MARKS = 8 -- refused logins that are known, the newest: who goes back to one locks no account

local function is_among(marks, mark)
    for _, one in ipairs(marks or {}) do
        if one == mark then
            return true
        end
    end
    return false
end

function condition.new(host, config, book, source)
    local mark = digest.sha256(table.concat({ config.url, config.user or "",
        config.password or "" }, "\0"))
    return { host = host, config = config, ledger = book, source = source, mark = mark,
        heard = host.mono(), refused = is_among(ledger.state(book).refused, mark) }
end

-- Changes one thing of the state; the event becomes durable with it.
local function change(self, name, value, type, data)
    local state = ledger.state(self.ledger)
    if state[name] == value then
        return false
    end
    state[name] = value
    ledger.put_state(self.ledger, state)
    data = data or {}
    data.source = self.source
    self.host.emit { type = type, data = data }
    self.host.commit()
    return true
end

-- Nothing is asked while the login is known to be wrong.
function condition.is_barred(self)
    return self.refused
end

function condition.refuse(self)
    local marks = ledger.state(self.ledger).refused or {}
    marks[#marks + 1] = self.mark
    if #marks > MARKS then
        table.remove(marks, 1)
    end
    self.refused = true
    if change(self, "refused", marks, "dock.auth_failed") then
        self.host.log.error("the dock refuses user and password; it is not asked until the "
            .. "configuration changes")
    end
end

function condition.good(self)
    self.heard, self.fault = self.host.mono(), nil
    if change(self, "online", true, "dock.online") then
        self.host.log.info("the dock can be read")
    end
end

-- Told when it has lasted.
function condition.bad(self, why, code)
    self.fault = why
    self.host.metrics.count("looks_failed", 1)
    if (self.host.mono() - self.heard) * 1000 < self.config.offline_after then
        return
    end
    if change(self, "online", false, "dock.offline", { cause = code or "unknown" }) then
        self.host.log.warn("the dock cannot be read: %s", why)
    end
end

function condition.full(self, clips)
    if change(self, "full", true, "dock.waiting", { clips = clips }) then
        self.host.log.warn("there is no room: %d clips wait on the dock", clips)
    end
end

function condition.roomy(self)
    if ledger.state(self.ledger).full then
        change(self, "full", false, "dock.going_on")
    end
end

function condition.clock(self, offset)
    local is_wrong = math.abs(offset) * 1000 > self.config.clock_drift
    if is_wrong then
        change(self, "clock", true, "dock.clock_wrong", { offset = offset })
    elseif ledger.state(self.ledger).clock then
        change(self, "clock", false, "dock.clock_right", { offset = offset })
    end
end

return condition
