-- client - asks the terminal: one request at a time, and a password once.
--
-- Five wrong passwords lock the account of everybody at the terminal. So the first 401 ends all
-- asking until url, user or password are others: a mark in the store says so, which is durable
-- together with the event that tells it. Several are kept, so that whoever goes back and forth
-- between wrong ones does not lock it either.
local digest = require "digest"

local client = {}
local Client = {}
Client.__index = Client

local TURN_MS = 20
local REFUSED = "refused"
local MARKS = 8 -- the newest

-- What was refused, the newest last. One alone is how it was once stored.
local function marks_of(host)
    local marks = host.store.get(REFUSED) or {}
    return type(marks) == "table" and marks or { marks }
end

local function is_among(marks, mark)
    for _, one in ipairs(marks) do
        if one == mark then
            return true
        end
    end
    return false
end

-- `refused(answer)` is called in the handler that heard the first 401.
function client.new(host, config, refused)
    local self = setmetatable({ host = host, config = config, on_refused = refused }, Client)
    self.mark = digest.sha256(table.concat({ config.user, config.password or "", config.url },
        "\0"))
    self.is_refused = is_among(marks_of(host), self.mark)
    return self
end

local Turn = {}
Turn.__close = function(turn)
    turn.owner.busy = nil
end

-- Waits for its turn; to be closed when the request is over.
local function take_turn(self)
    while self.busy and self.host.mono() - self.busy < 120 do
        self.host.sleep(TURN_MS)
    end
    self.busy = self.host.mono()
    return setmetatable({ owner = self }, Turn)
end

local function wish_of(self, path)
    local config = self.config
    return { url = config.url .. path, user = config.user, password = config.password,
        auth = config.auth, timeout = config.timeout, ca = config.ca,
        insecure = config.insecure or nil }
end

-- A 401 is the last answer that is asked for.
local function refuse(self, answer)
    self.is_refused = true
    local marks = marks_of(self.host)
    marks[#marks + 1] = self.mark
    while #marks > MARKS do
        table.remove(marks, 1)
    end
    self.host.store.put(REFUSED, marks)
    self.on_refused(answer)
    return nil, "the terminal refused user and password", "refused"
end

-- The body of the answer, or nil, message, code; "refused": nobody asks any more.
function Client:get(path, most)
    local turn <close> = take_turn(self) -- luacheck: ignore 211
    if self.is_refused then
        return nil, "not asked: user and password were refused", "refused"
    end
    local wish = wish_of(self, path)
    wish.most = most
    local answer, message, code = self.host.http.request(wish)
    if not answer then
        return nil, message, code
    elseif answer.status == 401 then
        return refuse(self, answer)
    elseif answer.status == 400 then
        return nil, "Bad Request", "request"
    elseif answer.status ~= 200 then
        return nil, ("status %d"):format(answer.status), "status"
    end
    return answer.body
end

-- A stream and its head, or nil, message, code.
function Client:attach(path)
    local turn <close> = take_turn(self) -- luacheck: ignore 211
    if self.is_refused then
        return nil, "not asked: user and password were refused", "refused"
    end
    local stream, head, code = self.host.http.stream(wish_of(self, path))
    if not stream then
        return nil, head, code
    elseif head.status == 200 then
        return stream, head
    end
    stream:close()
    if head.status == 401 then
        return refuse(self, head)
    end
    return nil, ("status %d"):format(head.status), head.status == 400 and "request" or "status"
end

return client
