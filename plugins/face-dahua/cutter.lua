-- cutter - messages out of the bytes of a stream that never ends: eventManager, snapManager.
--
--   local one = cutter.new()                   -- { most = bytes of a message, pictures = true }
--   for _, item in ipairs(one:feed(bytes)) do ... end
--   item = { text = "Code=AccessControl;..." } or { picture = bytes, type = "image/jpeg" }
--
-- What devices send: parts behind lines that begin with "--", with or without a Content-Length,
-- which may also be wrong; or messages with nothing around them. So a text ends where its length
-- says and its braces agree; without a length where its braces, outside of strings, are closed;
-- and in any case before a line that begins a part or the next message. However the bytes are
-- split, the same messages come out. At most `most` bytes wait; what is longer is dropped and
-- counted (`dropped`).
local ending = require "ending"
local trim = require "trim"

local cutter = {}
local Cutter = {}
Cutter.__index = Cutter

local MOST = 256 * 1024
local HEAD_MOST = 4096
local DELIMITER_MOST = 200
local PIECE = 4096

function cutter.new(options)
    options = options or {}
    return setmetatable({ most = options.most or MOST, pictures = options.pictures or false,
        rest = "", state = "between", dropped = 0 }, Cutter)
end

-- Takes `count` bytes away, and forgets how far they were looked at.
local function take(self, count)
    local bytes = self.rest:sub(1, count)
    self.rest = self.rest:sub(count + 1)
    self.progress = {}
    return bytes
end

local function go(self, state)
    self.state = state
    return true
end

-- What no message is: gone, and what follows too until something begins.
local function drop(self, count, state)
    self.dropped = self.dropped + 1
    take(self, count)
    return go(self, state)
end

---- texts

local function give_text(self, items, count)
    if count > self.most then
        return drop(self, count, "between")
    end
    local text = trim(take(self, count))
    if text ~= "" then
        items[#items + 1] = { text = text }
    end
    return go(self, "between")
end

-- A text that says no length, or a wrong one.
local function step_open(self, items)
    local how, count = ending.find(self.rest, self.progress)
    if how == "whole" then
        return give_text(self, items, count)
    elseif how == "broken" then
        return drop(self, count, "between")
    end
    return #self.rest > self.most and drop(self, #self.rest, "lost")
end

-- Whether a line that begins a part stands in the first `count` bytes.
local function has_part(self, count)
    if not self.delimiter then
        return false
    end
    local mark = "\n" .. self.delimiter
    local found = self.rest:find(mark, self.progress.looked or 1, true)
    self.progress.looked = math.max(1, #self.rest - #mark)
    return found ~= nil and found <= count
end

-- Whether its length says where a text ends: true, false, or nil when the byte behind it, without
-- which that cannot be told, has not come.
local function is_its_length(self)
    local text = self.rest:sub(1, self.length)
    local how = ending.is_whole(text)
    if how ~= nil or text == "Heartbeat" then
        return how ~= false
    end
    local behind = self.rest:sub(self.length + 1, self.length + 1)
    if behind == "" then
        return nil
    end
    return behind:find("[%s-]") ~= nil
end

-- A text with a length: believed when its braces agree and no part begins in it.
local function step_counted(self, items)
    if has_part(self, self.length) then
        self.progress = {}
        return go(self, "open")
    end
    local is_right = nil
    if #self.rest >= self.length then
        is_right = is_its_length(self)
    end
    if is_right == false then
        self.progress = {}
        return go(self, "open")
    end
    return is_right and give_text(self, items, self.length)
end

---- pictures and what else is no text

local function step_bytes(self, items)
    if #self.rest < self.length then
        return false
    end
    items[#items + 1] = { picture = take(self, self.length), type = self.type }
    return go(self, "between")
end

-- Too long, or not wanted: goes as it comes.
local function step_skip(self)
    local gone = math.min(self.length, #self.rest)
    take(self, gone)
    self.length = self.length - gone
    return self.length == 0 and go(self, "between")
end

-- To where something begins: what is no text and says no length, and what follows something
-- dropped.
local function step_lost(self)
    local part = self.rest:find("\n" .. (self.delimiter or "--"), 1, true)
    local event = self.rest:find("\nCode=", 1, true)
    local found = part and event and math.min(part, event) or part or event
    if found then
        take(self, found)
        return go(self, "between")
    end
    take(self, math.max(0, #self.rest - DELIMITER_MOST - 8))
    return false
end

---- parts

local function choose_body(self)
    local kind, length = self.type, self.length
    local is_text = not kind or kind:find("text", 1, true) or kind:find("json", 1, true)
    if not length then
        return go(self, is_text and "open" or "lost")
    elseif length > self.most then
        self.dropped = self.dropped + 1
        return go(self, "skip")
    elseif is_text then
        return go(self, "counted")
    end
    return go(self, self.pictures and "bytes" or "skip")
end

local function note_header(self, line)
    local name, value = line:match "^%s*([%w-]+)%s*:(.*)$"
    value = name and trim(value)
    name = name and name:lower()
    if name == "content-length" then
        local is_number = value:find("^%d+$") and #value <= 10
        self.length = is_number and math.tointeger(tonumber(value)) or nil
    elseif name == "content-type" then
        self.type = value:lower():sub(1, 64)
    end
end

local function step_head(self)
    local line = self.rest:match("^[^\n]*\n")
    if not line then
        return #self.rest > HEAD_MOST and drop(self, #self.rest, "lost")
    end
    self.head_left = self.head_left - #line
    if self.head_left < 0 then
        return drop(self, #line - 1, "lost") -- its line end is what "lost" goes by
    elseif line:find("^Code=") or line:find("^Heartbeat") or line:find("^%-%-") then
        return go(self, "between") -- a head that was cut off
    end
    take(self, #line)
    if line:find("^\r?\n$") then
        return choose_body(self)
    end
    note_header(self, line)
    return true
end

local function begin_part(self)
    local line = self.rest:match("^[^\n]*\n")
    if not line then
        return #self.rest > DELIMITER_MOST and drop(self, #self.rest, "lost")
    end
    take(self, #line)
    local delimiter = trim(line)
    if #delimiter > DELIMITER_MOST or #delimiter == 2 then
        return drop(self, 0, "between")
    end
    -- the line that closes a stream has two dashes more
    self.delimiter = delimiter == (self.delimiter or "") .. "--" and self.delimiter or delimiter
    self.head_left = HEAD_MOST
    return go(self, "head")
end

-- Between messages: empty lines, the line that begins a part, or a message with nothing around it.
local function step_between(self)
    local blank = self.rest:match("^%s+")
    if blank then
        take(self, #blank)
    end
    if #self.rest < 2 then
        return false
    end
    self.length, self.type, self.progress = nil, nil, {}
    if self.rest:find("^%-%-") then
        return begin_part(self)
    end
    return go(self, "open")
end

local STEPS = {
    between = step_between, head = step_head, open = step_open, counted = step_counted,
    bytes = step_bytes, skip = step_skip, lost = step_lost,
}

-- Takes bytes; the messages that are whole with them, in order. Bit by bit: what is taken away is
-- copied, and of many short lines each would be a copy of all that follow.
function Cutter:feed(bytes)
    local items = {}
    for at = 1, #bytes, PIECE do
        self.rest = self.rest .. bytes:sub(at, at + PIECE - 1)
        while STEPS[self.state](self, items) do end -- luacheck: ignore 542
    end
    return items
end

-- Nothing more comes: what a text without an end was after all.
function Cutter:finish()
    local items = self:feed "\n"
    local is_text = self.state == "open" or self.state == "counted"
    if is_text and trim(self.rest) ~= "" then
        if ending.is_whole(self.rest) ~= false then
            give_text(self, items, #self.rest)
        else
            self.dropped = self.dropped + 1
        end
    end
    self.rest, self.state = "", "between"
    return items
end

return cutter
