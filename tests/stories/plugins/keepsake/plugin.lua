-- keepsake - stores blobs step by step, and stops where it is told to; see ../../blobs_story.py.
local schema = require "schema"

-- What dies here has done all before, and nothing behind.
local function reached(self, step, params)
    if params.stop == step then
        self.host.log.info("reached %s", step)
        self.host.sleep "1m"
    end
end

local function store(self, _, params)
    local host = self.host
    local spool <close>, message, code = host.blob.open { class = params.class, most = 1 << 26 }
    if not spool then
        return nil, code .. ": " .. message
    end
    reached(self, "opened", params)
    for i = 1, params.parts do
        assert(spool:write(params.text:rep(1000)))
        if i == 1 then
            reached(self, "written", params)
        end
    end
    local blob = assert(spool:finish())
    reached(self, "finished", params)
    host.blob.keep(blob.sha256, { class = params.class, keep = "30d" })
    host.emit { type = "keepsake.stored", data = { sha256 = blob.sha256, sm3 = blob.sm3,
        size = blob.size, path = params.path } }
    reached(self, "named", params)
    host.commit()
    reached(self, "committed", params)
    return blob
end

local function claim(self, _, params)
    self.host.blob.keep(params.sha256, { class = "case" })
    self.host.emit { type = "keepsake.stored",
        data = { sha256 = params.sha256, sm3 = params.sha256, size = 0 } }
    local ok, why = pcall(self.host.commit)
    return not ok and { refused = why } or { refused = "" }
end

local digest = { doc = "of the blob", max = 64 }

local plugin = {
    api = 1,
    name = "keepsake",
    summary = "Stores blobs.",
    needs = { "blob" },
    config = schema.record {},
    events = {
        ["keepsake.stored"] = { lane = "record", doc = "stored", data = schema.record {
            sha256 = schema.text(digest), sm3 = schema.text(digest), size = schema.integer {},
            path = schema.text { optional = true } } },
    },
    actions = {
        store = { role = "technician", doc = "stores a text a thousand times a part", run = store,
            params = schema.record {
                text = schema.text {}, parts = schema.integer { min = 0, default = 1 },
                class = schema.text { default = "important" },
                path = schema.text { doc = "where it lay", optional = true },
                stop = schema.text { doc = "the step at which it stays", default = "" },
            } },
        claim = { role = "technician", doc = "names what it has not sealed", run = claim,
            params = schema.record { sha256 = schema.text {} } },
    },
}

function plugin.start(host)
    return { host = host }
end

return plugin
