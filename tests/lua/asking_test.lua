local asking = require "asking"
local schema = require "schema"
local t = require "testing"

local function run() end

local function one(fields)
    local declared = { role = "officer", doc = "d", run = run }
    for name, value in pairs(fields) do
        declared[name] = value
    end
    return declared
end

local function fault(declared)
    return asking.fault { actions = { a = declared } }
end

t.test("what_is_declared_well_has_no_fault", function()
    t.equal(asking.fault {}, nil)
    t.equal(asking.fault { actions = {}, views = {} }, nil)
    t.equal(fault(one {}), nil)
    t.equal(fault(one { role = { "technician", "officer" }, params = schema.record {},
        answer = schema.list(schema.integer {}) }), nil)
end)

t.test("each_fault_is_named_with_what_was_expected", function()
    local roles = 'actions: a: role: expected "officer", "social_worker", "technician" or a list '
        .. "of them, got "
    local cases = {
        { 7, "actions: a: expected a table, got 7" },
        { one { role = "root" }, roles .. '"root"' },
        { one { role = {} }, roles .. "an empty table" },
        { one { role = { "officer", "officer" } }, roles .. '"officer" again' },
        { one { role = { "officer", 7 } }, roles .. "7" },
        { one { doc = "" }, 'actions: a: doc: expected a text that says what it does, got ""' },
        { one { run = "x" }, 'actions: a: run: expected a function, got "x"' },
        { one { params = {} }, "actions: a: params: expected schema.record { ... }, got an empty "
            .. "table" },
        { one { params = schema.integer {} },
            "actions: a: params: expected schema.record { ... }, got a table" },
        { one { answer = "x" }, 'actions: a: answer: expected a schema, got "x"' },
        { one { parms = 1 }, 'actions: a: parms: expected a known name, perhaps "params", got 1' },
        { one { [1] = "x" }, 'actions: a: 1: expected one of answer, doc, params, role, run, got '
            .. '"x"' },
    }
    for _, case in ipairs(cases) do
        t.equal(fault(case[1]), case[2])
    end
end)

t.test("names_are_words_and_there_are_not_too_many", function()
    t.equal(asking.fault { actions = 7 }, "actions: expected a table, got 7")
    for _, name in ipairs { "A", "a b", "", "_a", ("a"):rep(49), 1 } do
        local why = asking.fault { views = { [name] = one {} } }
        t.holds(why and why:find("views: expected a name of 1 to 48 small letters", 1, true), name)
    end
    local many = {}
    for i = 1, 33 do
        many["a" .. i] = one {}
    end
    t.equal(asking.fault { views = many }, "views: expected at most 32, got 33")
    many.a33 = nil
    t.equal(asking.fault { views = many, actions = { [("a"):rep(48)] = one {} } }, nil)
end)

t.test("the_keeper_is_told_roles_meaning_and_params", function()
    t.equal(asking.listing(nil), nil)
    t.equal(asking.listing {}, nil)
    t.equal(asking.listing { a = one {}, b = one { role = { "technician", "officer" },
        params = schema.record { n = schema.integer { doc = "how many", unit = "s" } } } }, {
        a = { roles = { "officer" }, doc = "d" },
        b = { roles = { "technician", "officer" }, doc = "d", params = {
            { name = "n", kind = "an integer", unit = "s", need = "must be set",
                doc = "how many" } } },
    })
end)

return t.finish()
