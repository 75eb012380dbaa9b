-- inquiry - what cameras are asked: catalogue, model, status, recordings, positions.
--
-- A question goes out as a MESSAGE with a number (SN); the answer comes back as messages of the
-- camera's own, which reception.lua hands to inquiry.take(). gather.lua says when it is over.
local exchange = require "exchange"
local gather = require "gather"
local manscdp = require "manscdp"
local roll = require "roll"
local sip = require "sip"

local inquiry = {}

local ROUNDS_MOST = 8 -- cameras asked at once; people ask 8 at once, as the host has it
local PATIENCE_S = 24 -- for all of an answer: who asks waits 30 s
local LOOK_MS = 50
local RECORDS_MOST, CHANNELS_MOST = 1000, 500
local CHANNELS_STORED = 64 -- with the longest names they are still one value of the store
local SUBSCRIBED_S, RENEWED_S = 3600, 300
local AGAIN_S = 300 -- after a catalogue that did not come

-- ---- One question

local function channel_key(item)
    return item.id or ""
end

local function record_key(item)
    return table.concat({ item.channel or "", item.from_told or "", item.to_told or "",
        item.file or "" }, "\n")
end

local KEYS = { Catalog = { channel_key, CHANNELS_MOST }, RecordInfo = { record_key, RECORDS_MOST } }

local function next_sn(self)
    self.sn = self.sn % 999999999 + 1
    return self.sn
end

local function is_over(open, now)
    return open.says_no or open.single ~= nil
        or open.gathered ~= nil and gather.is_over(open.gathered, now)
end

local function open_question(self, camera, cmd)
    local sn = next_sn(self)
    local key = ("%s/%s/%d"):format(camera.id, cmd, sn)
    local how = KEYS[cmd]
    local open = { sn = sn, gathered = how and gather.new(how[1], how[2], self.host.mono()) }
    self.open[key] = open
    return open, setmetatable({}, { __close = function() self.open[key] = nil end })
end

-- Asks and waits for all of the answer: what gather.lua has gathered, or what the single message
-- says; nil and why there is none. `fields`: further elements of the question.
function inquiry.ask(self, camera, cmd, about, fields)
    if not camera.kept.online then
        return nil, "camera: expected one that is online"
    end
    local host = self.host
    local open, closing = open_question(self, camera, cmd)
    local _ <close> = closing
    local begin = host.mono()
    local function enough() return is_over(open, host.mono()) end
    local answer, why = exchange.ask(self.exchange, camera, { method = "MESSAGE",
        body = manscdp.query(cmd, open.sn, about, fields) }, enough)
    local has_come = open.says_no or open.single
        or open.gathered and open.gathered.messages > 0
    if not has_come and not exchange.is_yes(answer) then
        return nil, answer and ("the camera says no: %d"):format(answer.status) or why
    end
    while not enough() and host.mono() - begin < PATIENCE_S do
        host.sleep(LOOK_MS)
    end
    if open.says_no then
        return nil, "the camera took the question and says ERROR"
    end
    if open.gathered and open.gathered.messages > 0 then
        return open.gathered
    end
    return open.single, "the camera took the question and did not answer it"
end

-- The question of that number; of an answer without one the only question that it can be about.
local function question_of(self, camera, body)
    local about = ("%s/%s/"):format(camera.id, body.cmd)
    if body.sn then
        return self.open[about .. body.sn]
    end
    local found
    for key, open in pairs(self.open) do
        if key:sub(1, #about) == about then
            if found then
                return nil
            end
            found = open
        end
    end
    return found
end

-- A Response of a camera. Late ones, and those that nobody asked for, are nobody's.
function inquiry.take(self, camera, body)
    local open = question_of(self, camera, body)
    local answer = open and manscdp.read(body, self.config.offset)
    if not answer then
        self.host.metrics.count("answers_unasked", 1)
    elseif (answer.result or ""):upper() == "ERROR" and #(answer.items or {}) == 0 then
        open.says_no = true -- which is not the same as that there is nothing
    elseif open.gathered then
        gather.add(open.gathered, answer.sum, answer.items, self.host.mono())
    else
        open.single = answer
    end
end

-- ---- Catalogue

local STORED = { "id", "name", "status", "manufacturer", "model" }

local function stored_channels(items)
    local rows = {}
    for i = 1, math.min(#items, CHANNELS_STORED) do
        rows[i] = {}
        for _, name in ipairs(STORED) do
            rows[i][name] = items[i][name]
        end
    end
    table.sort(rows, function(a, b) return (a.id or "") < (b.id or "") end)
    return rows
end

local function is_same(a, b)
    if type(a) ~= "table" or type(b) ~= "table" then
        return a == b
    end
    for name, value in pairs(a) do
        if not is_same(value, b[name]) then
            return false
        end
    end
    for name in pairs(b) do
        if a[name] == nil then
            return false
        end
    end
    return true
end

local THERE = { ON = true, ONLINE = true, OK = true }

local function count_on(items)
    local count = 0
    for _, item in ipairs(items) do
        count = count + (THERE[(item.status or ""):upper()] and 1 or 0)
    end
    return count
end

-- Asks for it, stores it, and tells what changed; `always` tells it in any case.
function inquiry.catalogue(self, camera, always)
    local answer, why = inquiry.ask(self, camera, "Catalog", camera.id)
    if not answer then
        return nil, why
    end
    local complete = gather.is_complete(answer)
    local channels = stored_channels(answer.items)
    local key = "catalogue/" .. camera.id
    local before = self.host.store.get(key)
    local changed = not before or not is_same(before.channels, channels)
    if complete and changed then
        self.host.store.put(key, { at = self.host.now(), channels = channels })
    end
    if always or changed or not complete then
        roll.emit(self.roll, camera, "bodycam.catalogue", { sum = answer.sum, complete = complete,
            got = #answer.items, on = count_on(answer.items) })
    end
    return answer
end

-- ---- Model and status

-- A word of a device for an event: letters, digits and what names of products have.
local function product(text)
    return text and #text <= 64 and text:find "^[%w _.:/()+-]+$" and text or nil
end

function inquiry.info(self, camera)
    local answer, why = inquiry.ask(self, camera, "DeviceInfo", camera.id)
    if not answer then
        return nil, why
    end
    local data = { manufacturer = product(answer.manufacturer), model = product(answer.model),
        firmware = product(answer.firmware), channels = answer.channels }
    local key = "info/" .. camera.id
    if not is_same(self.host.store.get(key), data) then
        self.host.store.put(key, data)
        local told = {}
        for name, value in pairs(data) do
            told[name] = value
        end
        roll.emit(self.roll, camera, "bodycam.info", told)
    end
    return data
end

function inquiry.status(self, camera)
    local answer, why = inquiry.ask(self, camera, "DeviceStatus", camera.id)
    if not answer then
        return nil, why
    end
    local data = { online = answer.online, status = answer.status, record = answer.record,
        drift = answer.time and math.floor((answer.time - self.host.now()) * 10 + 0.5) / 10 }
    roll.emit(self.roll, camera, "bodycam.status", { online = data.online, status = data.status,
        record = data.record, drift = data.drift })
    return data
end

-- ---- Recordings

-- What a channel of the camera has recorded between two moments.
function inquiry.records(self, camera, channel, from, to, type)
    local offset = self.config.offset
    return inquiry.ask(self, camera, "RecordInfo", channel, {
        { "StartTime", manscdp.local_time(from, offset) },
        { "EndTime", manscdp.local_time(to, offset) },
        { "Secrecy", 0 }, { "Type", type },
    })
end

-- ---- Positions

-- For how long it will tell: as long as we asked, unless it says less.
local function granted(answer)
    local digits = (sip.header(answer, "expires") or ""):match "^%d+$"
    return digits and #digits <= 9 and math.min(tonumber(digits), SUBSCRIBED_S) or SUBSCRIBED_S
end

-- Asks it to tell its position from now on, or goes on asking, and says when that is to be done
-- again. One that no longer knows of the first time is asked anew; one that says no to that, with
-- its next catalogue; one that does not answer, soon.
local function subscribe(self, camera)
    local before = camera.dialog
    local dialog = before or { cseq = 0 }
    dialog.cseq = dialog.cseq + 1
    local every = self.config.positions // 1000
    local headers = { { "event", "presence" }, { "expires", tostring(SUBSCRIBED_S) } }
    table.move(dialog.way or {}, 1, #(dialog.way or {}), #headers + 1, headers)
    local answer = exchange.ask(self.exchange, camera, { method = "SUBSCRIBE",
        call_id = dialog.call_id, tag = dialog.tag, to_tag = dialog.to_tag, cseq = dialog.cseq,
        headers = headers, body = manscdp.query("MobilePosition", next_sn(self), camera.id,
            { { "Interval", math.max(1, every) } }) })
    local now = self.host.mono()
    if not answer then
        camera.renew_at = now + AGAIN_S
        return
    end
    local seconds = exchange.is_yes(answer) and granted(answer) or 0
    if seconds > 0 then
        camera.dialog = exchange.dialog_of(answer)
        camera.dialog.cseq = dialog.cseq
        camera.renew_at = now + seconds - math.min(RENEWED_S, seconds / 2)
        return
    end
    camera.dialog, camera.renew_at = nil, nil
    if before then
        subscribe(self, camera)
    end
end

-- ---- Rounds

-- One that does not answer is asked again soon, and then less and less often.
local function next_pause(self, camera, answered)
    local most = self.config.refresh / 1000
    return answered and most or math.min(2 * (camera.pause or AGAIN_S / 2), most)
end

-- All that is to be known of a camera, now.
local function read_all(self, camera)
    camera.read = self.host.mono()
    local answered = inquiry.catalogue(self, camera) ~= nil
    self.host.commit()
    camera.pause = next_pause(self, camera, answered)
    for _, ask in ipairs { inquiry.info, inquiry.status } do
        ask(self, camera)
        self.host.commit()
    end
    if self.config.positions and not camera.dialog then
        subscribe(self, camera)
    end
end

local function is_due(camera, now)
    return camera.is_due or camera.pause and now - camera.read >= camera.pause
end

local function needs_renewal(self, camera, now)
    return self.config.positions and camera.renew_at and now >= camera.renew_at
end

local function begin(self, camera, work)
    camera.is_asked, camera.is_due = true, false
    self.rounds = self.rounds + 1
    self.host.after(0, function()
        local _ <close> = setmetatable({}, { __close = function()
            camera.is_asked, self.rounds = false, self.rounds - 1
        end })
        work(self, camera)
    end)
end

-- Looks who is to be asked: at most a few at once, so that many cameras that come together (the
-- power is back) do not all talk at the same time.
function inquiry.look(self)
    local now = self.host.mono()
    for _, camera in ipairs(self.roll.list) do
        if self.rounds >= ROUNDS_MOST then
            return
        end
        if camera.kept.online and camera.route and not camera.is_asked then
            if is_due(camera, now) then
                begin(self, camera, read_all)
            elseif needs_renewal(self, camera, now) then
                begin(self, camera, subscribe)
            end
        end
    end
end

-- `parts`: roll, exchange.
function inquiry.new(host, config, parts)
    return { host = host, config = config, roll = parts.roll, exchange = parts.exchange,
        open = {}, rounds = 0, sn = math.floor(host.now()) % 999999999 }
end

return inquiry
