-- urlpart - the pieces that addresses of devices are made of; for busurl, lineurl and ftpurl.
local urlpart = {}

local BAUDS = { 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800,
    921600 }

function urlpart.within(text, least, most)
    local number = text:match("^%d+$") and tonumber(text)
    return number and number >= least and number <= most
end

local function is_baud(text)
    for _, baud in ipairs(BAUDS) do
        if text == tostring(baud) then
            return true
        end
    end
    return false
end

urlpart.BAUD = { fits = is_baud, expects = "a usual baud rate such as 9600 or 115200" }
urlpart.PARITY = { fits = function(text) return text:find("^[NEO]$") end,
    expects = "a parity of N, E or O" }
urlpart.STOP = { fits = function(text) return text:find("^[12]$") end,
    expects = "a stop of 1 or 2" }

-- `known`: name -> { fits =, expects = }, and `names` in words.
function urlpart.fault_of_options(text, known)
    for part in text:gmatch("[^&]+") do
        local name, value = part:match("^(%l+)=(.*)$")
        local option = name ~= "names" and known[name]
        if not option then
            return ('expected %s behind the "?", got "%s"'):format(known.names, part)
        end
        if not option.fits(value) then
            return ('expected %s, got "%s"'):format(option.expects, part)
        end
    end
end

-- host, host:port, [address] or [address]:port
function urlpart.fault_of_host(text, needs_port)
    local port = text:match("^%[[%x:.]+%](.*)$") or text:match("^[%w._-]+(.*)$")
    if not port then
        return ('expected a host name or an address, got "%s"'):format(text)
    end
    if (needs_port or port ~= "") and not urlpart.within(port:match("^:(.*)$") or "", 1, 65535) then
        return ('expected host:port with a port of 1 to 65535, got "%s"'):format(text)
    end
end

return urlpart
