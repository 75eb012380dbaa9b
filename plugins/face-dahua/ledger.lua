-- ledger - what was told already, so that nothing is told twice or not at all. Kept in the store.
--
-- A record is known by its RecNo and time: numbers begin again after a reset, times repeat after
-- a clock was set, both together do not. An event of the stream has no RecNo; it is known by
-- who, what and about when, and waits for the one record that it must be. The newest MOST of
-- these are kept; of what was forgotten it is known how far it reached (`floor`), and sweeps do
-- not begin before it.
--
-- Invariant: an entry is in the store in the same transaction as its event. In memory it counts as
-- known from before that commit on; when the handler fails it is taken out again.
local ledger = {}
local Ledger = {}
Ledger.__index = Ledger

local MOST = 4096
local SLACK = 256
local UNDER_WAY_S = 60 -- a handler that was stopped by force takes nothing back
local SAME_S = 8
local ZONE_S = 900
local ZONES_S = 14 * 3600

local function key_of(entry)
    return ("told/%012d/%012d/%d"):format(math.floor(entry.at), entry.serial or 0, entry.nth or 0)
end

local function add(list, name, entry)
    if name then
        list[name] = list[name] or {}
        table.insert(list[name], entry)
    end
end

local function remove(list, name, entry)
    for i, one in ipairs(name and list[name] or {}) do
        if one == entry then
            table.remove(list[name], i)
            break
        end
    end
    if name and list[name] and #list[name] == 0 then
        list[name] = nil
    end
end

local function insert(self, entry)
    self.keys[key_of(entry)] = entry
    add(self.serials, entry.serial, entry)
    add(self.whos, entry.who, entry)
    self.count = self.count + 1
end

local function forget(self, entry)
    self.keys[key_of(entry)] = nil
    remove(self.serials, entry.serial, entry)
    remove(self.whos, entry.who, entry)
    self.count = self.count - 1
end

-- What is durable.
function ledger.open(host)
    local self = setmetatable({ host = host, keys = {}, serials = {}, whos = {}, count = 0,
        floor = host.store.get("floor") }, Ledger)
    local from, more = "told/", true
    while more do
        local rows
        rows, more = host.store.range(from, "told0", 1000)
        for _, row in ipairs(rows) do
            insert(self, row[2])
            from = row[1] .. " "
        end
    end
    return self
end

---- known or not

local function is_alive(self, entry)
    return not entry.under_way or self.host.mono() - entry.under_way < UNDER_WAY_S
end

-- A clock of another zone than we think: the same moment in a quarter of an hour's steps.
local function is_zone_apart(seconds)
    local rest = seconds % ZONE_S
    return math.abs(seconds) <= ZONES_S and (rest <= SAME_S or rest >= ZONE_S - SAME_S)
end

local function is_same(entry, at, who, live)
    local apart = at - entry.at
    return math.abs(apart) <= SAME_S
        or entry.live ~= live and entry.who == who and is_zone_apart(apart)
end

-- Whether the record with that number was told.
local function knows_serial(self, serial, at, who, live)
    for _, entry in ipairs(self.serials[serial] or {}) do
        if is_alive(self, entry) and is_same(entry, at, who, live) then
            return true
        end
    end
    local floor = self.floor
    return floor ~= nil and serial <= floor.serial and at >= floor.first and at <= floor.last
end

-- The entry of that who nearest to the moment, at most `window` away. `open`: only one that
-- waits for its record.
local function nearest(self, who, at, window, open)
    local best, distance = nil, window
    for _, entry in ipairs(self.whos[who] or {}) do
        local apart = math.abs(entry.at - at)
        if apart <= distance and is_alive(self, entry) and not (open and entry.serial) then
            best, distance = entry, apart
        end
    end
    return best
end

-- Whether a row of the terminal's memory needs no look any more: for what has its number only.
function Ledger:has(serial, at)
    return serial ~= nil and at ~= nil and knows_serial(self, serial, at, nil, false)
end

-- What is to be done with a record: "tell", "known", or "matched" with the entry that told it
-- without its number.
function Ledger:judge(record, who)
    if record.serial and knows_serial(self, record.serial, record.at, who, record.live) then
        return "known"
    end
    local told = nearest(self, who, record.at, record.window, record.serial ~= nil)
    if not told then
        return "tell"
    elseif record.serial then
        return "matched", told
    end
    return "known"
end

---- telling

-- Entries of the handler that runs, until they are durable.
local Batch = {}
Batch.__index = Batch
Batch.__close = function(batch)
    for _, entry in ipairs(batch) do
        forget(batch.ledger, entry)
    end
end

function Ledger:batch()
    return setmetatable({ ledger = self }, Batch)
end

-- It is told now: one entry more, in memory and in the store.
function Batch:put(record, who)
    local host = self.ledger.host
    local entry = { serial = record.serial, at = record.at, who = who, live = record.live }
    if not entry.serial then
        entry.nth = string.unpack("<I4", host.random(4)) -- several may be of one second
    end
    host.store.put(key_of(entry), entry)
    entry.under_way = host.mono()
    insert(self.ledger, entry)
    self[#self + 1] = entry
end

-- The record of what was told without a number: from now on it has one. There is no event to go
-- with, and when this is lost it is found again.
function Batch:match(told, record)
    self.ledger.host.store.remove(key_of(told))
    forget(self.ledger, told)
    self:put(record, told.who)
end

-- All of it is on disk.
function Batch:done()
    for i = #self, 1, -1 do
        self[i].under_way, self[i] = nil, nil
    end
end

-- Forgets the oldest when there are too many, and remembers how far they reached. For a handler
-- that commits next.
function Ledger:prune()
    if self.count <= MOST + SLACK then
        return
    end
    local old = self.floor or { serial = 0, first = math.maxinteger, last = 0 }
    local floor = { serial = old.serial, first = old.first, last = old.last }
    for _, row in ipairs(self.host.store.range("told/", "told0", SLACK)) do
        local stored = row[2]
        self.host.store.remove(row[1])
        floor.serial = math.max(floor.serial, stored.serial or 0)
        floor.first = math.min(floor.first, stored.at > 0 and stored.at or floor.first)
        floor.last = math.max(floor.last, stored.at)
        if self.keys[row[1]] then
            forget(self, self.keys[row[1]])
        end
    end
    self.host.store.put("floor", floor)
    self.floor = floor
end

return ledger
