-- What outpost check says of settings that cannot be meant.
local double = require "double"
local t = require "testing"

local function refused(changes)
    local config = { id = double.PLATFORM, tcp = "tcp://0.0.0.0:5060",
        cameras = { [double.ID] = { password = "x" } } }
    for name, value in pairs(changes) do
        config[name] = value ~= "" and value or nil
    end
    local ok, why = pcall(t.office, { config = config })
    t.equal(ok, false)
    return tostring(why)
end

local function says(changes, words)
    local why = refused(changes)
    t.holds(why:find(words, 1, true), why)
end

t.test("settings_that_cannot_be_meant_are_refused_with_what_was_expected", function()
    says({ id = "350105" }, "expected a number of 20 digits")
    says({ tcp = "" }, "expected udp or tcp to be set")
    says({ tcp = "udp://0.0.0.0:5060" }, "expected tcp://")
    says({ udp = "udp://camera.example:5060" }, "another address of this box")
    says({ udp = "udp://0.0.0.0" }, "udp: expected")
    says({ zone = "Beijing" }, "zone: expected")
    says({ cameras = { ["1"] = { password = "x" } } }, "20 digits")
    says({ cameras = { [double.ID] = {} } }, "password")
    says({ algorithm = "SHA-1" }, '"MD5", "SHA-256", "SM3"')
end)

return t.finish()
