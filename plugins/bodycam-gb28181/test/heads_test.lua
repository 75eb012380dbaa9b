-- Heads of SIP as cameras, docks and platforms of many makes write them: written here from the
-- protocol, each with what it must be taken for.
local auth = require "auth"
local registrar = require "registrar"
local sip = require "sip"
local t = require "testing"

local ID, PLATFORM = "35010500001320000007", "35010500002000000001"

local PLAIN = { "REGISTER sip:" .. PLATFORM .. "@3501050000 SIP/2.0",
    "Via: SIP/2.0/UDP 10.0.0.7:5060;rport;branch=z9hG4bK1",
    "From: <sip:" .. ID .. "@3501050000>;tag=77", "To: <sip:" .. ID .. "@3501050000>",
    "Call-ID: 4711@10.0.0.7", "CSeq: 2 REGISTER", "Content-Length: 0" }

-- A whole message of which line `at` is another one; several of one number make several lines.
local function with(at, ...)
    local lines = { table.unpack(PLAIN) }
    lines[at] = table.concat({ ... }, "\r\n")
    return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

local function read(bytes)
    local message, why = sip.parse(bytes)
    return assert(message, why)
end

-- ---- Lines

local WHOLE = {
    ["in capitals"] = with(5, "CALL-ID: 4711@10.0.0.7"),
    ["in small letters"] = with(5, "call-id:4711@10.0.0.7"),
    ["compact"] = with(5, "i:4711@10.0.0.7"),
    ["compact, in capitals"] = with(5, "I: 4711@10.0.0.7"),
    ["blanks before the colon"] = with(5, "Call-ID   : 4711@10.0.0.7  "),
    ["tabs"] = with(5, "Call-ID\t:\t4711@10.0.0.7\t"),
    ["folded"] = with(5, "Call-ID:", "  4711@10.0.0.7"),
    ["folded by a tab"] = with(5, "Call-ID:", "\t4711@10.0.0.7"),
    ["a version in small letters"] = with(1, "REGISTER sip:1@2 sip/2.0"),
    ["more blanks in the first line"] = with(1, "REGISTER  sip:1@2   SIP/2.0  "),
    ["a CSeq with blanks"] = with(6, "CSeq:   2    REGISTER "),
    ["a CSeq in small letters"] = with(6, "CSeq: 2 register"),
    ["blanks and NULs before it"] = "\0\0  \r\n" .. with(7, "Content-Length: 0"),
    ["no length"] = with(7, "Max-Forwards: 70"),
    ["lines of other makes"] = with(7, "User-Agent: 海康威视 IPC", "X-GB-Ver: 3.0",
        "Allow: INVITE, ACK", "Monitor-User-Identity: operation=x", "Content-Length: 0"),
    ["a line without a value"] = with(7, "Subject:", "Content-Length: 0"),
    ["LF alone"] = with(7, "Content-Length: 0"):gsub("\r\n", "\n"),
    ["empty lines before it"] = "\r\n\r\n\r\n" .. with(7, "Content-Length: 0"),
    ["no empty line behind it"] = with(7, "Content-Length: 0"):sub(1, -3),
    ["no empty line, LF alone"] = with(7, "Content-Length: 0"):gsub("\r\n", "\n"):sub(1, -2),
    ["a name with blanks in it"] = with(7, "User Agent: x", "(c): y", "Content-Length: 0"),
    ["user agent in GBK"] = with(7, "User-Agent: \xd6\xb4\xb7\xa8", "Content-Length: 0"),
}

t.test("lines_are_the_same_however_they_are_written", function()
    for name, bytes in pairs(WHOLE) do
        local message = read(bytes)
        t.equal({ name, message.method, message.cseq, sip.header(message, "call-id"),
            message.body }, { name, "REGISTER", 2, "4711@10.0.0.7", "" })
        t.holds(sip.parse(sip.write(sip.reply(message, 200, { tag = "1" }))).status == 200, name)
    end
end)

local STATUSES = { ["SIP/2.0 200 OK"] = 200, ["sip/2.0 200 OK"] = 200, ["SIP/2.0 200"] = 200,
    ["SIP/2.0  403 Forbidden (bad auth)"] = 403, ["SIP/2.0 100 Trying"] = 100,
    ["SIP/2.0 486 忙"] = 486 }

t.test("answers_are_read_whatever_their_reason", function()
    for line, status in pairs(STATUSES) do
        t.equal({ line, read(with(1, line)).status }, { line, status })
    end
end)

t.test("the_length_is_known_however_it_is_written", function()
    for _, line in ipairs { "Content-Length: 5", "content-length:5", "CONTENT-LENGTH : 5", "l: 5",
        "L:5", "Content-Length:\r\n 5", "Content-Length: 0005", "Content-Length:\t5 " } do
        local bytes = with(7, line)
        t.equal({ line, sip.length(bytes) }, { line, 5 })
        t.equal(read(bytes .. "<a/>\n").body, "<a/>\n")
    end
end)

-- ---- Ways and addresses

local VIAS = {
    ["SIP/2.0/UDP 10.0.0.7:5060;rport;branch=z9hG4bK1"] = { "UDP", "10.0.0.7", 5060, "z9hG4bK1" },
    ["SIP/2.0/TCP 10.0.0.7;branch=1;rport"] = { "TCP", "10.0.0.7", nil, "1" },
    ["sip/2.0/udp 10.0.0.7:5061;branch=a"] = { "UDP", "10.0.0.7", 5061, "a" },
    ["SIP / 2.0 / UDP  10.0.0.7 : 5061 ; branch = a ; rport"] = { "UDP", "10.0.0.7", 5061, "a" },
    ["SIP/2.0/UDP [fe80::1]:5060;branch=a"] = { "UDP", "[fe80::1]", 5060, "a" },
    ["SIP/2.0/UDP dock-3.lan:5060;BRANCH=a"] = { "UDP", "dock-3.lan", 5060, "a" },
    ["SIP/2.0/UDP 10.0.0.7:5060;rport=5060;received=1.2.3.4;branch=a"] =
        { "UDP", "10.0.0.7", 5060, "a" },
    ["SIP/2.0/UDP 10.0.0.7:5060;branch=a, SIP/2.0/UDP 10.0.0.8;branch=b"] =
        { "UDP", "10.0.0.7", 5060, "a" },
    ["SIP/2.0/UDP 10.0.0.7:99999;branch=a"] = { "UDP", "10.0.0.7", nil, "a" },
}

t.test("the_way_is_known_however_it_is_written", function()
    for line, wanted in pairs(VIAS) do
        local via = sip.via(read(with(2, "Via: " .. line)))
        t.equal({ line, via.transport, via.host, via.port, via.parameters.branch },
            { line, wanted[1], wanted[2], wanted[3], wanted[4] })
    end
end)

local ADDRESSES = {
    ["<sip:" .. ID .. "@3501050000>;tag=77"] = { ID, "3501050000", "77" },
    ["<sip:" .. ID .. "@3501050000.spvmn.cn>;tag=77"] = { ID, "3501050000.spvmn.cn", "77" },
    ["sip:" .. ID .. "@10.0.0.7:5060;tag=77"] = { ID, "10.0.0.7", "77" },
    ["<SIP:" .. ID .. "@10.0.0.7:5060;transport=tcp>; tag=77"] = { ID, "10.0.0.7", "77" },
    ["<sip:" .. ID .. "@10.0.0.7?x=1>;TAG=77"] = { ID, "10.0.0.7", "77" },
    ["< sip:" .. ID .. "@10.0.0.7 > ;tag = 77"] = { ID, "10.0.0.7", "77" },
    ["<sips:" .. ID .. ":secret@10.0.0.7>;tag=77"] = { ID, "10.0.0.7", "77" },
    ["<sip:" .. ID .. ";phone-context=1@10.0.0.7>;tag=77"] = { ID, "10.0.0.7", "77" },
    ['"执法记录仪, 01" <sip:' .. ID .. "@x>;tag=77"] = { ID, "x", "77" },
    ["Camera 01 <sip:" .. ID .. "@x>;tag=77"] = { ID, "x", "77" },
    ["<sip:" .. ID .. "@x>;tag=77;x=\"a,b\", <sip:2@y>;tag=78"] = { ID, "x", "77" },
    ["<sip:" .. ID .. "@[::1]:5060>;tag=77"] = { ID, "[::1]", "77" },
    ["<sip:10.0.0.7:5060>;tag=77"] = { nil, "10.0.0.7", "77" },
}

t.test("addresses_are_known_however_they_are_written", function()
    for line, wanted in pairs(ADDRESSES) do
        local address = sip.address(sip.header(read(with(3, "From: " .. line)), "from"))
        t.equal({ line, address.user, address.host, address.parameters.tag },
            { line, wanted[1], wanted[2], wanted[3] })
    end
end)

-- ---- Registrations

local KEY, SALTS, NOW = ("k"):rep(32), 0, 1795230245

local function given(algorithm)
    SALTS = SALTS + 1
    return { key = KEY, now = NOW, realm = "3501050000", algorithm = algorithm or "MD5",
        address = "10.0.0.7", salt = ("\0\0\0%c"):format(SALTS) }
end

local function new_camera()
    return { id = ID, user = ID, password = "Test-Pass-1", tries = {}, used = {} }
end

-- Headers of Authorization; <N> stands for the nonce, <R> for the response to the fields that are
-- in it.
local CREDENTIALS = {
    ["without qop"] = 'Digest username="<U>",realm="3501050000",nonce="<N>",uri="sip:1@2",'
        .. 'response="<R>"',
    ["the response first"] = 'Digest response="<R>", uri="sip:1@2", nonce="<N>", '
        .. 'realm="3501050000", username="<U>"',
    ["with qop"] = 'Digest username="<U>", realm="3501050000", nonce="<N>", uri="sip:1@2", '
        .. 'response="<R>", algorithm=MD5, cnonce="0a4f113b", qop=auth, nc=00000001',
    ["with qop in quotes"] = 'Digest username="<U>", realm="3501050000", nonce="<N>", '
        .. 'uri="sip:1@2", response="<R>", algorithm="MD5", cnonce="0a4f113b", qop="auth", '
        .. 'nc="00000001"',
    ["a short nc"] = 'Digest username="<U>",realm="r",nonce="<N>",uri="u",response="<R>",'
        .. 'cnonce="a",qop=auth,nc=1',
    ["an empty qop"] = 'Digest username="<U>",realm="r",nonce="<N>",uri="u",response="<R>",qop=""',
    ["sessions"] = 'Digest username="<U>",realm="r",nonce="<N>",uri="u",response="<R>",'
        .. 'algorithm=MD5-sess,cnonce="abc",qop=auth,nc=00000001',
    ["sessions without qop"] = 'Digest username="<U>",realm="r",nonce="<N>",uri="u",'
        .. 'response="<R>",algorithm="md5-sess",cnonce="abc"',
    ["the body, too"] = 'Digest username="<U>",realm="r",nonce="<N>",uri="u",response="<R>",'
        .. 'qop=auth-int,cnonce="abc",nc=0000000a',
    ["opaque, and blanks everywhere"] = 'DIGEST  username = "<U>" , realm = "r" ,nonce = "<N>" ,'
        .. 'uri = "u" ,response = "<R>" , opaque = ""',
    ["without quotes"] = "digest username=<U>, realm=3501050000, nonce=<N>, uri=sip:1@2, "
        .. "response=<R>",
    ["said twice"] = 'Digest username="<U>",realm="r",nonce="<N>",uri="u",algorithm=MD5,'
        .. 'response="<R>",algorithm="MD5"',
    ["a comma in the realm"] = 'Digest username="<U>",realm="a, b=\\"c\\"",nonce="<N>",uri="u",'
        .. 'response="<R>"',
    ["a comma at the end"] = 'Digest username="<U>",realm="r",nonce="<N>",uri="u",response="<R>",',
}

local function answer_of(text, algorithm)
    local camera = new_camera()
    local challenge = registrar.judge(camera, read(with(7, "Expires: 60")), given(algorithm))
    local _, asked = sip.credentials(challenge.headers[1][2])
    text = text:gsub("<U>", ID):gsub("<N>", asked.nonce)
    local _, told = sip.credentials(text)
    local response = assert(auth.response(told, "REGISTER", camera.password, ""))
    return registrar.judge(camera, read(with(7, "Expires: 60",
        "Authorization: " .. text:gsub("<R>", response))), given(algorithm))
end

t.test("a_camera_that_knows_its_password_is_in_however_it_says_so", function()
    for name, text in pairs(CREDENTIALS) do
        t.equal({ name, answer_of(text).what }, { name, "registered" })
        t.equal({ name, answer_of((text:gsub("<R>", ("0"):rep(32)))).what }, { name, "wrong" })
    end
    for _, algorithm in ipairs { "SHA-256", "sha-256", "SHA-256-sess" } do
        t.equal({ algorithm, answer_of('Digest username="<U>",realm="r",nonce="<N>",uri="u",'
            .. 'response="<R>",qop=auth,nc=00000001,cnonce="c",algorithm=' .. algorithm,
            "SHA-256").what }, { algorithm, "registered" })
    end
end)

t.test("what_is_no_digest_or_another_algorithm_is_challenged_anew", function()
    for _, text in ipairs { "Basic MTox", 'Capability algorithm="A:RSA;H:SHA1", keyversion="1"',
        'Digest username="<U>",realm="r",nonce="<N>",uri="u",response="<R>",algorithm=SHA-256',
        'Digest username="<U>",realm="r",nonce="<N>",uri="u",response="<R>",realm="s"',
        'Digest username="<U>",realm="r",nonce="<N>",response="<R>"',
        'Digest username="<U>",realm="r",nonce="<N>",uri="u",response="<R>",algorithm=MD5-sess',
        'Digest username="<U>",realm="r",nonce="<N>",uri="u",response="<R>",qop=auth,nc=1' } do
        local camera = new_camera()
        local answer = registrar.judge(camera, read(with(7, "Authorization: " .. text)), given())
        t.equal({ text, answer.status, next(camera.tries) }, { text, 401 })
    end
end)

t.test("an_old_nonce_is_stale_and_counts_as_no_try", function()
    local camera = new_camera()
    local answer = registrar.judge(camera, read(with(7, 'Authorization: Digest username="' .. ID
        .. '",realm="r",nonce="' .. ("0"):rep(48) .. '",uri="u",response="' .. ("0"):rep(32)
        .. '"')), given())
    local _, told = sip.credentials(answer.headers[1][2])
    t.equal({ answer.status, told.stale, next(camera.tries) }, { 401, "true" })
end)

local STAYS = {
    [{ "Expires: 3600" }] = 3600, [{ "Expires: 99999999" }] = 86400, [{ "Subject: x" }] = 3600,
    [{ "Contact: <sip:1@2>;expires=600", "Expires: 3600" }] = 600,
    [{ "m:sip:1@2;expires=600" }] = 600,
    [{ 'Contact: <sip:1@2>; q=0.7 ;expires = "600"' }] = 600,
    [{ "Contact: <sip:1@2>;expires=600, <sip:3@4>;expires=60" }] = 600,
    [{ "Contact: *", "Expires: 0" }] = 0, [{ "Contact: <sip:1@2>;expires=0" }] = 0,
    [{ "Expires:" }] = 3600, [{ "Contact: <sip:1@2>;expires=", "Expires: 60" }] = 3600,
    [{ "Contact: <sip:1@2>;expires=0, <sip:3@4>;expires=600" }] = 600, -- it has moved
    [{ "Contact: <sip:1@2>;expires=0", "Contact: <sip:3@4>", "Expires: 90" }] = 90,
    [{ 'Contact: "a, b;expires=9" <sip:1@2,3;expires=8>;expires=70' }] = 70,
    [{ "Contact: <sip:1@2>;expires=0, <sip:3@4>;expires=0" }] = 0,
}

t.test("how_long_it_stays_is_known_however_it_says_so", function()
    for lines, seconds in pairs(STAYS) do
        local camera = new_camera()
        local _, asked = sip.credentials(registrar.judge(camera, read(with(7, "X: 1")),
            given()).headers[1][2])
        local told = { username = ID, realm = "r", nonce = asked.nonce, uri = "u" }
        local answer = registrar.judge(camera, read(with(7, ('Authorization: Digest username="%s",'
            .. 'realm="r",nonce="%s",uri="u",response="%s"'):format(ID, asked.nonce,
            auth.response(told, "REGISTER", camera.password)), table.unpack(lines))), given())
        t.equal({ lines, answer.status, answer.seconds }, { lines, 200, seconds })
    end
end)

t.test("a_contact_is_told_for_how_long_it_was_taken", function()
    for told, wanted in pairs { ["<sip:1@2>"] = "<sip:1@2>",
        ["<sip:1@2>;expires=99999999"] = "<sip:1@2>;expires=86400",
        ['<sip:1@2>;q=1; Expires = "99999999";a'] = "<sip:1@2>;q=1; Expires = 86400;a",
        ["<sip:9@9>;expires=0, <sip:1@2>;expires=60"] = "<sip:1@2>;expires=60" } do
        local camera = new_camera()
        local _, asked = sip.credentials(registrar.judge(camera, read(with(7, "X: 1")),
            given()).headers[1][2])
        local said = { username = ID, realm = "r", nonce = asked.nonce, uri = "u" }
        local answer = registrar.judge(camera, read(with(7, ('Authorization: Digest username="%s",'
            .. 'realm="r",nonce="%s",uri="u",response="%s"'):format(ID, asked.nonce,
            auth.response(said, "REGISTER", camera.password)), "Contact: " .. told)), given())
        t.equal({ told, answer.headers[1] }, { told, { "contact", wanted } })
    end
end)

return t.finish()
