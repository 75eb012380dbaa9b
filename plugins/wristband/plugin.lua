-- wristband - wristbands that an office's Modbus base station hears. See README.md.
local busurl = require "busurl"
local desk = require "desk"
local profile = require "profile"
local schema = require "schema"
local watch = require "watch"

local ID = "^%w[%w_:.-]*$"

local plugin = {
    api = 1,
    name = "wristband",
    summary = "Wristbands that an office's Modbus base station hears.",
    needs = { "modbus" },
    config = schema.record {
        url = schema.text {
            doc = "modbus-tcp://host[:port] or modbus-rtu:///dev/ttyS1?baud=9600&parity=N&stop=1",
            pattern = "^modbus%-[tr][ct][pu]://.", max = 256,
            expects = "modbus-tcp://host[:port] or modbus-rtu:///dev/NAME?baud=9600",
        },
        profile = schema.sheet {
            doc = "what the station's registers mean: a shipped profile or the path of your own",
            folder = "profiles", names = profile.SHIPPED, check = profile.check,
        },
        unit = schema.integer {
            doc = "Modbus unit of the station; without it the url's, else the profile's",
            min = 0, max = 255, optional = true,
        },
        station = schema.text {
            doc = "serial the station must have; without it, the serial first seen is kept",
            pattern = ID, max = 64, optional = true, expects = "the serial of a station",
        },
        poll = schema.duration {
            doc = "time between two looks at the station", min = "20ms", max = "1h",
            default = "1s",
        },
        timeout = schema.duration {
            doc = "how long one answer may take", min = "50ms", max = "5s", default = "500ms",
        },
        offline_after = schema.duration {
            doc = "a station without a good answer for this long is offline", min = "1s",
            max = "1d", default = "10s",
        },
        lost_after = schema.duration {
            doc = "a wristband not heard for this long is lost; at least three times as long as "
                .. "the wristbands' own reporting interval", min = "1s", max = "7d", default = "5m",
        },
        low_battery = schema.integer {
            doc = "a battery at or below this is low, until it is 10 % above", unit = "%", min = 0,
            max = 100, default = 25,
        },
        heartbeat = schema.duration {
            doc = "wristband.seen comes at least this often while a wristband is heard",
            min = "1s", max = "1d", default = "10m",
        },
        canary = schema.text {
            doc = "tag id of a wristband fixed in the office, which can never leave", pattern = ID,
            max = 64, optional = true, expects = "the tag id of a wristband",
        },
        bands = schema.map(schema.text { pattern = ID, max = 64, expects = "the id of a person" }, {
            doc = "who wears which: tag id = id of the person, for the events' subject",
            max = 1000, default = {},
            key = schema.text { pattern = ID, max = 64, expects = "the tag id of a wristband" },
        }),
    },
    events = require "events",
    actions = desk.actions,
    views = desk.views,
}

-- What only several settings together can say. Returns what is wrong, or nothing.
function plugin.check(config)
    local fault = busurl.fault(config.url)
    if fault then
        return "url: " .. fault
    end
    if config.station and not config.profile.fields.station then
        return ('station: expected not to be set, because profile "%s" has no serial to compare, '
            .. 'got "%s"'):format(config.profile.name, config.station)
    end
    if config.offline_after < 2 * config.poll then
        return ("offline_after: expected at least twice poll (%d ms), got %d ms"):format(
            2 * config.poll, config.offline_after)
    end
end

function plugin.start(host, config)
    local self = watch.new(host, config)
    watch.start(self)
    host.every(config.poll, function() watch.round(self) end)
    return self
end

return plugin
