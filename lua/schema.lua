-- schema - declares what a table may hold; checks it, fills defaults, and describes it.
--
--   local config = schema.record {
--       low_battery = schema.integer { doc = "...", unit = "%", min = 0, max = 100, default = 25 },
--   }
--   config:check { low_battery = "x" }
--       -> nil, 'low_battery: expected an integer, at least 0, at most 100, got "x"'
--
-- Every kind takes `doc`, `optional = true` or `default`. A check never changes what it is given:
-- it answers a new value. Unknown names are errors. Tables are looked at to a bounded depth and
-- size only, because the value may come from anywhere.
local duration = require "duration"
local kinds = require "kinds"

local MAX_ITEMS = 4096

local schema = {}
local Schema = {}
Schema.__index = Schema

local function new(kind, options)
    local self = setmetatable({}, Schema)
    for name, value in pairs(options or {}) do
        self[name] = value
    end
    self.kind = kind
    return self
end

-- The checked value, or nil and every error as { path =, message = }. `load` reads sheets, secrets.
function Schema:inspect(value, load)
    local quick = { errors = {}, load = load, quiet = true }
    local checked = kinds.walk(self, value, "", quick)
    if not quick.failed then
        return checked
    end
    local run = { errors = {}, load = load }
    kinds.walk(self, value, "", run)
    return nil, run.errors
end

-- The checked value, or nil and the first error in words.
function Schema:check(value, load)
    local checked, errors = self:inspect(value, load)
    if errors then
        return nil, errors[1].message
    end
    return checked
end

-- Rows { name, kind, need, doc } for tables in documents, sorted by name; see lua/README.md.
function Schema:describe(prefix)
    local rows = {}
    for _, name in ipairs(kinds.sorted_keys(self.fields or {})) do
        local field = self.fields[name]
        local path = kinds.join(prefix or "", name)
        local words = kinds.words(field)
        local need = field.optional and "may be left out" or "must be set"
        if field.default ~= nil then
            need = kinds.show(field.default)
        end
        rows[#rows + 1] = { name = path, kind = words, unit = field.unit, need = need,
            doc = field.doc or "" }
        for _, row in ipairs(field:describe(path)) do
            rows[#rows + 1] = row
        end
    end
    return rows
end

-- A default is written as a user would write it, and is checked where it is declared.
local function declare(kind, options)
    local self = new(kind, options)
    if self.default ~= nil then
        local run = { errors = {} }
        self.preset = kinds.walk(self, self.default, "default", run)
        if #run.errors > 0 then
            error("a default must pass its own check: " .. run.errors[1].message, 2)
        end
    end
    return self
end

for _, kind in ipairs { "any", "boolean", "choice", "integer", "number", "sheet" } do
    schema[kind] = function(options) return declare(kind, options) end
end

function schema.text(options)
    local self = new("text", options)
    self.max = self.max or 256
    return declare("text", self)
end

function schema.secret(options)
    local self = new("secret", options)
    self.max = self.max or 128
    return declare("secret", self)
end

function schema.duration(options)
    local self = new("duration", options)
    self.min, self.max = duration.parse(self.min or "0ms"), duration.parse(self.max or "366d")
    return declare("duration", self)
end

function schema.record(fields, options)
    local self = new("record", options)
    self.fields, self.names = fields, kinds.sorted_keys(fields)
    return declare("record", self)
end

function schema.list(of, options)
    local self = new("list", options)
    self.of, self.max = of, self.max or MAX_ITEMS
    return declare("list", self)
end

function schema.map(of, options)
    local self = new("map", options)
    self.of, self.max = of, self.max or MAX_ITEMS
    self.key = self.key or schema.text { max = 64 }
    return declare("map", self)
end

-- What somebody wrote, short enough for a line of an error.
schema.show = kinds.show

return schema
