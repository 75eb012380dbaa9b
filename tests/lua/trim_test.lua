local t = require "testing"
local trim = require "trim"

t.test("white_space_goes_at_both_ends_and_stays_between", function()
    for text, trimmed in pairs { [""] = "", [" \t\r\n"] = "", ["a"] = "a", [" a  b\r\n"] = "a  b",
        ["\0 a"] = "\0 a" } do
        t.equal(trim(text), trimmed)
    end
end)

t.test("a_million_blanks_are_looked_at_once", function()
    local blanks = (" "):rep(1000000)
    t.equal(trim(blanks), "")
    t.equal(trim(blanks .. "a" .. blanks), "a")
    t.equal(#trim("a" .. blanks .. "b"), 1000002)
end)

return t.finish()
