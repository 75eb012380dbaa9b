-- ledger - what is stored of the wristbands and their station, and the transactions that change it.
--
-- Keys of host.store: "band/<tag>" the state of band.lua, "station" the state of station.lua.
-- Events and states go into one commit. What a ledger remembers is only a copy: after a failed
-- commit it must be thrown away and loaded again (watch.lua does).
local time = require "time"

local ledger = {}

local BANDS_MAX = 1000
local EFFECTS_MAX = 12 -- of a commit: small ones, so that an alarm never waits behind many readings
local LENGTHS = { "seconds", "silence", "age" }
local TIMES = { "from", "to", "last_seen", "last_good" }

-- One page after the other; a blank sorts before every letter a tag may have.
local function load_bands(self)
    local from, more = "band/", true
    while more do
        local page
        page, more = self.host.store.range(from, "band0", BANDS_MAX)
        for _, row in ipairs(page) do
            self.bands[row[1]:sub(6)] = row[2]
            self.count = self.count + 1
            from = row[1] .. " "
        end
    end
end

function ledger.load(host, config)
    local self = { host = host, config = config, bands = {}, count = 0, effects = 0 }
    self.station = host.store.get("station") or {}
    load_bands(self)
    return self
end

-- Stores and commits what was gathered; afterwards it is durable.
function ledger.commit(self)
    if self.effects == 0 then
        return
    end
    self.station.alive = self.host.now()
    self.host.store.put("station", self.station)
    self.host.commit()
    self.effects = 0
end

local function emit(self, event, subject, fields)
    for name, value in pairs(event.extra) do
        fields[name] = value
    end
    if fields.from then
        fields.seconds = math.max(0, fields.to - fields.from)
    end
    for _, name in ipairs(LENGTHS) do
        if math.type(fields[name]) == "float" then -- to the millisecond
            fields[name] = math.floor(fields[name] * 1000 + 0.5) / 1000
        end
    end
    for _, name in ipairs(TIMES) do
        fields[name] = fields[name] and time.format(fields[name])
    end
    fields.station, fields.profile = self.station.serial, self.config.profile.name
    self.effects = self.effects + 1
    self.host.emit { type = event.kind, time = math.max(0, event.time), subject = subject,
        data = fields }
end

-- Makes the station's new state count, with its events.
function ledger.put_station(self, state, events)
    self.station = state
    local subject = "device/station/" .. (state.serial or self.config.profile.name)
    for _, event in ipairs(events) do
        emit(self, event, subject, {})
    end
end

-- The station's state is stored with the next commit, which this makes due.
function ledger.touch(self)
    self.effects = self.effects + 1
end

-- Room for one more wristband: the one that is lost for the longest time makes it.
local function make_room(self)
    if self.count < BANDS_MAX then
        return true
    end
    local oldest
    for tag, state in pairs(self.bands) do
        if state.lost and (not oldest or state.at < self.bands[oldest].at) then
            oldest = tag
        end
    end
    if not oldest then
        return false
    end
    self.host.store.remove("band/" .. oldest)
    self.bands[oldest] = nil
    self.count = self.count - 1
    return true
end

-- Makes a wristband's new state count, with its events. False when there is no room for it.
function ledger.put_band(self, tag, state, events, reading, is_changed)
    if not self.bands[tag] then
        if not make_room(self) then
            return false
        end
        self.count = self.count + 1
    end
    self.bands[tag] = state
    local person = self.config.bands[tag]
    local subject = person and "person/" .. person or "device/wristband/" .. tag
    for _, event in ipairs(events) do
        emit(self, event, subject, { band = tag, raw = reading.raw, age = reading.age,
            canary = tag == self.config.canary or nil })
    end
    if is_changed then
        self.effects = self.effects + 1
        self.host.store.put("band/" .. tag, state)
    end
    if self.effects >= EFFECTS_MAX then
        ledger.commit(self)
    end
    return true
end

-- Takes a wristband away, with its event; both are committed with the handler that does it.
function ledger.forget(self, tag, by)
    local state = self.bands[tag]
    emit(self, { kind = "wristband.forgotten", time = self.host.now(),
        extra = { last_seen = state.at, by = by } }, "device/wristband/" .. tag, { band = tag })
    self.host.store.remove("band/" .. tag)
    self.bands[tag] = nil
    self.count = self.count - 1
end

return ledger
