-- intake - one clip on its way from the dock into the box.
--
-- It is hashed and stored as it passes by; nothing of it is kept in memory. When the line breaks
-- it goes on at the byte where it stopped, as long as the dock still has the same file. What is
-- not the size and time that were listed, before or afterwards, is thrown away and looked at again
-- later. The file, its event and the mark that it was taken become durable together, or not at
-- all.
local container = require "container"
local identity = require "identity"
local ledger = require "ledger"
local meaning = require "meaning"

local intake = {}

local TRIES_MOST, WAIT_MS, SILENT_MS = 5, 2000, 60000
local REPORT_MOST, PIECE = 64 * 1024, 256 * 1024
local WORD_S, WORD_STEP_MS = 10, 50

-- What another try may better, on the same line or a new one.
local BREAKS = { closed = true, timeout = true, refused = true, busy = true, protocol = true }

local function is_same(listed, now)
    if now.size and now.size ~= listed.size then
        return false
    end
    return not now.time or not listed.time or listed.clock ~= now.clock
        or math.abs(now.time - listed.time) <= math.max(listed.within or 1, now.within or 1)
end

-- A listing by the server's own clock tells about when; the file itself tells exactly.
local function exactly(entry, fact)
    if fact.time and (entry.clock == "server" or not entry.time) then
        entry.time, entry.within, entry.clock = fact.time, fact.within, fact.clock
    end
end

-- ---- Bytes

-- Writes what the reader has: how it ended as why, code; what came is counted in `run`.
local function drain(run, reader)
    while run.at < run.entry.size do
        local bytes, why, code = reader:read(run.read_options)
        if not bytes then
            return why, code
        end
        run.at = run.at + #bytes
        if run.at > run.entry.size then
            return "it is longer than was listed", "changed"
        end
        container.feed(run.container, bytes)
        local good, fault, fault_code = run.spool:write(bytes)
        if not good and fault_code == "closed" then
            good, fault, fault_code = run.spool:finish() -- which says why
        end
        if not good then
            return fault, fault_code == "full" and "full" or "spool"
        end
    end
    if reader:read(run.read_options) then
        return "it is longer than was listed", "changed"
    end
end

local function one_try(self, run)
    local reader, fact, code = self.source.open(self.line, run.path, run.at, run.entry)
    if not reader then
        return fact, code
    elseif not is_same(run.entry, fact) then
        reader:close()
        return "it is another file than was listed", "changed"
    end
    exactly(run.entry, fact)
    local why
    why, code = drain(run, reader)
    reader:close()
    return why, code
end

-- All bytes, in as many tries as it takes: true, or nil, why, code.
local function copy(self, run)
    local fruitless = 0
    while true do
        local before = run.at
        local why, code = one_try(self, run)
        if run.at == run.entry.size and not why then
            return true
        elseif not BREAKS[code or "closed"] then
            return nil, why, code
        end
        fruitless = run.at > before and 0 or fruitless + 1
        if fruitless >= TRIES_MOST then
            return nil, why, code
        end
        self.host.metrics.count("lines_broken", 1)
        self.host.sleep(WAIT_MS)
    end
end

-- ---- One clip

-- Whatever may have changed while it was read. A search cannot be asked so.
local function still_same(self, path, entry)
    local now, why, code = self.source.stat(self.line, path)
    if code == "unknown" then
        return true
    elseif not now then
        return nil, why, code
    elseif not is_same(entry, now) then
        return nil, "it has changed while it was read", "changed"
    end
    return true
end

local function read_report(self, clip)
    for _, path in ipairs(identity.reports(clip.path)) do
        if self.beside[path] then
            local bytes, why, code = self.source.read(self.line, path, REPORT_MOST)
            if not bytes and code ~= "missing" and code ~= "too_big" then
                return nil, why, code
            end
            clip.report = bytes and identity.report(bytes, clip.path, clip.entry.size,
                self.config.offset)
            if clip.report then
                return true
            end
        end
    end
    return true
end

local function keep_of(self, class)
    return class == "important" and self.config.keep_important or self.config.keep
end

local function subject_of(device)
    return device and device:find "^%w[%w._-]*$" and "device/bodycam/" .. device or nil
end

-- Another dock may have the same clip under way: whoever had it first tells of it, and its word is
-- waited for. None comes of bytes that are no footage.
local function hear_word(self, blob)
    local until_s = self.host.mono() + WORD_S
    while blob.known and not ledger.item(self.ledger, blob.sha256)
        and self.host.mono() < until_s do
        self.host.sleep(WORD_STEP_MS)
    end
end

local function store(self, clip, blob)
    local host, data, seconds = self.host, meaning.of(clip)
    local item = ledger.item(self.ledger, blob.sha256)
    local is_known_here = ledger.is_of(self.ledger, clip.path, blob.sha256)
    local row = ledger.put(self.ledger, clip.path, clip.listed, blob.sha256)
    host.blob.keep(blob.sha256, { class = data.class, keep = keep_of(self, data.class) })
    ledger.put_item(self.ledger, blob.sha256,
        item and item.c == "important" and item.c or data.class)
    if item and is_known_here then
        host.metrics.count("clips_again", 1)
    elseif item then
        host.emit { type = "evidence.again", data = { sha256 = blob.sha256, path = data.path,
            source = data.source, class = data.class } }
        host.metrics.count("clips_again", 1)
    else
        data.sha256, data.sm3, data.size = blob.sha256, blob.sm3, blob.size
        data.matches = meaning.agrees(clip, blob.sm3)
        host.emit { type = "evidence.recorded", data = data, time = seconds and seconds <= clip.now
            and seconds or nil, subject = subject_of(data.device) }
        if data.matches == false then
            host.emit { type = "evidence.differs", data = { sha256 = blob.sha256, sm3 = blob.sm3,
                told = clip.report.sm3, path = data.path } }
        end
        host.metrics.count("clips_taken", 1)
        host.metrics.count("bytes_taken", blob.size)
    end
    host.commit()
    ledger.remember(self.ledger, clip.path, row)
end

-- { path =, entry =, name =, recorder =, in_important = } -> true; or nil, why, code.
function intake.take(self, clip)
    local entry = clip.entry
    clip.listed = { size = entry.size, time = entry.time, within = entry.within }
    local good, why, code = read_report(self, clip)
    if not good then
        return nil, why, code
    end
    local spool <close>, fault, fault_code = self.host.blob.open { class = meaning.class(clip),
        most = clip.entry.size }
    if not spool then
        return nil, fault, fault_code == "full" and "full" or "spool"
    end
    local run = { path = clip.path, entry = clip.entry, spool = spool, at = 0,
        container = container.new(),
        read_options = self.reads_late and { timeout = SILENT_MS } or PIECE }
    good, why, code = copy(self, run)
    if good then
        good, why, code = still_same(self, clip.path, clip.entry)
    end
    if not good then
        return nil, why, code
    end
    local blob
    blob, fault, fault_code = spool:finish()
    if not blob then
        return nil, fault, fault_code == "full" and "full" or "spool"
    end
    local time = run.container.time
    clip.container = time and time - (self.config.container == "local" and self.config.offset * 60
        or 0)
    clip.now, clip.clock = self.host.now(), self.line.clock
    clip.source, clip.officers = self.line.shown, self.config.officers
    hear_word(self, blob)
    store(self, clip, blob)
    return true
end

return intake
