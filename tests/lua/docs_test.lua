-- What is generated: that it is what is declared, and how declarations become schemas and YAML.
local root = package.path:match("^([^;]-)lua/%?%.lua")
package.path = root .. "docs/generate/?.lua;" .. package.path

local appliance = require "appliance"
local describe = require "describe"
local events = require "events"
local jsonschema = require "jsonschema"
local schema = require "schema"
local t = require "testing"
local write = require "write"

local function read(path)
    local file = assert(io.open(root .. path))
    local text = file:read("a")
    file:close()
    return text
end

t.test("the_appliances_events_are_those_that_the_keeper_records_in_their_lanes", function()
    local told, count = {}, 0
    for kind, lane in read("core/keeper/self.c"):gmatch('{"([%w_.]+)", LANE_(%u+)}') do
        told[kind] = lane:lower()
        count = count + 1
    end
    t.holds(count > 10)
    told["journal.salvaged"] = "original" -- core/keeper/repair/salvage.c
    local declared = {}
    for kind, event in pairs(appliance.events) do
        declared[kind] = event.lane
    end
    t.equal(declared, told)
end)

t.test("every_type_of_every_plugin_has_a_schema_of_its_data", function()
    local all, of = events.all(root), {}
    for _, event in ipairs(all) do
        of[event.type] = events.schema(event)
    end
    t.equal(of["cabinet.too_hot"].properties.degrees,
        { type = "number", minimum = -100, maximum = 200, description = "temperature",
            ["x-unit"] = "C" })
    t.equal(of["cabinet.too_hot"].required, { "degrees" })
    t.equal(#of["gap.recorded"].anyOf, 4)
    t.equal(of["checkin.verified"].anyOf, nil) -- however many plugins share it
    t.equal(events.is_in({ variants = { { lane = "original" } } }, "alarm"), true)
    t.equal(events.is_in({ variants = { { lane = "record" } } }, "alarm"), false)
end)

t.test("each_kind_of_value_becomes_what_its_checked_value_is", function()
    local made = jsonschema.convert(schema.record {
        name = schema.text { max = 8, doc = "a name" },
        often = schema.duration { min = "1s", max = "1m", default = "2s" },
        kind = schema.choice { choices = { "a", "b" }, optional = true },
        list = schema.list(schema.boolean {}, { max = 3 }),
        map = schema.map(schema.integer { min = 1 }, { max = 2 }),
        what = schema.any { optional = true },
    })
    t.equal(made, {
        type = "object", additionalProperties = false,
        required = { "list", "map", "name", "often" },
        properties = {
            name = { type = "string", maxLength = 8, description = "a name" },
            often = { type = "integer", minimum = 1000, maximum = 60000, ["x-unit"] = "ms" },
            kind = { enum = { "a", "b" } },
            list = { type = "array", items = { type = "boolean" }, maxItems = 3 },
            map = { type = "object", additionalProperties = { type = "integer", minimum = 1 },
                maxProperties = 2 },
            what = {},
        },
    })
    t.equal(pcall(jsonschema.convert, { kind = "sheet" }), false)
end)

t.test("json_and_yaml_are_the_same_for_the_same_content", function()
    local value = { type = "x", title = 'say "hi"\n', b = { 1, 2.5, { c = true } }, a = {},
        yes = "no", path = "#/a/b" }
    t.equal(write.json(value), [[
{
  "title": "say \"hi\"\n",
  "type": "x",
  "a": {},
  "b": [
    1,
    2.5,
    {
      "c": true
    }
  ],
  "path": "#/a/b",
  "yes": "no"
}
]])
    t.equal(write.yaml(value), [[
title: "say \"hi\"\n"
type: x
a: {}
b:
  - 1
  - 2.5
  -
    c: true
path: "#/a/b"
"yes": "no"
]])
end)

t.test("actions_and_views_become_tables_as_events_do", function()
    local manifest = { actions = {
        open = { role = "officer", doc = "opens | the door", params = schema.record {
            door = schema.integer { min = 1 } } },
        close = { role = "officer", doc = "closes it" },
    } }
    t.equal(describe.actions(manifest), [[
| action | who | meaning | parameters |
|---|---|---|---|
| `close` | officer | closes it |  |
| `open` | officer | opens \| the door | `door` |
]])
    t.equal(describe.views {}, "| view | who | meaning | parameters |\n|---|---|---|---|\n")
    t.equal(describe.refresh("a\n<!-- views -->\nold\n<!-- end -->\nb", { views = "new\n" }),
        "a\n<!-- views -->\nnew\n<!-- end -->\nb")
end)

return t.finish()
