-- surfer - does the requests that its configuration lists and tells what came of them. For tests of
-- the host only.
local schema = require "schema"

local plugin = {
    api = 1,
    name = "surfer",
    summary = "Asks web servers what its configuration says and tells their answers.",
    needs = { "http" },
    config = schema.record {
        asks = schema.any { doc = "one after the other: { wish =, stream =, parts =, reads = ... }" },
        at_once = schema.boolean { doc = "all at once", default = false },
    },
    events = {
        ["surfer.told"] = { lane = "record", doc = "what came of an ask", data = schema.any {} },
        ["surfer.done"] = { lane = "record", doc = "all asks are over", data = schema.any {} },
    },
}

local function tell(self, number, told)
    told.ask = number
    self.host.emit { type = "surfer.told", data = told }
end

-- Bodies are told by their length and their first bytes: an event has its bound.
local function brief(body)
    return { length = #body, front = body:sub(1, 2000):gsub("[\128-\255%z]", "?") }
end

local function with_form(host, ask)
    if ask.form then
        local body, kind = host.http.multipart(ask.form)
        ask.wish.body, ask.wish.headers = body, { ["Content-Type"] = kind }
    end
    return ask.wish
end

local function request(self, number, ask)
    local began = self.host.mono()
    local answer, message, code = self.host.http.request(with_form(self.host, ask))
    local ms = math.floor((self.host.mono() - began) * 1000)
    if not answer then
        return tell(self, number, { code = code, message = message, ms = ms })
    end
    answer.body = brief(answer.body)
    answer.ms = ms
    tell(self, number, answer)
end

local function drink(self, stream, ask, told)
    for i = 1, ask.reads or 0 do
        if ask.pause then
            self.host.sleep(ask.pause)
        end
        local bytes, message, code = stream:read(ask.options)
        if not bytes then
            told.code, told.message, told.at = code, message, i
            return
        end
        told.bytes = (told.bytes or 0) + #bytes
    end
    for i = 1, ask.parts or 0 do
        local part, message, code = stream:part(ask.options)
        if not part then
            told.code, told.message, told.at = code, message, i
            return
        end
        told.parts[#told.parts + 1] = { type = part.headers["content-type"],
            length = #part.body, front = part.body:sub(1, 300):gsub("[\128-\255%z]", "?") }
    end
end

local function stream(self, number, ask)
    local open, head, code = self.host.http.stream(ask.wish)
    if not open then
        return tell(self, number, { code = code, message = head })
    end
    local told = { status = head.status, headers = head.headers, parts = {} }
    drink(self, open, ask, told)
    open:close()
    tell(self, number, told)
end

local function do_one(self, number, ask)
    local well, why = pcall(ask.stream and stream or request, self, number, ask)
    if not well then
        tell(self, number, { raised = tostring(why) })
    end
end

local function do_all(self, asks)
    for number, ask in ipairs(asks) do
        do_one(self, number, ask)
        self.host.commit()
    end
    self.host.emit { type = "surfer.done", data = {} }
end

function plugin.start(host, config)
    local self = { host = host, config = config }
    if config.at_once then
        for number, ask in ipairs(config.asks) do
            host.after(0, function() do_one(self, number, ask) end)
        end
    else
        host.after(0, function() do_all(self, config.asks) end)
    end
    return self
end

return plugin
