-- bodycam-dock - footage of body cameras, from the dock into the box. See README.md.
local events = require "events"
local ftpurl = require "ftpurl"
local names = require "names"
local schema = require "schema"
local watch = require "watch"

local plugin = {
    api = 1,
    name = "bodycam-dock",
    summary = "Footage of body cameras from docks: folders, FTP, SFTP, web servers, ISAPI.",
    needs = { "folder", "ftp", "http", "blob", "gbk", "xml", "digest" },
    config = schema.record {
        url = schema.text { doc = "where footage lies: /a/folder, ftp://host?passive=PORTS, "
            .. "ftpes://, ftps://, sftp://host[:port], http://host[:port], https://", max = 512 },
        api = schema.choice { doc = "of http: folders that a web server shows, or ISAPI",
            choices = { "directory", "isapi" }, default = "directory" },
        path = schema.text { doc = "folder on the server", default = "/", pattern = "^/",
            expects = "a path from / on" },
        user = schema.text { doc = "user at the dock, one that may read only", max = 64,
            optional = true },
        password = schema.secret { doc = "its password", max = 128, optional = true },
        ca = schema.text { doc = "file with the authority of a dock with TLS", pattern = "^/.",
            optional = true, expects = "an absolute path" },
        host_key = schema.text { doc = "of sftp: the key of the dock, as ssh-keyscan HOST | "
            .. "ssh-keygen -lf - tells it", pattern = "^SHA256:[%w+/]+$", max = 50,
            optional = true, expects = "SHA256: and 43 letters" },
        insecure = schema.boolean { doc = "TLS or SSH without asking who it is", default = false },
        tracks = schema.list(schema.integer { min = 1, max = 99999 }, { doc = "of ISAPI: channel * "
            .. "100 + stream", max = 32, default = { 101 } }),
        history = schema.duration { doc = "of ISAPI: so far back is searched", min = "1d",
            max = "366d", default = "30d" },
        patterns = schema.list(schema.text { max = 128 }, { doc = "what names mean; the first that "
            .. "fits counts", max = 32, default = names.USUAL }),
        also = schema.list(schema.text { max = 10, pattern = "^%w+$", expects = "letters" },
            { doc = "endings that are footage too, beside the usual ones", max = 16,
                optional = true }),
        important_folders = schema.list(schema.text { max = 64 }, { doc = "what lies in folders of "
            .. "these names is important", max = 16, default = { "IMP", "IMPORTANT", "LOCK" } }),
        officers = schema.map(schema.text { max = 32, pattern = "^[%w-]+$",
            expects = "letters and digits" }, { doc = "whose camera it is where nothing else says "
            .. "so: number of the camera = number of the officer", max = 512, optional = true }),
        offset = schema.integer { doc = "of the cameras' clocks: minutes east of Greenwich",
            min = -840, max = 840, default = 480 },
        container = schema.choice { doc = "the time inside MP4 files is", choices = { "utc",
            "local" }, default = "utc" },
        clock_drift = schema.duration { doc = "a clock that differs more than this is wrong",
            min = "1s", max = "1d", default = "30s" },
        poll = schema.duration { doc = "time between two looks", min = "1s", max = "1h",
            default = "30s" },
        settle = schema.duration { doc = "a file that has not changed for so long is whole",
            min = "1s", max = "1h", default = "30s" },
        depth = schema.integer { doc = "folders in folders are looked into", min = 0, max = 12,
            default = 8 },
        timeout = schema.duration { doc = "how long an answer may take", min = "1s", max = "2m",
            default = "30s" },
        offline_after = schema.duration { doc = "a dock that cannot be read for so long is offline",
            min = "1s", max = "1d", default = "5m" },
        keep = schema.duration { doc = "how long ordinary footage stays, at least", min = "1d",
            max = "3650d", default = "184d" },
        keep_important = schema.duration { doc = "the same of important footage", min = "1d",
            max = "3650d", default = "1095d" },
    },
    events = events.declared,
    views = {
        dock = { role = { "officer", "technician" }, doc = "what is seen of the dock, how it is",
            run = function(self) return watch.state(self) end },
    },
}

-- What only several settings together can say. Returns what is wrong, or nothing.
function plugin.check(config)
    local _, fault = names.compile(config.patterns)
    if fault then
        return "patterns: " .. fault
    end
    local scheme = config.url:match "^(%l+)://"
    if scheme and scheme:find "^s?ftp" then
        fault = ftpurl.fault(config.url)
        if fault then
            return "url: " .. fault
        end
    elseif scheme == "http" or scheme == "https" then
        if not config.url:find "^https?://[%w.:%[%]-]+$" then
            return "url: expected http://host[:port] without a path, which has its own setting"
        end
    elseif config.url:sub(1, 1) ~= "/" or config.url:find "/%.%.?/" then
        return "url: expected a folder from / on, ftp://, ftpes://, ftps://, sftp://, "
            .. "http:// or https://"
    end
    if config.api == "isapi" and not (scheme or ""):find "^http" then
        return "api: expected isapi with http:// or https:// only"
    end
    if (config.user == nil) ~= (config.password == nil) then
        return "user: expected user and password together"
    elseif scheme == "sftp" and not config.user then
        return "user: expected user and password with sftp://"
    elseif scheme == "sftp" and not config.host_key and not config.insecure then
        return "host_key: expected the key of the dock with sftp://, or insecure = true"
    elseif config.host_key and scheme ~= "sftp" then
        return "host_key: expected with sftp:// only"
    end
end

function plugin.start(host, config)
    return watch.start(host, config)
end

return plugin
