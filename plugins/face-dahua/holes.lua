-- holes - numbers of records that should be there and were not read: what a reading far back may
-- find, because the terminal's clock was set back when they were made. Pure.
--
-- Invariant: a number is looked for in one reading that succeeds, and not again. What is to be
-- looked for is in the state, which is durable together with the record that showed the hole.
local holes = {}

holes.MOST = 4000 -- numbers that are looked at one by one

-- How many of these numbers were not told; all of them when they are too many to look.
local function count(ledger, first, last)
    if last - first >= holes.MOST then
        return last - first + 1
    end
    local missing = 0
    for serial = first, last do
        missing = missing + (ledger.serials[serial] and 0 or 1)
    end
    return missing
end

-- The numbers up to `last` should be there: the ones behind `first` that nobody has looked for and
-- that were not told are to be looked for.
function holes.note(state, ledger, first, last)
    first = math.max(first, (state.sought or 0) + 1)
    if first > last then
        return
    end
    state.sought = last
    if count(ledger, first, last) > 0 then
        local missing = state.missing or { first = first }
        state.missing = { first = missing.first, last = last }
    end
end

-- A number that was heard of. One that is far away is believed only when it is read.
function holes.hear(state, ledger, serial)
    local known = math.max(state.top or 0, state.sought or 0)
    if known > 0 and serial - known <= holes.MOST then
        holes.note(state, ledger, (state.top or known) + 1, serial - 1)
    end
end

-- Whether a number is one of those that are looked for.
function holes.has(state, serial)
    local missing = state.missing
    return missing ~= nil and serial >= missing.first and serial <= missing.last
end

-- How many are looked for and were not told until now.
function holes.count(state, ledger)
    local missing = state.missing
    return missing and count(ledger, missing.first, missing.last) or 0
end

-- They were looked for; or the numbers have begun again.
function holes.close(state, sought)
    state.missing, state.sought = nil, sought
end

return holes
