-- picture - what an upload of a picture says about itself. The picture is never kept. Pure.
--
-- Four forms: the values in the request's query and the body all picture; a line of values, LF, the
-- picture; lines of values and CMD=uploadphoto, NUL, the picture; picture=BASE64 among the values.
-- The file's name may say time and number: 20260722143000-1001.jpg, and with the kind of the
-- picture and a citizen's number 20260722143000-0-1001-3501...jpg.
local lines = require "lines"

local picture = {}

local HEAD_MOST = 1024

-- Where the values end and where the picture begins.
local function cut(body)
    local head = body:sub(1, HEAD_MOST)
    local nul = head:find("\0", 1, true)
    if nul then
        return head:sub(1, nul - 1), nul + 1
    end
    local ends = head:match "^[%w~_]+=[^\n]*\n()"
    return ends and head:sub(1, ends - 1) or "", ends or 1
end

local function name_of(file)
    local moment, rest = file:match "^(%d%d%d%d%d%d%d%d%d%d%d%d%d%d)%-(.*)$"
    if not moment then
        return file, nil
    end
    rest = rest:gsub("%.%w+$", "")
    return rest:match "^%d%-([^-]+)%-" or rest, moment
end

-- { pin =, time = (as it is written), from =, length = } of the picture in the body.
function picture.read(body, query)
    local text, from = "", 1
    if not query.pin then
        text, from = cut(body)
    end
    local values = lines.values(text:gsub("\n", "\t"), "\t")
    local inline = body:match "^.-[\t\n]picture=()"
    if inline and inline < HEAD_MOST then
        from = inline
    end
    local pin, moment = name_of(values.pin or query.pin or "")
    return { pin = pin, time = moment or values.time or query.time, from = from,
        length = math.max(0, #body - from + 1) }
end

return picture
