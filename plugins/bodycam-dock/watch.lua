-- watch - the life of the plugin: looks at the dock, again and again, and takes what is whole.
--
-- One handler does all of it, a look or a clip at a time. A look ends after some minutes of
-- taking, so that an important clip does not wait behind a day of ordinary ones.
local condition = require "condition"
local identity = require "identity"
local intake = require "intake"
local ledger = require "ledger"
local listing = require "listing"
local names = require "names"
local sources = require "sources"

local watch = {}

local BEAT_MS, TAKING_S, FORGET_S, FORGET_MOST = 1000, 120, 3600, 400
local BAD_FIRST_S, BAD_MOST_S = 10, 3600
local IDENTITY_MOST = 64 * 1024
local BREATH, BREATH_S = 500, 0.05 -- so many files, or so long: then all else has its turn

-- With these it is the clip that could not be taken; with others it may be the line to the dock.
local OWN = { changed = true, missing = true, denied = true, too_big = true, argument = true,
    broken = true, whole = true, spool = true }

-- ---- What a look finds

local function is_footage(self, path)
    local ext = names.extension(path)
    return names.kind(path) ~= nil or self.also[ext or ""] == true
end

-- Whether the head of a file is asked for where listings do not tell sizes.
local function is_wanted(self, path)
    if is_footage(self, path) then
        return not ledger.has(self.ledger, path)
    end
    return identity.kind(path, { size = 1 }) ~= nil or path:lower():find "%.json$" ~= nil
        or path:lower():find "zfy_?info" ~= nil
end

-- Footage, and all that lies beside it.
local function sort_out(self, files)
    local footage, beside = {}, {}
    for path, entry in pairs(files) do
        self.breathe()
        if entry.kind_of or is_footage(self, path) then
            footage[path] = entry
        elseif entry.kind == "file" then
            beside[path] = entry
        end
    end
    return footage, beside
end

-- Recorders' own files are read again when they have changed.
local function load_identities(self, beside)
    local found, known = {}, {}
    for path, entry in pairs(beside) do
        local kind = identity.kind(path, entry)
        if kind and #found < identity.MOST then
            found[#found + 1] = { path = path, entry = entry, kind = kind }
        end
    end
    table.sort(found, function(a, b) return a.path < b.path end)
    for _, file in ipairs(found) do
        local mark = ("%d %s"):format(file.entry.size, file.entry.time)
        local before = self.identities[file.path]
        if not before or before.mark ~= mark then
            local bytes, why, code = self.source.read(self.line, file.path, IDENTITY_MOST)
            if not bytes and code ~= "missing" and code ~= "denied" then
                return nil, why, code
            end
            before = { mark = mark,
                told = bytes and identity.read(file.kind, bytes, self.config.offset) or {} }
        end
        file.told, known[file.path] = before.told, before
    end
    self.identities = known
    return identity.by_folder(found)
end

-- ---- What is taken

local function in_important(self, path)
    for step in path:gmatch "([^/]+)/" do
        if self.important[step:lower()] then
            return true
        end
    end
    return false
end

local function is_left_alone(self, path)
    local bad = self.bad[path]
    return bad and self.host.mono() < bad.again
end

local function clip_of(self, path, entry)
    local name = not entry.from and names.read(self.patterns, path, self.config.offset) or nil
    return { path = path, entry = entry, name = name, in_important = in_important(self, path) }
end

-- Important ones first, then the oldest.
local function comes_before(a, b)
    if a.important ~= b.important then
        return a.important
    elseif a.time ~= b.time then
        return a.time < b.time
    end
    return a.path < b.path
end

local function clips_to_take(self, whole, footage)
    local clips = {}
    for _, path in ipairs(whole) do
        local entry = footage[path]
        self.breathe()
        if not ledger.has(self.ledger, path, entry) and not is_left_alone(self, path) then
            local clip = clip_of(self, path, entry)
            clip.time = clip.name and clip.name.time or entry.from or entry.time or 0
            clip.important = clip.in_important or clip.name ~= nil and clip.name.important
            clips[#clips + 1] = clip
        end
    end
    table.sort(clips, comes_before)
    return clips
end

-- Longer and longer, because each try reads all of it.
local function leave_alone(self, path, why)
    local bad = self.bad[path] or { wait = BAD_FIRST_S / 2 }
    bad.wait = math.min(bad.wait * 2, BAD_MOST_S)
    bad.again = self.host.mono() + bad.wait
    self.bad[path] = bad
    self.host.metrics.count("clips_put_off", 1)
    self.host.log.warn("a clip could not be taken and is tried again in %d s: %s", bad.wait, why)
end

-- Whether to go on with the next one; else why, code.
local function take(self, clip, folders)
    clip.recorder = identity.of(folders, clip.path)
    self.trying = clip.path
    local good, why, code = intake.take(self, clip)
    self.trying = nil
    if good then
        self.bad[clip.path] = nil
        return true
    elseif code == "full" then
        return false, nil, "full"
    elseif code == "auth" then
        return false, why, code
    end
    leave_alone(self, clip.path, why)
    return OWN[code] == true, why, code
end

local function tell_crowd(self)
    if not self.told_crowd then
        self.told_crowd = true
        self.host.log.warn("more than %d files lie on the dock: what comes now waits until what "
            .. "was taken is removed there", ledger.FILES_MOST)
    end
end

-- How many were left because there is no room; or nil, why, code when the line to the dock failed.
local function take_all(self, clips, folders)
    local until_s, is_full, left = self.host.mono() + TAKING_S, false, 0
    for _, clip in ipairs(clips) do
        if is_full and not clip.important then
            left = left + 1
        elseif not ledger.has_room(self.ledger) then
            tell_crowd(self)
            break
        else
            local good, why, code = take(self, clip, folders)
            if code == "full" then
                is_full, left = true, left + 1
            elseif not good then
                return nil, why, code
            end
        end
        if self.host.mono() >= until_s then
            self.hurry = true
            break
        end
    end
    return left
end

-- ---- A round

local function gauge(self, footage, passed, told)
    local metrics = self.host.metrics
    local seen = 0
    for _ in pairs(footage) do
        seen = seen + 1
    end
    metrics.gauge("clips_seen", seen)
    metrics.gauge("clips_growing", (passed.growing or 0) + (passed.half or 0))
    metrics.gauge("folders_passed", told.passed)
    if told.more and not self.told_more and not self.is_search then
        self.told_more = true
        self.host.log.warn("more lies on the dock than one look takes in: the rest comes when "
            .. "what was taken is removed there")
    end
end

-- What is gone from the dock need not be known any more, when all of it was seen.
local function forget(self, files, told)
    if told.more or told.passed > 0 or self.host.mono() < self.forget_at then
        return
    end
    local gone = ledger.forget(self.ledger, files, FORGET_MOST, self.breathe)
    if gone < FORGET_MOST then
        self.forget_at = self.host.mono() + FORGET_S
    end
    for path in pairs(self.bad) do
        self.bad[path] = files[path] and self.bad[path]
    end
end

local function look(self)
    local files, told, code = self.source.look(self.line, function(path)
        return is_wanted(self, path)
    end, self.breathe)
    if not files then
        return nil, told, code
    end
    condition.good(self.condition)
    if self.line.clock then
        condition.clock(self.condition, self.line.clock.offset)
    end
    local footage, beside = sort_out(self, files)
    local whole, passed = listing.look(self.listing, footage, self.host.mono(),
        self.breathe)
    gauge(self, footage, passed, told)
    forget(self, files, told)
    local clips = clips_to_take(self, whole, footage)
    if #clips == 0 then
        return 0
    end
    local folders, why, fault = load_identities(self, beside)
    if not folders then
        return nil, why, fault
    end
    self.beside = beside
    return take_all(self, clips, folders)
end

local function round(self)
    if condition.is_barred(self.condition) then
        return
    end
    local left, why, code = look(self)
    if code == "auth" then
        condition.refuse(self.condition)
    elseif not left then
        condition.bad(self.condition, why, code)
    elseif left > 0 then
        if self.lacked then -- for what has gone on its account makes room only a little later
            condition.full(self.condition, left)
        end
        self.lacked = true
    elseif not self.hurry then -- else not all were tried
        self.lacked = false
        condition.roomy(self.condition)
    end
end

local function beat(self)
    if self.host.mono() < self.next then
        return
    end
    self.next = self.host.mono() + self.config.poll / 1000
    self.hurry = false
    if self.trying then -- the last round raised there: others are not to wait for it
        leave_alone(self, self.trying, "an error of the plugin")
        self.trying = nil
    end
    round(self)
    self.next = self.hurry and 0 or self.host.mono() + self.config.poll / 1000
end

-- Names may be such that reading them takes long: then it is not so many.
local function breather(host)
    local count, since = 0, host.mono()
    return function()
        count = count + 1
        if count >= BREATH or host.mono() - since > BREATH_S then
            host.sleep(1)
            count, since = 0, host.mono()
        end
    end
end

local function set_of(list, lower)
    local set = {}
    for _, text in ipairs(list or {}) do
        set[lower and text:lower() or text] = true
    end
    return set
end

function watch.start(host, config)
    local book = ledger.new(host)
    local source = sources.of(config)
    local self = { host = host, config = config, ledger = book, source = source,
        line = source.new(host, config), next = 0, bad = {}, identities = {}, beside = {},
        listing = listing.new(config.settle / 1000), forget_at = host.mono() + FORGET_S,
        patterns = names.compile(config.patterns), also = set_of(config.also, true),
        important = set_of(config.important_folders, true) }
    self.breathe = breather(host)
    self.reads_late = source.is_remote
    self.is_search = source.is_search
    self.condition = condition.new(host, config, book, self.line.shown)
    host.on("evidence.recorded", function(event) ledger.hear(book, event.data) end)
    host.every(BEAT_MS, function() beat(self) end)
    return self
end

-- For people: how it is.
function watch.state(self)
    local waiting = 0
    for _ in pairs(self.bad) do
        waiting = waiting + 1
    end
    return { source = self.line.shown, known = self.ledger.count, in_sight = self.listing.count,
        put_off = waiting, refused = self.condition.refused, fault = self.condition.fault,
        clock_offset = self.line.clock and self.line.clock.offset }
end

return watch
