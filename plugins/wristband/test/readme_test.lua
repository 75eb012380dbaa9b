local double = require "double"
local profile = require "profile"
local reader = require "reader"
local t = require "testing"

local function read_readme()
    local folder = package.path:match("([^;]*wristband)/%?%.lua")
    local file = assert(io.open(folder .. "/README.md"))
    local text = file:read("a")
    file:close()
    return text
end

-- The profile that the README teaches, exactly as it is printed there.
local function taught()
    local text = read_readme():match("```lua\n(return {.-)```")
    return assert(profile.check(assert(load(text, "README", "t", {}))()))
end

t.test("the_profile_in_the_readme_reads_the_station_in_the_readme", function()
    local words = {}
    for address = 0, 400 do
        words[address] = 0
    end
    words[0], words[1], words[2] = 0x0001, 0x0002, 99
    for i, word in ipairs { 0, 4711, 8, 3200, 65536 - 88, 0x0080 } do
        words[105 + i] = word
    end
    for i, word in ipairs { 0, 4712, 65535, 3200, 32767, 0x0010 } do
        words[111 + i] = word
    end
    local found = assert(reader.table(reader.new(taught()), double.bus { input = words }))
    t.equal(found, { station = "131073", silent = 1, readings = { { tag = "4711", age = 8,
        strap = true, case = true, battery = 50, rssi = -88,
        raw = "0000126700080C80FFA80080" } } })
end)

t.test("every_shipped_profile_is_in_the_readme", function()
    local text = read_readme()
    for _, name in ipairs(profile.SHIPPED) do
        t.holds(text:find("| `" .. name .. "` |", 1, true), name)
    end
end)

return t.finish()
