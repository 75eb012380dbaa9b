-- source_http - footage that a web server shows as folders.
--
-- Its listings tell names only, so the head of each file that is not known yet is asked for. The
-- clock is that of the web server.
local listing = require "listing"
local moment = require "moment"
local walk = require "walk"
local web = require "web"

local http = {}

local HTML_MOST, LOOK_MOST = 4 << 20, 500 -- files asked for in one look
local NO_HEAD = { [400] = true, [405] = true, [501] = true }

function http.new(host, config)
    return { host = host, config = config, root = config.path:gsub("/+$", ""),
        shown = config.url .. config.path }
end

local function path_of(self, path)
    return web.escaped(self.root .. "/" .. path)
end

local function clock(self, headers)
    local offset = web.offset(headers, self.host.now())
    self.clock = offset and { offset = offset, from = "server" } or self.clock
end

local function list(self, path)
    local slash = path == "" and "" or "/"
    local answer, why, code = self.host.http.request(web.wish(self.config,
        path_of(self, path .. slash), { most = HTML_MOST, redirects = 1 }))
    if not answer then
        return nil, why, code
    end
    why, code = web.fault(answer.status, 200)
    if why then
        return nil, why, code
    end
    clock(self, answer.headers)
    return listing.of_html(answer.body, self.root .. "/" .. path .. slash,
        self.config.url)
end

local function entry_of(headers)
    local size = headers["content-length"]
    return { kind = "file", size = size and #size <= 15 and math.tointeger(tonumber(size)) or nil,
        time = moment.of_web(headers["last-modified"]), within = 1, clock = "utc" }
end

-- Small servers know no HEAD: the file is begun and left.
local function stat_by_opening(self, path)
    local stream, entry, code = http.open(self, path, 0)
    if not stream then
        return nil, entry, code
    end
    stream:close()
    return entry
end

function http.stat(self, path)
    if self.has_no_head then
        return stat_by_opening(self, path)
    end
    local answer, why, code = self.host.http.request(web.wish(self.config, path_of(self, path),
        { method = "HEAD", headers = { ["Accept-Encoding"] = "identity" } }))
    if not answer then
        return nil, why, code
    elseif NO_HEAD[answer.status] then
        self.has_no_head = true
        return stat_by_opening(self, path)
    end
    why, code = web.fault(answer.status, 200)
    if why then
        return nil, why, code
    end
    local entry = entry_of(answer.headers)
    if not entry.size then -- some tell it with the file only: then its head is of no use
        entry, why, code = stat_by_opening(self, path)
        self.has_no_head = entry ~= nil and entry.size ~= nil
    end
    return entry, why, code
end

-- `is_wanted(path)`: whether its head is to be asked for.
function http.look(self, is_wanted, breathe)
    local files, told, code = walk.all(function(path) return list(self, path) end,
        self.config.depth, breathe)
    if not files then
        return nil, told, code
    end
    local asked = 0
    for path, entry in pairs(files) do
        if asked >= LOOK_MOST then
            told.more = true
            break
        elseif is_wanted(path) then
            local found, why, fault = http.stat(self, path)
            asked = asked + 1
            if not found and fault ~= "missing" and fault ~= "denied" and fault ~= "protocol" then
                return nil, why, fault
            end
            entry.size, entry.time = found and found.size, found and found.time
            entry.within, entry.clock = 1, "utc"
        end
    end
    return files, told
end

-- From `from` on only where the server knows how; else the code is "whole".
function http.open(self, path, from)
    local stream, head, code = self.host.http.stream(web.wish(self.config, path_of(self, path), {
        headers = { ["Accept-Encoding"] = "identity",
            Range = from > 0 and ("bytes=%d-"):format(from) or nil } }))
    if not stream then
        return nil, head, code
    end
    local why, fault = web.fault(head.status, from > 0 and 206 or 200)
    if why then
        stream:close()
        return nil, why, from > 0 and head.status == 200 and "whole" or fault
    end
    local entry = entry_of(head.headers)
    local first, all = (head.headers["content-range"] or ""):match "^bytes (%d+)%-%d+/(%d+)$"
    if from > 0 and tonumber(first) ~= from then
        stream:close()
        return nil, "the dock goes on at another byte", "whole"
    end
    entry.size = from > 0 and math.tointeger(tonumber(all)) or entry.size
    return stream, entry
end

function http.read(self, path, most)
    return web.read(self.host, self.config, path_of(self, path), { most = most })
end

return http
