-- jsonschema - a declaration of lua/schema.lua as JSON Schema (2020-12): what the checked value is.
--
-- A text's bound is in bytes and becomes one in letters, which is never narrower; a Lua pattern is
-- no regular expression and is told by its words. `x-unit` is the unit.
local jsonschema = {}

local convert

local KINDS = {
    any = function() return {} end,
    boolean = function() return { type = "boolean" } end,
    choice = function(self) return { enum = self.choices } end,
    text = function(self) return { type = "string", maxLength = self.max } end,
    number = function(self) return { type = "number", minimum = self.min, maximum = self.max } end,
    integer = function(self)
        return { type = "integer", minimum = self.min, maximum = self.max }
    end,
    duration = function(self)
        return { type = "integer", minimum = self.min, maximum = self.max, ["x-unit"] = "ms" }
    end,
    list = function(self)
        return { type = "array", items = convert(self.of), maxItems = self.max }
    end,
    map = function(self)
        return { type = "object", additionalProperties = convert(self.of),
            maxProperties = self.max }
    end,
}

function KINDS.record(self)
    local properties, required = {}, {}
    for _, name in ipairs(self.names) do
        properties[name] = convert(self.fields[name])
        if not self.fields[name].optional then
            required[#required + 1] = name
        end
    end
    return { type = "object", properties = properties, additionalProperties = false,
        required = #required > 0 and required or nil }
end

function convert(self)
    local made = assert(KINDS[self.kind], "no kind of an event's data: " .. self.kind)(self)
    made.description = self.doc or self.expects
    made["x-unit"] = self.unit or made["x-unit"]
    return made
end

jsonschema.convert = convert

return jsonschema
