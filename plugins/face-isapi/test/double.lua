-- double - an ISAPI terminal of tables, for the tests: who it is, its clock, records and quirks.
--
--   local one = double.new { serial = "DS-1" }
--   one:record { minor = 75, person = "8001" }     -- stored under the next serial number
--   local office = double.begin(one, { mode = "push" })
--   one:push(one.records[1])                       -- { status =, ... } when time has passed
local json = require "json"
local rehearsal = require "rehearsal"
local t = require "testing"
local time = require "time"

local double = { URL = "http://10.0.0.9", USER = "admin", PASSWORD = "Test-Pass-1" }
local Double = {}
Double.__index = Double

local BASE = 1795230245 -- 2026-11-21T03:04:05Z
local INFO = [[<?xml version="1.0" encoding="UTF-8"?>
<DeviceInfo version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<deviceName>a name</deviceName><model>DS-K1T344</model><serialNumber>%s</serialNumber>
<macAddress>a4:d5:c2:00:00:01</macAddress><firmwareVersion>V4.31</firmwareVersion>
</DeviceInfo>]]
local CLOCK = [[<Time><timeMode>manual</timeMode><localTime>%s</localTime>
<timeZone>CST-8:00:00</timeZone></Time>]]
local DONE = [[<ResponseStatus><statusCode>1</statusCode></ResponseStatus>]]

local function moment(seconds)
    return (time.format(seconds, 480):gsub("%.%d+", ""))
end

function double.new(options)
    local self = setmetatable({ serial = "DS-K1T344-0001", records = {}, last = 0, drift = 0,
        page = 30, people = {}, asked = 0 }, Double)
    for name, value in pairs(options or {}) do
        self[name] = value
    end
    self.http = t.http { on = function(_, request) return self:answer(request) end }
    return self
end

-- ---- Records

function Double:record(one)
    self.last = one.serialNo or self.last + 1
    one.serialNo, one.major, one.minor = self.last, one.major or 5, one.minor or 75
    one.time = one.time or moment(BASE + #self.records)
    one.employeeNoString, one.person = one.person, nil
    self.records[#self.records + 1] = one
    return one
end

-- Visits of seven persons, each with its lock opened and closed.
function Double:fill(count)
    for i = 1, count do
        self:record { minor = i % 3 == 1 and 75 or i % 3 == 2 and 21 or 22,
            person = i % 3 == 1 and tostring(8000 + i % 7) or nil }
    end
end

-- As it is told live.
function Double.alert(_, one, live)
    local event = { majorEventType = one.major, subEventType = one.minor, serialNo = one.serialNo,
        employeeNoString = one.employeeNoString, currentEvent = live, name = "SECRET-NAME",
        deviceName = "SECRET-DEVICE", cardNo = "0012345678", picturesNumber = one.pictures,
        pictureURL = one.url }
    return json.encode { ipAddress = "10.0.0.9", dateTime = one.time, activePostCount = 1,
        eventType = "AccessControllerEvent", eventState = "active", AccessControllerEvent = event }
end

function Double:push(one, live)
    return self.http:push(8088, "POST /isapi", { body = self:alert(one, live ~= false),
        headers = { ["Content-Type"] = "application/json" } })
end

-- ---- Answers

local function chosen(self, cond)
    local list = {}
    for _, one in ipairs(self.records) do
        local first, last = cond.beginSerialNo or 0, cond.endSerialNo or math.maxinteger
        if one.serialNo >= first and one.serialNo <= last or self.ignores_range then
            list[#list + 1] = one
        end
    end
    if self.by_time then
        table.sort(list, function(a, b)
            return a.time == b.time and a.serialNo > b.serialNo or a.time < b.time
        end)
    elseif self.newest_first then
        table.sort(list, function(a, b) return a.serialNo > b.serialNo end)
    end
    return list
end

local function item(one)
    return { major = one.major, minor = one.minor, time = one.time, serialNo = one.serialNo,
        employeeNoString = one.employeeNoString, name = "SECRET-NAME", doorNo = 1,
        pictureURL = "http://10.0.0.9/LOCALS/pic/1.jpeg@WEB0001" }
end

function Double:search(body)
    local cond = json.decode(body).AcsEventCond
    if self.no_range and cond.beginSerialNo then
        return { status = 400, body = [[{"statusCode":6,"subStatusCode":"badJsonContent"}]] }
    end
    local list, items = chosen(self, cond), json.array()
    local position = self.same_page and 0 or cond.searchResultPosition
    for i = position + 1, math.min(#list, position + math.min(cond.maxResults, self.page)) do
        items[#items + 1] = item(list[i])
    end
    local status = #list == 0 and "NO MATCH" or position + #items < #list and "MORE" or "OK"
    return { body = json.encode { AcsEvent = { searchID = cond.searchID,
        totalMatches = self.total and self.total(#list) or not self.total and #list or nil,
        responseStatusStrg = not self.no_status and status or nil, numOfMatches = #items,
        InfoList = #items > 0 and items or nil } } }
end

local PAGES = {
    ["GET /ISAPI/System/deviceInfo"] = function(self)
        return { body = INFO:format(self.serial) }
    end,
    ["GET /ISAPI/System/time"] = function(self)
        return { body = CLOCK:format(moment(rehearsal.now() + self.drift)) }
    end,
    ["PUT /ISAPI/System/time"] = function(self)
        self.drift = 0
        return { body = DONE }
    end,
    ["POST /ISAPI/AccessControl/AcsEvent"] = function(self, request)
        return not self.no_search and self:search(request.body) or { status = 404 }
    end,
    ["GET /ISAPI/Event/notification/httpHosts"] = function(self)
        return { body = self.hosts or "<HttpHostNotificationList/>" }
    end,
    ["PUT /ISAPI/Event/notification/httpHosts/1"] = function(self, request)
        self.hosts = request.body
        return { body = DONE }
    end,
    ["GET /ISAPI/Event/notification/alertStream"] = function(self)
        self.sessions = (self.sessions or 0) + 1
        return self.stream and self.stream(self.sessions) or { status = 404 }
    end,
}

function Double:answer(request)
    self.asked = self.asked + 1
    if request.user ~= double.USER or request.password ~= (self.password or double.PASSWORD) then
        return { status = 401, body = self.lock or "" }
    end
    local page = (self.pages or {})[request.name] or PAGES[request.name]
    return page and page(self, request) or nil
end

-- ---- The plugin before it

function double.config(more)
    local config = { url = double.URL, user = double.USER, password = double.PASSWORD,
        mode = "poll" }
    for name, value in pairs(more or {}) do
        config[name] = value
    end
    return config
end

function double.begin(one, more)
    return t.office { config = double.config(more), devices = { [double.URL] = one.http } }
end

return double
