-- names_fuzz - what must hold for any name, any pattern and anything at the root of a recorder; see
-- names_fuzz.c.
--
-- Nothing raises or takes long; what is told has the letters it may have; no path leads out of its
-- folder. The first byte says which kind it is; names and patterns are made of a few words, because
-- nothing leads the fuzzer inside Lua.
local contentmgmt = require "contentmgmt"
local container = require "container"
local identity = require "identity"
local listing = require "listing"
local moment = require "moment"
local names = require "names"
local report = require "report"
local zfy = require "zfy"

local USUAL = assert(names.compile(names.USUAL))
local WORDS = { "T1A0001", "012345", "20260411083015", "_", "-", ".MP4", "IMP", "/", "..", "330106",
    "\xd6\xb4", "0001", ".part", "2026-04-11", " ", "*" }
local PIECES = { "{officer:6}", "{device}", "{yyyyMMddHHmmss}", "[", "]", "*", "_", "{seq}", "{",
    "}", "{important:IMP}", "{unit:6-12}", "a", "{time:yy-MM}", "{x}", "{officer:9-1}" }

local function made(bytes, words)
    local parts = {}
    for at = 1, #bytes do
        parts[at] = words[bytes:byte(at) % #words + 1]
    end
    return table.concat(parts)
end

local CODES = { officer = true, device = true, unit = true, channel = true }

local function check_found(found)
    for name, value in pairs(found) do
        assert(not CODES[name] or #value <= 32 and value:find "^[%w-]+$", name)
        assert(type(value) ~= "string" or utf8.len(value), name)
    end
    assert((found.time == nil) == (found.told == nil) or found.officer_name ~= nil)
end

local function check_name(patterns, name)
    local found = names.read(patterns, name, 480)
    if found then
        assert(not name:find "^/" and not ("/" .. name .. "/"):find("/../", 1, true))
        check_found(found)
    end
    names.is_half(name)
    names.letters(name)
end

local KINDS = {
    function(bytes) check_name(USUAL, bytes) end,
    function(bytes) check_name(USUAL, made(bytes, WORDS)) end,
    function(bytes)
        local half = #bytes // 2
        local patterns = names.compile { made(bytes:sub(1, half), PIECES) }
        if patterns then
            check_name(patterns, made(bytes:sub(half + 1), WORDS))
        end
    end,
    function(bytes)
        for _, read in ipairs { zfy.struct, zfy.ini, zfy.sn } do
            check_found(read(bytes) or {})
        end
        check_found(zfy.struct(bytes .. ("\0"):rep(94 - #bytes)) or {})
    end,
    function(bytes)
        for _, entry in ipairs(listing.of_html('<a href="' .. bytes .. '">')) do
            assert(not entry.name:find "[/%c]" and entry.name ~= ".." and entry.name ~= "")
        end
        listing.of_html(bytes)
        report.decode(bytes, 480)
    end,
    function(bytes) -- a clip in pieces says what it says as a whole
        local whole, pieces = container.new(), container.new()
        container.feed(whole, bytes)
        for at = 1, #bytes, 3 do
            container.feed(pieces, bytes:sub(at, at + 2))
        end
        assert(whole.time == pieces.time and #whole.held <= #bytes)
        assert(not whole.time or whole.time >= 946684800)
    end,
    function(bytes)
        local made_of = made(bytes, { "\0\0\0\16", "moov", "mvhd", "ftyp", "\0\0\0\1", "\0",
            "\xE4\x00\x00\x00", "free", "\0\0\0\0\0\0\0\20", "isom" })
        local whole, pieces = container.new(), container.new()
        container.feed(whole, made_of)
        for at = 1, #made_of do
            container.feed(pieces, made_of:sub(at, at))
        end
        assert(whole.time == pieces.time)
    end,
    function(bytes)
        local answer = contentmgmt.decode(bytes, 480)
        for _, item in ipairs(answer and answer.items or {}) do
            contentmgmt.order(item)
        end
        identity.report(bytes, "a/b.mp4", 1, 480)
        identity.by_folder { { path = bytes, told = {} } }
        identity.of({ [""] = {} }, bytes)
        assert(identity.kind(bytes, { size = 94 }) ~= "report")
        moment.of_web(bytes)
    end,
}

return function(bytes)
    KINDS[(bytes:byte(1) or 0) % #KINDS + 1](bytes:sub(2))
end
