-- testing - what a Lua test file needs: named tests, comparisons, and an honest end.
--
--   local t = require "testing"
--   t.test("a_sentence_that_says_the_promise", function() t.equal(1 + 1, 2) end)
--   return t.finish()
--
-- A test prints "ok NAME" or "FAILED NAME: why". finish() raises when one failed or none ran.
local testing = { passed = 0, failed = 0 }

function testing.test(name, fn)
    local ok, err = xpcall(fn, debug.traceback)
    if ok then
        testing.passed = testing.passed + 1
        print("ok " .. name)
    else
        testing.failed = testing.failed + 1
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

-- Counts of its tests, for run.lua; raises when the file proves nothing.
function testing.finish()
    if testing.failed > 0 then
        error(("%d tests failed"):format(testing.failed), 0)
    end
    if testing.passed == 0 then
        error("an empty test file proves nothing", 0)
    end
    return { passed = testing.passed }
end

return testing
