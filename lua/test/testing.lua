-- testing - what a Lua test file needs: named tests, comparisons, rehearsals, and an honest end.
--
--   local t = require "testing"
--   t.test("a_sentence_that_says_the_promise", function() t.equal(1 + 1, 2) end)
--   return t.finish()
--
-- A test prints "ok NAME" or "FAILED NAME: why". finish() raises when one failed or none ran.
-- Under `outpost test` there are t.office and its devices t.modbus, t.http, t.ftp, t.folder,
-- t.line: the plugin in the real host, in an office of doubles (testing/office.lua,
-- plugins/README.md).
local testing = { passed = 0, failed = 0, skipped = 0 }

local there, rehearsal = pcall(require, "rehearsal")
if not there then
    rehearsal = nil
end

local function count(kind)
    testing[kind] = testing[kind] + 1
    if rehearsal then
        rehearsal.count(kind)
    end
end

-- What a test leaves behind is looked at too: an error of the plugin that it did not ask for.
local function run(fn)
    local ok, err = xpcall(fn, debug.traceback)
    local left = rehearsal and require("testing.office").finish()
    if left then
        return false, ok and left or ("%s\n%s"):format(err, left)
    end
    return ok, err
end

function testing.test(name, fn)
    if testing.filter and not name:find(testing.filter, 1, true) then
        return count("skipped")
    end
    local ok, err = run(fn)
    if ok then
        count("passed")
        print("ok " .. name)
    else
        count("failed")
        print(("FAILED %s: %s"):format(name, err))
    end
end

local function show(value, depth)
    if type(value) ~= "table" then
        return type(value) == "string" and ("%q"):format(value) or tostring(value)
    end
    local keys, parts = {}, {}
    for key in pairs(value) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    for _, key in ipairs(keys) do
        parts[#parts + 1] = tostring(key) .. " = "
            .. (depth > 5 and "..." or show(value[key], depth + 1))
    end
    return "{ " .. table.concat(parts, ", ") .. " }"
end

-- Equal, tables by their content.
function testing.equal(got, wanted)
    local a, b = show(got, 0), show(wanted, 0)
    if a ~= b then
        error(("expected %s\n     got %s"):format(b, a), 2)
    end
end

function testing.holds(claim, text)
    if not claim then
        error(text or "the claim does not hold", 2)
    end
end

local function needs_host(name)
    if not rehearsal then
        error(name .. " needs the real host: outpost test PLUGIN_FOLDER", 3)
    end
end

-- The plugin in an office: see testing/office.lua.
function testing.office(options)
    needs_host("t.office")
    return require("testing.office").open(options)
end

-- A Modbus device that a test can script: see testing/modbus.lua.
function testing.modbus(options)
    needs_host("t.modbus")
    return require("testing.modbus").new(options)
end

-- A device with a web server that a test can script: see testing/http.lua.
function testing.http(options)
    needs_host("t.http")
    return require("testing.http").new(options)
end

-- A file server that a test can script: see testing/ftp.lua.
function testing.ftp(options)
    needs_host("t.ftp")
    return require("testing.ftp").new(options)
end

-- A folder of files that a test can script: see testing/folder.lua.
function testing.folder(options)
    needs_host("t.folder")
    return require("testing.folder").new(options)
end

-- A device at a line of bytes, TCP or serial: see testing/line.lua.
function testing.line(options)
    needs_host("t.line")
    return require("testing.line").new(options)
end

-- Counts of its tests, for run.lua; raises when the file proves nothing.
function testing.finish()
    if testing.failed > 0 then
        error(("%d tests failed"):format(testing.failed), 0)
    end
    if testing.passed + testing.skipped == 0 then
        error("an empty test file proves nothing", 0)
    end
    return { passed = testing.passed }
end

return testing
