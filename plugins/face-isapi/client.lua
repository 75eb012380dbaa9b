-- client - requests to the terminal: one at a time, with the login tried once.
--
-- Terminals lock an account for half an hour after five wrong passwords. So whoever is refused once
-- (401 after the login was sent) asks no more, in this process or the next, until user, password or
-- url in the configuration are others: marks of the newest eight in the store say so. Only a
-- lock-out that the terminal told the end of is tried again then, once.
--
-- `Connection: close` because some terminals hang when a connection with a login is kept.
local answer = require "answer"
local digest = require "digest"
local ledger = require "ledger"
local turn = require "turn"

local client = {}

local KEY, MARKS_MOST = "login", 8
local LOCK_MORE_S = 60 -- after the lock-out ends by the terminal's clock
local ANSWER_MOST = 256 << 10 -- a page has some 40 KB
local TYPES = { ["<"] = "application/xml", ["{"] = "application/json" }

function client.new(host, config, book)
    local self = { host = host, config = config, book = book, turn = turn.new(host) }
    self.mark = digest.sha256(table.concat({ config.url, config.user, config.password }, "\0"))
    local kept = host.store.get(KEY)
    self.refused = kept and kept[1] and kept or {}
    return self
end

-- Where in the list of those that were refused the login of the configuration is.
local function refused_at(self)
    for i, one in ipairs(self.refused) do
        if one.mark == self.mark then
            return i
        end
    end
end

-- Why nothing may be asked now, or nil.
function client.barred(self)
    local refused = self.refused[refused_at(self)]
    if not refused or refused.until_s and self.host.now() >= refused.until_s then
        return nil
    end
    return "user and password were refused: nothing is asked until the configuration changes"
end

-- Somebody who knows better lets it try again.
function client.forgive(self)
    local at = refused_at(self)
    if at then
        table.remove(self.refused, at)
        self.host.store.put(KEY, self.refused)
    end
end

local function refuse(self, body)
    local locked, seconds = answer.lock(body)
    client.forgive(self) -- the newest is the last
    local one = { mark = self.mark,
        until_s = locked and seconds and self.host.now() + seconds + LOCK_MORE_S or nil }
    table.insert(self.refused, one)
    if #self.refused > MARKS_MOST then
        table.remove(self.refused, 1)
    end
    self.host.store.put(KEY, self.refused)
    ledger.say(self.book, ledger.glance(self.book), "terminal.auth_failed",
        { locked = locked or nil, unlock_s = seconds })
    self.host.commit()
    self.host.log.error("the terminal refused user and password%s; nothing is asked until %s",
        locked and " (it says that the account is locked)" or "",
        one.until_s and "the lock-out is over" or "the configuration changes")
    self.host.metrics.count("logins_refused", 1)
end

local function wish(self, what)
    local config = self.config
    local headers = { Connection = "close", ["Content-Type"] = what.type
        or what.body and TYPES[what.body:sub(1, 1)] or nil }
    return { url = config.url .. what.path, method = what.method, body = what.body,
        headers = headers, user = config.user, password = config.password, auth = "digest",
        timeout = what.timeout or config.timeout, ca = config.ca, insecure = config.insecure or nil,
        most = what.most or ANSWER_MOST, low_speed = what.low_speed }
end

local function count(self, code)
    self.host.metrics.count(code and "requests_failed" or "requests", 1)
end

-- Runs `ask` in turn; what answered 401 is the last one that was asked.
local function in_turn(self, ask)
    local _ <close> = turn.take(self.turn)
    local barred = client.barred(self)
    if barred then
        return nil, barred, "auth"
    end
    local first, second, code = ask()
    count(self, code)
    local status = first and (second and second.status or first.status)
    if status == 401 then
        refuse(self, first.body or first:read { timeout = "2s" })
        return nil, "user and password were refused", "auth"
    elseif status then
        client.forgive(self)
    end
    if status then
        self.heard_at = self.host.mono()
    end
    return first, second, code
end

-- The answer and what it says (answer.read), whatever its status but 401; or nil, message, code.
function client.ask(self, what)
    local got, why, code = in_turn(self, function()
        local reply, message, fault = self.host.http.request(wish(self, what))
        return reply, not reply and message or nil, fault
    end)
    if not got then
        return nil, why, code
    end
    return got, answer.read(got.status, got.body)
end

-- What is wrong with the request, by the terminal's own numbers: it will not be better next time.
local function is_refused(got, said)
    return got.status == 400 or said.code == 5 or said.code == 6
end

local function code_of(got, said)
    return answer.is_unsupported(got.status, said) and "unsupported"
        or is_refused(got, said) and "request" or "failed"
end

-- The same for what must succeed: the body, or nil, message, code ("unsupported"; "request": it
-- does not take it so; "failed", "auth", or one of host.http) and what it said.
function client.get(self, what)
    local got, said, code = client.ask(self, what)
    if not got then
        return nil, said, code
    end
    if said.ok then
        return got.body
    end
    return nil, answer.why(got.status, said), code_of(got, said), said
end

-- A stream of parts, opened in turn and read outside of it.
function client.stream(self, what)
    local stream, head, code = in_turn(self, function()
        return self.host.http.stream(wish(self, what))
    end)
    if not stream then
        return nil, head, code
    end
    if head.status ~= 200 then
        stream:close()
        return nil, ("the terminal answers %d"):format(head.status), "failed"
    end
    return stream
end

return client
