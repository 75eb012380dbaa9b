-- readme - the tables in a plugin's README.md: settings, events, actions, views.
local describe = require "describe"
local manifests = require "manifests"

local readme = {}

local function optional(name)
    local found, module = pcall(require, name)
    return found and type(module) == "table" and module or {}
end

-- What may stand between "<!-- NAME -->" and "<!-- end -->": name -> table, as Markdown.
function readme.tables(folder)
    return manifests.within(folder, function()
        local manifest = require "plugin"
        local tables = { settings = describe.settings(manifest), events = describe.events(manifest),
            actions = describe.actions(manifest), views = describe.views(manifest) }
        local profile = optional "profile"
        if profile.schema then
            tables.profile = describe.fields(profile.schema)
            tables.block = describe.fields(profile.block)
            tables.field = describe.fields(profile.field)
        end
        return tables
    end)
end

-- Which tables the README of such a manifest must have a place for.
function readme.wanted(manifest)
    local wanted = { "settings" }
    for _, name in ipairs { "events", "actions", "views" } do
        if manifest[name] and next(manifest[name]) then
            wanted[#wanted + 1] = name
        end
    end
    return wanted
end

return readme
