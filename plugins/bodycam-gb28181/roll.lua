-- roll - the cameras, who of them is there, and what of that is stored.
--
-- Keys of host.store: "camera/ID" what must survive (`kept`: is it online, since and until when,
-- where it was heard), "alarms/ID" the newest alarms by their marks, "catalogue/ID", "info/ID",
-- and "alive", the last sign of life of this plugin. What is in memory only begins anew after a
-- restart: a camera that was online counts as heard when the plugin starts.
--
-- Rule of this file: it changes memory and gathers events and keys, and never waits. Who called
-- commits, and calls roll.load() again when that fails: memory is a copy.
local time = require "time"

local roll = {}

local ALARMS_KEPT = 16

-- ---- Opening

local function new_camera(id, settings)
    return { id = id, password = settings.password, user = settings.user or id, tries = {},
        used = {}, kept = {}, alarms = {} }
end

local function remaining(kept, now)
    return kept.ends and kept.ends - now or 0
end

-- What is durable, over what is in memory.
function roll.load(self)
    local mono, now = self.host.mono(), self.host.now()
    for _, camera in ipairs(self.list) do
        local id = camera.id
        camera.kept = self.host.store.get("camera/" .. id) or {}
        camera.alarms = self.host.store.get("alarms/" .. id) or {}
        camera.ends = mono + remaining(camera.kept, now)
        camera.heard = camera.heard or mono
        if not camera.route and camera.kept.transport == "udp" then
            camera.route = { kind = "udp", address = camera.kept.address, port = camera.kept.port }
        end
    end
end

function roll.new(host, config)
    local self = { host = host, config = config, cameras = {}, list = {} }
    for id, settings in pairs(config.cameras) do
        self.cameras[id] = new_camera(id, settings)
        table.insert(self.list, self.cameras[id])
    end
    table.sort(self.list, function(a, b) return a.id < b.id end)
    roll.load(self)
    return self
end

-- ---- Events

local function to_ms(seconds)
    return math.floor(seconds * 1000 + 0.5) / 1000
end

function roll.emit(self, camera, kind, data, at)
    data.camera = camera.id
    self.host.emit { type = kind, subject = "device/bodycam/" .. camera.id, data = data, time = at }
end

local function tell_gap(self, camera, from, cause)
    local to = self.host.now()
    if from and to > from then
        self.host.emit { type = "gap.recorded",
            subject = camera and "device/bodycam/" .. camera.id or "office",
            data = { camera = camera and camera.id, from = time.format(from), cause = cause,
                to = time.format(to), seconds = to_ms(to - from) } }
    end
end

local function keep(self, camera)
    self.host.store.put("camera/" .. camera.id, camera.kept)
end

-- ---- Those who are no longer in the settings

local KINDS = { "camera/", "alarms/", "catalogue/", "info/" }

local function forget(self, id, kept)
    if kept.online then
        roll.emit(self, { id = id }, "bodycam.offline", { cause = "removed" })
    end
    for _, kind in ipairs(KINDS) do
        self.host.store.remove(kind .. id)
    end
end

local function forget_removed(self)
    for _, row in ipairs(self.host.store.range("camera/", "camera0", 1000)) do
        local id = row[1]:sub(#"camera/" + 1)
        if not self.cameras[id] then
            forget(self, id, row[2])
        end
    end
end

-- ---- Signs of life

-- Tells the time in which nobody listened, from the last stored sign of life.
function roll.begin(self)
    forget_removed(self)
    tell_gap(self, nil, self.host.store.get "alive", "plugin_stopped")
    roll.live(self)
end

function roll.live(self)
    self.host.store.put("alive", self.host.now())
end

local function come(self, camera, cause)
    local kept = camera.kept
    if kept.online then
        return
    end
    if kept.last then
        tell_gap(self, camera, kept.last, kept.cause)
    end
    kept.online, kept.since, kept.last, kept.cause = true, self.host.now(), nil, nil
    roll.emit(self, camera, "bodycam.online", { cause = cause, transport = camera.route.kind,
        address = camera.route.address })
end

local function go(self, camera, cause)
    local kept = camera.kept
    if not kept.online then
        return
    end
    local last = self.host.now() - math.max(0, self.host.mono() - camera.heard)
    kept.online, kept.since, kept.last, kept.cause = false, self.host.now(), last, cause
    roll.emit(self, camera, "bodycam.offline",
        { cause = cause, last_heard = time.format(last) })
end

-- Where its answers and questions go from now on. True when that is another place than before.
local function follow(camera, route)
    local kept = camera.kept
    local is_moved = kept.transport ~= route.kind or kept.address ~= route.address
        or kept.port ~= route.port
    camera.route, route.is_known = route, true
    kept.transport, kept.address, kept.port = route.kind, route.address, route.port
    return is_moved
end

-- It has registered: for so many seconds it belongs to us.
function roll.registered(self, camera, route, seconds)
    camera.heard, camera.ends = self.host.mono(), self.host.mono() + seconds
    camera.kept.ends, camera.kept.told_wrong = self.host.now() + seconds, nil
    local is_moved = follow(camera, route)
    camera.is_new = is_moved or not camera.kept.online or not camera.read
    come(self, camera, "registered")
    keep(self, camera)
end

function roll.left(self, camera)
    go(self, camera, "left")
    camera.ends, camera.kept.ends, camera.route = self.host.mono(), nil, nil
    keep(self, camera)
end

-- Any message of a camera that is registered.
function roll.heard(self, camera, route)
    camera.heard = self.host.mono()
    local is_moved = follow(camera, route)
    if is_moved or not camera.kept.online then
        come(self, camera, "heard")
        keep(self, camera)
    end
end

-- Whether it may speak: it has registered, and speaks from where it did.
function roll.is_in(self, camera, route)
    return camera.kept.ends ~= nil and self.host.mono() < camera.ends
        and camera.kept.address == route.address
end

-- The one camera that speaks from there; nil for none, and where there are several behind one port.
function roll.at(self, route)
    local found
    for _, camera in ipairs(self.list) do
        local own = camera.route
        local is_here = own and own.kind == route.kind and own.address == route.address
            and own.port == route.port and own.conn == route.conn
        if is_here and found then
            return nil
        end
        found = is_here and camera or found
    end
    return found
end

-- Who has been silent for too long, or has not registered again.
function roll.look(self)
    local now = self.host.mono()
    local patience = self.config.keepalive * self.config.missed / 1000
    for _, camera in ipairs(self.list) do
        local cause = now >= camera.ends and "expired"
            or now - camera.heard > patience and "silent"
        if camera.kept.online and cause then
            go(self, camera, cause)
            keep(self, camera)
        end
    end
end

-- ---- Alarms and wrong passwords

-- Whether this alarm has been told already; from now on it has.
function roll.is_told(self, camera, mark)
    for _, known in ipairs(camera.alarms) do
        if known == mark then
            return true
        end
    end
    table.insert(camera.alarms, mark)
    if #camera.alarms > ALARMS_KEPT then
        table.remove(camera.alarms, 1)
    end
    self.host.store.put("alarms/" .. camera.id, camera.alarms)
    return false
end

-- Wrong passwords are one alarm until the camera registers, or a day is over.
function roll.tell_wrong(self, camera, address, tries)
    local now = self.host.now()
    local told = camera.kept.told_wrong
    if told and now >= told and now < told + 86400 then
        return
    end
    camera.kept.told_wrong = now
    roll.emit(self, camera, "bodycam.auth_failed", { address = address, tries = tries })
    keep(self, camera)
end

return roll
