-- sip - messages of SIP (RFC 3261) as tables, and back. Pure.
--
--   local message, why = sip.parse(bytes)
--   message.method, message.uri              a request
--   message.status, message.reason           a response
--   sip.header(message, "call-id"), message.body
--   sip.write(sip.reply(message, 200))
--
-- `headers` is a list of { name, value } in their order; names are in small letters and in their
-- long form ("v" is "via"). Cameras are lax: lines may end with LF alone, tags and rport may be
-- missing, the realm in an address is whatever somebody once typed. What cannot be lax: a value
-- never holds a control character, so what is copied into an answer cannot begin a line of its
-- own.
local document = require "document"
local trim = require "trim"

local sip = {}

local HEAD_MOST, LINES_MOST, FIELDS_MOST = 16384, 128, 32
sip.MOST = 65536

local LONG = { v = "via", f = "from", t = "to", i = "call-id", m = "contact", l = "content-length",
    c = "content-type", e = "content-encoding", s = "subject", k = "supported", o = "event" }

local CASED = { ["call-id"] = "Call-ID", cseq = "CSeq", ["www-authenticate"] = "WWW-Authenticate" }

local REASONS = { [100] = "Trying", [200] = "OK", [400] = "Bad Request", [401] = "Unauthorized",
    [403] = "Forbidden", [405] = "Method Not Allowed", [423] = "Interval Too Brief",
    [481] = "Call/Transaction Does Not Exist", [488] = "Not Acceptable Here",
    [489] = "Bad Event", [503] = "Service Unavailable" }

local TOKEN = "[%w%-%.!%%*_+`'~]+"

-- ---- Reading
--
-- No pattern here looks at the same bytes again and again (trim.lua): one message would hold up the
-- plugin until the host ends it.

-- Where the head ends and the body begins.
local function split(bytes)
    local from = bytes:find("[^\r\n%z ]") or #bytes + 1
    local last, body = bytes:match("()\r?\n\r?\n()", from)
    if not last then -- a head alone, of one who takes the end of a line for an empty one
        last, body = bytes:match("()\r?\n()$", from)
    end
    if not last then
        return nil, "expected an empty line behind the head"
    end
    if last - from > HEAD_MOST then
        return nil, ("expected a head of at most %d bytes, got %d"):format(HEAD_MOST, last - from)
    end
    return bytes:sub(from, last - 1), body
end

-- True for what cameras send to keep a way through a router open: nothing but ends of lines.
function sip.is_ping(bytes)
    return not bytes:find("[^\r\n%z ]")
end

local function read_start(line)
    local status, reason = line:match("^[sS][iI][pP]/2%.0 +(%d%d%d) ?(.*)$")
    if status then
        return { status = tonumber(status), reason = reason, headers = {} }
    end
    local method, uri = line:match("^(%u[%u_]*) +(%S+) +[sS][iI][pP]/2%.0 *$")
    if not method or #method > 20 then
        return nil, "expected METHOD URI SIP/2.0 or SIP/2.0 STATUS REASON as first line"
    end
    return { method = method, uri = uri, headers = {} }
end

-- A name with blanks in it ("User Agent") is nobody's, and the others are as good as before.
local function read_line(message, line)
    local name, value = line:match("^([^:]*):(.*)$")
    name = name and trim(name)
    if not name or name == "" or line:find "%c" then
        return "expected lines of NAME: VALUE"
    elseif not name:find("^" .. TOKEN .. "$") then
        return nil
    end
    name = name:lower()
    message.headers[#message.headers + 1] = { LONG[name] or name, trim(value) }
    return #message.headers > LINES_MOST
        and ("expected at most %d lines in the head"):format(LINES_MOST) or nil
end

-- A line that begins with a blank goes on with the one before it.
local function unfolded(head)
    return (head:gsub("\r?\n[ \t]+", " "))
end

-- The message and the first thing that is wrong; a line that is no header is not in it.
local function read_head(head)
    local message, first
    for line in (unfolded(head) .. "\n"):gmatch("(.-)\r?\n") do
        local fault
        if message then
            fault = read_line(message, line:gsub("\t", " "))
        else
            message, fault = read_start(line)
        end
        first = first or fault
        if not message or #message.headers > LINES_MOST then
            return nil, first
        end
    end
    return message, first
end

-- The value of the first header of that name, or nil.
function sip.header(message, name)
    for _, header in ipairs(message.headers) do
        if header[1] == name then
            return header[2]
        end
    end
end

local LETTER_MOST = 4 -- bytes of one in UTF-8 and GB18030

-- Some cameras count letters where bytes are meant: then the body ends where its document does.
-- `told` bytes of it stand in `all` from `behind` on; the answer is beyond the end of `all` when
-- the document has not ended there yet.
local function bytes_of(told, all, behind)
    local stop, begin
    if all:sub(behind, behind + told - 1):find "[\x80-\xFF]" then
        stop, begin = document.ending(all, behind)
    end
    local length = (stop or #all + 1) - behind + 1
    local is_one = begin and begin < behind + told
    if not is_one or length <= told or length > LETTER_MOST * told then
        return told
    end
    local next_one = all:find("SIP/2.0", behind + told, true)
    return next_one and next_one < behind + length and told or length
end

-- The number of bytes that a head says its body has: 0 when it says nothing, nil for nonsense.
-- `all`, `behind`: what has come of the body, as lua/frames.lua hands it over.
function sip.length(head, all, behind)
    local small = "\n" .. unfolded(head):lower()
    local told = small:match "\ncontent%-length[ \t]*:([^\r\n]*)"
        or small:match "\nl[ \t]*:([^\r\n]*)" or "0"
    local digits = trim(told):match "^%d+$"
    local length = digits and #digits <= 9 and tonumber(digits) or nil
    if not all or not length or #all - behind + 1 < length then
        return length
    end
    return bytes_of(length, all, behind)
end

-- A body that is shorter than told is what is there, and what is behind a longer one is kept apart:
-- who reads it sees whether it is whole.
local function read_body(message, rest)
    local told = sip.header(message, "content-length")
    local length = told and (told:find "^%d+$" and #told <= 9 and tonumber(told) or -1) or #rest
    length = length <= #rest and length > 0 and math.min(bytes_of(length, rest, 1), #rest) or length
    message.body, message.beyond = rest:sub(1, math.max(0, length)), rest:sub(length + 1)
    return length < 0 and ("expected a Content-Length in bytes, got %s"):format(told:sub(1, 40))
        or nil
end

local NEEDED = { "via", "from", "to", "call-id", "cseq" }

local function read_needed(message)
    for _, name in ipairs(NEEDED) do
        if (sip.header(message, name) or "") == "" then
            return ("expected a header %s"):format(name)
        end
    end
    local number, method = sip.header(message, "cseq"):match "^(%d+) +(%a[%a_]*)$"
    if not number or #number > 10 then
        return "expected a CSeq of a number and a method"
    end
    method = method:upper()
    if message.method and message.method ~= method then
        return "expected the same method in CSeq as in the first line"
    end
    message.cseq, message.cseq_method = tonumber(number), method
end

-- A message of a datagram, or of a stream that was cut into messages: a table, or nil and what was
-- expected. Third: what is there already, when that is enough to answer 400.
function sip.parse(bytes)
    if #bytes > sip.MOST then
        return nil, ("expected at most %d bytes, got %d"):format(sip.MOST, #bytes)
    end
    local head, body = split(bytes)
    if not head then
        return nil, body
    end
    local message, fault = read_head(head)
    local missing = message and read_needed(message)
    if not message or missing then
        return nil, fault or missing
    end
    fault = fault or read_body(message, bytes:sub(body))
    if fault then
        return nil, fault, message
    end
    return message
end

-- ---- Values

-- ";name=value;flag" as a table; names in small letters, the first of two counts.
local function parameters(text)
    local found, count = {}, 0
    for name, value in text:gmatch(";%s*(" .. TOKEN .. ")%s*=?%s*([^;]*)") do
        name = name:lower()
        found[name] = found[name] or value:match '^"(.*)"%s*$' or trim(value)
        count = count + 1
        if count == FIELDS_MOST then
            break
        end
    end
    return found
end

local function dashes(text)
    return ("-"):rep(#text)
end

-- What commas stand between; those in quotes and in <> are none.
local function pieces(text)
    local masked = text:gsub('"[^"]*"', dashes):gsub("<[^<>]*>", dashes)
    local found, from = {}, 1
    for comma in (masked .. ","):gmatch "()," do
        found[#found + 1] = trim(text:sub(from, comma - 1))
        from = comma + 1
    end
    return found
end

local function host_and_port(place)
    place = place:gsub("%s", "")
    local host, port = place:match "^(%[[%x:.]+%]):?(%d*)$"
    if not host then
        host, port = place:match "^([%w_.-]+):?(%d*)$"
    end
    local number = port and #port <= 5 and tonumber(port) or nil
    return host, number and number >= 1 and number <= 65535 and number or nil
end

-- What an address says: { user =, host =, port =, parameters = {} } of "<sip:user@host>;tag=1" or
-- of the same without brackets, the first of several; nil when it is none. The user may be missing.
function sip.address(value)
    value = value:gsub('^%s*"[^"]*"%s*', "")
    local uri, rest = value:match "<([^<>]*)>(.*)$"
    if not uri then
        uri, rest = value:match "^%s*([^;,%s]+)(.*)$"
    end
    local place = uri and uri:match "^%s*[sS][iI][pP][sS]?:(.*)$"
    if not place then
        return nil
    end
    local user, where = place:match "^([^@]*)@(.*)$"
    local host, port = host_and_port((where or place):match "^[^;?]*")
    return { user = user and user:match "^[^:;]*", host = host, port = port,
        parameters = parameters(pieces(rest)[1]) }
end

-- The values of all headers of that name, in order, also those that stand in one line; the first
-- of too many.
function sip.values(message, name)
    local found = {}
    for _, header in ipairs(message.headers) do
        for _, value in ipairs(header[1] == name and pieces(header[2]) or {}) do
            found[#found + 1] = value ~= "" and #found < FIELDS_MOST and value or nil
        end
    end
    return found
end

-- The way of the message: { transport =, host =, port =, parameters = {} } of its first Via, or
-- nil.
function sip.via(message)
    local first = (sip.header(message, "via") or ""):match "^[^,]*"
    local transport, place, rest =
        first:match "^[sS][iI][pP]%s*/%s*2%.0%s*/%s*(%a+)%s+([^;]+)(.*)$"
    local host, port = host_and_port(place or "")
    if not host then
        return nil
    end
    return { transport = transport:upper(), host = host, port = port,
        parameters = parameters(rest) }
end

-- The text in quotes that begins at `at`, and where it ends; escapes stay as they are.
local function quoted(text, at)
    local from = at
    while true do
        local stop = text:find('["\\]', at)
        if not stop then
            return nil
        end
        if text:byte(stop) == 34 then
            return text:sub(from, stop - 1), stop + 1
        end
        at = stop + 2
    end
end

-- "Digest a="b", c=d" as "digest" and { a = "b", c = "d" }; nil when it is none of that form.
function sip.credentials(value)
    local scheme, rest = value:match "^%s*(%a+)%s+(.*)$"
    if not scheme then
        return nil
    end
    local found, at = {}, 1
    for _ = 1, FIELDS_MOST do
        local name, after = rest:match("^[%s,]*([%w_-]+)%s*=%s*()", at)
        if not name then
            break
        end
        local text, behind
        if rest:sub(after, after) == '"' then
            text, behind = quoted(rest, after + 1)
        else
            text, behind = rest:match("^([^,%s\"]*)()", after)
        end
        if not text or (found[name:lower()] or text) ~= text then
            return nil -- or it says two things
        end
        found[name:lower()], at = text, behind
    end
    if rest:find("[^%s,]", at) then
        return nil
    end
    return scheme:lower(), found
end

-- ---- Writing

local function cased(name)
    return CASED[name] or name:gsub("%f[%a]%l", string.upper)
end

-- The bytes of a message. Content-Length is written here and nowhere else.
function sip.write(message)
    local out = { message.method and ("%s %s SIP/2.0"):format(message.method, message.uri)
        or ("SIP/2.0 %d %s"):format(message.status, message.reason) }
    for _, header in ipairs(message.headers) do
        assert(not header[2]:find "%c", header[1])
        if header[1] ~= "content-length" then
            out[#out + 1] = cased(header[1]) .. ": " .. header[2]
        end
    end
    local body = message.body or ""
    out[#out + 1] = ("Content-Length: %d\r\n\r\n"):format(#body)
    return table.concat(out, "\r\n") .. body
end

-- The first Via as the answer shows it: where the request really came from (RFC 3581).
local function seen_from(value, address, port)
    local first, others = value:match "^([^,]*)(.*)$"
    first = first:gsub(";%s*rport%f[^%w=][^;]*", ";rport=" .. port, 1)
    if not first:find(";%s*received=") then
        first = first .. ";received=" .. address
    end
    return first .. others
end

local COPIED = { via = true, from = true, to = true, ["call-id"] = true, cseq = true }

-- The response to a request. `more.headers`: further ones; `more.tag`: for a To without a tag;
-- `more.address`, `more.port`: where the request came from.
function sip.reply(request, status, more)
    more = more or {}
    local headers, has_via = {}, false
    for _, header in ipairs(request.headers) do
        local name, value = header[1], header[2]
        if name == "via" and not has_via and more.address then
            value = seen_from(value, more.address, more.port)
        elseif name == "to" and more.tag and not value:find ";%s*tag%s*=" then
            value = value .. ";tag=" .. more.tag
        end
        has_via = has_via or name == "via"
        if COPIED[name] then
            headers[#headers + 1] = { name, value }
        end
    end
    table.move(more.headers or {}, 1, #(more.headers or {}), #headers + 1, headers)
    return { status = status, reason = REASONS[status], headers = headers }
end

return sip
