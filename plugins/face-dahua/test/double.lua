-- double - a terminal made of tables: its records, its clock, its stream. For tests.
local t = require "testing"
local time = require "time"

local double = {}

double.URL = "http://10.0.0.30"
double.PASSWORD = "Secret-77"
double.START = 1795219200 -- 2026-11-21T00:00:00Z, when a rehearsal begins

-- A record as recordFinder lists it.
function double.row(serial, seconds, more)
    local row = { RecNo = serial, CreateTime = seconds, UserID = "1001", Status = 1, Method = 15,
        Door = 0, CardName = "ZHANG SAN" }
    for name, value in pairs(more or {}) do
        row[name] = value
    end
    return row
end

local function find(self, query)
    local from, to = query:match("StartTime=([^&]+)&EndTime=([^&]+)")
    local is_text = from:find("%%20") ~= nil
    if is_text ~= (self.form == "text") then
        return "Error\r\nBad Request!\r\n"
    end
    if is_text then
        from, to = time.parse(from:gsub("%%20", " "), 480), time.parse(to:gsub("%%20", " "), 480)
    end
    if self.oldest and tonumber(from) < self.oldest then
        return "Error\r\nInternal\r\n"
    end
    local lines, count = {}, 0
    for _, row in ipairs(self.rows) do
        if row.CreateTime >= tonumber(from) and row.CreateTime <= tonumber(to)
            and count < self.cap then
            for name, value in pairs(row) do
                if name == "CreateTime" and is_text then
                    value = time.format(value, 480):sub(1, 19):gsub("T", " ")
                end
                lines[#lines + 1] = ("records[%d].%s=%s"):format(count, name, value)
            end
            count = count + 1
        end
    end
    return count == 0 and "Error: No Events\r\n"
        or ("found=%d\r\n%s\r\n"):format(count, table.concat(lines, "\r\n"))
end

local function answer(self, request)
    if request.path:find("recordFinder", 1, true) then
        return { body = self.rows and find(self, request.query) or "Error\r\nBad Request!\r\n" }
    elseif request.path:find("global.cgi", 1, true) then
        local shown = t.office_now() + self.ahead
        return { body = "result=" .. time.format(shown, 480):sub(1, 19):gsub("T", " ") .. "\r\n" }
    elseif request.query:find("getSystemInfo", 1, true) then
        return { body = ("deviceType=ASI7213X\r\nserialNumber=%s\r\n"):format(self.serial) }
    elseif request.query:find("getSoftwareVersion", 1, true) then
        return { body = "version=2.000.0000000.1.R,build:2020-01-01\r\n" }
    elseif request.path:find("eventManager", 1, true) and self.stream then
        return { headers = { ["Content-Type"] = "multipart/x-mixed-replace; boundary=myboundary" },
            body = "", stream = self.stream, stays = true }
    end
    return { status = 404 }
end

function double.part(text)
    return ("--myboundary\r\nContent-Type: text/plain\r\nContent-Length:%d\r\n\r\n%s\r\n\r\n")
        :format(#text, text)
end

-- A stream that says these texts ("5s" apart, each with what comes `after` it), else heartbeats.
function double.stream(texts, heartbeats)
    local pieces = {}
    for _, text in ipairs(texts) do
        pieces[#pieces + 1] = { after = "5s", body = double.part(text) }
    end
    for _ = 1, heartbeats or 900 do
        pieces[#pieces + 1] = { after = "5s", body = double.part "Heartbeat" }
    end
    return pieces
end

function double.face(seconds, user)
    return ('Code=_DoorFace_;action=Pulse;index=0;data={\n   "Door" : 0,\n   "RealUTC" : %d,\n'
        .. '   "Similarity" : 92,\n   "UserID" : "%s"\n}'):format(seconds, user or "1001")
end

-- options: rows, stream, cap, form = "epoch" or "text", serial, ahead = seconds of its clock.
-- With `oldest` set it fails when it is asked about what was before.
function double.new(options)
    local self = { rows = options.rows, stream = options.stream, cap = options.cap or 1024,
        form = options.form or "epoch", serial = options.serial or "5PGM37",
        ahead = options.ahead or 0 }
    self.http = t.http { login = { user = "admin", password = double.PASSWORD },
        on = function(_, request)
            if request.user == "admin" and request.password == double.PASSWORD then
                return answer(self, request)
            end
        end }
    return self
end

-- An office with it.
function double.office(terminal, config)
    config = config or {}
    config.url, config.password = double.URL, config.password or double.PASSWORD
    local office = t.office { config = config, devices = { [double.URL] = terminal.http } }
    return office
end

function t.office_now()
    return (require("rehearsal").now())
end

return double
