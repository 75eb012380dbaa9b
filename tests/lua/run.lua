-- run - every test of the Lua libraries: lua5.4 tests/lua/run.lua [FILE ...]
--
-- Each file gets fresh modules. The last line is "N passed, N failed"; any failure, also a file
-- without a test, ends with 1. Plugins are tested in the real host: outpost test plugins/NAME.
local root = arg[0]:match("^(.*)/tests/lua/[^/]*$") or "."

local function files()
    local list = {}
    local find = assert(io.popen(("ls '%s'/tests/lua/*_test.lua 2>/dev/null"):format(root)))
    for line in find:lines() do
        list[#list + 1] = line
    end
    find:close()
    return list
end

local function search_path(file)
    local paths = { root .. "/lua/?.lua", root .. "/lua/test/?.lua", root .. "/tests/lua/?.lua" }
    local plugin = file:match("^(.*)/test/[^/]*$")
    if plugin then
        paths[#paths + 1] = plugin .. "/?.lua"
        paths[#paths + 1] = plugin .. "/test/?.lua"
    end
    return table.concat(paths, ";")
end

local function forget_modules(kept)
    for name in pairs(package.loaded) do
        if not kept[name] then
            package.loaded[name] = nil
        end
    end
end

local kept = {}
for name in pairs(package.loaded) do
    kept[name] = true
end

local passed, failed = 0, 0
for _, file in ipairs(#arg > 0 and arg or files()) do
    forget_modules(kept)
    package.path = search_path(file)
    local ok, result = pcall(dofile, file)
    local counts = package.loaded.testing or { passed = 0, failed = 0 }
    passed, failed = passed + counts.passed, failed + counts.failed
    if not ok or type(result) ~= "table" or counts.passed == 0 then
        failed = math.max(failed, counts.failed == 0 and failed + 1 or failed)
        print(("FAILED %s: %s"):format(file, ok and "does not end with t.finish()" or result))
    end
end
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0 and passed > 0 and 0 or 1)
