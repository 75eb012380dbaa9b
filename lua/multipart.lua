-- multipart - the parts of a body that has come whole: what cameras and terminals push. Pure.
--
--   multipart.parts(request.body, request.headers["content-type"])
--       --> { { headers = { ["content-type"] = "image/jpeg" }, body = "\xFF\xD8..." }, ... }
--
-- By Content-Length where a part has one that is right (a picture may hold the delimiter), else to
-- the next delimiter. Lines end in CRLF or LF. The boundary is taken as it is said, with or without
-- double quotes; one that has two dashes of its own may stand without two more. What is open at
-- the end of the body ends there. A stream that never ends is read by host.http (stream:part()).
local trim = require "trim"

local multipart = {}

local PARTS_MAX, HEAD_MAX, BOUNDARY_MAX = 64, 8192, 200

-- The boundary of a Content-Type; nil when it is no multipart.
function multipart.boundary(content_type)
    if type(content_type) ~= "string" or not content_type:lower():find "^%s*multipart/" then
        return nil
    end
    local at = content_type:lower():match "boundary[ \t]*=[ \t]*()"
    local rest = at and content_type:sub(at) or ""
    local token = rest:match '^"([^"]+)' or rest:match "^([^;\"]-)%s*$"
        or rest:match "^([^;\"]-)%s*;"
    if not token or token == "" or #token > BOUNDARY_MAX then
        return nil
    end
    return token
end

-- Whether a delimiter stands at `at`, which is the begin of a line: where its line ends, and
-- whether it is the one that closes.
local function delimiter_at(body, at, delimiter)
    if body:sub(at, at + #delimiter - 1) ~= delimiter then
        return nil
    end
    local dashes, last = body:match("^(%-?%-?)[ \t]*\r?()", at + #delimiter)
    if dashes == "-" or last <= #body and body:byte(last) ~= 10 then
        return nil
    end
    return last + 1, dashes == "--"
end

local function mark_at(self, at)
    for _, delimiter in ipairs(self.delimiters) do
        local behind, closes = delimiter_at(self.body, at, delimiter)
        if behind then
            return behind, closes
        end
    end
end

-- The next delimiter at the begin of a line, from `at` on: where it stands, where its line ends,
-- whether it closes.
local function next_mark(self, at)
    while at <= #self.body do
        local behind, closes = mark_at(self, at)
        if behind then
            return at, behind, closes
        end
        local line_end = self.body:find("\n--", at, true)
        if not line_end then
            return nil
        end
        at = line_end + 1
    end
end

-- The headers from `at` on, and where the body begins; nil when they do not end.
local function read_head(body, at)
    local headers, limit = {}, at + HEAD_MAX
    while at < limit do
        local line, behind = body:match("^([^\n]*)\n()", at)
        if not line then
            return nil
        end
        line = line:gsub("\r$", "")
        if line == "" then
            return headers, behind
        end
        local name, value = line:match "^([^:%s]+)%s*:(.*)$"
        if name then
            headers[name:lower()] = trim(value)
        end
        at = behind
    end
end

-- Where a body that says its length ends, when a delimiter or nothing follows there.
local function counted_end(self, headers, at)
    local said = headers["content-length"]
    local length = said and said:find "^%d%d?%d?%d?%d?%d?%d?%d?%d?$" and tonumber(said)
    if not length or at + length - 1 > #self.body then
        return nil
    end
    local next_line = self.body:match("^\r?\n?()", at + length)
    if next_line > #self.body or mark_at(self, next_line) then
        return at + length - 1
    end
end

-- The last byte of a body without a length, whose delimiter begins at `mark` (nil: none comes).
local function marked_end(body, mark)
    local last = mark and mark - 1 or #body
    if mark and body:byte(last) == 10 then
        last = last - 1
    end
    return mark and body:byte(last) == 13 and last - 1 or last
end

-- The part whose headers begin at `at`, and where to look on.
local function read_part(self, at)
    local headers, first = read_head(self.body, at)
    if not headers then
        return nil, at
    end
    local last = counted_end(self, headers, first)
    if not last then
        last = math.max(first - 1, marked_end(self.body, (next_mark(self, first))))
    end
    return { headers = headers, body = self.body:sub(first, last) }, last + 1
end

-- From a place behind a part to the begin of the line that should be a delimiter.
local function skip_line_end(body, at)
    return body:match("^\r?\n?()", at)
end

-- The parts in their order, at most 64; nil and what was expected when it is no multipart body.
function multipart.parts(body, content_type)
    local token = multipart.boundary(content_type)
    if not token then
        return nil, "expected a multipart content type with a boundary"
    end
    local self = { body = body, delimiters = { "--" .. token } }
    if token:find "^%-%-." then
        self.delimiters[2] = token
    end
    local found, behind, closes = next_mark(self, 1)
    if not found then
        return nil, "expected parts behind delimiters, got none"
    end
    local parts = {}
    while found and not closes and #parts < PARTS_MAX do
        local part, at = read_part(self, behind)
        parts[#parts + 1] = part
        found, behind, closes = next_mark(self, part and skip_line_end(body, at) or at)
    end
    return parts
end

return multipart
