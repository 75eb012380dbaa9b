-- busurl - whether an address of a field bus can be meant, before anything is opened:
--
--   modbus-tcp://host[:port][?unit=1]
--   modbus-rtu:///dev/ttyS1[?baud=9600&parity=N&stop=1&unit=1]
local busurl = {}

local BAUDS = { 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800,
    921600 }

local function within(text, least, most)
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

-- What may stand behind the "?", and on which wire.
local OPTIONS = {
    unit = { fits = function(text) return within(text, 0, 255) end, expects = "a unit of 0 to 255",
        tcp = true },
    baud = { fits = is_baud, expects = "a usual baud rate such as 9600 or 115200" },
    parity = { fits = function(text) return text:find("^[NEO]$") end,
        expects = "a parity of N, E or O" },
    stop = { fits = function(text) return text:find("^[12]$") end, expects = "a stop of 1 or 2" },
}

local function fault_of_options(text, tcp)
    for part in text:gmatch("[^&]+") do
        local name, value = part:match("^(%l+)=(.*)$")
        local option = name and OPTIONS[name]
        if not option or (tcp and not option.tcp) then
            return ('expected %s behind the "?", got "%s"'):format(
                tcp and "unit=" or "baud=, parity=, stop= or unit=", part)
        end
        if not option.fits(value) then
            return ('expected %s, got "%s"'):format(option.expects, part)
        end
    end
end

local function fault_of_host(text)
    local port = text:match("^%[[%x:.]+%](.*)$") or text:match("^[%w._-]+(.*)$")
    if not port then
        return ('expected a host name or an address, got "%s"'):format(text)
    end
    if port ~= "" and not within(port:match("^:(.*)$") or "", 1, 65535) then
        return ('expected host:port with a port of 1 to 65535, got "%s"'):format(text)
    end
end

-- nil when it can be meant, else what was expected and what came.
function busurl.fault(url)
    local wire, place, options = url:match("^modbus%-(%l+)://([^?]*)%??(.*)$")
    if wire == "tcp" then
        return fault_of_host(place) or fault_of_options(options, true)
    end
    if wire == "rtu" and place:find("^/.") then
        return fault_of_options(options, false)
    end
    return ('expected modbus-tcp://host[:port] or modbus-rtu:///dev/ttyS1, got "%s"'):format(url)
end

return busurl
