-- frames - cuts a stream of bytes into the messages of a protocol, whatever pieces it comes in.
--
--   local reader = frames.marked { mark = "\x7e", max = 2048,
--       escapes = { ["\x7d\x02"] = "\x7e", ["\x7d\x01"] = "\x7d" } }
--   for _, frame in ipairs(reader:feed(bytes)) do ... end
--   local frame, message, code = conn:read_frame(reader)     -- of host.tcp, host.serial
--
-- Every kind has `max`, the bytes of the longest frame as it is on the wire, and never keeps more
-- than that. What belongs to no frame is dropped, and counted in reader.lost (bytes): a stream is
-- found again behind noise and behind a frame without an end.
local frames = {}

local Reader = {}
Reader.__index = Reader

-- The frames that these bytes complete, in order; maybe none.
function Reader:feed(bytes)
    local found = {}
    for from = 1, #bytes, self.max do
        local all = self.kept .. bytes:sub(from, from + self.max - 1)
        self.kept = all:sub(self:cut(all, found))
    end
    return found
end

-- The same, one frame at a time: pop() answers the oldest that was pushed, or nil.
function Reader:push(bytes)
    for _, frame in ipairs(self:feed(bytes)) do
        self.last = self.last + 1
        self.ready[self.last] = frame
    end
end

function Reader:pop()
    local frame = self.ready[self.first]
    if frame then
        self.ready[self.first] = nil
        self.first = self.first + 1
    end
    return frame
end

-- What is kept of a frame that is not whole is dropped: the connection has ended, or was silent for
-- longer than the protocol allows.
function Reader:reset()
    self.lost = self.lost + #self.kept
    self.kept = ""
end

-- `cut(self, all, found)` adds the whole frames of `all` and answers where what is kept begins.
local function reader_of(options, cut)
    assert(math.type(options.max) == "integer" and options.max > 0, "max: expected bytes")
    local reader = { kept = "", lost = 0, cut = cut, ready = {}, first = 1, last = 0 }
    for name, value in pairs(options) do
        reader[name] = value
    end
    return setmetatable(reader, Reader)
end

-- ---- Frames between marks: mark body mark. One mark may end a frame and begin the next.

-- The body without its escapes; nil when an escape byte stands before what is none.
local function unescaped(reader, body)
    if not reader.escape then
        return body
    end
    local is_good = true
    local plain = body:gsub(reader.escape, function(pair)
        local byte = reader.escapes[pair]
        is_good = is_good and byte ~= nil
        return byte
    end)
    return is_good and plain or nil
end

local function cut_marked(reader, all, found)
    local first = all:find(reader.mark, 1, true) or #all + 1
    reader.lost = reader.lost + first - 1
    while true do
        local second = all:find(reader.mark, first + 1, true)
        if not second then
            break
        end
        local is_short = second - first < reader.max
        local body = is_short and unescaped(reader, all:sub(first + 1, second - 1))
        if not body then
            reader.lost = reader.lost + second - first
        elseif body ~= "" then
            found[#found + 1] = body
        end
        first = second
    end
    if #all - first + 1 >= reader.max then -- longer than any frame, and no end yet
        reader.lost = reader.lost + #all - first + 1
        first = #all + 1
    end
    return first
end

-- `mark`: one byte; `escapes`: what stands for which byte, all beginning with the same byte.
function frames.marked(options)
    assert(#options.mark == 1, "mark: expected one byte")
    local reader = reader_of(options, cut_marked)
    for pair in pairs(options.escapes or {}) do
        assert(#pair == 2, "escapes: expected pairs of bytes")
        reader.escape = pair:sub(1, 1):gsub("%W", "%%%0") .. ".?"
    end
    return reader
end

-- ---- Lines

local function cut_lines(reader, all, found)
    local from, at = 1, all:find(reader.ending, 1, true)
    while at do
        local behind = at + #reader.ending
        if reader.is_too_long or behind - from > reader.max then
            reader.lost = reader.lost + behind - from
        else
            found[#found + 1] = all:sub(from, at - 1)
        end
        reader.is_too_long = false
        from, at = behind, all:find(reader.ending, behind, true)
    end
    if #all - from + 1 >= reader.max then
        local keep = #all - #reader.ending + 2 -- the ending may have begun
        reader.lost = reader.lost + keep - from
        reader.is_too_long = true
        from = keep
    end
    return from
end

-- `ending`: "\n" if left out. Of a line that is too long all is lost up to its end.
function frames.lines(options)
    local reader = reader_of(options, cut_lines)
    reader.ending = reader.ending or "\n"
    assert(#reader.ending > 0 and #reader.ending < reader.max, "ending: expected a few bytes")
    return reader
end

-- ---- Frames that tell their length

local function cut_sized(reader, all, found)
    local at = 1
    while at + reader.head - 1 <= #all do
        local length = reader.length(all:sub(at, at + reader.head - 1))
        if not length or length < reader.head or length > reader.max then
            reader.lost = reader.lost + 1
            at = at + 1
        elseif at + length - 1 <= #all then
            found[#found + 1] = all:sub(at, at + length - 1)
            at = at + length
        else
            break
        end
    end
    return at
end

-- `head`: how many bytes it takes to tell; `length(head)`: bytes of the whole frame, its head with
-- it, or nil when none begins so. Then it is looked for one byte later.
function frames.sized(options)
    assert(options.head > 0 and options.head <= options.max, "head: expected a few bytes")
    return reader_of(options, cut_sized)
end

-- ---- Frames whose head has an end and tells how long the body is: SIP, HTTP

local function cut_headed(reader, all, found)
    local at = 1
    while true do
        at = all:find("[^\r\n]", at) or #all + 1
        local _, last = all:find(reader.ending, at, true)
        if not last then
            break
        end
        local body = last - at < reader.max and reader.length(all:sub(at, last), all, last + 1)
        if not body or body < 0 or last - at + 1 + body > reader.max then
            reader.lost = reader.lost + last - at + 1
            at = last + 1
        elseif last + body <= #all then
            found[#found + 1] = all:sub(at, last + body)
            at = last + body + 1
        else
            break
        end
    end
    if #all - at + 1 >= reader.max then
        reader.lost = reader.lost + #all - at + 1
        at = #all + 1
    end
    return at
end

-- `ending` of the head: "\r\n\r\n" if left out; `length(head, all, behind)`: bytes of the body
-- behind it, or nil when that is no head: it is dropped, and who cares for what follows looks at
-- `lost`. What has come of the body stands in `all` from `behind` on: who must look at it answers
-- one byte more, until there is enough. Ends of lines between two messages are no loss: with them
-- devices show that they are there.
function frames.headed(options)
    local reader = reader_of(options, cut_headed)
    reader.ending = reader.ending or "\r\n\r\n"
    return reader
end

return frames
