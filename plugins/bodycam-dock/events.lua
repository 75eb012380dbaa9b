-- events - the event types of this plugin: lane, meaning, and what their data holds.
local schema = require "schema"

local events = {}

local function text(doc, max)
    return schema.text { doc = doc, max = max or 64, optional = true }
end

local function moment(doc)
    return text(doc .. " (UTC)", 32)
end

local function from(doc)
    return text("who says so: " .. doc)
end

local SHA256 = schema.text { doc = "SHA-256 of the file", max = 64 }
local SM3 = schema.text { doc = "SM3 of the file", max = 64 }
local PATH = schema.text { doc = "where it lay on the dock", max = 1100 }
local SOURCE = schema.text { doc = "which dock: URL or folder", max = 512 }
local CLASS = schema.choice { doc = "important: marked so", choices = { "ordinary", "important" } }

local RECORDED = schema.record {
    sha256 = SHA256,
    sm3 = SM3,
    size = schema.integer { doc = "of the file", unit = "bytes", min = 1 },
    path = PATH,
    source = SOURCE,
    class = CLASS,
    kind = schema.choice { doc = "of the file", choices = { "video", "audio", "picture" },
        optional = true },
    officer = text "number of the officer",
    officer_from = from "name, report, recorder or setting",
    device = text "number of the camera",
    device_from = from "name, report or recorder",
    unit = text "number of the unit",
    unit_from = from "name, report or recorder",
    differs = schema.list(schema.text {}, { doc = "of these the sources say different things",
        max = 8, optional = true }),
    seq = schema.integer { doc = "number in the name", min = 0, optional = true },
    recorded_at = moment "when it was begun, by the camera's clock",
    recorded_from = from "name, report, search (of the dock), container, listing, none",
    recorded_within = schema.integer { doc = "that is exact to", unit = "s", min = 0,
        optional = true },
    trust = schema.choice { doc = "of that time: told for this clip, written by the camera in the "
        .. "file, only the file's date, or not known",
        choices = { "told", "container", "listing", "none" } },
    told = text "the time as it was told",
    ended_at = moment "when it ended, where a search says so",
    modified_at = moment "the file's date on the dock",
    clock_offset = schema.integer { doc = "so far the clock is ahead of the box's", unit = "s",
        optional = true },
    clock_from = from("device (its own clock), server (of the dock's web server), future (at "
        .. "least so far, because the clip is from the future)"),
    matches = schema.boolean { doc = "the SM3 that the dock's report tells is that of the file",
        optional = true },
}

local CAUSE = schema.text { doc = "what is wrong: timeout, refused, missing ...", max = 32 }

events.declared = {
    ["evidence.recorded"] = { lane = "record", doc = "a clip is in the box, with its hashes",
        data = RECORDED },
    ["evidence.again"] = { lane = "record", doc = "the same clip lies in another place too",
        data = schema.record { sha256 = SHA256, path = PATH, source = SOURCE, class = CLASS } },
    ["evidence.differs"] = { lane = "alarm",
        doc = "a clip is in the box, and is not the file that the dock's report tells of",
        data = schema.record { sha256 = SHA256, sm3 = SM3,
            told = schema.text { doc = "the SM3 that the report tells", max = 64 }, path = PATH } },
    ["dock.offline"] = { lane = "alarm", doc = "the dock cannot be read",
        data = schema.record { source = SOURCE, cause = CAUSE } },
    ["dock.online"] = { lane = "record", doc = "the dock can be read, again or for the first time",
        data = schema.record { source = SOURCE } },
    ["dock.auth_failed"] = { lane = "alarm",
        doc = "the dock refuses the login: it is not tried again until the settings change",
        data = schema.record { source = SOURCE } },
    ["dock.waiting"] = { lane = "alarm",
        doc = "there is no room for some footage: it stays on the dock",
        data = schema.record { source = SOURCE, clips = schema.integer { doc = "that wait",
            min = 0 } } },
    ["dock.going_on"] = { lane = "record", doc = "nothing waits for room any more",
        data = schema.record { source = SOURCE } },
    ["dock.clock_wrong"] = { lane = "record", doc = "the dock's clock is wrong",
        data = schema.record { source = SOURCE,
            offset = schema.integer { doc = "so far ahead of the box's", unit = "s" } } },
    ["dock.clock_right"] = { lane = "record", doc = "the dock's clock is right again",
        data = schema.record { source = SOURCE,
            offset = schema.integer { doc = "so far ahead of the box's", unit = "s" } } },
}

return events
