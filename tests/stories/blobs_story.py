"""host.blob: bytes stored beside the journal and named by an event of the same commit."""
from subject import PLUGIN, last, run

# Stores the picture that a register announces, as long as the register says, with its event.
KEEPS = """
    host.every(config.poll, function()
        local words = self.bus:read_holding(0, 1)
        if not words or words[1] == host.store.get "value" then
            return
        end
        local spool <close>, message, code = host.blob.open { class = "picture", most = 100000 }
        if not spool then
            host.log.warn("no picture: %s", message)
            if code ~= "full" then
                return
            end
        end
        for _ = 1, words[1] do
            if spool and not spool:write(("x"):rep(1000)) then
                break
            end
        end
        local blob = spool and assert(spool:finish())
        if blob then
            host.blob.keep(blob.sha256, { class = "important", keep = "30d" })
        end
        host.emit { type = "subject.changed", data = { value = blob and blob.size or 0 } }
        host.store.put("value", words[1])
    end)
"""

PROMISES = """
t.test("a_blob_is_kept_with_its_event", function()
    local office, device = begin()
    office:run "5s"
    local blobs = office:blobs()
    t.equal(#blobs, 1)
    t.equal({ blobs[1].size, blobs[1].class, blobs[1].keep_ms, blobs[1].erase, #blobs[1].bytes },
        { 5000, "important", 30 * 86400000, false, 5000 })
    t.equal(#blobs[1].sha256, 64)
    t.equal(#blobs[1].sm3, 64)
    t.equal(office:trace("spool", "seal", "commit"), { "spool picture", "seal 5000",
        "commit blob important subject.changed put value" })
    device.holding[0] = 90                       -- more than a pipe holds
    office:run "5s"
    t.equal(#office:blobs()[2].bytes, 90000)
end)
t.test("whenever_it_dies_there_is_one_event_for_one_blob", function()
    for nth = 1, 8 do
        local office = begin()
        office:die { before = "any", nth = nth }
        office:run "20s"
        t.equal(office:told(), { "subject.changed" })
        t.equal(#office:blobs(), 1)
    end
end)
t.test("no_room_is_no_end", function()
    local office = begin()
    office:refuse_blobs(1)
    office:run "5s"
    t.equal(office:events()[1].data.value, 0)
    t.equal(office:blobs(), {})
    t.equal(office:trace "spool", { "spool picture: No space left on device" })
end)
t.test("what_is_too_big_is_thrown_away", function()
    local office, device = begin()
    device.holding[0] = 101
    office:run "500ms"
    t.equal(office:trace("seal", "abandon"), {})
    office:run "2s"
    t.equal(#office:blobs()[1].bytes, 100000)
end)
"""


def test_a_plugin_is_tested_with_blobs_in_memory(tmp_path):
    plugin = PLUGIN.replace('needs = { "modbus" }', 'needs = { "modbus", "blob" }')
    done = run(tmp_path, KEEPS, PROMISES, plugin=plugin)
    assert (done.returncode, last(done)) == (0, "4 passed, 0 failed"), done.stdout
