-- sweep - reads all records of a time, page by page, from a device whose paging does not work.
--
-- Invariant: a window is left only when a page of it brought nothing new.
--
-- The device ignores `offset` and gives at most so many records, however many there are. So each
-- question begins where the last answer ended: at its latest CreateTime, or, when a firmware lists
-- the newest first, up to its earliest; one day at a time. What came before is known by RecNo and
-- time, and a page that brings nothing new is the last of its window. When more records than a page
-- holds have the same second, the rest of that second cannot be read: it is told as `lost`.
local sweep = {}

local DAY_S = 86400
local PAGES_MOST = 400 -- of a window
local ROWS_MOST = 2048 -- held at once

local function identity(row)
    return ("%s@%s"):format(row.serial or row.raw, row.time or "")
end

-- Adds the rows that are new in this window; how many, and the bounds of their times.
local function add(window, rows)
    local fresh, first, last = 0, nil, nil
    for _, row in ipairs(rows) do
        local key = identity(row)
        if not window.met[key] then
            window.met[key], fresh = true, fresh + 1
            window.rows[#window.rows + 1] = not window.is_known(row) and row or nil
        end
        if row.time then
            first = math.min(first or row.time, row.time)
            last = math.max(last or row.time, row.time)
        end
    end
    return fresh, first, last
end

local function is_descending(rows)
    local first, last = rows[1], rows[#rows]
    return first.time and last.time and first.time > last.time
end

-- Where the next question of the window begins and ends; nil when the window is over.
local function narrow(window, rows, from, to)
    local fresh, first, last = add(window, rows)
    if fresh == 0 or not first then
        local is_stuck = first and first == last and #rows >= window.count and last < to
        if not is_stuck then
            return nil
        end
        window.lost[#window.lost + 1] = last
        return last + 1, to -- the page is full of one second
    elseif is_descending(rows) then
        return from, math.min(first, to)
    end
    return math.max(last, from), to
end

-- All rows of [from, to] that are not known, sorted. ask(from, to) answers a page or nil, why,
-- code.
local function read_window(sweeper, from, to, rows)
    local window = { met = {}, rows = rows, is_known = sweeper.is_known, lost = sweeper.lost,
        count = sweeper.count }
    for _ = 1, PAGES_MOST do
        local page, why, code = sweeper.ask(math.floor(from), math.floor(to))
        if not page then
            return nil, why, code
        elseif #page.rows == 0 then
            return true
        end
        from, to = narrow(window, page.rows, from, to)
        if not from or from > to then
            return true
        elseif #rows >= ROWS_MOST then
            sweep.give(sweeper, rows)
        end
    end
    sweeper.lost[#sweeper.lost + 1] = from
    return true
end

local RESET_DROP = 100

-- Rows in the order of their serials; where these drop far the terminal began to count anew, and
-- what comes behind that stays behind.
function sweep.sort(rows)
    local parts, top = { {} }, -1
    for _, row in ipairs(rows) do
        local serial = row.serial or top
        if serial < top - RESET_DROP then
            parts[#parts + 1], top = {}, -1
        end
        top = math.max(top, serial)
        parts[#parts][#parts[#parts] + 1] = row
    end
    local sorted = {}
    for _, part in ipairs(parts) do
        table.sort(part, function(a, b)
            return (a.serial or 0) < (b.serial or 0)
                or (a.serial or 0) == (b.serial or 0) and (a.time or 0) < (b.time or 0)
        end)
        table.move(part, 1, #part, #sorted + 1, sorted)
    end
    return sorted
end

-- Hands over what was gathered, and forgets it.
function sweep.give(sweeper, rows)
    local sorted = sweep.sort(rows)
    for i = #rows, 1, -1 do
        rows[i] = nil
    end
    if #sorted > 0 then
        sweeper.take(sorted)
    end
end

-- Reads [from, to] for
--   sweeper = { ask = page or nil, why, code; is_known = of a row; take = gets new rows, sorted;
--               count = rows of a full page }
-- Answers true and the seconds of which not all could be read, or nil, why, code. What was read
-- before a failure has been taken.
function sweep.run(sweeper, from, to)
    sweeper.lost = {}
    while from <= to do
        local rows = {}
        local until_ = math.min(from + DAY_S - 1, to)
        local ok, why, code = read_window(sweeper, from, until_, rows)
        sweep.give(sweeper, rows)
        if not ok then
            return nil, why, code
        end
        from = until_ + 1
    end
    return true, sweeper.lost
end

return sweep
