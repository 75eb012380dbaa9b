-- ledger - what was taken: by place, so that it is not read again, and by content, so that it is
-- one item wherever it lies. Both have a bound.
--
--   file/KEY      { s = size, t = time, w = within, h = sha256 }      KEY names the path
--   hash/SHA256   { n = number, c = class }     order/NUMBER   sha256     the oldest goes first
--   count         { first =, next = }
--   state         what was told: offline, full, clock, refused
--
-- Places are in memory too: the store is asked for none of them in a look.
local digest = require "digest"

local ledger = {}

ledger.FILES_MOST, ledger.HASHES_MOST = 8000, 20000
local PAGE, KEY_DIGITS = 1000, 32

local function key_of(path)
    return digest.sha256(path):sub(1, KEY_DIGITS)
end

local function order_key(number)
    return ("order/%015d"):format(number)
end

local function load_files(self)
    local from = "file/"
    repeat
        local rows, more = self.host.store.range(from, "file0", PAGE)
        for _, row in ipairs(rows) do
            local value = row[2]
            self.files[row[1]:sub(6)] = { s = value.s, t = value.t, w = value.w }
            self.count, from = self.count + 1, row[1] .. "0"
        end
    until not more
end

function ledger.new(host)
    local self = { host = host, files = {}, count = 0,
        numbers = host.store.get "count" or { first = 1, next = 1 } }
    load_files(self)
    return self
end

function ledger.state(self)
    return self.host.store.get "state" or {}
end

function ledger.put_state(self, state)
    self.host.store.put("state", state)
end

-- Whether the file there was taken as it is now. Listings tell the time more or less exactly, and
-- less so when it is long ago.
function ledger.has(self, path, entry)
    local file = self.files[key_of(path)]
    if not file then
        return false
    elseif not entry or not entry.size then
        return true
    end
    local within = math.max(file.w or 1, entry.within or 1)
    return file.s == entry.size
        and (not file.t or not entry.time or math.abs(file.t - entry.time) <= within)
end

-- Whether there is room for one more place.
function ledger.has_room(self)
    return self.count < ledger.FILES_MOST
end

-- Whether that content was taken from there.
function ledger.is_of(self, path, sha256)
    local row = self.host.store.get("file/" .. key_of(path))
    return row ~= nil and row.h == sha256
end

-- Both commit with the handler; memory follows with ledger.remember, behind the commit.
function ledger.put(self, path, entry, sha256)
    local row = { s = entry.size, t = entry.time, w = entry.within, h = sha256 }
    self.host.store.put("file/" .. key_of(path), row)
    return row
end

function ledger.remember(self, path, row)
    local key = key_of(path)
    self.count = self.count + (self.files[key] and 0 or 1)
    self.files[key] = { s = row.s, t = row.t, w = row.w }
end

-- The item with that content: { n =, c = }, or nil.
function ledger.item(self, sha256)
    return self.host.store.get("hash/" .. sha256)
end

-- The numbers are in memory, because two handlers may be at it: a look, and what other docks tell.
function ledger.put_item(self, sha256, class)
    local store, numbers = self.host.store, self.numbers
    local known = store.get("hash/" .. sha256)
    if known then
        store.put("hash/" .. sha256, { n = known.n, c = class })
        return
    end
    local number, oldest = numbers.next, numbers.first
    numbers.next = number + 1
    local is_full = numbers.next - oldest > ledger.HASHES_MOST
    numbers.first = is_full and oldest + 1 or oldest
    store.put("hash/" .. sha256, { n = number, c = class })
    store.put(order_key(number), sha256)
    store.put("count", { first = numbers.first, next = numbers.next })
    if is_full then
        store.remove("hash/" .. (store.get(order_key(oldest)) or ""))
        store.remove(order_key(oldest))
    end
end

-- Another dock has told of an item: it is one here too.
function ledger.hear(self, data)
    local sha256 = data.sha256
    if type(sha256) == "string" and sha256:find "^%x+$" and #sha256 == 64
        and not ledger.item(self, sha256) then
        ledger.put_item(self, sha256, data.class == "important" and data.class or "ordinary")
    end
end

-- Places that are in `paths` no more are forgotten, at most `most` of them; how many. `breathe` is
-- called for each path.
function ledger.forget(self, paths, most, breathe)
    local there, gone = {}, {}
    for path in pairs(paths) do
        breathe()
        there[key_of(path)] = true
    end
    for key in pairs(self.files) do
        if not there[key] and #gone < most then
            gone[#gone + 1] = key
        end
    end
    for _, key in ipairs(gone) do
        self.host.store.remove("file/" .. key)
    end
    self.host.commit()
    for _, key in ipairs(gone) do
        self.files[key] = nil
    end
    self.count = self.count - #gone
    return #gone
end

return ledger
