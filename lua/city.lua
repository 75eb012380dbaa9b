-- city - the settings of the line to the city: what may be set, and what fits together.
local bandwidth = require "bandwidth"
local schema = require "schema"

local city = {}

local function file(doc)
    return schema.text { doc = doc, max = 1024, optional = true, pattern = "^%C+$",
        expects = "the path of a file" }
end

city.schema = schema.record {
    url = schema.text {
        doc = "the city's broker: mqtt://host[:port] or mqtts://host[:port]", max = 256,
        pattern = "^mqtts?://[%w.%[%]:_-]+$", expects = "mqtt://host[:port] or mqtts://host[:port]",
    },
    verifier = schema.text {
        doc = "file with the city's public key line: only receipts signed by it count", max = 1024,
        pattern = "^%C+$", expects = "the path of the city's public key file",
    },
    ca = file "certificate of the authority that signed the broker's (mqtts)",
    cert = file "certificate of this office, for its alarms (mqtts)",
    key = file "private key of cert (mqtts)",
    bulk_cert = file "certificate of this office, for all else; default cert (mqtts)",
    bulk_key = file "private key of bulk_cert (mqtts)",
    username = schema.text { doc = "name for the broker", max = 128, optional = true },
    password_file = file "file that holds the password and nothing else",
    bandwidth = schema.text {
        doc = "what the backlog may take of the line: 16kbit/s to 1000Mbit/s; alarms never "
            .. "wait for it",
        max = 16, optional = true, pattern = "^" .. bandwidth.PATTERN .. "$",
        expects = '"512kbit/s" or "2Mbit/s"',
    },
}

local PATHS = { "verifier", "ca", "cert", "key", "bulk_cert", "bulk_key", "password_file" }

local PAIRS = {
    { "cert", "key" }, { "key", "cert" },
    { "bulk_cert", "bulk_key" }, { "bulk_key", "bulk_cert" }, { "bulk_cert", "cert" },
    { "username", "password_file" }, { "password_file", "username" },
}

local function add(faults, setting, text, ...)
    faults[#faults + 1] = { setting = setting, text = text:format(...) }
end

local function check_address(url, faults)
    local rest = url:match("://(.*)$")
    local host, port = rest:match("^(%[[%x:]+%]):?(%d*)$")
    if not host then
        host, port = rest:match("^([%w._-]+):?(%d*)$")
    end
    local number = host and port ~= "" and tonumber(port) or 1
    if not host or number < 1 or number > 65535 then
        add(faults, "url", 'expected mqtt[s]://host or mqtt[s]://host:port with a port of 1 to '
            .. '65535, got "%s"', url)
    end
end

-- Encrypted or not at all: a certificate beside mqtt:// would be a false comfort.
local function check_encryption(settings, faults)
    local encrypted = settings.url:find("^mqtts:") ~= nil
    if encrypted and not settings.ca then
        add(faults, "ca", "expected the path of a file, because url is mqtts://, got nothing")
    end
    for _, name in ipairs { "ca", "cert", "key", "bulk_cert", "bulk_key" } do
        if not encrypted and settings[name] then
            add(faults, name, 'expected an mqtts:// url with it, got "%s"', settings.url)
        end
    end
end

-- What is wrong between settings that are each right: a list of { setting =, text = }.
function city.faults(settings)
    local faults = {}
    check_address(settings.url, faults)
    check_encryption(settings, faults)
    if settings.bandwidth and not bandwidth.fits(settings.bandwidth) then
        add(faults, "bandwidth", 'expected 16kbit/s to 1000Mbit/s, got "%s"', settings.bandwidth)
    end
    for _, pair in ipairs(PAIRS) do
        if settings[pair[1]] and not settings[pair[2]] then
            add(faults, pair[2], "expected to be set together with %s, got nothing", pair[1])
        end
    end
    return faults
end

-- The settings with absolute paths, and the bandwidth in bits a second.
function city.resolve(settings, path)
    settings.bandwidth = settings.bandwidth and bandwidth.bits(settings.bandwidth)
    for _, name in ipairs(PATHS) do
        settings[name] = settings[name] and path(settings[name])
    end
    return settings
end

return city
