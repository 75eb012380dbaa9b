-- lineurl - whether an address of a line can be meant, before anything is opened:
--
--   tcp://host:port        udp://host:port
--   serial:///dev/ttyS1[?baud=9600&data=8&parity=N&stop=1&flow=none]
local urlpart = require "urlpart"

local lineurl = {}

local OF_SERIAL = {
    names = "baud=, data=, parity=, stop= or flow=",
    baud = urlpart.BAUD, parity = urlpart.PARITY, stop = urlpart.STOP,
    data = { fits = function(text) return text:find("^[78]$") end,
        expects = "data of 7 or 8" },
    flow = { fits = function(text) return text == "none" or text == "rtscts" end,
        expects = "a flow of none or rtscts" },
}
local EXPECTED = { tcp = "tcp://host:port", udp = "udp://host:port",
    serial = "serial:///dev/ttyS1" }

-- nil when it can be meant as a line of that kind ("tcp", "udp" or "serial"), else what was
-- expected and what came.
function lineurl.fault(url, kind)
    local scheme, place = url:match("^(%l+)://(.*)$")
    if scheme ~= kind then
        return ('expected %s, got "%s"'):format(EXPECTED[kind], url)
    end
    if kind ~= "serial" then
        return urlpart.fault_of_host(place, true)
    end
    local device, options = place:match("^(/[^?]+)%??(.*)$")
    if not device then
        return ('expected %s, got "%s"'):format(EXPECTED.serial, url)
    end
    return urlpart.fault_of_options(options, OF_SERIAL)
end

return lineurl
