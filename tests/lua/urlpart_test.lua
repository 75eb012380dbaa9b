local t = require "testing"
local urlpart = require "urlpart"

t.test("numbers_are_whole_and_within", function()
    t.equal({ urlpart.within("0", 0, 5), urlpart.within("5", 0, 5) }, { true, true })
    for _, text in ipairs { "6", "-1", "", "1.5", "0x1", "one", " 1" } do
        t.equal(urlpart.within(text, 0, 5) or false, false)
    end
end)

t.test("a_port_may_be_left_out_where_there_is_a_usual_one", function()
    t.equal(urlpart.fault_of_host("box"), nil)
    t.equal(urlpart.fault_of_host("box", true) ~= nil, true)
    t.equal(urlpart.fault_of_host("[::1]:502", true), nil)
end)

return t.finish()
