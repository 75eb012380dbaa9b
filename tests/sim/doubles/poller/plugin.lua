-- poller - polls a Modbus double and counts what it is told. For tests of the host only.
--
-- The register at address A must hold A: anything else is a wrong attribution.
local schema = require "schema"

local plugin = {
    api = 1,
    name = "poller",
    summary = "Polls a device that may misbehave and counts its answers.",
    needs = { "modbus" },
    config = schema.record {
        url = schema.text { doc = "the device" },
        timeout = schema.duration { doc = "of each request", default = "100ms" },
        polls = schema.integer { doc = "how many", min = 1, max = 1000000 },
        count = schema.integer { doc = "registers a poll", min = 1, max = 125, default = 4 },
        pause = schema.duration { doc = "between polls", default = "0ms" },
    },
    events = {
        ["poller.done"] = { lane = "record", doc = "all polls are over", data = schema.any {} },
    },
}

local function is_right(words, address, count)
    for i = 1, count do
        if words[i] ~= (address + i - 1) % 65536 then
            return false
        end
    end
    return #words == count
end

local function poll(self, i)
    local address = (i * 7919) % 60000
    local began = self.host.mono()
    local words, _, code, number = self.bus:read_holding(address, self.config.count)
    local took = (self.host.mono() - began) * 1000
    self.longest = math.max(self.longest, took)
    if words then
        code = is_right(words, address, self.config.count) and "good" or "wrong"
    elseif code == "exception" then
        code = "exception " .. number
    end
    self.told[code] = (self.told[code] or 0) + 1
    self.beats[#self.beats + 1] = #self.beats < 2000 and began or nil
end

local function gaps(beats)
    local list = {}
    for i = 2, #beats do
        list[#list + 1] = (beats[i] - beats[i - 1]) * 1000
    end
    return list
end

local function poll_all(self)
    local began = self.host.mono()
    for i = 1, self.config.polls do
        poll(self, i)
        if self.config.pause > 0 then
            self.host.sleep(self.config.pause)
        end
    end
    self.host.emit { type = "poller.done", data = { told = self.told, longest_ms = self.longest,
        seconds = self.host.mono() - began, gaps_ms = gaps(self.beats) } }
end

function plugin.start(host, config)
    local bus = assert(host.modbus.open(config.url, { timeout = config.timeout }))
    local self = { host = host, config = config, bus = bus, told = {}, longest = 0, beats = {} }
    host.after(0, function() poll_all(self) end)
    return self
end

return plugin
