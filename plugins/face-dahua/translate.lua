-- translate - an event of the stream, or a row of recordFinder, as a record of lua/checkin.lua.
-- Pure.
--
--   translate.event(event, about)  --> record, "record" | nil, "look" | nil, "noise"
--   translate.row(row, about)      --> record
--   about = { terminal = serial, offset = minutes east, methods = methods.of(...), live = true }
--
-- "look": something happened of which the event does not say what, so the records should be
-- read. A record has `at`, the time by which the same thing is known again, and `window`, how
-- many seconds that may be off.
local moment = require "moment"

local translate = {}

translate.WINDOW = 8 -- a face before the camera is told several times

-- ErrorCode: which of the reasons it is, where the manuals agree.
local REASONS = {
    [16] = "no_right", [17] = "blocked", [18] = "no_right", [20] = "expired",
    [21] = "anti_passback", [24] = "interlock", [32] = "wrong_period", [33] = "wrong_period",
    [64] = "password", [65] = "timeout", [66] = "mismatch", [67] = "timeout", [68] = "password",
    [69] = "timeout",
}
local DURESS_ERROR, DURESS_METHOD = 22, 13

---- fields

local function whole(value)
    if type(value) == "boolean" then
        return value and 1 or 0
    end
    return math.tointeger(tonumber(value))
end

local function text(value)
    if math.type(value) == "integer" then
        value = tostring(value)
    end
    return type(value) == "string" and value:find("%S") and #value <= 128 and value
        or nil
end

-- What was there first of fields that mean the same.
local TIMES = { "RealUTC", "UTC", "CreateTime", "LocaleTime", "LocalTime", "Time" }

local function time_of(data, offset)
    for _, name in ipairs(TIMES) do
        local seconds = moment.read(data[name], offset)
        if seconds then
            return seconds, tostring(data[name])
        end
    end
end

-- The fields that matter, whatever firmware calls them. ErrorCode wins over Status: some say 1 and
-- let nobody in.
function translate.fields(data, offset)
    local time, told = time_of(data, offset)
    local status, err = whole(data.Status), whole(data.ErrorCode)
    local granted = nil
    if status or err then
        granted = status ~= 0 and (err or 0) == 0
    end
    local score = tonumber(data.Similarity)
    return {
        time = time, told = told, status = status, error = err, granted = granted,
        user = text(data.UserID), card = text(data.CardNo), door = whole(data.Door),
        method = whole(data.Method), serial = whole(data.RecNo),
        score = score and score >= 0 and score <= 100 and score or nil,
        alive = whole(data.Alive), entry = data.Type, attendance = whole(data.AttendanceState),
    }
end

local ENTRIES = { Entry = 0, Exit = 1 }

local function codes_of(fields, data)
    local codes = { method = fields.method, error = fields.error, status = fields.status,
        alive = fields.alive, attendance = fields.attendance, direction = ENTRIES[fields.entry],
        open_method = whole(data.OpenDoorMethod) }
    return next(codes) and codes or nil
end

local function natural(number)
    return number and number >= 0 and number or nil
end

-- What all records have.
local function base(fields, data, about)
    return { terminal = about.terminal, serial = natural(fields.serial), time = fields.time,
        told = fields.told, live = about.live, door = natural(fields.door),
        codes = codes_of(fields, data), at = fields.time, window = 0 }
end

---- somebody before the terminal

local function what_of(fields)
    if fields.error == DURESS_ERROR or fields.method == DURESS_METHOD then
        return "duress"
    elseif fields.granted == nil then
        return "other"
    elseif fields.granted then
        return fields.method == 5 and "door" or "verified"
    end
    return (fields.user or fields.card) and "rejected" or "unknown_person"
end

local function access(data, about)
    local fields = translate.fields(data, about.offset)
    local record = base(fields, data, about)
    record.what = what_of(fields)
    record.person, record.method = fields.user or fields.card, about.methods[fields.method]
    record.score, record.window = fields.score, translate.WINDOW
    if record.what == "door" then
        record.state, record.method = "button", nil
    elseif fields.granted == false then
        record.reason = REASONS[fields.error] or "not_told"
    end
    return record, "record"
end

-- A face that was recognised says neither status nor method: it is recognised, or it is nobody's.
local function door_face(data, about)
    local record = access(data, about)
    local fields = translate.fields(data, about.offset)
    if record.what == "other" then
        record.what = fields.user and "verified" or "unknown_person"
    end
    record.method = record.method or "face"
    return record, "record"
end

local function duress(data, about)
    local record = access(data, about)
    record.what, record.reason = "duress", nil
    return record, "record"
end

---- doors, housings

local function door(data, about, event, state)
    local record = base(translate.fields(data, about.offset), data, about)
    record.what, record.state = state and "door" or "other", state
    record.door = record.door or natural(event.index)
    return record, "record"
end

local STATES = { open = "open", close = "closed", closed = "closed", opened = "open" }

local function door_status(data, about, event)
    local status = text(data.Status) or text(data.State) or ""
    return door(data, about, event, STATES[status:lower()])
end

local function break_in(data, about, event)
    return door(data, about, event, event.action ~= "Stop" and "forced" or nil)
end

local function not_closed(data, about, event)
    return door(data, about, event, event.action ~= "Stop" and "held_open" or nil)
end

local function tamper(data, about, event)
    local record = base(translate.fields(data, about.offset), data, about)
    record.what = event.action == "Stop" and "tamper_restored" or "tamper"
    return record, "record"
end

local function look()
    return nil, "look"
end

local function noise()
    return nil, "noise"
end

local CODES = {
    AccessControl = access, _DoorFace_ = door_face, Duress = duress, DoorStatus = door_status,
    BreakIn = break_in, DoorNotClosed = not_closed, ChassisIntruded = tamper, Tamper = tamper,
    TamperAlarm = tamper, _NewFile_ = look, NewFile = look, AccessSnap = look,
}

-- What a terminal says all day and that is about nobody.
for name in ([[
    VideoMotion VideoMotionInfo VideoBlind VideoLoss FaceDetection HumanDetection NTPAdjustTime
    TimeChange HeartBeat Heartbeat KeepLive RtspSessionDisconnect IntelliFrame BackKeyLight
    CallNoAnswered CallSnap Hangup Invite IgnoreInvite LoginFailure SystemState Reboot_
    UserLogin SceneChange AudioMutation AudioAnomaly MDResult DGSErrorReport SIPRegisterResult
    SecurityImExport NetMonitorAbort RecordDelete StorageChange LeFunctionStatusSync
    InterVideoAccess]]):gmatch "%S+" do
    CODES[name] = noise
end

-- What nobody here knows is told with its numbers, never guessed.
local function unknown(data, about, event)
    local record = base(translate.fields(data, about.offset), data, about)
    record.what, record.person = "other", nil
    record.codes = record.codes or (event.index and { index = event.index }) or nil
    return record, "record"
end

function translate.event(event, about)
    return (CODES[event.code] or unknown)(event.data or {}, about, event)
end

function translate.row(row, about)
    local record = access(row, about)
    record.serial, record.time, record.at = natural(row.serial), row.time, row.time
    return record
end

return translate
