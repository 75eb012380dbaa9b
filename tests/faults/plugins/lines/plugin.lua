-- lines - every kind of line that a device can hang on; for tests of the host.
local crc = require "crc"
local frames = require "frames"
local lineurl = require "lineurl"
local schema = require "schema"

local function record(doc)
    return { lane = "record", doc = doc, data = schema.record {
        from = schema.text { doc = "who says it" },
        text = schema.text { doc = "what" },
        number = schema.integer { doc = "its number", optional = true },
    } }
end

local plugin = {
    api = 1,
    name = "lines",
    summary = "Trackers, card readers, scales and beacons, for tests of the lines to devices.",
    needs = { "tcp", "udp", "serial" },
    config = schema.record {
        trackers = schema.text { doc = "tcp://address:port that trackers connect to" },
        reader = schema.text { doc = "tcp://host:port of a reader" },
        keepalive = schema.duration { doc = "a silent reader is gone after this", default = "1m" },
        scale = schema.text { doc = "serial:///dev/... of a scale" },
        beacons = schema.text { doc = "udp://address:port" },
    },
    events = {
        ["tracker.report"] = record "a tracker reported",
        ["reader.card"] = record "a card was shown",
        ["scale.weight"] = record "something was weighed",
        ["beacon.heard"] = record "a beacon was heard",
    },
}

local ESCAPES = { ["\x7d\x02"] = "\x7e", ["\x7d\x01"] = "\x7d" }

local function wrap(body)
    local text = body .. string.char(crc.bcc(body))
    return "\x7e" .. text:gsub("[\x7d\x7e]", { ["\x7d"] = "\x7d\x01", ["\x7e"] = "\x7d\x02" }) .. "\x7e"
end

-- One report; its number decides whether it is new, because a tracker sends again what nobody
-- acknowledged.
local function take_report(host, frame)
    if #frame < 4 or crc.bcc(frame) ~= 0 then
        return
    end
    local id, number, text = string.unpack(">I1I2", frame), string.unpack(">I2", frame, 2),
        frame:sub(4, -2)
    local key = "last/" .. id
    if number > (host.store.get(key) or -1) then
        host.store.put(key, number)
        host.emit { type = "tracker.report",
            data = { from = tostring(id), text = text, number = number } }
        host.commit()
    end
    return frame:sub(1, 3)
end

local function serve_tracker(host, conn)
    local reader = frames.marked { mark = "\x7e", max = 256, escapes = ESCAPES }
    while true do
        local frame, _, code = conn:read_frame(reader)
        if not frame then
            return host.log.info("a tracker went: %s", code)
        end
        local reply = take_report(host, frame)
        if reply and not conn:write(wrap(reply)) then
            return
        end
    end
end

-- Emits what the line says until it ends.
local function listen_to(host, conn, kind, read)
    local from = conn:peer()
    while true do
        local text, message, code = read(conn)
        if text then
            host.emit { type = kind, now = true, data = { from = from, text = text } }
        elseif code ~= "timeout" then
            return host.log.info("%s", message)
        end
    end
end

local function watch_reader(host, config)
    local conn, message = host.tcp.connect(config.reader,
        { timeout = "1s", keepalive = config.keepalive })
    if not conn then
        return host.log.debug("%s", message)
    end
    local reader = frames.lines { max = 128, ending = "\r\n" }
    listen_to(host, conn, "reader.card", function() return conn:read_frame(reader) end)
    conn:close()
end

local function watch_scale(host, config)
    local conn, message = host.serial.open(config.scale, { silence = "40ms" })
    if not conn then
        return host.log.debug("%s", message)
    end
    listen_to(host, conn, "scale.weight", conn.read)
    conn:close()
end

local function hear_beacons(host, port)
    local text, from = port:receive()
    if text then
        host.emit { type = "beacon.heard", data = { from = from, text = text } }
    end
end

local KINDS = { trackers = "tcp", reader = "tcp", scale = "serial", beacons = "udp" }

function plugin.check(config)
    for name, kind in pairs(KINDS) do
        local fault = lineurl.fault(config[name], kind)
        if fault then
            return name .. ": " .. fault
        end
    end
end

-- What the configuration does not name cannot be reached, whatever the code says.
local function try_elsewhere(host)
    local _, _, port = host.tcp.connect("tcp://127.0.0.1:7", { timeout = "1s" })
    local _, _, door = host.tcp.listen("tcp://127.0.0.1:7007", {}, function() end)
    local _, _, device = host.serial.open("serial:///dev/ptmx")
    host.log.info("elsewhere: %s, %s, %s", port, door, device)
end

function plugin.start(host, config)
    try_elsewhere(host)
    assert(host.tcp.listen(config.trackers, { connections = 8, allow = { "127.0.0.0/8" } },
        function(conn) serve_tracker(host, conn) end))
    local port = assert(host.udp.open(config.beacons))
    host.every("100ms", function() watch_reader(host, config) end)
    host.every("100ms", function() watch_scale(host, config) end)
    host.every("10ms", function() hear_beacons(host, port) end)
    return {}
end

return plugin
