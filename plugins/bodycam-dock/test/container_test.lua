local container = require "container"
local t = require "testing"

local SEEN, EPOCH = 1775867415, 2082844800

local function box(kind, content)
    return string.pack(">I4", #content + 8) .. kind .. content
end

local function long_box(kind, content)
    return string.pack(">I4", 1) .. kind .. string.pack(">I8", #content + 16) .. content
end

local function mvhd(seconds, version)
    local time = string.pack(version == 1 and ">I8" or ">I4", seconds + EPOCH)
    return box("mvhd", string.pack(">I4", version == 1 and 1 << 24 or 0) .. time .. ("\0"):rep(90))
end

local FTYP = box("ftyp", "isom\0\0\2\0isomiso2")

local function time_of(bytes, step)
    local self = container.new()
    step = step or math.max(#bytes, 1)
    for at = 1, #bytes, step do
        container.feed(self, bytes:sub(at, at + step - 1))
    end
    return self.time, self
end

t.test("the_time_is_found_in_front_and_at_the_end_however_it_comes", function()
    local moov = box("moov", mvhd(SEEN) .. box("trak", "x"))
    local mdat = box("mdat", ("m"):rep(1000))
    for _, bytes in ipairs { FTYP .. moov .. mdat, FTYP .. mdat .. moov,
        FTYP .. long_box("mdat", ("m"):rep(5000)) .. moov, box("wide", "") .. mdat .. moov,
        FTYP .. box("free", "") .. box("moov", box("udta", "y") .. mvhd(SEEN, 1)) } do
        for _, step in ipairs { 1, 3, 7, 100, #bytes } do
            t.equal(time_of(bytes, step), SEEN)
        end
    end
end)

t.test("what_is_no_such_file_or_tells_no_time_tells_none", function()
    for _, bytes in ipairs { "", "x", ("\xFF"):rep(100), "RIFF\0\0\0\0AVI LIST", box("JFIF", "x"),
        FTYP, FTYP .. box("moov", mvhd(-EPOCH)), FTYP .. box("moov", mvhd(4102444800, 1)),
        FTYP .. "\0\0\0\3moov", FTYP .. string.pack(">I4", 0) .. "mdat" .. box("moov", mvhd(SEEN)),
        FTYP .. string.pack(">I4", 1) .. "mdat" .. ("\xFF"):rep(8) .. box("moov", mvhd(SEEN)) } do
        t.equal(time_of(bytes), nil)
    end
end)

t.test("nothing_but_a_head_is_kept_of_what_passes", function()
    local self = container.new()
    container.feed(self, FTYP .. string.pack(">I4", 1 << 31) .. "mdat")
    for _ = 1, 100 do
        container.feed(self, ("m"):rep(65536))
        t.equal(#self.held, 0)
    end
    t.equal(self.skip, (1 << 31) - 8 - 100 * 65536)
end)

return t.finish()
