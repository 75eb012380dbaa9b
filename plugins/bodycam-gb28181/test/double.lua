-- double - a body camera in a rehearsal: it registers, keeps alive, answers questions.
--
--   local camera = double.camera { id = "3501...", password = "..." }
--   t.office { devices = { [camera.url] = camera.line }, ... }       -- TCP; with udp = true UDP
--   camera:register()        -- with what it was challenged by
--   camera:say(body)         -- a MESSAGE
--   camera.answers           -- statuses that it heard, in order
--   camera.asked             -- bodies it was asked, decoded
--   camera.script = { Catalog = { sum = 8, { items of a message }, ... } }
--   camera.headers = { { "expires", "60" } }   -- of its answers, beside the usual ones
--   camera.deaf = 2          -- so many messages are lost on their way to it; `missed` is the last
local auth = require "auth"
local frames = require "frames"
local manscdp = require "manscdp"
local sip = require "sip"
local t = require "testing"

local double = {}
local Camera = {}
Camera.__index = Camera

double.PLATFORM = "35010500002000000001"
double.ID, double.PASSWORD = "35010500001320000007", "Test-Pass-1"

-- A request that is not sent yet.
function Camera:compose(method, headers, body)
    self.count = self.count + 1
    local list = {
        { "via", ("SIP/2.0/%s 10.0.0.7:5060;rport;branch=z9hG4bK%d"):format(
            self.udp and "UDP" or "TCP", self.count) },
        { "from", ("<sip:%s@3501050000>;tag=%d"):format(self.id, self.count) },
        { "to", ("<sip:%s@3501050000>"):format(method == "REGISTER" and self.id
            or double.PLATFORM) },
        { "call-id", "c" .. self.count }, { "cseq", self.count .. " " .. method } }
    table.move(headers or {}, 1, #(headers or {}), #list + 1, list)
    return sip.write { method = method, uri = "sip:" .. double.PLATFORM .. "@10.0.0.1",
        headers = list, body = body }
end

function Camera:put(bytes)
    if self.udp then
        self.line:message(5060, bytes)
    else
        self.line:send(bytes)
    end
end

function Camera:request(method, headers, body)
    local bytes = self:compose(method, headers, body)
    self:put(bytes)
    return bytes
end

local function authorize(self, challenge)
    local _, told = sip.credentials(challenge)
    local said = { username = self.id, realm = told.realm, nonce = told.nonce, uri = "sip:x",
        qop = "auth", nc = "00000001", cnonce = "ab" }
    said.response = auth.response(said, "REGISTER", self.password)
    local fields = {}
    for name, value in pairs(said) do
        fields[#fields + 1] = ('%s="%s"'):format(name, value)
    end
    return "Digest " .. table.concat(fields, ", ")
end

function Camera:register(expires)
    self.expires = expires or 3600
    self:request("REGISTER", { { "contact", ("<sip:%s@10.0.0.7:5060>"):format(self.id) },
        { "expires", tostring(self.expires) } })
end

function Camera:notify(cmd, fields)
    self.sn = self.sn + 1
    return self:request("MESSAGE", nil, manscdp.body("Notify", cmd, self.sn, self.id, fields))
end

function Camera:keepalive()
    return self:notify("Keepalive", { { "Status", "OK" } })
end

function Camera:say(body)
    return self:request("MESSAGE", nil, body)
end

-- A list that a camera answers with in several messages: `messages` are lists of XML items.
local function listing(cmd, list, sum, sn, id, items)
    return ("<Response><CmdType>%s</CmdType><SN>%d</SN><DeviceID>%s</DeviceID><SumNum>%d</SumNum>"
        .. '<%s Num="%d">%s</%s></Response>'):format(cmd, sn, id, sum, list, #items,
        table.concat(items), list)
end

local function answer(self, asked)
    local list = ({ Catalog = "DeviceList", RecordInfo = "RecordList" })[asked.cmd]
    local scripted = self.script[asked.cmd]
    if scripted and list then
        for _, items in ipairs(scripted) do
            self:say(listing(asked.cmd, list, scripted.sum, asked.sn, self.id, items))
        end
    elseif scripted then
        self:say(manscdp.body("Response", asked.cmd, asked.sn, self.id, scripted))
    end
end

local function take(self, message)
    if message.status == 401 then
        self.challenges = self.challenges + 1
        self.challenge = sip.header(message, "www-authenticate")
        self:request("REGISTER", { { "expires", tostring(self.expires) }, { "authorization",
            authorize(self, sip.header(message, "www-authenticate")) } })
    elseif message.status then
        self.answers[#self.answers + 1] = message.status
        self.last = message
    else
        local asked = assert(manscdp.decode(message.body))
        self.asked[#self.asked + 1] = asked
        self.requests[#self.requests + 1] = message
        self:put(sip.write(sip.reply(message, self.says, { tag = "camera",
            headers = self.headers })))
        if asked.kind == "Query" and self.says == 200 then
            answer(self, asked)
        end
    end
end

function double.camera(options)
    options = options or {}
    local self = setmetatable({ id = options.id or double.ID, count = 0, sn = 0, challenges = 0,
        password = options.password or double.PASSWORD, answers = {}, asked = {}, requests = {},
        script = options.script or {}, says = 200, expires = 3600, udp = options.udp,
        url = options.udp and "udp://10.0.0.7:5060" or "tcp://10.0.0.7", deaf = 0 }, Camera)
    local reader = frames.headed { max = sip.MOST, length = sip.length }
    self.line = t.line { on = function(_, bytes)
        if self.deaf > 0 then
            self.deaf = self.deaf - 1
            self.missed = bytes
            return
        end
        for _, frame in ipairs(reader:feed(bytes)) do
            take(self, assert(sip.parse(frame)))
        end
    end }
    return self
end

function double.item(fields)
    local parts = {}
    for name, value in pairs(fields) do
        parts[#parts + 1] = ("<%s>%s</%s>"):format(name, value, name)
    end
    return "<Item>" .. table.concat(parts) .. "</Item>"
end

return double
