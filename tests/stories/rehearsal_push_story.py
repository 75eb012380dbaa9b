"""outpost test: a test pushes to the plugin's server as a device does."""
import town
from rehearsal_story import PLUGIN, last, write

SERVE_START = """
    host.serve.listen(config.url, { allow = { "192.0.2.0/24" }, body = 100 }, function(request)
        if request.path == "/boom" then
            error "boom"
        elseif request.path == "/slow" then
            host.sleep "2s"
        elseif request.query.sn ~= "1" then
            return { status = 404 }
        end
        local n = tonumber(request.body)
        if host.store.get "value" ~= n then
            host.emit { type = "subject.heard", data = { n = n } }
            host.store.put("value", n)
        end
        return { headers = { ["X-Type"] = request.headers["content-type"] }, body = "OK" }
    end)
"""
SERVE = """
local SERVER = "http://0.0.0.0:8088"
local function push(office, more)
    local request = { path = "/cdata", query = { sn = 1 }, body = "7", headers = { ["Content-Type"] = "x/y" } }
    for name, value in pairs(more or {}) do request[name] = value end
    return office:push(SERVER, request)
end
t.test("what_is_pushed_is_answered_behind_its_commit", function()
    local office = t.office { config = { url = SERVER } }
    t.equal(push(office), { status = 200, headers = { ["X-Type"] = "x/y" }, body = "OK" })
    t.equal(office:trace("POST", "commit", "answer"), { "POST http://0.0.0.0:8088/cdata",
        "commit subject.heard put value", "answer 200 /cdata" })
end)
t.test("a_device_that_was_not_answered_tries_again_and_is_heard_once", function()
    for _, when in ipairs { "before", "after" } do
        local office = t.office { config = { url = SERVER } }
        office:die { [when] = "commit" }
        t.equal(push(office), false)
        office:run "2s"
        t.equal(push(office).status, 200)
        t.equal(office:told(), { "subject.heard" })
    end
end)
t.test("a_full_disk_is_503_and_then_it_is_well_again", function()
    local office = t.office { config = { url = SERVER } }
    office:refuse(1)
    t.equal(push(office).status, 503)
    office:run "2s"
    t.equal(push(office).status, 200)
    t.equal({ office:deaths(), #office:told() }, { 1, 1 })
end)
t.test("others_are_answered_as_the_real_server_does", function()
    local office = t.office { config = { url = SERVER } }
    t.equal(push(office, { peer = "10.0.0.1" }), false)
    t.equal(push(office, { body = ("x"):rep(101) }).status, 413)
    t.equal(push(office, { query = {} }).status, 404)
    t.equal(push(office, { path = "/slow" }).status, 200)
    t.equal(push(office, { path = "/boom" }).status, 500)
    t.equal(#office:errors(), 1)
end)
"""


def test_devices_that_push_can_be_played(tmp_path):
    plugin = PLUGIN.replace('needs = { "modbus" }', 'needs = { "serve" }').replace(
        ", bus = assert(host.modbus.open(config.url))", "")
    folder = write(tmp_path, SERVE_START, SERVE, plugin)
    done = town.run(town.OUTPOST, "test", str(folder), expect=None)
    assert (done.returncode, last(done)) == (0, "4 passed, 0 failed"), done.stdout
