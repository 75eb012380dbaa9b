local sip = require "sip"
local t = require "testing"

local function lines(...)
    return table.concat({ ... }, "\r\n") .. "\r\n\r\n"
end

local HEAD = { "REGISTER sip:35010500002000000001@3501050000 SIP/2.0",
    "Via: SIP/2.0/UDP 10.0.0.7:5060;rport;branch=z9hG4bK1",
    "From: <sip:35010500001320000007@3501050000>;tag=77",
    "To: <sip:35010500001320000007@3501050000>", "Call-ID: 4711", "CSeq: 2 REGISTER" }

local function with(changes, body)
    local head = { table.unpack(HEAD) }
    for at, line in pairs(changes) do
        head[at] = line
    end
    return lines(table.unpack(head)) .. (body or "")
end

t.test("a_request_is_read_whole", function()
    local message = sip.parse(with({ [7] = "Content-Length: 2" }, "ab"))
    t.equal({ message.method, message.uri, message.cseq, message.body },
        { "REGISTER", "sip:35010500002000000001@3501050000", 2, "ab" })
    t.equal(sip.header(message, "call-id"), "4711")
    t.equal(sip.via(message), { transport = "UDP", host = "10.0.0.7", port = 5060,
        parameters = { rport = "", branch = "z9hG4bK1" } })
    local from = sip.address(sip.header(message, "from"))
    t.equal({ from.user, from.host, from.parameters.tag },
        { "35010500001320000007", "3501050000", "77" })
end)

t.test("a_response_has_a_status", function()
    local message = sip.parse(with { "SIP/2.0 200 OK" })
    t.equal({ message.status, message.reason, message.cseq_method }, { 200, "OK", "REGISTER" })
    t.equal(sip.parse(with { "SIP/2.0 200" }).status, 200)
end)

t.test("lax_cameras_are_read_too", function()
    local short = with({ [2] = "v:SIP / 2.0 / udp  10.0.0.7;branch=a", [5] = "i : 4711",
        [7] = "l:\t1" }, "x")
    local message = sip.parse(short)
    t.equal({ sip.header(message, "call-id"), message.body, sip.via(message).transport },
        { "4711", "x", "UDP" })
    t.equal(sip.parse((with {}:gsub("\r\n", "\n"))).method, "REGISTER")
    t.equal(sip.parse("\r\n\r\n" .. with {}).method, "REGISTER")
    local folded = sip.parse(with { [5] = "Call-ID:\r\n 47\r\n\t11" })
    t.equal(sip.header(folded, "call-id"), "47 11")
    t.equal(sip.address("sip:1@10.0.0.7:5061;tag=9"), { user = "1", host = "10.0.0.7", port = 5061,
        parameters = { tag = "9" } })
    t.equal(sip.address('"a <sip:2@b>" <sip:1@[::1]:5>').host, "[::1]")
    t.equal(sip.address("tel:1"), nil)
end)

t.test("what_is_none_is_refused_with_what_was_expected", function()
    local function why(bytes)
        local message, fault = sip.parse(bytes)
        t.equal(message, nil)
        return fault
    end
    t.holds(why("REGISTER x SIP/2.0"):find "empty line")
    t.holds(why(""):find "empty line")
    t.holds(why("\n\r\n\n"):find "empty line")
    t.holds(why(with { "register x SIP/2.0" }):find "first line")
    t.holds(why(with { "REGISTER x SIP/3.0" }):find "first line")
    t.holds(why(with { [5] = "Call-ID 4711" }):find "NAME: VALUE")
    t.holds(why(with { [5] = "Call-ID: 47\r11" }):find "NAME: VALUE")
    t.holds(why(with { [5] = "X: 1" }):find "header call%-id")
    t.holds(why(with { [6] = "CSeq: REGISTER" }):find "number and a method")
    t.holds(why(with { [6] = "CSeq: 2 MESSAGE" }):find "same method")
    t.holds(why(with { [7] = "Content-Length: -1" }):find "Content%-Length")
end)

t.test("what_is_cut_off_can_still_be_answered", function()
    local _, _, message = sip.parse(with({ [7] = "Content-Length: x" }, "cut"))
    t.equal(message.method, "REGISTER")
end)

t.test("a_line_that_is_no_header_is_not_copied_into_the_answer", function()
    local _, why, message = sip.parse(with { [7] = "nonsense", [8] = "To: a\rb", [9] = "X: 1" })
    t.holds(why:find "NAME: VALUE")
    t.equal(#message.headers, 6)
end)

t.test("a_body_ends_where_content_length_says_or_where_there_is_no_more", function()
    for told, wanted in pairs { ["1"] = { "a", "bc" }, ["3"] = { "abc", "" },
        ["9"] = { "abc", "" }, ["0"] = { "", "abc" } } do
        local message = sip.parse(with({ [7] = "Content-Length: " .. told }, "abc"))
        t.equal({ message.body, message.beyond }, wanted)
    end
    t.equal(sip.parse(with({}, "abc")).body, "abc")
end)

t.test("head_and_lines_have_bounds", function()
    t.holds(not sip.parse(with { [7] = "X: " .. ("x"):rep(16384) }))
    t.holds(sip.parse(with { [7] = "X: " .. ("x"):rep(15000) }))
    local many = {}
    for at = 7, 129 do
        many[at] = "X: 1"
    end
    t.holds(sip.parse(with(many)))
    many[130] = "X: 1"
    t.holds(sip.parse(with(many)) == nil)
    t.holds(not sip.parse(with({}, ("x"):rep(sip.MOST))))
end)

t.test("credentials_are_read_with_and_without_quotes", function()
    local scheme, told = sip.credentials 'Digest username="a,b", realm="\\"x\\"",qop=auth , nc=1'
    t.equal({ scheme, told },
        { "digest", { username = "a,b", realm = '\\"x\\"', qop = "auth", nc = "1" } })
    for _, text in ipairs { "Digest", 'Digest a="b', "Digest a=b c", "Digest a=1, a=2", "=" } do
        t.equal(sip.credentials(text), nil)
    end
end)

t.test("an_answer_copies_what_it_must_and_shows_where_the_request_came_from", function()
    local reply = sip.reply(sip.parse(with { [7] = "X: 1" }), 401, { tag = "9",
        address = "1.2.3.4", port = 99, headers = { { "www-authenticate", "Digest" } } })
    t.equal(sip.write(reply), lines("SIP/2.0 401 Unauthorized",
        "Via: SIP/2.0/UDP 10.0.0.7:5060;rport=99;branch=z9hG4bK1;received=1.2.3.4",
        HEAD[3], HEAD[4] .. ";tag=9", HEAD[5], HEAD[6], "WWW-Authenticate: Digest",
        "Content-Length: 0"))
end)

t.test("what_is_written_is_read_the_same", function()
    local message = sip.parse(with({ [7] = "Content-Length: 3" }, "a\r\n"))
    local again = sip.parse(sip.write(message))
    t.equal({ again.method, again.uri, again.body }, { message.method, message.uri, "a\r\n" })
    t.equal(sip.header(again, "via"), sip.header(message, "via"))
end)

t.test("the_length_of_a_body_is_told_by_its_head", function()
    t.equal(sip.length "A: 1\r\nContent-Length : 12\r\n\r\n", 12)
    t.equal(sip.length "A: 1\r\nl: 3\r\n\r\n", 3)
    t.equal(sip.length "A: 1\r\n\r\n", 0)
    t.equal(sip.length "A: 1\r\nContent-Length: x\r\n\r\n", nil)
    t.equal(sip.length "A: 1\r\nContent-Length: 9999999999\r\n\r\n", nil)
end)

t.test("values_of_several_lines_and_of_one_are_a_list", function()
    local message = sip.parse(with { [7] = 'm: "a, b" <sip:1@2,3>;x="4,5" , <sip:6@7>,',
        [8] = "Contact: *" })
    t.equal(sip.values(message, "contact"), { '"a, b" <sip:1@2,3>;x="4,5"', "<sip:6@7>", "*" })
    t.equal(sip.values(message, "record-route"), {})
    t.equal(#sip.values(sip.parse(with { [7] = "Contact: " .. ("<sip:1@2>,"):rep(100) }),
        "contact"), 32)
end)

-- What is the body of a message whose length counts letters, and what is not.
t.test("a_length_that_counts_letters_ends_where_the_document_does", function()
    local head = "Content-Length: 8\r\n\r\n"
    local function length(come)
        return sip.length(head, head .. come, #head + 1)
    end
    t.equal(length "<a>\u{6c49}</a>", 10)
    t.equal(length "<a>\u{6c49}</a>\r\nMESSAGE x SIP/2.0", 10)
    t.equal(length "<a>\xba\xba</a >...", 10)
    t.equal(length "<a>\u{6c49}", 8) -- not even the letters are there
    t.equal(length "<a>\u{6c49}</", 9) -- one more than there are: look again
    t.equal(length "<a>\u{6c49}</a", 10)
    t.equal(length("<a>\u{6c49}</" .. ("x"):rep(40)), 8) -- so long are no letters
    t.equal(length "<a>\u{6c49}</MESSAGE x SIP/2.0", 8)
    t.equal(length "<a>x</a>\u{6c49}</a>", 8)
    t.equal(length "\u{6c49}......</a>", 8)
    t.equal(length "<a>xyz</a>", 8) -- bytes were counted, and wrongly
    t.equal(length "", 8)
end)

t.test("ends_of_lines_alone_are_a_ping", function()
    t.holds(sip.is_ping "\r\n\r\n" and sip.is_ping "\0\0" and not sip.is_ping "x")
end)

return t.finish()
