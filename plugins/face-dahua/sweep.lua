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
local ROWS_MOST, WAIT_MOST = 1024, 4096 -- held at once; the same of those that wait

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
    local begin = from
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
            sweep.give(sweeper, rows, from > begin and from or nil)
        end
    end
    sweeper.lost[#sweeper.lost + 1] = from
    return true
end

local RESET_DROP, RESET_FIRST = 100, 100

-- Whether the numbers begin anew at each row: they drop to the first ones, and nothing behind that
-- goes on where they were. A clock that was set back mixes old and new, and does go on.
local function beginnings(rows)
    local begins, behind = {}, 0
    for i = #rows, 1, -1 do
        begins[i], behind = behind, math.max(behind, rows[i].serial or 0)
    end
    local top = -1
    for i, row in ipairs(rows) do
        local serial = row.serial or top
        local is_low = serial < top - RESET_DROP and serial <= RESET_FIRST
        begins[i] = is_low and begins[i] < top
        top = begins[i] and serial or math.max(top, serial)
    end
    return begins
end

-- Rows in the order of their serials; where the terminal began to count anew, what comes behind
-- that stays behind.
function sweep.sort(rows)
    local parts, begins = { {} }, beginnings(rows)
    for i, row in ipairs(rows) do
        if begins[i] then
            parts[#parts + 1] = {}
        end
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

-- How many of the sorted rows follow each other without a hole: what is missing may come later with
-- an earlier number, when the clock was set back.
local function run_of(sorted)
    for i = 2, #sorted do
        if sorted[i].serial ~= (sorted[i - 1].serial or -1) + 1 then
            return i - 1
        end
    end
    return #sorted
end

-- Hands over what was gathered, and forgets it. `upto`: everything before that was read, but
-- there is more; then those behind a hole in the numbers wait for what fills it, as long as
-- there is room.
function sweep.give(sweeper, rows, upto)
    local sorted = sweep.sort(rows)
    local count = #sorted
    if upto and count < WAIT_MOST then
        count = run_of(sorted)
    end
    for i = #rows, 1, -1 do
        rows[i] = nil
    end
    table.move(sorted, count + 1, #sorted, 1, rows)
    for _, row in ipairs(rows) do
        upto = upto and row.time and math.min(upto, row.time)
    end
    sweeper.take(table.move(sorted, 1, count, 1, {}), upto)
end

-- Reads [from, to] for
--   sweeper = { ask = page or nil, why, code; is_known = of a row; count = rows of a full page;
--               take = gets new rows, sorted, and up to when there are no others, if that is known;
--               done = gets the moment up to which all was read }
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
        sweeper.done(until_)
        from = until_ + 1
    end
    return true, sweeper.lost
end

return sweep
