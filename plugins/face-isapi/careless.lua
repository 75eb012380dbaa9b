-- careless - JSON as firmware writes it, not as the book has it. Pure.
--
-- Names in GBK, of which a byte may be a backslash; a byte order mark before it, a NUL behind it;
-- control characters, backslashes and half letters in a name as they are; a comma too many. None of
-- that is a reason not to know who reported in, and one such name in a page would hold up all that
-- comes after it. What is mended is in texts that go no further.
local gbk = require "gbk"
local json = require "json"

local careless = {}

-- In UTF-8, without a byte order mark.
function careless.readable(text)
    text = text:gsub("^\xEF\xBB\xBF", "")
    if utf8.len(text) then
        return text
    end
    return gbk.decode(text) or (text:gsub("[\x81-\xFE][\x40-\xFE]", "?"):gsub("[\x80-\xFF]", "?"))
end

local function escape(letter)
    return not letter:find '["\\/bfnrtu]' and "?" .. letter or nil
end

local function mended(text)
    text = text:gsub("%c", " "):gsub("\\(.)", escape):gsub("\\u[dD][89a-fA-F]%x%x", "?")
    return (text:gsub(",(%s*[%]}])", "%1"))
end

-- The value, or nil and what was expected.
function careless.json(text)
    text = careless.readable(text)
    local value, why = json.decode(text)
    if value == nil then
        value = json.decode(mended(text))
    end
    return value, value == nil and why or nil
end

-- Without white space and NULs at both ends: XML has to begin with its first letter.
function careless.trim(text)
    local first = text:find "[^%s%z]"
    return first and text:match("^.*[^%s%z]", first) or ""
end

return careless
