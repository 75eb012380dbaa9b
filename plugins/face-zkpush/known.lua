-- known - which records a terminal has told already, in the store, for years.
--
-- Terminals send their whole memory again, to whom they know and whom they do not: 100,000 records
-- a year later must be known. A record is a hash of 48 bits, eight letters; the hashes of a day (by
-- the terminal's clock) lie behind each other in values of at most PAGE_MOST:
--
--   known/SERIAL/20260820/1 = "k3vQ0a_x...",  known/SERIAL/20260820/2 = ...
--
-- A hash is compared within its day only, so one that is wrongly taken for known is a matter of one
-- in 2^48 for each record of that day. A plugin's store has a bound, so what is known of a terminal
-- has one, in records and in values; beyond it the oldest day goes, and a record of it that comes
-- again is told again: rather twice than never.
--
-- Invariant: what learn() answered true for is written by the flush() that is committed with it.
local known = {}

local PAGE_MOST = 1500 -- hashes in one value: 12 kB
local DAYS_MOST = 6 -- days in hand
local PAGES_MOST = 1000 -- of a day
local WIDTH = 8

-- Of a terminal, and of all: 22 MB and 60,000 keys of the 32 MiB and 65,536 that a plugin has.
local RECORDS_MOST, RECORDS_IN_ALL = 200000, 2800000
local VALUES_MOST, VALUES_IN_ALL = 10000, 60000

-- How much may be known of each of so many terminals.
function known.bounds(terminals)
    return { records = math.min(RECORDS_MOST, RECORDS_IN_ALL // terminals),
        values = math.min(VALUES_MOST, VALUES_IN_ALL // terminals) }
end

local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

-- Eight letters of the first 48 bits of a hash that is given in hexadecimal digits.
function known.short(hex)
    local number, list = tonumber(hex:sub(1, 12), 16), {}
    for i = WIDTH, 1, -1 do
        local at = (number & 63) + 1
        list[i] = LETTERS:sub(at, at)
        number = number >> 6
    end
    return table.concat(list)
end

-- Whether a packed text has the hash: at one of its places, not across two.
local function has(page, hash)
    local at = 1
    while true do
        at = page:find(hash, at, true)
        if not at or at % WIDTH == 1 then
            return at ~= nil
        end
        at = at + 1
    end
end

-- What is known of one terminal, for the time of one upload. `held` says how many records and
-- values there are, by an earlier flush(); `bounds` how many there may be.
function known.open(store, serial, held, bounds)
    return { store = store, prefix = "known/" .. serial .. "/", days = {}, inside = 0, bytes = 0,
        records = held.records, values = held.values, bounds = bounds }
end

local function load(self, day)
    local from = self.prefix .. day .. "/"
    local rows = self.store.range(from, self.prefix .. day .. "0", PAGES_MOST)
    local pages = {}
    for _, row in ipairs(rows) do
        pages[tonumber(row[1]:sub(#from + 1))] = row[2]
    end
    return { pages = pages, changed = {} }
end

-- Whether the record is new; from now on it is known.
function known.learn(self, day, hash)
    local one = self.days[day]
    if not one then
        if self.inside == DAYS_MOST then
            known.flush(self)
            self.days, self.inside = {}, 0
        end
        one = load(self, day)
        self.days[day], self.inside = one, self.inside + 1
    end
    for _, page in ipairs(one.pages) do
        if has(page, hash) then
            return false
        end
    end
    local last = math.max(1, #one.pages)
    if #(one.pages[last] or "") >= PAGE_MOST * WIDTH and last < PAGES_MOST then
        last = last + 1
    end
    if not one.pages[last] then
        one.pages[last] = ""
        self.values = self.values + 1
    end
    one.pages[last] = one.pages[last] .. hash
    one.changed[last] = true
    self.records = self.records + 1
    return true
end

local function key(self, day, page)
    return ("%s%s/%03d"):format(self.prefix, day, page)
end

-- Makes room: the oldest days go, but for those in hand.
local function forget(self)
    while self.records > self.bounds.records or self.values > self.bounds.values do
        local rows = self.store.range(self.prefix, self.prefix:sub(1, -2) .. "0", DAYS_MOST + 1)
        local oldest
        for _, row in ipairs(rows) do
            local day = row[1]:match "/([^/]+)/%d+$"
            oldest = oldest or not self.days[day] and row or nil
        end
        if not oldest then
            return
        end
        self.store.remove(oldest[1])
        self.records = self.records - #oldest[2] // WIDTH
        self.values = self.values - 1
    end
end

-- Writes what was learnt; it counts with the commit that follows. Answers how many records and
-- values there are then.
function known.flush(self)
    for day, one in pairs(self.days) do
        for page in pairs(one.changed) do
            self.store.put(key(self, day, page), one.pages[page])
            self.bytes = self.bytes + #one.pages[page]
        end
        one.changed = {}
    end
    forget(self)
    return { records = self.records, values = self.values }
end

-- How many bytes the next flush() and those since the last commit write, about.
function known.weight(self)
    local weight = self.bytes
    for _, one in pairs(self.days) do
        for page in pairs(one.changed) do
            weight = weight + #one.pages[page]
        end
    end
    return weight
end

function known.committed(self)
    self.bytes = 0
end

return known
