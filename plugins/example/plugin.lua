-- example - a thermometer in the equipment cabinet. See README.md.
local busurl = require "busurl"
local heat = require "heat"
local registers = require "registers"
local schema = require "schema"
local time = require "time"

local READING = schema.record {
    degrees = schema.number { doc = "temperature", unit = "C", min = -100, max = 200 },
}

-- Input register 0: tenths of a degree, signed; 7FFF: the sensor is broken.
local DEGREES = { at = 0, type = "i16", scale = 0.1, unknown = { 0x7FFF } }

local function read(self)
    local words, message = self.bus:read_input(0, 1)
    local degrees = words and registers.value(words, DEGREES)
    if not degrees then
        return nil, "no temperature: " .. (message or "the sensor is broken")
    end
    self.latest = { degrees = degrees, at = time.format(self.host.now()) }
    return degrees
end

local function look(self)
    local degrees, message = read(self)
    if not degrees then
        self.host.log.debug("%s", message)
        return
    end
    local state, kind = heat.step(self.host.store.get("state"), degrees, self.config.limit)
    if kind then
        self.host.emit { type = kind, data = { degrees = degrees } }
        self.host.store.put("state", state)
    end
end -- event and state are committed together, here

-- An action. What it emits is on disk before the asker is answered.
local function test(self)
    local degrees, message = read(self)
    if not degrees then
        return nil, message -- told to who asked; nothing has happened
    end
    self.host.emit { type = "cabinet.tested", data = { degrees = degrees } }
    return { degrees = degrees }
end

local plugin = {
    api = 1,
    name = "example",
    summary = "A Modbus thermometer in the equipment cabinet.",
    needs = { "modbus" },
    config = schema.record {
        url = schema.text { doc = "modbus-tcp://host[:port] or modbus-rtu:///dev/ttyS1?baud=9600" },
        limit = schema.integer { doc = "too hot above this", unit = "C", min = 0, max = 100,
            default = 45 },
        poll = schema.duration { doc = "time between two looks", min = "100ms", default = "10s" },
    },
    events = {
        ["cabinet.too_hot"] = { lane = "alarm", doc = "the cabinet is too hot", data = READING },
        ["cabinet.cool_again"] = { lane = "record", doc = "it is cool again", data = READING },
        ["cabinet.tested"] = { lane = "record", doc = "a technician had it read", data = READING },
    },
    actions = {
        test = { role = "technician", doc = "reads the thermometer now, and has that on record",
            answer = READING, run = test },
    },
    views = {
        latest = { role = { "officer", "social_worker", "technician" },
            doc = "the temperature read last, and when",
            run = function(self) return self.latest or {} end },
    },
}

function plugin.check(config)
    local fault = busurl.fault(config.url)
    return fault and "url: " .. fault
end

function plugin.start(host, config)
    local self = { host = host, config = config, bus = assert(host.modbus.open(config.url)) }
    host.every(config.poll, function() look(self) end)
    return self
end

return plugin
