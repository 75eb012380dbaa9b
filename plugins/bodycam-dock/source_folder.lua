-- source_folder - footage in a folder of this box: a disk that is plugged in, a share that is
-- mounted.
local walk = require "walk"

local folder = {}

local TIMES = { within = 1, clock = "utc" }

function folder.new(host, config)
    return { host = host, config = config, root = config.url:gsub("(.)/+$", "%1"),
        shown = config.url }
end

local function at(self, path)
    return path == "" and self.root or self.root:gsub("^/$", "") .. "/" .. path
end

local function completed(entry)
    for name, value in pairs(TIMES) do
        entry[name] = value
    end
    return entry
end

function folder.look(self, _, breathe)
    return walk.all(function(path)
        local entries, why, code = self.host.folder.list(at(self, path))
        for _, entry in ipairs(entries or {}) do
            completed(entry)
        end
        return entries, why, code
    end, self.config.depth, breathe)
end

function folder.stat(self, path)
    local entry, why, code = self.host.folder.stat(at(self, path))
    return entry and completed(entry), why, code
end

function folder.open(self, path, from)
    return self.host.folder.open(at(self, path), { from = from })
end

function folder.read(self, path, most)
    return self.host.folder.read(at(self, path), { most = most })
end

return folder
