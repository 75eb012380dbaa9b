-- face-zkpush - ZKTeco terminals that push: attendance and security PUSH. See README.md.
local address = require "address"
local checkin = require "checkin"
local clerk = require "clerk"
local desk = require "desk"
local known = require "known"
local presence = require "presence"
local schema = require "schema"
local terminal = require "terminal"
local time = require "time"

local BODY_MOST = 2 * 1024 * 1024 + 65536 -- a package of theirs has at most 2,048,000 bytes

local ADDRESS = schema.text { max = 48, pattern = "^[%x:.]+/?%d*$",
    expects = 'an address such as "192.168.1.20" or "192.168.1.0/24"' }

local function of_person()
    return schema.record {
        terminal = schema.text { doc = "serial of the terminal", max = 64 },
        by = schema.text { doc = "the Unix user who asked", max = 64 },
    }
end

local plugin = {
    api = 1,
    name = "face-zkpush",
    summary = "Face terminals of ZKTeco that push what happens.",
    needs = { "serve", "digest", "gbk" },
    state = 1,
    config = schema.record(checkin.settings {
        url = schema.text { doc = "where to listen: the cloud server address and port that the "
            .. "terminals are given", pattern = "^http://.", max = 128,
            expects = "http://ADDRESS:PORT with an address of this box" },
        terminals = schema.map(ADDRESS, { max = 32,
            doc = "who may push: serial number = address or range it calls from",
            key = schema.text { pattern = "^%w[%w_-]*$", max = 32,
                expects = "the serial of a terminal" } }),
        timezone = schema.text { doc = "of the terminals' clocks", default = "+08:00", max = 6,
            pattern = "^[+-]%d%d:%d%d$", expects = 'an offset such as "+08:00"' },
        poll = schema.duration { doc = "how often a terminal asks for commands", min = "2s",
            max = "1m", default = "10s" },
        offline_after = schema.duration { doc = "a terminal not heard for this long is offline",
            min = "30s", max = "1d", default = "5m" },
        clock_tolerance = schema.duration { doc = "a clock that differs by more is wrong",
            min = "5s", max = "1h", default = "1m" },
        clock = schema.choice { doc = "what becomes of a wrong clock: it is told, or also set",
            choices = { "tell", "set" }, default = "tell" },
        tokens = schema.boolean { default = true, doc = "whether a terminal of security PUSH must "
            .. "show its token; false for firmware that sends no cookies" },
    }),
    events = checkin.events {
        ["terminal.refused"] = { lane = "record", doc = "somebody pushed who may not; nothing of "
            .. "it was taken. Told once an hour of each, 20 at most",
            data = schema.record {
                address = schema.text { doc = "where it came from", max = 64 },
                reason = schema.choice { doc = "what was wrong",
                    choices = { "serial", "address", "token" } },
                terminal = schema.text { doc = "the serial, when it is one of ours", max = 64,
                    optional = true },
            } },
        ["terminal.person_put"] = { lane = "record", doc = "a person was added or changed at the "
            .. "terminal", data = of_person() },
        ["terminal.person_removed"] = { lane = "record", doc = "a person was removed from the "
            .. "terminal", data = of_person() },
    },
    actions = clerk.actions,
    views = clerk.views,
}

-- What only several settings together, or none of their kinds, can say.
function plugin.check(config)
    if not next(config.terminals) then
        return "terminals: expected at least one serial number and its address, got none"
    end
    for serial, rule in pairs(config.terminals) do
        local fault = address.fault(rule)
        if fault then
            return ("terminals: %s: %s"):format(serial, fault)
        end
    end
    if not time.offset(config.timezone) then
        return ('timezone: expected an offset such as "+08:00", got "%s"'):format(config.timezone)
    end
    if config.pictures ~= "none" then
        return ('pictures: expected "none", because these terminals send pictures apart from '
            .. 'their records and none are taken, got "%s"'):format(config.pictures)
    end
end

local function allowed(config)
    local rules, seen = {}, {}
    for _, rule in pairs(config.terminals) do
        if not seen[rule] then
            rules[#rules + 1], seen[rule] = rule, true
        end
    end
    table.sort(rules)
    return rules
end

function plugin.start(host, config)
    local self = { host = host, config = config, terminals = {}, strangers = {},
        offset = time.offset(config.timezone) }
    self.name_of = checkin.keeper(host, config.people)
    self.set_time = function(one) clerk.set_time(self, one) end
    local count = 0
    for serial in pairs(config.terminals) do
        self.terminals[serial] = terminal.new(host, serial)
        count = count + 1
    end
    self.bounds = known.bounds(count)
    local listener, message, code = host.serve.listen(config.url, { allow = allowed(config),
        body = BODY_MOST }, function(request) return desk.answer(self, request) end)
    if not listener then
        error(("url: %s: %s"):format(code, message), 0)
    end
    host.every("10s", function() presence.look(self) end)
    return self
end

return plugin
