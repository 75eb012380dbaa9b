-- source_ftp - footage on the file server of a dock.
local walk = require "walk"

local ftp = {}

function ftp.new(host, config)
    return { host = host, config = config, root = config.path:gsub("/+$", ""),
        shown = config.url:gsub("%?.*$", "") .. config.path }
end

local function wish(self, path, more)
    local config = self.config
    local asked = { url = config.url, user = config.user, password = config.password,
        ca = config.ca, host_key = config.host_key, insecure = config.insecure or nil,
        timeout = config.timeout,
        path = self.root .. "/" .. path }
    for name, value in pairs(more or {}) do
        asked[name] = value
    end
    return asked
end

-- A listing that is not exact has the server's own clock.
local function completed(self, entry)
    if entry.clock == "server" and entry.time then
        entry.time = entry.time - self.config.offset * 60
    end
    return entry
end

function ftp.look(self, _, breathe)
    return walk.all(function(path)
        local entries, why, code = self.host.ftp.list(wish(self, path, { most = 8 << 20 }))
        for _, entry in ipairs(entries or {}) do
            completed(self, entry)
        end
        return entries, why, code
    end, self.config.depth, breathe)
end

local function exact(file)
    return { kind = "file", size = file.size, time = file.time, within = 1, clock = "utc" }
end

function ftp.stat(self, path)
    local file, why, code = self.host.ftp.stat(wish(self, path))
    return file and exact(file), why, code
end

function ftp.open(self, path, from)
    local stream, file, code = self.host.ftp.stream(wish(self, path, { from = from }))
    if not stream then
        return nil, file, code
    end
    return stream, exact(file)
end

function ftp.read(self, path, most)
    return self.host.ftp.read(wish(self, path, { most = most }))
end

return ftp
