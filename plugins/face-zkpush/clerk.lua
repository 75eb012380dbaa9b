-- clerk - what people ask for: persons at a terminal, its clock, its records once more.
--
-- An action gives a command and waits until the terminal has done it. What is asked for is told as
-- an event that names the person by his id; names and cards go to the terminal and nowhere else.
local command = require "command"
local codes = require "codes"
local orders = require "orders"
local schema = require "schema"
local terminal = require "terminal"
local time = require "time"

local clerk = {}

local LOOK_MS, WAIT_S = 100, 25 -- who asks waits 30 s
local LIST_MOST = 5000

local function serial()
    return schema.text { doc = "serial of the terminal", max = 32, pattern = "^%w[%w_-]*$",
        expects = "the serial of a terminal" }
end

local function number()
    return schema.text { doc = "number of the person at the terminal", max = 24,
        pattern = "^%w+$", expects = "letters and digits" }
end

local function find(self, params)
    local one = self.terminals[params.terminal]
    if not one then
        return nil, ('terminal: expected one of the setting terminals, got "%s"'):format(
            params.terminal)
    end
    return one
end

-- Gives a command and waits for its answer: true, or nil and what went wrong.
local function perform(self, one, text)
    local code
    local order = orders.give(self, one, text, function(told) code = told end)
    if not order then
        return nil, "too many commands wait for this terminal; ask again later"
    end
    local since = self.host.mono()
    while not code do
        if self.host.mono() - since > WAIT_S then
            orders.take_back(one, order)
            return nil, order.offered
                and "the terminal has taken the command and not answered: look whether it was done"
                or "the terminal did not ask for commands in time; nothing was done"
        end
        self.host.sleep(LOOK_MS)
    end
    local fault = codes.fault(code)
    return not fault or nil, fault
end

local function tell(self, one, type, who, params)
    self.host.emit { type = type, subject = "person/" .. self.name_of(params.number),
        data = { terminal = one.serial, by = who.name } }
end

-- Names in the terminal's own character set: those that speak Chinese read GB2312.
local function encoded(one, name)
    if one.state.language == 83 and name:find "[\x80-\xFF]" then
        local gbk = require "gbk"
        return (gbk.encode(name, "gbk"))
    end
    return name
end

local function put_person(self, who, params)
    local one, why = find(self, params)
    if not one then
        return nil, why
    end
    local ok, fault = perform(self, one, command.put_person(one.state.dialect, params.number,
        encoded(one, params.name), params.card))
    if not ok then
        return nil, fault
    end
    tell(self, one, "terminal.person_put", who, params)
    return { terminal = one.serial, done = true }
end

local function remove_person(self, who, params)
    local one, why = find(self, params)
    if not one then
        return nil, why
    end
    local ok, fault = perform(self, one, command.remove_person(one.state.dialect, params.number))
    if not ok then
        return nil, fault
    end
    tell(self, one, "terminal.person_removed", who, params)
    return { terminal = one.serial, done = true }
end

-- Who is at the terminal and not in the setting people, and the other way round.
local function compared(self, pins)
    local here, only_there, only_here = {}, {}, {}
    for _, pin in ipairs(pins) do
        if not here[pin] and not self.config.people[pin] then
            only_there[#only_there + 1] = self.name_of(pin)
        end
        here[pin] = true
    end
    for pin, id in pairs(self.config.people) do
        if not here[pin] then
            only_here[#only_here + 1] = id
        end
    end
    table.sort(only_there)
    table.sort(only_here)
    return only_there, only_here
end

local function list_persons(self, _, params)
    local one, why = find(self, params)
    if not one then
        return nil, why
    elseif one.listing then
        return nil, "somebody else asks for it just now; ask again"
    end
    one.listing = { pins = {}, count = 0, most = LIST_MOST }
    local listing = one.listing
    local ok, fault = perform(self, one, command.list_persons(one.state.dialect))
    one.listing = nil
    if not ok then
        return nil, fault
    end
    local only_there, only_here = compared(self, listing.pins)
    return { persons = listing.count, unexpected = only_there, missing = only_here }
end

local function order_clock(self, one, done)
    return orders.give(self, one, command.set_time(one.state.dialect, self.host.now(),
        self.offset), done)
end

-- Sets a clock that was found wrong, without anybody waiting for it.
function clerk.set_time(self, one)
    order_clock(self, one, function(code)
        self.host.metrics.count(code >= 0 and "clocks_set" or "clocks_not_set", 1)
    end)
end

local function set_time(self, _, params)
    local one, why = find(self, params)
    if not one then
        return nil, why
    end
    local ok, fault = perform(self, one, command.set_time(one.state.dialect, self.host.now(),
        self.offset))
    return ok and { terminal = one.serial, done = true } or nil, fault
end

local function resend(self, _, params)
    local one, why = find(self, params)
    if not one then
        return nil, why
    end
    local from, until_ = time.parse(params.from, self.offset), time.parse(params["until"],
        self.offset)
    if not from or not until_ or until_ < from then
        return nil, "from, until: expected two times such as 2026-11-21T00:00:00, in this order"
    end
    local ok, fault = perform(self, one,
        command.resend(one.state.dialect, from, until_, self.offset))
    return ok and { terminal = one.serial, done = true } or nil, fault
end

-- Another terminal with the same serial, or other firmware: it connects as if for the first time.
-- What it has told stays known.
local function forget(self, _, params)
    local one, why = find(self, params)
    if not one then
        return nil, why
    end
    return terminal.in_turn(self.host, one, function()
        one.state = { stamps = {}, records = one.state.records, values = one.state.values,
            online = one.state.online }
        terminal.keep(self.host, one)
        self.host.commit()
        return { terminal = one.serial, done = true }
    end)
end

local MANAGERS = { "officer", "technician" }

clerk.actions = {
    put_person = { role = MANAGERS, doc = "adds a person at a terminal, or changes name and card; "
        .. "the face is taken at the terminal",
        params = schema.record { terminal = serial(), number = number(),
            name = schema.text { doc = "as the terminal shows it", max = 48, default = "",
                pattern = "^[^%c]*$", expects = "a text without control characters" },
            card = schema.text { doc = "number of the card", max = 20, default = "",
                pattern = "^%d*$", expects = "digits" } },
        run = put_person },
    remove_person = { role = MANAGERS, doc = "removes a person with face, card and fingers from a "
        .. "terminal", params = schema.record { terminal = serial(), number = number() },
        run = remove_person },
    compare_persons = { role = MANAGERS, doc = "whom a terminal knows that the setting people does "
        .. "not, and whom it lacks", params = schema.record { terminal = serial() },
        run = list_persons },
    set_time = { role = "technician", doc = "sets a terminal's clock",
        params = schema.record { terminal = serial() }, run = set_time },
    resend = { role = "technician", doc = "asks a terminal for its records of a time once "
        .. "more; those that are known are not told again",
        params = schema.record { terminal = serial(),
            from = schema.text { doc = "local time", max = 32 },
            ["until"] = schema.text { doc = "local time", max = 32 } },
        run = resend },
    forget = { role = "technician", doc = "a terminal was replaced or changed to the other "
        .. "protocol: it connects as if for the first time",
        params = schema.record { terminal = serial() },
        run = forget },
}

local function row(self, one)
    local state = one.state
    return { terminal = one.serial, online = state.online or false, protocol = state.dialect,
        heard = state.heard and time.format(state.heard), records = state.records or 0,
        clock_ahead = state.drift, model = state.model, firmware = state.firmware,
        commands = #one.commands, address = self.config.terminals[one.serial] }
end

clerk.views = {
    terminals = { role = { "officer", "social_worker", "technician" },
        doc = "the terminals: when they were last heard, how many of their records are known",
        run = function(self)
            local rows = {}
            for _, one in pairs(self.terminals) do
                rows[#rows + 1] = row(self, one)
            end
            table.sort(rows, function(a, b) return a.terminal < b.terminal end)
            return rows
        end },
}

return clerk
