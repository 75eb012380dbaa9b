-- ending - where a message ends that does not say its length. Pure.
--
-- An event ends with the brace that closes its data, counted outside of strings; one without
-- data, and anything unknown, with its line; pairs ("Events[0].Code=...") before an empty line.
-- A line that begins the next part or event ends everything: a message that was not whole by
-- then is broken.
local ending = {}

local HEARTBEAT = "Heartbeat"
local EVENT = "^Code=[^\n]-[Dd]ata%s*=%s*()[{%[]"

-- Whether what begins at `at`, behind a line end, is in no message: true, false, or nil when not
-- enough of it is there.
local function is_begin(text, at)
    local front = text:sub(at, at + 5)
    if front:find("^%-%-[^%s]") or front:find("^Code=[%w_]") then
        return true
    elseif front == "-" or front == "--" or front == ("Code="):sub(1, #front) then
        return nil
    end
    return false
end

-- What one of the bytes that matter does to `scan`: "whole" or "broken" when it ends there, "wait",
-- or nil to go on.
local function look(text, scan, found, byte)
    if byte == "\n" then
        local begins = is_begin(text, found + 1)
        return begins and "broken" or begins == nil and "wait" or nil
    elseif byte == '"' then
        scan.quoted = not scan.quoted
    elseif byte == "\\" then
        if scan.quoted and found == #text then
            return "wait"
        end
        scan.step = scan.quoted and text:sub(found + 1, found + 1) ~= "\n" and 2 or 1
    elseif not scan.quoted then
        scan.depth = scan.depth + ((byte == "{" or byte == "[") and 1 or -1)
        return scan.depth <= 0 and "whole" or nil
    end
end

-- From the brace at `from`. `scan` remembers how far it came, for when there is more text.
local function find_close(text, scan, from)
    scan.at, scan.depth = scan.at or from, scan.depth or 0
    while true do
        local found = text:find('[{}%[%]"\\\n]', scan.at)
        if not found then
            scan.at = #text + 1
            return nil
        end
        scan.at, scan.step = found, 1
        local how = look(text, scan, found, text:sub(found, found))
        if how == "wait" then
            return nil
        elseif how then
            return how, found
        end
        scan.at = found + scan.step
    end
end

local function end_of_line(text)
    local found = text:find("\n", 1, true)
    return found and "whole", found
end

local function end_of_event(text, scan)
    scan.place = scan.place or text:match(EVENT)
    if scan.place then
        return find_close(text, scan, scan.place)
    elseif text:find("^Code=[^\n]-[Dd]ata%s*=%s*$") then
        return nil -- its brace comes on the next line
    end
    return end_of_line(text)
end

local function end_of_pairs(text)
    local at = 1
    while true do
        local found = text:find("\n", at, true)
        local begins = found and is_begin(text, found + 1)
        if not found or begins == nil then
            return nil
        elseif begins or text:find("^\r?\n", found + 1) then
            return "whole", found
        end
        at = found + 1
    end
end

local function end_of_json(text, scan)
    return find_close(text, scan, 1)
end

local function end_of_heartbeat(text)
    if text:sub(1, #HEARTBEAT) == HEARTBEAT then
        return "whole", #HEARTBEAT
    end
    return end_of_line(text)
end

local KINDS = {
    { "^Code=", end_of_event }, { "^H", end_of_heartbeat }, { "^Events%[", end_of_pairs },
    { "^[{%[]", end_of_json },
}

-- "whole" and how many bytes, "broken" and how many to give up, or nil when its end is not there.
-- `scan` is a table of the caller's, empty for each new text.
function ending.find(text, scan)
    if #text < #"Events[" and not text:find("\n", 1, true) and not text:find("^[{%[]") then
        return nil -- too little to tell what it is
    end
    for _, row in ipairs(KINDS) do
        if text:find(row[1]) then
            return row[2](text, scan)
        end
    end
    return end_of_line(text)
end

-- Whether a text of which nothing more comes has its braces closed; nil when it has none.
function ending.is_whole(text)
    local place = text:match(EVENT) or text:match("^%s*()[{%[]")
    if not place then
        return nil
    end
    return find_close(text .. "\n.", {}, place) == "whole"
end

return ending
