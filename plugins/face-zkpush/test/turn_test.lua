-- Uploads of one terminal at the same time, and commands on their way: with a host of tables.
local orders = require "orders"
local t = require "testing"
local terminal = require "terminal"

local function house(stored)
    local host = { clock = 1000, counts = {} }
    host.mono = function() return host.clock end
    host.now = function() return 1787196447 + host.clock end
    host.sleep = function() coroutine.yield() end
    host.store = { get = function() return stored and { stamps = {}, index = stored } end }
    host.metrics = { count = function(name, n)
        host.counts[name] = (host.counts[name] or 0) + n
    end }
    return host
end

-- Runs handlers side by side until all have ended.
local function together(handlers)
    local running = {}
    for i, handler in ipairs(handlers) do
        running[i] = coroutine.create(handler)
    end
    while #running > 0 do
        for i = #running, 1, -1 do
            assert(coroutine.resume(running[i]))
            if coroutine.status(running[i]) == "dead" then
                table.remove(running, i)
            end
        end
    end
end

t.test("uploads_of_one_terminal_are_taken_one_after_the_other", function()
    local host = house()
    local one, inside, most, ended = terminal.new(host, "SN1"), 0, 0, 0
    local function upload()
        terminal.in_turn(host, one, function()
            inside = inside + 1
            most = math.max(most, inside)
            coroutine.yield()
            inside, ended = inside - 1, ended + 1
        end)
    end
    together { upload, upload, upload }
    t.equal({ most, ended, one.waiting }, { 1, 3, 0 })
end)

t.test("more_than_a_few_that_wait_are_sent_away", function()
    local host = house()
    local one, told = terminal.new(host, "SN1"), {}
    local handlers = {}
    for i = 1, 10 do
        handlers[i] = function()
            local ok, why = pcall(terminal.in_turn, host, one, function() coroutine.yield() end)
            told[ok and "done" or why] = (told[ok and "done" or why] or 0) + 1
        end
    end
    together(handlers)
    t.equal(told, { done = 4, [terminal.BUSY] = 6 })
end)

t.test("after_a_failure_the_stored_state_counts_and_the_next_one_gets_its_turn", function()
    local host = house(7)
    local one = terminal.new(host, "SN1")
    local ok, why = pcall(terminal.in_turn, host, one, function()
        one.state.index = 99
        error("oh", 0)
    end)
    t.equal({ ok, why, one.state.index }, { false, "oh", 7 })
    t.equal(terminal.in_turn(host, one, function() return "mine" end), "mine")
end)

t.test("the_turn_of_one_that_was_ended_from_outside_passes_on", function()
    local host = house()
    local one = terminal.new(host, "SN1")
    one.turn = host.clock
    local done = coroutine.create(function()
        terminal.in_turn(host, one, function() end)
    end)
    coroutine.resume(done)
    t.equal(coroutine.status(done), "suspended")
    host.clock = host.clock + 61
    coroutine.resume(done)
    t.equal(coroutine.status(done), "dead")
end)

-- ---- Commands

local function shop()
    local host = house()
    return { host = host, offset = 480 }, terminal.new(host, "SN1")
end

t.test("a_command_is_offered_until_it_is_answered_with_the_same_number", function()
    local self, one = shop()
    local told
    orders.give(self, one, "CHECK", function(code) told = code end)
    local first = orders.next(self, one)
    t.holds(first:find "^C:%d+:CHECK\n$", first)
    t.equal(orders.next(self, one), "OK")
    self.host.clock = self.host.clock + 20
    t.equal(orders.next(self, one), first)
    orders.answered(self, one, { id = "1", code = 0 })
    t.equal({ told, self.host.counts.answers_unasked }, { nil, 1 })
    orders.answered(self, one, { id = first:match "%d+", code = -1002 })
    t.equal({ told, orders.next(self, one) }, { -1002, "OK" })
end)

t.test("commands_are_bounded_and_forgotten_in_time", function()
    local self, one = shop()
    for i = 1, 32 do
        t.holds(orders.give(self, one, "A" .. i), i)
    end
    t.equal(orders.give(self, one, "B"), nil)
    self.host.clock = self.host.clock + 121
    t.holds(orders.give(self, one, "B"))
    t.equal(#one.commands, 1)
end)

t.test("numbers_of_commands_never_come_twice_and_go_on_in_a_later_life", function()
    local self, one = shop()
    local a, b = orders.give(self, one, "A"), orders.give(self, one, "B")
    t.holds(tonumber(b.id) > tonumber(a.id))
    local later, other = shop()
    later.host.clock = later.host.clock + 10
    t.holds(tonumber(orders.give(later, other, "C").id) > tonumber(b.id))
end)

t.test("what_was_recorded_lately_is_asked_for_once_at_a_time", function()
    local self, one = shop()
    for _ = 1, 3 do
        orders.catch_up(self, one)
    end
    t.equal(#one.commands, 1)
    self.host.clock = self.host.clock + 300
    orders.catch_up(self, one)
    t.equal(#one.commands, 1)
end)

return t.finish()
