local gather = require "gather"
local t = require "testing"

local function new(most)
    return gather.new(function(item) return item.id end, most or 100, 0)
end

local function items(...)
    local list = {}
    for i, id in ipairs { ... } do
        list[i] = { id = id }
    end
    return list
end

t.test("it_is_over_as_soon_as_all_are_there", function()
    local g = new()
    gather.add(g, 3, items("a", "b"), 1)
    t.holds(not gather.is_over(g, 1))
    gather.add(g, 3, items "c", 2)
    t.holds(gather.is_over(g, 2) and gather.is_complete(g))
    t.equal({ #g.items, gather.missing(g) }, { 3, 0 })
end)

t.test("none_at_all_is_complete_too", function()
    local g = new()
    t.holds(not gather.is_over(g, 9.9))
    t.holds(not gather.is_complete(g))
    gather.add(g, 0, {}, 1)
    t.holds(gather.is_over(g, 1) and gather.is_complete(g))
end)

t.test("what_comes_twice_is_one_and_does_not_make_it_complete", function()
    local g = new()
    gather.add(g, 3, items("a", "b"), 1)
    gather.add(g, 3, items "b", 1)
    t.holds(not gather.is_over(g, 2.9))
    t.holds(gather.is_over(g, 3) and not gather.is_complete(g))
    t.equal({ #g.items, gather.missing(g) }, { 2, 1 })
end)

t.test("what_is_lost_is_waited_for_ten_seconds", function()
    local g = new()
    gather.add(g, 3, items "a", 5)
    t.holds(not gather.is_over(g, 14.9))
    t.holds(gather.is_over(g, 15) and not gather.is_complete(g))
    t.equal(gather.missing(g), 2)
end)

t.test("without_a_sum_it_is_over_when_nothing_more_comes", function()
    local g = new()
    gather.add(g, nil, items "a", 1)
    t.holds(not gather.is_over(g, 2))
    t.holds(gather.is_over(g, 3) and gather.is_complete(g))
    gather.add(g, 2, items "b", 3)
    t.equal(g.sum, 2)
end)

t.test("no_more_than_most_are_kept", function()
    local g = new(2)
    gather.add(g, 3, items("a", "b", "c"), 1)
    t.equal({ #g.items, gather.missing(g) }, { 2, 1 })
    t.holds(gather.is_over(g, 3) and not gather.is_complete(g))
end)

t.test("gaps_between_recordings_are_found_whatever_their_order", function()
    local gaps = gather.gaps { { from = 100, to = 200 }, { from = 10, to = 50 }, {},
        { from = 40, to = 90 }, { from = 210, to = 205 }, { from = 60, to = 80 } }
    t.equal(gaps, { { from = 90, to = 100, seconds = 10, after = 3 } })
    t.equal(gather.gaps {}, {})
end)

return t.finish()
