-- upload - the body of an EventHttpUpload as texts and pictures. Pure, but for the `inflate` it
-- is given.
--
--   upload.read(body, "gzip", "application/json", inflate.decode)
--       --> { { text = "{...}" }, { picture = bytes, type = "image/jpeg" } }
--
-- What the headers say about packing may be false in either way. So what looks like text is text,
-- whatever is said, and what does not is unpacked, whatever is said.
local cutter = require "cutter"

local upload = {}

upload.MOST = 1024 * 1024 -- unpacked

local FORMS = { '^%s*[{%[]%s*["{}%]]', "^%s*Code=[%w_]", "^%s*%-%-[%w-]", "^%s*Events%[",
    "^%s*Heartbeat" }

local function looks_like_text(body)
    local front = body:sub(1, 64):gsub("^\xEF\xBB\xBF", "")
    for _, form in ipairs(FORMS) do
        if front:find(form) then
            return true
        end
    end
    return false
end

-- The body as it was before it was packed, or nil and why.
local function unpack(body, encoding, decode)
    if body == "" or looks_like_text(body) then
        return body
    end
    local plain, why = decode(body, upload.MOST)
    if plain then
        return plain
    elseif (encoding or "identity") == "identity" then
        return body
    end
    return nil, why
end

local function parts_of(body)
    local one = cutter.new { most = upload.MOST, pictures = true }
    local items = one:feed(body)
    for _, item in ipairs(one:finish()) do
        items[#items + 1] = item
    end
    return items
end

-- What is in it, in order; nil and why when it cannot be unpacked or holds nothing.
function upload.read(body, encoding, kind, decode)
    local plain, why = unpack(body, encoding and encoding:lower(), decode)
    if not plain then
        return nil, why
    end
    plain = plain:gsub("^\xEF\xBB\xBF", "")
    local is_parts = (kind or ""):lower():find("^multipart/") or plain:find("^%s*%-%-[%w-]")
    if not is_parts and plain:find("^%s*[{%[]") then
        return { { text = plain } } -- JSON, whatever lines are in it
    end
    local items = parts_of(plain)
    if #items == 0 and plain:find("%S") then
        return nil, "expected an event"
    end
    return items
end

return upload
