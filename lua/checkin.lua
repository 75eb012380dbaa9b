-- checkin - what a record of a face terminal means, the same for every make of terminal. Pure.
--
-- A plugin translates each record of its terminal into a table, and checkin makes the event of it:
--
--   what      one of checkin.WHAT
--   terminal  serial of the terminal; required
--   serial    the terminal's own number of the record, where it has one
--   time      seconds UTC, corrected as far as it can be; told: the time in the terminal's words
--   live      whether it was told as it happened (false: from its memory later; nil: not known)
--   person    the number of the person at the terminal, as text
--   method    how: "face", "card", "fingerprint", "password", "palm", "qr", "number", "button",
--             joined by "+" where all of them were asked for
--   liveness  "passed" or "failed", where the terminal says so
--   score     how alike, in percent, where the terminal says so
--   reason    why not, a word of checkin.REASONS
--   door, state   which door, and what about it, a word of checkin.DOORS
--   codes     the raw numbers it was decided by, as { major = 5, minor = 75 }
--   raw       SHA-256 of the record's bytes as they came; picture: SHA-256 of the picture
--
-- What a terminal says beyond that (names, cards, pictures, texts) has no place in an event.
local schema = require "schema"

local checkin = {}

checkin.REASONS = { "liveness", "mismatch", "no_right", "wrong_period", "expired", "blocked",
    "anti_passback", "timeout", "too_many_tries", "interlock", "password", "not_told" }
checkin.DOORS = { "open", "closed", "unlocked", "locked", "forced", "held_open", "button" }
checkin.METHODS = { "face", "card", "fingerprint", "password", "palm", "qr", "number", "button" }

-- ---- Settings

-- Adds to a plugin's settings what all terminals have in common.
function checkin.settings(fields)
    fields.people = schema.map(schema.text { pattern = "^%w[%w_:.-]*$", max = 64,
        expects = "the id of a person" }, { max = 5000, default = {},
        doc = "who is who: number at the terminal = id of the person, for the events' subject" })
    fields.pictures = schema.text { default = "none", max = 16,
        doc = 'what becomes of pictures: "none", "hash" (only their SHA-256), "keep 7d" (stored in '
            .. "the box, encrypted, so long)",
        pattern = "^%l+ ?%d*[mhd]?$", expects = '"none", "hash" or "keep 7d"' }
    return fields
end

local UNITS = { m = 60, h = 3600, d = 86400 }
local MOST_KEPT_S = 30 * 86400

-- "keep 7d" -> { mode = "keep", seconds = 604800 }; or nil and what was expected.
function checkin.pictures(setting)
    if setting == "none" or setting == "hash" then
        return { mode = setting }
    end
    local count, unit = setting:match "^keep (%d+)([mhd])$"
    local seconds = count and math.tointeger(tonumber(count)) and tonumber(count) * UNITS[unit]
    if not seconds or seconds < 1 or seconds > MOST_KEPT_S then
        return nil, ('expected "none", "hash" or "keep 7d" (1m to 30d), got "%s"'):format(setting)
    end
    return { mode = "keep", seconds = seconds }
end

-- ---- Events

local function moment(doc)
    return schema.text { doc = doc .. " (UTC)", max = 32, optional = true }
end

-- What every event of a terminal says, and `fields`.
local function of_terminal(fields)
    fields.terminal = schema.text { doc = "serial of the terminal", max = 64 }
    return schema.record(fields)
end

-- What every event says that comes from a record of the terminal, and `fields`.
local function of_record(fields)
    fields.record = schema.integer { doc = "the terminal's own number of the record", min = 0,
        optional = true }
    fields.told = schema.text { doc = "its time as the terminal says it", max = 40,
        optional = true }
    fields.live = schema.boolean { doc = "told as it happened; false: later, from its memory",
        optional = true }
    fields.codes = schema.map(schema.integer {}, { max = 8, optional = true,
        doc = "the terminal's own codes" })
    fields.door = schema.integer { doc = "number of the door", min = 0, optional = true }
    fields.raw = schema.text { doc = "SHA-256 of the record's bytes", max = 64, optional = true }
    return of_terminal(fields)
end

-- Of a person who stood before it.
local function of_visit(fields)
    fields.method = schema.text { doc = 'how: "face", "card", "face+card" ...', max = 64,
        optional = true }
    fields.liveness = schema.choice { doc = "whether it was a living face, where told",
        choices = { "passed", "failed" }, optional = true }
    fields.score = schema.number { doc = "how alike, where told", unit = "%", min = 0, max = 100,
        optional = true }
    fields.picture = schema.text { doc = "SHA-256 of the picture", max = 64, optional = true }
    return of_record(fields)
end

local function reason()
    return schema.choice { doc = "why, where told", choices = checkin.REASONS, optional = true }
end

local EVENTS = {
    ["checkin.verified"] = { lane = "record", doc = "a person was recognised at the terminal",
        data = of_visit {} },
    ["checkin.rejected"] = { lane = "record", doc = "somebody was not let through",
        data = of_visit { reason = reason() } },
    ["checkin.unknown_person"] = { lane = "record", doc = "somebody whom it does not know",
        data = of_visit { reason = reason() } },
    ["checkin.duress"] = { lane = "alarm", doc = "somebody gave the sign of being under duress",
        data = of_visit {} },
    ["terminal.tamper"] = { lane = "alarm", doc = "the terminal or its reader was opened or torn "
        .. "off", data = of_record {} },
    ["terminal.tamper_restored"] = { lane = "record", doc = "it is closed again",
        data = of_record {} },
    ["terminal.door"] = { lane = "record", doc = "something happened at the door",
        data = of_record { state = schema.choice { doc = "what", choices = checkin.DOORS } } },
    ["terminal.record"] = { lane = "record", doc = "a record that is not about a person or a door, "
        .. "or whose codes nobody here knows: nothing is guessed", data = of_record {} },
    ["terminal.online"] = { lane = "record", doc = "the terminal answers, and how it is heard",
        data = of_terminal {
            model = schema.text { doc = "its model, where told", max = 64, optional = true },
            firmware = schema.text { doc = "its firmware, where told", max = 64, optional = true },
            way = schema.text { doc = 'how it is heard: "push", "stream", "poll"', max = 16,
                optional = true },
        } },
    ["terminal.offline"] = { lane = "alarm", doc = "the terminal does not answer any more",
        data = of_terminal {
            cause = schema.choice { doc = "why", choices = { "no_answer", "silent_stream",
                "wrong_terminal", "garbage" } },
            last_good = moment "its last sign of life",
        } },
    ["terminal.auth_failed"] = { lane = "alarm", doc = "the terminal refused user and password: it "
        .. "is not asked again until the configuration changes",
        data = of_terminal {
            locked = schema.boolean { doc = "it says that the account is locked", optional = true },
            unlock_s = schema.integer { doc = "for how long still", unit = "s", min = 0,
                optional = true },
        } },
    ["terminal.clock_wrong"] = { lane = "record", doc = "the terminal's clock differs from ours",
        data = of_terminal {
            drift = schema.number { doc = "how far it is ahead; negative: behind", unit = "s" },
            corrected = schema.boolean { doc = "it was set right", optional = true },
        } },
    ["terminal.restarted"] = { lane = "record", doc = "the terminal has started anew",
        data = of_record {} },
    ["terminal.serial_reset"] = { lane = "record", doc = "the terminal's numbers of records begin "
        .. "again: it was reset, or they wrapped", data = of_terminal {
            before = schema.integer { doc = "last number before", min = 0 },
            after = schema.integer { doc = "first number after", min = 0 },
        } },
    ["gap.recorded"] = { lane = "record", doc = "a time, or records, of which nothing is known",
        data = of_terminal {
            from = moment "begin", to = moment "end",
            seconds = schema.number { doc = "length", unit = "s", min = 0, optional = true },
            cause = schema.choice { doc = "why", choices = { "plugin_stopped", "terminal_offline",
                "records_lost", "records_overwritten" } },
            first = schema.integer { doc = "first record that is missing", min = 0,
                optional = true },
            missing = schema.integer { doc = "how many", min = 1, optional = true },
        } },
}

-- The events of all terminals, and `own` ones of a make.
function checkin.events(own)
    local events = {}
    for type, declared in pairs(EVENTS) do
        events[type] = declared
    end
    for type, declared in pairs(own or {}) do
        events[type] = declared
    end
    return events
end

-- ---- Who

-- Numbers that the office gave itself: up to 8 digits, up to 3 letters before them. Whatever is
-- longer may be the number of an identity card, a telephone or a bank card, letters alone a name.
local function is_harmless(number)
    return number:find "^%a?%a?%a?[-_]?%d%d?%d?%d?%d?%d?%d?%d?$" ~= nil
end

-- How persons are named. `people` is the setting, `pseudonym(number)` a keyed hash as hex.
function checkin.naming(people, pseudonym)
    return function(number)
        if people[number] then
            return people[number]
        elseif is_harmless(number) then
            return number
        end
        return "p-" .. pseudonym(number):sub(1, 20)
    end
end

local KEY = "naming/key"

-- The same for a plugin with `needs = { "digest" }`: the key of its pseudonyms is made at its first
-- start and stays in its store, so a person keeps the name.
function checkin.keeper(host, people)
    local digest = require "digest"
    local key = host.store.get(KEY)
    if not key then
        key = digest.sha256(host.random(32))
        host.store.put(KEY, key)
    end
    return checkin.naming(people, function(number)
        return digest.hmac_sha256(key, number)
    end)
end

-- ---- What it means

local TYPES = {
    verified = "checkin.verified", rejected = "checkin.rejected", duress = "checkin.duress",
    unknown_person = "checkin.unknown_person", tamper = "terminal.tamper", door = "terminal.door",
    tamper_restored = "terminal.tamper_restored", restarted = "terminal.restarted",
    other = "terminal.record",
}
local VISITS = { verified = true, rejected = true, unknown_person = true, duress = true }

checkin.WHAT = {}
for what in pairs(TYPES) do
    checkin.WHAT[#checkin.WHAT + 1] = what
end
table.sort(checkin.WHAT)

local function subject(record, name_of)
    local number = record.person
    if VISITS[record.what] and record.what ~= "unknown_person" and number and number ~= "" then
        return "person/" .. name_of(number)
    end
    return "device/face-terminal/" .. record.terminal
end

-- A table for host.emit. One that was recognised without a number is nobody: it is told as a record
-- with its codes, because a check-in must be somebody's.
function checkin.meaning(record, name_of)
    local what = record.what
    if what == "verified" and (record.person or "") == "" then
        what = "other"
    end
    local told = record.told
    if told and (#told > 40 or not told:find "^[%d:TZ.+/ -]+$") then
        told = nil -- no time, so whatever else it may be
    end
    local data = { terminal = record.terminal, record = record.serial, told = told,
        live = record.live, codes = record.codes, raw = record.raw, door = record.door }
    if VISITS[what] then
        data.method, data.liveness = record.method, record.liveness
        data.score, data.picture = record.score, record.picture
        data.reason = (what == "rejected" or what == "unknown_person") and record.reason or nil
    elseif what == "door" then
        data.state = record.state
    end
    return { type = TYPES[what], subject = subject({ what = what, person = record.person,
        terminal = record.terminal }, name_of), time = record.time, data = data }
end

return checkin
