-- isapi_notice_fuzz - what must hold for anything that a terminal pushes or says in its stream.
--
-- Nothing raises; parts lie in the body and are bounded; what becomes an event is what
-- lua/checkin.lua declares, and holds no name, no card and no text of the terminal. A byte below 32
-- stands for a word that matters, because nothing leads the fuzzer inside Lua.
local checkin = require "checkin"
local fact = require "fact"
local json = require "json"
local multipart = require "multipart"
local notice = require "notice"

local EVENTS = checkin.events()
local ABOUT = { terminal = "T", offset = 480, sha256 = function() return ("0"):rep(64) end }
local TYPE = "multipart/form-data; boundary=b"
local name_of = checkin.naming({}, function(text) return ("%020x"):format(#text) end)

local WORDS = { [0] = '{"eventType":"AccessControllerEvent","AccessControllerEvent":{', "\r\n",
    "--b\r\n", "--b--", "Content-Type: application/json\r\n\r\n", "Content-Length: ",
    '"majorEventType":', '"subEventType":', '"serialNo":', '"employeeNoString":"',
    '"name":"MARKER"', '"currentEvent":true', '"dateTime":"2026-11-21T11:04:05+08:00"',
    '"1970-01-01T00:00:00"', "5,", "75,", "1028,", "}}",
    "<EventNotificationAlert><eventType>", "AccessControllerEvent</eventType>",
    "<AccessControllerEvent><majorEventType>5</majorEventType><subEventType>",
    "</subEventType></AccessControllerEvent></EventNotificationAlert>", '"eventType":"videoloss",',
    '"eventState":"inactive"', '{"EventNotificationAlert":', "null", '":[{"', "\xB0\x5C", "\\u0000",
    "99999999999999999999", "-1", '","' }

local function expand(bytes)
    return (bytes:gsub("[%z\1-\31]", function(byte) return WORDS[byte:byte()] end))
end

local function check_fact(one)
    local record = fact.record(one, ABOUT)
    local told = checkin.meaning(record, name_of)
    assert(EVENTS[told.type].data:check(told.data))
    assert(not json.encode(told.data):find "MARKER")
    assert(#told.subject <= 64 + 20)
    assert(type(fact.identity(one, 480)) == "string" and #fact.identity(one, 480) < 400)
end

local function check_notice(found, why)
    assert(found or type(why) == "string")
    assert(not found or found.kind ~= "record" or found.fact)
    if found and found.fact then
        check_fact(found.fact)
        for _, one in ipairs(found.more) do
            check_fact(one)
        end
    end
end

return function(bytes)
    local text = expand(bytes)
    check_notice(notice.pushed(text, "application/json"))
    check_notice(notice.pushed(text, TYPE))
    local parts = multipart.parts(text, TYPE)
    local length = 0
    for _, part in ipairs(parts or {}) do
        length = length + #part.body
        assert(text:find(part.body, 1, true))
    end
    assert(length <= #text and #(parts or {}) <= 64)
end
