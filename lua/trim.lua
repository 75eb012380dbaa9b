-- trim - a text without the white space at both ends.
--
-- In time that grows with the text. The usual "^%s*(.-)%s*$" looks at a run of blanks again from
-- each of its places, and a device that sends a megabyte of them stops whoever reads it.
local function trim(text)
    local first = text:find "%S"
    return first and text:match("^.*%S", first) or ""
end

return trim
