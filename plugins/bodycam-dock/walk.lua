-- walk - all files below a folder, by asking for one folder after the other.
--
-- A folder inside that cannot be read is passed over and counted; when the first one cannot,
-- nothing is known. Bounds on depth, folders and files: what is beyond them is told by `more`.
local names = require "names"

local walk = {}

walk.FOLDERS_MOST, walk.FILES_MOST = 2000, 8000
local PASSED = { missing = true, denied = true, too_big = true }

local function join(folder, name)
    return folder == "" and name or folder .. "/" .. name
end

local function depth_of(path)
    return path == "" and 0 or select(2, path:gsub("/", "")) + 1
end

-- `list(path)` answers entries, or nil, why, code. Answers a map of path -> entry and { more =,
-- passed = how many folders }; or nil, why, code. `breathe`, if given, is called for each entry:
-- there may be thousands in one folder.
function walk.all(list, depth, breathe)
    local files, queue, count, at = {}, { "" }, 0, 1
    local told = { more = false, passed = 0 }
    while queue[at] do
        local entries, why, code = list(queue[at])
        if not entries and (at == 1 or not PASSED[code]) then
            return nil, why, code
        end
        told.passed = told.passed + (entries and 0 or 1)
        for _, entry in ipairs(entries or {}) do
            local path = join(queue[at], entry.name)
            if breathe then
                breathe()
            end
            if names.fault(path) then
                told.passed = told.passed + 1
            elseif entry.kind == "folder" then
                local fits = #queue < walk.FOLDERS_MOST and depth_of(path) <= depth
                local is_ours = not names.is_bin(entry.name)
                queue[#queue + 1] = is_ours and fits and path or nil
                told.more = told.more or is_ours and not fits
            elseif count < walk.FILES_MOST then
                files[path], count = entry, count + 1
            else
                told.more = true
            end
        end
        queue[at] = false
        at = at + 1
    end
    return files, told
end

return walk
