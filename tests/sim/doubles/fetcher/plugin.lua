-- fetcher - asks a file server what its configuration lists and tells what came of it. For tests of
-- the host only.
local schema = require "schema"

local plugin = {
    api = 1,
    name = "fetcher",
    summary = "Asks file servers what its configuration says and tells their answers.",
    needs = { "ftp", "digest" },
    config = schema.record {
        asks = schema.any { doc = "one after the other: { call =, wish =, pause =, stop = }" },
        at_once = schema.boolean { doc = "all at once", default = false },
    },
    events = {
        ["fetcher.told"] = { lane = "record", doc = "what came of an ask", data = schema.any {} },
    },
}

local digest = require "digest"

-- All of a stream: how many bytes, which, and how it ended.
local function drink(self, stream, ask, told)
    local all = {}
    for _ = 1, ask.reads or 1000000 do
        if ask.pause then
            self.host.sleep(ask.pause)
        end
        local bytes, message, code = stream:read(ask.options)
        if not bytes then
            told.message, told.code = message, code
            break
        end
        all[#all + 1] = bytes
        told.most = math.max(told.most or 0, #bytes)
    end
    stream:close()
    all = table.concat(all)
    told.length, told.sha256 = #all, digest.sha256(all)
end

local function results(call, first, second, third, fourth)
    if first == nil then
        return { message = second, code = third, reply = fourth }
    elseif call == "list" then
        return { entries = table.move(first, 1, math.min(#first, 50), 1, {}), count = #first,
            strange = second }
    elseif call == "read" then
        return { body = first:sub(1, 200), length = #first, file = second }
    elseif call == "stat" then
        return { file = first }
    end
    return { done = first }
end

local function do_one(self, number, ask)
    local began, told = self.host.mono(), nil
    local well, why = pcall(function()
        if ask.call ~= "stream" then
            told = results(ask.call, self.host.ftp[ask.call](ask.wish))
            return
        end
        local stream, file, code, reply = self.host.ftp.stream(ask.wish)
        if not stream then
            told = { message = file, code = code, reply = reply }
            return
        end
        told = { file = file }
        drink(self, stream, ask, told)
    end)
    told = well and told or { raised = tostring(why) }
    told.ask, told.ms = number, math.floor((self.host.mono() - began) * 1000)
    self.host.emit { type = "fetcher.told", data = told }
end

function plugin.start(host, config)
    local self = { host = host, config = config, beats = 0 }
    if config.at_once then
        for number, ask in ipairs(config.asks) do
            host.after(0, function() do_one(self, number, ask) end)
        end
    else
        host.after(0, function()
            for number, ask in ipairs(config.asks) do
                do_one(self, number, ask)
                host.commit()
            end
        end)
    end
    return self
end

return plugin
