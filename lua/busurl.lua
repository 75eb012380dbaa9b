-- busurl - whether an address of a field bus can be meant, before anything is opened:
--
--   modbus-tcp://host[:port][?unit=1]
--   modbus-rtu:///dev/ttyS1[?baud=9600&parity=N&stop=1&unit=1]
local urlpart = require "urlpart"

local busurl = {}

local UNIT = { fits = function(text) return urlpart.within(text, 0, 255) end,
    expects = "a unit of 0 to 255" }

-- What may stand behind the "?", on each wire.
local OF_TCP = { names = "unit=", unit = UNIT }
local OF_RTU = { names = "baud=, parity=, stop= or unit=", unit = UNIT, baud = urlpart.BAUD,
    parity = urlpart.PARITY, stop = urlpart.STOP }

-- nil when it can be meant, else what was expected and what came.
function busurl.fault(url)
    local wire, place, options = url:match("^modbus%-(%l+)://([^?]*)%??(.*)$")
    if wire == "tcp" then
        return urlpart.fault_of_host(place) or urlpart.fault_of_options(options, OF_TCP)
    end
    if wire == "rtu" and place:find("^/.") then
        return urlpart.fault_of_options(options, OF_RTU)
    end
    return ('expected modbus-tcp://host[:port] or modbus-rtu:///dev/ttyS1, got "%s"'):format(url)
end

return busurl
