-- desk - what people may look at and ask for: the wristbands as they are known, and forgetting one.
--
-- Rule of this file: a round owns `self.memory` while it runs (watch.lua). Who asks between rounds
-- uses it without waiting in between, so that no round sees half of it.
local ledger = require "ledger"
local schema = require "schema"
local time = require "time"

local desk = {}

local PAGE_MOST = 400 -- of the longest ids are still one answer
local LOOK_MS, LOOKS = 100, 200 -- for a round to end

local TAG = { pattern = "^%w[%w_:.-]*$", max = 64, expects = "the tag id of a wristband" }

local function tag(doc, more)
    local options = { doc = doc }
    for _, from in ipairs { TAG, more or {} } do
        for name, value in pairs(from) do
            options[name] = value
        end
    end
    return schema.text(options)
end

local function open_or_closed(flag)
    if flag == nil then
        return nil
    end
    return flag and "open" or "closed"
end

local function row(self, name, state)
    return { band = name, person = self.config.bands[name], heard = time.format(state.at),
        strap = open_or_closed(state.strap), case = open_or_closed(state.case),
        battery = state.battery, rssi = state.rssi, lost = state.lost or nil,
        canary = name == self.config.canary or nil }
end

-- While a round has the memory, what is stored has to do: the same, but for what has not changed.
local function bands(self, params)
    local known = (self.memory or ledger.load(self.host, self.config)).bands
    local names, rows = {}, {}
    for name in pairs(known) do
        if not params.after or name > params.after then
            names[#names + 1] = name
        end
    end
    table.sort(names)
    for i = 1, math.min(#names, params.limit) do
        rows[i] = row(self, names[i], known[names[i]])
    end
    return rows
end

local function rested_memory(self)
    for _ = 1, LOOKS do
        if self.memory then
            return self.memory
        end
        self.host.sleep(LOOK_MS)
    end
end

local function forget(self, who, params)
    local config, name = self.config, params.band
    if config.bands[name] then
        return nil, ("band: expected one that nobody wears, got %s; take it out of the setting "
            .. "bands first"):format(name)
    end
    if name == config.canary then
        return nil, "band: expected another one than the canary"
    end
    local memory = rested_memory(self)
    if not memory then
        return nil, "the station keeps the plugin busy; ask again"
    end
    local state = memory.bands[name]
    if not state then
        return nil, "band: expected one that is known (see the view bands), got " .. name
    end
    ledger.forget(memory, name, who.name)
    memory.heard[name], memory.doubted[name] = nil, nil
    return { band = name, heard = time.format(state.at) }
end

desk.actions = {
    forget = {
        role = "technician",
        doc = "a wristband that was replaced is not missed any more; one that is still heard comes "
            .. "back as new",
        params = schema.record { band = tag "tag id of the wristband" },
        run = forget,
    },
}

desk.views = {
    bands = {
        role = { "officer", "social_worker", "technician" },
        doc = "every wristband: when it was last heard, strap, case, battery",
        params = schema.record {
            after = tag("only those behind this tag id, for the next page", { optional = true }),
            limit = schema.integer { doc = "how many at most", min = 1, max = PAGE_MOST,
                default = 100 },
        },
        run = bands,
    },
}

return desk
