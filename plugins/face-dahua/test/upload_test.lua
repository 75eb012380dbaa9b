local inflate = require "inflate"
local t = require "testing"
local upload = require "upload"

local JSON = '{"Code":"AccessControl","Data":{"UserID":"7"}}'

-- Packed, by hand.
local function raw(text)
    local length = #text
    return "\x01" .. ("<I2I2"):pack(length, ~length & 0xFFFF) .. text -- one stored block
end

local function adler(text)
    local a, b = 1, 0
    for i = 1, #text do
        a = (a + text:byte(i)) % 65521
        b = (b + a) % 65521
    end
    return (">I4"):pack(b << 16 | a)
end

local function crc(text)
    local value = 0xFFFFFFFF
    for i = 1, #text do
        value = value ~ text:byte(i)
        for _ = 1, 8 do
            value = value & 1 == 1 and value >> 1 ~ 0xEDB88320 or value >> 1
        end
    end
    return value ~ 0xFFFFFFFF
end

local function zlib(text)
    return "\x78\x01" .. raw(text) .. adler(text)
end

local function gzip(text)
    return "\x1f\x8b\x08\0\0\0\0\0\0\xff" .. raw(text) .. ("<I4I4"):pack(crc(text), #text)
end

local function read(body, encoding, kind)
    return upload.read(body, encoding, kind, inflate.decode)
end

t.test("whatever_is_said_about_packing_the_event_is_read", function()
    for _, said in ipairs { "gzip", "deflate", "identity", "br", "GZIP", false } do
        for _, packed in ipairs { JSON, gzip(JSON), zlib(JSON), raw(JSON) } do
            t.equal(read(packed, said or nil, "application/json"), { { text = JSON } })
        end
    end
end)

t.test("a_multipart_body_has_its_event_and_its_picture", function()
    local body = ("--b\r\nContent-Type: text/plain\r\n\r\n%s\r\n--b\r\nContent-Type: image/jpeg\r\n"
        .. "Content-Length: 4\r\n\r\n\xFF\xD8\xFF\xD9\r\n--b--\r\n"):format(JSON)
    local wanted = { { text = JSON }, { picture = "\xFF\xD8\xFF\xD9", type = "image/jpeg" } }
    t.equal(read(body, nil, "multipart/form-data; boundary=b"), wanted)
    t.equal(read(gzip(body), "gzip", "multipart/mixed; boundary=b"), wanted)
    t.equal(read(body), wanted)
end)

t.test("the_semicolon_text_is_read_too", function()
    local text = 'Code=AccessControl;action=Pulse;index=0;data={\n"UserID":"7"}'
    t.equal(read(text, "deflate", "text/plain"), { { text = text } })
    t.equal(read(zlib(text .. "\r\n"), "deflate"), { { text = text } })
end)

t.test("a_bomb_is_refused_and_so_is_what_is_no_event", function()
    local block = "\0" .. ("<I2I2"):pack(60000, ~60000 & 0xFFFF) .. ("\0"):rep(60000)
    t.equal(read(block:rep(20) .. raw "", "deflate"), nil) -- more than a MiB
    t.equal(read("", nil), {})
    for _, garbage in ipairs { "\x1f\x8b", "\x1f\x8b\x08garbage", "\xFF\xFE\xFD" } do
        local items, why = read(garbage, "gzip")
        t.equal(items, nil)
        t.holds(why:find("expected", 1, true))
    end
end)

return t.finish()
