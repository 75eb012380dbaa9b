-- sweep - reading what the terminal has stored, from the cursor on: what makes nothing be lost.
--
-- A round asks for windows of serial numbers, each as long as a page, so that a page out of order,
-- a clock that jumps or a record that comes meanwhile changes nothing. What is missing in the
-- newest window is asked for once more before it counts as missing. A round begins with a probe of
-- the lowest numbers: when something lies there that was never told, the numbers have begun again.
--
-- Terminals that refuse a range of numbers, or ignore it, are searched by time instead (`period`).
local client = require "client"
local digest = require "digest"
local fact = require "fact"
local ledger = require "ledger"
local order = require "order"
local search = require "search"
local time = require "time"

local sweep = {}

local PATH = "/ISAPI/AccessControl/AcsEvent?format=json"
local PAGES_MAX = 20 -- of one window
local PERIOD_PAGES_MAX = 10000
local FACTS_MAX = 300 -- of one window; with more it is asked for in smaller ones
local GROW = 8 -- an empty window is followed by one so many times as long
local LATE_MS = 1000 -- a record may be stored a little later than the next one
local FROM, TO = "2000-01-01T00:00:00+00:00", "2037-12-31T23:59:59+00:00"
local OVERLAP_S = 86400 -- clocks jump

function sweep.new(host, config, line, book)
    return { host = host, config = config, line = line, book = book, number = 0, seen = 0,
        known = 0, id = digest.sha256(host.random(16)):sub(1, 12) }
end

-- ---- Asking

local function collect(self, body_of, wanted, pages)
    self.number = self.number + 1
    local id = ("outpost-%s-%d"):format(self.id, self.number)
    local found = search.collection(wanted)
    local identity = function(one) return ledger.identity(self.book, one) end
    for _ = 1, pages or PAGES_MAX do
        local body, why, code = client.get(self.line, { path = PATH, method = "POST",
            body = body_of(found.position, id) })
        local page
        if body then
            page, why = search.page(body)
            code = "garbage"
        end
        if not page then
            return nil, why, code
        end
        if not search.take(found, page, identity) or #found.list > FACTS_MAX then
            break
        end
    end
    return found
end

local function window(self, first, last, pages)
    local found, why, code = collect(self, function(position, id)
        return search.range(first, last, position, id)
    end, function(one) return one.serialNo >= first and one.serialNo <= last end, pages)
    if found and found.strange then
        return nil, "the terminal ignores ranges of serial numbers", "request"
    end
    for _, one in ipairs(found and found.list or {}) do
        self.known = math.max(self.known, one.serialNo)
    end
    return found, why, code
end

local function seconds_of(self)
    return function(one) return fact.seconds(one, self.config.offset) end
end

-- ---- The first time

-- The least number that `is_enough`, which is false below some number and true from it on.
local function bisect(low, high, is_enough)
    while low < high do
        local middle = low + (high - low) // 2
        local enough, why, code = is_enough(middle)
        if enough == nil then
            return nil, why, code
        end
        if enough then
            high = middle
        else
            low = middle + 1
        end
    end
    return low
end

local function is_any(self, first, last)
    local found, why, code = window(self, first, last, 1)
    if not found then
        return nil, why, code
    end
    return (found.total or 0) > 0 or #found.list > 0
end

-- The lowest number that is stored, the highest, and the facts of the lowest page.
local function bounds(self)
    local lowest, why, code = bisect(1, search.MOST, function(n) return is_any(self, 1, n) end)
    local highest, facts
    if lowest then
        highest, why, code = bisect(lowest, search.MOST, function(n)
            local more, message, fault = is_any(self, n + 1, search.MOST)
            if more == nil then
                return nil, message, fault
            end
            return not more
        end)
    end
    if highest then
        facts, why, code = window(self, lowest, lowest + search.PAGE - 1)
    end
    return facts and { low = lowest, high = highest, facts = facts.list }, why, code
end

-- With history = "new": what is there now is passed, and the lowest of it remembered for the probe.
local function begin(self)
    if self.config.history == "all" or ledger.glance(self.book).epoch then
        return true
    end
    local more, why, code = is_any(self, 1, search.MOST)
    local there
    if more then
        there, why, code = bounds(self)
    end
    if more == nil or more and not there then
        return nil, why, code
    end
    ledger.change(self.book, function(state, remember)
        state.epoch = 0
        if there then
            for _, one in ipairs(there.facts) do
                remember(one)
            end
            state.cursor, state.top, state.confirmed = there.high, there.high, there.high
            state.low = there.low
        end
    end)
    return true
end

-- ---- Whether the numbers have begun again

local function probe(self)
    local state = ledger.glance(self.book)
    local confirmed = state.confirmed or 0
    if not state.low or state.low > confirmed then
        return true
    end
    local last = math.min(state.low + search.PAGE - 1, confirmed)
    local found, why, code = window(self, 1, last)
    if not found then
        return nil, why, code
    end
    local untold = ledger.untold(self.book, search.sorted(found, seconds_of(self)))
    if #untold > 0 then
        self.host.log.warn("the terminal's numbers of records begin again: %d after %d",
            untold[1].serialNo, state.cursor)
        ledger.change(self.book, function(changed)
            ledger.say(self.book, changed, "terminal.serial_reset",
                { before = changed.cursor, after = untold[1].serialNo })
            order.restart(changed)
        end)
        self.seen, self.known = 0, 0
    end
    return true
end

-- ---- Windows

local function highest_of(facts)
    return #facts > 0 and facts[#facts].serialNo or 0
end

local function is_beyond(self, at)
    if self.known >= at then
        return true
    end
    return is_any(self, at, search.MOST)
end

-- What a window holds; asked for again when something is missing in it and nothing is behind it,
-- because then the missing may be on its way.
local function settled(self, first, last)
    local found, why, code = window(self, first, last)
    local facts = found and search.sorted(found, seconds_of(self)) or {}
    if #facts == 0 or #facts == highest_of(facts) - first + 1 or is_beyond(self, last + 1) then
        return found, why, code
    end
    self.host.sleep(LATE_MS)
    return window(self, first, last)
end

-- Old records may lie beyond a cursor that began again; then only what was seen live shows the way.
local function is_more(self, at)
    local state = ledger.glance(self.book)
    if self.seen >= at then
        return true
    end
    return state.cursor >= state.top and at <= search.MOST and is_beyond(self, at)
end

-- One window from `at` on. Where to go on, and how long the next is; nil at the end; or nil, why,
-- code.
local function step(self, at, width)
    local last = math.min(at + width - 1, search.MOST)
    local found, why, code = settled(self, at, last)
    if not found then
        return nil, why, code
    end
    if #found.list >= FACTS_MAX and width > search.PAGE then
        return at, math.max(search.PAGE, width // GROW)
    end
    local told = ledger.tell(self.book, search.sorted(found, seconds_of(self)), self.epoch, last)
    self.told = self.told + told
    if told > 0 then
        return math.max(at, ledger.glance(self.book).cursor) + 1, search.PAGE
    elseif is_more(self, last + 1) then
        return last + 1, math.min(width * GROW, search.MOST)
    end
end

-- Everything from the cursor on, by numbers.
local function by_number(self)
    local ready, why, code = begin(self)
    if ready then
        ready, why, code = probe(self)
    end
    if not ready then
        return nil, why, code
    end
    local state = ledger.glance(self.book)
    self.epoch = state.epoch
    local at, width = math.min(state.confirmed or 0, state.cursor) + 1, search.PAGE
    while at do
        at, width, code = step(self, at, width)
    end
    return not code or nil, width, code
end

-- ---- By time

local function period(self)
    local newest = ledger.glance(self.book).newest
    local from = newest and time.format(newest - OVERLAP_S, self.config.offset) or FROM
    return (from:gsub("%.%d+", "")), TO
end

-- Reads what the terminal has of the time since the newest record, a day more because clocks jump,
-- page by page, and tells of each page what is new.
local function by_time(self)
    local from, to = period(self)
    local position, before = 0, nil
    for _ = 1, PERIOD_PAGES_MAX do
        local found, why, code = collect(self, function(_, id)
            return search.period(from, to, position, id)
        end, function() return true end, 1)
        if not found then
            return nil, why, code
        end
        local facts = search.sorted(found, seconds_of(self))
        local first = facts[1] and facts[1].serialNo .. ledger.identity(self.book, facts[1])
        if #facts == 0 or first == before then
            break
        end
        self.told = self.told + ledger.tell_found(self.book, facts)
        position, before = position + found.position, first
        if found.status ~= "MORE" then
            break
        end
    end
    return true
end

-- ---- Rounds

-- Reads all that is new. True and how many were told; or nil, why, code ("unsupported": the
-- terminal cannot be searched).
function sweep.round(self)
    self.told = 0
    local good, why, code
    if not self.is_by_time then
        good, why, code = by_number(self)
        self.is_by_time = code == "request" and self.told == 0
    end
    if self.is_by_time then
        good, why, code = by_time(self)
    end
    return good, good and self.told or why, code
end

-- A number that was told live: how far the terminal is.
function sweep.saw(self, serial)
    self.seen = math.max(self.seen, serial)
end

return sweep
