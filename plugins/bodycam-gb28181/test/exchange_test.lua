-- How many datagrams are worked on at once, with a host of coroutines: in the rehearsal no handler
-- waits so long that it could be seen.
local exchange = require "exchange"
local t = require "testing"

local MESSAGE = "MESSAGE sip:1@2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.7;branch=%d\r\n"
    .. "From: <sip:1@2>\r\nTo: <sip:2@2>\r\nCall-ID: %d\r\nCSeq: 1 MESSAGE\r\n\r\n"

-- Handlers wait where the real ones do, until turn() lets all of them go on.
local function new_host()
    local host = { clock = 0, handlers = {}, waiting = {}, received = 0, sent = 0,
        metrics = { count = function() end } }
    function host.mono() return host.clock end
    function host.random(count) return ("r"):rep(count) end
    function host.after(_, fn) host.handlers[#host.handlers + 1] = coroutine.create(fn) end
    function host.sleep() coroutine.yield() end
    function host.commit() end
    local port = { send = function()
        host.sent = host.sent + 1
        return true
    end }
    function port.receive()
        while host.received == #host.waiting do
            coroutine.yield()
        end
        host.received = host.received + 1
        return host.waiting[host.received], "10.0.0.7", 5060
    end
    host.udp = { open = function() return port end }
    return host
end

local function turn(host)
    local handlers = host.handlers
    host.handlers = {}
    for _, handler in ipairs(handlers) do
        assert(coroutine.resume(handler))
        if coroutine.status(handler) == "suspended" then
            table.insert(host.handlers, handler)
        end
    end
end

local function turns(host, count)
    for _ = 1, count do
        turn(host)
    end
end

t.test("sixty_four_datagrams_are_worked_on_at_once_and_the_others_wait", function()
    local host, is_held = new_host(), true
    exchange.open(host, { udp = "udp://0.0.0.0:5060" }, { on_failure = error,
        on_request = function()
            while is_held do
                coroutine.yield()
            end
            return { status = 200 }
        end })
    for number = 1, 100 do
        host.waiting[number] = MESSAGE:format(number, number)
    end
    turns(host, 300)
    t.equal({ host.received, host.sent }, { 64, 0 })
    is_held = false
    turns(host, 300)
    t.equal({ host.received, host.sent }, { 100, 100 })
end)

t.test("handlers_that_never_come_back_do_not_stop_it_for_ever", function()
    local host = new_host()
    exchange.open(host, { udp = "udp://0.0.0.0:5060" }, { on_failure = error,
        on_request = function()
            while true do
                coroutine.yield()
            end
        end })
    for number = 1, 100 do
        host.waiting[number] = MESSAGE:format(number, number)
    end
    turns(host, 300)
    t.equal(host.received, 64)
    host.clock = 61
    turns(host, 300)
    t.equal(host.received, 100)
end)

return t.finish()
