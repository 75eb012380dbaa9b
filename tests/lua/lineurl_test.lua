local lineurl = require "lineurl"
local t = require "testing"

t.test("an_address_that_can_be_meant_has_no_fault", function()
    for url, kind in pairs {
        ["tcp://0.0.0.0:7611"] = "tcp", ["tcp://reader.office:4001"] = "tcp",
        ["tcp://[2001:db8::1]:80"] = "tcp", ["udp://10.0.0.7:5000"] = "udp",
        ["serial:///dev/ttyS1"] = "serial",
        ["serial:///dev/x?baud=115200&data=7&parity=E&stop=2&flow=rtscts"] = "serial",
    } do
        t.equal(lineurl.fault(url, kind), nil)
    end
end)

t.test("an_address_that_cannot_be_meant_is_told_with_what_was_expected", function()
    for _, case in ipairs {
        { "udp://h:1", "tcp", 'expected tcp://host:port, got "udp://h:1"' },
        { "tcp://h", "tcp", 'expected host:port with a port of 1 to 65535, got "h"' },
        { "tcp://h:0", "tcp", 'expected host:port with a port of 1 to 65535, got "h:0"' },
        { "udp://:5", "udp", 'expected a host name or an address, got ":5"' },
        { "h:1", "tcp", 'expected tcp://host:port, got "h:1"' },
        { "serial://ttyS1", "serial", 'expected serial:///dev/ttyS1, got "serial://ttyS1"' },
        { "serial:///dev/x?data=6", "serial", 'expected data of 7 or 8, got "data=6"' },
        { "serial:///dev/x?flow=x", "serial", 'expected a flow of none or rtscts, got "flow=x"' },
        { "serial:///dev/x?baud=7", "serial",
            'expected a usual baud rate such as 9600 or 115200, got "baud=7"' },
        { "serial:///dev/x?names=7", "serial",
            'expected baud=, data=, parity=, stop= or flow= behind the "?", got "names=7"' },
    } do
        t.equal(lineurl.fault(case[1], case[2]), case[3])
    end
end)

return t.finish()
