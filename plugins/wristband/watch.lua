-- watch - one round after the other: look at the station, decide, commit, and only then let go.
--
-- Rule of this file: `self.memory` is taken away at the begin of a round and given back at its
-- end. Whatever fails between leaves none, and the next round starts from what is stored.
local band = require "band"
local ledger = require "ledger"
local reader = require "reader"
local silence = require "silence"
local station = require "station"

local watch = {}

local ENTRIES_MAX = 64 -- of a FIFO in one round
local ALIVE_S = 60 -- how often "still alive" is stored when nothing else is: one small write
local LATE_S = { s = 2, min = 120, ms = 1 } -- how far ages may be off by their coarseness

local function seconds(ms)
    return ms / 1000
end

-- memory.heard[tag]: monotonic time of the newest reading; memory.since: when listening began;
-- memory.excused: nobody's silence counts from before; memory.doubted[tag]: see is_late().
local function recall(self)
    local memory = ledger.load(self.host, self.config)
    memory.heard, memory.since, memory.excused = {}, self.host.mono(), -math.huge
    memory.failures, memory.good_at, memory.doubted = 0, memory.since, {}
    return memory
end

function watch.new(host, config)
    local url_unit = tonumber(config.url:match("[?&]unit=(%d+)"))
    return {
        host = host, config = config, reader = reader.new(config.profile),
        unit = config.unit or url_unit or config.profile.unit,
        late_s = LATE_S[config.profile.fields.age and config.profile.fields.age.unit or "s"],
        lost_after = seconds(config.lost_after),
    }
end

-- Time since the plugin last stored anything is time without readings, of which nobody else knows.
function watch.start(self)
    local memory = recall(self)
    local now = self.host.now()
    local from = memory.station.alive
    if from then
        ledger.put_station(memory, memory.station, { station.gap(from, now, "plugin_stopped") })
    end
    ledger.touch(memory)
    ledger.commit(memory)
    self.memory = memory
end

---- one reading

-- Whether a reading is older than one already taken. A queue may bring such readings, they tell the
-- past. A slot that says so in two looks running has really changed and is believed.
local function is_late(self, memory, reading, heard)
    local newest, tag = memory.heard[reading.tag], reading.tag
    if newest == nil or heard >= newest - self.late_s then
        memory.doubted[tag] = nil
        return false
    end
    local before = memory.doubted[tag]
    memory.doubted[tag] = heard
    return self.config.profile.style ~= "slots" or not before
        or math.abs(heard - before) > self.late_s
end

local function take(self, memory, reading)
    local host, config = self.host, self.config
    local age = reading.age or 0
    local heard = host.mono() - age
    if is_late(self, memory, reading, heard) then
        host.metrics.count("readings_late", 1)
        return
    end
    local now = host.now()
    local state, events, is_changed = band.step(memory.bands[reading.tag], reading, {
        now = now, at = now - age, silence = age, lost_after = self.lost_after,
        heartbeat = seconds(config.heartbeat), low_battery = config.low_battery,
    })
    if ledger.put_band(memory, reading.tag, state, events, reading, is_changed) then
        memory.heard[reading.tag] = heard
    else
        host.metrics.count("bands_refused", 1)
    end
end

---- the station

-- A failed look. One is nothing; for offline_after, and at least two, the station is given up.
local function miss(self, memory, message, code)
    local host = self.host
    host.metrics.count("polls_failed", 1)
    memory.failures = memory.failures + 1
    local silent = host.mono() - memory.good_at
    if memory.failures < 2 or silent < seconds(self.config.offline_after) then
        return
    end
    local cause = (code == "garbage" or code == "torn") and "garbage" or "no_answer"
    local state, events = station.bad(memory.station, host.now(), cause,
        { message = tostring(message):sub(1, 200) })
    ledger.put_station(memory, state, events)
    if #events > 0 then
        host.log.warn("station offline: %s; asked again every %d ms", message, self.config.poll)
    end
end

local function distrust(self, memory, look)
    local host = self.host
    local expected = self.config.station or memory.station.serial
    local state, events = station.bad(memory.station, host.now(), "wrong_station",
        { expected = expected, got = look.station })
    ledger.put_station(memory, state, events)
    if #events > 0 then
        host.log.error('station: expected serial "%s", got "%s"; nothing it says is believed until '
            .. "it is the right one again, or the setting station names the new one", expected,
            look.station or "unknown")
    end
end

local function trust(self, memory, look)
    local host = self.host
    local was_online = memory.station.online
    local state, events = station.good(memory.station, host.now(), look.station)
    memory.failures, memory.good_at = 0, host.mono()
    ledger.put_station(memory, state, events)
    if not was_online then
        memory.heard, memory.since = {}, host.mono()
        host.log.info("station online, profile %s, serial %s", self.config.profile.name,
            state.serial or "unknown")
    end
end

-- Whether the look came from the right station; tells and counts when not. A profile without a
-- serial can never tell.
local function check_station(self, memory, look)
    local state, wanted = memory.station, self.config.station
    if self.config.profile.fields.station and station.is_other(state, look.station, wanted) then
        if look.station then
            distrust(self, memory, look)
        else
            miss(self, memory, "the station does not tell its serial", "garbage")
        end
        return false
    end
    trust(self, memory, look)
    return true
end

---- silence

-- A slot table knows how long each wristband was silent, whether anybody listened or not. A
-- mailbox or FIFO does not: there, silence counts only while somebody listened.
local function silences(self, memory)
    local mono, list = self.host.mono(), {}
    for tag, state in pairs(memory.bands) do
        local heard = memory.heard[tag]
        local base = heard or memory.since
        if self.config.profile.style ~= "slots" then
            base = math.max(base, memory.since)
        end
        list[#list + 1] = {
            tag = tag, lost = state.lost, canary = tag == self.config.canary,
            silence = mono - math.max(base, memory.excused),
            heard = heard and mono - heard or math.huge,
        }
    end
    table.sort(list, function(a, b) return a.tag < b.tag end)
    return list
end

local function all_lost(memory, list)
    local fields = { bands = 0, tags = {}, canary = false, silence = math.huge }
    for _, one in ipairs(list) do
        if not one.lost then
            fields.bands = fields.bands + 1
            fields.canary = fields.canary or one.canary
            fields.tags[#fields.tags + 1] = #fields.tags < 64 and one.tag or nil
            fields.silence = math.min(fields.silence, one.silence)
            fields.last_seen = math.max(fields.last_seen or 0, memory.bands[one.tag].at)
        end
    end
    return fields
end

local function judge(self, memory)
    local now, list = self.host.now(), silences(self, memory)
    if memory.station.deaf then
        if silence.is_over(list, self.lost_after) then
            ledger.put_station(memory, station.undeafen(memory.station, now))
            memory.excused = self.host.mono()
        end
        return
    end
    local lost, deaf = silence.judge(list, self.lost_after)
    if deaf then
        ledger.put_station(memory, station.deafen(memory.station, now, all_lost(memory, list)))
    end
    local silent = {}
    for _, one in ipairs(list) do
        silent[one.tag] = one.silence
    end
    for _, tag in ipairs(lost) do
        local state, events = band.lose(memory.bands[tag], { now = now, silence = silent[tag] })
        ledger.put_band(memory, tag, state, events, {}, true)
    end
end

---- rounds

-- Slots are a level: whatever is missed now is still there in the next round.
local function look_at_table(self, memory, bus)
    local look, message, code = reader.table(self.reader, bus)
    if not look then
        return miss(self, memory, message, code)
    end
    if not check_station(self, memory, look) then
        return
    end
    for _, reading in ipairs(look.readings) do
        take(self, memory, reading)
    end
    judge(self, memory)
end

-- One entry: taken, committed, and only then dropped in the station. When dropping fails, the same
-- entry is read again, and changes nothing because its state is stored. Returns whether to go on.
local function take_entry(self, memory, bus, look)
    local now, state = self.host.now(), memory.station
    ledger.put_station(memory, state, station.hole(state, now, self.sequence, look.sequence))
    if look.reading then
        take(self, memory, look.reading)
    else
        self.host.metrics.count("entries_" .. (look.why or "empty"), 1)
    end
    ledger.commit(memory)
    self.sequence = look.sequence
    local released, message = reader.release(self.reader, bus, look)
    if not released then
        self.host.metrics.count("releases_failed", 1)
        self.host.log.debug("release failed, the entry will be read again: %s", message)
    end
    return released
end

-- Silence is judged only when everything that waited has been heard.
local function look_at_queue(self, memory, bus)
    for _ = 1, ENTRIES_MAX do
        local look, message, code = reader.entry(self.reader, bus)
        if not look then
            return miss(self, memory, message, code)
        end
        if not check_station(self, memory, look) then
            return
        end
        if look.count == 0 then
            return judge(self, memory)
        end
        if not take_entry(self, memory, bus, look) then
            return
        end
    end
end

-- The bus, opened when it is first needed: a station may be switched on later than this box.
local function open_bus(self)
    if not self.bus then
        local message, code
        self.bus, message, code = self.host.modbus.open(self.config.url,
            { timeout = self.config.timeout, unit = self.unit })
        if not self.bus then
            return nil, message, code
        end
    end
    return self.bus
end

function watch.round(self)
    local memory = self.memory or recall(self)
    self.memory = nil
    self.host.metrics.count("polls", 1)
    local bus, message, code = open_bus(self)
    if not bus then
        miss(self, memory, message, code)
    elseif self.config.profile.style == "slots" then
        look_at_table(self, memory, bus)
    else
        look_at_queue(self, memory, bus)
    end
    if math.abs(self.host.now() - (memory.station.alive or 0)) >= ALIVE_S then
        ledger.touch(memory)
    end
    ledger.commit(memory)
    self.host.metrics.gauge("bands", memory.count)
    self.memory = memory
end

return watch
