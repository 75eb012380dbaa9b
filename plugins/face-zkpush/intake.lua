-- intake - one upload of a terminal on its way into the journal.
--
-- What is told and what is known go into the same commits: what was committed is known, what is
-- known was committed. An upload of many records is committed in pieces; dying between two is the
-- same as dying before, because the terminal sends all of it again and the first piece is known.
local checkin = require "checkin"
local digest = require "digest"
local known = require "known"
local terminal = require "terminal"

local intake = {}

local EVENTS_MOST = 130 -- of a piece: a whole upload of 128 lines, and
local WEIGHT_MOST = 80000 -- bytes of hashes: a commit takes 256 KiB
local LIVE_S = 60

-- What is raised when the keeper refuses a commit: the terminal is told 503 and tries again.
intake.REFUSED = "the keeper refused the commit"

local function open(shop, one)
    return { shop = shop, one = one, told = 0, repeated = 0, gathered = 0, changed = false,
        known = known.open(shop.host.store, one.serial, { records = one.state.records or 0,
            values = one.state.values or 0 }, shop.bounds) }
end

-- Makes durable what was gathered.
function intake.commit(self)
    local host, one = self.shop.host, self.one
    local held = known.flush(self.known)
    if self.gathered == 0 and not self.changed and held.records == (one.state.records or 0) then
        return
    end
    one.state.records, one.state.values = held.records, held.values
    if not self.is_silence then
        one.state.heard = host.now()
    end
    terminal.keep(host, one)
    if not pcall(host.commit) then
        error(intake.REFUSED, 0)
    end
    terminal.works(host, one)
    self.gathered, self.changed = 0, false
    known.committed(self.known)
end

-- Lets others run; it is still this upload's turn.
function intake.breathe(self)
    terminal.works(self.shop.host, self.one)
    self.shop.host.sleep(1)
end

-- The state of the terminal has changed.
function intake.touch(self)
    self.changed = true
end

local function emit(self, event)
    self.shop.host.emit(event)
    self.gathered = self.gathered + 1
    if self.gathered >= EVENTS_MOST or known.weight(self.known) > WEIGHT_MOST then
        intake.commit(self)
    end
end

-- Tells a record of checkin that no number or time of its own makes one of many.
function intake.tell(self, record)
    record.terminal = self.one.serial
    emit(self, checkin.meaning(record, self.shop.name_of))
    self.told = self.told + 1
end

-- Whether it was told as it happened: true, false, or nil where nobody knows.
local function is_live(self, record, many)
    if not record.time then
        return nil
    end
    local age = self.shop.host.now() - record.time
    if math.abs(age) <= LIVE_S then
        return true
    end
    return many and age > 0 and false or nil
end

-- Tells a record once, however often it comes. `key` names it among those of `day` (eight digits),
-- `line` are its bytes, `many` says that it came with others. Answers whether it is new.
function intake.record(self, record, day, key, line, many)
    local hash = known.short(digest.sha256(key))
    if not known.learn(self.known, day, hash) then
        self.repeated = self.repeated + 1
        return false
    end
    record.raw = digest.sha256(line)
    record.live = is_live(self, record, many)
    intake.tell(self, record)
    return true
end

-- An event of the terminal that is not from a record of it.
function intake.event(self, type, data, moment)
    data.terminal = self.one.serial
    emit(self, { type = type, time = moment, data = data,
        subject = "device/face-terminal/" .. self.one.serial })
end

-- Runs work(intake) in the terminal's turn and makes durable what it told. Answers what work()
-- answers, or raises intake.REFUSED.
function intake.run(shop, one, work)
    return terminal.in_turn(shop.host, one, function()
        local self = open(shop, one)
        local answer = work(self)
        intake.commit(self)
        shop.host.metrics.count("records_told", self.told)
        shop.host.metrics.count("records_repeated", self.repeated)
        return answer
    end)
end

return intake
