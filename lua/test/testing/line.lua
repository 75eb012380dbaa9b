-- line - a device at the end of a line of bytes: a serial one, or TCP either way round.
--
--   local gate = t.line {
--       greets = "HELLO\n",                          -- sent on each new line
--       on = function(device, bytes, line) ... end,  -- the plugin has written: a piece as it came
--   }
--   devices = { ["tcp://10.0.0.7:7070"] = gate }       -- the plugin connects to it
--   devices = { ["serial:///dev/ttyS1"] = gate }       -- or opens the line
--   devices = { ["udp://10.0.0.7:5000"] = gate }       -- or asks it by messages: a piece is one
--   devices = { ["tcp://10.0.0.8"] = gate }            -- or it calls the plugin, which listens:
--   gate:call(7070)
--   devices = { ["udp://10.0.0.8:5060"] = gate }       -- or sends to a port that hears everybody:
--   gate:message(5060, "REGISTER", "2s") -- what is sent back to it is in `heard`, and `on` is
--                                        -- called with the plugin's port as its fourth
--   gate:send("OK\n")          -- on all its lines, or on the line given as third
--   gate:send("LATE\n", "2s")  -- so much later
--   gate:close()               -- hangs up, also later
--   gate.absent = true         -- takes no calls any more
--   gate.heard                 -- all bytes that the plugin has written
--   gate:count()               -- its lines now
local duration = require "duration"

local OPTIONS = { greets = true, on = true }

local line = {}
local Line = {}
Line.__index = Line

function line.new(options)
    options = options or {}
    for name in pairs(options) do
        if not OPTIONS[name] then
            error(("t.line: %s: expected greets or on"):format(name), 3)
        end
    end
    return setmetatable({ greets = options.greets, on = options.on, heard = "", open = {} }, Line)
end

function Line:attach(stage, url)
    self.stage, self.url = stage, url
end

function Line:count()
    return #self.open
end

---- what the host does (core/rehearse/wire.c)

function Line:joined(id)
    if self.absent then
        return false
    end
    self.open[#self.open + 1] = id
    if self.greets then
        self:send(self.greets, nil, id)
    end
    return true
end

function Line:take(id, bytes)
    self.heard = self.heard .. bytes
    if self.on then
        self.on(self, bytes, id)
    end
end

function Line:posted(port, bytes)
    self.heard = self.heard .. bytes
    if self.on then
        self.on(self, bytes, nil, port)
    end
end

function Line:left(id)
    for i, other in ipairs(self.open) do
        if other == id then
            table.remove(self.open, i)
            return
        end
    end
end

---- what it does

local function milliseconds(time)
    return time == nil and 0 or math.type(time) == "integer" and time
        or assert(duration.parse(time), "after")
end

-- A line whose process has died is forgotten when it is used.
local function send(self, bytes, closes, after, only)
    for _, id in ipairs { table.unpack(self.open) } do
        if not only or id == only then
            local there = self.stage:send(id, bytes, closes, milliseconds(after))
            if not there or closes and not after then
                self:left(id)
            end
        end
    end
end

function Line:send(bytes, after, only)
    send(self, bytes, false, after, only)
end

function Line:close(after, only)
    send(self, nil, true, after, only)
end

-- A message to a port of the plugin; nobody is told when it listens there no more.
function Line:message(port, bytes, after)
    self.stage:post(self.url, port, bytes, milliseconds(after))
end

-- Answers its line.
function Line:call(port)
    local id = self.stage:call(self.url, port)
    self:joined(id)
    return id
end

return line
