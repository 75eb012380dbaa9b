local config = require "config"
local t = require "testing"

local root = package.path:match("^([^;]-)lua/%?%.lua")

local function read(path)
    local file = assert(io.open(root .. path))
    local text = file:read("a")
    file:close()
    return text
end

-- The manifest of a plugin and its folder, found as the host does.
local function find(name)
    local folder, saved = root .. "plugins/" .. name, package.path
    package.path = folder .. "/?.lua;" .. saved
    local manifest = require "plugin"
    package.path = saved
    return manifest, folder
end

local function check(text)
    local env, finish = config.begin {
        where = function() return "outpost.lua:1" end, plugin = find, text = text,
        path = function(path) return "/etc/outpost/" .. path end,
        sheet = function(path) return assert(loadfile(path, "t", {}))() end,
    }
    assert(load(text, "outpost.lua", "t", env))()
    return finish()
end

t.test("the_configuration_as_installed_is_right", function()
    local checked, errors = check(read("etc/outpost.lua"))
    t.equal(errors, nil)
    t.equal(checked.plugins[1].config.profile.name, "monnit-tcp")
end)

t.test("it_is_still_right_with_everything_that_is_commented_out", function()
    local text = read("etc/outpost.lua"):match("\noffice {.*$")
    text = text:gsub("\n%-%- (city {.-\n)%-%- }", function(block)
        return "\n" .. block:gsub("\n%-%- ", "\n") .. "}"
    end)
    text = text:gsub("\n(%s+)%-%- ([%l%[\"}]+)", "\n%1%2"):gsub("\n%s+%-%-     %[", "\n[")
    local checked, errors = check(text)
    t.equal(errors, nil)
    t.equal(checked.city.url, "mqtts://city.example:8883")
    t.equal(checked.plugins[1].config.bands, { ["11730945"] = "3501050012" })
    t.equal(checked.plugins[1].config.station, "10597059")
end)

return t.finish()
