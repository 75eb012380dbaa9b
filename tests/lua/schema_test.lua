local schema = require "schema"
local t = require "testing"

local BAND = schema.record {
    url = schema.text { doc = "where", max = 20, pattern = "^%l+://", expects = "a url" },
    low_battery = schema.integer { doc = "warn", unit = "%", min = 0, max = 100, default = 10 },
    poll = schema.duration { doc = "period", min = "100ms", default = "1s" },
    level = schema.number { min = 0.5, optional = true },
    loud = schema.boolean { default = false },
    mode = schema.choice { choices = { "slow", "fast" }, default = "slow" },
    tags = schema.list(schema.integer { min = 1 }, { max = 2, optional = true }),
    names = schema.map(schema.text { max = 4 }, { max = 2, optional = true }),
    free = schema.any { optional = true },
}

local function refuses(settings, message)
    settings.url = settings.url or "a://b"
    local checked, err = BAND:check(settings)
    t.equal(checked, nil)
    t.equal(err, message)
end

t.test("defaults_are_filled_and_the_given_is_kept", function()
    local given = { url = "a://b", poll = "2s" }
    t.equal(BAND:check(given), { url = "a://b", low_battery = 10, poll = 2000, loud = false,
        mode = "slow" })
    t.equal(given, { url = "a://b", poll = "2s" })
end)

t.test("an_error_names_setting_expectation_and_value", function()
    refuses({ low_battery = "x" },
        'low_battery: expected an integer, at least 0, at most 100, got "x"')
    refuses({ low_battery = 101 },
        "low_battery: expected an integer, at least 0, at most 100, got 101")
    refuses({ low_battery = 1.5 },
        "low_battery: expected an integer, at least 0, at most 100, got 1.5")
    refuses({ url = "nowhere" }, 'url: expected a url, got "nowhere"')
    refuses({ url = 7 }, "url: expected a url, got 7")
    refuses({ loud = 1 }, "loud: expected true or false, got 1")
    refuses({ mode = "last" }, 'mode: expected one of "slow", "fast", got "last"')
    refuses({ level = 0 / 0 }, "level: expected a number, at least 0.5, got " .. tostring(0 / 0))
    refuses({ poll = 5 }, 'poll: expected a duration such as "250ms", "10s", "5m", "2h", at least '
        .. "100ms, at most 366d, got 5")
    refuses({ poll = "99ms" }, 'poll: expected a duration such as "250ms", "10s", "5m", "2h", at '
        .. 'least 100ms, at most 366d, got "99ms"')
end)

t.test("what_must_be_set_is_missed", function()
    local _, err = BAND:check({})
    t.equal(err, "url: expected a url, got nothing")
    _, err = BAND:check(7)
    t.equal(err, "expected a table, got 7")
end)

t.test("an_unknown_setting_is_refused_with_a_guess", function()
    refuses({ low_batery = 3 }, 'low_batery: expected a known name, perhaps "low_battery", got 3')
    local _, err = BAND:check { url = "a://b", [1] = "x" }
    t.holds(err:find("^1: expected one of free, level,"), err)
end)

t.test("tables_in_tables_name_the_whole_path", function()
    refuses({ tags = { 1, 0 } }, "tags.2: expected an integer, at least 1, got 0")
    refuses({ tags = { 1, 2, 3 } }, "tags: expected a list of at most 2 values, got a table")
    refuses({ tags = { a = 1 } }, "tags: expected a list of at most 2 values, got a table")
    refuses({ names = { a = "12345" } },
        'names.a: expected a text of at most 4 bytes, got "12345"')
    refuses({ names = { [12] = "1" } }, "names.12: expected a text of at most 64 bytes, got 12")
    t.equal(BAND:check({ url = "a://b", names = { a = "1" } }).names, { a = "1" })
end)

t.test("every_error_is_found_at_once", function()
    local checked, errors = BAND:inspect { low_battery = -1, poll = "x", colour = 1 }
    t.equal(checked, nil)
    t.equal(#errors, 4)
    t.equal(errors[1].path, "colour")
end)

t.test("bytes_that_are_no_text_are_refused_and_shown_harmlessly", function()
    refuses({ names = { a = "\xFF\x1B" } },
        'names.a: expected a text of at most 4 bytes, got "??", which is no UTF-8')
    local long = ("\u{53F8}"):rep(40)
    t.holds(utf8.len(schema.show(long)))
end)

t.test("a_default_must_pass_its_own_check", function()
    t.equal(pcall(schema.integer, { min = 1, default = 0 }), false)
    t.equal(pcall(schema.duration, { default = "soon" }), false)
end)

t.test("a_sheet_is_loaded_checked_and_takes_the_place_of_its_name", function()
    local declared = schema.record { profile = schema.sheet {
        names = { "alpha" }, folder = "sheets",
        check = function(sheet)
            if sheet.n then
                return { n = sheet.n }
            end
            return nil, "n: expected an integer, got nothing"
        end,
    } }
    local function load(name)
        if name == "alpha" then
            return { n = 1 }
        end
        return name == "empty.lua" and {} or nil, "there is none"
    end
    t.equal(declared:check({ profile = "alpha" }, load), { profile = { n = 1 } })
    local _, err = declared:check({ profile = "alpa" }, load)
    t.equal(err, 'profile: expected one of "alpha" or the path of a .lua file, perhaps "alpha" '
        .. '(there is none), got "alpa"')
    _, err = declared:check({ profile = "empty.lua" }, load)
    t.equal(err, 'profile: "empty.lua": n: expected an integer, got nothing')
end)

t.test("a_secret_is_a_text_or_what_a_file_holds", function()
    local declared = schema.record { password = schema.secret { max = 8 } }
    local function load(path)
        if path == "hall" then
            return "geheim"
        elseif path == "long" then
            return "geheimgeheim"
        end
        return nil, path .. ", which cannot be read: No such file or directory"
    end
    t.equal(declared:check({ password = "file:x" }), { password = "file:x" })
    t.equal(declared:check({ password = "geheim" }, load), { password = "geheim" })
    t.equal(declared:check({ password = "file:hall" }, load), { password = "geheim" })
    local expected = 'password: expected a text of at most 8 bytes, or "file:" and the file '
        .. "that holds it, got "
    for path, got in pairs { long = "another one in the file",
        none = "none, which cannot be read: No such file or directory" } do
        local _, err = declared:check({ password = "file:" .. path }, load)
        t.equal(err, expected .. got)
    end
end)

t.test("no_error_shows_a_secret", function()
    local declared = schema.record { password = schema.secret { max = 8 }, user = schema.text {
        optional = true } }
    for _, wrong in ipairs { { password = "12345678-9" }, { password = 123456789 },
        { pasword = "123456789", password = "x" }, { pw = 123456789, password = "x" },
        { password = { "123456789" } } } do
        local checked, errors = declared:inspect(wrong)
        t.equal(checked, nil)
        for _, err in ipairs(errors) do
            t.holds(not err.message:find "12345678")
        end
    end
end)

t.test("a_description_has_a_row_for_each_setting", function()
    local rows = BAND:describe()
    t.equal(#rows, 9)
    t.equal(rows[3], { name = "loud", kind = "true or false", need = "false", doc = "" })
    t.equal(rows[2].unit, nil)
    t.equal(rows[4].unit, "%")
end)

return t.finish()
