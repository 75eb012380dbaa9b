-- desk - what people may look at and ask for: the cameras, their channels, what they have recorded.
local gather = require "gather"
local inquiry = require "inquiry"
local roll = require "roll"
local schema = require "schema"
local time = require "time"

local desk = {}

local ROWS_MOST = 100 -- of the longest names are still one answer
local WINDOW_MOST_S = 31 * 86400

local EVERYBODY = { "officer", "social_worker", "technician" }
local ID = { pattern = "^%d+$", max = 20, expects = "the digits of a number" }

local function number(doc, optional)
    return schema.text { doc = doc, pattern = ID.pattern, max = ID.max, expects = ID.expects,
        optional = optional }
end

local function camera_of(self, params)
    local camera = self.roll.cameras[params.camera]
    if not camera then
        return nil, "camera: expected one of the setting cameras, got " .. params.camera
    end
    return camera
end

-- ---- Actions

local function channels_of(items)
    local rows = {}
    for i = 1, math.min(#items, ROWS_MOST) do
        local item = items[i]
        rows[i] = { channel = item.id, name = item.name, status = item.status,
            manufacturer = item.manufacturer, model = item.model, parent = item.parent }
    end
    return rows
end

local function catalogue(self, _, params)
    local camera, why = camera_of(self, params)
    local answer
    if camera then
        answer, why = inquiry.catalogue(self.inquiry, camera, true)
    end
    if not answer then
        return nil, why
    end
    return { sum = answer.sum, got = #answer.items, missing = gather.missing(answer),
        complete = gather.is_complete(answer), channels = channels_of(answer.items),
        not_shown = math.max(0, #answer.items - ROWS_MOST) }
end

local function status(self, _, params)
    local camera, why = camera_of(self, params)
    if not camera then
        return nil, why
    end
    local info = inquiry.info(self.inquiry, camera)
    local told
    told, why = inquiry.status(self.inquiry, camera)
    if not info and not told then
        return nil, why
    end
    return { info = info, status = told }
end

-- What was asked for, in seconds UTC; nil and what was expected.
local function window_of(self, params)
    local offset = self.config.offset
    local from, why = time.parse(params.from, offset)
    if not from then
        return nil, "from: " .. why
    end
    local to
    to, why = time.parse(params.to, offset)
    if not to then
        return nil, "to: " .. why
    elseif to <= from or to - from > WINDOW_MOST_S then
        return nil, "to: expected a time behind from, at most 31 days"
    end
    return from, to
end

local function by_begin(a, b)
    return (a.from or 0) < (b.from or 0)
end

local function recordings_of(items)
    local rows = {}
    table.sort(items, by_begin)
    for i = 1, math.min(#items, ROWS_MOST) do
        local item = items[i]
        rows[i] = { from = item.from and time.format(item.from),
            to = item.to and time.format(item.to), told = item.from_told, file = item.file,
            size = item.size, type = item.type, recorder = item.recorder,
            channel = item.channel }
    end
    return rows
end

local function gaps_of(items)
    local rows, seconds = {}, 0
    for i, gap in ipairs(gather.gaps(items)) do
        seconds = seconds + gap.seconds
        if i <= ROWS_MOST then
            rows[i] = { from = time.format(gap.from), to = time.format(gap.to),
                seconds = gap.seconds }
        end
    end
    return rows, seconds
end

local function records(self, _, params)
    local camera, why = camera_of(self, params)
    if not camera then
        return nil, why
    end
    local from, to = window_of(self, params)
    if not from then
        return nil, to
    end
    local answer
    answer, why = inquiry.records(self.inquiry, camera, params.channel or camera.id, from, to,
        params.type)
    if not answer then
        return nil, why
    end
    local gaps, seconds = gaps_of(answer.items)
    local complete = gather.is_complete(answer)
    roll.emit(self.roll, camera, "bodycam.records", { sum = answer.sum, got = #answer.items,
        complete = complete, from = time.format(from), to = time.format(to), gaps = #gaps,
        gap_seconds = seconds })
    return { sum = answer.sum, got = #answer.items, missing = gather.missing(answer),
        complete = complete, recordings = recordings_of(answer.items), gaps = gaps,
        not_shown = math.max(0, #answer.items - ROWS_MOST) }
end

desk.actions = {
    catalogue = {
        role = EVERYBODY, doc = "asks a camera what channels it has, now",
        params = schema.record { camera = number "number of the camera" }, run = catalogue,
    },
    status = {
        role = EVERYBODY, doc = "asks a camera for its model and how it is",
        params = schema.record { camera = number "number of the camera" }, run = status,
    },
    records = {
        role = { "officer", "technician" },
        doc = "asks a camera what it has recorded between two moments, and where that has gaps",
        params = schema.record {
            camera = number "number of the camera",
            channel = number("one of its channels; left out: the camera itself", true),
            from = schema.text { doc = "begin, such as 2026-11-21T08:00:00, local time", max = 40 },
            to = schema.text { doc = "end", max = 40 },
            type = schema.choice { doc = "which recordings", default = "all",
                choices = { "all", "time", "alarm", "manual" } },
        },
        run = records,
    },
}

-- ---- Views

local function row(self, camera)
    local kept = camera.kept
    local info = self.host.store.get("info/" .. camera.id) or {}
    local heard = kept.online and self.host.now() - (self.host.mono() - camera.heard) or kept.last
    return { camera = camera.id, online = kept.online or false, cause = kept.cause,
        since = kept.since and time.format(kept.since), heard = heard and time.format(heard),
        transport = kept.transport, address = kept.address, model = info.model,
        manufacturer = info.manufacturer }
end

local function cameras(self)
    local rows = {}
    for _, camera in ipairs(self.roll.list) do
        rows[#rows + 1] = row(self, camera)
    end
    return rows
end

local function channels(self, params)
    local camera, why = camera_of(self, params)
    if not camera then
        return nil, why
    end
    local stored = self.host.store.get("catalogue/" .. camera.id)
    return stored and stored.channels or {}
end

desk.views = {
    cameras = { role = EVERYBODY, doc = "every camera: whether it is there, since when, from where",
        run = cameras },
    channels = { role = EVERYBODY, doc = "the channels of a camera as it last told them",
        params = schema.record { camera = number "number of the camera" }, run = channels },
}

return desk
