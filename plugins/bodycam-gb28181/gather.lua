-- gather - one answer that comes in several messages: catalogue, list of recordings. Pure.
--
-- SumNum says how many items there are in all. Cameras send items twice, count them wrong, and lose
-- messages, so an answer is over
--
--   when there are SumNum different items                           complete
--   or SumNum in all, some twice, and nothing more for SETTLE_S      not complete
--   or without a SumNum, and nothing more for SETTLE_S               complete, as it seems
--   or nothing more for QUIET_S                                      not complete
--
-- Never more than `most` items are kept; what is beyond is counted as missing.
local gather = {}

gather.SETTLE_S, gather.QUIET_S = 2, 10

-- `key(item)` tells two items from each other.
function gather.new(key, most, now)
    return { key = key, most = most, items = {}, known = {}, came = 0, messages = 0, heard = now }
end

-- A message: how many there are in all (nil when it does not say), and its items.
function gather.add(self, sum, items, now)
    self.heard = now
    self.messages = self.messages + 1
    self.sum = sum and math.max(self.sum or 0, sum) or self.sum
    for _, item in ipairs(items) do
        local key = self.key(item)
        self.came = self.came + 1
        if not self.known[key] and #self.items < self.most then
            self.known[key] = true
            self.items[#self.items + 1] = item
        end
    end
end

function gather.is_complete(self)
    return self.messages > 0 and #self.items >= (self.sum or 0)
end

function gather.is_over(self, now)
    local quiet = now - self.heard
    if self.messages > 0 and self.sum and gather.is_complete(self) then
        return true
    end
    local settles = self.messages > 0 and (not self.sum or self.came >= self.sum)
    return quiet >= (settles and gather.SETTLE_S or gather.QUIET_S)
end

-- How many items there are said to be that never came.
function gather.missing(self)
    return math.max(0, (self.sum or 0) - #self.items)
end

-- The times between recordings, in order: { { from =, to =, seconds =, after = 6 }, ... }.
-- Recordings are sorted by their begin; those without times are passed over, and so are those
-- that overlap.
function gather.gaps(records)
    local sorted, gaps, last = {}, {}, nil
    for _, one in ipairs(records) do
        if one.from and one.to and one.to >= one.from then
            sorted[#sorted + 1] = one
        end
    end
    table.sort(sorted, function(a, b) return a.from < b.from end)
    for i, one in ipairs(sorted) do
        if last and one.from > last then
            gaps[#gaps + 1] = { from = last, to = one.from, seconds = one.from - last,
                after = i - 1 }
        end
        last = math.max(last or one.to, one.to)
    end
    return gaps
end

return gather
