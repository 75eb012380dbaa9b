-- terminal - the terminal itself: whether it answers, whether it is the right one, its clock.
local client = require "client"
local device = require "device"
local ledger = require "ledger"
local time = require "time"

local terminal = {}

local CLOCK_HYSTERESIS = 2 -- right again below half of what is wrong

function terminal.new(host, config, line, book)
    return { host = host, config = config, line = line, book = book, alive_at = host.mono() }
end

-- ---- Whether it answers

local function set_online(self, online, way, kind, data)
    ledger.change(self.book, function(state)
        ledger.say(self.book, state, kind, data)
        state.online, state.way = online, way or state.way
        state.good = online and self.host.now() or state.good
    end)
end

-- It is heard, and how. Told when it was not before, and when the way changes.
function terminal.online(self, way)
    local state, info = ledger.glance(self.book), self.info or {}
    if not state.online or state.way ~= way then
        self.host.log.info("the terminal is heard by %s", way)
        set_online(self, true, way, "terminal.online",
            { way = way, model = info.model, firmware = info.firmware })
    end
end

function terminal.offline(self, cause)
    local state = ledger.glance(self.book)
    if state.online ~= false then
        self.host.log.error("the terminal is not heard (%s); what it records meanwhile is read "
            .. "later", cause)
        set_online(self, false, nil, "terminal.offline",
            { cause = cause, last_good = state.good and time.format(state.good) })
    end
end

-- A sign of life, of any kind.
function terminal.heard(self)
    self.alive_at = self.host.mono()
end

function terminal.silence_ms(self)
    local heard = math.max(self.alive_at, self.line.heard_at or 0)
    return (self.host.mono() - heard) * 1000
end

-- ---- Whether it is the right one

local function expected_serial(self)
    return self.config.terminal or ledger.glance(self.book).terminal
end

local function is_right(self, info)
    local expected = expected_serial(self)
    if not expected or expected == info.serial then
        return true
    end
    if not self.is_wrong then
        self.host.log.error('terminal: expected serial "%s", got "%s"; nothing it says is believed '
            .. "until it is the right one, or the setting terminal names the new one", expected,
            info.serial)
    end
    self.is_wrong = true
    terminal.offline(self, "wrong_terminal")
    return false
end

-- Asks who it is. True when it is the right one; nil, why, code.
function terminal.identify(self)
    local body, why, code = client.get(self.line, { path = "/ISAPI/System/deviceInfo" })
    if not body then
        return nil, why, code
    end
    local info
    info, why = device.info(body)
    if not info then
        return nil, why, "garbage"
    end
    if not is_right(self, info) then
        return nil, "it is another terminal", "identity"
    end
    self.info, self.is_wrong = info, false
    if ledger.glance(self.book).terminal ~= info.serial then
        ledger.change(self.book, function(state) state.terminal = info.serial end)
    end
    return true
end

-- ---- Its clock

-- How far it is ahead of ours in seconds, and what it said; nil, why, code.
function terminal.drift(self)
    local before = self.host.now()
    local body, why, code = client.get(self.line, { path = "/ISAPI/System/time" })
    if not body then
        return nil, why, code
    end
    local clock
    clock, why = device.clock(body, self.config.offset)
    if not clock then
        return nil, why, "garbage"
    end
    return clock.seconds - (before + self.host.now()) / 2, clock
end

-- Sets it to ours. True, or nil, why, code.
function terminal.set_clock(self)
    local offset = self.config.offset
    local good, why, code = client.get(self.line, { path = "/ISAPI/System/time", method = "PUT",
        body = device.set_clock(math.floor(self.host.now() + 0.5), offset) })
    return good and true, why, code
end

local function tenths(number)
    return math.floor(number * 10 + 0.5) / 10
end

-- Looks at the clock; tells once that it is wrong, until it is right again. Setting it is wished
-- for by the configuration, because our own clock may be the wrong one.
function terminal.check_clock(self)
    local drift, said = terminal.drift(self)
    if not drift then
        self.host.log.debug("the terminal's clock cannot be read: %s", said)
        return
    end
    self.host.metrics.gauge("clock_drift_s", drift)
    local state, most = ledger.glance(self.book), self.config.clock_drift / 1000
    if math.abs(drift) > most then
        local corrected = self.config.set_clock and terminal.set_clock(self) or false
        if not state.clock_wrong or corrected then
            ledger.change(self.book, function(changed)
                ledger.say(self.book, changed, "terminal.clock_wrong",
                    { drift = tenths(drift), corrected = corrected })
                changed.clock_wrong = not corrected or nil
            end)
        end
    elseif state.clock_wrong and math.abs(drift) < most / CLOCK_HYSTERESIS then
        ledger.change(self.book, function(changed) changed.clock_wrong = nil end)
    end
end

return terminal
