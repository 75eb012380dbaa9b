-- web - one request to a dock, with the login tried once; what its answers mean for who asks.
local moment = require "moment"

local web = {}

-- Letters that may stand in a path as they are; all other bytes are written as %XX.
function web.escaped(path)
    return (path:gsub("[^%w/_.~-]", function(byte)
        return ("%%%02X"):format(byte:byte())
    end))
end

function web.wish(config, path, more)
    local asked = { url = config.url .. path, timeout = config.timeout, ca = config.ca,
        insecure = config.insecure or nil, user = config.user, password = config.password,
        auth = config.user and "any" or nil }
    for name, value in pairs(more or {}) do
        asked[name] = value
    end
    return asked
end

local CODES = { [401] = "auth", [403] = "denied", [404] = "missing", [410] = "missing" }

-- nil when the status is one of those that are good; else why and code.
function web.fault(status, good)
    if status == good then
        return nil
    end
    return ("the dock answers %d"):format(status), CODES[status] or "protocol"
end

-- The body of one answer; or nil, why, code.
function web.read(host, config, path, more)
    local answer, why, code = host.http.request(web.wish(config, path, more))
    if not answer then
        return nil, why, code
    end
    why, code = web.fault(answer.status, 200)
    if why then
        return nil, why, code
    end
    return answer.body
end

-- How far its clock is ahead of ours, as the head of an answer says, or nil.
function web.offset(headers, now)
    local told = moment.of_web(headers.date)
    return told and math.floor(told - now + 0.5) or nil
end

return web
