-- container - when a clip was begun, as its own file says: MP4 and MOV. Pure.
--
--   local self = container.new()
--   container.feed(self, bytes)      -- as the file passes by, piece by piece
--   self.time                        -- seconds, once the file has said them
--
-- A file is a row of boxes, each with its length in front; the time stands in `mvhd`, the first
-- box inside `moov`, which is the first or the last of the row. All others are stepped over by
-- their length, so nothing is kept but a head of some bytes. The standard says that it is UTC;
-- many cameras write their own clock.
local container = {}

local EPOCH = 2082844800 -- from 1904 to 1970
local FIRST, LAST = 946684800, 4102444799 -- 2000 to 2099: a camera without a clock says 1904
local HEAD, LONG_HEAD, MVHD = 8, 16, 12
local BEGINS = { ftyp = true, moov = true, mdat = true, free = true, skip = true, wide = true,
    uuid = true, pnot = true, styp = true }

function container.new()
    return { skip = 0, held = "", boxes = 0 }
end

local function give_up(self)
    self.over, self.held = true, ""
end

-- The time of `mvhd`, whose content begins at `at`; false while too little of it is there.
local function read_time(self, bytes, at)
    if #bytes < at + MVHD - 1 then
        return false
    end
    local is_long = bytes:byte(at) == 1
    local told = string.unpack(is_long and ">I8" or ">I4", bytes, at + 4) - EPOCH
    self.time = told >= FIRST and told <= LAST and told or nil
    give_up(self)
    return true
end

-- The box at the beginning of `bytes`: what is behind its head, or nil when more is needed first.
local function read_box(self, bytes)
    if #bytes < HEAD then
        return nil
    end
    local size, kind, head = string.unpack(">I4", bytes), bytes:sub(5, 8), HEAD
    if size == 1 then
        if #bytes < LONG_HEAD then
            return nil
        end
        size, head = string.unpack(">i8", bytes, 9), LONG_HEAD
    end
    self.boxes = self.boxes + 1
    if size < head or self.boxes == 1 and not BEGINS[kind] or not kind:find "^[%w \xA9-]+$" then
        give_up(self) -- also one that goes on to the end of the file
    elseif kind == "moov" then
        return bytes:sub(head + 1)
    elseif kind == "mvhd" then
        if not read_time(self, bytes, head + 1) then
            self.boxes = self.boxes - 1
            return nil
        end
    else
        self.skip = size - head
        return bytes:sub(head + 1)
    end
    return ""
end

function container.feed(self, bytes)
    while not self.over do
        if self.skip >= #bytes then
            self.skip = self.skip - #bytes
            return
        end
        bytes = self.held .. bytes:sub(self.skip + 1)
        self.skip, self.held = 0, ""
        local rest = read_box(self, bytes)
        if not rest then
            self.held = bytes
            return
        end
        bytes = rest
    end
end

return container
