local busurl = require "busurl"
local t = require "testing"

t.test("an_address_that_can_be_meant_has_no_fault", function()
    for _, url in ipairs {
        "modbus-tcp://192.168.1.50", "modbus-tcp://station.office:1502?unit=95",
        "modbus-tcp://[fe80::1]:502", "modbus-rtu:///dev/ttyS1",
        "modbus-rtu:///dev/ttyUSB0?baud=19200&parity=E&stop=2&unit=0",
    } do
        assert(busurl.fault(url) == nil, url)
    end
end)

t.test("an_address_that_cannot_be_meant_is_told_with_what_was_expected", function()
    for url, expected in pairs {
        ["modbus-tcp://h:99999"] = "a port of 1 to 65535", ["modbus-tcp://h:0"] = "a port of 1",
        ["modbus-tcp://h:abc"] = "a port of 1", ["modbus-tcp://h h"] = "host:port",
        ["modbus-tcp://h:502/path"] = "a port of 1",
        ["modbus-tcp://h?unit=999"] = "a unit of 0 to 255",
        ["modbus-tcp://h?baud=9600"] = 'unit= behind the "?"', ["modbus-tcp://"] = "a host name",
        ["modbus-rtu:///dev/x?baud=7"] = "a usual baud rate",
        ["modbus-rtu:///dev/x?baud=19201"] = "a usual baud rate",
        ["modbus-rtu:///dev/x?parity=X"] = "a parity of N, E or O",
        ["modbus-rtu:///dev/x?color=red"] = "baud=, parity=, stop= or unit=",
        ["modbus-rtu://"] = "modbus-rtu:///dev/ttyS1", ["http://x"] = "modbus-tcp://host",
    } do
        local fault = busurl.fault(url)
        assert(fault and fault:find(expected, 1, true), url .. ": " .. tostring(fault))
    end
end)

return t.finish()
