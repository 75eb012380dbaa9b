-- The plugin in an office whose dock is a folder.
local digest = require "digest"
local gbk = require "gbk"
local t = require "testing"

local ROOT = "/mnt/dock"
local NOW = 1775894400 -- 2026-04-11T08:00:00Z
local CLIP = "DCIM/330106_012345_T1A0001_20260411083015_0001.MP4"
local RECORDED = 1775867415 -- what its name says, in China

local function office_of(files, config, more)
    local disk = t.folder { files = files }
    local settings = { url = ROOT, poll = "10s", settle = "30s" }
    for name, value in pairs(config or {}) do
        settings[name] = value
    end
    local options = { config = settings, devices = { [ROOT] = disk },
        time = "2026-04-11T08:00:00Z" }
    for name, value in pairs(more or {}) do
        options[name] = value
    end
    return t.office(options), disk
end

local function clip(bytes, time)
    return { body = bytes or "a clip", time = time or NOW - 3600 }
end

local function recorded(office)
    local list = office:events "evidence.recorded"
    local paths = {}
    for i, event in ipairs(list) do
        paths[i] = event.data.path
    end
    return paths, list
end

t.test("a_clip_becomes_a_blob_and_one_event_that_names_it", function()
    local office = office_of { [CLIP] = clip "a clip", ["DCIM/sn.txt"] = "012345" }
    local event = office:next("evidence.recorded", "2m")
    t.equal(event.data, { sha256 = digest.sha256 "a clip", sm3 = digest.sm3 "a clip", size = 6,
        path = CLIP, source = ROOT, class = "ordinary", kind = "video", officer = "012345",
        officer_from = "name", device = "T1A0001", device_from = "name", unit = "330106",
        unit_from = "name", seq = 1, recorded_at = "2026-04-11T00:30:15.000Z",
        recorded_from = "name", recorded_within = 1, trust = "told", told = "2026-04-11T08:30:15",
        modified_at = "2026-04-11T07:00:00.000Z" })
    t.equal({ event.subject, event.lane }, { "device/bodycam/T1A0001", "record" })
    local blobs = office:blobs()
    t.equal({ #blobs, blobs[1].bytes, blobs[1].class, blobs[1].keep_ms },
        { 1, "a clip", "ordinary", 184 * 86400000 })
    office:run "1h"
    t.equal(office:told(), { "dock.online", "evidence.recorded" })
end)

t.test("what_was_thrown_away_stays_there", function()
    local office = office_of { [CLIP] = clip(), ["$RECYCLE.BIN/S-1-5/$I4F2K1.mp4"] = clip "i",
        ["$RECYCLE.BIN/S-1-5/$R4F2K1.mp4"] = clip "r", [".Trash-1000/files/a.mp4"] = clip "t" }
    office:run "2m"
    t.equal(recorded(office), { CLIP })
end)

t.test("a_clip_that_is_still_being_copied_is_waited_for", function()
    local office, disk = office_of { [CLIP] = clip "h" }
    for i = 1, 10 do
        office:run "20s"
        disk.files[CLIP] = clip(("h"):rep(i + 1))
    end
    t.equal(recorded(office), {})
    t.equal(office:next("evidence.recorded", "2m").data.size, 11)
end)

t.test("what_says_by_its_name_that_it_is_half_or_is_no_footage_is_not_taken", function()
    local office = office_of { ["a.MP4.part"] = clip(), [".b.mp4"] = clip(), ["c.txt"] = clip(),
        ["d.mp4"] = clip "", ["e.mp4"] = { kind = "link" } }
    office:run "10m"
    t.equal(office:told(), { "dock.online" })
end)

t.test("the_same_content_in_another_place_is_one_item", function()
    local office, disk = office_of { ["one/20260411083015.mp4"] = clip "same" }
    office:next("evidence.recorded", "2m")
    disk.files["two/20260411083015.mp4"] = clip "same"
    local again = office:next("evidence.again", "2m").data
    t.equal({ again.sha256, again.path }, { digest.sha256 "same", "two/20260411083015.mp4" })
    office:run "1h"
    t.equal({ #recorded(office), #office:blobs() }, { 1, 1 })
end)

t.test("what_another_dock_has_told_of_is_one_item_here_too", function()
    local office = office_of { ["b.mp4"] = clip "other" }
    office:give { type = "evidence.recorded", data = { sha256 = digest.sha256 "other",
        class = "ordinary", path = "a.mp4" } }
    t.equal(office:next("evidence.again", "2m").data.path, "b.mp4")
    t.equal(office:told(), { "dock.online", "evidence.again" })
end)

t.test("a_file_that_comes_back_is_not_read_again_and_one_that_changed_is", function()
    local office, disk = office_of { ["a.mp4"] = clip "one" }
    office:next("evidence.recorded", "2m")
    office:restart()
    office:run "10m"
    t.equal(#disk:requests "open", 1)
    disk.files["a.mp4"] = clip("two", NOW + 60)
    t.equal(office:next("evidence.recorded", "2m").data.sha256, digest.sha256 "two")
end)

t.test("a_file_with_another_date_and_the_same_content_is_nothing_new", function()
    local office, disk = office_of { ["a.mp4"] = clip "one" }
    office:next("evidence.recorded", "2m")
    disk.files["a.mp4"] = clip("one", NOW + 60)
    office:run "10m"
    t.equal({ #disk:requests "open", office:told() }, { 2, { "dock.online", "evidence.recorded" } })
end)

t.test("no_moment_is_a_bad_one_to_die", function()
    for nth = 1, 24 do
        local files = { ["a.mp4"] = clip "one", ["b/b.mp4"] = clip "two", ["b/sn.txt"] = "654321" }
        local office = office_of(files, { poll = "1s", settle = "2s" })
        office:die { after = "any", nth = nth }
        office:die { before = "commit", nth = 1 + nth // 6 }
        office:run "5m"
        local paths, events = recorded(office)
        table.sort(paths)
        t.equal(paths, { "a.mp4", "b/b.mp4" })
        t.equal(#office:blobs(), 2)
        for _, event in ipairs(events) do
            t.equal(event.data.officer, event.data.path == "b/b.mp4" and "654321" or nil)
        end
    end
end)

t.test("what_the_name_does_not_tell_comes_from_elsewhere_and_is_marked", function()
    local function mp4(seconds)
        return string.pack(">I4c4c8", 16, "ftyp", "isomiso2") .. string.pack(">I4c4I4c4I4I4I4c8",
            36, "moov", 28, "mvhd", 0, seconds + 2082844800, 0, "12345678")
    end
    local office = office_of { ["T1/DCIM/MOV_0001.MP4"] = clip(mp4(RECORDED)),
        ["T1/recorder.ini"] = "RecorderSerial=T1A0009\nDeptCode=330106000000",
        ["MOV_0002.MP4"] = clip("x", NOW - 7200) }
    office:run "2m"
    local _, events = recorded(office)
    table.sort(events, function(a, b) return a.data.path > b.data.path end)
    local inside, beside = events[1].data, events[2].data
    t.equal({ inside.recorded_at, inside.recorded_from, inside.trust, inside.device,
        inside.device_from, inside.unit, inside.officer }, { "2026-04-11T00:30:15.000Z",
        "container", "container", "T1A0009", "recorder", "330106000000", nil })
    t.equal({ beside.recorded_at, beside.recorded_from, beside.trust, beside.device },
        { "2026-04-11T06:00:00.000Z", "listing", "listing", nil })
end)

t.test("sources_that_contradict_each_other_are_told_and_the_name_counts", function()
    local office = office_of({ [CLIP] = clip(), ["DCIM/sn.txt"] = "999999" })
    local data = office:next("evidence.recorded", "2m").data
    t.equal({ data.officer, data.officer_from, data.differs }, { "012345", "name", { "officer" } })
end)

t.test("an_officer_may_be_told_by_the_settings", function()
    local office = office_of({ ["T7_x_20260411083015.mp4"] = clip() }, {
        patterns = { "{device:2}_*_{yyyyMMddHHmmss}" }, officers = { T7 = "777777" } })
    local data = office:next("evidence.recorded", "2m").data
    t.equal({ data.device, data.officer, data.officer_from }, { "T7", "777777", "setting" })
end)

t.test("important_footage_is_kept_longer_and_comes_first", function()
    local office = office_of { ["1_20260411083015.mp4"] = clip "a",
        ["x/lock/20260411083016.mp4"] = clip "b",
        ["T1A0001_012345_20260411083017_IMP.mp4"] = clip "c" }
    office:run "2m"
    local paths, events = recorded(office)
    t.equal(paths, { "x/lock/20260411083016.mp4", "T1A0001_012345_20260411083017_IMP.mp4",
        "1_20260411083015.mp4" })
    t.equal({ events[1].data.class, events[2].data.class, events[3].data.class },
        { "important", "important", "ordinary" })
    local kept = {}
    for _, blob in ipairs(office:blobs()) do
        kept[blob.bytes] = blob.class .. " " .. blob.keep_ms // 86400000
    end
    t.equal(kept, { a = "ordinary 184", b = "important 1095", c = "important 1095" })
end)

t.test("an_ordinary_clip_that_lies_among_the_important_ones_too_becomes_important", function()
    local office, disk = office_of { ["20260411083015.mp4"] = clip "a" }
    office:next("evidence.recorded", "2m")
    disk.files["imp/20260411083015.mp4"] = clip "a"
    t.equal(office:next("evidence.again", "2m").data.class, "important")
    t.equal(office:blobs()[1].class, "important")
end)

t.test("a_report_of_the_dock_is_believed_and_checked", function()
    local function report(sm3)
        return ('{"FileName":"MOV_1.MP4","Size":4,"Sm3":"%s","OriginalTime":"2026-04-11T08:30:15",'
            .. '"UserNo":"012345","RecorderSerial":"T1A0001"}'):format(sm3)
    end
    local office = office_of { ["MOV_1.MP4"] = clip "clip", ["MOV_1.json"] = report(
        digest.sm3 "clip"), ["b/MOV_1.MP4"] = clip "clop", ["b/MOV_1.MP4.json"] = report(
        digest.sm3 "clip") }
    office:run "2m"
    local _, events = recorded(office)
    t.equal({ events[1].data.matches, events[1].data.officer, events[1].data.recorded_from },
        { true, "012345", "report" })
    t.equal(events[2].data.matches, false)
    local alarm = office:events "evidence.differs"
    t.equal({ #alarm, alarm[1].lane, alarm[1].data.sm3 }, { 1, "alarm", digest.sm3 "clop" })
end)

t.test("dates_and_numbers_that_make_no_sense_hold_up_nothing", function()
    local office = office_of { ["a.mp4"] = clip("a", 1 << 50), ["b.mp4"] = clip("b", -5),
        ["c.mp4"] = clip "ccc", ["c.json"] = '{"FileName":"c.mp4","Size":3,'
            .. '"RecorderSerial":".x"}' }
    office:run "2m"
    local _, events = recorded(office)
    table.sort(events, function(a, b) return a.data.path < b.data.path end)
    t.equal({ events[1].data.trust, events[2].data.recorded_from, events[3].data.device,
        events[3].subject }, { "none", "none", ".x", "office" })
end)

t.test("a_clip_whose_commit_is_refused_is_left_alone_while_others_are_taken", function()
    local office = office_of { ["1.mp4"] = clip("1", 1), ["2.mp4"] = clip("2", 2) }
    office:run "25s"
    office:refuse(1)
    office:run "10m"
    local paths = recorded(office)
    table.sort(paths)
    t.equal({ paths, #office:blobs() }, { { "1.mp4", "2.mp4" }, 2 })
    office:errors()
end)

t.test("names_in_gbk_are_told_in_letters", function()
    local path = gbk.encode "执法/执法_012345_20260411083015.MP4"
    local office = office_of { [path] = clip() }
    local data = office:next("evidence.recorded", "2m").data
    t.equal({ data.path, data.officer }, { "执法/执法_012345_20260411083015.MP4", "012345" })
end)

t.test("a_camera_whose_footage_is_from_the_future_has_a_wrong_clock", function()
    local office = office_of({ ["20260411170000.mp4"] = clip() })
    local event = office:next("evidence.recorded", "2m")
    t.holds(event.data.clock_offset > 3400 and event.data.clock_offset <= 3600)
    t.equal({ event.data.clock_from, event.data.recorded_at }, { "future",
        "2026-04-11T09:00:00.000Z" })
end)

t.test("a_disk_that_fails_in_the_middle_leaves_nothing_behind_and_is_tried_again", function()
    local office, disk = office_of { ["a.mp4"] = { body = ("x"):rep(100000), time = 1,
        breaks = 70000 } }
    office:run "3m"
    t.equal({ #recorded(office), #office:blobs() }, { 0, 0 })
    disk.files["a.mp4"].breaks = nil
    t.equal(office:next("evidence.recorded", "10m").data.size, 100000)
end)

t.test("a_clip_that_changes_while_it_is_read_is_not_believed", function()
    local office, disk = office_of { ["a.mp4"] = clip "one" }
    disk.on = function(device, request)
        if request.call == "stat" and device.files["a.mp4"].body == "one" then
            device.files["a.mp4"] = clip "two!"
        end
    end
    t.equal(office:next("evidence.recorded", "10m").data.sha256, digest.sha256 "two!")
    t.equal(#office:blobs(), 1)
end)

t.test("without_room_ordinary_footage_waits_and_is_told_once", function()
    local office = office_of({ ["a.mp4"] = clip "a", ["b.mp4"] = clip "b", ["c.mp4"] = clip "c" })
    office:refuse_blobs(6, "full")
    office:run "10m"
    t.equal(office:told(), { "dock.online", "dock.waiting", "evidence.recorded",
        "evidence.recorded", "evidence.recorded", "dock.going_on" })
    t.equal(office:events "dock.waiting"[1].data.clips, 3)
end)

t.test("room_that_is_only_being_made_is_no_alarm", function()
    local office = office_of { ["a.mp4"] = clip "a", ["b.mp4"] = clip "b" }
    office:refuse_blobs(1, "full")
    office:run "10m"
    t.equal(office:told(), { "dock.online", "evidence.recorded", "evidence.recorded" })
end)

t.test("a_folder_that_is_not_there_is_told_once_and_again_when_it_comes", function()
    local office, disk = office_of({ ["a.mp4"] = clip() }, { offline_after = "1m" })
    disk:fail "missing"
    office:run "1h"
    t.equal(office:told(), { "dock.offline" })
    t.equal(office:events "dock.offline"[1].data, { source = ROOT, cause = "missing" })
    disk:heal()
    office:run "10m"
    t.equal(office:told(), { "dock.offline", "dock.online", "evidence.recorded" })
end)

t.test("a_folder_inside_that_cannot_be_read_hides_no_other", function()
    local office, disk = office_of { ["a/a.mp4"] = clip "a", ["b/b.mp4"] = clip "b" }
    disk:fail { with = "denied", on = "list a", times = math.huge }
    office:run "5m"
    t.equal(recorded(office), { "b/b.mp4" })
end)

t.test("what_is_gone_from_the_dock_is_forgotten_but_its_content_is_not", function()
    local office, disk = office_of { ["a.mp4"] = clip "a" }
    office:next("evidence.recorded", "2m")
    disk.files["a.mp4"] = nil
    office:run "2h"
    local files = 0
    for key in pairs(office:stored()) do
        files = files + (key:find "^file/" and 1 or 0)
    end
    t.equal(files, 0)
    disk.files["a.mp4"] = clip "a"
    office:next("evidence.again", "5m")
    t.equal(#recorded(office), 1)
end)

t.test("thousands_of_files_fit_and_what_is_more_waits", function()
    local files, store = {}, {}
    for i = 1, 8100 do
        local path = ("20260411/T1A0001/012345/330106_012345_T1A0001_20260411083015_%06d.MP4")
            :format(i)
        files[path] = clip "x"
        if i > 100 then
            store["file/" .. digest.sha256(path):sub(1, 32)] = { s = 1, t = NOW - 3600, w = 1,
                h = "0" }
        end
    end
    local office = office_of(files, { poll = "10s" }, { store = store })
    office:run "3m"
    t.equal(office:metrics().clips_seen, 8000)
    t.holds(office:look "dock".known <= 8000)
    t.equal(recorded(office), {})
    office:run "10m"
    local warnings = 0
    for _, line in ipairs(office:log()) do
        warnings = warnings + (line:find "files lie on the dock" and 1 or 0)
    end
    t.equal(warnings, 1)
end)

t.test("who_looks_sees_how_the_dock_is", function()
    local office = office_of { ["a.mp4"] = clip "a" }
    office:run "2m"
    local state = office:look "dock"
    t.equal({ state.source, state.known, state.in_sight, state.fault }, { ROOT, 1, 1 })
end)

return t.finish()
