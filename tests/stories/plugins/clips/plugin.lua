-- clips - stores what it is asked for as an evidence file; see ../../evidence_story.py.
local schema = require "schema"

-- Bytes that differ from clip to clip and within one; a whole number of KiB.
local function record(self, _, params)
    local spool <close> = assert(self.host.blob.open { class = params.class,
        most = params.kib * 1024 })
    local part = {}
    for i = 1, 64 do
        part[i] = ("%s %d "):format(params.name, i * 7919):rep(1024):sub(1, 1024)
    end
    part = table.concat(part)
    for _ = 1, params.kib // 64 do
        assert(spool:write(part))
    end
    local blob = assert(spool:finish())
    self.host.blob.keep(blob.sha256, { class = params.class, keep = params.keep, erase = true })
    self.host.emit { type = "clips.begun", data = {} }
    self.host.emit { type = "clips.recorded", data = { sha256 = blob.sha256, sm3 = blob.sm3,
        size = blob.size } }
    return { sha256 = blob.sha256, sm3 = blob.sm3, size = blob.size }
end

local plugin = {
    api = 1,
    name = "clips",
    summary = "Stores files.",
    needs = { "blob" },
    config = schema.record {},
    events = {
        ["clips.begun"] = { lane = "record", doc = "a clip is there", data = schema.record {} },
        ["clips.recorded"] = { lane = "record", doc = "which one", data = schema.record {
            sha256 = schema.text {}, sm3 = schema.text {}, size = schema.integer {} } },
    },
    actions = {
        record = { role = "technician", doc = "stores a file", run = record,
            params = schema.record {
                name = schema.text {}, kib = schema.integer { min = 64, max = 1000000 },
                class = schema.text { default = "important" },
                keep = schema.text { default = "30d" },
            } },
    },
}

function plugin.start(host)
    return { host = host }
end

return plugin
