-- http - a device with a web server, made of tables: pages, a memory of what was asked, and faults.
--
--   local terminal = t.http {
--       pages = {
--           ["GET /status"] = "ok",                       -- 200 with this body
--           ["POST /ack"] = { status = 204 },             -- status, headers, body
--           ["GET /alerts"] = { headers = {}, body = "first",   -- a stream: pieces, then its end
--               stream = { { after = "10s", body = "next" } }, stays = true }, -- or no end
--       },
--       login = { user = "admin", password = "secret" },  -- else 401
--       delay = "20ms",                                   -- time for each answer
--       on = function(device, request) ... end,           -- may answer before the pages do
--   }
--   terminal:fail "timeout"           -- from now on; heal() ends it
--   terminal:fail { with = "closed", on = "POST", nth = 2 }
--   terminal:requests "POST /ack"     -- { { at =, name =, method =, path =, query =, headers =,
--                                     --     body =, user =, password =, fault = } }
--
--   local reply = terminal:push(8080, "POST /event", { body = "..." })    -- the plugin serves
--   office:run "1s"                   -- then reply is { status =, headers =, body =, at = }, or
--                                     -- has fault = "refused" or "closed"
--
-- Bodies and headers go out as they are: what the real client does with redirects, digests and
-- compression is its own business and is not played. What is not there is 404.
local duration = require "duration"
local faults = require "testing.faults"
local rehearsal = require "rehearsal"

local FAULTS = { timeout = true, resolve = true, refused = true, closed = true, tls = true,
    too_big = true, auth = true, protocol = true }
local EXPECTED = '"timeout", "resolve", "refused", "closed", "tls", "too_big", "auth" or "protocol"'
local OPTIONS = { pages = true, login = true, delay = true, on = true }

local http = {}
local Http = {}
Http.__index = Http

local function milliseconds(time)
    return math.type(time) == "integer" and time or assert(duration.parse(time), "after, delay")
end

function http.new(options)
    options = options or {}
    for name in pairs(options) do
        if not OPTIONS[name] then
            error(("t.http: %s: expected pages, login, delay or on"):format(name), 3)
        end
    end
    return setmetatable({ pages = options.pages or {}, login = options.login, on = options.on,
        delay = milliseconds(options.delay or 0), asked = {}, faults = {},
        pushed = {} }, Http)
end

function Http:fail(fault)
    faults.add(self.faults, fault, function(with) return FAULTS[with] end, EXPECTED)
end

function Http:heal()
    self.faults = {}
end

---- pushing

function Http:attach(stage, url)
    self.stage, self.url = stage, url
end

-- Pushes "POST /event?x=1" at a port of the plugin, with { headers =, body =, user =, password = }.
-- Answers a table that gets status, headers, body, at, or fault, when time has passed.
function Http:push(port, what, request)
    local sent, reply = {}, {}
    for name, value in pairs(request or {}) do
        sent[name] = value
    end
    sent.method, sent.path, sent.query = what:match("^(%u+) ([^?]+)%??(.*)$")
    if not sent.method then
        error('push: expected what, such as "POST /event"', 2)
    end
    self.pushed[self.stage:push(self.url, port, sent)] = reply
    return reply
end

function Http:answered(id, status, headers, body)
    local reply = self.pushed[id]
    local _, at = rehearsal.now()
    reply.at, reply.status = at, status
    if status then
        reply.headers, reply.body = headers, body
    else
        reply.fault = headers
    end
end

function Http:requests(name)
    return faults.named(self.asked, name)
end

local function remember(self, request)
    local _, at = rehearsal.now()
    request.at = at
    request.path, request.query = request.path:match("^([^?]*)%??(.*)$")
    request.name = request.method .. " " .. request.path
    self.asked[#self.asked + 1] = request
end

local function page_for(self, request)
    local page = self.on and self.on(self, request)
    local login = self.login
    if page == nil and login
        and (request.user ~= login.user or request.password ~= login.password) then
        return { status = 401 }
    end
    if page == nil then
        page = self.pages[request.name]
    end
    if page == nil then
        return { status = 404 }
    end
    return type(page) == "table" and page or { body = page }
end

-- What the host asks (core/rehearse/standins/transfer.c).
function Http:ask(request)
    remember(self, request)
    local fault = faults.next(self.faults, request.name)
    request.fault = fault
    if fault then
        return { fault = fault, delay = fault == "timeout" and request.timeout + 1 or self.delay }
    end
    local page, pieces = page_for(self, request), {}
    for i, piece in ipairs(page.stream or {}) do
        pieces[i] = { after = milliseconds(piece.after or 0), body = piece.body }
    end
    return { status = page.status, headers = page.headers, body = page.body, pieces = pieces,
        stays = page.stays, delay = page.delay and milliseconds(page.delay) or self.delay }
end

return http
