-- exchange - SIP's requests and answers over UDP and TCP.
--
-- A request that comes is handed to `self.on_request(message, route)`, a handler of its own.
-- What it gathered is durable before the answer goes out; when the keeper refuses, there is no
-- answer and the camera sends again. Over UDP the same request may come several times: what was
-- answered is answered the same for 32 s, what is being worked on is not begun again.
--
-- `route` is where a message came from and where an answer or a question goes: { kind = "udp",
-- address =, port = } or { kind = "tcp", address =, port =, conn = }; `is_known` once a camera of
-- ours has spoken there.
local digest = require "digest"
local frames = require "frames"
local sip = require "sip"

local exchange = {}

local ANSWERS_MOST, ANSWERS_S = 512, 32
local WORK_MOST, WORK_S = 64, 60 -- datagrams at once, and longer than any of them can take
local ASKED_MOST = 32 -- questions of ours at once
local ANSWER_S = 8 -- for a camera to answer one
local FIRST_S, LONGEST_S = 0.5, 4 -- until it is sent again
local LOOK_MS = 20
local WRITE_TRIES = 50
local CONNECTIONS, OF_ONE_ADDRESS = 100, 50
local PASSING = { timeout = true, refused = true, unreachable = true }
local STRANGER = "30s" -- for who has called to show that it is a camera of ours

-- ---- Sending

-- Another handler may be writing to the same connection.
local function write(host, conn, bytes)
    for _ = 1, WRITE_TRIES do
        local ok, message, code = conn:write(bytes)
        if ok or code ~= "busy" then
            return ok, message
        end
        host.sleep(LOOK_MS)
    end
    return nil, "the connection is busy"
end

local function send(self, route, bytes)
    if route.kind == "udp" then
        return self.udp and self.udp:send(bytes, route.address, route.port)
    end
    return route.conn and write(self.host, route.conn, bytes)
end

-- An answer goes to where the request came from. Without rport it goes to the port in the Via,
-- unless there is a router between that has changed the address.
local function answer_port(message, route)
    local via = sip.via(message)
    if route.kind == "tcp" or not via or via.parameters.rport or via.host ~= route.address then
        return route.port
    end
    return via.port or 5060
end

-- ---- What was answered

-- By rights branch and CSeq tell requests from each other; some cameras say the same in all of
-- them, and only what they ask for differs.
local function key_of(message, route)
    local via = sip.via(message)
    return table.concat({ route.address, via and via.parameters.branch or "", message.method,
        sip.header(message, "call-id"), message.cseq, digest.sha256(message.body
        .. message.beyond .. (sip.header(message, "authorization") or "")) }, "\n")
end

-- The oldest go first: those that are too old, and those that are too many.
local function forget_old(self)
    local now = self.host.mono()
    while self.first <= self.last do
        local key = self.order[self.first]
        local one = self.answers[key]
        if one and now - one.at < ANSWERS_S and self.last - self.first < ANSWERS_MOST then
            return
        end
        self.order[self.first], self.answers[key] = nil, nil
        self.first = self.first + 1
    end
end

local function claim(self, key)
    forget_old(self)
    self.last = self.last + 1
    self.order[self.last] = key
    local one = { at = self.host.mono() }
    self.answers[key] = one
    return setmetatable({}, { __close = function()
        if not one.bytes and self.answers[key] == one then
            self.answers[key] = { at = -ANSWERS_S } -- it may be tried again
        end
    end }), one
end

-- ---- Requests of cameras

local function reply_bytes(self, message, route, answer)
    return sip.write(sip.reply(message, answer.status, { headers = answer.headers,
        tag = self.tag(), address = route.address, port = route.port }))
end

-- The answer, and what was gathered for it is durable; or it raises and nothing of it happened.
local function answer_to(self, message, route)
    local ok, answer = pcall(function()
        local answer = self.on_request(message, route)
        self.host.commit()
        return answer
    end)
    if not ok then
        self.on_failure()
        error(answer, 0)
    end
    return answer
end

local function work(self, message, route)
    local answer = answer_to(self, message, route)
    if not answer then
        return nil
    end
    local bytes = reply_bytes(self, message, route, answer)
    send(self, { kind = route.kind, address = route.address, conn = route.conn,
        port = answer_port(message, route) }, bytes)
    if answer.after then
        self.host.after(0, answer.after)
    end
    return bytes
end

local function take_request(self, message, route)
    local key = key_of(message, route)
    local known = self.answers[key]
    if known and self.host.mono() - known.at < ANSWERS_S then
        self.host.metrics.count("sip_repeated", 1)
        if known.bytes and known.bytes ~= "" then
            send(self, { kind = "udp", address = route.address,
                port = answer_port(message, route) }, known.bytes)
        end
        return
    end
    local _ <close>, one = claim(self, key)
    one.bytes = work(self, message, route) or ""
end

-- ---- Answers of cameras

-- What it answers, also where it has left the branch out.
local function asked_by(self, message)
    local via = sip.via(message)
    local branch = via and via.parameters.branch or ""
    if branch ~= "" then
        return self.asked[branch]
    end
    local call_id = sip.header(message, "call-id")
    for _, asked in pairs(self.asked) do
        if asked.call_id == call_id and asked.cseq == message.cseq then
            return asked
        end
    end
end

local function take_answer(self, message, route)
    local asked = asked_by(self, message)
    if not asked or asked.address ~= route.address or message.cseq_method ~= asked.method then
        self.host.metrics.count("sip_answers_unasked", 1)
    elseif message.status >= 200 then
        asked.answer = asked.answer or message
    end
end

-- ---- UDP

local function take_datagram(self, bytes, address, port)
    local route = { kind = "udp", address = address, port = port }
    if sip.is_ping(bytes) then
        return
    end
    local message, _, partial = sip.parse(bytes)
    if not message then
        self.host.metrics.count("sip_malformed", 1)
        if partial and partial.method and partial.method ~= "ACK" then
            send(self, route, reply_bytes(self, partial, route, { status = 400 }))
        end
    elseif message.status then
        take_answer(self, message, route)
    else
        take_request(self, message, route)
    end
end

-- A handler that ran too long is ended by the host and does not count itself out.
local function wait_for_room(self)
    local begin = self.host.mono()
    while self.working >= WORK_MOST do
        self.host.sleep(LOOK_MS)
        if self.host.mono() - begin > WORK_S then
            self.working = 0
        end
    end
end

-- Each datagram is worked on by the handler that received it, while the next one waits already: so
-- each is a transaction of its own, and one that raises harms no other.
local function listen(self)
    wait_for_room(self)
    local bytes, address, port = self.udp:receive { timeout = "1h" }
    if not bytes and not PASSING[port] then -- the port itself fails
        self.pause = math.min(2 * (self.pause or 500), 60000)
        self.host.sleep(self.pause)
    end
    self.host.after(0, function() listen(self) end)
    if bytes then
        self.pause = nil
        self.working = self.working + 1
        local _ <close> = setmetatable({}, { __close = function()
            self.working = self.working - 1
        end })
        take_datagram(self, bytes, address, port)
    end
end

-- ---- TCP

-- One message after the other. What is no message ends the connection: nothing says where the next
-- one begins.
local function talk(self, conn, route)
    local reader = frames.headed { max = sip.MOST, length = sip.length }
    while true do
        local bytes = conn:read_frame(reader, not route.is_known and { timeout = STRANGER } or nil)
        local message = bytes and reader.lost == 0 and sip.parse(bytes)
        if not message then
            self.host.metrics.count("sip_malformed", (bytes or reader.lost > 0) and 1 or 0)
            return
        elseif message.status then
            take_answer(self, message, route)
        else
            work(self, message, route)
        end
    end
end

-- One address has at most half of the connections, so that no stranger takes them all.
local function serve(self, conn)
    local address, port = conn:peer()
    local count = self.calls[address] or 0
    if count >= OF_ONE_ADDRESS then
        self.host.metrics.count("tcp_too_many", 1)
        return
    end
    self.calls[address] = count + 1
    local route = { kind = "tcp", address = address, port = port, conn = conn }
    local _ <close> = setmetatable({}, { __close = function()
        route.conn = nil
        self.calls[address] = self.calls[address] > 1 and self.calls[address] - 1 or nil
    end })
    talk(self, conn, route)
end

-- ---- Our own requests

local function hex(bytes)
    return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function in_uri(address)
    return address:find(":", 1, true) and "[" .. address .. "]" or address
end

local function compose(self, camera, wish, branch)
    local route, config = camera.route, self.config
    local here = self.here(camera)
    local headers = {
        { "via", ("SIP/2.0/%s %s;rport;branch=%s"):format(route.kind:upper(), here, branch) },
        { "from", ("<sip:%s@%s>;tag=%s"):format(config.id, config.realm, wish.tag) },
        { "to", ("<sip:%s@%s>%s"):format(camera.id, config.realm,
            wish.to_tag and ";tag=" .. wish.to_tag or "") },
        { "call-id", wish.call_id }, { "cseq", ("%d %s"):format(wish.cseq, wish.method) },
        { "max-forwards", "70" }, { "user-agent", "Outpost" },
        { "contact", ("<sip:%s@%s>"):format(config.id, here) },
    }
    for _, header in ipairs(wish.headers or {}) do
        headers[#headers + 1] = header
    end
    headers[#headers + 1] = { "content-type", "Application/MANSCDP+xml" }
    return sip.write { method = wish.method, headers = headers, body = wish.body,
        uri = ("sip:%s@%s:%d"):format(camera.id, in_uri(route.address), route.port) }
end

-- Waits for the answer, and sends again over UDP. `is_enough()` says when nobody waits any more.
local function wait(self, asked, route, bytes, is_enough)
    local host = self.host
    local begin, pause = host.mono(), FIRST_S
    local again = begin + pause
    while not asked.answer and host.mono() - begin < ANSWER_S do
        if is_enough and is_enough() then
            return
        end
        if route.kind == "udp" and host.mono() >= again then
            send(self, route, bytes)
            pause = math.min(2 * pause, LONGEST_S)
            again = host.mono() + pause
        end
        host.sleep(LOOK_MS)
    end
end

-- Asks a camera: { method =, body =, headers =, call_id =, tag =, to_tag =, cseq = }; the last five
-- may be left out. Waits; the camera's answer, or nil and why not.
function exchange.ask(self, camera, wish, is_enough)
    local route = camera.route
    if not route or route.kind == "tcp" and not route.conn then
        return nil, "the camera has no connection now"
    elseif self.asking >= ASKED_MOST then
        return nil, "too many questions at once; ask again"
    end
    local random = hex(self.host.random(24))
    wish.call_id = wish.call_id or random:sub(1, 16)
    wish.tag, wish.cseq = wish.tag or random:sub(17, 32), wish.cseq or 1
    local branch = "z9hG4bK" .. random:sub(33, 48)
    local asked = { method = wish.method, address = route.address, call_id = wish.call_id,
        cseq = wish.cseq }
    self.asked[branch], self.asking = asked, self.asking + 1
    local _ <close> = setmetatable({}, { __close = function()
        self.asked[branch], self.asking = nil, self.asking - 1
    end })
    local bytes = compose(self, camera, wish, branch)
    local sent, why = send(self, route, bytes)
    if not sent then
        return nil, tostring(why or "it cannot be sent")
    end
    wait(self, asked, route, bytes, is_enough)
    if not asked.answer then
        return nil, ("no answer within %d s"):format(ANSWER_S)
    end
    return asked.answer
end

-- True for what was done, and for what a camera has taken on.
function exchange.is_yes(answer)
    return answer ~= nil and answer.status >= 200 and answer.status < 300
end

-- What of an answer must be said again to go on with what it began. Servers between us that want
-- to stay there are named in the order in which the camera sees them.
function exchange.dialog_of(answer)
    local to, from = sip.address(sip.header(answer, "to")), sip.address(sip.header(answer, "from"))
    local routes, way = sip.values(answer, "record-route"), {}
    for at = #routes, 1, -1 do
        way[#way + 1] = { "route", routes[at] }
    end
    return { call_id = sip.header(answer, "call-id"), to_tag = to and to.parameters.tag,
        tag = from and from.parameters.tag, way = way }
end

-- ---- Opening

local function tagger(host)
    local key, count = hex(host.random(4)), 0
    return function()
        count = count + 1
        return ("%s%d"):format(key, count)
    end
end

-- `hooks`: on_request(message, route), on_failure(), here(camera).
function exchange.open(host, config, hooks)
    local self = { host = host, config = config, answers = {}, order = {}, first = 1, last = 0,
        working = 0, calls = {}, asked = {}, asking = 0, tag = tagger(host),
        on_request = hooks.on_request, on_failure = hooks.on_failure, here = hooks.here }
    if config.udp then
        self.udp = assert(host.udp.open(config.udp, { listen = true, most = sip.MOST - 29 }))
        host.after(0, function() listen(self) end)
    end
    if config.tcp then
        assert(host.tcp.listen(config.tcp, { connections = CONNECTIONS,
            idle = config.keepalive * (config.missed + 1) }, function(conn) serve(self, conn) end))
    end
    return self
end

return exchange
