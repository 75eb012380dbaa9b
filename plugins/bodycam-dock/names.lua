-- names - what the name of a file says: officer, device, time, sequence, important mark. Pure.
--
-- There is no public rule for names of footage; each dock has its own. So the rule is a setting:
--
--   local patterns = names.compile { "{device}_{officer:6}_{yyyyMMddHHmmss}[_{seq}]" }
--   names.read(patterns, "T1A0001_012345_20260411083015_0001.MP4", 480)
--       --> { device = "T1A0001", officer = "012345", told = "2026-04-11T08:30:15",
--             time = 1775867415, seq = 1, ext = "mp4", kind = "video", pattern = 1 }
--
--   {officer} {device} {unit} {channel}   letters and digits, {officer:6} six of them, {unit:6-12};
--                                         an officer has a digit: CAMERA is none
--   {seq}                                 digits
--   {important:IMP}                       these letters: the file is marked as important
--   {yyyyMMddHHmmss} {yyyy-MM-dd} {HHmmss}   a local time, or a part of one
--   [...]                                 may be there or not          *   anything
--   all else                              itself, in capitals or not
--
-- The first pattern that fits all of the name (without what is behind its last point) counts.
-- What no pattern tells is absent: who reads goes on with the container's time or the listing's,
-- and says so.
local gbk = require "gbk"
local time = require "time"

local names = {}

local NAME_MOST, DEPTH_MOST, PATTERN_MOST, PARTS_MOST, STEPS_MOST = 255, 16, 128, 40, 20000
names.NAME_MOST = NAME_MOST

local FIELDS = { officer = "[%w]", device = "[%w-]", unit = "[%w]", channel = "[%w]", seq = "%d" }
local ALIASES = { police = "officer", sequence = "seq", recorder = "device", dept = "unit" }
local MOST = { officer = 32, device = 32, unit = 32, channel = 8, seq = 12 }

-- ---- Patterns

local function digits_of(name, digits)
    local pattern = ("%d"):rep(digits)
    return { kind = "time", name = name, digits = digits, pattern = pattern, here = "^" .. pattern }
end

local TIMES = { yyyy = digits_of("year", 4), yy = digits_of("year", 2), MM = digits_of("month", 2),
    dd = digits_of("day", 2), HH = digits_of("hour", 2), mm = digits_of("min", 2),
    ss = digits_of("sec", 2) }
local ANY = { kind = "any" }

-- Made once: many patterns beside thousands of files are much memory.
local LETTERS = setmetatable({}, { __mode = "v", __index = function(self, letter)
    local part = { kind = "text", text = letter }
    self[letter] = part
    return part
end })
local ORDER = { "yyyy", "yy", "MM", "dd", "HH", "mm", "ss" }

-- Pieces of a time, or nil when the text is none: "yyyyMMdd" -> { { "year", 4 }, ... }.
local function time_parts(text)
    local parts, at, has_one = {}, 1, false
    while at <= #text do
        local found
        for _, letters in ipairs(ORDER) do
            if text:sub(at, at + #letters - 1) == letters then
                found = TIMES[letters]
                at = at + #letters
                has_one = true
                break
            end
        end
        if not found then
            local letter = text:sub(at, at)
            if letter:find "[%a%d{}%[%]*]" then
                return nil
            end
            found = LETTERS[letter]
            at = at + 1
        end
        parts[#parts + 1] = found
    end
    return has_one and parts or nil
end

local function length_of(option, name)
    if not option then
        return 1, MOST[name]
    end
    local least, most = option:match "^(%d+)%-(%d+)$"
    least = tonumber(least or option:match "^%d+$")
    most = tonumber(most) or least
    if not least or least < 1 or most < least or most > MOST[name] then
        return nil
    end
    return least, most
end

-- The parts of what stands between { and }, or nil and what was expected.
local function field_parts(text)
    local name, option = text:match "^(%l+):?(.*)$"
    name, option = ALIASES[name] or name, option ~= "" and option or nil
    if name == "important" and option and option:find "^%w+$" then
        return { { kind = "mark", text = option:lower() } }
    end
    local times = time_parts(name == "time" and option or text)
    if times then
        return times
    end
    if not FIELDS[name or ""] then
        return nil, ("expected {officer}, {device}, {unit}, {channel}, {seq}, {important:IMP} or a "
            .. "time such as {yyyyMMddHHmmss}, got {%s}"):format(text)
    end
    local least, most = length_of(option, name)
    if not least then
        return nil, ("expected a length such as {%s:6} or {%s:4-8}, at most %d, got {%s}"):format(
            name, name, MOST[name], text)
    end
    return { { kind = "field", name = name, class = FIELDS[name], least = least, most = most } }
end

local function append(list, more)
    table.move(more, 1, #more, #list + 1, list)
end

-- Reads parts from `at` on until the end or a "]" : parts and where it stopped.
local function read_parts(text, at, inner)
    local parts = {}
    while at <= #text do
        local letter = text:sub(at, at)
        if letter == "{" then
            local field, behind = text:match("^{([^{}]*)}()", at)
            local found, why = nil, "expected a } behind the {"
            if field then
                found, why = field_parts(field)
            end
            if not found then
                return nil, why
            end
            append(parts, found)
            at = behind
        elseif letter == "[" and not inner then
            local group, behind = read_parts(text, at + 1, true)
            if not group then
                return nil, behind
            end
            parts[#parts + 1] = { kind = "maybe", parts = group }
            at = behind
        elseif letter == "]" and inner then
            return parts, at + 1
        elseif letter:find "[%[%]}]" then
            return nil, ("expected no %s there"):format(letter)
        else
            parts[#parts + 1] = letter == "*" and ANY or LETTERS[letter:lower()]
            at = at + 1
        end
    end
    if inner then
        return nil, "expected a ] behind the ["
    end
    return parts, at
end

local function count_parts(parts)
    local count = #parts
    for _, part in ipairs(parts) do
        count = count + (part.parts and #part.parts or 0)
    end
    return count
end

-- Patterns that can be read with, or nil and what was expected.
function names.compile(texts)
    local patterns = {}
    for i, text in ipairs(texts) do
        if #text == 0 or #text > PATTERN_MOST then
            return nil, ("expected a pattern of 1 to %d bytes, got %d"):format(PATTERN_MOST, #text)
        end
        local parts, why = read_parts(text, 1, false)
        if parts and count_parts(parts) > PARTS_MOST then
            parts, why = nil, ("expected at most %d letters and fields"):format(PARTS_MOST)
        end
        if not parts then
            return nil, ("%s: %s"):format(text, why)
        end
        patterns[i] = parts
    end
    return patterns
end

-- What docs and recorders are known to write; the first that fits counts.
names.USUAL = {
    "{unit:6-12}_{officer:6}_{device}_{yyyyMMddHHmmss}[_{seq}][_{important:IMP}]",
    "{device:7}_{officer:6}_{yyyyMMddHHmmss}[_{seq}][_{important:IMP}]",
    "{device}_{officer:6}_{yyyyMMdd}_{HHmmss}[_{seq}][_{important:IMP}]",
    "{officer:6}_{device}_{yyyyMMddHHmmss}[_{seq}][_{important:IMP}]",
    "*_{officer:6}_{yyyyMMddHHmmss}[_{seq}][_{important:IMP}]",
    "{officer:6}_{yyyyMMddHHmmss}[_{seq}][_{important:IMP}]",
    "{yyyyMMddHHmmss}[_{seq}][_{important:IMP}]",
    "{yyyyMMdd}_{HHmmss}[_{seq}][_{important:IMP}]",
    "*_{yyyyMMddHHmmss}_{yyyyMMddHHmmss}", -- of two times the first is the begin
    "*_{yyyyMMdd}_{HHmmss}_{yyyyMMdd}_{HHmmss}",
    "*_{yyyyMMddHHmmss}[_{seq}][_{important:IMP}]",
    "{officer:6}_{device}_{yyyyMMdd}_{HHmmss}[_{seq}][_{important:IMP}]",
    "{officer:6}_{yyyyMMdd}_{HHmmss}[_{seq}][_{important:IMP}]",
    "*_{yyyyMMdd}_{HHmmss}[_{seq}][_{important:IMP}]",
    "{yyyyMMddHHmmss}_{device:7}_{officer:6}[_{seq}][_{important:IMP}]",
    "{yyyyMMddHHmmss}_{officer:6}[_{device}][_{seq}][_{important:IMP}]",
    "{unit:6-12}-{officer:6}-{device}-{yyyyMMddHHmmss}[-{seq}][-{important:IMP}]",
    "{device:7}-{officer:6}-{yyyyMMddHHmmss}[-{seq}][-{important:IMP}]",
    "{officer:6}-{device}-{yyyyMMddHHmmss}[-{seq}][-{important:IMP}]",
    "{officer:6}-{yyyyMMddHHmmss}[-{seq}][-{important:IMP}]",
    "{yyyyMMddHHmmss}[-{seq}][-{important:IMP}]",
    "*_{yyyyMMddHHmmss}_*",
    "{yyyyMMddHHmmss}_*",
    "*{yyyy_MMdd_HHmmss}*", -- of cameras for cars
    "*{yyyy-MM-dd_HH-mm-ss}*",
    "*{yyyy-MM-dd HH-mm-ss}*",
    "*-{yyyyMMddHHmmss}*",
    "*{yyyyMMdd-HHmmss}*",
    "*{yyyyMMdd}T{HHmmss}*",
    "*{yyyyMMdd_HHmmss}*",
    "*{yyyyMMddHHmmss}",
}

-- ---- Matching

local match

local function match_field(run, part, at, parts, index)
    local last = at
    while last <= #run.text and last - at < part.most
        and run.text:sub(last, last):find(part.class) do
        last = last + 1
    end
    for stop = last, at + part.least, -1 do -- the longest first
        local text = run.text:sub(at, stop - 1)
        if (part.name ~= "officer" or text:find "%d") and match(run, parts, index + 1, stop) then
            run.found[part.name] = text
            return true
        end
    end
    return false
end

-- Where what follows may begin: a time only where there are so many digits.
local function next_place(text, digits, at)
    return not digits and at or (text:find(digits, at))
end

local MATCHERS = {
    text = function(run, part, at, parts, index)
        return run.text:sub(at, at):lower() == part.text and match(run, parts, index + 1, at + 1)
    end,
    mark = function(run, part, at, parts, index)
        local stop = at + #part.text
        if run.text:sub(at, stop - 1):lower() ~= part.text
            or not match(run, parts, index + 1, stop) then
            return false
        end
        run.found.important = true
        return true
    end,
    time = function(run, part, at, parts, index)
        local digits = run.text:match(part.here, at)
        if not digits or not match(run, parts, index + 1, at + part.digits) then
            return false
        end
        local number = tonumber(digits)
        run.clock[part.name] = part.name == "year" and part.digits == 2 and 2000 + number or number
        return true
    end,
    any = function(run, _, at, parts, index)
        local digits = parts[index + 1] and parts[index + 1].pattern
        local stop = next_place(run.text, digits, at)
        while stop and stop <= #run.text + 1 do
            if match(run, parts, index + 1, stop) then
                return true
            end
            stop = next_place(run.text, digits, stop + 1)
        end
        return false
    end,
    field = match_field,
}

-- The parts of a group stand before those behind it.
local function with_group(parts, index, group)
    local all = { table.unpack(group) }
    table.move(parts, index + 1, #parts, #all + 1, all)
    return all
end

function match(run, parts, index, at)
    run.budget.steps = run.budget.steps - 1
    if run.budget.steps < 0 then
        return false
    end
    local part = parts[index]
    if not part then
        return at == #run.text + 1
    elseif part.kind == "maybe" then
        return match(run, with_group(parts, index, part.parts), 1, at)
            or match(run, parts, index + 1, at)
    end
    return MATCHERS[part.kind](run, part, at, parts, index)
end

-- ---- Names

local KINDS = { mp4 = "video", mov = "video", avi = "video", flv = "video", mkv = "video",
    ts = "video", ps = "video", ["3gp"] = "video", h264 = "video", h265 = "video", m4v = "video",
    mts = "video", m2ts = "video", mpg = "video", mpeg = "video", wmv = "video", asf = "video",
    webm = "video", dav = "video", wav = "audio", mp3 = "audio", aac = "audio", amr = "audio",
    m4a = "audio", wma = "audio", ogg = "audio", jpg = "picture", jpeg = "picture",
    png = "picture", bmp = "picture" }
local HALVES = { part = true, tmp = true, temp = true, partial = true, filepart = true,
    crdownload = true, download = true, uploading = true }

-- Its letters as UTF-8: FAT and FTP servers of docks speak GBK.
function names.letters(bytes)
    return utf8.len(bytes) and bytes or (gbk.decode(bytes))
end

-- Whether a path of a listing stays below where it was listed: nil when it does, else what is
-- wrong.
function names.fault(path)
    if #path == 0 or path:find "[%c\\]" or path:find "^/" or path:find "^%a:" then
        return "expected a path below the folder"
    end
    local depth = 0
    for step in (path .. "/"):gmatch "([^/]*)/" do
        depth = depth + 1
        if step == "" or step == "." or step == ".." or #step > NAME_MOST then
            return "expected names that lead nowhere else"
        end
    end
    return depth > DEPTH_MOST and ("expected at most %d folders"):format(DEPTH_MOST) or nil
end

local function split(name)
    local stem, ext = name:match "^(.+)%.(%w+)$"
    return stem or name, ext and #ext <= 10 and ext:lower() or nil
end

-- The letters behind the last point, small; nil when there are none.
function names.extension(path)
    return (select(2, split(path:match "[^/]*$")))
end

-- "video", "audio", "picture", or nil when it is no footage.
function names.kind(path)
    return KINDS[names.extension(path) or ""]
end

local BINS = { ["$recycle.bin"] = true, recycler = true, recycled = true, [".trashes"] = true,
    ["system volume information"] = true }

-- Whether a folder is one in which Windows and others keep what was thrown away, with what they
-- write beside it: "$I4F2K1.mp4" is 544 bytes about a clip, and none.
function names.is_bin(folder)
    local name = folder:lower()
    return BINS[name] or name:find "^%.trash%-%d+$" ~= nil
end

-- Whether it is being written: its name says that it is not whole.
function names.is_half(name)
    local _, ext = split(name)
    return HALVES[ext or ""] or name:find "^%.." ~= nil or name:find "^~" ~= nil
end

local CLOCK = { "year", "month", "day", "hour", "min", "sec" }

local function read_clock(clock, offset)
    for _, name in ipairs(CLOCK) do
        if not clock[name] then
            return nil
        end
    end
    local seconds = time.seconds(clock, offset)
    if not seconds then
        return nil
    end
    return seconds, ("%04d-%02d-%02dT%02d:%02d:%02d"):format(clock.year, clock.month, clock.day,
        clock.hour, clock.min, clock.sec)
end

local function try(parts, stem, offset, budget)
    local run = { text = stem, found = {}, clock = {}, budget = budget }
    if not match(run, parts, 1, 1) then
        return nil
    end
    local found = run.found
    found.seq = found.seq and tonumber(found.seq)
    found.important = found.important or false
    if next(run.clock) then
        found.time, found.told = read_clock(run.clock, offset)
        if not found.time then
            return nil -- digits that are no moment are no time: another pattern may fit
        end
    end
    return found
end

-- What the last name of a path says, or nil and what is wrong with the path. `offset` is that of
-- the camera's clock in minutes.
function names.read(patterns, path, offset)
    local fault = names.fault(path)
    if fault then
        return nil, fault
    end
    local name = names.letters(path:match "[^/]*$")
    local stem, ext = split(name)
    local budget = { steps = STEPS_MOST } -- of all patterns
    for i, parts in ipairs(patterns) do
        local found = try(parts, stem, offset, budget)
        if found then
            found.ext, found.kind, found.pattern = ext, KINDS[ext or ""], i
            return found
        end
    end
    return { ext = ext, kind = KINDS[ext or ""], important = false }
end

return names
