-- meaning - what is known of a clip, from whom, and how far it can be trusted. Pure.
--
-- A name says more than what lies beside it, that more than the container, that more than the time
-- of the listing. Each thing is taken from the first that says it; where two contradict each
-- other, that is said too.
local names = require "names"
local time = require "time"

local meaning = {}

local PATH_MOST, AHEAD_S = 1024, 2
local LAST = 4102444799 -- 2099-12-31T23:59:59Z

-- Of each source what it says of a field, the strongest first.
local function first_of(clip, field)
    local sources = { { "name", clip.name }, { "report", clip.report },
        { "recorder", clip.recorder } }
    local value, from, differs
    for _, source in ipairs(sources) do
        local told = source[2] and source[2][field]
        if told ~= nil and value == nil then
            value, from = told, source[1]
        elseif told ~= nil and told ~= value then
            differs = true
        end
    end
    return value, from, differs
end

-- The date of a file may be anything.
local function dated(entry)
    local seconds = entry.time
    return seconds and seconds >= 0 and seconds <= LAST and seconds or nil
end

-- seconds, "name" | "report" | "search" | "container" | "listing" | "none", exact to so many
-- seconds
function meaning.moment(clip)
    local entry, name, report = clip.entry, clip.name or {}, clip.report or {}
    if name.time then
        return name.time, "name", 1
    elseif entry.from then
        return entry.from, "search", 1
    elseif report.original then
        return report.original, "report", 1
    elseif clip.container then
        return clip.container, "container", 1
    elseif dated(entry) then
        return entry.time, "listing", entry.within or 1
    end
    return nil, "none"
end

-- How far the camera's clock is ahead of ours: measured where the device says it; else known to be
-- wrong by at least so much where footage lies in the future.
local function clock_of(clip, seconds)
    if clip.clock then
        return clip.clock.offset, clip.clock.from
    elseif seconds and seconds > clip.now + AHEAD_S then
        return math.ceil(seconds - clip.now), "future"
    end
end

local function path_of(path)
    local letters = names.letters(path)
    if #letters > PATH_MOST then
        letters = letters:sub(1, PATH_MOST):gsub("[\xC0-\xFF][\x80-\xBF]*$", "")
    end
    return letters
end

-- What kind of footage it is, before any of it is read.
function meaning.class(clip)
    local important = clip.name and clip.name.important or clip.report and clip.report.important
        or clip.in_important
    return important and "important" or "ordinary"
end

local WORDS = { name = "told", search = "told", report = "told", container = "container",
    listing = "listing", none = "none" }

-- { path =, entry =, name =, recorder =, report =, container =, clock =, now =, source =,
-- in_important =, officers = } -> the data of evidence.recorded but for hashes and size, and when
-- it was recorded.
function meaning.of(clip)
    local seconds, from, within = meaning.moment(clip)
    local data = { path = path_of(clip.path), source = clip.source, class = meaning.class(clip),
        kind = clip.name and clip.name.kind or clip.entry.kind_of,
        seq = clip.name and clip.name.seq,
        recorded_at = seconds and time.format(seconds) or nil, recorded_from = from,
        recorded_within = within, trust = WORDS[from],
        told = clip.name and clip.name.told or clip.entry.told,
        modified_at = dated(clip.entry) and time.format(clip.entry.time) or nil,
        ended_at = clip.entry.to and time.format(clip.entry.to) or nil }
    for _, field in ipairs { "officer", "device", "unit" } do
        local value, source, differs = first_of(clip, field)
        data[field], data[field .. "_from"] = value, source
        if differs then
            data.differs = data.differs or {}
            data.differs[#data.differs + 1] = field
        end
    end
    if not data.officer and data.device and clip.officers and clip.officers[data.device] then
        data.officer, data.officer_from = clip.officers[data.device], "setting"
    end
    data.clock_offset, data.clock_from = clock_of(clip, seconds)
    return data, seconds
end

-- What a report or recorder says of the whole file, against what it is: true, false, or nil.
function meaning.agrees(clip, sm3)
    local told = clip.report and clip.report.sm3
    if not told then
        return nil
    end
    return told == sm3
end

return meaning
