-- terminal - what is known of the terminal, and the one place where its records become events.
--
-- Invariant: an event exactly when the stored state changes with it, in one transaction.
local answer = require "answer"
local checkin = require "checkin"
local digest = require "digest"
local holes = require "holes"
local ledger = require "ledger"
local methods = require "methods"
local moment = require "moment"
local time = require "time"
local translate = require "translate"

local terminal = {}

local BATCH = 64 -- events of one commit
local LIVE_S = 60
local STATE = "terminal"

function terminal.new(host, config)
    local self = { host = host, config = config, state = host.store.get(STATE) or {},
        name_of = checkin.keeper(host, config.people), good_at = host.mono(),
        pictures = checkin.pictures(config.pictures), ledger = ledger.open(host) }
    self.serial = config.serial or self.state.serial
    terminal.learn(self)
    return self
end

local function save(self)
    self.host.store.put(STATE, self.state)
end

-- Its host and port as an id: what it is called as long as nobody knows its serial.
local function place_of(url)
    local place = url:gsub("^https?://", ""):gsub("[^%w.]+", "-"):gsub("%-$", "")
    return (place:match "%w.*" or "unknown"):sub(1, 64)
end

-- The words of the model are needed for each record.
function terminal.learn(self)
    self.about = { terminal = self.serial or place_of(self.config.url),
        offset = self.config.utc_offset,
        methods = methods.of({ self.state.model or "", self.state.line or "" },
            self.config.methods) }
end

local function subject(self)
    return "device/face-terminal/" .. self.about.terminal
end

local function emit(self, kind, data)
    data.terminal = self.about.terminal
    self.host.emit { type = kind, subject = subject(self), data = data }
end

---- online, offline

-- What it did while it was not heard is not known, when its memory cannot be read.
local function tell_gap(self)
    local from, now = self.state.last_good, self.host.now()
    if from and self.is_unread then
        emit(self, "gap.recorded", { from = time.format(from), to = time.format(now),
            seconds = math.max(0, now - from), cause = "terminal_offline" })
    end
    self.state.last_good = nil
end

-- The terminal has answered ("poll") or told something ("stream", "push"): it is there.
function terminal.good(self, way)
    self.good_at = self.host.mono()
    local state = self.state
    local is_news = not state.online or state.way == "poll" and way ~= "poll"
    if not is_news or not self.serial then
        return
    end
    if not state.online then
        tell_gap(self)
    end
    state.online, state.way = true, way
    emit(self, "terminal.online", { model = state.model, firmware = state.firmware, way = way })
    self.host.log.info("terminal online, heard by %s", way)
    save(self)
    self.host.commit()
end

local function go_offline(self, cause)
    local state = self.state
    state.online, state.way = false, nil
    local last = self.host.now() - (self.host.mono() - self.good_at)
    state.last_good = math.floor(last)
    emit(self, "terminal.offline", { cause = cause, last_good = time.format(last) })
    self.host.log.warn("terminal offline: %s; it is asked again", cause)
    save(self)
end

-- Looked at every few seconds: whether it has been silent for too long. One that is not asked may
-- have nothing to say.
-- `ask` is called when it is time to ask it something.
function terminal.watch(self, ask)
    if not self.config.password or self.is_refused then
        return
    end
    local silent = (self.host.mono() - self.good_at) * 1000
    if silent > self.config.offline_after / 2 then
        ask()
    end
    if self.state.online ~= false and silent > self.config.offline_after then
        go_offline(self, self.cause or "no_answer")
    end
end

function terminal.wrong(self, serial)
    if self.state.online ~= false or self.state.wrong ~= serial then
        self.state.wrong = serial
        self.host.log.error("another terminal answers at url; nothing it says is believed until "
            .. "the right one is back, or the setting serial names the new one")
        go_offline(self, "wrong_terminal")
        self.host.commit()
    end
end

-- The first 401: told once; nobody asks any more.
function terminal.refused(self, said)
    self.is_refused = true
    local text = (said.body or ""):lower()
    emit(self, "terminal.auth_failed", { locked = text:find("lock", 1, true) and true or nil })
    self.host.log.error("the terminal refused user and password; it is not asked again until url, "
        .. "user or password are changed")
    self.host.commit()
end

---- who it is

local function word(text)
    return type(text) == "string" and text:match("^[%w][%w ._/+-]*$") and text:sub(1, 64) or nil
end

-- Takes what getSystemInfo and getSoftwareVersion say. nil when it is another terminal.
function terminal.introduce(self, info, version)
    local serial = word(info.serialNumber or info.sn)
    local expected = self.config.serial or self.state.serial
    if serial and expected and serial ~= expected then
        terminal.wrong(self, serial)
        return nil
    end
    local state = self.state
    local model, firmware = word(info.deviceType), word((answer.version(version or {})))
    self.serial = expected or serial
    if state.serial ~= self.serial or state.model ~= model or state.firmware ~= firmware then
        state.serial, state.model, state.firmware = self.serial, model, firmware
        state.line, state.wrong = word(info.updateSerial), nil
        save(self)
    end
    terminal.learn(self)
    return true
end

---- its clock

-- How far it is ahead of ours, from "result=2026-11-22 10:00:00"; nil when it does not say.
function terminal.drift(self, body)
    local said = answer.read(body or "")
    local seconds = said and moment.read(said.result, self.config.utc_offset)
    return seconds and seconds - math.floor(self.host.now()) or nil
end

-- Tells a clock that is wrong, once for each time that it is wrong otherwise.
function terminal.clock(self, drift, corrected)
    local state, limit = self.state, self.config.clock_tolerance / 1000
    local told = state.drift or 0
    if math.abs(drift) <= limit then
        if state.drift then
            state.drift = nil
            save(self)
        end
    elseif math.abs(drift - told) > limit then
        emit(self, "terminal.clock_wrong", { drift = drift, corrected = corrected or nil })
        state.drift = drift
        save(self)
    end
end

---- pictures

-- Whether it is on disk now; it stays there when an event names it.
function terminal.store_picture(self, bytes)
    local spool <close>, _, code = self.host.blob.open { class = "picture", most = #bytes }
    local ok = spool and spool:write(bytes)
    if not ok or not spool:finish() then
        self.host.metrics.count("pictures_lost", 1)
        self.host.log.warn("a picture is not stored (%s), only named", code or "disk")
        return false
    end
    return true
end

local function keep_picture(self, record)
    if record.keeps then
        self.host.blob.keep(record.picture, { class = "picture", erase = true,
            keep = self.pictures.seconds * 1000 })
    end
end

---- records

-- What is the same about two records of one thing.
local function who_of(event)
    local data = event.data
    return ("%s %s %s"):format(event.type, event.subject, data.state and data.state .. " "
        .. (data.door or "") or "")
end

-- Whether the record tells what has just happened, by the terminal's own clock.
local function is_fresh(self, record)
    local ahead = self.state.drift or 0
    return not record.time or math.abs(self.host.now() + ahead - record.time) <= LIVE_S
end

-- What is known by its time, is live or not, and has the time of our clock where the terminal's is
-- known to be wrong. Of its bytes only the digest goes on.
local function prepare(self, record)
    record.at = record.at or (record.live ~= false and math.floor(self.host.now()) or 0)
    if record.live == nil and is_fresh(self, record) then
        record.live = true
    end
    if record.live and record.time and self.state.drift then
        record.time = record.time - self.state.drift
    end
    record.raw = record.raw and digest.sha256(record.raw)
    return record
end

-- The numbers begin again: told, because whoever counts records must know.
local RESET_DROP, RESET_FROM = 100, 10

local function note_hole(self, first, last)
    holes.note(self.state, self.ledger, first, last)
    if last - first > holes.MOST then
        return
    end
    for serial = first, last do
        if not self.ledger.serials[serial] then
            self.hole = self.hole or { first = serial, missing = 0 }
            self.hole.missing = self.hole.missing + 1
        end
    end
end

local function count_serial(self, record)
    local state, serial = self.state, record.serial
    if serial and record.live ~= false then
        self.heard = math.max(self.heard or 0, serial)
    end
    if not serial or record.live ~= false then
        return
    end
    local top = state.top or serial
    local is_first = serial <= RESET_DROP and serial < top - RESET_DROP
    local is_low = is_first or top > RESET_FROM and serial <= 1
    if is_low and not holes.has(state, serial) then
        emit(self, "terminal.serial_reset", { before = top, after = serial })
        state.top, self.heard = serial, nil
        holes.close(state)
    else
        note_hole(self, top + 1, serial - 1)
        state.top = math.max(top, serial)
    end
    self.is_changed = true
end

-- Numbers that a sweep has not found, told once for all of it.
function terminal.tell_hole(self)
    local hole = self.hole
    self.hole = nil
    if hole then
        emit(self, "gap.recorded", { cause = "records_lost", first = hole.first,
            missing = hole.missing })
    end
end

local function tell_one(self, batch, record)
    local event = checkin.meaning(prepare(self, record), self.name_of)
    local who = who_of(event)
    local how, told = self.ledger:judge(record, who)
    self.host.metrics.count("records_" .. how, 1)
    if how == "known" then
        return
    end
    count_serial(self, record)
    if how == "matched" then
        batch:match(told, record)
        return
    end
    batch:put(record, who)
    keep_picture(self, record)
    self.host.emit(event)
end

-- Tells records, each once; returns when they are on disk.
function terminal.tell(self, records)
    for first = 1, #records, BATCH do
        local batch <close> = self.ledger:batch()
        for i = first, math.min(first + BATCH - 1, #records) do
            tell_one(self, batch, records[i])
        end
        if #batch > 0 then
            if self.is_changed then
                save(self)
                self.is_changed = false
            end
            self.host.commit()
        end
        batch:done()
        self.ledger:prune()
    end
end

-- The records in the events of a text; and whether the terminal's memory should be read, because
-- one of them does not say what it means.
function terminal.translate(self, events)
    local records, is_vague = {}, false
    for _, event in ipairs(events) do
        local record, how = translate.event(event, self.about)
        if record then
            record.raw = event.raw
            records[#records + 1] = record
        else
            self.host.metrics.count("events_" .. how, 1)
            is_vague = is_vague or how == "look"
        end
    end
    return records, is_vague
end

function terminal.view(self)
    local state = self.state
    return { terminal = self.about.terminal, online = state.online or false, heard_by = state.way,
        model = state.model, firmware = state.firmware, clock_ahead_s = state.drift,
        known = self.ledger.count }
end

terminal.save = save
terminal.emit = emit
return terminal
