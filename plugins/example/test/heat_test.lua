local heat = require "heat"
local t = require "testing"

t.test("it_is_too_hot_once_and_cool_again_once", function()
    local state, kind
    local told = {}
    for _, degrees in ipairs { 20, 46, 47, 44, 46, 42, 41, 60 } do
        state, kind = heat.step(state, degrees, 45)
        told[#told + 1] = kind
    end
    t.equal(told, { "cabinet.too_hot", "cabinet.cool_again", "cabinet.too_hot" })
end)

return t.finish()
