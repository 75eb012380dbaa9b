-- orders - commands on their way to a terminal, which fetches them and answers later.
--
-- They live in memory only: they hold names and cards, which are not to lie on the box, and whoever
-- asked waits for the answer. One whose answer does not come is offered again with the same number;
-- all of them may be done twice.
local command = require "command"

local orders = {}

local MOST = 32 -- of a terminal
local AGAIN_S = 20
local LIFE_S = 120
local CATCH_UP_S = 2 * 86400

-- Numbers go on where the clock is, so that a late answer of an earlier life fits none.
local function next_id(shop)
    shop.order = math.max((shop.order or 0) + 1, math.floor(shop.host.now()))
    return ("%d"):format(shop.order)
end

-- Puts a command in line. done(code) is called when the terminal has answered. nil when there are
-- too many.
function orders.give(shop, one, text, done)
    local now = shop.host.mono()
    for i = #one.commands, 1, -1 do
        if now - one.commands[i].since > LIFE_S then
            table.remove(one.commands, i)
        end
    end
    if #one.commands >= MOST then
        return nil
    end
    local order = { id = next_id(shop), text = text, done = done, since = now }
    one.commands[#one.commands + 1] = order
    return order
end

-- Takes one back that has not been answered.
function orders.take_back(one, order)
    for i, other in ipairs(one.commands) do
        if other == order then
            table.remove(one.commands, i)
            return
        end
    end
end

-- The answer to getrequest: all commands that are due, or "OK".
function orders.next(shop, one)
    local now, list = shop.host.mono(), {}
    for _, order in ipairs(one.commands) do
        if not order.offered or now - order.offered >= AGAIN_S then
            order.offered = now
            list[#list + 1] = command.line(order.id, order.text)
        end
    end
    return #list == 0 and "OK" or table.concat(list, "\n") .. "\n"
end

-- A terminal has answered. What fits no command is an answer that came twice.
function orders.answered(shop, one, result)
    for i, order in ipairs(one.commands) do
        if order.id == result.id and result.code then
            table.remove(one.commands, i)
            shop.host.metrics.count("commands_answered", 1)
            if order.done then
                order.done(result.code)
            end
            return
        end
    end
    shop.host.metrics.count("answers_unasked", 1)
end

-- Asks a terminal of attendance PUSH for what it recorded lately, in case its own mark has jumped
-- over something: with its clock, for instance. What is known comes to nothing.
function orders.catch_up(shop, one)
    if one.catching and shop.host.mono() - one.catching.since <= LIFE_S then
        return
    end
    local now = shop.host.now()
    one.catching = orders.give(shop, one,
        command.resend("attendance", now - CATCH_UP_S, now + 86400, shop.offset),
        function() one.catching = nil end)
end

return orders
