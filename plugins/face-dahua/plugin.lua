-- face-dahua - Dahua (大华) and Intelbras face terminals, over their HTTP CGI. See README.md.
local catchup = require "catchup"
local checkin = require "checkin"
local client = require "client"
local live = require "live"
local schema = require "schema"
local terminal = require "terminal"

local SERIAL = "^%w[%w ._/+-]*$"
local LOOK = "5s"

local settings = {
    url = schema.text {
        doc = "where the terminal is: http://host[:port] or https://", max = 200,
        pattern = "^https?://[^/@%s]+$", expects = "http://host[:port] or https://host[:port]",
    },
    user = schema.text { doc = "its user", max = 64, default = "admin" },
    password = schema.secret {
        doc = "and password; without one the terminal is not asked, it only pushes", max = 128,
        optional = true,
    },
    auth = schema.choice {
        doc = "how it logs in; basic only for very old ones, it shows the password to the network",
        choices = { "digest", "basic" }, default = "digest",
    },
    ca = schema.text { doc = "file with the certificate of its authority (https)", max = 256,
        pattern = "^/.", expects = "an absolute path", optional = true },
    insecure = schema.boolean { doc = "https with whoever it is", default = false },
    listen = schema.text {
        doc = "where it pushes to (EventHttpUpload): http://0.0.0.0:PORT", max = 100,
        pattern = "^http://[^/@%s]+$", expects = "http://ADDRESS:PORT", optional = true,
    },
    allow = schema.list(schema.text { max = 64 }, {
        doc = "addresses that may push; without it only the terminal's own, when url has a number",
        max = 32, optional = true,
    }),
    serial = schema.text {
        doc = "serial the terminal must have; without it, the serial first seen is kept",
        pattern = SERIAL, max = 64, optional = true, expects = "the serial of a terminal",
    },
    utc_offset = schema.integer { doc = "how far east its clock is", unit = "min", min = -840,
        max = 840, default = 480 },
    heartbeat = schema.duration { doc = "how often the stream gives a sign of life; three that are "
        .. "missing end it", min = "1s", max = "1m", default = "5s" },
    reconcile = schema.duration { doc = "how often its memory is read, whatever is heard",
        min = "10s", max = "1d", default = "5m" },
    backfill = schema.duration { doc = "how far back its memory is read the first time",
        min = "1h", max = "365d", default = "30d" },
    offline_after = schema.duration { doc = "without any sign of life for so long it is offline",
        min = "10s", max = "1d", default = "1m" },
    timeout = schema.duration { doc = "how long an answer may take", min = "1s", max = "1m",
        default = "10s" },
    clock_tolerance = schema.duration { doc = "how wrong its clock may be", min = "2s", max = "1h",
        default = "30s" },
    set_clock = schema.boolean { doc = "a clock that is wrong is set", default = false },
    methods = schema.map(schema.text { pattern = "^[%l+]+$", max = 40,
        expects = 'a word such as "face" or "card+password"' }, {
        doc = 'what numbers in "Method" mean at this model, over what is known: { ["21"] = '
            .. '"fingerprint" }', max = 64, default = {},
        key = schema.text { pattern = "^%d%d?%d?$", expects = "a number" },
    }),
}

local plugin = {
    api = 1,
    name = "face-dahua",
    summary = "Dahua and Intelbras face terminals, over their HTTP CGI.",
    needs = { "http", "serve", "digest", "inflate", "blob" },
    config = schema.record(checkin.settings(settings)),
    events = checkin.events {},
    views = {
        terminal = {
            role = { "officer", "social_worker", "technician" },
            doc = "the terminal: whether it is there, how it is heard, its model and clock",
            run = function(self) return terminal.view(self.terminal) end,
        },
    },
}

-- What only several settings together can say. Returns what is wrong, or nothing.
function plugin.check(config)
    local pictures, why = checkin.pictures(config.pictures)
    if not pictures then
        return "pictures: " .. why
    elseif not config.password and not config.listen then
        return "password: expected one, or listen to be set, so that the terminal can push"
    elseif not config.password and not config.serial then
        return "serial: expected it to be set, because without a password nobody asks the terminal"
    elseif config.listen and not config.allow and not config.url:find("^https?://[%d.]+:?%d*$") then
        return "allow: expected the addresses that may push, because url has a name"
    end
end

-- The terminal itself, when it is named by a number.
local function allowed(config)
    return config.allow or { config.url:match("^https?://([%d.]+)") }
end

function plugin.start(host, config)
    config.allow = allowed(config)
    local about = terminal.new(host, config)
    local asks = client.new(host, config, function(said) terminal.refused(about, said) end)
    local reader = config.password and catchup.new(host, config, asks, about) or nil
    local ear = live.new(host, config, asks, about, reader)
    if config.listen then
        live.listen(ear)
    end
    if reader and not asks.is_refused then
        catchup.start(reader)
        live.start(ear)
    elseif asks.is_refused then
        about.is_refused = true
        host.log.error("user and password were refused before and have not changed: not asked")
    end
    host.every(LOOK, function()
        terminal.watch(about, function() catchup.want(reader, 0) end)
        if reader then
            live.watch(ear)
        end
    end)
    return { terminal = about }
end

return plugin
