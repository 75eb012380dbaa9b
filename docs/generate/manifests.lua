-- manifests - every plugin's manifest, read under plain Lua: each with modules of its own.
local manifests = {}

-- What only the host has; a manifest does not call it.
for _, name in ipairs { "json", "gbk", "digest", "inflate", "host.xml" } do
    package.preload[name] = package.preload[name] or function() return {} end
end

local STANDARD = { _G = true, package = true, coroutine = true, table = true, io = true, os = true,
    string = true, math = true, utf8 = true, debug = true }

-- fn() with the modules of `folder` and no others that are loaded already: names meet.
function manifests.within(folder, fn)
    local saved, kept = package.path, {}
    for name, module in pairs(package.loaded) do
        kept[name] = module
        package.loaded[name] = STANDARD[name] and module or nil
    end
    package.path = folder .. "/?.lua;" .. saved
    local result = fn()
    for name in pairs(package.loaded) do
        package.loaded[name] = nil
    end
    for name, module in pairs(kept) do
        package.loaded[name] = module
    end
    package.path = saved
    return result
end

-- The folders of plugins in `root`, by name.
function manifests.folders(root)
    local folders = {}
    local find = assert(io.popen(("LC_ALL=C ls -d '%splugins/'*/"):format(root)))
    for folder in find:lines() do
        folders[#folders + 1] = folder:gsub("/$", "")
    end
    find:close()
    return folders
end

function manifests.read(folder)
    return manifests.within(folder, function() return require "plugin" end)
end

return manifests
