-- bodycam-gb28181 - body cameras that register by GB/T 28181. See README.md.
local auth = require "auth"
local desk = require "desk"
local events = require "events"
local exchange = require "exchange"
local inquiry = require "inquiry"
local lineurl = require "lineurl"
local reception = require "reception"
local roll = require "roll"
local schema = require "schema"
local time = require "time"

local LOOK_MS, LIVE_MS = 1000, 60000

local function number(doc, more)
    local options = { doc = doc, pattern = "^" .. ("%d"):rep(20) .. "$", max = 20,
        expects = "a number of 20 digits" }
    for name, value in pairs(more or {}) do
        options[name] = value
    end
    return schema.text(options)
end

local plugin = {
    api = 1,
    name = "bodycam-gb28181",
    summary = "Body cameras that register by GB/T 28181: who is there, alarms, positions, records.",
    needs = { "udp", "tcp", "xml", "gbk", "digest" },
    config = schema.record {
        id = number "number of this platform, as it is set in the cameras",
        udp = schema.text { doc = "where cameras are heard over UDP: udp://0.0.0.0:5060",
            optional = true },
        tcp = schema.text { doc = "where cameras are heard over TCP: tcp://0.0.0.0:5060",
            optional = true },
        cameras = schema.map(schema.record {
            password = schema.secret { doc = "what the camera registers with", max = 128 },
            user = schema.text { doc = "its user, where that is not its number", max = 64,
                optional = true },
        }, { doc = "who may register: number of the camera = { password = ..., user = ... }",
            max = 256, key = number() }),
        realm = schema.text { doc = "domain; left out: the first ten digits of id", max = 64,
            pattern = "^[%w.-]+$", expects = "letters, digits, dots", optional = true },
        address = schema.text { doc = "address:port of this box as cameras see it, where that is "
            .. "another one than they say themselves", max = 64, pattern = "^[%w.:%[%]-]+$",
            expects = "address:port", optional = true },
        algorithm = schema.choice { doc = "how passwords are asked for; most cameras know MD5 only",
            choices = auth.ALGORITHMS, default = "MD5" },
        zone = schema.text { doc = "zone of the cameras' clocks", default = "+08:00", max = 16 },
        keepalive = schema.duration { doc = "how often cameras say that they are there",
            min = "5s", max = "1h", default = "60s" },
        missed = schema.integer { doc = "so many missed keepalives and it is offline", min = 1,
            max = 20, default = 3 },
        positions = schema.duration { doc = "cameras are asked to tell their position so often; "
            .. "left out: they are not asked", min = "1s", max = "1h", optional = true },
        position_every = schema.duration { doc = "of each camera at most one position in this time",
            min = "1s", max = "1h", default = "10s" },
        refresh = schema.duration { doc = "how often catalogue, model and status are read anew",
            min = "1m", max = "30d", default = "1d" },
    },
    events = events.declared,
    actions = desk.actions,
    views = desk.views,
}

-- Where cameras are heard is an address of this box, not a name.
local function fault_of_port(url, kind)
    if not url:find "^%l+://[%d.]+:" and not url:find "^%l+://%[[%x:.]+%]:" then
        return ('expected %s://0.0.0.0:5060, or another address of this box, got "%s"'):format(kind,
            url)
    end
    return lineurl.fault(url, kind)
end

-- What only several settings together can say. Returns what is wrong, or nothing.
function plugin.check(config)
    if not config.udp and not config.tcp then
        return "udp: expected udp or tcp to be set, or both"
    end
    for _, kind in ipairs { "udp", "tcp" } do
        local fault = config[kind] and fault_of_port(config[kind], kind)
        if fault then
            return kind .. ": " .. fault
        end
    end
    local _, fault = time.offset(config.zone)
    if fault then
        return "zone: " .. fault
    end
end

local function completed(config)
    local full = { offset = time.offset(config.zone) }
    for name, value in pairs(config) do
        full[name] = value
    end
    full.realm = full.realm or full.id:sub(1, 10)
    return full
end

-- The address by which a camera reaches us: as it is set, as the port is bound, or as it says.
local function here_of(config, camera)
    local url = config[camera.route.kind] or ""
    local host, port = url:match "^%l+://(.*):(%d+)$"
    if host == "0.0.0.0" or host == "[::]" then
        host = camera.called or config.realm
    end
    return config.address or ("%s:%s"):format(host or config.realm, port or 5060)
end

-- Who is told nothing any more, who is to be asked.
local function look(self)
    roll.look(self.roll)
    reception.look(self.reception)
    inquiry.look(self.inquiry)
end

function plugin.start(host, settings)
    local config = completed(settings)
    local self = { host = host, config = config, roll = roll.new(host, config) }
    roll.begin(self.roll)
    self.exchange = exchange.open(host, config, {
        on_request = function(message, route)
            return reception.take(self.reception, message, route)
        end,
        on_failure = function() roll.load(self.roll) end,
        here = function(camera) return here_of(config, camera) end,
    })
    self.inquiry = inquiry.new(host, config, { roll = self.roll, exchange = self.exchange })
    self.reception = reception.new(host, config, { roll = self.roll,
        ask = function(camera, wish) return exchange.ask(self.exchange, camera, wish) end,
        on_response = function(camera, body) inquiry.take(self.inquiry, camera, body) end })
    host.every(LOOK_MS, function() look(self) end)
    host.every(LIVE_MS, function() roll.live(self.roll) end)
    return self
end

return plugin
