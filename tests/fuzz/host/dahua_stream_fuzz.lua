-- dahua_stream_fuzz - what must hold for anything on a stream or in an upload; see plugin_fuzz.h.
--
-- Nothing raises; the same messages come out however the bytes are split; no more than the bound
-- waits; a good message behind any noise is heard; and what becomes an event is what
-- lua/checkin.lua declares. Nothing leads the fuzzer inside Lua, so a byte below 32 stands for a
-- word that matters.
local checkin = require "checkin"
local cutter = require "cutter"
local inflate = require "inflate"
local message = require "message"
local methods = require "methods"
local translate = require "translate"
local upload = require "upload"

local EVENTS = checkin.events()
local MOST = 600
local GOOD = 'Code=AccessControl;action=Pulse;index=0;data={"UserID":"7"}'
local ABOUT = { terminal = "T", offset = 480, methods = methods.of({}, {}), live = true }
local name_of = checkin.naming({}, function(text) return ("%020x"):format(#text) end)

local WORDS = { [0] = "--b\r\n", "Content-Length: ", "Content-Type: text/plain\r\n", "\r\n\r\n",
    "Code=AccessControl;action=Pulse;index=0;data={", "Code=_DoorFace_", "Heartbeat",
    '"UserID":"7"', "}", "\n", '"', "\\", "{", "--b--\r\n", "Events[0].", "\r\n",
    "Content-Type: image/jpeg\r\n",
    ";data=", '{"Code":"A","Data":', '"RealUTC":1790665389000', '"Status":1,"ErrorCode":', "Events",
    '"Method":', "Code=DoorStatus;action=Pulse;index=0;data=", '{"Status":"Open"}', "[", "]", ",",
    "Code=Duress;", GOOD, "\xFF\xD8", "\x95\x5C" }

local function expand(bytes)
    return (bytes:gsub("[%z\1-\31]", function(byte) return WORDS[byte:byte()] end))
end

local function texts_of(bytes, pieces)
    local one, texts, at = cutter.new { most = MOST }, {}, 1
    local function keep(items)
        for _, item in ipairs(items) do
            texts[#texts + 1] = item.text
        end
    end
    while at <= #bytes do
        local piece = pieces()
        keep(one:feed(bytes:sub(at, at + piece - 1)))
        assert(#one.rest <= MOST + 4096 + piece, "too much waits")
        at = at + piece
    end
    keep(one:feed("\r\n\r\n--b\r\n\r\n" .. GOOD .. "\r\n--b\r\n\r\n" .. GOOD .. "\r\n"))
    keep(one:finish())
    return texts
end

local function same_size(size)
    return function() return size end
end

local function check_events(text)
    for _, event in ipairs(message.read(text) or {}) do
        local record = translate.event(event, ABOUT)
        if record then
            assert(record.window >= 0)
            local told = checkin.meaning(record, name_of)
            assert(EVENTS[told.type].data:check(told.data))
        end
    end
end

return function(bytes)
    local text = expand(bytes)
    local whole = texts_of(text, same_size(#text + 1))
    local joined = table.concat(whole, "\0")
    for _, size in ipairs { 1, 2, 3, 7, 31 } do
        local again = table.concat(texts_of(text, same_size(size)), "\0")
        assert(#text > MOST or again == joined, "a split changes what is said")
    end
    assert(whole[#whole] == GOOD, "a good message is not heard")
    for _, one in ipairs(whole) do
        check_events(one)
    end
    for _, body in ipairs { bytes, text } do
        for _, item in ipairs(upload.read(body, "gzip", "multipart/mixed", inflate.decode) or {}) do
            check_events(item.text or "")
        end
    end
end
