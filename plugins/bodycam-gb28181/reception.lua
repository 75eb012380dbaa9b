-- reception - what cameras say: registrations, keepalives, alarms, positions, answers.
--
-- Each request is answered by a table { status =, headers =, after = } (exchange.lua): what it
-- gathered here is durable before the camera hears 200. GB/T 28181 has a password for
-- registering and for nothing else, so a camera is believed as long as it is registered, and
-- from the address it registered from; from another one it hears 403 and must register there.
local digest = require "digest"
local events = require "events"
local manscdp = require "manscdp"
local registrar = require "registrar"
local roll = require "roll"
local sip = require "sip"
local time = require "time"

local reception = {}

local ALARMS_MOST, ALARMS_S = 30, 60 -- of one camera
local STRANGERS_SAID = 16 -- in the log
local ENDED_S = 10 -- until a camera that has ended what it was asked for is asked again
local AHEAD_S, BEHIND_S = 300, 7 * 86400 -- of a camera's clock, to be believed

local OK = { status = 200 }
local METHODS = "REGISTER, MESSAGE, NOTIFY, OPTIONS, ACK"

-- ---- Registering

local function user_of(message, name)
    local address = sip.address(sip.header(message, name))
    return address and address.user or ""
end

-- Nobody's registration is told once a number, so that a forgotten camera is seen.
local function refuse_stranger(self, id, route)
    self.host.metrics.count("strangers_refused", 1)
    local shown = #id <= 20 and id:find "^%d+$" and id or "without a number"
    if not self.strangers[shown] and self.strangers_count < STRANGERS_SAID then
        self.strangers[shown] = true
        self.strangers_count = self.strangers_count + 1
        self.host.log.warn("a camera %s at %s wants to register and is not in the setting cameras",
            shown, route.address)
    end
    return { status = 403 }
end

-- The address by which the camera reaches us, where it says a number.
local function called(request)
    local address = sip.address("<" .. request.uri .. ">")
    return address and address.host and address.host:find "^%d+%.%d+%.%d+%.%d+$" and address.host
end

-- One that begins with another Call-ID may have begun anew, and know of no positions any more.
local function look_at_call(self, camera, request)
    local id = sip.header(request, "call-id")
    if camera.dialog and camera.call_id ~= id then
        camera.renew_at = self.host.mono()
    end
    camera.call_id = id
end

local DONE = {
    registered = function(self, camera, route, answer, request)
        camera.called = called(request) or camera.called
        look_at_call(self, camera, request)
        roll.registered(self.roll, camera, route, answer.seconds)
    end,
    left = function(self, camera) roll.left(self.roll, camera) end,
    wrong = function(self) self.host.metrics.count("passwords_wrong", 1) end,
    locked = function(self, camera, route)
        self.host.metrics.count("passwords_wrong", 1)
        roll.tell_wrong(self.roll, camera, route.address, registrar.TRIES_MOST)
    end,
}

-- Some put the platform into To; whose password it must be is then said by From.
local function on_register(self, request, route)
    local cameras = self.roll.cameras
    local camera = cameras[user_of(request, "to")] or cameras[user_of(request, "from")]
    if not camera then
        return refuse_stranger(self, user_of(request, "to"), route)
    end
    local now = self.host.now()
    local answer = registrar.judge(camera, request, { key = self.key, now = now,
        realm = self.config.realm, algorithm = self.config.algorithm, address = route.address,
        salt = self.host.random(4) })
    if answer.what then
        DONE[answer.what](self, camera, route, answer, request)
    end
    if answer.status == 200 then
        table.insert(answer.headers, { "date",
            time.format(now, self.config.offset):sub(1, 23) })
    end
    return answer
end

-- ---- What cameras tell by themselves

-- A time that can be meant, or nil: cameras whose clock was never set say 1970, or the future.
local function believed(self, seconds)
    local now = self.host.now()
    return seconds and seconds <= now + AHEAD_S and seconds >= now - BEHIND_S and seconds or nil
end

local function told_time(text)
    return text and #text <= 40 and text:find "^[%d:TZ.+/ -]+$" and text or nil
end

local function within(number, least, most)
    return number and number >= least and number <= most and number or nil
end

-- Both or none; 0, 0 is where cameras are that have not found themselves yet.
local function place(data, told)
    local longitude, latitude = within(told.longitude, -180, 180), within(told.latitude, -90, 90)
    if longitude and latitude and not (longitude == 0 and latitude == 0) then
        data.longitude, data.latitude = longitude, latitude
    end
    return data.longitude ~= nil
end

local function on_position(self, camera, body)
    local told = manscdp.read(body, self.config.offset)
    local data = { channel = told.channel or body.device, told = told_time(told.told),
        speed = within(told.speed, 0, 1000), direction = within(told.direction, 0, 360),
        altitude = within(told.altitude, -1000, 20000) }
    local now = self.host.mono()
    if not place(data, told) then
        self.host.metrics.count("positions_without_place", 1)
    elseif camera.placed and now - camera.placed < self.config.position_every / 1000 then
        self.host.metrics.count("positions_thinned", 1)
    else
        camera.placed = now
        roll.emit(self.roll, camera, "bodycam.position", data, believed(self, told.time))
    end
    return OK
end

-- The same alarm again, because our answer was lost: known by its content when that has a time,
-- else by the message.
local function mark_of(message, told)
    return told.told and digest.sha256(message.body):sub(1, 32)
        or digest.sha256(sip.header(message, "call-id") .. "|" .. message.cseq .. "|"
            .. message.body):sub(1, 32)
end

-- Tells how many alarms were put off in the minute that is over.
local function close_minute(self, camera)
    local minute = camera.minute
    if minute and self.host.mono() - minute.from >= ALARMS_S then
        camera.minute = nil
        if minute.count > ALARMS_MOST then
            roll.emit(self.roll, camera, "bodycam.alarms_put_off",
                { count = minute.count - ALARMS_MOST })
        end
    end
end

-- More alarms than a camera can mean are not taken: it hears 503 and may try later, and that there
-- were some is an alarm too.
local function is_flood(self, camera)
    close_minute(self, camera)
    camera.minute = camera.minute or { from = self.host.mono(), count = 0 }
    camera.minute.count = camera.minute.count + 1
    return camera.minute.count > ALARMS_MOST
end

-- Looks whose minute is over.
function reception.look(self)
    for _, camera in ipairs(self.roll.list) do
        close_minute(self, camera)
    end
end

local function confirm(self, camera, body)
    return function()
        self.ask(camera, { method = "MESSAGE", body = manscdp.body("Response", "Alarm",
            body.sn or 0, body.device or camera.id, { { "Result", "OK" } }) })
    end
end

local function on_alarm(self, camera, body, message)
    if is_flood(self, camera) then
        self.host.metrics.count("alarms_put_off", 1)
        return { status = 503, headers = { { "retry-after", "10" } } }
    end
    local told = manscdp.read(body, self.config.offset)
    if roll.is_told(self.roll, camera, mark_of(message, told)) then
        self.host.metrics.count("alarms_repeated", 1)
        return OK
    end
    local data = { channel = body.device, told = told_time(told.told), priority = told.priority,
        method = told.method, type = told.type, raw = digest.sha256(message.body),
        kind = events.kind_of_alarm(told.method, told.type) }
    place(data, told)
    roll.emit(self.roll, camera, "bodycam.alarm", data, believed(self, told.time))
    return { status = 200, after = confirm(self, camera, body) }
end

-- What is there now is asked for behind the first keepalive of a registration: then the way to the
-- camera is open.
local function on_keepalive(_, camera)
    if camera.is_new then
        camera.is_new, camera.is_due, camera.dialog, camera.renew_at = false, true, nil, nil
    end
    return OK
end

local NOTIFIED = { Keepalive = on_keepalive, Alarm = on_alarm, MobilePosition = on_position }

-- ---- Requests

-- Who speaks: by its number, or by where it speaks from, because docks and recorders tell alarms
-- in the name of their channels. nil for a stranger.
local function speaker(self, message, route)
    local cameras = self.roll.cameras
    return cameras[user_of(message, "from")] or roll.at(self.roll, route)
end

-- What a body says that may be longer than its Content-Length, where that does not count bytes.
local function decoded(message)
    local body, why = manscdp.decode(message.body)
    if not body and message.beyond ~= "" then
        local whole = message.body .. message.beyond
        body = manscdp.decode(whole)
        message.body = body and whole or message.body
    end
    return body, why
end

-- A NOTIFY says how it is with what we asked for; where the camera has ended it, it is asked anew,
-- unless it does not want to.
local function look_at_state(self, camera, message)
    local state = (sip.header(message, "subscription-state") or ""):lower()
    local is_ours = camera.dialog and camera.dialog.call_id == sip.header(message, "call-id")
    if not is_ours or not state:find "^terminated" then
        return
    end
    local wants = not state:find "rejected" and not state:find "noresource"
    camera.dialog, camera.renew_at = nil, wants and self.host.mono() + ENDED_S or nil
end

local function on_body(self, camera, message, route)
    local is_notify = message.method == "NOTIFY"
    local body, why = decoded(message)
    if not body and not (is_notify and not message.body:find "%S") then
        self.host.metrics.count("bodies_malformed", 1)
        self.host.log.debug("camera %s: %s", camera.id, why)
        return { status = 400 }
    end
    roll.heard(self.roll, camera, route)
    if is_notify then
        look_at_state(self, camera, message)
    end
    if body and body.kind == "Notify" and NOTIFIED[body.cmd] then
        return NOTIFIED[body.cmd](self, camera, body, message)
    elseif body and body.kind == "Response" then
        self.on_response(camera, body)
    end
    return OK
end

local function on_message(self, message, route)
    local camera = speaker(self, message, route)
    if not camera then
        return refuse_stranger(self, user_of(message, "from"), route)
    elseif not roll.is_in(self.roll, camera, route) then
        self.host.metrics.count("unregistered_refused", 1)
        return { status = 403 }
    end
    return on_body(self, camera, message, route)
end

local HANDLERS = {
    REGISTER = on_register,
    MESSAGE = on_message,
    NOTIFY = on_message,
    OPTIONS = function() return { status = 200, headers = { { "allow", METHODS } } } end,
    ACK = function() return nil end,
    INVITE = function() return { status = 488 } end, -- no video here
    BYE = function() return { status = 481 } end,
    CANCEL = function() return { status = 481 } end,
    SUBSCRIBE = function() return { status = 489 } end,
}

-- The answer to a request, or nil when there is none.
function reception.take(self, message, route)
    local handler = HANDLERS[message.method]
    if not handler then
        return { status = 405, headers = { { "allow", METHODS } } }
    end
    return handler(self, message, route)
end

-- `parts`: roll, ask(camera, wish), on_response(camera, body).
function reception.new(host, config, parts)
    return { host = host, config = config, roll = parts.roll, ask = parts.ask,
        on_response = parts.on_response, key = host.random(32), strangers = {},
        strangers_count = 0 }
end

return reception
