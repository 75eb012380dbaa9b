-- courier - the settings of uploads: where evidence files go, which, and when.
local bandwidth = require "bandwidth"
local schema = require "schema"

local courier = {}

local CLASSES = { "picture", "capture", "ordinary", "important", "case" }

local function file(doc)
    return schema.text { doc = doc, max = 1024, optional = true, pattern = "^%C+$",
        expects = "the path of a file" }
end

local function url(options)
    options.max, options.pattern = 256, "^https://[%w.%[%]:_-]+/[%w./_-]*$"
    options.expects = "https://host[:port]/folder/"
    return schema.text(options)
end

courier.schema = schema.record {
    url = url { doc = "the city's upload server (tus 1.0.0)" },
    receipts = url { optional = true,
        doc = "where the city's receipts are; default receipts/ beside the last folder of url" },
    ca = schema.text { doc = "certificate of the authority that signed the server's", max = 1024,
        pattern = "^%C+$", expects = "the path of a file" },
    cert = file "certificate of this office",
    key = file "private key of cert",
    select = schema.list(schema.choice { choices = CLASSES }, { max = #CLASSES,
        doc = "classes of files that are uploaded", default = { "important", "case" } }),
    hours = schema.list(schema.text { max = 32,
        pattern = "^%d%d:%d%d%-%d%d:%d%d%f[%s%z][%w%s/]*$",
        expects = '"22:00-06:00 4Mbit/s" or "22:00-06:00"' },
        { max = 16, optional = true,
            doc = "when they are uploaded, in the office's time, and how fast; default always" }),
}

local PATHS = { "ca", "cert", "key" }

local function minutes(text, last)
    local hour, minute = text:match("^(%d%d):(%d%d)$")
    local number = math.tointeger(tonumber(hour)) * 60 + math.tointeger(tonumber(minute))
    return tonumber(minute) < 60 and number <= last and number or nil
end

-- "22:00-06:00 4Mbit/s" -> { from = 1320, until = 360, rate = 4000000 }, or nil.
local function range(text)
    local from, to, rest = text:match("^(%d%d:%d%d)%-(%d%d:%d%d)(.*)$")
    local begins, ends = minutes(from, 1439), minutes(to, 1440)
    local rate = rest:match("^ (" .. bandwidth.PATTERN .. ")$")
    if not begins or not ends or begins == ends or rest ~= "" and not rate
        or rate and not bandwidth.fits(rate) then
        return nil
    end
    -- Before midnight is 1440, not 0: a range has a last minute.
    return { from = begins, ["until"] = ends == 0 and 1440 or ends,
        rate = rate and bandwidth.bits(rate) or 0 }
end

local function add(faults, setting, text, ...)
    faults[#faults + 1] = { setting = setting, text = text:format(...) }
end

local function check_url(settings, name, faults)
    local text = settings[name]
    local host, port = text:match("^https://(%[[%x:]+%]):?(%d*)/")
    if not host then
        host, port = text:match("^https://([%w._-]+):?(%d*)/")
    end
    local number = host and port ~= "" and tonumber(port) or 1
    if not host or number < 1 or number > 65535 or text:sub(-1) ~= "/" then
        add(faults, name, 'expected https://host[:port]/folder/ that ends with "/", got "%s"',
            text)
    end
end

-- What is wrong between settings that are each right: a list of { setting =, text = }.
function courier.faults(settings)
    local faults = {}
    check_url(settings, "url", faults)
    if settings.receipts then
        check_url(settings, "receipts", faults)
    elseif settings.url:find("^https://[^/]+/$") then
        add(faults, "receipts", 'expected to be set, because url "%s" has no folder to be beside',
            settings.url)
    end
    for _, pair in ipairs { { "cert", "key" }, { "key", "cert" } } do
        if settings[pair[1]] and not settings[pair[2]] then
            add(faults, pair[2], "expected to be set together with %s, got nothing", pair[1])
        end
    end
    for _, text in ipairs(settings.hours or {}) do
        if not range(text) then
            add(faults, "hours", "expected HH:MM-HH:MM of a day and 16kbit/s to 1000Mbit/s, "
                .. 'got "%s"', text)
        end
    end
    return faults
end

-- The settings with absolute paths, and the hours in minutes of a day and bits a second.
function courier.resolve(settings, path)
    settings.receipts = settings.receipts or settings.url:gsub("[^/]+/$", "receipts/")
    for index, text in ipairs(settings.hours or {}) do
        settings.hours[index] = range(text)
    end
    for _, name in ipairs(PATHS) do
        settings[name] = settings[name] and path(settings[name])
    end
    return settings
end

return courier
