-- porter - answers what devices push, as its paths say. For tests of the host only.
local schema = require "schema"

local plugin = {
    api = 1,
    name = "porter",
    summary = "Answers what devices push and records it.",
    needs = { "serve" },
    config = schema.record {
        url = schema.text { doc = "where to listen" },
        options = schema.any { doc = "of host.serve.listen", default = {} },
    },
    events = {
        ["porter.listens"] = { lane = "record", doc = "the port", data = schema.any {} },
        ["porter.heard"] = { lane = "record", doc = "what was pushed", data = schema.any {} },
    },
}

local paths = {}

function paths.cdata(self, request)
    local count = 0
    for line in request.body:gmatch("[^\n]+") do
        self.host.emit { type = "porter.heard", data = { line = line, peer = request.peer } }
        count = count + 1
    end
    return { status = 200, headers = { ["Content-Type"] = "text/plain" }, body = "OK: " .. count }
end

function paths.echo(_, request)
    return { status = 201, headers = { ["X-Method"] = request.method, ["X-Path"] = request.path,
        ["X-Query"] = request.query.a or "none", ["X-Twice"] = request.headers["x-twice"] or "" },
        body = request.body }
end

function paths.boom(self)
    self.host.emit { type = "porter.heard", data = { line = "never" } }
    error("boom")
end

function paths.slow(self, request)
    self.host.sleep(tonumber(request.query.ms) or 300)
    return { body = "slow" }
end

function paths.spin()
    while true do
        pcall(error)
    end
end

function paths.nothing()
    return nil
end

function paths.odd(_, request)
    local odd = { status = { status = 99 }, header = { headers = { ["A\r\nB"] = "c" } },
        body = { body = {} } }
    return odd[request.query.a]
end

function paths.stop(self)
    self.listener:close()
    return { body = "never sent" }
end

local function answer(self, request)
    local name = request.path:match("([%w]+)$")
    local path = paths[name]
    if not path then
        return { status = 404 }
    end
    return path(self, request)
end

function plugin.start(host, config)
    local self = { host = host }
    local listener, message, code = host.serve.listen(config.url, config.options,
        function(request) return answer(self, request) end)
    if not listener then
        error(code .. ": " .. message)
    end
    self.listener = listener
    host.emit { type = "porter.listens", data = { port = listener:port() } }
    return self
end

return plugin
