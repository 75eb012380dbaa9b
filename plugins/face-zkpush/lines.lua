-- lines - what uploads are made of: lines, fields between tabs, and "name=value". Pure.
--
-- Every terminal is a stranger: any bytes may come, and nothing here raises or takes more than a
-- line of LINE_MOST bytes into its hands at a time.
local lines = {}

local LINE_MOST = 4096 -- of a record; what is longer holds a template or a picture
local FIELDS_MOST = 32

-- Each line that is not empty: its first LINE_MOST bytes, and whether there was more. Ends at LF,
-- CR or both. A byte order mark is in none.
function lines.each(body)
    local at = body:find "^\xEF\xBB\xBF" and 4 or 1
    return function()
        local first = body:find("[^\r\n]", at)
        if not first then
            return nil
        end
        local behind = body:find("[\r\n]", first) or #body + 1
        at = behind
        return body:sub(first, math.min(behind - 1, first + LINE_MOST - 1)),
            behind - first > LINE_MOST
    end
end

-- Without the white space and NULs at both ends. (A pattern with ".-" would try each place.)
function lines.trim(text)
    local first = text:find "[^%s%z]"
    return first and text:match("^.*[^%s%z]", first) or ""
end

-- The fields between tabs, trimmed. A tab at the end makes an empty last one.
function lines.fields(line)
    local list = {}
    for field in (line .. "\t"):gmatch "([^\t]*)\t" do
        list[#list + 1] = lines.trim(field)
        if #list == FIELDS_MOST then
            break
        end
    end
    return list
end

-- { name = value } of "name=value" between separators ("\t", ",", "&"), names in small letters and
-- without the "~" that some have. Of a name that comes twice the first counts.
function lines.values(text, separator)
    local values, count = {}, 0
    for piece in text:gmatch("[^" .. separator .. "\r\n]+") do
        local name, value = piece:match "^%s*~?([%w_%-]+)%s*=(.*)$"
        name = name and name:lower()
        if name and values[name] == nil then
            values[name] = lines.trim(value)
            count = count + 1
        end
        if count == 256 then
            break
        end
    end
    return values
end

-- A whole number of at most 15 digits, or nil.
function lines.whole(text)
    return text and #text <= 15 and text:find "^%d+$" and math.tointeger(tonumber(text)) or nil
end

return lines
