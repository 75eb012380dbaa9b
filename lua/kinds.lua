-- kinds - the kinds of values a schema knows: what each expects, in words, and how it reads one.
--
-- See schema.lua, which is what everybody uses. Rule of this file: `read` answers the checked
-- value, or nil for "not that"; errors inside a table go to run.errors, each with its path. A quiet
-- run only finds out whether there is an error (run.failed): it makes no paths and no words, which
-- cost far more than the check of a value that is good.
local duration = require "duration"
local nearest = require "nearest"

local kinds = {}

local MAX_ERRORS = 20

-- At most 60 bytes of a text, whole letters only, nothing that could disturb a terminal.
local function excerpt(text)
    local shown = text:sub(1, 60):gsub("%c", "?")
    if #text > 60 then
        shown = shown:gsub("[\xC0-\xFF][\x80-\xBF]*$", "") .. "..."
    end
    return utf8.len(shown) and shown or (shown:gsub("[\x80-\xFF]", "?"))
end

-- Stands for what is not shown.
kinds.hidden = setmetatable({}, { __tostring = function() return "a value" end })

-- What somebody wrote, short enough for a line.
function kinds.show(value)
    if value == kinds.hidden then
        return tostring(value)
    end
    if value == nil then
        return "nothing"
    end
    if type(value) == "string" then
        return '"' .. excerpt(value) .. '"' .. (utf8.len(value) and "" or ", which is no UTF-8")
    end
    if type(value) == "number" or type(value) == "boolean" then
        return tostring(value)
    end
    return (type(value) == "table" and next(value) == nil and "an empty " or "a ") .. type(value)
end

local function fail(run, path, expected, value)
    run.failed = true
    if #run.errors < MAX_ERRORS then
        local at = path == "" and "" or path .. ": "
        run.errors[#run.errors + 1] = { path = path, message = ("%sexpected %s, got %s"):format(
            at, expected, kinds.show(value)) }
    end
    return nil
end

-- "bands" and "1001" -> "bands.1001"
function kinds.join(path, name)
    name = excerpt(tostring(name))
    return path == "" and name or path .. "." .. name
end

local function join(run, path, name)
    return run.quiet and "" or kinds.join(path, name)
end

function kinds.sorted_keys(table_)
    local keys = {}
    for key in pairs(table_) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    return keys
end

local function bounds(self, show)
    local words = ""
    if self.min then
        words = words .. ", at least " .. show(self.min)
    end
    if self.max then
        words = words .. ", at most " .. show(self.max)
    end
    return words
end

local function in_bounds(self, number)
    return number >= (self.min or -math.huge) and number <= (self.max or math.huge)
end

local function quoted(words)
    local list = {}
    for i, word in ipairs(words) do
        list[i] = kinds.show(word)
    end
    return table.concat(list, ", ")
end

-- One entry per kind: what it expects in words, and how it reads a value (nil: not that).
local KINDS = {}

KINDS.any = {
    words = function() return "a value" end,
    read = function(_, value) return value end,
}

KINDS.boolean = {
    words = function() return "true or false" end,
    read = function(_, value)
        if type(value) == "boolean" then
            return value
        end
        return nil
    end,
}

KINDS.text = {
    words = function(self)
        return self.expects or ("a text of at most %d bytes"):format(self.max)
    end,
    read = function(self, value)
        local fits = type(value) == "string" and #value <= self.max and utf8.len(value)
        return fits and (not self.pattern or value:find(self.pattern)) and value or nil
    end,
}

KINDS.choice = {
    words = function(self) return "one of " .. quoted(self.choices) end,
    read = function(self, value)
        for _, choice in ipairs(self.choices) do
            if value == choice then
                return value
            end
        end
        return nil
    end,
}

KINDS.number = {
    words = function(self) return "a number" .. bounds(self, tostring) end,
    read = function(self, value)
        local fits = type(value) == "number" and value == value and math.abs(value) ~= math.huge
        return fits and in_bounds(self, value) and value or nil
    end,
}

KINDS.integer = {
    words = function(self) return "an integer" .. bounds(self, tostring) end,
    read = function(self, value)
        local whole = type(value) == "number" and math.tointeger(value)
        return whole and in_bounds(self, whole) and whole or nil
    end,
}

KINDS.duration = {
    words = function(self)
        return 'a duration such as "250ms", "10s", "5m", "2h"' .. bounds(self, duration.format)
    end,
    read = function(self, value)
        local ms = duration.parse(value)
        return ms and in_bounds(self, ms) and ms or nil
    end,
}

local walk

local function knows_all(self, value)
    for name in pairs(value) do
        if not self.fields[name] then
            return false
        end
    end
    return true
end

local function has_secret(self)
    for _, field in pairs(self.fields) do
        if field.kind == "secret" then
            return true
        end
    end
    return false
end

local function refuse_unknown(self, value, path, run)
    local names, hides = self.names, has_secret(self)
    for _, name in ipairs(kinds.sorted_keys(value)) do
        if not self.fields[name] then
            local meant = nearest.find(name, names)
            local got = value[name]
            if hides then -- it may be a password whose name is mistyped
                got = kinds.hidden
            end
            fail(run, kinds.join(path, name), meant and ('a known name, perhaps "%s"'):format(meant)
                or "one of " .. table.concat(names, ", "), got)
        end
    end
end

KINDS.record = {
    words = function() return "a table" end,
    read = function(self, value, path, run)
        if type(value) ~= "table" then
            return nil
        end
        if not knows_all(self, value) then
            refuse_unknown(self, value, path, run)
        end
        local checked = {}
        for _, name in ipairs(self.names) do
            checked[name] = walk(self.fields[name], value[name], join(run, path, name), run)
        end
        return checked
    end,
}

KINDS.list = {
    words = function(self) return ("a list of at most %d values"):format(self.max) end,
    read = function(self, value, path, run)
        if type(value) ~= "table" or #value > self.max then
            return nil
        end
        local count, checked = 0, {}
        for _ in pairs(value) do
            count = count + 1
        end
        if count ~= #value then
            return nil
        end
        if count == 0 then
            return value -- itself: only so does it stay an array in JSON, when it is one
        end
        for i, item in ipairs(value) do
            checked[i] = walk(self.of, item, join(run, path, i), run)
        end
        return checked
    end,
}

KINDS.map = {
    words = function(self) return ("a table of at most %d names"):format(self.max) end,
    read = function(self, value, path, run)
        if type(value) ~= "table" then
            return nil
        end
        local keys, checked = kinds.sorted_keys(value), {}
        if #keys > self.max then
            return nil
        end
        for _, key in ipairs(keys) do
            if walk(self.key, key, join(run, path, key), run) then
                checked[key] = walk(self.of, value[key], join(run, path, key), run)
            end
        end
        return checked
    end,
}

-- A text that names a sheet of data (a shipped one by its name, one's own by its file); checked,
-- it becomes the sheet. Only who reads a configuration can load one: `run.load`.
KINDS.sheet = {
    words = function(self)
        return ("one of %s or the path of a .lua file"):format(quoted(self.names))
    end,
    read = function(self, value, path, run)
        if type(value) ~= "string" or value == "" or not run.load then
            return nil
        end
        local sheet, err = run.load(value, self.folder)
        if not sheet then
            local meant = nearest.find(value, self.names)
            local hint = meant and (', perhaps "%s"'):format(meant) or ""
            fail(run, path, ("%s%s (%s)"):format(KINDS.sheet.words(self), hint, err), value)
            return {}
        end
        local checked, problem = self.check(sheet)
        if not checked then
            run.failed = true
            run.errors[#run.errors + 1] =
                { path = path, message = ('%s: "%s": %s'):format(path, value, problem) }
            return {}
        end
        return checked
    end,
}

-- A text that nobody is shown, not even when it is wrong: a password, or "file:" and the path of
-- the file that holds it, which only who reads a configuration can read, by run.load.
KINDS.secret = {
    words = function(self)
        return ('a text of at most %d bytes, or "file:" and the file that holds it'):format(
            self.max)
    end,
    read = function(self, value, path, run)
        local got = "a " .. type(value)
        local file = type(value) == "string" and run.load and value:match "^file:(.+)$"
        if file then
            value, got = run.load(file)
        end
        if type(value) == "string" and #value <= self.max and utf8.len(value) then
            return value
        end
        if file and value then
            got = "another one in the file"
        elseif type(value) == "string" then
            got = "another text"
        end
        run.failed = true
        run.errors[#run.errors + 1] = { path = path, message = ("%s: expected %s, got %s"):format(
            path, KINDS.secret.words(self), got) }
        return ""
    end,
}

-- Checks one value of any kind; what is wrong goes to run.errors as { path =, message = }.
function walk(self, value, path, run)
    if value == nil and self.preset ~= nil then
        return self.preset
    end
    if value == nil and self.optional then
        return nil
    end
    local kind = KINDS[self.kind]
    local checked
    if value ~= nil then
        checked = kind.read(self, value, path, run)
    end
    if checked == nil and run.quiet then
        run.failed = true
    elseif checked == nil then
        fail(run, path, kind.words(self), value)
    end
    return checked
end

-- What a schema expects, in words.
function kinds.words(self)
    return KINDS[self.kind].words(self)
end

kinds.walk = walk

return kinds
