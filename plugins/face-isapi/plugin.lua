-- face-isapi - face terminals that speak Hikvision ISAPI. See README.md.
local checkin = require "checkin"
local desk = require "desk"
local schema = require "schema"
local watch = require "watch"

local HTTP = "^https?://[%w.:%[%]-]+$"

local plugin = {
    api = 1,
    name = "face-isapi",
    summary = "Face terminals that speak Hikvision ISAPI.",
    needs = { "http", "serve", "xml", "gbk", "digest", "blob" },
    config = schema.record(checkin.settings {
        url = schema.text { doc = "the terminal: http://host[:port] or https://host[:port]",
            pattern = HTTP, max = 256, expects = "http://host[:port] without a path" },
        user = schema.text { doc = "user at the terminal, one of its own for this box", max = 32 },
        password = schema.secret { doc = "its password", max = 64 },
        terminal = schema.text { doc = "serial number the terminal must have; without it, the one "
            .. "first seen is kept", pattern = "^%w[%w_:.-]*$", max = 64, optional = true,
            expects = "the serial number of a terminal" },
        ca = schema.text { doc = "file with the authority of an https terminal", max = 256,
            pattern = "^/.", optional = true, expects = "an absolute path" },
        insecure = schema.boolean { doc = "https without asking who it is: a terminal with a "
            .. "certificate of its own", default = false },
        mode = schema.choice { doc = "how records come: auto finds what really delivers",
            choices = { "auto", "push", "stream", "poll" }, default = "auto" },
        listen = schema.text { doc = "where pushes are taken: http://0.0.0.0:8088",
            pattern = HTTP, max = 128, optional = true, expects = "http://address:port" },
        push_to = schema.text { doc = "how the terminal reaches that, by the box's address: "
            .. "http://192.168.1.10:8088/isapi", pattern = "^http://[%d.]+:?%d*/?[%w/_-]*$",
            max = 128, optional = true, expects = "http://number:port/path" },
        allow = schema.list(schema.text { max = 64 }, { doc = "addresses that may push; without it "
            .. "the terminal's own", max = 32, optional = true }),
        history = schema.choice { doc = "the first time: all that the terminal has stored, or only "
            .. "what is new from then on", choices = { "all", "new" }, default = "all" },
        poll = schema.duration { doc = "time between two searches while nothing comes live",
            min = "100ms", max = "1h", default = "10s" },
        reconcile = schema.duration { doc = "the same while records come live, or half of "
            .. "offline_after when that is less", min = "1s",
            max = "1d", default = "5m" },
        timeout = schema.duration { doc = "how long one answer may take", min = "100ms",
            max = "2m", default = "10s" },
        heartbeat = schema.duration { doc = "time between a stream's heartbeats, until it is known",
            min = "1s", max = "5m", default = "30s" },
        retry = schema.duration { doc = "wait before a stream is opened again; longer each time, "
            .. "up to 60 times", min = "100ms", max = "1m", default = "5s" },
        offline_after = schema.duration { doc = "a terminal that is silent for this long is "
            .. "offline", min = "5s", max = "1d", default = "2m" },
        offset = schema.integer { doc = "of a terminal whose times name no offset: minutes east of "
            .. "Greenwich", min = -840, max = 840, default = 480 },
        clock_drift = schema.duration { doc = "a clock that differs more than this is wrong",
            min = "1s", max = "1d", default = "30s" },
        set_clock = schema.boolean { doc = "a wrong clock is set to the box's; only where the "
            .. "box's own is synchronised", default = false },
    }),
    events = checkin.events {
        ["terminal.person_changed"] = { lane = "record",
            doc = "somebody changed what the terminal knows of a person",
            data = schema.record {
                terminal = schema.text { doc = "serial of the terminal", max = 64 },
                change = schema.choice { doc = "what", choices = { "added", "changed", "removed",
                    "face_added", "face_removed" } },
                by = schema.text { doc = "the user who asked", max = 64 },
            } },
    },
    actions = desk.actions,
    views = desk.views,
}

-- What only several settings together can say. Returns what is wrong, or nothing.
function plugin.check(config)
    local _, fault = checkin.pictures(config.pictures)
    if fault then
        return "pictures: " .. fault
    end
    if config.mode == "push" and not config.listen then
        return 'listen: expected a place where pushes are taken, because mode is "push", got none'
    end
    if config.push_to and not config.listen then
        return "listen: expected a place where pushes are taken, because push_to is set, got none"
    end
end

function plugin.start(host, config)
    return watch.start(host, config)
end

return plugin
