-- desk - what people may ask for: how the terminal is, who it knows, and changes of that.
--
-- What is changed at the terminal is an event with who asked. Names and pictures that are sent to
-- it are in no event, no log and no answer.
local client = require "client"
local device = require "device"
local digest = require "digest"
local ledger = require "ledger"
local people = require "people"
local schema = require "schema"
local terminal = require "terminal"
local time = require "time"

local desk = {}

local PEOPLE_MAX = 3000
local YEARS_S = 10 * 365 * 86400
local EVERYBODY = { "officer", "social_worker", "technician" }

local NUMBER = schema.text { doc = "number of the person at the terminal", max = 32,
    pattern = "^[%w_-]+$", expects = "letters and digits" }

-- ---- Looking

local function status(self)
    local state, info = ledger.glance(self.book), self.terminal.info or {}
    return { terminal = state.terminal, model = info.model, firmware = info.firmware,
        online = state.online, way = self.ways.way, record = state.cursor,
        read_to = state.confirmed, searched_by = self.no_search and "nothing"
            or self.sweep.is_by_time and "time" or "number",
        fault = self.fault and self.fault.why or client.barred(self.line) }
end

-- Everybody the terminal knows, page by page; nil and why.
local function known(self)
    local list, position = {}, 0
    local id = digest.sha256(self.host.random(16)):sub(1, 12)
    while #list < PEOPLE_MAX do
        local body, why = client.get(self.line, { path = people.SEARCH, method = "POST",
            body = people.search(position, id) })
        local page
        if body then
            page, why = people.page(body)
        end
        if not page then
            return nil, why
        end
        table.move(page.list, 1, #page.list, #list + 1, list)
        position = position + #page.list
        if page.status ~= "MORE" or #page.list == 0 then
            break
        end
    end
    return list
end

local function persons(self, params)
    local list, why = known(self)
    if not list then
        return nil, why
    end
    table.sort(list, function(a, b) return a.number < b.number end)
    local rows = {}
    for _, one in ipairs(list) do
        if (not params.after or one.number > params.after) and #rows < params.limit then
            one.person = self.config.people[one.number]
            rows[#rows + 1] = one
        end
    end
    return rows
end

local function compare(self)
    local list, why = known(self)
    if not list then
        return nil, why
    end
    return people.compare(self.config.people, list)
end

-- ---- Changing

local function tell(self, who, params, change)
    self.host.emit { type = "terminal.person_changed",
        subject = "person/" .. self.book.name_of(params.number),
        data = { terminal = ledger.glance(self.book).terminal, change = change, by = who.name } }
end

-- Asks for it and says so in an event; `change` names what was done.
local function change(self, who, params, what, body)
    local method = what[1]
    local good, why = client.get(self.line, { path = what[2], method = method, body = body,
        type = what.type })
    if not good then
        return nil, why
    end
    tell(self, who, params, what.change)
    return { done = what.change }
end

local function put_person(self, who, params, what)
    local now = self.host.now()
    local function local_time(seconds)
        return time.format(seconds, self.config.offset):sub(1, 19)
    end
    local to = params.days and now + params.days * 86400 or now + YEARS_S
    return change(self, who, params, what, people.record { number = params.number,
        name = params.name, from = local_time(now - 86400), to = local_time(to) })
end

local function add_person(self, who, params)
    return put_person(self, who, params, { "POST", people.RECORD, change = "added" })
end

local function change_person(self, who, params)
    return put_person(self, who, params, { "PUT", people.MODIFY, change = "changed" })
end

local function remove_person(self, who, params)
    return change(self, who, params, { "PUT", people.DELETE, change = "removed" },
        people.delete(params.number))
end

local function add_face(self, who, params)
    local picture = digest.unbase64((params.picture:gsub("%s", "")))
    local fault = people.fault(picture)
    if fault then
        return nil, fault
    end
    local body, kind = self.host.http.multipart(people.face(params.number, picture))
    return change(self, who, params, { "POST", people.FACE, change = "face_added", type = kind },
        body)
end

local function remove_face(self, who, params)
    return change(self, who, params, { "PUT", people.FACE_DELETE, change = "face_removed" },
        people.face_delete(params.number))
end

local function set_clock(self, who)
    local drift, why = terminal.drift(self.terminal)
    if not drift then
        return nil, why
    end
    local good
    good, why = terminal.set_clock(self.terminal)
    if not good then
        return nil, why
    end
    self.host.log.info("the terminal's clock was set at the wish of %s", who.name)
    return { drift = math.floor(drift * 10 + 0.5) / 10 }
end

local function try_login(self)
    client.forgive(self.line)
    self.wake()
    return { asked = true }
end

local function door(self, _, params)
    local good, why = client.get(self.line, { method = "PUT", body = device.door(params.command),
        path = ("/ISAPI/AccessControl/RemoteControl/door/%d"):format(params.door) })
    return good and { done = params.command } or nil, why
end

-- ---- What there is

local PERSON = {
    number = NUMBER,
    name = schema.text { doc = "what the terminal shows of the person; without it the number",
        max = 32, optional = true },
    days = schema.integer { doc = "for how many days the person is let in; without it ten years",
        min = 1, max = 3650, optional = true },
}

desk.actions = {
    add_person = { role = "officer", doc = "makes a person known to the terminal",
        params = schema.record(PERSON), run = add_person },
    change_person = { role = "officer", doc = "changes a person whom the terminal knows",
        params = schema.record(PERSON), run = change_person },
    remove_person = { role = "officer", doc = "has the terminal forget a person, face and all",
        params = schema.record { number = NUMBER }, run = remove_person },
    add_face = { role = "officer", doc = "gives the terminal a picture of a person's face",
        params = schema.record { number = NUMBER,
            picture = schema.text { doc = "a JPEG of at most 43 KB, in base64", max = 59000 } },
        run = add_face },
    remove_face = { role = "officer", doc = "has the terminal forget a person's face",
        params = schema.record { number = NUMBER }, run = remove_face },
    door = { role = "officer", doc = "opens or closes a door of the terminal",
        params = schema.record {
            door = schema.integer { doc = "which; 65535: all", min = 1, max = 65535, default = 1 },
            command = schema.choice { doc = "what", choices = device.DOOR, default = "open" },
        }, run = door },
    set_clock = { role = "technician", doc = "sets the terminal's clock to the box's",
        run = set_clock },
    try_login = { role = "technician",
        doc = "tries user and password once more, after the terminal was put right",
        run = try_login },
}

desk.views = {
    status = { role = EVERYBODY, doc = "how the terminal is heard, and how far it is read",
        run = status },
    persons = { role = EVERYBODY, doc = "whom the terminal knows: numbers, faces, cards",
        params = schema.record {
            after = schema.text { doc = "only those behind this number, for the next page",
                max = 32, optional = true },
            limit = schema.integer { doc = "how many at most", min = 1, max = 500, default = 100 },
        }, run = persons },
    compare = { role = EVERYBODY, doc = "who of the setting people is missing at the terminal, who "
        .. "is there beyond it, who has no face", run = compare },
}

return desk
