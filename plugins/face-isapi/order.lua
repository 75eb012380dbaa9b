-- order - which of a terminal's records are told next, and what is missing before them. Pure.
--
--   state.cursor    the highest serial number up to which everything is told (0: nothing yet)
--   state.top       the highest ever told; beyond it nothing can have been told
--   state.ahead     numbers beyond the cursor that are told already, because they were urgent
--   state.again     a number under which there is another record than the one that was told
--
-- Which records are told is known by number and identity together (`is_told`): when numbers begin
-- again both runs of them may lie in the terminal side by side. Time decides nothing here.
local order = {}

local function is_ahead(state, serial)
    for _, one in ipairs(state.ahead or {}) do
        if one == serial then
            return true
        end
    end
    return false
end

-- Of facts by number (and of one number by age) those to be told, at most one of each number, in
-- order. What is told already is no news, unless it was told ahead of its time: then it is passed.
-- Answers steps { fact =, serial =, missing =, first = }: what is told, and how many before it are
-- not there.
function order.steps(state, facts, is_told)
    local steps, cursor = {}, state.cursor
    for _, one in ipairs(facts) do
        local serial = one.serialNo
        if serial > cursor then
            local known = serial <= state.top and is_told(one)
            local passed = known and is_ahead(state, serial)
            if passed or not known then
                local missing = serial - cursor - 1
                steps[#steps + 1] = { serial = serial, fact = not passed and one or nil,
                    missing = missing > 0 and missing or nil, first = cursor + 1 }
                cursor = serial
            end
        end
    end
    return steps
end

-- Makes a step count.
function order.pass(state, step)
    state.cursor = step.serial
    state.top = math.max(state.top, step.serial)
    state.low = state.low or step.serial
    local left = {}
    for _, serial in ipairs(state.ahead or {}) do
        if serial > state.cursor then
            left[#left + 1] = serial
        end
    end
    state.ahead = #left > 0 and left or nil
end

-- What a live fact is: "next", "known", "ahead" (others are missing before it), or "doubt": its
-- number has been passed, but it is not what was told under it.
function order.place(state, one, is_told)
    local serial = one.serialNo
    if serial > state.top then
        return serial == state.cursor + 1 and "next" or "ahead"
    elseif is_told(one) then
        return "known"
    elseif serial <= state.cursor then
        return "doubt"
    end
    return serial == state.cursor + 1 and "next" or "ahead"
end

-- The numbers begin again.
function order.restart(state)
    state.cursor, state.low, state.ahead, state.confirmed, state.again = 0, nil, nil, 0, nil
    state.epoch = (state.epoch or 0) + 1
end

-- ---- What is told, in rows of a hundred numbers

order.ROW = 100
order.ROWS = 2000 -- of the newest are kept: more than terminals store
order.MARK = 8 -- hex digits that stand for one record
local MARKS_MAX = 4 * order.ROW

function order.row(serial)
    return (serial - 1) // order.ROW
end

function order.has_mark(row, mark)
    local at = row and row:find(mark, 1, true)
    while at and (at - 1) % order.MARK ~= 0 do
        at = row:find(mark, at + 1, true)
    end
    return at ~= nil
end

-- The row with one more mark; of several runs of numbers the newest are kept.
function order.add_mark(row, mark)
    row = (row or "") .. mark
    return row:sub(-MARKS_MAX * order.MARK)
end

return order
