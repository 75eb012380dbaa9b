-- readme - writes the tables of settings and events into a plugin's README.md anew:
--
--   lua5.4 tests/lua/readme.lua plugins/wristband
--
-- tests/lua/readme_test.lua fails when one is out of date.
local readme = {}

local function read(path)
    local file = assert(io.open(path))
    local text = file:read("a")
    file:close()
    return text
end

-- The README as it is, and as it should be.
function readme.texts(folder)
    local saved, kept = package.path, {}
    for name in pairs(package.loaded) do
        kept[name] = true
    end
    package.path = folder .. "/?.lua;" .. saved
    local describe, manifest = require "describe", require "plugin"
    local tables = { settings = describe.settings(manifest), events = describe.events(manifest) }
    local ok, profile = pcall(require, "profile")
    if ok then
        tables.profile = describe.fields(profile.schema)
        tables.block = describe.fields(profile.block)
        tables.field = describe.fields(profile.field)
    end
    for name in pairs(package.loaded) do
        package.loaded[name] = kept[name] and package.loaded[name] or nil
    end
    package.path = saved
    local is = read(folder .. "/README.md")
    return is, describe.refresh(is, tables)
end

if arg and arg[0]:find("readme%.lua$") and arg[1] then
    package.path = arg[0]:gsub("tests/lua/readme%.lua$", "") .. "lua/?.lua;" .. package.path
    local _, wanted = readme.texts(arg[1])
    local file = assert(io.open(arg[1] .. "/README.md", "w"))
    file:write(wanted)
    file:close()
end

return readme
