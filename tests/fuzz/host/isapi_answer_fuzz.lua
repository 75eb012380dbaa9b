-- isapi_answer_fuzz - what must hold for anything that a terminal answers.
--
-- Nothing raises; a page's facts are as many as its bytes can hold, each has the bytes it came in,
-- and a search over such pages ends; what is told of an answer is a word and no text of the
-- terminal. A byte below 32 stands for a word that matters, because nothing leads the fuzzer inside
-- Lua.
local answer = require "answer"
local device = require "device"
local fact = require "fact"
local people = require "people"
local search = require "search"

local WORDS = { [0] = '{"AcsEvent":{"responseStatusStrg":"MORE",', '"InfoList":[',
    '{"major":5,"minor":',
    '"serialNo":', "75,", "21,", '"time":"2026-11-21T11:04:05+08:00"', "},", "}]}}",
    '"totalMatches":30,', '"numOfMatches":', "1", "2", "3000000001", '"OK"', '"NO MATCH"', '\\"',
    "]", "{", '"a]}":"{["',
    '{"UserInfoSearch":{"UserInfo":[{"employeeNo":"1","numOfFace":', "<DeviceInfo><serialNumber>",
    "</serialNumber></DeviceInfo>",
    "<Time><localTime>2026-11-21T11:04:05+08:00</localTime><timeZone>",
    "CST-8:00:00</timeZone></Time>", '{"statusCode":', '"subStatusCode":"notSupport"}',
    "<userCheck><lockStatus>locked</lockStatus><unlockTime>", "</unlockTime></userCheck>",
    "<HttpHostNotification><id>", "</id></HttpHostNotification>", "null" }

local function expand(bytes)
    return (bytes:gsub("[%z\1-\31]", function(byte) return WORDS[byte:byte()] end))
end

local function identity(one)
    return fact.identity(one, 480)
end

-- Pages that begin a little later in the bytes each time.
local function check_search(text)
    local found, pages = search.collection(function() return true end), 0
    repeat
        pages = pages + 1
        local page = search.page(text:sub(pages * 5 % (#text + 1) + 1))
        local more = page and search.take(found, page, identity)
    until not more or pages == 40
    local before = 0
    for _, one in ipairs(search.sorted(found, function(f) return fact.seconds(f, 480) end)) do
        assert(one.serialNo >= before and one.serialNo <= search.MOST_EVER)
        before = one.serialNo
    end
end

local function check_page(text)
    local page, why = search.page(text)
    assert(page or type(why) == "string")
    for _, one in ipairs(page and page.facts or {}) do
        assert(not one.raw or text:find(one.raw, 1, true))
    end
    assert(not page or #page.facts * 8 <= #text)
end

local function check_word(word)
    assert(word == nil or #word <= 64 and word:find "^[%w _.-]+$")
end

return function(bytes)
    local text = expand(bytes)
    check_page(text)
    check_search(text)
    for _, status in ipairs { 200, 400, 401 } do
        local said = answer.read(status, text)
        check_word(said.sub)
        check_word(said.missing)
        assert(#answer.why(status, said) < 200)
    end
    local locked, seconds = answer.lock(text)
    assert(not seconds or locked and seconds >= 0)
    local info = device.info(text)
    assert(not info or #info.serial <= 64)
    local clock = device.clock(text)
    assert(not clock or math.type(clock.seconds))
    device.hosts(text)
    local persons = people.page(text)
    for _, one in ipairs(persons and persons.list or {}) do
        assert(#one.number <= 32 and one.faces <= 1000)
    end
end
