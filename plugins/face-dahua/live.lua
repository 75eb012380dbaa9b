-- live - hears what happens as it happens: the stream of eventManager, and what the terminal
-- pushes.
local cutter = require "cutter"
local digest = require "digest"
local inflate = require "inflate"
local message = require "message"
local catchup = require "catchup"
local terminal = require "terminal"
local upload = require "upload"

local live = {}

local FIRST_WAIT_MS, MOST_WAIT_MS = 5000, 300000
local SOON_MS = 1000 -- the record of what just happened is written meanwhile
local SILENT = 3 -- heartbeats
local PACE_BYTES = 256 * 1024 -- of a second
local NOISE_BYTES = 1024 * 1024 -- without a message in them
local OTHER_S = 180
local PIECE, MANY = 4096, 64 -- bytes that are looked at in one go; messages in them
local LISTS = { "[All]", "[AccessControl,_DoorFace_,DoorStatus,_NewFile_,Duress,BreakIn,"
    .. "DoorNotClosed,ChassisIntruded]" }

function live.new(host, config, client, about, reader)
    return { host = host, config = config, client = client, terminal = about, reader = reader,
        list = 1, wait = FIRST_WAIT_MS, alive_until = math.huge }
end

-- Something has happened of which nothing more is known yet.
local function look_soon(self)
    if self.reader then
        catchup.want(self.reader, SOON_MS)
    end
end

-- Tells what texts say, and answers whether any of them could be read; what they do not say is
-- looked up. `picture`: what came along.
local function hear(self, way, texts, picture)
    local found, is_vague, understood = {}, false, 0
    for _, text in ipairs(texts) do
        local events = message.read(text)
        if not events then
            self.host.metrics.count("messages_unread", 1)
            is_vague = true
        else
            understood = understood + 1
            local records, vague = terminal.translate(self.terminal, events)
            table.move(records, 1, #records, #found + 1, found)
            is_vague = is_vague or vague
        end
    end
    if understood > 0 then
        terminal.good(self.terminal, way)
    end
    for _, record in ipairs(picture and found or {}) do
        record.picture, record.keeps = picture.sha256, picture.is_stored
    end
    terminal.tell(self.terminal, found)
    if is_vague then
        look_soon(self)
    end
    return understood > 0
end

local function texts_of(items)
    local texts = {}
    for _, item in ipairs(items) do
        texts[#texts + 1] = item.text
    end
    return texts
end

-- The first picture, as the office wants it: nil, its digest, or stored under it. A record counts
-- for more than its picture, so one that cannot be stored is only named.
local function picture_of(self, items)
    local mode = self.terminal.pictures.mode
    for _, item in ipairs(items) do
        if item.picture and mode ~= "none" then
            local stored = mode == "keep" and terminal.store_picture(self.terminal, item.picture)
            return { sha256 = digest.sha256(item.picture), is_stored = stored or false }
        end
    end
end

-- The handler of the stream may be ended by force, for the time it takes. So it says for how
-- long at most nothing will be heard of it: `ms` and what anything else may take.
local function be_alive(self, ms)
    self.alive_until = self.host.mono() + ms / 1000 + OTHER_S
end

---- the stream

local function attach(self)
    local path = ("/cgi-bin/eventManager.cgi?action=attach&codes=%s&heartbeat=%d"):format(
        LISTS[self.list], self.config.heartbeat // 1000)
    return self.client:attach(path)
end

-- What comes faster waits in the terminal: twenty events a second are a tenth of that.
local function keep_pace(self, pace, count)
    local now = self.host.mono()
    if now - pace.since >= 1 then
        pace.since, pace.bytes = now, 0
    end
    pace.bytes = pace.bytes + count
    if pace.bytes > PACE_BYTES then
        self.host.sleep(math.max(1, math.floor((pace.since + 1 - now) * 1000)))
    end
end

-- What had no end that could be found is in the terminal's memory: a name in GBK may end in a
-- backslash.
local function note_dropped(self, one, before)
    if one.dropped > before then
        look_soon(self)
    end
    return one.dropped
end

-- Reads until the stream ends. Answers what ended it, and whether anything came at all.
local function follow(self, stream)
    local one, is_good, noise, dropped = cutter.new(), false, 0, 0
    local pace = { since = self.host.mono(), bytes = 0 }
    while true do
        be_alive(self, SILENT * self.config.heartbeat)
        local bytes, _, code = stream:read { timeout = SILENT * self.config.heartbeat }
        if not bytes then
            return code == "timeout" and "silent_stream" or "no_answer", is_good
        end
        noise = noise + #bytes
        for at = 1, #bytes, PIECE do
            local texts = texts_of(one:feed(bytes:sub(at, at + PIECE - 1)))
            if not is_good and texts[1] and texts[1]:find("^Error") then
                return "error", false
            elseif #texts > 0 and hear(self, "stream", texts) then
                is_good, noise, self.terminal.cause = true, 0, nil
            end
            if #texts > MANY then
                self.host.sleep(1) -- whoever shouts is not all that there is
            end
        end
        dropped = note_dropped(self, one, dropped)
        if noise > NOISE_BYTES then
            return "garbage", false
        end
        keep_pace(self, pace, #bytes)
    end
end

-- One session: nil when it could not be had.
local function session(self)
    local stream, _, code = attach(self)
    if not stream then
        self.list = code == "request" and self.list % #LISTS + 1 or self.list
        return false
    end
    catchup.want(self.reader, 0) -- what happened before it was open
    local cause, is_good = follow(self, stream)
    stream:close()
    if cause == "error" then
        self.list = self.list % #LISTS + 1
    end
    local is_told = cause == "silent_stream" or cause == "garbage"
    self.terminal.cause = is_told and cause or nil
    self.host.metrics.count("streams_ended", 1)
    return is_good
end

-- A terminal has one session, and one that is dead keeps it busy: never at once again.
local function keep_open(self)
    while not self.client.is_refused do
        be_alive(self, 0)
        local was_good = session(self)
        self.wait = was_good and FIRST_WAIT_MS or math.min(self.wait * 2, MOST_WAIT_MS)
        be_alive(self, self.wait)
        self.host.sleep(self.wait)
    end
end

---- what it pushes

-- Answered when all is on disk. What nobody here can read is not asked for again: the terminal
-- would send it for ever. Its record is in the terminal's memory.
local function pushed(self, request)
    local headers = request.headers
    local items = upload.read(request.body, headers["content-encoding"], headers["content-type"],
        inflate.decode)
    local is_read = items and hear(self, "push", texts_of(items), picture_of(self, items))
    if not is_read and request.body ~= "" then
        self.host.metrics.count("uploads_unread", 1)
        look_soon(self)
    end
    return { status = 200, headers = { ["Content-Type"] = "text/plain" }, body = "OK" }
end

function live.listen(self)
    local config = self.config
    local listener, why = self.host.serve.listen(config.listen, { allow = config.allow,
        body = upload.MOST, connections = 16 }, function(request) return pushed(self, request) end)
    if not listener then
        error("listen: " .. why)
    end
end

function live.start(self)
    be_alive(self, 0)
    self.host.after(0, function() keep_open(self) end)
end

-- Looked at every few seconds: begins anew what was ended by force.
function live.watch(self)
    if self.host.mono() > self.alive_until and not self.client.is_refused then
        self.host.log.warn("the stream's handler has ended; it begins anew")
        live.start(self)
    end
end

return live
