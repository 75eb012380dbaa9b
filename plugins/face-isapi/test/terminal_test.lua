-- The terminal itself: its login, its identity, its clock, whether it answers; and who it knows.
local double = require "double"
local t = require "testing"

local LOCKED = "<userCheck><lockStatus>locked</lockStatus><unlockTime>600</unlockTime></userCheck>"

t.test("a_wrong_password_is_tried_once_and_never_again", function()
    local one = double.new { password = "another" }
    local office = double.begin(one, { mode = "auto" })
    office:run "3h"
    office:restart()
    office:run "3h"
    office:kill()
    office:run "3h"
    t.equal(one.asked, 1)
    t.equal(office:told(), { "terminal.auth_failed" })
    t.equal(office:events()[1].lane, "alarm")
    t.holds(not table.concat(office:log()):find(double.PASSWORD, 1, true))
end)

t.test("another_password_in_the_configuration_is_tried", function()
    local one = double.new()
    local office = double.begin(one, { password = "wrong" })
    office:run "1m"
    local later = t.office { config = double.config(), devices = { [double.URL] = one.http },
        store = office:stored() }
    later:run "1m"
    t.equal(later:told(), { "terminal.online" })
end)

t.test("going_back_to_a_password_that_was_refused_asks_nothing", function()
    local one = double.new()
    local stored
    for count, password in ipairs { "wrong 1", "wrong 2", "wrong 1", "wrong 2" } do
        local office = t.office { config = double.config { password = password },
            devices = { [double.URL] = one.http }, store = stored }
        office:run "10m"
        stored = office:stored()
        t.equal(one.asked, math.min(count, 2))
    end
end)

t.test("a_locked_account_is_tried_once_more_when_the_lock_is_over", function()
    local one = double.new { password = "another", lock = LOCKED }
    local office = double.begin(one)
    office:run "9m"
    t.equal(one.asked, 1)
    local told = office:events("terminal.auth_failed")[1].data
    t.equal({ told.locked, told.unlock_s }, { true, 600 })
    one.password, one.lock = nil, nil
    office:run "5m"
    t.equal(office:told(), { "terminal.auth_failed", "terminal.online" })
end)

t.test("a_technician_may_have_it_tried_once_more", function()
    local one = double.new { password = "another" }
    local office = double.begin(one)
    office:run "1m"
    one.password = nil
    t.holds(office:act("try_login"))
    office:run "1m"
    t.equal(office:told(), { "terminal.auth_failed", "terminal.online" })
end)

t.test("who_does_not_answer_is_offline_and_comes_back_with_what_it_recorded", function()
    local one = double.new()
    local office = double.begin(one)
    office:run "1m"
    one.http:fail "refused"
    one:fill(4)
    office:run "10m"
    one.http:heal()
    office:run "1m"
    t.equal(#office:events "terminal.online", 2)
    t.equal(#office:events "terminal.offline", 1)
    t.equal(office:events("terminal.offline")[1].data.cause, "no_answer")
    t.equal(#office:events "terminal.door" + #office:events "checkin.verified", 4)
end)

t.test("another_terminal_in_its_place_is_not_believed", function()
    local one = double.new()
    one:fill(3)
    local office = double.begin(one)
    office:run "1m"
    one.serial = "DS-OTHER"
    one.http:fail { with = "refused", times = 30 }
    office:run "10m"
    one:fill(3)
    office:run "2h"
    t.equal(office:events("terminal.offline")[1].data.cause, "no_answer")
    t.equal(#office:events "terminal.door" + #office:events "checkin.verified", 3)
end)

t.test("a_wrong_clock_is_told_once_and_set_where_that_is_wished", function()
    for _, set in ipairs { false, true } do
        local one = double.new { drift = 7200 }
        local office = double.begin(one, { set_clock = set })
        office:run "5h"
        local told = office:events "terminal.clock_wrong"
        t.equal(#told, 1)
        t.equal(told[1].data.corrected, set)
        t.holds(math.abs(told[1].data.drift - 7200) < 2)
        t.equal(one.drift, set and 0 or 7200)
    end
end)

t.test("a_clock_is_set_when_a_technician_asks", function()
    local one = double.new { drift = -100 }
    local office = double.begin(one)
    office:run "10s"
    t.holds(office:act("set_clock"))
    t.equal(one.drift, 0)
end)

t.test("persons_are_changed_by_officers_and_that_is_on_record", function()
    local one = double.new()
    local bodies = {}
    local function note(_, request)
        bodies[#bodies + 1] = request.body
        return { body = '{"statusCode":1,"statusString":"OK","subStatusCode":"ok"}' }
    end
    one.pages = {
        ["POST /ISAPI/AccessControl/UserInfo/Record"] = note,
        ["PUT /ISAPI/AccessControl/UserInfo/Modify"] = note,
        ["PUT /ISAPI/AccessControl/UserInfo/Delete"] = note,
        ["POST /ISAPI/Intelligent/FDLib/FaceDataRecord"] = note,
        ["PUT /ISAPI/Intelligent/FDLib/FDSearch/Delete"] = note,
    }
    local office = double.begin(one)
    office:run "10s"
    local person = { number = "0042", name = "SECRET-NAME", days = 90 }
    t.holds(office:act("add_person", person))
    t.holds(office:act("change_person", person))
    t.holds(office:act("add_face", { number = "0042",
        picture = require("digest").base64 "\xFF\xD8SECRET-FACE\xFF\xD9" }))
    t.holds(office:act("remove_face", { number = "0042" }))
    t.holds(office:act("remove_person", { number = "0042" }))
    t.equal(#bodies, 5)
    t.holds(bodies[1]:find '"employeeNo":"0042"' and bodies[3]:find "SECRET%-FACE")
    local changes = {}
    for i, event in ipairs(office:events "terminal.person_changed") do
        changes[i] = event.data.change
        t.equal(event.subject, "person/0042")
        t.holds(not require("json").encode(event):find "SECRET")
    end
    t.equal(changes, { "added", "changed", "face_added", "face_removed", "removed" })
end)

t.test("what_the_terminal_refuses_is_told_and_is_no_event", function()
    local one = double.new()
    one.pages = { ["POST /ISAPI/AccessControl/UserInfo/Record"] = function()
        return { body = '{"statusCode":6,"subStatusCode":"employeeNoAlreadyExist"}' }
    end }
    local office = double.begin(one)
    office:run "10s"
    local done, why = office:act("add_person", { number = "1" })
    t.equal({ done, why }, { nil, "the terminal answers 200 employeeNoAlreadyExist" })
    local none, fault = office:act("add_face", { number = "1", picture = "bm8=" })
    t.equal({ none, fault }, { nil, "picture: expected a JPEG in base64" })
    t.equal(#office:events "terminal.person_changed", 0)
end)

t.test("the_roster_is_compared_with_whom_the_terminal_knows", function()
    local one = double.new()
    one.pages = { ["POST /ISAPI/AccessControl/UserInfo/Search"] = function(_, request)
        local second = request.body:find '"searchResultPosition":2'
        return { body = second and [[{"UserInfoSearch":{"responseStatusStrg":"OK","UserInfo":[
            {"employeeNo":"9","name":"SECRET","numOfFace":1}]}}]]
            or [[{"UserInfoSearch":{"responseStatusStrg":"MORE","UserInfo":[
            {"employeeNo":"1","name":"SECRET","numOfFace":1},
            {"employeeNo":"2","name":"SECRET","numOfFace":0}]}}]] }
    end }
    local office = double.begin(one, { people = { ["1"] = "A-1", ["2"] = "A-2", ["3"] = "A-3" } })
    office:run "10s"
    t.equal(office:look("compare"), { beyond = { "9" }, faceless = { "2" }, missing = { "3" } })
    local rows = office:look("persons")
    t.equal(#rows, 3)
    t.equal(rows[1], { cards = 0, faces = 1, fingers = 0, number = "1", person = "A-1",
        valid = true })
end)

return t.finish()
