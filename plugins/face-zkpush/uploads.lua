-- uploads - the tables that a terminal posts, each read by its own lines and told by intake.
--
-- Each function takes the body of a request in the terminal's turn and answers how many lines there
-- were. All of them count, also what is no record: a terminal that hears a smaller number sends all
-- of it again, for ever.
local doors = require "doors"
local attlog = require "attlog"
local clock = require "clock"
local intake = require "intake"
local lines = require "lines"
local operlog = require "operlog"
local picture = require "picture"

local uploads = {}

local NO_DAY = "00000000" -- of records without a time
local DAY = "^20%d%d%d%d%d%d$"
local LINES_AT_ONCE = 200

local function count(self, name, number)
    self.shop.host.metrics.count(name, number or 1)
end

-- How many lines a body has, at most two: whether a record came with others.
local function comes_with_others(body)
    return body:find "[^\r\n][\r\n]+[^\r\n]" ~= nil
end

-- ---- Clocks

local function tell_clock(self, drift)
    local state, host = self.one.state, self.shop.host
    local is_news, remembered = clock.judge(state.drift, drift, self.shop.config.clock_tolerance
        / 1000)
    state.drift = remembered
    if not is_news then
        return
    end
    intake.touch(self)
    intake.event(self, "terminal.clock_wrong", { drift = drift,
        corrected = remembered == nil or nil }, host.now())
    if remembered and self.shop.config.clock == "set" then
        self.shop.set_time(self.one)
    end
end

local function look_at_clock(self, record, many)
    local one, host = self.one, self.shop.host
    local drift = record.time and clock.drift { now = host.now(), time = record.time,
        alone = not many, heard = one.gap, posted = one.quiet }
    if drift then
        tell_clock(self, drift)
    end
end

-- ---- Records

-- A line that is none: nothing is known of it but that it came. One with a time that no clock shows
-- was a record all the same, so that is told.
local function tell_fault(self, fault, line, many)
    if fault == "bad_time" then
        count(self, "times_bad")
        intake.record(self, { what = "other", codes = { bad_time = 1 } }, NO_DAY, "T\n" .. line,
            line, many)
    else
        count(self, "lines_malformed")
    end
end

local function tell_record(self, kind, record, row, key, line, many)
    local day = row.day:find(DAY) and row.day or NO_DAY
    if intake.record(self, record, day, kind .. "\n" .. key, line, many) then
        look_at_clock(self, record, many)
    end
end

local function attendance_line(self, line, many)
    local row, fault = attlog.row(line, self.shop.offset, self.one.state.compares)
    if not row then
        return tell_fault(self, fault, line, many)
    end
    tell_record(self, "A", attlog.record(row), row, attlog.key(row), line, many)
end

local function access_line(self, line, many)
    if not doors.is_event(line) then
        return attendance_line(self, line, many)
    end
    local event, fault = doors.event(line, self.shop.offset)
    if not event then
        return tell_fault(self, fault, line, many)
    end
    local state = self.one.state
    if event.index and state.index and event.index < state.index and not many then
        -- Numbers that fall behind far begin again: the terminal was reset.
        if state.index - event.index > 1000 or event.index <= 1 then
            intake.event(self, "terminal.serial_reset",
                { before = state.index, after = event.index }, self.shop.host.now())
            state.index = event.index
        end
    end
    state.index = math.max(state.index or 0, event.index or 0)
    tell_record(self, "E", doors.record(event), event, doors.key(event), line, many)
end

-- The lines of a body, with a pause now and then: a handler has 200 ms without one, and whole
-- memories come in one piece.
local function lines_of(self, body)
    local next_line, number = lines.each(body), 0
    return function()
        number = number + 1
        if number % LINES_AT_ONCE == 0 then
            intake.breathe(self)
        end
        return next_line()
    end
end

local function each(self, body, read)
    local many, number = comes_with_others(body), 0
    for line, is_cut in lines_of(self, body) do
        number = number + 1
        if is_cut then
            count(self, "lines_malformed")
        else
            read(self, line, many)
        end
    end
    return number
end

function uploads.attendance(self, body)
    return each(self, body, attendance_line)
end

function uploads.events(self, body)
    return each(self, body, access_line)
end

-- ---- Operations and what is not kept

local REFUSED = { template = "templates_refused", picture = "pictures_refused",
    card = "cards_refused", unknown = "lines_unknown" }

-- Somebody asked whom the terminal knows; otherwise persons are of no interest.
local function note_user(self, values)
    local asked = self.one.listing
    if asked and values and asked.count < asked.most then
        asked.count = asked.count + 1
        asked.pins[asked.count] = values.pin
    else
        count(self, "persons_refused")
    end
end

function uploads.operations(self, body)
    local many, number = comes_with_others(body), 0
    for line, is_cut in lines_of(self, body) do
        number = number + 1
        local kind, rest = operlog.kind(line)
        if kind == "operation" and not is_cut then
            local operation, fault = operlog.operation(rest, self.shop.offset)
            if operation then
                tell_record(self, "O", operlog.record(operation), operation,
                    operlog.key(operation), line, many)
            else
                tell_fault(self, fault, line, many)
            end
        elseif kind == "user" then
            note_user(self, operlog.user(rest))
        else
            count(self, REFUSED[kind] or "lines_malformed")
        end
    end
    return number
end

-- Persons, as the answer to a question or on the terminal's own account.
function uploads.persons(self, body)
    local number = 0
    for line in lines_of(self, body) do
        number = number + 1
        local rest = line:match "^%s*%a[%w_]*[ \t]+(.*)$" or line
        note_user(self, operlog.user(rest))
    end
    return number
end

-- Templates and cards: their lines are counted and forgotten.
function uploads.refuse(self, body, name)
    local number = 0
    for _ in lines_of(self, body) do
        number = number + 1
    end
    count(self, name, number)
    return number
end

function uploads.picture(self, body, query)
    local found = picture.read(body, query)
    count(self, "pictures_refused")
    count(self, "picture_bytes_refused", found.length)
    return 1
end

-- ---- States

-- The state has changed since the one that is stored: what has, is told. A state has no number, so
-- there is none twice by what is stored, not by what is known.
function uploads.states(self, body)
    local number, state = 0, self.one.state
    for line in lines_of(self, body) do
        number = number + 1
        local now, fault = doors.state(line, self.shop.offset)
        if now then
            for _, record in ipairs(doors.changes(state.doors, now)) do
                intake.tell(self, record)
                intake.touch(self)
            end
            if not state.doors then
                intake.touch(self)
            end
            state.doors = now.doors
            tell_clock(self, now.time - self.shop.host.now())
        else
            count(self, fault == "bad_time" and "times_bad" or "lines_malformed")
        end
    end
    return number
end

return uploads
