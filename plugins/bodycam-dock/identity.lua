-- identity - whose recorder it is: the files beside footage that say so. Pure.
--
-- sn.txt, an ini or a ZFY_INFO lie at the root of a recorder's disk, or in the folder that a dock
-- has made for it: they are for all footage in that folder and below it, the nearest first.
local names = require "names"
local report = require "report"
local zfy = require "zfy"

local identity = {}

identity.MOST = 256 -- such files in one listing
local NAMES = { ["sn.txt"] = "sn", ["zfy_info"] = "struct", ["zfyinfo"] = "struct" }

-- What kind of such a file it is, or nil.
function identity.kind(path, entry)
    local name = path:match("[^/]*$"):lower()
    if not entry.size or entry.size == 0 or entry.size > zfy.FILE_MOST then
        return nil
    end
    local kind = NAMES[name] or NAMES[name:match "^(.*)%.%w+$" or ""]
    if kind == "struct" then
        return entry.size == zfy.SIZE and kind or nil
    end
    return kind or name:find "%.ini$" and "ini" or nil
end

local READERS = { sn = zfy.sn, ini = zfy.ini, struct = zfy.struct }

-- What its bytes say; an empty table when that is nothing.
function identity.read(kind, bytes, offset)
    return READERS[kind](bytes, offset) or {}
end

-- The folder that a file lies in: "" for the first.
local function folder_of(path)
    return path:match "^(.*)/[^/]*$" or ""
end

-- Files as { path =, told = } in the order of their paths -> what is said of each folder.
function identity.by_folder(files)
    local folders = {}
    for _, file in ipairs(files) do
        local folder = folder_of(file.path)
        folders[folder] = folders[folder] or {}
        for name, value in pairs(file.told) do
            folders[folder][name] = folders[folder][name] or value
        end
    end
    return folders
end

-- Who the footage at `path` belongs to: { device =, officer =, unit = }, nearest first.
function identity.of(folders, path)
    local folder, found = path, {}
    repeat
        folder = folder_of(folder)
        for name, value in pairs(folders[folder] or {}) do
            found[name] = found[name] or value
        end
    until folder == ""
    return found
end

-- Where a collection station's report of a file may lie, beside it.
function identity.reports(path)
    local stem = path:match "^(.*)%.%w+$"
    return { path .. ".json", stem and stem .. ".json" or nil }
end

-- The report, when it is one of this very file.
function identity.report(bytes, path, size, offset)
    local told = report.decode(bytes, offset)
    local name = names.letters(path:match "[^/]*$")
    return told and told.name == name and told.size == size and told or nil
end

return identity
