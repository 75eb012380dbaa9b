-- Messages of other people's cameras and platforms, where they are there: each sample's `expect` is
-- looked up by its names in what the plugin's own modules read. Of a name that nothing here knows
-- the value must be among all that was read, so that no expectation passes unseen.
local gather = require "gather"
local json = require "json"
local manscdp = require "manscdp"
local sdp = require "sdp"
local sip = require "sip"
local t = require "testing"

local FOLDER = "../shared/vectors/gb28181/"
local OFFSET = 480 -- the samples are from China

local function content(path)
    local file = io.open(path, "rb")
    local bytes = file and file:read "a"
    if file then
        file:close()
    end
    return bytes
end

-- ---- What a sample says, in the words of `expect`

-- The whole text of a header, the part of an address, or a field of the credentials in it.
local function from_sip(message)
    local function header(name)
        return sip.header(message, name)
    end
    local contact = sip.address(header "contact" or "")
    local to, from = sip.address(header "to"), sip.address(header "from")
    local said = { method = message.method, status = message.status, reason = message.reason,
        uri = message.uri, cseq = message.cseq, cseq_method = message.cseq_method,
        from = from.user, to = to.user, from_tag = from.parameters.tag, to_tag = to.parameters.tag,
        device = from.user, contact = contact and contact.user,
        expires = tonumber(header "expires" or contact and contact.parameters.expires or nil),
        date = header "date", subject = header "subject", event = header "event",
        call_id = header "call-id", user_agent = header "user-agent",
        content_type = header "content-type", auth = false,
        content_length = tonumber(header "content-length") }
    local via = sip.via(message)
    said.transport, said.via_host, said.via_port = via.transport, via.host, via.port
    said.branch, said.rport = via.parameters.branch, tonumber(via.parameters.rport)
    for _, name in ipairs { "www-authenticate", "authorization" } do
        local scheme, told = sip.credentials(header(name) or "")
        said.scheme, said.auth = said.scheme or scheme, said.auth or scheme ~= nil
        for field, value in pairs(told or {}) do
            said[field] = field == "uri" and said[field] or value
            said["digest_" .. field] = value
        end
    end
    said.user = said.username
    return said
end

local function list_of(items)
    local rows = {}
    for i, item in ipairs(items) do
        rows[i] = { id = item.id or item.channel, device = item.id or item.channel,
            name = item.name, status = item.status, file = item.file, path = item.file,
            start = item.from_told, ["end"] = item.to_told, type = item.type, size = item.size,
            secrecy = item.secrecy, manufacturer = item.manufacturer, model = item.model,
            parent = item.parent, address = item.address, recorder = item.recorder }
    end
    return rows
end

local SAME = { lon = "longitude", lat = "latitude", dir = "direction", alt = "altitude",
    description = "description", desc = "description", alarm_method = "method",
    alarm_priority = "priority", alarm_type = "type", time = "told", alarm_time = "told",
    device_time = "told", start = "from_told", ["end"] = "to_told", notify_type = "type" }

-- Every letter of a document, for names that nobody knows.
local function texts_of(element, found)
    for _, value in pairs(element.attributes) do
        found[#found + 1] = value
    end
    found[#found + 1] = element.text
    for _, child in ipairs(element) do
        texts_of(child, found)
    end
    return found
end

local function from_body(bytes)
    local body = manscdp.decode(bytes)
    if not body then
        return { valid = false, accept = false, error = true }
    end
    local answer = manscdp.read(body, OFFSET) or {}
    local said = { root = body.kind, kind = body.kind, cmd = body.cmd, sn = body.sn,
        device = body.device, valid = true, accept = true, texts = texts_of(body.tree, {}),
        encoding = bytes:match 'encoding=["\']([^"\']+)' }
    for name, value in pairs(manscdp.asked(body, OFFSET)) do
        said[name] = value
    end
    for name, value in pairs(answer) do
        said[name] = value
    end
    for name, other in pairs(SAME) do
        said[name] = said[other]
    end
    if answer.items then
        said.items, said.count = list_of(answer.items), #answer.items
        for _, gap in ipairs(gather.gaps(answer.items)) do
            said[("gap_seconds_between_%d_and_%d"):format(gap.after, gap.after + 1)] = gap.seconds
        end
    end
    for _, element in ipairs(body.tree) do -- what the plugin has no use for
        local name = element.name:lower()
        said[name] = said[name] or tonumber(element.text) or element.text
    end
    return said
end

local function from_sdp(bytes)
    local told = sdp.read(bytes)
    local said = { ssrc = told.y, rtp_port = told.port, transport = told.transport, ip = told.ip }
    for name, value in pairs(told) do
        said[name] = value
    end
    for name, value in pairs(told.attributes) do
        said[name] = tonumber(value) or value
    end
    local from, to = (told.t or ""):match "^(%d+) (%d+)$"
    said.start, said["end"] = tonumber(from), tonumber(to)
    said.channel, said.record_type = (told.u or ""):match "^(%d+):(%d+)$"
    return said
end

local function is_video(bytes)
    return bytes:find "^v=0"
end

local function said_in(bytes)
    if bytes:find "^%s*<%?xml" or bytes:find "^%s*<%a" then
        return { from_body(bytes) }
    elseif is_video(bytes) then
        return { from_sdp(bytes) }
    end
    local message = assert(sip.parse(bytes))
    local body = message.body
    if body == "" then
        return { from_sip(message) }
    end
    return { is_video(body) and from_sdp(body) or from_body(body), from_sip(message) }
end

-- ---- Comparing

local function plain(value)
    return value == json.null and "(none)" or value
end

local WORDS = { "id", "name", "status" } -- of an item that is told as a list

local function check_items(got, wanted)
    t.equal(#got, #wanted)
    for i, item in ipairs(wanted) do
        for name, value in pairs(type(item) == "table" and item or { item }) do
            t.equal(got[i][WORDS[name] or name], plain(value))
        end
    end
end

-- A number and its digits mean the same: an SSRC, a serial.
local function is_same(got, wanted)
    return got == wanted or wanted == json.null and got == nil
        or tostring(got) == tostring(wanted) or tonumber(got) and tonumber(got) == wanted
end

local function is_among(value, wanted)
    if type(value) ~= "table" then
        return is_same(value, wanted)
    end
    for _, one in pairs(value) do
        if is_among(one, wanted) then
            return true
        end
    end
    return false
end

local check_one

function check_one(said, name, wanted)
    local seen
    for _, part in ipairs(said) do
        seen = seen == nil and part[name] or seen
        if type(wanted) ~= "table" and is_same(part[name], wanted) then
            return
        end
    end
    if type(wanted) == "table" and next(wanted) and not wanted[1] then
        for inner, value in pairs(wanted) do
            check_one(said, inner, value)
        end
        return
    elseif type(wanted) == "table" then
        t.holds(type(seen) == "table", ("%s: expected a list"):format(name))
        return check_items(seen, wanted)
    end
    if seen == nil and type(wanted) ~= "boolean" and is_among(said, wanted) then
        return
    end
    error(("%s: expected %s, got %s"):format(name, tostring(wanted), tostring(seen)))
end

-- A message read whole and written again says the same.
local function check_writing(bytes)
    local message = sip.parse(bytes)
    if message then
        local again = assert(sip.parse(sip.write(message)))
        t.equal({ again.method, again.status, again.body },
            { message.method, message.status, message.body })
        t.equal(again.headers[1], message.headers[1])
    end
end

t.test("the_samples_of_other_people_say_what_they_are_said_to_say", function()
    local index = content(FOLDER .. "index.jsonl")
    if not index then
        print("skipped: " .. FOLDER .. " is not here")
        return
    end
    local count, faults = 0, {}
    for line in index:gmatch "[^\n]+" do
        local row = json.decode(line)
        local bytes = content(FOLDER .. row.file)
        local ok, why = pcall(function()
            local said = said_in(bytes)
            for name, wanted in pairs(row.expect or {}) do
                check_one(said, name, wanted)
            end
            check_writing(bytes)
        end)
        count = count + 1
        faults[#faults + 1] = not ok and row.file .. ": " .. tostring(why) or nil
    end
    t.holds(count > 0 and #faults == 0, table.concat(faults, "\n"))
end)

return t.finish()
