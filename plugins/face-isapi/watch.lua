-- watch - the life of the plugin: when the terminal is asked, listened to, and given up.
--
-- Three kinds of handlers: a beat each second, which decides; rounds of the search, one at a time,
-- whoever wishes for them; the stream, which is read for as long as it lives. What they share is in
-- `self`. One that dies where nothing can notice it (out of budget) keeps its place for a lease.
local client = require "client"
local ears = require "ears"
local ledger = require "ledger"
local sweep = require "sweep"
local terminal = require "terminal"
local ways = require "ways"

local watch = {}

local BEAT_MS = 1000
local IDENTIFY_S, CLOCK_S, SUBSCRIBE_S = 3600, 3600, 600
local UNSUPPORTED_S = 3600 -- until a terminal that cannot be searched is asked once more
local ROUND_LEASE_S = 900 -- of a round that died without a word
local SESSION_LEASE_S = 1800 -- of a stream that did; longer than one may be silent
local GOOD_SESSION_S = 30 -- a stream that lasted so long was no failure
local BACK_OFF = 60 -- times the first wait, at most

-- ---- Settings that lead to others

local function place_of(url)
    local address, port, path = url:match "^http://([^/:]+):?(%d*)(/?.*)$"
    return address and { address = address, port = tonumber(port) or 80,
        path = path ~= "" and path or "/" } or nil
end

-- Whoever may push: whom the setting names, else the terminal, when its address is a number.
local function allowed(config)
    local host = config.url:match "^https?://([%d.]+)" or config.url:match "^https?://%[([%x:]+)%]"
    return config.allow or host and { host } or nil
end

-- ---- Rounds

local function fail(self, why, code)
    self.fault = { why = why, code = code }
    self.sweep.is_caught_up = false
    self.host.metrics.count("rounds_failed", 1)
    self.host.log.debug("the terminal cannot be asked: %s", why)
    return nil, why, code
end

local function every(self, what, seconds)
    local now = self.host.mono()
    if self.done[what] and now - self.done[what] < seconds then
        return false
    end
    self.done[what] = now
    return true
end

local function identify(self)
    local is_back = ledger.glance(self.book).online == false
    if self.terminal.info and not is_back and not every(self, "identify", IDENTIFY_S) then
        return true
    end
    local good, why, code = terminal.identify(self.terminal)
    if good then
        self.done.identify = self.host.mono()
        if is_back then
            self.done.subscribe, self.done.clock = nil, nil
        end
    end
    return good, why, code
end

local function subscribe(self)
    if not ways.wants_push(self.ways) or not every(self, "subscribe", SUBSCRIBE_S) then
        return
    end
    local good, why, code = ears.subscribe(self)
    if not good and code ~= self.push_fault then
        self.host.log.warn("the terminal does not take where to push to: %s", why)
    end
    self.push_fault = code
end

-- What the search found counts against the ways only when they had their time: in a round that
-- nobody but the clock wished for.
local function judge(self, told, is_regular)
    if is_regular and told > 0 and ways.missed_some(self.ways, told) then
        self.host.log.warn("only the search brings records: nothing comes by push or stream")
    end
    terminal.online(self.terminal, self.ways.way or "poll")
end

local function search(self, is_regular)
    if self.no_search and not every(self, "unsupported", UNSUPPORTED_S) then
        terminal.online(self.terminal, self.ways.way or "poll")
        return true
    end
    local good, told, code = sweep.round(self.sweep)
    if not good and code == "unsupported" then
        if not self.no_search then
            self.host.log.warn("the terminal's memory cannot be searched: what it does not tell "
                .. "live is lost")
        end
        self.no_search = true
        self.done.unsupported = self.host.mono()
        terminal.online(self.terminal, self.ways.way or "poll")
        return true
    end
    if not good then
        return nil, told, code
    end
    self.no_search = false
    judge(self, told, is_regular)
    return true
end

local function round(self, is_regular)
    local barred = client.barred(self.line)
    if barred then
        return fail(self, barred, "auth")
    end
    local good, why, code = identify(self)
    if good then
        subscribe(self)
        good, why, code = search(self, is_regular)
    end
    if not good then
        return fail(self, why, code)
    end
    self.fault = nil
    if every(self, "clock", CLOCK_S) then
        terminal.check_clock(self.terminal)
    end
end

local function next_round_s(self)
    local config = self.config
    if self.fault then
        return math.max(config.poll, config.retry) / 1000
    end
    local is_live = self.ways.way == "push" or self.streaming and self.ways.way == "stream"
    local rest = math.min(config.reconcile, config.offline_after // 2) -- a sign of life in time
    return (is_live and rest or config.poll) / 1000
end

local function rounds(self)
    if self.round_since and self.host.mono() - self.round_since < ROUND_LEASE_S then
        return
    end
    while self.wanted do
        local is_regular = self.wanted == "regular"
        self.wanted = nil
        self.round_since = self.host.mono()
        local ok, why = pcall(round, self, is_regular)
        self.round_since = nil
        self.rounds = self.rounds + 1
        self.next_round = self.host.mono() + next_round_s(self)
        if not ok then
            error(why, 0)
        end
    end
end

local function wish(self, reason)
    self.wanted = self.wanted or reason
    if not self.round_since then
        self.host.after(0, function() rounds(self) end)
    end
end

-- ---- The stream

local function wants_session(self)
    local now, last = self.host.mono(), self.session_at
    return self.terminal.info and not client.barred(self.line) and ways.wants_stream(self.ways)
        and now >= self.next_session and (not last or now - last > SESSION_LEASE_S)
end

-- One session, and when the next may be.
local function session(self)
    local began = self.host.mono()
    local ok, good, why = pcall(ears.session, self)
    self.streaming, self.session_at = false, nil
    local is_failure = not ok or not good or self.host.mono() - began < GOOD_SESSION_S
    self.failures = is_failure and self.failures + 1 or 0
    self.next_session = self.host.mono() + ways.wait_ms(math.max(0, self.failures - 1),
        self.config.retry, self.config.retry * BACK_OFF) / 1000
    if not ok then
        error(good, 0)
    end
    self.host.log.debug("the stream ended: %s", why)
end

-- ---- The beat

local function beat(self)
    if client.barred(self.line) then
        terminal.heard(self.terminal) -- nobody asks, so its silence means nothing
    elseif terminal.silence_ms(self.terminal) > self.config.offline_after then
        terminal.offline(self.terminal, "no_answer")
    end
    if self.host.mono() >= self.next_round then
        self.next_round = self.host.mono() + next_round_s(self)
        wish(self, "regular")
    end
    if wants_session(self) then
        self.session_at = self.host.mono()
        self.host.after(0, function() session(self) end)
    end
end

function watch.start(host, config)
    local book = ledger.new(host, config)
    local line = client.new(host, config, book)
    local self = { host = host, config = config, book = book, line = line, done = {}, rounds = 0,
        failures = 0, next_session = 0, next_round = host.mono() }
    self.allow = allowed(config)
    self.place = config.push_to and place_of(config.push_to)
    self.terminal = terminal.new(host, config, line, book)
    self.sweep = sweep.new(host, config, line, book)
    self.ways = ways.new(config.mode, self.place ~= nil, ledger.glance(book).way)
    self.wake = function() wish(self, "wake") end
    if config.listen and config.mode ~= "stream" and config.mode ~= "poll" then
        ears.listen(self)
    end
    wish(self, "wake")
    host.every(BEAT_MS, function() beat(self) end)
    return self
end

watch.place_of = place_of

return watch
