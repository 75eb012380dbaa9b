local readme = require "readme"
local t = require "testing"

local root = package.path:match("^([^;]-)lua/%?%.lua")

t.test("the_tables_in_every_plugins_readme_are_what_it_declares", function()
    local find = assert(io.popen(("ls -d '%s'plugins/*/"):format(root)))
    local count = 0
    for folder in find:lines() do
        local is, wanted = readme.texts((folder:gsub("/$", "")))
        t.holds(is == wanted, "run: lua5.4 tests/lua/readme.lua " .. folder)
        t.holds(is:find("<!-- settings -->", 1, true) and is:find("<!-- events -->", 1, true),
            folder .. "README.md has no place for its tables")
        count = count + 1
    end
    find:close()
    t.holds(count >= 2)
end)

return t.finish()
