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
local LISTS = { "[All]", "[AccessControl,_DoorFace_,DoorStatus,_NewFile_,Duress,BreakIn,"
    .. "DoorNotClosed,ChassisIntruded]" }

function live.new(host, config, client, about, reader)
    return { host = host, config = config, client = client, terminal = about, reader = reader,
        list = 1, wait = FIRST_WAIT_MS }
end

-- Something has happened of which nothing more is known yet.
local function look_soon(self)
    if self.reader then
        catchup.want(self.reader, SOON_MS)
    end
end

-- Tells what texts say, and answers whether any of them could be read; what they do not say is
-- looked up. `picture`: the digest of what came along.
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
    for _, record in ipairs(found) do
        record.picture = picture
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

-- The digest of the first picture, when the office wants to know it. The picture itself goes no
-- further.
local function picture_of(self, items)
    if self.terminal.pictures.mode == "none" then
        return nil
    end
    for _, item in ipairs(items) do
        if item.picture then
            return digest.sha256(item.picture)
        end
    end
end

---- the stream

local function attach(self)
    local path = ("/cgi-bin/eventManager.cgi?action=attach&codes=%s&heartbeat=%d"):format(
        LISTS[self.list], self.config.heartbeat // 1000)
    return self.client:attach(path)
end

-- Reads until the stream ends. Answers what ended it, and whether anything came at all.
local function follow(self, stream)
    local one, is_good = cutter.new(), false
    while true do
        local bytes, _, code = stream:read { timeout = SILENT * self.config.heartbeat }
        if not bytes then
            return code == "timeout" and "silent_stream" or "no_answer", is_good
        end
        local texts = texts_of(one:feed(bytes))
        if #texts > 0 then
            if not is_good and texts[1]:find("^Error") then
                return "error", false
            end
            is_good, self.terminal.cause = true, nil
            hear(self, "stream", texts)
        end
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
    self.terminal.cause = cause == "silent_stream" and cause or nil
    self.host.metrics.count("streams_ended", 1)
    return is_good
end

-- A terminal has one session, and one that is dead keeps it busy: never at once again.
local function keep_open(self)
    while not self.client.is_refused do
        local was_good = session(self)
        self.wait = was_good and FIRST_WAIT_MS or math.min(self.wait * 2, MOST_WAIT_MS)
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
    self.host.after(0, function() keep_open(self) end)
end

return live
