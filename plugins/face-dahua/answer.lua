-- answer - what a CGI of the terminal says: lines of "name=value", or an error inside of a 200.
-- Pure.
--
--   answer.read "Info.status=Close\r\n"     --> { ["Info.status"] = "Close" }
--   answer.read "Error: No Events\r\n"      --> {}
--   answer.read "Error\r\nBad Request!"     --> nil, "Bad Request!", "request"
--   answer.read "OK\r\n"                    --> { OK = true }
local trim = require "trim"

local answer = {}

local LINES_MOST = 64 * 1024
local NAME = "^[%w_.%[%]@#:/-]+$" -- a page of HTML has none
local NOTHING = { ["no events"] = true, ["no event"] = true, ["no records"] = true,
    ["no record"] = true, ["no data"] = true }

-- What an error says: nil when it only means that there is nothing.
local function error_of(body)
    local rest = body:match("^%s*[Ee][Rr][Rr][Oo][Rr]%f[%A](.*)$")
    if not rest then
        return nil, false
    end
    local words = rest:gsub("^[%s:]+", ""):match("^[^\r\n]*"):gsub("%s+$", "")
    local plain = words:lower():gsub("[%s.!]+$", "")
    if NOTHING[(plain:gsub(" found$", ""))] then
        return nil, true
    end
    local code = plain:find("bad request", 1, true) and "request" or "error"
    return words ~= "" and words:sub(1, 80) or "Error", true, code
end

-- The pairs of an answer, by their names as they stand; values are texts. nil, what the device says
-- was wrong, and "request" when it did not like the form of the request, "garbage" when nobody can
-- read it, else "error".
function answer.read(body)
    local words, is_error, code = error_of(body)
    if is_error then
        if words then
            return nil, words, code
        end
        return {}
    end
    local pairs_found, count = {}, 0
    for line in body:gmatch("[^\r\n]+") do
        local name, value = line:match "^([^=]*)=(.*)$"
        name = name and trim(name)
        count = count + 1
        if name and name:find(NAME) and count <= LINES_MOST then
            pairs_found[name] = trim(value)
        elseif trim(line) == "OK" then
            pairs_found.OK = true
        end
    end
    if next(pairs_found) == nil and body:find("%S") then
        return nil, "expected name=value", "garbage"
    end
    return pairs_found
end

-- The version in "version=2.000.0000000.1.R,build:2020-01-01", and the day it was built; also
-- "version=2.400 build:2020".
function answer.version(said)
    local text = said.version or said.Version or ""
    return text:match("^([^,%s]+)"), text:match("[Bb]uild%s*[:=]%s*([%w.-]+)") or said.build
end

return answer
