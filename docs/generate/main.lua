-- main - writes what is generated into the tree, or says what of it is out of date:
--
--   lua5.4 docs/generate/main.lua [--check]        from the root of the tree
--
-- The tables in the plugins' README.md, docs/asyncapi.yaml, docs/schemas/TYPE.json.
package.path = "docs/generate/?.lua;lua/?.lua;" .. package.path

local asyncapi = require "asyncapi"
local describe = require "describe"
local events = require "events"
local manifests = require "manifests"
local readme = require "readme"
local write = require "write"

local SCHEMAS = "docs/schemas/"

local function read(path)
    local file = io.open(path, "rb")
    local text = file and file:read("a")
    if file then
        file:close()
    end
    return text
end

local function version()
    return assert(read("Makefile"):match("\nVERSION%s*:=%s*(%S+)"), "Makefile: no VERSION")
end

-- path -> text of all that is generated, and a list of what is wrong with what is not.
local function generate()
    local all, files, faults = events.all(""), {}, {}
    files["docs/asyncapi.yaml"] = "# Made by make docs.\n"
        .. write.yaml(asyncapi.document(all, version()))
    for _, event in ipairs(all) do
        local schema = {}
        for name, value in pairs(events.schema(event)) do
            schema[name] = value
        end
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        schema["$id"] = "urn:outpost:event:" .. event.type
        files[SCHEMAS .. event.type .. ".json"] = write.json(schema)
    end
    for _, folder in ipairs(manifests.folders("")) do
        local path = folder .. "/README.md"
        local is = assert(read(path), path .. ": expected a README.md")
        files[path] = describe.refresh(is, readme.tables(folder))
        for _, name in ipairs(readme.wanted(manifests.read(folder))) do
            if not is:find(("<!-- %s -->"):format(name), 1, true) then
                faults[#faults + 1] = ('%s: expected a place "<!-- %s -->" with "<!-- end -->" '
                    .. "behind it"):format(path, name)
            end
        end
    end
    return files, faults
end

-- Schemas of types that there are no more.
local function leftovers(files)
    local found = {}
    local list = assert(io.popen(("LC_ALL=C ls %s 2>/dev/null"):format(SCHEMAS)))
    for name in list:lines() do
        if not files[SCHEMAS .. name] then
            found[#found + 1] = SCHEMAS .. name
        end
    end
    list:close()
    return found
end

local function check(files, faults)
    for path, text in pairs(files) do
        if read(path) ~= text then
            faults[#faults + 1] = path .. ": out of date: make docs"
        end
    end
    for _, path in ipairs(leftovers(files)) do
        faults[#faults + 1] = path .. ": there is no such event: make docs"
    end
end

local function put(files)
    for path, text in pairs(files) do
        if read(path) ~= text then
            local file = assert(io.open(path, "wb"))
            file:write(text)
            assert(file:close())
        end
    end
    for _, path in ipairs(leftovers(files)) do
        os.remove(path)
    end
end

local files, faults = generate()
if arg[1] == "--check" then
    check(files, faults)
else
    put(files)
end
table.sort(faults)
for _, fault in ipairs(faults) do
    print(fault)
end
os.exit(#faults == 0 and 0 or 1)
