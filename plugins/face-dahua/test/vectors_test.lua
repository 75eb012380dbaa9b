-- Samples of real devices, which lie beside the project or not at all. What each means is in the
-- folder's index.jsonl, not here: a sample that is added there is tried without a change.
local answer = require "answer"
local cutter = require "cutter"
local inflate = require "inflate"
local json = require "json"
local message = require "message"
local methods = require "methods"
local records = require "records"
local t = require "testing"
local time = require "time"
local translate = require "translate"
local upload = require "upload"

local FOLDER = package.path:match("([^;]*face%-dahua)/%?%.lua") .. "/../../../shared/vectors/dahua"
local ABOUT = { terminal = "T", offset = 480, methods = methods.of({}, {}), live = true }

local function read(name)
    local file = io.open(FOLDER .. "/" .. name, "rb")
    local bytes = file and file:read("a")
    if file then
        file:close()
    end
    return bytes
end

---- what a sample says, by the names that expectations use

-- Names are compared without case and underscores: UserID, userId, user_id.
local function plain(name)
    return name:lower():gsub("_", "")
end

local function put(view, name, value)
    local key = plain(name)
    if view[key] == nil then
        view[key] = value
    end
end

-- Every value below, by its name; those above come first.
local function put_deep(view, object, depth)
    for key, value in pairs(object) do
        if type(key) == "string" then
            put(view, key, value)
            put(view, "nested" .. key, value)
        end
    end
    for _, value in pairs(object) do
        if type(value) == "table" and depth < 8 then
            put_deep(view, value, depth + 1)
        end
    end
end

local function put_fields(view, data)
    local fields = translate.fields(data, 480)
    for _, pair in ipairs { { "timestamp", "time" }, { "createTime", "time" }, { "user", "user" },
        { "card", "card" }, { "door", "door" }, { "method", "method" }, { "granted", "granted" },
        { "error", "error" }, { "status", "status" }, { "similarity", "score" },
        { "errorCode", "error" }, { "recNo", "serial" } } do
        put(view, pair[1], fields[pair[2]])
    end
    put(view, "utcIso", fields.time and time.format(fields.time):gsub("%.000Z$", "Z") or nil)
end

local function view_of_events(events)
    local view = { events = events and #events or 0 }
    for _, event in ipairs(events or {}) do
        put(view, "code", event.code)
        put(view, "action", event.action)
        put(view, "index", event.index)
        put_fields(view, event.data)
        put_deep(view, event.data, 1)
    end
    view.ok = events ~= nil
    view.event = events and events[1] and view or nil
    view.data = view
    return view
end

-- One list for each name that all events have.
local function put_lists(view, events)
    view.lists = {}
    for _, event in ipairs(events) do
        for name, value in pairs(event.data) do
            local key = plain(name)
            view.lists[key] = view.lists[key] or {}
            table.insert(view.lists[key], value)
        end
        view.lists.code = view.lists.code or {}
        table.insert(view.lists.code, event.code)
    end
    view.lists.codes = view.lists.code
end

local function view_of_texts(texts)
    local all, heartbeats = {}, 0
    for _, text in ipairs(texts) do
        local events, how = message.read(text)
        heartbeats = heartbeats + (how == "heartbeat" and 1 or 0)
        table.move(events or {}, 1, #(events or {}), #all + 1, all)
    end
    local view = view_of_events(all)
    view.heartbeats, view.textparts = heartbeats, texts
    put_lists(view, all)
    return view
end

---- kinds of samples

local function texts_of(items)
    local texts = {}
    for _, item in ipairs(items) do
        texts[#texts + 1] = item.text
    end
    return texts
end

-- The same whatever is fed at once: whole, by `piece` bytes.
local function cut(bytes, piece)
    local one, items = cutter.new(), {}
    for at = 1, #bytes, piece do
        for _, item in ipairs(one:feed(bytes:sub(at, at + piece - 1))) do
            items[#items + 1] = item
        end
    end
    for _, item in ipairs(one:finish()) do
        items[#items + 1] = item
    end
    return texts_of(items)
end

local function stream(bytes)
    local whole = cut(bytes, #bytes + 1)
    for piece = 1, 40 do
        t.equal(cut(bytes, piece), whole)
    end
    for at = 1, #bytes do
        local one = cutter.new()
        local items = one:feed(bytes:sub(1, at))
        for _, more in ipairs { one:feed(bytes:sub(at + 1)), one:finish() } do
            table.move(more, 1, #more, #items + 1, items)
        end
        t.equal(texts_of(items), whole)
    end
    return view_of_texts(whole)
end

local function found(bytes)
    local page, why = records.read(bytes, 480)
    if not page then
        return { error = true, ok = false, why = why, rows = 0 }
    end
    local view = { total = page.total, totalcount = page.total, found = page.found,
        rows = #page.rows, ok = true, lists = { granted = {}, types = {}, times = {} } }
    view.error = false
    for i, row in ipairs(page.rows) do
        view["row" .. i - 1] = row
        local fields = translate.fields(row, 480)
        put(view.lists, "granted" .. i, nil)
        view.lists.granted[i], view.lists.types[i] = fields.granted, row.Type
        view.lists.times[i] = row.CreateTime
        for name, value in pairs(row) do
            local key = plain(name)
            view.lists[key] = view.lists[key] or {}
            view.lists[key][i] = value
            view.lists[key .. "s"] = view.lists[key .. "s"] or view.lists[key]
        end
    end
    return view
end

local function replied(bytes)
    local said, why = answer.read(bytes)
    local view = { ok = said ~= nil, error = said == nil, why = why, message = why }
    for name, value in pairs(said or {}) do
        put(view, name, value)
        put(view, name:match("[^.]*$"), value)
    end
    local version, build = answer.version(said or {})
    put(view, "build", build)
    view.other = { version = version }
    return view
end

local function uploaded(bytes, row)
    local headers = {}
    for name, value in pairs(type(row.headers) == "table" and row.headers or {}) do
        headers[name:lower()] = value
    end
    local items = upload.read(bytes, row.content_encoding or headers["content-encoding"],
        row.content_type or headers["content-type"], inflate.decode)
    local view = view_of_texts(texts_of(items or {}))
    view.ok = items ~= nil and view.events > 0
    return view
end

local function data(bytes)
    return view_of_events((message.read(bytes)))
end

local KINDS = {
    { "upload", uploaded }, { "push", uploaded }, { "post", uploaded }, { "recordfinder", found },
    { "record", found }, { "attach", stream }, { "stream", stream }, { "eventmanager", data },
    { "part", data }, { "data", data }, { "event", data }, { "magicbox", replied },
    { "accesscontrol", replied }, { "global", replied }, { "config", replied },
    { "error", replied }, { "response", replied }, { "reply", replied },
}

local function view_of(row, bytes)
    if row.content_encoding then
        return uploaded(bytes, row)
    end
    for _, kind in ipairs(KINDS) do
        if row.kind:lower():find(kind[1], 1, true) then
            return kind[2](bytes, row)
        end
    end
    return nil
end

---- expectations

local function alike(got, wanted)
    if type(wanted) == "table" and type(got) == "table" then
        for key, value in pairs(wanted) do
            local member = got[key]
            if member == nil and type(key) == "string" then
                member = got[plain(key)]
            end
            if not alike(member, value) then
                return false
            end
        end
        return #got == #wanted or #wanted == 0
    end
    return got == wanted or tostring(got) == tostring(wanted)
        or tonumber(got) ~= nil and tonumber(got) == tonumber(wanted)
end

-- How many of the expectations were compared; raises at the first that does not hold.
local function compare(file, view, expect)
    local compared = 0
    for name, wanted in pairs(expect) do
        local key = plain(name)
        local got = view[key]
        if type(wanted) == "table" and #wanted > 0 and view.lists and type(got) ~= "table" then
            got = view.lists[key]
        end
        if got == nil and type(wanted) ~= "boolean" and view.lists then
            got = view.lists[key]
        end
        if view.other and view.other[key] and not alike(got, wanted) then
            got = view.other[key] -- said in two ways
        end
        if got == nil then
            print(("not compared: %s: %s"):format(file, name))
        else
            compared = compared + 1
            t.holds(alike(got, wanted), ("%s: %s: expected %s, got %s"):format(file, name,
                json.encode { wanted }, json.encode { got }))
        end
    end
    return compared
end

local index = read("index.jsonl")

t.test("every_sample_beside_the_project_is_read_as_its_index_says", function()
    if not index then
        return print("skipped: no samples in ../shared/vectors/dahua")
    end
    for line in index:gmatch("[^\n]+") do
        local row = assert(json.decode(line))
        local bytes = assert(read(row.file), row.file)
        local view = view_of(row, bytes)
        if view then
            local compared = compare(row.file, view, row.expect or {})
            t.holds(compared > 0 or next(row.expect or {}) == nil, row.file .. ": nothing compared")
        else
            print(("skipped: %s: nothing here reads a %s"):format(row.file, row.kind))
        end
    end
end)

t.test("no_sample_makes_anything_raise_wherever_it_is_cut", function()
    for line in (index or ""):gmatch("[^\n]+") do
        local bytes = read(assert(json.decode(line)).file)
        for at = 0, #bytes, math.max(1, #bytes // 100) do
            local piece = bytes:sub(1, at)
            found(piece)
            replied(piece)
            for _, text in ipairs(cut(piece, 7)) do
                for _, event in ipairs(message.read(text) or {}) do
                    translate.event(event, ABOUT)
                end
            end
        end
    end
end)

return t.finish()
