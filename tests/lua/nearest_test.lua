local nearest = require "nearest"
local t = require "testing"

t.test("a_typing_error_finds_its_word", function()
    local words = { "url", "low_battery", "heartbeat", "profile" }
    t.equal(nearest.find("low_batery", words), "low_battery")
    t.equal(nearest.find("hartbeat", words), "heartbeat")
    t.equal(nearest.find("rul", words), "url")
    t.equal(nearest.find("Profile", words), "profile")
end)

t.test("a_stranger_finds_nothing", function()
    t.equal(nearest.find("colour", { "url", "poll" }), nil)
    t.equal(nearest.find("", { "url" }), nil)
    t.equal(nearest.find(("x"):rep(100), { "url" }), nil)
    t.equal(nearest.find(7, { "url" }), nil)
end)

return t.finish()
