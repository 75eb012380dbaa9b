-- ears - what the terminal says of its own accord: pushed to us, or in its stream.
--
-- A push is answered when its record is on disk; that of a record before which others are missing
-- waits until the search has brought those, and is refused when that takes too long: the terminal
-- keeps it. A stream acknowledges nothing, so what cannot be told at once is left to the search.
local client = require "client"
local device = require "device"
local ledger = require "ledger"
local notice = require "notice"
local picture = require "picture"
local sweep = require "sweep"
local terminal = require "terminal"
local ways = require "ways"

local ears = {}

local HOSTS = "/ISAPI/Event/notification/httpHosts"
local STREAM = "/ISAPI/Event/notification/alertStream"
local WAIT_MS, LOOK_MS = 5000, 50 -- for the search to bring what is missing before a push
local OPEN_MS = 10000
local PICTURE_MS = 3000
local PICTURES_MAX = 4
local PART_MOST = 1 << 20
local PUSH_MOST, CONNECTIONS = 2 << 20, 6 -- a terminal has one; what comes beyond that waits
local HEARTBEAT_S = 30 -- that pushes are asked for
local NO_WAIT = { known = true, told = true }

-- ---- One record

-- Whether it shows that this way delivers: it was news, or live and only the search was quicker.
local function is_delivery(place, one)
    return place == "told" and one.currentEvent ~= false
        or place == "known" and one.currentEvent == true
end

-- The picture of a record: what came with it, or what it names in place of that. Of the past the
-- search sees to it.
local function picture_of(self, one, pictures)
    if not pictures or not picture.is_wanted(self.book.pictures, one) then
        return nil
    end
    local path = one.currentEvent ~= false and picture.path(one.pictureURL or "")
    return pictures[1] or path and (client.get(self.line, { path = path, most = PART_MOST,
        timeout = PICTURE_MS })) or nil
end

-- What becomes of a record that came by "push" or "stream". What is of the past is left to the
-- search, which knows its order and has its picture. "told", "known", "ahead", "doubt".
local function take(self, one, by, pictures)
    one.bytes = picture_of(self, one, pictures)
    if not one.serialNo or self.no_search then
        if not self.no_search then
            self.wake() -- the search knows its number
            return "ahead"
        end
        return ledger.accept(self.book, one)
    end
    if one.currentEvent ~= false then
        sweep.saw(self.sweep, one.serialNo)
    end
    local waits = not self.sweep.is_caught_up or one.currentEvent == false
    local place = ledger.offer(self.book, one, waits)
    if is_delivery(place, one) and ways.heard(self.ways, by) then
        terminal.online(self.terminal, self.ways.way)
    elseif place == "ahead" or place == "doubt" and one.currentEvent ~= false then
        self.wake(place == "doubt")
    end
    return place
end

-- ---- Pushes

local function is_settled(self, one)
    local state = ledger.glance(self.book)
    return one.serialNo and state.cursor >= one.serialNo
end

-- Whether the search brings in time what is missing before it.
local function is_brought(self, one)
    local sequel = self.rounds
    for _ = 1, WAIT_MS // LOOK_MS do
        if is_settled(self, one) or not one.serialNo and self.rounds > sequel + 1 then
            return true
        end
        self.host.sleep(LOOK_MS)
    end
    return false
end

-- All that a notice tells; the pictures beside it are those of the first.
local function facts_of(found)
    return found.kind == "record" and { found.fact, table.unpack(found.more) } or {}
end

local function receive(self, request)
    if not ledger.glance(self.book).terminal or self.terminal.is_wrong then
        return { status = 503 } -- who it is, is not known yet
    end
    if self.place and request.path ~= self.place.path then
        return { status = 404 }
    end
    local found, pictures = notice.pushed(request.body, request.headers["content-type"])
    if not found then
        self.host.metrics.count("pushes_refused", 1)
        self.host.log.warn("a push makes no sense: %s", (pictures:gsub('".*', "something else")))
        return { status = 200 } -- or it sends the same again, before all that it has to say
    end
    terminal.heard(self.terminal)
    for i, one in ipairs(facts_of(found)) do
        local place = take(self, one, "push", i == 1 and pictures or nil)
        if not (NO_WAIT[place] or place == "doubt" or is_brought(self, one)) then
            return { status = 503 }
        end
    end
    return { status = 200 }
end

function ears.listen(self)
    local options = { allow = self.allow, body = PUSH_MOST, connections = CONNECTIONS }
    local listener, why = self.host.serve.listen(self.config.listen, options, function(request)
        return receive(self, request)
    end)
    if not listener then
        error(("listen: %s"):format(why), 0)
    end
end

-- Has the terminal push to us, if it does not: some forget it when they restart.
function ears.subscribe(self)
    local body, why, code = client.get(self.line, { path = HOSTS })
    local hosts = body and device.hosts(body)
    if hosts and device.has_host(hosts, self.place) then
        return true
    end
    if code == "unsupported" or code == "auth" then
        return nil, why, code
    end
    local good
    good, why, code = client.get(self.line, { path = HOSTS .. "/1", method = "PUT",
        body = device.host(self.place, HEARTBEAT_S) })
    self.host.metrics.count("push_configured", 1)
    return good and true, why, code
end

-- ---- The stream

-- Three heartbeats that do not come; a little less, so that it is noticed before the third is over.
local function patience_ms(self)
    local usual = ways.usual_silence(self.ways, self.config.heartbeat / 1000)
    return math.floor(usual * 2.8 * 1000)
end

local function hear(self, part, at)
    local silence = self.host.mono() - at
    local found = notice.of_parts { part }
    terminal.heard(self.terminal)
    if found and found.kind == "heartbeat" then
        ways.beat(self.ways, silence)
    end
    return found
end

-- The next part, or nil, why, code; `most_ms` is how long it may take.
local function next_part(stream, most_ms)
    return stream:part { timeout = most_ms, most = PART_MOST }
end

-- The pictures that follow a record, when they are wanted; and the part behind them, if one came.
local function pictures_behind(self, stream, one)
    local pictures = {}
    local most = math.min(one.picturesNumber or 0, PICTURES_MAX)
    if picture.path(one.pictureURL or "") or not picture.is_wanted(self.book.pictures, one) then
        return pictures -- one that is named does not follow
    end
    while #pictures < most do
        local part = next_part(stream, PICTURE_MS)
        if not part or not (part.headers["content-type"] or ""):find "^image/" then
            return pictures, part
        end
        pictures[#pictures + 1] = part.body
    end
    return pictures
end

-- Reads until it ends or falls silent: why, and its code.
local function follow(self, stream)
    local at, waiting = self.host.mono(), nil
    while ways.wants_stream(self.ways) do
        self.session_at = self.host.mono()
        local part, why, code = waiting, nil, nil
        if not part then
            part, why, code = next_part(stream, patience_ms(self))
        end
        if not part then
            return why, code
        end
        local found = hear(self, part, at)
        at, waiting = self.host.mono(), nil
        if found and found.kind == "record" then
            local pictures
            pictures, waiting = pictures_behind(self, stream, found.fact)
            for i, one in ipairs(facts_of(found)) do
                take(self, one, "stream", i == 1 and pictures or nil)
            end
        end
    end
    return "push delivers, the stream is not needed", "unneeded"
end

-- One session: opened, read to its end, and what became of it. True when it had been of use.
function ears.session(self)
    local stream <close>, why, code = client.stream(self.line, { path = STREAM, timeout = OPEN_MS,
        low_speed = { 1, 3600 } })
    if not stream then
        return false, why, code
    end
    self.streaming = true
    self.wake() -- what was recorded while nobody listened
    why, code = follow(self, stream)
    self.streaming = false
    self.host.metrics.count(code == "timeout" and "streams_stalled" or "streams_ended", 1)
    self.wake()
    return true, why, code
end

return ears
