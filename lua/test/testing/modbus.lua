-- modbus - a Modbus device made of tables: registers, a memory of what it was asked, and faults.
--
--   local device = t.modbus {
--       holding = { [0] = 1, [1] = 2 }, input = {}, coil = { [0] = true }, discrete = {},
--       unit = 3,             -- answers this unit only; left out: every one
--       delay = "20ms",       -- time for each answer
--       on = function(device, request) ... end,  -- before each answer: may change registers, and
--                                                -- may answer itself (values, or nil and a fault)
--   }
--   device.holding[0] = 7     -- at any time
--   device:fail "timeout"     -- from now on; device:heal() ends it
--   device:fail { with = "unheard", on = "write", nth = 2, times = 1 }
--   device:requests()         -- a list of what it was asked: { at =, name =, unit =, address =,
--                             -- count = or values =, fault = }
--
-- Registers that are not there are answered by exception 2, illegal data address.
local duration = require "duration"
local faults = require "testing.faults"
local rehearsal = require "rehearsal"

local TABLES = {
    read_holding = "holding", read_input = "input", read_coils = "coil", read_discrete = "discrete",
    write_register = "holding", write_registers = "holding", write_coil = "coil",
    write_coils = "coil",
}
-- timeout: not heard, no answer. unheard: heard and done, the answer is lost. A number: exception.
local FAULTS = { timeout = true, unheard = true, closed = true, refused = true, identity = true }
local EXPECTED = '"timeout", "unheard", "closed", "refused", "identity" or the number of an '
    .. "exception"
local OPTIONS = { holding = true, input = true, coil = true, discrete = true, unit = true,
    delay = true, on = true }

local modbus = {}
local Modbus = {}
Modbus.__index = Modbus

function modbus.new(options)
    options = options or {}
    for name in pairs(options) do
        if not OPTIONS[name] then
            error(("t.modbus: %s: expected holding, input, coil, discrete, unit, delay or on")
                :format(name), 3)
        end
    end
    return setmetatable({
        holding = options.holding or {}, input = options.input or {}, coil = options.coil or {},
        discrete = options.discrete or {}, unit = options.unit, on = options.on,
        delay = options.delay and assert(duration.parse(options.delay), "delay") or 0,
        asked = {}, faults = {},
    }, Modbus)
end

---- faults

function Modbus:fail(fault)
    faults.add(self.faults, fault, function(with)
        return FAULTS[with] or math.type(with) == "integer"
    end, EXPECTED)
end

function Modbus:heal()
    self.faults = {}
end

---- answers

local function read(self, request)
    local registers, values = self[TABLES[request.name]], {}
    for i = 1, request.count do
        local value = registers[request.address + i - 1]
        if value == nil then
            return nil, 2
        end
        values[i] = value
    end
    return values
end

local function write(self, request)
    local registers = self[TABLES[request.name]]
    for i = 1, #request.values do
        if registers[request.address + i - 1] == nil then
            return nil, 2
        end
    end
    for i, value in ipairs(request.values) do
        registers[request.address + i - 1] = value
    end
    return true
end

local function answer(self, request)
    if self.on then
        local values, fault = self.on(self, request)
        if values ~= nil or fault ~= nil then
            return values, fault
        end
    end
    if request.name == "request" then
        return nil, 1
    end
    return (request.count and read or write)(self, request)
end

local function new_request(self, name, unit, address, what)
    local _, at = rehearsal.now()
    local request = { at = at, name = name, unit = unit, address = address }
    if type(what) == "table" then
        request.values = what
    elseif type(what) == "number" then
        request.count = what
    else
        request.bytes, request.address = what, nil
    end
    self.asked[#self.asked + 1] = request
    return request
end

-- A device too slow for the time-out has still heard what it was asked.
local function take_time(self, timeout)
    rehearsal.pass(math.min(self.delay, timeout))
    return self.delay < timeout
end

local function told(request, fault)
    request.fault = fault
    if math.type(fault) == "integer" then
        return nil, "exception", fault
    end
    return nil, fault
end

-- What the host asks (core/rehearse/standins/fieldbus.c).
function Modbus:ask(name, unit, address, what, timeout)
    local request = new_request(self, name, unit, address, what)
    local fault = faults.next(self.faults, name)
    if self.unit and self.unit ~= unit then
        fault = fault or "timeout"
    end
    if fault == "timeout" then
        rehearsal.pass(timeout)
    end
    if fault and fault ~= "unheard" then
        return told(request, fault)
    end
    local values, wrong = answer(self, request)
    if fault == "unheard" then
        rehearsal.pass(timeout)
        return told(request, "timeout")
    end
    if not take_time(self, timeout) then
        return told(request, "timeout")
    end
    if values == nil then
        return told(request, wrong)
    end
    return values
end

-- What it was asked, in order; only requests whose name begins so, if one is given.
function Modbus:requests(name)
    return faults.named(self.asked, name)
end

return modbus
