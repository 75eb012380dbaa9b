-- nearest - finds what a mistyped word was meant to be.
local nearest = {}

-- How many letters to insert, remove, change or swap to get from `a` to `b`; both are short.
local function distance(a, b)
    local before, above = {}, {}
    for j = 0, #b do
        above[j] = j
    end
    for i = 1, #a do
        local row = { [0] = i }
        for j = 1, #b do
            local same = a:byte(i) == b:byte(j)
            row[j] = math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (same and 0 or 1))
            if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
                row[j] = math.min(row[j], before[j - 2] + 1)
            end
        end
        before, above = above, row
    end
    return above[#b]
end

-- The word of `words` nearest to `word`, or nil when none is near (a third of its letters).
function nearest.find(word, words)
    if type(word) ~= "string" or #word > 64 then
        return nil
    end
    local best, least = nil, math.max(1, #word // 3)
    for _, candidate in ipairs(words) do
        local cost = distance(word:lower(), candidate:lower())
        if cost < least or (cost == least and best == nil) then
            best, least = candidate, cost
        end
    end
    return best
end

return nearest
