-- Devices of a replay: each question has the answers that were recorded, in order, and no other.
local recorded = require "recorded"
local t = require "testing"

local function play(url, pieces)
    local told = { sent = {}, missing = 0, passed = 0 }
    local doubles = recorded.devices({ { url = url, pieces = pieces } }, {
        pass = function(ms) told.passed = told.passed + ms end,
        send = function(id, bytes, ms) told.sent[#told.sent + 1] = { id, bytes, ms } end,
        missing = function() told.missing = told.missing + 1 end,
    })
    return doubles[url], told
end

local function went(bytes, at)
    return { out = true, at = at or 0, bytes = bytes }
end

local function came(bytes, at)
    return { out = false, at = at or 0, bytes = bytes }
end

local function adu(id, unit, message)
    return string.pack(">I2I2I2B", id, 0, #message + 1, unit) .. message
end

t.test("a_register_is_read_as_it_was_each_answer_once", function()
    local bus, told = play("modbus-tcp://10.0.0.1:502", {
        went(adu(1, 1, "\3\0\0\0\1")), came(adu(1, 1, "\3\2\0\5")),
        went(adu(2, 1, "\3\0\7\0\1")), came(adu(2, 1, "\3\2\0\9")),
        went(adu(3, 1, "\3\0\0\0\1")), came(adu(3, 1, "\3"):sub(1, 4)), came("x"),
        went(adu(4, 1, "\3\0\0\0\1")), came(adu(4, 1, "\x83\6")),
    })
    t.equal({ bus:ask("read_holding", 1, 7, 1, 500) }, { "\3\2\0\9" })
    t.equal({ bus:ask("read_holding", 1, 0, 1, 500) }, { "\3\2\0\5" })
    t.equal({ bus:ask("read_holding", 1, 0, 1, 500) }, { nil, "timeout" })
    t.equal(told.passed, 500)
    t.equal({ bus:ask("read_holding", 1, 0, 1, 500) }, { nil, "exception", 6 })
    t.equal(told.missing, 0)
    t.equal({ bus:ask("read_holding", 1, 0, 1, 500) }, { nil, "refused" })
    t.equal({ bus:ask("read_holding", 2, 7, 1, 500) }, { nil, "refused" })
    t.equal(told.missing, 2)
end)

t.test("every_kind_of_request_is_known_again", function()
    local kinds = {
        { "\1\0\1\0\9", "read_coils", 1, 9 }, { "\2\0\1\0\9", "read_discrete", 1, 9 },
        { "\4\0\1\0\9", "read_input", 1, 9 }, { "\5\0\1\xff\0", "write_coil", 1, { true } },
        { "\5\0\1\0\0", "write_coil", 1, { false } },
        { "\6\0\1\1\0", "write_register", 1, { 256 } },
        { "\x0f\0\1\0\9\2\3\1", "write_coils", 1,
            { true, true, false, false, false, false, false, false, true } },
        { "\x10\0\1\0\2\4\0\1\0\2", "write_registers", 1, { 1, 2 } },
        { "\x2b\x0e\1\0", "request", nil, "\x2b\x0e\1\0" },
    }
    for _, kind in ipairs(kinds) do
        local bus = play("modbus-rtu:///dev/ttyS1", { went("\7" .. kind[1] .. "cc"),
            came "\7", came "okcc" })
        t.equal({ bus:ask(kind[2], 7, kind[3], kind[4], 5) }, { "ok" })
    end
end)

t.test("a_page_is_answered_as_it_was_and_a_login_is_passed_over", function()
    local server, told = play("http://10.0.0.5", {
        went "GET /a?x=1 HTTP/1.1\r\nHost: x\r\n\r\n",
        came 'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest x="y"\r\n\r\n', came "denied",
        went "GET /a?x=1 HTTP/1.1\r\nAuthorization:***\r\n\r\n",
        came "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n",
        came "bo", came "dy",
        went "POST /b HTTP/1.1\r\n\r\n", went "sent", came "HTTP/1.1 404 No\r\n\r\n",
        went "GET /c HTTP/1.1\r\n\r\n",
    })
    t.equal(server:ask { method = "POST", path = "/b" },
        { status = 404, headers = {}, body = "", pieces = {} })
    t.equal(server:ask { method = "GET", path = "/a?x=1" }, { status = 200, body = "body",
        headers = { ["Content-Type"] = "text/plain" }, pieces = {} })
    t.equal(server:ask { method = "GET", path = "/c" }, { fault = "closed" })
    t.equal(told.missing, 0)
    t.equal(server:ask { method = "GET", path = "/a?x=1" }, { fault = "refused" })
    t.equal(told.missing, 1)
end)

t.test("a_stream_comes_in_its_rhythm", function()
    local server = play("http://10.0.0.5", {
        went("GET /s HTTP/1.1\r\n\r\n", 0),
        came("HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n", 10),
        came("--x one", 20), came("--x two", 1020) })
    local reply = server:ask { method = "GET", path = "/s" }
    t.equal({ reply.body, reply.stays }, { "", true })
    t.equal(reply.pieces, { { after = 10, body = "--x one" }, { after = 1000, body = "--x two" } })
end)

t.test("a_line_goes_on_as_it_went", function()
    local gate, told = play("tcp://10.0.0.7:70", { came("HELLO", 5), came("AGAIN", 105),
        went("ask", 200), went("!", 201), came("answer", 300), came("late", 1300) })
    t.equal(gate:joined(3), true)
    t.equal(told.sent, { { 3, "HELLO", 0 }, { 3, "AGAIN", 100 } })
    gate:take(3, "as")
    gate:take(3, "k")
    t.equal(#told.sent, 2)
    gate:take(3, "!")
    t.equal({ told.sent[3], told.sent[4] }, { { 3, "answer", 99 }, { 3, "late", 1099 } })
    t.equal(told.missing, 0)
    gate:take(3, "more")
    t.equal(told.missing, 1)
end)

t.test("devices_that_call_are_not_played", function()
    t.equal(play("nothing://x", {}), nil)
end)

return t.finish()
