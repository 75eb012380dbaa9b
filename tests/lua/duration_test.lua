local duration = require "duration"
local t = require "testing"

t.test("texts_with_a_unit_become_milliseconds", function()
    t.equal(duration.parse("250ms"), 250)
    t.equal(duration.parse("1s"), 1000)
    t.equal(duration.parse("1.5s"), 1500)
    t.equal(duration.parse("10m"), 600000)
    t.equal(duration.parse("2h"), 7200000)
    t.equal(duration.parse("1d"), 86400000)
    t.equal(duration.parse("0s"), 0)
end)

t.test("anything_else_is_no_duration", function()
    for _, text in ipairs { "", "1", "s", "1 s", "-1s", "1S", "1e3s", "0.5ms", "1x", "1.2.3s",
        "99999999999999999999d", ("9"):rep(40) .. "s" } do
        t.equal(duration.parse(text), nil)
    end
    t.equal(duration.parse(10), nil)
    t.equal(duration.parse(nil), nil)
end)

t.test("a_format_parses_back_to_the_same", function()
    for _, ms in ipairs { 0, 1, 999, 1000, 1500, 90000, 600000, 3600000, 86400000, 86400001 } do
        t.equal(duration.parse(duration.format(ms)), ms)
    end
    t.equal(duration.format(90000), "90s")
end)

return t.finish()
