-- events - the event types of this plugin: lane, meaning, and what their data holds.
local schema = require "schema"

local function moment(doc)
    return schema.text { doc = doc .. " (UTC)", max = 32, optional = true }
end

-- Every event says which station and profile it comes from; a wristband's event also the
-- registers and the age it was decided on.
local function of_station(fields)
    fields.station = schema.text { doc = "serial of the station, where it has one", max = 64,
        optional = true }
    fields.profile = schema.text { doc = "profile the station was read with", max = 32 }
    fields.first = schema.boolean { doc = "true: never seen before", optional = true }
    return schema.record(fields)
end

local function of_band(fields)
    fields.band = schema.text { doc = "tag id of the wristband", max = 64 }
    fields.raw = schema.text { doc = "the registers it was decided on, hex", max = 2048,
        optional = true }
    fields.age = schema.number { doc = "how old the reading was, where known", unit = "s", min = 0,
        optional = true }
    fields.canary = schema.boolean { doc = "true: the canary tag of the office", optional = true }
    return of_station(fields)
end

local function battery()
    return schema.integer { doc = "battery, where known", unit = "%", min = 0, max = 100,
        optional = true }
end

local function state(doc)
    return schema.choice { doc = doc, choices = { "open", "closed" }, optional = true }
end

return {
    ["wristband.seen"] = {
        lane = "telemetry",
        doc = "a wristband is heard: the first time, when something changed, and as heartbeat",
        data = of_band {
            battery = battery(),
            strap = state "strap, where known",
            case = state "case, where known",
            rssi = schema.number { doc = "strength of the signal, dBm or % by profile",
                optional = true },
        },
    },
    ["wristband.strap_opened"] = { lane = "alarm", doc = "the strap was opened or cut",
        data = of_band {} },
    ["wristband.strap_closed"] = { lane = "record", doc = "the strap is closed again",
        data = of_band {} },
    ["wristband.case_opened"] = { lane = "alarm", doc = "the case was opened", data = of_band {} },
    ["wristband.case_closed"] = { lane = "record", doc = "the case is closed again",
        data = of_band {} },
    -- An alarm, because somebody must act on it before the wristband falls silent, and rare,
    -- because it comes once per discharge.
    ["wristband.battery_low"] = {
        lane = "alarm", doc = "the battery fell to the limit",
        data = of_band {
            battery = battery(),
            limit = schema.integer { doc = "setting low_battery", unit = "%" },
        },
    },
    ["wristband.lost"] = {
        lane = "alarm",
        doc = "contact lost: not heard for lost_after; whether it was taken off is not known",
        data = of_band {
            last_seen = moment "when it was last heard", battery = battery(),
            silence = schema.number { doc = "time without contact", unit = "s", min = 0 },
        },
    },
    ["wristband.back"] = { lane = "record", doc = "a lost wristband is heard again",
        data = of_band { last_seen = moment "when it was heard before" } },
    ["wristband.forgotten"] = { lane = "record", doc = "a technician had it forgotten: it was "
        .. "replaced, or belongs to nobody any more",
        data = of_band { last_seen = moment "when it was last heard",
            by = schema.text { doc = "the Unix user who asked", max = 64 } } },
    ["station.offline"] = {
        lane = "alarm", doc = "the station does not answer, answers nonsense, or is another one",
        data = of_station {
            cause = schema.choice { doc = "why",
                choices = { "no_answer", "garbage", "wrong_station" } },
            message = schema.text { doc = "the newest failure", max = 256, optional = true },
            expected = schema.text { doc = "serial it must have", max = 64, optional = true },
            got = schema.text { doc = "serial it has", max = 64, optional = true },
            last_good = moment "its last good answer",
        },
    },
    ["station.online"] = { lane = "record", doc = "the station answers", data = of_station {} },
    ["station.all_lost"] = {
        lane = "alarm",
        doc = "no wristband at all is heard any more: a deaf or jammed radio, not persons leaving",
        data = of_station {
            bands = schema.integer { doc = "how many were there", min = 0 },
            tags = schema.list(schema.text { max = 64 }, { doc = "the first 64", max = 64 }),
            canary = schema.boolean { doc = "whether the canary tag was among them" },
            silence = schema.number { doc = "time since anything was heard", unit = "s", min = 0 },
            last_seen = moment "when anything was last heard",
        },
    },
    ["station.hears_again"] = { lane = "record", doc = "the first wristband is heard again after "
        .. "station.all_lost", data = of_station {} },
    ["gap.recorded"] = {
        lane = "record", doc = "a time without readings: nothing is known about it",
        data = of_station {
            from = moment "begin", to = moment "end",
            seconds = schema.number { doc = "length", unit = "s", min = 0 },
            cause = schema.choice { doc = "why", choices = { "plugin_stopped", "station_offline",
                "radio_silence", "station_overflow", "station_restarted" } },
            missing = schema.integer { doc = "FIFO entries that were lost", min = 1,
                optional = true },
        },
    },
}
