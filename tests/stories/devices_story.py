"""outpost test: the devices that a test can play beside Modbus: web servers, lines of bytes, who pushes."""
import town
from subject import PLUGIN, last, write


WEB_START = """
    self.url = config.url
    host.every(config.poll, function()
        local answer, message, code = host.http.request { url = self.url .. "/next?x=1",
            user = "admin", password = "secret", timeout = "2s" }
        if not answer then
            host.metrics.count("failed_" .. code, 1)
        elseif answer.status == 200 then
            local n = tonumber(answer.body)
            if host.store.get "value" ~= n then
                host.emit { type = "subject.heard", data = { n = n } }
                host.store.put("value", n)
                host.commit()
            end
            host.http.request { url = self.url .. "/ack", method = "PUT", body = answer.body,
                headers = { ["X-Try"] = "1" } }
        else
            host.metrics.count("status_" .. answer.status, 1)
        end
    end)
    host.after(0, function()
        local stream = host.http.stream { url = self.url .. "/alerts" }
        while stream do
            local bytes, _, code = stream:read { timeout = "1m" }
            if not bytes then
                host.log.info("stream %s", code)
                break
            end
            host.emit { type = "subject.changed", data = { value = #bytes }, now = true }
        end
    end)
"""
WEB = """
local WEB = "http://10.0.0.7"
local function web(options)
    local terminal = t.http(options)
    return t.office { config = { url = WEB }, devices = { [WEB] = terminal } }, terminal
end
t.test("what_is_fetched_is_acknowledged_after_its_commit_whenever_it_dies", function()
    for nth = 1, 8 do
        local office, terminal = web { pages = { ["GET /next"] = "7", ["PUT /ack"] = { status = 204 } },
            delay = "20ms" }
        office:die { after = "any", nth = nth }
        office:run "10s"
        t.equal(office:told(), { "subject.heard" })
        t.equal(office:deaths(), 1)
        local order = office:trace("commit", "PUT")
        t.equal({ order[1], order[2] }, { "commit subject.heard put value", "PUT http://10.0.0.7/ack" })
        local ack = terminal:requests("PUT")[1]
        t.equal({ ack.path, ack.body, ack.headers["x-try"] }, { "/ack", "7", "1" })
        t.equal(terminal:requests("GET /next")[1].query, "x=1")
    end
end)
t.test("a_server_that_fails_is_seen_as_the_real_one_is", function()
    local office, terminal = web { pages = { ["GET /next"] = "7" } }
    terminal:fail { with = "timeout", on = "GET /next", times = 2 }
    terminal:fail { with = "refused", on = "GET /next", times = 1, nth = 3 }
    office:run "1m"
    t.equal(office:metrics().failed_timeout, 2)
    t.equal(office:metrics().failed_refused, 1)
    t.equal(office:told(), { "subject.heard" })
    local first = terminal:requests("GET /next")
    t.equal({ first[1].at, first[2].at, first[2].fault, first[4].fault }, { 1.0, 4.0, "timeout", nil })
end)
t.test("a_login_and_a_page_that_is_not_there_are_answers", function()
    local office, terminal = web { pages = {}, login = { user = "admin", password = "secret" } }
    office:run "1s"
    terminal.login.password = "other"
    office:run "1s"
    local metrics = office:metrics()
    t.equal({ metrics.status_404, metrics.status_401 }, { 1, 1 })
end)
t.test("a_stream_comes_bit_by_bit_and_ends_or_falls_silent", function()
    for _, stays in ipairs { false, true } do
        local office = web { pages = { ["GET /alerts"] = { body = "abc", stays = stays,
            stream = { { after = "10s", body = "de" }, { after = "20s", body = "f" } } } } }
        office:run "3m"
        local seen = {}
        for i, event in ipairs(office:events "subject.changed") do
            seen[i] = event.time:sub(15, 19) .. " " .. event.data.value
        end
        t.equal(seen, { "00:00 3", "00:10 2", "00:30 1" })
        t.equal(office:log()[2], "info subject rehearsal: stream " .. (stays and "timeout" or "closed"))
    end
end)
"""


def test_a_web_server_can_be_played(tmp_path):
    plugin = PLUGIN.replace('needs = { "modbus" }', 'needs = { "http" }').replace(
        "bus = assert(host.modbus.open(config.url))", "")
    folder = write(tmp_path, WEB_START, WEB, plugin)
    done = town.run(town.OUTPOST, "test", str(folder), expect=None)
    assert (done.returncode, last(done)) == (0, "4 passed, 0 failed"), done.stdout
    (folder / "plugin.lua").write_text((folder / "plugin.lua").read_text().replace('"http"', ""))
    assert "field 'http'" in town.run(town.OUTPOST, "test", str(folder), expect=1).stdout


LINE_START = """
    local frames = require "frames"
    host.tcp.listen("tcp://0.0.0.0:7611", { allow = { "10.1.0.0/16" } }, function(conn)
        local reader = frames.lines { max = 100 }
        while true do
            local frame = conn:read_frame(reader, { timeout = "1m" })
            if not frame then
                return
            end
            host.emit { type = "subject.heard", data = { n = tonumber(frame) or 0 } }
            host.commit()
            conn:write("ACK " .. frame .. "\\n")
        end
    end)
    host.after(0, function()
        while true do
            local conn = host.tcp.connect("tcp://10.0.0.7:4001", { timeout = "5s" })
            while conn do
                conn:write "GET\\n"
                local bytes, _, code = conn:read { timeout = "10s" }
                host.metrics.count("gate_" .. (bytes and "answers" or code), 1)
                if code == "closed" then
                    conn:close()
                    conn = nil
                else
                    host.sleep "10s"
                end
            end
            host.metrics.count("gate_tries", 1)
            host.sleep "10s"
        end
    end)
    local serial = assert(host.serial.open "serial:///dev/ttyS7?baud=9600")
    host.every("1s", function()
        serial:write("\\1\\2")
        local bytes = serial:read { timeout = "500ms", silence = "20ms" }
        if bytes then
            host.emit { type = "subject.changed", data = { value = #bytes } }
        end
    end)
"""
LINE = """
local function lines()
    local band, gate, meter = t.line(), t.line { on = function(self) self:send("OPEN", "2s") end },
        t.line()
    return t.office { devices = { ["tcp://10.1.2.3"] = band, ["tcp://10.0.0.7:4001"] = gate,
        ["serial:///dev/ttyS7"] = meter } }, band, gate, meter
end
t.test("who_calls_is_acknowledged_after_the_commit_whenever_the_plugin_dies", function()
    for nth = 1, 3 do
        local office, band = lines()
        office:run "3s"
        band:call(7611)
        office:die { before = "commit", nth = nth }
        band:send "1\\n2"
        band:send("\\n", "1s")
        office:run "5s"
        local order = office:trace("commit subject.heard", "send tcp://10.1.2.3", "die")
        local wanted = {}
        for i = 1, nth - 1 do
            wanted[#wanted + 1] = "commit subject.heard"
            wanted[#wanted + 1] = "send tcp://10.1.2.3 " .. ("ACK %d\\n"):format(i):gsub(".", function(c)
                return ("%02x"):format(c:byte()) end)
        end
        wanted[#wanted + 1] = nth < 3 and "die before commit" or nil
        t.equal(order, wanted)
        t.equal(#office:events "subject.heard", nth - 1)
        t.equal(band:count(), nth < 3 and 0 or 1)
    end
end)
t.test("a_gate_that_answers_late_hangs_up_and_is_gone_is_seen_so", function()
    local office, _, gate = lines()
    office:run "1m"
    t.equal(gate:count(), 1)
    local answers = office:metrics().gate_answers
    t.holds(answers >= 4 and gate.heard:find "^GET\\n", gate.heard)
    gate.absent = true
    gate:close()
    office:run "1m"
    t.equal(office:metrics().gate_closed, 1)
    t.equal(gate:count(), 0)
    t.holds(office:metrics().gate_tries >= 5)
    gate.absent = nil
    office:run "1m"
    t.holds(office:metrics().gate_answers > answers)
end)
t.test("a_stranger_is_turned_away", function()
    local stranger = t.line()
    local office = t.office { devices = { ["tcp://192.168.0.9"] = stranger,
        ["serial:///dev/ttyS7"] = t.line() } }
    office:run "1s"
    stranger:call(7611)
    stranger:send "1\\n"
    office:run "1s"
    t.equal({ office:metrics().tcp_strangers, stranger:count() }, { 1, 0 })
end)
t.test("a_meter_on_a_serial_line_is_read_when_it_is_silent", function()
    local office, _, _, meter = lines()
    meter.on = function(self, bytes)
        t.equal(bytes, "\\1\\2")
        self:send("abc")
        self:send("de", "10ms")
    end
    office:run "2s"
    t.equal(office:next("subject.changed").data, { value = 5 })
    t.equal(office:next("subject.changed").data, { value = 5 })
end)
"""


def test_lines_of_bytes_can_be_played(tmp_path):
    plugin = PLUGIN.replace('needs = { "modbus" }', 'needs = { "tcp", "serial" }').replace(
        ", bus = assert(host.modbus.open(config.url))", "")
    done = town.run(town.OUTPOST, "test", str(write(tmp_path, LINE_START, LINE, plugin)), expect=None)
    assert (done.returncode, last(done)) == (0, "4 passed, 0 failed"), done.stdout
    early = LINE_START.replace("            host.commit()\n", "")
    done = town.run(town.OUTPOST, "test", str(write(tmp_path, early, LINE, plugin)), expect=1)
    assert "FAILED who_calls_is_acknowledged_after_the_commit" in done.stdout


SERVE_START = """
    host.serve.listen("http://0.0.0.0:8080", { allow = { "10.1.0.0/16" }, body = 100 }, function(request)
        if request.method ~= "POST" then
            return { status = 405, headers = { Allow = "POST" } }
        elseif request.path == "/boom" then
            error "boom"
        end
        host.emit { type = "subject.heard", data = { n = tonumber(request.query.n) } }
        return { body = request.path .. request.body .. request.peer .. request.headers["x-a"] }
    end)
"""
SERVE = """
local WEB = "http://10.1.0.7"
local function begin_web(url)
    local terminal = t.http()
    local office = t.office { devices = { [url or WEB] = terminal } }
    return office, terminal
end
local PUSH = { body = "hello", headers = { ["X-A"] = "y" } }
t.test("who_pushes_is_answered_after_the_commit", function()
    local office, terminal = begin_web()
    local reply = terminal:push(8080, "POST /event?n=3", PUSH)
    t.equal(reply, {})
    office:run "1s"
    t.equal({ reply.status, reply.body }, { 200, "/eventhello10.1.0.7y" })
    t.equal(office:trace("push", "commit", "answer"),
        { "push POST /event", "commit subject.heard", "answer POST /event: 200" })
    local other = terminal:push(8080, "GET /event")
    office:run "1s"
    t.equal({ other.status, other.headers.allow }, { 405, "POST" })
end)
t.test("a_push_that_a_death_or_a_refusal_swallows_is_not_answered_200", function()
    for _, where in ipairs { { before = "commit" }, { after = "commit" }, { before = "write" } } do
        local office, terminal = begin_web()
        office:die(where)
        local reply = terminal:push(8080, "POST /event?n=3", PUSH)
        office:run "5s"
        t.equal({ reply.status, reply.fault }, { nil, "closed" })
        t.equal(#office:events(), where.before == "commit" and 0 or 1)
    end
    local office, terminal = begin_web()
    office:refuse(1)
    local reply = terminal:push(8080, "POST /event?n=3", PUSH)
    office:run "5s"
    t.equal({ reply.status, #office:events() }, { 503, 0 })
end)
t.test("who_was_not_answered_tries_again_and_a_handler_that_raises_is_500", function()
    local office, terminal = begin_web()
    office:die { before = "commit" }
    local first = terminal:push(8080, "POST /event?n=3", PUSH)
    office:run "5s"
    local again = terminal:push(8080, "POST /event?n=3", PUSH)
    local boom = terminal:push(8080, "POST /boom", PUSH)
    office:run "1s"
    t.equal({ first.fault, again.status, boom.status }, { "closed", 200, 500 })
    t.equal({ #office:told(), #office:errors() }, { 1, 1 })
end)
t.test("who_is_not_meant_is_turned_away", function()
    local office, terminal = begin_web()
    local big = terminal:push(8080, "POST /event?n=3", { body = ("x"):rep(101) })
    local nobody = terminal:push(8081, "POST /event")
    office:run "1s"
    t.equal({ big.status, nobody.fault }, { 413, "refused" })
    office, terminal = begin_web "http://10.2.0.7"
    local stranger = terminal:push(8080, "POST /event?n=3", PUSH)
    office:run "1s"
    t.equal(stranger.fault, "closed")
    terminal:push(8080, "POST /never")
end)
"""


def test_who_pushes_can_be_played(tmp_path):
    plugin = PLUGIN.replace('needs = { "modbus" }', 'needs = { "serve" }').replace(
        ", bus = assert(host.modbus.open(config.url))", "")
    done = town.run(town.OUTPOST, "test", str(write(tmp_path, SERVE_START, SERVE, plugin)), expect=None)
    assert (done.returncode, last(done)) == (0, "4 passed, 0 failed"), done.stdout


PORT_START = """
    local port = assert(host.udp.open "udp://10.0.0.7:5000")
    host.every("10s", function()
        port:send "?"
        local bytes = port:receive { timeout = "1s" }
        host.metrics.count(bytes and "answers" or "silences", 1)
        if bytes then
            host.emit { type = "subject.heard", data = { n = tonumber(bytes) } }
        end
    end)
"""
PORT = """
t.test("a_device_of_udp_is_asked_and_may_say_nothing", function()
    local meter = t.line { on = function(self, bytes)
        t.equal(bytes, "?")
        if #self.heard ~= 2 then self:send "42" end
    end }
    local office = t.office { devices = { ["udp://10.0.0.7:5000"] = meter } }
    office:run "35s"
    t.equal({ office:metrics().answers, office:metrics().silences }, { 2, 1 })
    t.equal(office:events()[1].data, { n = 42 })
    t.equal(office:trace "send", { "send udp://10.0.0.7:5000 ?", "send udp://10.0.0.7:5000 ?",
        "send udp://10.0.0.7:5000 ?" })
end)
"""


def test_a_device_of_udp_can_be_played(tmp_path):
    plugin = PLUGIN.replace('needs = { "modbus" }', 'needs = { "udp" }').replace(
        ", bus = assert(host.modbus.open(config.url))", "")
    done = town.run(town.OUTPOST, "test", str(write(tmp_path, PORT_START, PORT, plugin)), expect=None)
    assert (done.returncode, last(done)) == (0, "1 passed, 0 failed"), done.stdout


DOCK_START = """
    local dock = { url = config.url, user = "dock", password = "secret" }
    local function with(more)
        local wish = {}
        for name, value in pairs(dock) do wish[name] = value end
        for name, value in pairs(more) do wish[name] = value end
        return wish
    end
    -- All of a file, going on where it was cut.
    local function pull(path)
        local all = ""
        for _ = 1, 3 do
            local stream, file, code = host.ftp.stream(with { path = path, from = #all })
            if not stream then
                return nil, code
            end
            while true do
                local bytes = stream:read()
                if not bytes then break end
                all = all .. bytes
            end
            if #all == file.size then
                return all
            end
        end
        return nil, "short"
    end
    host.every(config.poll, function()
        local entries, strange, code = host.ftp.list(with { path = "/day" })
        if not entries then
            host.metrics.count("failed_" .. code, 1)
            return
        end
        for _, entry in ipairs(entries) do
            local bytes, why
            if entry.kind == "file" and not host.store.get(entry.name) then
                host.metrics.gauge("within", entry.within)
                bytes, why = pull("/day/" .. entry.name)
                host.metrics.count("pull_" .. (why or "whole"), 1)
            end
            if bytes then
                host.emit { type = "subject.heard", data = { n = #bytes } }
                host.store.put(entry.name, true)
                host.commit()
                host.ftp.rename(with { path = "/day/" .. entry.name, to = "/done/" .. entry.name })
            end
        end
    end)
"""
DOCK = """
local DOCK = "ftp://10.0.0.8?passive=50000-50100"
local function begin_dock(options)
    local dock = t.ftp(options)
    return t.office { config = { url = DOCK }, devices = { [DOCK] = dock } }, dock
end
t.test("a_file_is_pulled_once_and_moved_after_its_commit_whenever_it_dies", function()
    for nth = 1, 12 do
        local office, dock = begin_dock { delay = "20ms", login = { user = "dock", password = "secret" },
            files = { ["/day/a.mp4"] = { body = ("x"):rep(100000), time = 1795230245 }, ["/x"] = "" } }
        office:die { after = "any", nth = nth }
        office:run "20s"
        t.equal(office:told(), { "subject.heard" })
        t.equal(office:events()[1].data, { n = 100000 })
        t.holds(office:trace("commit", "rename")[1]:find "^commit")
        if nth > 6 then
            t.equal(dock.files["/done/a.mp4"].time, 1795230245)
            t.equal(office:trace "rename", { "rename /day/a.mp4 /done/a.mp4" })
        end
    end
end)
t.test("a_file_that_breaks_off_is_gone_on_with", function()
    local office, dock = begin_dock { files = { ["/day/a"] = { body = ("x"):rep(5000), breaks = 2000 } } }
    local times = 0
    dock.on = function(self, request)
        if request.call == "read" then
            times = times + 1
            self.files["/day/a"].breaks = times == 1 and 2000 or nil
        end
    end
    office:run "2s"
    t.equal(office:events()[1].data, { n = 5000 })
    local reads = dock:requests "read"
    t.equal({ reads[1].from, reads[2].from, #reads }, { 0, 2000, 2 })
end)
t.test("listings_and_faults_are_those_of_the_real_client", function()
    local office, dock = begin_dock { exact = false, login = { user = "dock", password = "other" },
        files = { ["/day/a"] = { body = "12345", time = 1795230245 }, ["/day/sub/b"] = "x" } }
    office:run "1s"
    t.equal(office:metrics().failed_auth, 1)
    dock.login = nil
    dock:fail { with = "timeout", on = "list" }
    office:run "40s"
    t.equal(office:metrics().failed_timeout, 1)
    t.equal({ office:metrics().within, office:events()[1].data.n }, { 60, 5 })
    dock.files = {}
    dock:fail { with = "refused", on = "list" }
    office:run "2s"
    t.equal({ office:metrics().failed_refused, office:metrics().failed_missing }, { 1, 1 })
end)
"""


def test_a_file_server_can_be_played(tmp_path):
    plugin = PLUGIN.replace('needs = { "modbus" }', 'needs = { "ftp" }').replace(
        ", bus = assert(host.modbus.open(config.url))", "")
    done = town.run(town.OUTPOST, "test", str(write(tmp_path, DOCK_START, DOCK, plugin)), expect=None)
    assert (done.returncode, last(done)) == (0, "3 passed, 0 failed"), done.stdout


HEARS_START = """
    local port = assert(host.udp.open("udp://0.0.0.0:5060", { most = 100 }))
    local busy, _, code = host.udp.open "udp://0.0.0.0:5060"
    host.store.put("second", code)
    host.store.put("port", port:port())
    host.after(0, function()
        while true do
            local bytes, address, from = port:receive { timeout = "1h" }
            if bytes then
                host.emit { type = "subject.heard", data = { n = #bytes }, now = true }
                host.store.put("from", address .. ":" .. from)
                port:send("ACK " .. bytes, address, from)
            end
        end
    end)
    host.after("20s", function()
        port:send("ASK", "10.0.0.9", 5060)
        port:send("LOST", "10.0.0.77", 5060)
        port:close()
        port = assert(host.udp.open "udp://0.0.0.0:5061")
        host.store.put("port", port:port())
    end)
"""
HEARS = """
t.test("everybody_is_heard_at_a_port_and_answered_where_he_is", function()
    local near = t.line { on = function(self, bytes, _, port) self.last = { bytes, port } end }
    local far = t.line()
    local office = t.office { devices = { ["udp://10.0.0.8:5070"] = near, ["udp://10.0.0.9"] = far } }
    near:message(5060, "HELLO")
    far:message(5060, "LATER", "2s")
    near:message(5999, "nobody is there")
    office:run "5s"
    t.equal(#office:told(), 2)
    t.equal({ near.heard, far.heard, near.last }, { "ACK HELLO", "ACK LATER", { "ACK HELLO", 5060 } })
    t.equal({ office:stored "second", office:stored "port" }, { "busy", 5060 })
    t.equal(office:trace("commit subject", "commit put from", "send"), { "commit subject.heard",
        "send udp://10.0.0.8:5070 ACK HELLO", "commit put from subject.heard",
        "send udp://10.0.0.9:40000 ACK LATER" })
    office:run "20s"
    t.equal({ near.heard, far.heard, office:stored "port" }, { "ACK HELLO", "ACK LATERASK", 5061 })
    near:message(5060, "too late")
    near:message(5061, ("x"):rep(100))
    office:run "1s"
    t.equal({ #office:told(), office:events()[3].data.n }, { 3, 100 })
end)
t.test("a_process_that_dies_hears_again_at_the_same_port", function()
    local gate = t.line()
    local office = t.office { devices = { ["udp://10.0.0.8:5070"] = gate } }
    gate:message(5060, "ONE")
    office:run "1s"
    office:kill()
    gate:message(5060, "TWO")
    office:run "1s"
    t.equal(gate.heard, "ACK ONEACK TWO")
end)
"""


def test_everybody_who_sends_messages_can_be_played(tmp_path):
    plugin = PLUGIN.replace('needs = { "modbus" }', 'needs = { "udp" }').replace(
        ", bus = assert(host.modbus.open(config.url))", "")
    done = town.run(town.OUTPOST, "test", str(write(tmp_path, HEARS_START, HEARS, plugin)), expect=None)
    assert (done.returncode, last(done)) == (0, "2 passed, 0 failed"), done.stdout
