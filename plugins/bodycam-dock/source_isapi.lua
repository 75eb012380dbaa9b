-- source_isapi - footage that a Hikvision dock or recorder finds by ISAPI ContentMgmt.
--
-- Times are those of the device's clock, which is asked for, too. All of `history` is searched
-- once an hour, the last two days in each look.
local contentmgmt = require "contentmgmt"
local names = require "names"
local time = require "time"
local web = require "web"
local xml = require "xml"

local isapi = {}

local DAY, HOUR = 86400, 3600
local PAGES_MOST, ANSWER_MOST = 200, 1 << 20
local SEARCH, DOWNLOAD = "/ISAPI/ContentMgmt/search", "/ISAPI/ContentMgmt/download"
local HEADERS = { ["Content-Type"] = "application/xml" }

function isapi.new(host, config)
    return { host = host, config = config, shown = config.url, items = {} }
end

local function ask(self, path, body)
    return web.read(self.host, self.config, path,
        { body = body, headers = body and HEADERS or nil, most = ANSWER_MOST })
end

-- A device that does not say its time is one whose clock is not known.
local function read_clock(self)
    local body, why, code = ask(self, "/ISAPI/System/time")
    if not body then
        return code ~= "missing" and code ~= "denied" and code ~= "protocol" and why or nil, code
    end
    local tree = xml.decode(body)
    local told = tree and xml.text(tree, "localTime")
    local seconds = told and time.parse(told, self.config.offset)
    self.clock = seconds and { offset = math.floor(seconds - self.host.now() + 0.5),
        from = "device" } or nil
end

local function path_of(item)
    local name = item.name or ""
    if not name:find "^[%w_.-]+$" or #name > 128 or not item.from or not item.track then
        return nil
    end
    local path = ("%s/%s_%s"):format(item.track, item.from_told:gsub("[^%d]", ""), name)
    return path:find "^%d+/" and not names.fault(path) and path or nil
end

local function add(found, told, item, count)
    local path = contentmgmt.is_there(item) and path_of(item)
    if not path then
        told.passed = told.passed + 1
        return count
    end
    count = count + (found[path] and 0 or 1)
    found[path] = { kind = "file", size = item.size, time = item.to, within = 1, clock = "device",
        from = item.from, to = item.to, told = item.from_told, uri = item.uri, name = item.name,
        kind_of = "video" }
    return count
end

local function search(self, found, told, span)
    local id, position, count = contentmgmt.uuid(self.host.random(16)), 0, 0
    local before
    for _ = 1, PAGES_MOST do
        local body, why, code = ask(self, SEARCH, contentmgmt.query { id = id, track = span.track,
            from = span.from, to = span.to, position = position, offset = self.config.offset })
        if not body then
            return nil, why, code
        end
        local answer, fault = contentmgmt.decode(body, self.config.offset)
        if not answer then
            return nil, "the dock's answer to a search: " .. fault, "protocol"
        end
        for _, item in ipairs(answer.items) do
            count = add(found, told, item, count)
        end
        told.passed = told.passed + answer.upside_down
        local got = #answer.items + answer.upside_down
        position = position + got
        if answer.status ~= "MORE" or got == 0 then
            return true
        elseif before == body then -- it knows no positions: this page is all it shows
            break
        end
        before = body
    end
    told.more = true
    return true
end

function isapi.look(self)
    local why, code = read_clock(self)
    if why then
        return nil, why, code
    end
    local now, mono = self.host.now(), self.host.mono()
    local is_full = not self.full_at or mono - self.full_at >= HOUR
    local back = is_full and self.config.history // 1000 or 2 * DAY
    local found, told = {}, { more = not is_full, passed = 0 }
    for _, track in ipairs(self.config.tracks) do
        local good, fault, fault_code = search(self, found, told, { track = track,
            from = math.floor(now - back), to = math.floor(now + DAY) })
        if not good then
            return nil, fault, fault_code
        end
    end
    self.full_at = is_full and mono or self.full_at
    return found, told
end

-- It can only be looked for again, which the next look does.
function isapi.stat()
    return nil, "a search tells it", "unknown"
end

-- Always from its beginning.
function isapi.open(self, _, from, entry)
    if from > 0 then
        return nil, "it can only be downloaded from its beginning", "whole"
    end
    local stream, head, code = self.host.http.stream(web.wish(self.config, DOWNLOAD, {
        body = contentmgmt.order(entry), headers = HEADERS }))
    if not stream then
        return nil, head, code
    end
    local why, fault = web.fault(head.status, 200)
    local told = math.tointeger(tonumber(head.headers["content-length"] or ""))
    if why then
        stream:close()
        return nil, why, fault
    end
    return stream, { kind = "file", size = told or entry.size }
end

return isapi
