-- sweep - reading what the terminal has stored, from the cursor on: what makes nothing be lost.
--
-- A round asks for windows of serial numbers, each as long as a page, so that a page out of order,
-- a clock that jumps or a record that comes meanwhile changes nothing. What is missing in the
-- newest window is asked for once more before it counts as missing. A round begins with a look at
-- the lowest numbers: when something lies there that was never told, the numbers have begun again.
--
-- Invariant: is_caught_up only while a round has read everything and none has failed since. Until
-- then a live record is not told at once, even if its number is the next: it may be of another run.
--
-- Terminals that refuse a range of numbers, or ignore it, are searched by time instead (`period`).
local client = require "client"
local digest = require "digest"
local fact = require "fact"
local ledger = require "ledger"
local order = require "order"
local picture = require "picture"
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
local RUNS_MAX = 8 -- of numbers, in one round
local DEEP_S = 3600
local PICTURE_MOST = 1 << 20

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

-- The greatest number that may be asked for: beyond the documents only where the terminal is.
local function most(self)
    local far = math.max(self.seen, self.known, ledger.glance(self.book).top)
    return far >= search.MOST and search.MOST_EVER or search.MOST
end

-- ---- The first time

local function is_any(self, first, last)
    local found, why, code = window(self, first, last, 1)
    if not found then
        return nil, why, code
    end
    return (found.total or 0) > 0 or #found.list > 0
end

-- The greatest number that is stored, 0 for none.
local function highest(self)
    local low, high = 0, search.MOST
    while low < high do
        local middle = low + (high - low) // 2
        local more, why, code = is_any(self, middle + 1, search.MOST)
        if more == nil then
            return nil, why, code
        end
        low, high = more and middle + 1 or low, more and high or middle
    end
    return low
end

-- With history = "new" what is there now is read and remembered, but not told.
local function begin(self)
    local state = ledger.glance(self.book)
    if self.config.history == "all" or state.begun or state.mute_to then
        return true
    end
    local last, why, code = highest(self)
    if not last then
        return nil, why, code
    end
    ledger.change(self.book, function(changed) changed.mute_to = last end)
    return true
end

local function have_begun(self)
    if not ledger.glance(self.book).begun then
        ledger.change(self.book, function(state) state.begun, state.mute_to = true, nil end)
    end
end

-- ---- Whether the numbers have begun again

-- The facts among the lowest numbers that were never told; {} when there are none.
local function untold_low(self)
    local state = ledger.glance(self.book)
    local confirmed = state.confirmed or 0
    if not state.low or state.low > confirmed then
        return {}
    end
    local last = math.min(state.low + search.PAGE - 1, confirmed)
    local found, why, code = window(self, 1, last)
    if not found then
        return nil, why, code
    end
    return ledger.untold(self.book, search.sorted(found, seconds_of(self)))
end

-- Whether the record at the cursor is still there: then the run of numbers that was read is too,
-- and what it has beyond the cursor comes before the next run.
local function is_anchored(self)
    local cursor = ledger.glance(self.book).cursor
    local found, why, code = window(self, cursor, cursor)
    if not found then
        return nil, why, code
    end
    return #ledger.untold(self.book, found.list) < #found.list
end

local function begin_again(self, first)
    ledger.change(self.book, function(state)
        self.host.log.warn("the terminal's numbers of records begin again: %d after %d", first,
            state.cursor)
        ledger.say(self.book, state, "terminal.serial_reset",
            { before = state.cursor, after = first })
        order.restart(state)
    end)
    self.seen, self.known, self.deep_at = 0, 0, nil
end

-- ---- Windows

local function highest_of(facts)
    return #facts > 0 and facts[#facts].serialNo or 0
end

local function is_beyond(self, at)
    if self.known >= at then
        return true
    end
    return is_any(self, at, most(self))
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

-- Old records may lie beyond a cursor that began again: they are gone through now and then only,
-- else what was seen live shows how far to look.
local function is_more(self, at)
    local state = ledger.glance(self.book)
    if self.seen >= at or self.is_deep and at <= state.top then
        return true
    end
    return (state.cursor >= state.top or self.is_deep) and at <= most(self) and is_beyond(self, at)
end

-- Has the terminal give the pictures of visits that are about to be told.
local function look_at(self, facts)
    local pictures, cursor = self.book.pictures, ledger.glance(self.book).cursor
    for _, one in ipairs(facts) do
        local path = one.serialNo > cursor and picture.is_wanted(pictures, one)
            and one.pictureURL and picture.path(one.pictureURL)
        local bytes = path and client.get(self.line, { path = path, most = PICTURE_MOST })
        one.picture = picture.take(pictures, bytes)
    end
    return facts
end

-- Without those of the next run, when it has numbers beyond the cursor too: they are not older than
-- its first records. Should a clock deceive here, the order suffers, and nothing is lost.
local function of_this_run(self, facts)
    local list, seconds = {}, seconds_of(self)
    for _, one in ipairs(facts) do
        if not self.next_since or (seconds(one) or 0) < self.next_since then
            list[#list + 1] = one
        end
    end
    return list
end

-- One window from `at` on. Where to go on, and how long the next is; nil at the end; or nil, why,
-- code.
local function step(self, at, width)
    local last = math.min(at + width - 1, most(self))
    local found, why, code = settled(self, at, last)
    if not found then
        return nil, why, code
    end
    if #found.list >= FACTS_MAX and width > search.PAGE then
        return at, math.max(search.PAGE, width // GROW)
    elseif width > 1 and search.is_cut(found, width) then
        return at, width // 2
    end
    local facts = look_at(self, of_this_run(self, search.sorted(found, seconds_of(self))))
    local told = ledger.tell(self.book, facts, self.epoch, last)
    self.told = self.told + told
    if told > 0 then
        return math.max(at, ledger.glance(self.book).cursor) + 1, search.PAGE
    elseif is_more(self, last + 1) then
        return last + 1, math.min(width * GROW, most(self))
    end
end

-- Everything from the cursor on.
local function upwards(self)
    local state, now = ledger.glance(self.book), self.host.mono()
    self.epoch = state.epoch
    self.is_deep = not self.deep_at or now - self.deep_at > DEEP_S
    local at, width, code = math.min(state.confirmed or 0, state.cursor) + 1, search.PAGE, nil
    while at do
        at, width, code = step(self, at, width)
    end
    if code then
        return nil, width, code
    end
    self.deep_at = self.is_deep and now or self.deep_at
    return true
end

-- What lies among the lowest numbers and was never told, and whether it has to wait, because the
-- run of numbers that is being read is still there. nil, why, code.
local function next_run(self)
    local news, why, code = untold_low(self)
    if not news or #news == 0 then
        return news, why, code
    end
    local anchored
    anchored, why, code = is_anchored(self)
    if anchored == nil then
        return nil, why, code
    end
    return news, anchored
end

local function earliest(self, facts)
    local least = math.huge
    for _, one in ipairs(facts) do
        least = math.min(least, seconds_of(self)(one) or math.huge)
    end
    return least
end

-- Reads what there is of this run, or begins the next one; whether that was the last.
local function read_run(self)
    local news, waits, code = next_run(self)
    if not news then
        return nil, waits, code
    end
    if #news > 0 and not waits then
        begin_again(self, news[1].serialNo)
    end
    self.next_since = waits and earliest(self, news) or nil
    local good, why
    good, why, code = upwards(self)
    self.next_since = nil
    if not good then
        return nil, why, code
    end
    local again = waits and news[1].serialNo or ledger.glance(self.book).again
    if again then
        begin_again(self, again)
    end
    return not again
end

-- One run of numbers after the other: one that is still there is read to its end first.
local function by_number(self)
    local good, why, code = begin(self)
    if not good then
        return nil, why, code
    end
    local is_last
    for _ = 1, RUNS_MAX do
        is_last, why, code = read_run(self)
        if is_last ~= false then
            break
        end
    end
    if is_last == nil then
        return nil, why, code
    end
    have_begun(self)
    return true
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
        if not search.is_more(found, position, found.position) then
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
        self.is_caught_up = good == true
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
