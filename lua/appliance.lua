-- appliance - the events that the appliance records itself, declared as a plugin's are.
--
-- For documents and for who reads the journal; the keeper makes them (core/keeper/self.h), and
-- tests compare the two. `lane` "original" is that of the event inside.
local schema = require "schema"

local appliance = {}

local function moment(doc)
    return schema.text { doc = doc .. " (UTC)", max = 32 }
end

local function seq(doc, least)
    return schema.integer { doc = doc, min = least or 0 }
end

local function counts(doc)
    local fields = {}
    for _, lane in ipairs { "alarm", "record", "telemetry", "unknown" } do
        fields[lane] = schema.integer { doc = "of lane " .. lane, min = 0, optional = true }
    end
    return schema.record(fields, { doc = doc, optional = true })
end

local LANES = { "alarm", "record", "telemetry" }

local function lane(doc)
    return schema.choice { doc = doc, choices = LANES }
end

local function tiles(options)
    options.doc = "which events, by tile of 256, and the hashes that stand for them"
    options.max = 16
    return schema.list(schema.record {
        n = seq "number of the tile: its events are 256 n to 256 n + 255",
        erased = schema.text { max = 64,
            doc = "which of the 256, as 64 hex digits from the first to the last" },
        hashes = schema.list(schema.text { max = 64 }, { max = 128,
            doc = "base64 of the hashes of the subtrees that are gone, from left to right" }),
    }, options)
end

local RANGES = schema.list(schema.record {
    lane = schema.choice { doc = "lane", choices = { "alarm", "record", "telemetry", "unknown" } },
    first = seq "first sequence that is gone", last = seq "last sequence that is gone",
}, { doc = "what is gone, as far as there is room to say it", max = 64, optional = true })

local STALL = schema.record {
    lane = lane "lane that does not get on",
    reason = schema.text { doc = "what the broker or the city does, in words", max = 512 },
}

local DEATH = schema.record {
    instance = schema.text { doc = "name of the instance", max = 64 },
    plugin = schema.text { doc = "name of the plugin, or uplink", max = 64 },
    exit = schema.text { doc = 'how it ended: "exit 1", "signal 9"', max = 64 },
    deaths = schema.integer { doc = "how often it has died since the keeper began", min = 0 },
}

-- What is said of a new version, and `more`.
local function update(more)
    more.instance = schema.text { doc = "name of the instance", max = 64 }
    more.plugin = schema.text { doc = "name of the plugin", max = 64 }
    more.from = schema.text { doc = "the version before: how its hash begins; empty: none",
        max = 64 }
    more.to = schema.text { doc = "the new version", max = 64 }
    return more
end

local FULL = schema.choice { doc = "what is full: the quota of the journal, the disk, or what "
    .. "blobs may take of either", choices = { "quota", "disk", "blobs" } }

local CLASSES = { "picture", "capture", "ordinary", "important", "case", "unknown" }

-- Which blob, and `more`; of evidence also the event before, so that none can be left out unseen.
local function blob(more, options)
    more.previous = schema.integer { doc = "sequence of the appliance's own event about it before "
        .. "this one, if there is one; of evidence only", min = 0, optional = true }
    more.sha256 = schema.text { doc = "SHA-256 of its bytes, hex", max = 64, optional = options }
    more.size = schema.integer { doc = "how many there are", unit = "B", min = 0,
        optional = options }
    more.class = schema.choice { doc = "what it was stored as", choices = CLASSES,
        optional = options }
    return schema.record(more)
end

local WHO = schema.record({
    name = schema.text { doc = "the Unix user", max = 64 },
    role = schema.choice { doc = "in which role; absent: in none that may",
        choices = { "officer", "social_worker", "technician" }, optional = true },
    via = schema.choice { doc = "who vouches for that", choices = { "local" } },
}, { doc = "who asked" })

local function reason(doc, optional)
    return schema.text { doc = doc .. ", in an officer's words", max = 300, optional = optional }
end

-- What an officer has decided about a piece of evidence.
local function custody(why)
    return blob { who = WHO, reason = reason(why),
        from = schema.choice { doc = "class before", choices = CLASSES },
        ["until"] = schema.text { doc = "kept until then (UTC); absent: until it is released",
            max = 32, optional = true } }
end

appliance.events = {
    ["box.started"] = { lane = "record", doc = "the keeper has begun", data = schema.record {
        version = schema.text { doc = "version of Outpost", max = 64 },
        log = schema.text { doc = "the log that is written to", max = 64 },
        after = schema.choice { doc = "what was before: an orderly stop, anything else, or nothing",
            choices = { "stop", "crash", "install" } },
    } },
    ["box.stopped"] = { lane = "record", doc = "the keeper ends in good order",
        data = schema.record {} },
    ["plugin.restarted"] = { lane = "record", doc = "a process has ended and is started again",
        data = DEATH },
    ["plugin.quarantined"] = { lane = "alarm",
        doc = "a process dies again and again and is left alone for an hour", data = DEATH },
    ["plugin.updated"] = { lane = "record", doc = "a new version of an instance was accepted",
        data = schema.record(update {}) },
    ["plugin.returned"] = { lane = "alarm",
        doc = "a new version of an instance was no good; the one before runs again",
        data = schema.record(update {
            why = schema.choice { doc = "it could not be loaded, ended, did not answer, did not "
                .. "read its devices, did not come to the end of start(), raised again and "
                .. "again, the box was started anew, another reload came instead, or, a while "
                .. "later, it died again and again",
                choices = { "load", "ended", "silent", "reads", "start", "errors", "keeper",
                    "withdrawn", "quarantined" } },
            exit = schema.text { doc = "how its process ended", max = 32, optional = true },
            state = schema.record({
                from = schema.integer { doc = "of the version that runs", min = 0 },
                to = schema.integer { doc = "of the new one, which may have stored something",
                    min = 0 },
            }, { doc = "the forms of the store, when they differ", optional = true }),
        }) },
    ["config.refused"] = { lane = "alarm",
        doc = "the configuration does not check; the last one that did is used",
        data = schema.record {
            file = schema.text { doc = "the configuration", max = 4096 },
            errors = schema.list(schema.text { max = 4096 },
                { doc = "what is wrong with it", max = 64 }),
        } },
    ["journal.damaged"] = { lane = "alarm",
        doc = "something of the journal was not what was committed", data = schema.record {
            reason = schema.text { doc = "what it is and what was done", max = 1024 },
            file = schema.text { doc = "the file", max = 4096, optional = true },
            folder = schema.text { doc = "the journal was set aside there", max = 4096,
                optional = true },
            log = schema.text { doc = "the log that was set aside", max = 64, optional = true },
            salvaged = counts "events of it that were committed anew",
            gone = counts "events of it that are lost",
            ranges = RANGES,
            tiles = tiles { optional = true },
        } },
    ["journal.salvaged"] = { lane = "original",
        doc = "an event of a log that was set aside, which the city has no receipt for",
        data = schema.record {
            log = schema.text { doc = "log it was in", max = 64 },
            seq = seq "its sequence there",
            lane = lane "its lane, and that of this event",
            leaf = schema.text { doc = "its leaf hash, hex", max = 64 },
            proven = schema.boolean { doc = "a checkpoint that this office signed covers it" },
            event = schema.any { doc = "the event", optional = true },
            folder = schema.text { doc = "where it lies, when it is too large to be wrapped",
                max = 4096, optional = true },
        } },
    ["journal.thinned"] = { lane = "record",
        doc = "telemetry was erased, for want of room or because its time was over",
        data = schema.record {
            reason = schema.choice { doc = "why", choices = { "quota", "retention" } },
            lane = schema.choice { doc = "of which lane", choices = { "telemetry" } },
            first = seq "first sequence that was erased", last = seq "last one",
            count = seq("how many", 1), tiles = tiles {},
        } },
    ["journal.contradicted"] = { lane = "alarm",
        doc = "the city has signed for events that are not in this journal: it is an older copy, "
            .. "or there are two", data = schema.record {
            events = seq "events that there are here",
            city = schema.record({ alarm = seq("last of lane alarm", -1),
                record = seq("last of lane record", -1),
                telemetry = seq("last of lane telemetry", -1) },
                { doc = "what the city says it has; -1: nothing" }),
        } },
    ["gap.recorded"] = { lane = "record", doc = "telemetry was refused for a time: nothing of it "
        .. "was taken", data = schema.record {
            from = moment "begin", ["until"] = moment "end",
            cause = schema.choice { doc = "why", choices = { "storage full" } },
            lane = schema.choice { doc = "of which lane", choices = { "telemetry" } },
        } },
    ["storage.low"] = { lane = "alarm", doc = "room for the journal runs out",
        data = schema.record {
            of = FULL,
            percent = schema.integer { doc = "how full it is", unit = "%", min = 0, max = 100 },
            days_left = schema.integer { doc = "until telemetry goes that the city has not, where "
                .. "it is known", unit = "d", min = 0, optional = true },
        } },
    ["storage.full"] = { lane = "alarm", doc = "there is room for alarms and records only",
        data = schema.record {
            of = FULL,
            refused = schema.choice { doc = "the lane that is not taken, or the class of blobs",
                choices = { "telemetry", table.unpack(CLASSES, 1, 5) } },
        } },
    ["storage.back"] = { lane = "record", doc = "there is room again", data = schema.record {
        of = schema.choice { doc = "for blobs; absent: for the journal", choices = { "blobs" },
            optional = true },
    } },
    ["blob.released"] = { lane = "record", doc = "a blob's time is over: it is being erased",
        data = blob { reason = schema.choice { choices = { "retention", "room" },
            doc = "at once, as was agreed when it was stored, or because others needed room" } } },
    ["evidence.uploaded"] = { lane = "record", doc = "the city has a file, as it has signed",
        data = blob { sm3 = schema.text { doc = "SM3 of its bytes, hex", max = 64 },
            receipt = schema.text { doc = "the city's signed note: office, log, seq, time, both "
                .. "hashes, size", max = 2048 } } },
    ["evidence.adopted"] = { lane = "record", doc = "a file that the log before this one recorded, "
        .. "and the city has no receipt for, goes there as one of this log",
        data = blob { sm3 = schema.text { doc = "SM3 of its bytes, hex", max = 64 } } },
    ["blob.viewed"] = { lane = "record", doc = "somebody is given a blob's bytes",
        data = blob { who = WHO } },
    ["evidence.viewed"] = { lane = "record", doc = "somebody is given the bytes of evidence",
        data = blob { who = WHO, reason = reason("why it is exported", true),
            purpose = schema.choice { doc = "to look at, or for an export",
                choices = { "view", "export" } } } },
    ["evidence.marked"] = { lane = "record", doc = "an officer has said that evidence matters",
        data = custody "why" },
    ["evidence.released"] = { lane = "record", doc = "an officer has said that no case holds "
        .. "evidence any more", data = custody "why none does" },
    ["evidence.exported"] = { lane = "record", doc = "an export of evidence was made",
        data = blob { who = WHO, reason = reason "why", manifest = schema.text { max = 64,
            doc = "SHA-256 of its list of files, hex" } } },
    ["blob.adopted"] = { lane = "record", doc = "files of blobs that a damaged journal has left "
        .. "without their rows are kept", data = schema.record {
            count = seq("how many", 1),
            bytes = schema.integer { doc = "what they take on disk", unit = "B", min = 0 },
        } },
    ["blob.damaged"] = { lane = "alarm", doc = "a blob is not what was stored", data = blob({
        reason = schema.choice { choices = { "changed", "missing", "unreadable", "key" },
            doc = "what is wrong with its file; or it was stored with another key of the box" },
        count = schema.integer { doc = "all of them are, so many", min = 1, optional = true },
    }, true) },
    ["clock.jumped"] = { lane = "record", doc = "the wall clock was set", data = schema.record {
        from = moment "what it showed", to = moment "what it shows",
        seconds = schema.number { doc = "how far, forward or back", unit = "s" },
    } },
    ["clock.corrected"] = { lane = "record",
        doc = "the wall clock is right at last: what the times of this boot were",
        data = schema.record {
            boot = schema.text { doc = "the boot, as in every event", max = 36 },
            mono = schema.text { doc = "microseconds since boot, as in every event", max = 20 },
            utc = moment "what the clock showed then, rightly",
        } },
    ["action.performed"] = { lane = "record", doc = "somebody asked a plugin for an action",
        data = schema.record {
            instance = schema.text { doc = "of which plugin", max = 64 },
            action = schema.text { doc = "which; its params are not told", max = 48 },
            who = WHO,
            outcome = schema.choice { doc = "refused: never begun; failed: also when it is not "
                .. "known whether it was done", choices = { "done", "refused", "failed" } },
            error = schema.text { doc = "why not, as the name of an errno", max = 32,
                optional = true },
        } },
    ["capture.recorded"] = { lane = "record",
        doc = "what an instance's devices said lately is kept, as a blob that Wireshark opens",
        data = schema.record {
            instance = schema.text { doc = "name of the instance", max = 64 },
            plugin = schema.text { doc = "name of the plugin", max = 64 },
            reason = schema.choice { doc = "it raised an alarm; a handler raised an error; its "
                .. "process died; somebody asked", choices = { "alarm", "error", "crash",
                "asked" } },
            who = schema.text { doc = "the Unix user who asked", max = 64, optional = true },
            sha256 = schema.text { doc = "of the blob, pcapng", max = 64 },
            size = schema.integer { doc = "of the blob", unit = "bytes", min = 0 },
            from = moment "when the first of it went in or out",
            ["until"] = moment "when the last did",
            pieces = schema.integer { doc = "how many there are", min = 0 },
            suppressed = schema.integer { doc = "how often it would have been kept since the last "
                .. "time, but for the minute between two", min = 0 },
        } },
    ["sync.stalled"] = { lane = "alarm", doc = "what is sent to the city comes to nothing",
        data = STALL },
    ["sync.resumed"] = { lane = "record", doc = "the stall is over", data = STALL },
}

return appliance
