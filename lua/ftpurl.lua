-- ftpurl - whether the address of a file server can be meant, before anything is asked of it:
--
--   ftp://host[:port]?passive=50000-50100     ftpes:// and ftps://: locked
--   ftp://host[:port]?active=40000-40010      the server connects to these ports of ours
--   sftp://host[:port]                        files over SSH, all on one connection
local urlpart = require "urlpart"

local ftpurl = {}

local function is_range(text)
    local from, to = text:match("^(%d+)%-?(%d*)$")
    from, to = tonumber(from), tonumber(to) or tonumber(from)
    return from and (text:find("-", 1, true) == nil or text:find("%-%d"))
        and from >= 1024 and to <= 65535 and from <= to
end

local RANGE = { fits = is_range, expects = "ports such as 50000-50100, from 1024 to 65535" }
local DATA = { names = "passive= or active=", passive = RANGE, active = RANGE }

-- nil when it can be meant, else what was expected and what came; no user and password is shown.
function ftpurl.fault(url)
    local scheme, place, options = url:match("^(%l+)://([^/?]*)/?%??(.*)$")
    if scheme ~= "ftp" and scheme ~= "ftpes" and scheme ~= "ftps" and scheme ~= "sftp" then
        return "expected ftp://host, ftpes://host, ftps://host or sftp://host, got something else"
    elseif place:find("@", 1, true) then
        return "expected no user in it: there are settings for user and password"
    end
    local _, ranges = options:gsub("[^&]+", "")
    local fault = urlpart.fault_of_host(place, false)
    if fault or scheme == "sftp" then
        return fault or options ~= "" and ('expected no options behind sftp://host, got "%s"')
            :format(options) or nil
    end
    return urlpart.fault_of_options(options, DATA)
        or ranges ~= 1 and ('expected the ports of its data once, such as '
            .. '"?passive=50000-50100", got "%s"'):format(options) or nil
end

return ftpurl
