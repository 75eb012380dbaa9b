-- records - recordFinder.cgi: what to ask, and what the answer lists. Pure.
--
--   records.query(from, to, "epoch")       --> "/cgi-bin/recordFinder.cgi?action=find&..."
--   records.read(body, offset)     --> { total =, found =, rows = { { RecNo = "12", ... }, ... } }
--
-- `found` may say more than the answer lists, and indices may jump: what counts are the rows
-- that are there, in their order. A row keeps every field as the text it was and `raw`, its
-- lines without the index; `serial` and `time` are read from RecNo and CreateTime, which is
-- seconds since 1970 or local time of the terminal.
local answer = require "answer"
local moment = require "moment"
local time = require "time"
local trim = require "trim"

local records = {}

records.COUNT = 256 -- of a page: the device would give 1024, all of which would have to be held
local ROWS_MOST = 1100
local RAW_MOST = 4096
local PATH = "/cgi-bin/recordFinder.cgi?action=find&name=AccessControlCardRec"

-- Local time as the device wants it, of a clock `offset` minutes east.
local function local_text(seconds, offset)
    local now = time.fields(seconds, offset)
    return ("%04d-%02d-%02d%%20%02d:%02d:%02d"):format(now.year, now.month, now.day, now.hour,
        now.min, now.sec)
end

-- The request for the records of [from, to], seconds UTC. `form` is "epoch" or "text": one of them
-- is what the firmware understands.
function records.query(from, to, form, offset)
    local first, last = ("%d"):format(from), ("%d"):format(to)
    if form == "text" then
        first, last = local_text(from, offset), local_text(to, offset)
    end
    return ("%s&StartTime=%s&EndTime=%s&count=%d"):format(PATH, first, last, records.COUNT)
end

-- The lines of each index, in the order of their first lines.
local function by_index(body)
    local order, lines, bytes = {}, {}, {}
    for index, line in body:gmatch("records%[(%d+)%]%.([^\r\n]*)") do
        if not lines[index] and #order < ROWS_MOST then
            order[#order + 1], lines[index], bytes[index] = index, {}, 0
        end
        local list = lines[index]
        if list and bytes[index] + #line <= RAW_MOST then
            list[#list + 1], bytes[index] = line, bytes[index] + #line
        end
    end
    return order, lines
end

local function row_of(lines, offset)
    local row = { raw = table.concat(lines, "\n") }
    for _, line in ipairs(lines) do
        local name, value = line:match "^([%w_]+)%s*=(.*)$"
        if name then
            row[name] = trim(value)
        end
    end
    row.serial = math.tointeger(tonumber(row.RecNo))
    row.time = moment.read(row.CreateTime, offset) or moment.read(row.UTC, offset)
    return row
end

-- The page, or nil, what the device says was wrong, and "request" or "error". No records are a page
-- without rows.
function records.read(body, offset)
    local head, why, code = answer.read(body:sub(1, 200))
    if not head then
        return nil, why, code
    end
    local page = { rows = {}, total = math.tointeger(tonumber(head.totalCount)),
        found = math.tointeger(tonumber(head.found)) or 0 }
    local order, lines = by_index(body)
    for i, index in ipairs(order) do
        page.rows[i] = row_of(lines[index], offset)
    end
    return page
end

return records
