-- ledger - what is stored of a terminal, and the transactions that tell its records.
--
-- Keys of host.store: "state" (order.lua), "told/N" a row of marks for a hundred numbers each. The
-- cursor, the marks and the events of a record are one commit, so each is told once, whatever dies.
--
-- Invariant: whoever looks at the state or changes it has the turn, until it is committed. What is
-- remembered is a copy; it is dropped before anything may fail and taken up again afterwards.
local checkin = require "checkin"
local digest = require "digest"
local fact = require "fact"
local order = require "order"
local picture = require "picture"
local turn = require "turn"

local ledger = {}

local AHEAD_MAX = 32
local AHEAD_S = 86400
local EVENTS_MAX = 30 -- of a commit

function ledger.new(host, config)
    return { host = host, config = config, turn = turn.new(host),
        name_of = checkin.keeper(host, config.people),
        pictures = picture.new(host, config.pictures) }
end

local function load(self)
    local state = self.memory or self.host.store.get "state" or {}
    state.cursor, state.top = state.cursor or 0, state.top or 0
    self.memory = nil
    return state
end

-- What the state says, without a turn: for looking only.
function ledger.glance(self)
    return self.memory or self.host.store.get "state" or { cursor = 0, top = 0 }
end

-- ---- What is told

local function row_key(serial)
    return ("told/%09d"):format(order.row(serial))
end

function ledger.identity(self, one)
    return fact.identity(one, self.config.offset)
end

local function mark_of(self, one)
    return digest.sha256(one.serialNo .. " " .. ledger.identity(self, one)):sub(1, order.MARK)
end

-- is_told(fact) for one transaction, with the rows it has read.
local function memory_of(self)
    local rows = {}
    local function row(serial)
        local key = row_key(serial)
        if rows[key] == nil then
            rows[key] = self.host.store.get(key) or ""
        end
        return rows[key], key
    end
    local function is_told(one)
        return order.has_mark(row(one.serialNo), mark_of(self, one))
    end
    local function remember(one)
        local before, key = row(one.serialNo)
        rows[key] = order.add_mark(before, mark_of(self, one))
        self.host.store.put(key, rows[key])
        if before == "" and one.serialNo > order.ROW * order.ROWS then
            self.host.store.remove(row_key(one.serialNo - order.ROW * order.ROWS))
        end
    end
    return is_told, remember
end

-- ---- Telling

local function emit(self, state, one)
    one.picture = one.picture or picture.take(self.pictures, one.bytes)
    picture.keep(self.pictures, one.picture)
    local record = fact.record(one, { terminal = state.terminal, offset = self.config.offset,
        sha256 = digest.sha256 })
    self.host.emit(checkin.meaning(record, self.name_of))
end

-- Something about the terminal itself, or about what is missing.
function ledger.say(self, state, kind, data)
    data.terminal = state.terminal or self.config.url:match "//%[?([%w.-]+)"
    self.host.emit { type = kind, data = data,
        subject = "device/face-terminal/" .. data.terminal }
end

local function say_gap(self, state, step)
    self.host.metrics.count("records_missing", step.missing)
    ledger.say(self, state, "gap.recorded", { cause = "records_lost", first = step.first,
        missing = step.missing })
end

-- Numbers before the first that was ever told are no gap: they are older than this box. So is what
-- is only remembered (mute_to).
local function take(self, state, step, remember)
    local is_mute = state.mute_to and step.serial <= state.mute_to
    if step.missing and state.low and not is_mute then
        say_gap(self, state, step)
    end
    if step.fact then
        if not is_mute then
            emit(self, state, step.fact)
        end
        remember(step.fact)
    end
    order.pass(state, step)
end

local function commit(self, state)
    self.host.store.put("state", state)
    self.host.commit()
    self.memory = state
end

-- Of facts that were told live, what a search says of them counts as told too, should it differ;
-- but not where what was told is there beside it: then it is another record.
local function recognise(state, few, is_told, remember)
    local told = {}
    for _, one in ipairs(few) do
        told[one.serialNo] = told[one.serialNo] or is_told(one)
    end
    for _, one in ipairs(few) do
        if one.serialNo <= state.cursor and not told[one.serialNo] then
            remember(one)
            told[one.serialNo] = true
        end
    end
end

local function unconfirmed(state, few)
    local list = {}
    for _, one in ipairs(few) do
        if one.serialNo <= state.cursor and one.serialNo > (state.confirmed or 0) then
            list[#list + 1] = one
        end
    end
    return list
end

-- Of several records under one number only one is told in a run; for the others the numbers must be
-- gone through once more.
local function leave_over(state, few, is_told)
    for _, one in ipairs(few) do
        if one.serialNo <= state.cursor and not is_told(one) then
            state.again = math.min(state.again or one.serialNo, one.serialNo)
        end
    end
end

-- Up to where a search has shown everything; whether that is news.
local function confirm(state, upto)
    local before = state.confirmed or 0
    state.confirmed = math.max(before, math.min(state.cursor, upto))
    return state.confirmed > before
end

-- Tells what of the facts (by number) is to be told, and how many that were. They are all there is
-- up to the number `upto`.
function ledger.tell(self, facts, epoch, upto)
    local told, at = 0, 1
    repeat
        local _ <close> = turn.take(self.turn)
        local state = load(self)
        if state.epoch ~= epoch then
            self.memory = state
            return told
        end
        local is_told, remember = memory_of(self)
        local few = table.move(facts, at, at + EVENTS_MAX - 1, 1, {})
        at = at + EVENTS_MAX
        recognise(state, unconfirmed(state, few), is_told, remember)
        local steps = order.steps(state, few, is_told)
        for _, step in ipairs(steps) do
            take(self, state, step, remember)
            told = told + (step.fact and 1 or 0)
        end
        leave_over(state, few, is_told)
        if confirm(state, at > #facts and upto or state.cursor) or #steps > 0 then
            commit(self, state)
        else
            self.memory = state
        end
    until at > #facts
    return told
end

-- One that was told live. "told", "known", "ahead" or "doubt" (order.lua). What is urgent does not
-- wait for what is missing before it; all else does, and with `waits` also when nothing is missing.
function ledger.offer(self, one, waits)
    local _ <close> = turn.take(self.turn)
    local state = load(self)
    local is_told, remember = memory_of(self)
    local place = order.place(state, one, is_told)
    place = waits and place == "next" and "ahead" or place
    local early = place == "ahead" and fact.is_urgent(one) and #(state.ahead or {}) < AHEAD_MAX
    if place == "next" then
        take(self, state, { fact = one, serial = one.serialNo }, remember)
    elseif early then
        emit(self, state, one)
        remember(one)
        state.ahead = state.ahead or {}
        state.ahead[#state.ahead + 1] = one.serialNo
        state.top = math.max(state.top, one.serialNo)
    end
    if place == "next" or early then
        commit(self, state)
        return "told"
    end
    self.memory = state
    return place
end

-- For terminals whose memory cannot be searched: whatever is new is told as it comes, and what is
-- missing is recorded. Those without a number are known by their marks alone.
function ledger.accept(self, one)
    local _ <close> = turn.take(self.turn)
    local state = load(self)
    local is_told, remember = memory_of(self)
    local key = one.serialNo and one
        or setmetatable({ serialNo = 0 }, { __index = one })
    if is_told(key) then
        self.memory = state
        return "known"
    end
    local step = { fact = one, serial = one.serialNo }
    if one.serialNo and one.serialNo > state.cursor then
        step.missing = one.serialNo - state.cursor - 1
        step.missing = step.missing > 0 and step.missing or nil
        step.first = state.cursor + 1
        take(self, state, step, remember)
    else
        emit(self, state, one)
        remember(key)
    end
    commit(self, state)
    return "told"
end

-- ---- Without ranges of numbers

-- The newest moment that is known, but for clocks that run ahead.
local function note_time(self, state, one)
    local seconds = fact.seconds(one, self.config.offset)
    if seconds and seconds <= self.host.now() + AHEAD_S then
        state.newest = math.max(state.newest or 0, seconds)
    end
end

-- Tells whatever of the facts is not told yet; for terminals that cannot be searched by number. How
-- many that were.
function ledger.tell_found(self, facts)
    local _ <close> = turn.take(self.turn)
    local state, told = load(self), 0
    local is_told, remember = memory_of(self)
    for _, one in ipairs(facts) do
        if not is_told(one) then
            note_time(self, state, one)
            order.pass(state, { serial = math.max(state.cursor, one.serialNo) })
            emit(self, state, one)
            remember(one)
            told = told + 1
        end
    end
    if told > 0 then
        commit(self, state)
    else
        self.memory = state
    end
    return told
end

-- ---- Other changes

-- fn(state, remember) changes the state; committed with what it emits.
function ledger.change(self, fn)
    local _ <close> = turn.take(self.turn)
    local state = load(self)
    local is_told, remember = memory_of(self)
    local answer = fn(state, remember, is_told)
    commit(self, state)
    return answer
end

-- Which of the facts are not told.
function ledger.untold(self, facts)
    local _ <close> = turn.take(self.turn)
    local is_told = memory_of(self)
    local list = {}
    for _, one in ipairs(facts) do
        if not is_told(one) then
            list[#list + 1] = one
        end
    end
    return list
end

return ledger
