-- sip_fuzz - what must hold for anything that comes where cameras are heard; see sip_fuzz.c.
--
-- Nothing raises. What is read can be written, and is read the same again; an answer has the lines
-- that it copies and no other; a stream gives the same messages in whatever pieces it comes; nobody
-- is registered without the password. Nothing leads the fuzzer inside Lua, so the first byte says
-- whether the others are a message, or choose the lines of one.
local auth = require "auth"
local frames = require "frames"
local registrar = require "registrar"
local sip = require "sip"

local ID = "35010500001320000007"

local STARTS = { "REGISTER sip:1@2 SIP/2.0", "MESSAGE sip:1@2 SIP/2.0", "SIP/2.0 200 OK", "X",
    "ACK sip:1 SIP/2.0", "SIP/2.0 999", "\r\n", "REGISTER  a  SIP/2.0 " }

local LINES = { "Via: SIP/2.0/UDP 10.0.0.7:5060;rport;branch=z9hG4bK1", "v: SIP/2.0/TCP h",
    "From: <sip:" .. ID .. "@3501050000>;tag=77", "f:sip:" .. ID .. "@x",
    "To: <sip:" .. ID .. "@3501050000>", 't: "<a" <sip:b>;tag', "Call-ID: 4711", "i:",
    "CSeq: 2 REGISTER", "CSeq: 3 MESSAGE", "CSeq: 99999999999 ACK", "Content-Length: 2",
    "l: 999999999999999999999", "Content-Length: -1", " folded", "\t", "Expires: 60",
    "Expires: 0", "Contact: <sip:1@[::1]:99999>;expires=0", "Contact: *",
    'Authorization: Digest username="' .. ID .. '",realm="r",nonce="0",uri="u",response="0"',
    'Authorization: Digest a="\\"', "Authorization: Basic x", "Via: ,,;;==", ": x", "X: \r" }

local LINES_MOST = 32

local function made(bytes)
    local lines = { STARTS[(bytes:byte(2) or 0) % #STARTS + 1] }
    for at = 3, math.min(#bytes, LINES_MOST) do
        local byte = bytes:byte(at)
        local line = LINES[byte % #LINES + 1]
        lines[#lines + 1] = byte < 240 and line or line:sub(1, byte - 239)
    end
    return table.concat(lines, "\r\n") .. "\r\n\r\nab"
end

local function same(a, b)
    assert(a.method == b.method and a.status == b.status and a.cseq == b.cseq)
    assert(a.body == b.body)
    local at = 0
    for _, header in ipairs(a.headers) do
        if header[1] ~= "content-length" then
            at = at + 1
            assert(b.headers[at][1] == header[1] and b.headers[at][2] == header[2], header[1])
        end
    end
end

local function check_written(message)
    local written = sip.write(message)
    if #written <= sip.MOST then -- a name that is written out may be longer than its letter
        same(message, assert(sip.parse(written)))
    end
end

local COPIED = { via = true, from = true, to = true, ["call-id"] = true, cseq = true }

-- As many lines as are copied, the first one, ours and the empty ones at the end.
local function check_reply(message)
    local reply = sip.write(sip.reply(message, 400, { tag = "9", address = "1.2.3.4", port = 5,
        headers = { { "allow", "ACK" } } }))
    local wanted, lines = 3, 0
    for _, header in ipairs(message.headers) do
        wanted = wanted + (COPIED[header[1]] and 1 or 0)
    end
    for line in reply:gmatch "(.-)\r\n" do
        lines = lines + (line ~= "" and 1 or 0)
    end
    assert(lines == wanted, "an answer with lines that nobody meant")
end

-- One camera for all inputs: what is gathered of its tries and nonces must stay small.
local camera = { id = ID, user = ID, password = "a password", tries = {}, used = {} }
local now = 1e9

local function check_registering(message)
    now = now + 1
    local given = { key = "key", realm = "r", algorithm = "MD5", now = now, salt = "salt",
        address = "10.0.0." .. now % 300 }
    local answer = registrar.judge(camera, message, given)
    assert(answer.status ~= 200, "in without the password")
    local count = 0
    for _ in pairs(camera.tries) do
        count = count + 1
    end
    assert(count <= 9 and next(camera.used) == nil)
    sip.write(sip.reply(message, answer.status, { headers = answer.headers }))
end

local function all_of(bytes, size)
    local reader = frames.headed { max = 4096, length = sip.length }
    local found = {}
    for from = 1, #bytes, size do
        for _, frame in ipairs(reader:feed(bytes:sub(from, from + size - 1))) do
            found[#found + 1] = frame
        end
        assert(#reader.kept < 4096)
    end
    return table.concat(found, "|"), reader.lost
end

local function check_pieces(bytes)
    local whole, whole_lost = all_of(bytes, 4096)
    local pieces, lost = all_of(bytes, #bytes // 11 + 1)
    assert(#bytes > 4096 or whole == pieces and whole_lost == lost)
end

return function(bytes)
    local input = (bytes:byte(1) or 0) % 2 == 0 and bytes:sub(2) or made(bytes)
    sip.is_ping(input)
    check_pieces(input)
    local message, _, partial = sip.parse(input)
    local some = message or partial
    if not some then
        return
    end
    for _, header in ipairs(some.headers) do
        sip.address(header[2])
        local _, told = sip.credentials(header[2])
        assert(told == nil or auth.fault(told, "MD5") or auth.response(told, "X", "p"))
    end
    sip.via(some)
    check_reply(some)
    if message then
        check_written(message)
    end
    if message and message.method == "REGISTER" then
        check_registering(message)
    end
end
