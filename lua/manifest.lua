-- manifest - whether what plugin.lua returns can be run: by this host, beside this keeper.
--
-- What passes here the keeper takes: one event with a wrong lane would otherwise keep the whole
-- office from starting.
local asking = require "asking"
local nearest = require "nearest"
local schema = require "schema"

local manifest = {}

local MEMBERS = { "actions", "api", "check", "config", "events", "name", "needs", "start", "state",
    "summary", "views" }
local EVENT_MEMBERS = { "data", "doc", "lane" }
local LANES = { alarm = true, record = true, telemetry = true }

-- What the appliance records itself: a plugin that declared these could forge it.
manifest.OWN_NAMES = { keeper = true, uplink = true, courier = true }
local OWN_EVENTS = { box = true, journal = true, storage = true, clock = true, sync = true,
    plugin = true, config = true, action = true, blob = true, capture = true }
local OWN_KINDS = { ["evidence.uploaded"] = true, ["evidence.viewed"] = true,
    ["evidence.marked"] = true, ["evidence.exported"] = true, ["evidence.released"] = true,
    ["evidence.adopted"] = true }

local function copy(value)
    local copied = {}
    for key, item in next, value do
        copied[key] = item
    end
    return copied
end

-- The same of each table in it; of a declaration also the roles.
local function copy_all(declarations)
    local copied = copy(declarations)
    for key, declared in next, copied do
        if type(declared) == "table" then
            copied[key] = copy(declared)
            local role = copied[key].role
            copied[key].role = type(role) == "table" and copy(role) or role
        end
    end
    return copied
end

-- What plugin.lua returned, without metatables: its tables could answer otherwise each time they
-- are asked, and what is taken must be what was looked at. Schemas stay what they are.
function manifest.bare(declared)
    if type(declared) ~= "table" then
        return declared
    end
    local bare = copy(declared)
    bare.needs = type(bare.needs) == "table" and copy(bare.needs) or bare.needs
    for _, part in ipairs { "events", "actions", "views" } do
        bare[part] = type(bare[part]) == "table" and copy_all(bare[part]) or bare[part]
    end
    return bare
end

-- The first name of `declared` that is none of `members`.
local function member_fault(declared, members)
    local known, strange = {}, {}
    for _, name in ipairs(members) do
        known[name] = true
    end
    for name in pairs(declared) do
        if not known[name] then
            strange[#strange + 1] = type(name) == "string" and name or schema.show(name)
        end
    end
    table.sort(strange)
    local meant = nearest.find(strange[1], members)
    return strange[1] and ("%s: expected %s"):format(strange[1], meant
        and ('a known name, perhaps "%s"'):format(meant)
        or "one of " .. table.concat(members, ", "))
end

-- A type as the keeper takes it (base/word.c).
local function is_type(kind)
    return type(kind) == "string" and #kind <= 64 and kind:find("^[%l%d_.]+$") and
        kind:find(".", 1, true) and not ("." .. kind .. "."):find("..", 1, true)
end

local function event_fault(kind, declared)
    if not is_type(kind) then
        return ('expected small letters, digits and "_" with a dot between, as "door.opened", '
            .. "at most 64 bytes, got %s"):format(schema.show(kind))
    end
    if type(declared) ~= "table" then
        return ("%s: expected a table, got %s"):format(kind, schema.show(declared))
    end
    if not LANES[declared.lane] then
        return ('%s: lane: expected "alarm", "record" or "telemetry", got %s'):format(kind,
            schema.show(declared.lane))
    end
    local data = declared.data
    if data ~= nil and not (type(data) == "table" and data.inspect) then
        return ("%s: data: expected a schema, got %s"):format(kind, schema.show(data))
    end
    local fault = member_fault(declared, EVENT_MEMBERS)
    return fault and kind .. ": " .. fault
end

local function events_fault(events)
    if events == nil then
        return nil
    end
    if type(events) ~= "table" then
        return "events: expected a table, got " .. schema.show(events)
    end
    for kind, declared in pairs(events) do
        local fault = event_fault(kind, declared)
        if fault then
            return "events: " .. fault
        end
    end
    return nil
end

-- What it needs that this host does not have, which every start would end with.
local function needs_fault(needs, words)
    if needs == nil then
        return nil
    end
    if type(needs) ~= "table" or (#needs == 0 and next(needs) ~= nil) then
        return "needs: expected a list of texts, got " .. schema.show(needs)
    end
    words = words or needs
    for _, need in ipairs(needs) do
        local meant = nearest.find(need, words)
        if meant ~= need then
            return ("needs: expected %s, got %s"):format(meant
                and ('a word of this host, perhaps "%s"'):format(meant)
                or "some of " .. table.concat(words, ", "), schema.show(need))
        end
    end
    return nil
end

-- What only the appliance may be called and record.
local function own_fault(declared, name)
    if manifest.OWN_NAMES[name] then
        return "that name is the appliance's own"
    end
    for kind in pairs(type(declared.events) == "table" and declared.events or {}) do
        if OWN_EVENTS[tostring(kind):match("^%w+")] or OWN_KINDS[kind] then
            return ('its manifest declares the event "%s", which only the appliance records')
                :format(kind)
        end
    end
    return nil
end

-- What is wrong with what plugin.lua in the folder `name` returned, bare, or nil. `words` is what a
-- manifest may need; nil: anything.
function manifest.fault(declared, name, words)
    if type(declared) ~= "table" then
        return "plugin.lua returns no table"
    end
    if declared.api ~= 1 or declared.name ~= name then
        return ("its manifest has api = %s, name = %s, expected api = 1, name = %s"):format(
            schema.show(declared.api), schema.show(declared.name), schema.show(name))
    end
    if type(declared.config) ~= "table" or not declared.config.inspect then
        return "its manifest has no config = schema.record { ... }"
    end
    if declared.state ~= nil and (math.type(declared.state) ~= "integer" or declared.state < 0) then
        return "its manifest has state = " .. schema.show(declared.state)
            .. ", expected a whole number, at least 0"
    end
    if (declared.config.fields or {}).record then
        return "its manifest declares the setting record, which every plugin has"
    end
    if type(declared.start) ~= "function" then
        return "its manifest: start: expected a function, got " .. schema.show(declared.start)
    end
    local fault = events_fault(declared.events) or needs_fault(declared.needs, words)
        or asking.fault(declared) or member_fault(declared, MEMBERS)
    return own_fault(declared, name) or (fault and "its manifest: " .. fault)
end

return manifest
