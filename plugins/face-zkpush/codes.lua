-- codes - what the numbers of the two PUSH protocols mean. Pure.
--
-- Where the maker's own tables differ, or merge several things into one number, nothing is told:
-- the number itself always goes out as the record's code.
local lines = require "lines"

local codes = {}

-- Way of verification of attendance and of access records (appendix 7 of attendance PUSH, 3 of
-- security PUSH). 0 is "whatever fits"; 2 and 9 are card and face in older firmware, number and
-- fingerprint+password in newer; 5 to 7 and 14 are alternatives: not told, all of them.
local VERIFY = {
    [1] = "fingerprint", [3] = "password", [4] = "card", [8] = "number+fingerprint",
    [10] = "card+fingerprint", [11] = "card+password", [12] = "fingerprint+password+card",
    [13] = "number+fingerprint+password", [15] = "face", [16] = "face+fingerprint",
    [17] = "face+password", [18] = "face+card", [19] = "face+fingerprint+card",
    [20] = "face+fingerprint+password", [25] = "palm", [26] = "palm+card", [27] = "palm+face",
    [28] = "palm+fingerprint", [29] = "palm+fingerprint+face",
}

-- Newer security PUSH: a text of bits, the last one says "all of them" (else one of them was used).
local STYLES = { [1] = "face", [2] = "palm", [3] = "palm", [4] = "fingerprint", [9] = "password",
    [10] = "number", [11] = "card", [12] = "qr" }

local function style(bits)
    local words, others = {}, false
    for bit = 1, #bits - 1 do
        if bits:byte(#bits - bit) == 49 then
            words[#words + 1] = STYLES[bit]
            others = others or not STYLES[bit]
        end
    end
    local all = bits:byte(#bits) == 49
    if others or #words == 0 or #words > 1 and not all then
        return nil
    end
    return table.concat(words, "+")
end

-- How a person was recognised, by the number (or the bits) as text; nil when that is not certain.
function codes.method(verify)
    if not verify then
        return nil
    elseif #verify >= 13 and #verify <= 32 and verify:find "^[01]+$" then
        return style(verify)
    end
    return #verify <= 3 and VERIFY[lines.whole(verify)] or nil
end

-- Events of security PUSH, appendices 2 and 19: what they are for checkin.
local EVENTS = {}

local function declare(list, what, more)
    for _, number in ipairs(list) do
        local row = { what = what }
        for name, value in pairs(more or {}) do
            row[name] = value
        end
        EVENTS[number] = row
    end
end

declare({ 0, 1, 2, 3, 14, 15, 16, 17, 18, 19, 203, 207, 208, 215, 216, 218, 222, 232, 4001 },
    "verified")
declare({ 27, 34, 104 }, "unknown_person")
declare({ 20, 31, 40, 41, 44, 48, 50, 52, 61, 63, 68, 69, 73, 5021 }, "rejected",
    { reason = "not_told" })
declare({ 21, 22, 35, 49 }, "rejected", { reason = "wrong_period" })
declare({ 23 }, "rejected", { reason = "no_right" })
declare({ 24 }, "rejected", { reason = "anti_passback" })
declare({ 25 }, "rejected", { reason = "interlock" })
declare({ 29, 33, 53, 74 }, "rejected", { reason = "expired" })
declare({ 30 }, "rejected", { reason = "password" })
declare({ 38, 39, 43, 62 }, "rejected", { reason = "blocked" })
declare({ 45, 75 }, "rejected", { reason = "timeout" })
declare({ 101, 103 }, "duress")
declare({ 100, 109 }, "tamper")
declare({ 236 }, "tamper_restored")
declare({ 102 }, "door", { state = "forced" })
declare({ 28 }, "door", { state = "held_open" })
declare({ 200 }, "door", { state = "open" })
declare({ 201 }, "door", { state = "closed" })
declare({ 202 }, "door", { state = "button" })
declare({ 4, 5, 8, 205, 210 }, "door", { state = "unlocked" })
declare({ 9 }, "door", { state = "locked" })
declare({ 206 }, "restarted")

-- { what =, reason =, state = } of an event's number; "other" when it is about something else.
function codes.event(number)
    return EVENTS[number] or { what = "other" }
end

-- Operations of attendance PUSH, appendix 3: only those that mean more than that somebody used the
-- menu. 3 is an alarm, told by one of its objects.
codes.OPERATIONS = {
    [0] = { what = "restarted" },
    [2] = { what = "rejected", reason = "not_told", person = true },
    [32] = { what = "duress", person = true },
}
codes.ALARM = 3
codes.ALARMS = {
    [50] = { what = "door", state = "closed" },
    [51] = { what = "door", state = "open" },
    [53] = { what = "door", state = "button" },
    [54] = { what = "door", state = "forced" },
    [55] = { what = "tamper" },
    [58] = { what = "other" },
    [65535] = { what = "other" },
}

-- Bits of a door's alarm in rtstate, from the lowest.
codes.STATE_BITS = {
    { name = "forced open", what = "door", state = "forced" },
    { name = "tamper", what = "tamper", ends = "tamper_restored" },
    { name = "duress password", what = "duress" },
    { name = "duress finger", what = "duress" },
    { name = "open too long", what = "door", state = "held_open" },
    { name = "mains lost", what = "other" },
    { name = "battery", what = "other" },
    { name = "reader removed", what = "tamper", ends = "tamper_restored" },
}

-- What a command's answer says, where it is no success.
local RETURNS = {
    [-1] = "it has refused the command, or has no such thing", [-2] = "size and data differ",
    [-3] = "it cannot read or write its memory", [-8] = "it is not authorised",
    [-10] = "it does not know that person", [-13] = "it does not know the command",
    [-18] = "it has no room", [-104] = "it does not know the table",
    [-604] = "it has no memory left", [-708] = "its firmware does not know the command",
    [-1001] = "the picture is wrong", [-1002] = "it does not understand the command",
    [-1004] = "it does not know the table",
}

-- nil for a success, else what went wrong.
function codes.fault(number)
    if number >= 0 then
        return nil
    end
    return ("the terminal answers %d: %s"):format(number, RETURNS[number] or "it could not do it")
end

return codes
