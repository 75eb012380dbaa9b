-- spin - loops: a measured while inside its slice, then for ever. For the bench of the host only.
local schema = require "schema"

local plugin = {
    api = 1,
    name = "spin",
    summary = "Burns the processor.",
    needs = {},
    config = schema.record { turns = schema.integer { doc = "of the loop", min = 1, max = 100000000 } },
    events = { ["spin.took"] = { lane = "record", doc = "a loop is over", data = schema.any {} } },
}

local function turn(count)
    local sum = 0
    for i = 1, count do
        sum = (sum * 31 + i) % 1000003
    end
    return sum
end

local function measure(self)
    local began = self.host.mono()
    local sum = turn(self.config.turns)
    self.host.emit { type = "spin.took", data = { seconds = self.host.mono() - began, sum = sum } }
end

local function run_away(self)
    self.host.emit { type = "spin.took", now = true, data = { away = self.host.mono() } }
    while true do
        pcall(turn, 1000000)
    end
end

function plugin.start(host, config)
    local self = { host = host, config = config }
    for _ = 1, 5 do
        measure(self)
    end
    host.after(1, function() run_away(self) end)
    host.every(10, function()
        host.emit { type = "spin.took", now = true, data = { beat = host.mono() } }
    end)
    return self
end

return plugin
