-- catchup - reads what the terminal has in its memory and was not told: behind every stream and
-- push.
--
-- Invariant: no sweep begins later than the newest record that was read before, nor than what the
-- terminal's clock showed then. So a clock that is set back, a stream that was cut and a push that
-- never came cost time, and no record.
local answer = require "answer"
local holes = require "holes"
local records = require "records"
local sweep = require "sweep"
local terminal = require "terminal"
local translate = require "translate"
local time = require "time"

local catchup = {}

local OVERLAP_S = 600
local DEEP_S = 2 * 86400 -- how far back one sweep a day looks
local DAY_S = 86400
local TRIED_S = 600 -- before looking for a hole again, when that failed
local VAIN_S = 3600 -- before looking for the next one, when nothing was found
local SOON_MS = 500
local PAGE_MOST = 1024 * 1024
local RUNS_S = 300
local OTHER = { epoch = "text", text = "epoch" }

function catchup.new(host, config, client, about)
    return { host = host, config = config, client = client, terminal = about }
end

---- who is there

-- Whether the right terminal answers. nil, message, code.
local function introduce(self)
    local body, message, code = self.client:get("/cgi-bin/magicBox.cgi?action=getSystemInfo")
    if not body then
        return nil, message, code
    end
    local info = answer.read(body)
    if not info then
        return nil, "no system information", "garbage"
    end
    local version = self.client:get("/cgi-bin/magicBox.cgi?action=getSoftwareVersion")
    if not terminal.introduce(self.terminal, info, version and answer.read(version)) then
        return nil, "another terminal", "wrong"
    end
    return true
end

local function set_clock(self)
    local now = time.fields(self.host.now(), self.config.utc_offset)
    local body = self.client:get(("/cgi-bin/global.cgi?action=setCurrentTime&time="
        .. "%04d-%02d-%02d%%20%02d:%02d:%02d"):format(now.year, now.month, now.day, now.hour,
        now.min, now.sec))
    local said = body and answer.read(body)
    return said ~= nil and said.OK == true
end

-- Looks at the terminal's clock, tells when it is wrong; how far it is ahead.
local function check_clock(self)
    local body = self.client:get("/cgi-bin/global.cgi?action=getCurrentTime")
    local drift = body and terminal.drift(self.terminal, body)
    if not drift then
        return 0
    end
    local is_wrong = math.abs(drift) * 1000 > self.config.clock_tolerance
    terminal.clock(self.terminal, drift, is_wrong and self.config.set_clock and set_clock(self))
    return drift
end

---- records

-- A page, in the form of times that the firmware understands: the other one is tried once, also
-- where another firmware has come since.
local function ask(self, from, to)
    local state, offset = self.terminal.state, self.config.utc_offset
    local form = state.form or "epoch"
    self.asked_at = self.host.mono()
    for _ = 1, 2 do
        local body, message, code = self.client:get(records.query(from, to, form, offset),
            PAGE_MOST)
        local page
        if body then
            page, message, code = records.read(body, offset)
        end
        if page then
            state.form = form
            return page
        elseif code ~= "request" and (code ~= "error" or state.form) then
            return nil, message, code
        end
        form = OTHER[form]
    end
    return nil, "the terminal understands no form of recordFinder",
        state.form and "request" or "unsupported"
end

---- holes in the numbers

-- Whether to look for numbers that are missing. A firmware that leaves numbers out is not to be
-- read far back for each of them.
local function is_seeking(self, now)
    local state = self.terminal.state
    return holes.count(state, self.terminal.ledger) > 0
        and math.abs(now - (state.vain_at or 0)) > VAIN_S
        and self.host.mono() >= (self.seek_from or 0)
end

-- A sweep has begun; `is_deep`: it finds what there is to be found.
local function seek(self, now, is_deep)
    local about = self.terminal
    self.sought = is_deep and is_seeking(self, now) and holes.count(about.state, about.ledger)
    self.is_deep, self.heard = is_deep, about.heard
    if self.sought then
        self.seek_from = self.host.mono() + TRIED_S
    end
end

-- A sweep has succeeded. What it should have read and has not is looked for soon, once.
local function end_seek(self, now)
    local about = self.terminal
    local state = about.state
    if self.heard and about.heard then
        holes.hear(state, about.ledger, self.heard)
    end
    if self.is_deep then
        if self.sought then
            local is_vain = holes.count(state, about.ledger) >= self.sought
            state.vain_at, self.seek_from = is_vain and now or nil, nil
        end
        holes.close(state, state.sought)
    elseif is_seeking(self, now) then
        catchup.want(self, SOON_MS)
    end
end

---- reading

-- Where a sweep begins: see the invariant. `drift` is how far the terminal's clock is ahead now.
local function begin_of(self, now, drift)
    local state = self.terminal.state
    local is_deep = now - (state.deep_at or 0) > DAY_S or is_seeking(self, now)
    seek(self, now, is_deep or not state.read_to)
    if not state.read_to then
        return now - self.config.backfill / 1000
    end
    local shown = math.min(state.swept_at or now, now) + drift -- by its clock when last read
    local from = math.min(state.read_to, shown) - (is_deep and DEEP_S or OVERLAP_S)
    local floor = self.terminal.ledger.floor
    if is_deep and floor and from < floor.last then
        from = math.min(floor.last, state.read_to - OVERLAP_S)
    end
    if is_deep then
        state.deep_at = now
    end
    return from
end

-- Everything up to there is told. Not beyond the newest record: the clock that says so may be
-- wrong.
local function read_to(self, moment)
    local state = self.terminal.state
    moment = math.min(moment, self.newest or moment)
    if self.newest and moment > (state.read_to or 0) then
        state.read_to = moment
        self.terminal.is_changed = true
    end
end

local function take(self, rows, upto)
    local found = {}
    for i, row in ipairs(rows) do
        local record = translate.row(row, self.terminal.about)
        record.live, record.raw = false, row.raw
        found[i] = record
        self.newest = math.max(self.newest or 0, row.time or 0)
    end
    terminal.tell(self.terminal, found)
    if upto then
        read_to(self, upto)
    end
end

local function tell_lost(self, lost)
    for _, second in ipairs(lost) do
        terminal.emit(self.terminal, "gap.recorded", { from = time.format(second),
            to = time.format(second + 1), seconds = 1, cause = "records_lost" })
    end
end

local function read_all(self)
    local about, now = self.terminal, self.host.now()
    local drift = check_clock(self)
    local from = begin_of(self, now, drift)
    self.newest = about.state.read_to
    local ok, lost, code = sweep.run({
        count = records.COUNT,
        ask = function(first, last) return ask(self, first, last) end,
        is_known = function(row) return about.ledger:has(row.serial, row.time) end,
        take = function(rows, upto) take(self, rows, upto) end,
        done = function(moment) read_to(self, moment) end,
    }, math.max(0, from), math.max(now, now + drift) + 3600)
    if not ok then
        return nil, lost, code
    end
    tell_lost(self, lost)
    terminal.tell_hole(about)
    end_seek(self, now)
    about.state.swept_at = now
    about.state.read_to = about.state.read_to or math.floor(from)
    terminal.save(about)
    self.host.commit()
    return true
end

---- when

local function read_now(self)
    local ok, _, code = introduce(self)
    if ok then
        terminal.good(self.terminal, "poll")
        ok, _, code = read_all(self)
    end
    if ok then
        self.failures, self.is_unsupported, self.terminal.is_unread = 0, false, false
        self.host.metrics.count("sweeps", 1)
        return
    end
    if self.client.is_refused then
        return
    end
    self.host.metrics.count("sweeps_failed", 1)
    self.is_unsupported = code == "unsupported"
    self.terminal.is_unread = self.is_unsupported
    self.failures = (self.failures or 0) + 1
    if self.failures == 1 then
        self.host.log.warn("records not read: %s; tried again", code)
    end
end

-- A handler may be ended by force: it counts as running only so long behind its last question.
local function is_running(self)
    return self.asked_at ~= nil and self.host.mono() - self.asked_at < RUNS_S
end

local function run(self)
    if self.client.is_refused or is_running(self) then
        self.is_missed = is_running(self)
        return
    end
    self.asked_at, self.is_missed = self.host.mono(), false
    read_now(self)
    self.asked_at = nil
    if (self.failures or 0) > 0 and not self.is_unsupported then
        catchup.want(self, math.min(5000 * 2 ^ (self.failures - 1), 300000) // 1)
    elseif self.is_missed then
        catchup.want(self, SOON_MS)
    end
end

-- Reads soon: `delay` is in milliseconds. Wishes that come meanwhile are the same one.
function catchup.want(self, delay)
    if self.is_wanted or self.client.is_refused then
        return
    end
    self.is_wanted = true
    self.host.after(math.tointeger(delay), function()
        self.is_wanted = false
        run(self)
    end)
end

function catchup.start(self)
    catchup.want(self, 0)
    self.host.every(self.config.reconcile, function() catchup.want(self, 0) end)
end

return catchup
