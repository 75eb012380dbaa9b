-- asker - can be asked for everything that may happen to a question; see ../../asking_story.py.
local schema = require "schema"

local ALL = { "officer", "social_worker", "technician" }

-- Questions run beside each other: nothing waits between reading the total and changing it.
local function add(self, who, params)
    self.total = self.total + params.n
    self.host.store.put("total", self.total)
    self.host.emit { type = "asker.added", data = { n = params.n, by = who.name .. "/" .. who.role
        .. "/" .. who.via } }
    return { total = self.total }
end

local plugin = {
    api = 1,
    name = "asker",
    summary = "Can be asked.",
    config = schema.record {},
    events = {
        ["asker.added"] = { lane = "record", doc = "added", data = schema.record {
            n = schema.integer {}, by = schema.text {} } },
    },
    actions = {
        add = { role = "technician", doc = "adds to the total", run = add,
            params = schema.record {
                n = schema.integer { doc = "how much", min = 1, max = 100, default = 1 },
                note = schema.text { doc = "a secret", optional = true },
            } },
        decide = { role = "officer", doc = "decides",
            run = function(_, who) return who.name end },
        sleep = { role = "technician", doc = "takes its time",
            params = schema.record { ms = schema.integer { min = 1, max = 100000 } },
            run = function(self, who, params)
                self.host.log.info("sleeps")
                self.host.sleep(params.ms)
                self.host.log.info("slept")
                return add(self, who, { n = 1 })
            end },
        stumble = { role = "technician", doc = "stores something and raises",
            params = schema.record { word = schema.text {} },
            run = function(self, _, params)
                self.host.store.put("total", 1000000)
                error("stumbled over " .. params.word, 0)
            end },
    },
    views = {
        total = { role = ALL, doc = "the total",
            run = function(self) return { total = self.host.store.get("total") or 0 } end },
        rows = { role = ALL, doc = "some rows", run = function()
            return { { name = "甲", n = 1 }, { name = "b", more = { 1, 2 } } }
        end },
        meddle = { role = ALL, doc = "wants to store something",
            run = function(self) self.host.store.put("total", 7) end },
        huge = { role = ALL, doc = "more than an answer holds",
            run = function() return ("x"):rep(140000) end },
    },
}

function plugin.start(host)
    return { host = host, total = host.store.get("total") or 0 }
end

return plugin
