-- events - every event type there is, from the plugins' manifests and the appliance's own: a sorted
-- list of { type =, variants = { { by =, lane =, doc =, schema = }, ... } }.
--
-- Two plugins may record the same type (gap.recorded) with other data: then it has two variants.
-- Where they declare the same (lua/checkin.lua), it is one that names both.
local appliance = require "appliance"
local jsonschema = require "jsonschema"
local manifests = require "manifests"
local write = require "write"

local events = {}

local function same(variants, event, schema)
    for _, variant in ipairs(variants) do
        if variant.lane == event.lane and variant.doc == event.doc
            and write.json(variant.schema) == write.json(schema) then
            return variant
        end
    end
end

local function add(found, by, declared)
    for kind, event in pairs(declared) do
        local one = found[kind] or { type = kind, variants = {} }
        found[kind] = one
        local schema = event.data and jsonschema.convert(event.data) or {}
        local variant = same(one.variants, event, schema)
        if variant then
            variant.by = variant.by .. ", " .. by
        else
            one.variants[#one.variants + 1] = { by = by, lane = event.lane, doc = event.doc,
                schema = schema }
        end
    end
end

function events.all(root)
    local found, list = {}, {}
    add(found, "the appliance", appliance.events)
    for _, folder in ipairs(manifests.folders(root)) do
        local manifest = manifests.read(folder)
        add(found, "plugin " .. manifest.name, manifest.events or {})
    end
    for _, one in pairs(found) do
        list[#list + 1] = one
    end
    table.sort(list, function(a, b) return a.type < b.type end)
    return list
end

-- What the data of a type is; with several variants, any of them.
function events.schema(event)
    local variants = {}
    for i, variant in ipairs(event.variants) do
        local schema = variant.schema
        schema.title = #event.variants > 1 and event.type .. ", " .. variant.by or event.type
        schema.description = ("%s (%s; %s)"):format(variant.doc, variant.lane == "original"
            and "lane of the original" or "lane " .. variant.lane, variant.by)
        variants[i] = schema
    end
    return #variants == 1 and variants[1] or { title = event.type, anyOf = variants }
end

-- Whether a variant of it comes in that lane.
function events.is_in(event, lane)
    for _, variant in ipairs(event.variants) do
        if variant.lane == lane or variant.lane == "original" then
            return true
        end
    end
    return false
end

return events
