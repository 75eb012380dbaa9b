-- ftp - a file server, made of a table: files, a memory of what was asked, and faults.
--
--   local dock = t.ftp {
--       files = {
--           ["/20261121/a.mp4"] = "bytes",                -- or, with more of it:
--           ["/20261121/b.mp4"] = { body = "bytes", time = 1795230245, breaks = 100 },
--       },
--       login = { user = "dock", password = "secret" },   -- else reply 530
--       exact = true,         -- false: listings as Unix prints them, its clock to the minute
--       listings = { ["/old"] = "11-21-26  11:04AM  5 a.mp4\r\n" }, -- as that server prints it
--       delay = "20ms",       -- time for each answer
--       on = function(device, request) ... end,           -- before each answer
--   }
--   dock:fail "timeout"       -- from now on; heal() ends it
--   dock:fail { with = "closed", on = "read", nth = 2 }
--   dock:requests "remove"    -- { { at =, name = "remove /a", call =, path =, to =, from =,
--                             --     user =, password =, fault = } }
--   dock.files                -- may change at any time; rename and remove change it
--
-- A file that `breaks` gives so many bytes and then the connection ends. `time` is seconds UTC, 0
-- when left out; `size` may be another than that of `body`. The server's own clock is UTC.
local duration = require "duration"
local faults = require "testing.faults"
local rehearsal = require "rehearsal"
local time = require "time"

local FAULTS = { timeout = true, resolve = true, refused = true, closed = true, tls = true,
    auth = true, protocol = true, missing = true, denied = true }
local EXPECTED = '"timeout", "resolve", "refused", "closed", "tls", "auth", "protocol", "missing" '
    .. 'or "denied"'
local REPLIES = { auth = 530, missing = 550, denied = 553 }
local OPTIONS = { files = true, login = true, exact = true, listings = true, delay = true,
    on = true }
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
    "Dec" }

local ftp = {}
local Ftp = {}
Ftp.__index = Ftp

function ftp.new(options)
    options = options or {}
    for name in pairs(options) do
        if not OPTIONS[name] then
            error(("t.ftp: %s: expected files, login, exact, listings, delay or on"):format(name),
                3)
        end
    end
    local delay = options.delay or 0
    return setmetatable({ files = options.files or {}, login = options.login,
        exact = options.exact ~= false, listings = options.listings or {}, on = options.on,
        asked = {}, faults = {},
        delay = math.type(delay) == "integer" and delay or assert(duration.parse(delay)) }, Ftp)
end

function Ftp:fail(fault)
    faults.add(self.faults, fault, function(with) return FAULTS[with] end, EXPECTED)
end

function Ftp:heal()
    self.faults = {}
end

function Ftp:requests(name)
    return faults.named(self.asked, name)
end

-- The login leads to the root.
local function absolute(path)
    return path:find("^/") and path or "/" .. path
end

local function file_at(self, path)
    local file = self.files[absolute(path)]
    return type(file) == "string" and { body = file } or file
end

local function size_of(file)
    return file.size or #(file.body or "")
end

---- listings

local function exact_line(name, file)
    if not file then
        return ("type=dir; %s\r\n"):format(name)
    end
    local moment = time.format(file.time or 0):gsub("[^%d]", ""):sub(1, 14)
    return ("type=file;size=%d;modify=%s; %s\r\n"):format(size_of(file), moment, name)
end

-- Without a year when it is of the last half year, as ls does it.
local function unix_line(name, file)
    if not file then
        return ("drwxr-xr-x 2 ftp ftp 4096 Jan  1  1970 %s\r\n"):format(name)
    end
    local utc = rehearsal.now()
    local year, month, day, clock = time.format(file.time or 0)
        :match("^(%d+)-(%d+)-(%d+)T(%d+:%d+)")
    local is_new = utc - (file.time or 0) < 180 * 86400
    return ("-rw-r--r-- 1 ftp ftp %12d %s %2d %5s %s\r\n"):format(size_of(file),
        MONTHS[tonumber(month)], tonumber(day), is_new and clock or year, name)
end

local function listing(self, folder)
    local prefix, seen, lines = folder:gsub("/*$", "") .. "/", {}, {}
    for path in pairs(self.files) do
        local name, below = path:sub(#prefix + 1):match("^([^/]+)(/?)")
        if path:sub(1, #prefix) == prefix and name and not seen[name] then
            seen[name] = true
            local file = below == "" and file_at(self, path) or nil
            lines[#lines + 1] = (self.exact and exact_line or unix_line)(name, file)
        end
    end
    table.sort(lines)
    return (next(lines) or prefix == "/") and table.concat(lines) or nil
end

---- what is asked

local answers = {}

function answers.list(self, request)
    local path = absolute(request.path)
    local printed = self.listings[path:gsub("(.)/+$", "%1")]
    if printed then
        return { body = printed, facts = self.exact }
    end
    local body = listing(self, path)
    return body and { body = body, facts = self.exact } or { fault = "missing" }
end

function answers.read(self, request)
    local file = file_at(self, request.path)
    if not file then
        return { fault = "missing" }
    end
    local body = file.body or ""
    if request.from > #body then
        return { fault = "argument" }
    end
    local broken = file.breaks and file.breaks < #body and file.breaks >= request.from
    return { body = body:sub(request.from + 1, broken and file.breaks or -1), size = size_of(file),
        time = file.time, breaks = broken }
end

function answers.stat(self, request)
    local file = file_at(self, request.path)
    return file and { size = size_of(file), time = file.time } or { fault = "missing" }
end

function answers.rename(self, request)
    local file = self.files[request.path]
    if not file then
        return { fault = "missing" }
    end
    self.files[request.path], self.files[request.to] = nil, file
    return {}
end

function answers.remove(self, request)
    local there = self.files[request.path] ~= nil
    self.files[request.path] = nil
    return there and {} or { fault = "missing" }
end

local function answer(self, request)
    local fault = faults.next(self.faults, request.name)
    local login = self.login
    if fault then
        return { fault = fault }
    elseif login and (request.user ~= login.user or request.password ~= login.password) then
        return { fault = "auth" }
    end
    return answers[request.call](self, request)
end

-- What the host asks (core/rehearse/standins/fetch.c).
function Ftp:ask(request)
    local _, at = rehearsal.now()
    request.at, request.name = at, request.call .. " " .. request.path
    self.asked[#self.asked + 1] = request
    if self.on then
        self.on(self, request)
    end
    local reply = answer(self, request)
    request.fault = reply.fault
    reply.reply = reply.fault and REPLIES[reply.fault] or 226
    reply.delay = reply.fault == "timeout" and request.timeout + 1 or self.delay
    return reply
end

return ftp
