-- events - the event types of this plugin: lane, meaning, and what their data holds.
local schema = require "schema"

local events = {}

-- GB/T 28181, AlarmMethod, and AlarmType of the methods that have one. What is in no table stays a
-- number.
local METHODS = { "phone", "device", "sms", "gps", "video", "device_fault", "other" }
local TYPES = {
    [2] = { "video_lost", "tamper", "disk_full", "too_hot", "too_cold" },
    [5] = { "manual", "motion", "left_behind", "taken_away", "tripwire", "intrusion", "wrong_way",
        "loitering", "traffic", "crowd", "video_wrong", "fast_motion", "covered" },
    [6] = { "disk_fault", "fan_fault" },
}

-- The word for an alarm: of its type where that is known, else of its method, or nil.
function events.kind_of_alarm(method, type)
    return method and (TYPES[method] and TYPES[method][type] or METHODS[method]) or nil
end

local function moment(doc)
    return schema.text { doc = doc .. " (UTC)", max = 32, optional = true }
end

local function count(doc)
    return schema.integer { doc = doc, min = 0, optional = true }
end

local function of_camera(fields)
    fields.camera = schema.text { doc = "number of the camera", max = 20 }
    return schema.record(fields)
end

local function of_channel(fields)
    fields.channel = schema.text { doc = "number of its channel, where told", max = 20,
        optional = true }
    fields.told = schema.text { doc = "the time as the camera says it", max = 40, optional = true }
    return of_camera(fields)
end

local function of_place(fields)
    fields.longitude = schema.number { doc = "east", unit = "degrees", min = -180, max = 180,
        optional = true }
    fields.latitude = schema.number { doc = "north", unit = "degrees", min = -90, max = 90,
        optional = true }
    return of_channel(fields)
end

local function of_answer(fields)
    fields.sum = count "how many there are, as the camera says"
    fields.got = count "how many came, each counted once"
    fields.complete = schema.boolean { doc = "all that there are said to be have come" }
    return of_camera(fields)
end

local CAUSES = { "left", "silent", "expired", "removed" }

events.declared = {
    ["bodycam.online"] = { lane = "record", doc = "a camera is there",
        data = of_camera {
            cause = schema.choice { doc = "it registered, or was heard again",
                choices = { "registered", "heard" } },
            transport = schema.choice { doc = "how", choices = { "udp", "tcp" } },
            address = schema.text { doc = "where from", max = 64 },
        } },
    ["bodycam.offline"] = { lane = "record", doc = "a camera is not there any more: it said so, "
        .. "missed its keepalives, did not register again in time, or is no longer in the settings",
        data = of_camera { cause = schema.choice { doc = "why", choices = CAUSES },
            last_heard = moment "when it was last heard" } },
    ["bodycam.auth_failed"] = { lane = "alarm", doc = "somebody tried wrong passwords in a "
        .. "camera's name; told once until it registers, or a day is over",
        data = of_camera {
            address = schema.text { doc = "where from", max = 64 },
            tries = schema.integer { doc = "how many, before it was locked out", min = 1 },
        } },
    ["bodycam.alarm"] = { lane = "alarm", doc = "a camera gives an alarm",
        data = of_place {
            kind = schema.text { doc = "what it is, where the numbers have a known meaning",
                max = 32, optional = true },
            priority = count "AlarmPriority: 1 is the most urgent of four",
            method = count "AlarmMethod", type = count "AlarmType",
            raw = schema.text { doc = "SHA-256 of what it sent", max = 64 },
        } },
    ["bodycam.alarms_put_off"] = { lane = "alarm", doc = "a camera gave more than 30 alarms in a "
        .. "minute: the others were not taken, it was told to try again",
        data = of_camera { count = schema.integer { doc = "how many were not taken", min = 1 } } },
    ["bodycam.position"] = { lane = "telemetry", doc = "where a camera says it is",
        data = of_place {
            speed = schema.number { doc = "speed", unit = "km/h", min = 0, optional = true },
            direction = schema.number { doc = "clockwise from north", unit = "degrees", min = 0,
                max = 360, optional = true },
            altitude = schema.number { doc = "above the sea", unit = "m", optional = true },
        } },
    ["bodycam.catalogue"] = { lane = "record", doc = "what channels a camera has: when they "
        .. "changed, did not all come, or somebody asked",
        data = of_answer { on = count "how many are ON" } },
    ["bodycam.records"] = { lane = "record", doc = "somebody asked what a camera has recorded",
        data = of_answer {
            from = moment "begin of what was asked for", to = moment "its end",
            gaps = count "times between recordings",
            gap_seconds = schema.number { doc = "their length in all", unit = "s", min = 0,
                optional = true },
        } },
    ["bodycam.info"] = { lane = "record", doc = "make and model of a camera: when it changed",
        data = of_camera {
            manufacturer = schema.text { doc = "make", max = 64, optional = true },
            model = schema.text { doc = "model", max = 64, optional = true },
            firmware = schema.text { doc = "firmware", max = 64, optional = true },
            channels = count "how many channels",
        } },
    ["bodycam.status"] = { lane = "telemetry", doc = "how a camera says it is",
        data = of_camera {
            online = schema.text { doc = "Online", max = 32, optional = true },
            status = schema.text { doc = "Status", max = 32, optional = true },
            record = schema.text { doc = "whether it records", max = 32, optional = true },
            drift = schema.number { doc = "how far its clock is ahead; negative: behind",
                unit = "s", optional = true },
        } },
    ["gap.recorded"] = { lane = "record", doc = "a time of which nothing is known",
        data = schema.record {
            camera = schema.text { doc = "number of the camera; without it: all of them", max = 20,
                optional = true },
            from = moment "begin", to = moment "end",
            seconds = schema.number { doc = "length", unit = "s", min = 0 },
            cause = schema.choice { doc = "why", choices = { "plugin_stopped",
                table.unpack(CAUSES) } },
        } },
}

return events
