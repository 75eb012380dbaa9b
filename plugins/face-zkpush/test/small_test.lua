-- The smaller modules: address, clock, command, hello, picture.
local address = require "address"
local clock = require "clock"
local command = require "command"
local hello = require "hello"
local picture = require "picture"
local t = require "testing"

t.test("an_address_lies_in_its_range", function()
    t.equal({ address.fits("10.1.2.3", "10.1.2.3"), address.fits("10.1.2.4", "10.1.2.3"),
        address.fits("10.1.2.255", "10.1.2.0/24"), address.fits("10.1.3.0", "10.1.2.0/24"),
        address.fits("1.2.3.4", "0.0.0.0/0"), address.fits("fd00::1", "fd00::1"),
        address.fits("fd00::2", "fd00::1"), address.fits("fd00::1", "10.0.0.0/8") },
        { true, false, true, false, true, true, false, false })
end)

t.test("what_is_no_address_is_refused", function()
    for _, rule in ipairs { "10.1.2.3", "10.0.0.0/8", "fd00::1" } do
        t.equal(address.fault(rule), nil)
    end
    for _, rule in ipairs { "10.1.2", "10.1.2.256", "10.1.2.3/33", "10.1.2.3/", "fd00::/8", "",
        "1.2.3.4.5", "1111.2.3.4" } do
        t.holds(address.fault(rule), rule)
    end
end)

t.test("a_record_of_the_future_tells_a_clock_that_is_ahead", function()
    t.equal(clock.drift { now = 1000, time = 1300 }, 300)
    t.equal(clock.drift { now = 1000, time = 700 }, nil)
end)

t.test("a_clock_that_is_behind_shows_in_what_was_surely_just_recorded", function()
    local function drift(more)
        local seen = { now = 1000, time = 700, alone = true, heard = 10, posted = 90 }
        for name, value in pairs(more or {}) do
            seen[name] = value
        end
        return clock.drift(seen)
    end
    t.equal(drift(), -300)
    for _, doubt in ipairs { { alone = false }, { heard = 61 }, { posted = 59 } } do
        t.equal(drift(doubt), nil)
    end
    t.equal(clock.drift { now = 1000, time = 700, alone = true }, nil)
end)

t.test("a_wrong_clock_is_told_when_it_goes_wrong_changes_and_is_right_again", function()
    t.equal({ clock.judge(nil, 59, 60) }, { false, nil })
    t.equal({ clock.judge(nil, -61, 60) }, { true, -61 })
    t.equal({ clock.judge(-61, -70, 60) }, { false, -70 })
    t.equal({ clock.judge(-61, 7200, 60) }, { true, 7200 })
    t.equal({ clock.judge(7200, 3, 60) }, { true, nil })
end)

t.test("commands_are_written_and_read", function()
    local put = command.put_person("attendance", "1001", "Li", "77")
    t.equal(put, "DATA UPDATE USERINFO PIN=1001\tName=Li\tPri=0\tPasswd=\tCard=77\tGrp=1\tTZ="
        .. "0000000000000000")
    t.equal(command.remove_person("attendance", "1001"), "DATA DELETE USERINFO PIN=1001")
    t.equal(command.remove_person("security", "1001"), "DATA DELETE user Pin=1001")
    t.holds(command.put_person("security", "1", "A", ""):find("^DATA UPDATE user CardNo=\tPin=1\t"))
    t.equal(command.read(command.line(5, put) .. "\nnoise\n" .. command.line(6, "CHECK")),
        { { "5", put }, { "6", "CHECK" } })
end)

t.test("a_value_cannot_become_a_field_or_a_command", function()
    for _, text in ipairs { "a\tPri=14", "a\nC:9:CLEAR DATA", "a\r", "a\0" } do
        t.holds(not pcall(command.put_person, "attendance", "1", text, ""))
        t.holds(not pcall(command.remove_person, "attendance", text))
    end
end)

t.test("results_come_on_one_line_or_on_several", function()
    t.equal(command.results "ID=7&Return=0&CMD=DATA\nid=8 & return=-1002 & cmd=X\n",
        { { id = "7", code = 0, cmd = "DATA" }, { id = "8", code = -1002, cmd = "X" } })
    t.equal(command.results "ID=9\r\nSN=1\r\nReturn=0\r\nCMD=INFO\r\n~DeviceName=x\r\n",
        { { id = "9", code = 0, cmd = "INFO" } })
    t.equal(command.results "Return=0&CMD=x", {})
    t.equal(command.results "ID=1&Return=zero", { { id = "1" } })
    t.equal(#command.results(("ID=1&Return=0\n"):rep(1000)), 256)
end)

t.test("the_maker_counts_months_of_31_days", function()
    t.equal(command.encode(946684800, 0), 0)
    t.equal(command.encode(949363200, 0), 31 * 86400) -- 2000-02-01
    t.equal(command.tell_time(946684800 + 30, 480), "DateTime=30,ServerTZ=+0800")
    t.equal(command.tell_time(946684800, -330), "DateTime=0,ServerTZ=-0530")
    t.equal(command.set_time("attendance", 946684800, 480), "SET OPTION DateTime=28800")
    t.equal(command.set_time("security", 946684800, 480), "SET OPTIONS DateTime=28800")
end)

t.test("a_resend_is_asked_for_in_local_time", function()
    t.equal(command.resend("attendance", 1787196447, 1787200000, 480),
        "DATA QUERY ATTLOG StartTime=2026-08-20 11:27:27\tEndTime=2026-08-20 12:26:40")
    t.equal(command.resend("security", 1787196447, 1787200000, 480),
        "DATA QUERY tablename=transaction,fielddesc=*,filter=starttime=2026-08-20 11:27:27"
            .. "\tendtime=2026-08-20 12:26:40")
end)

t.test("a_terminal_is_asked_for_no_template_no_picture_and_no_person", function()
    local told = hello.attendance("SN1", { ATTLOG = "9999" }, 480, 10)
    t.holds(told:find("^GET OPTION FROM: SN1\nATTLOGStamp=9999\n"))
    t.holds(told:find("\nOPERLOGStamp=0\n", 1, true))
    t.holds(told:find("\nTransFlag=TransData AttLog\tOpLog\n", 1, true))
    t.holds(told:find("\nTimeZone=8\n", 1, true))
    t.holds(hello.attendance("SN1", {}, 330, 10):find("\nTimeZone=330\n", 1, true))
    local settings = hello.settings("abc", 10)
    t.holds(settings:find("\nTransTables=Transaction\n", 1, true))
    t.holds(settings:find("\nSessionID=abc\n", 1, true))
    t.equal(hello.security(nil, nil, 10), "OK")
    t.holds(hello.security("code", "abc", 10)
        :find "^registry=ok\nRegistryCode=code\nServerVersion=")
end)

t.test("the_protocol_is_told_by_the_first_request", function()
    t.equal({ hello.dialect { pushver = "2.4.1", devicetype = "att" },
        hello.dialect { pushver = "3.1.2" }, hello.dialect { devicetype = "ACC" },
        hello.dialect { pushver = "2.2.14" }, hello.dialect { pushver = "x" } },
        { "attendance", "security", "security", "attendance", "attendance" })
end)

t.test("a_picture_is_measured_in_each_of_its_forms", function()
    t.equal(picture.read("\xFF\xD8JPEG", { pin = "7", time = "t" }),
        { pin = "7", time = "t", from = 1, length = 6 })
    t.equal(picture.read("PIN=7\ttime=2026-06-19 10:00:00\tsize=4\nDATA", {}),
        { pin = "7", time = "2026-06-19 10:00:00", from = 39, length = 4 })
    local found = picture.read(
        "PIN=20260722143000-1001.jpg\nSN=1\nsize=3\nCMD=uploadphoto\0abc", {})
    t.equal({ found.pin, found.time, found.length }, { "1001", "20260722143000", 3 })
    found = picture.read(
        "PIN=20260722143000-0-1001-350105199001011234.jpg\nCMD=uploadphoto\0ab", {})
    t.equal({ found.pin, found.length }, { "1001", 2 })
    t.equal(picture.read("PIN=1\nCMD=realupload\tpicture=QUJD", {}).length, 4)
    t.equal(picture.read("", {}).length, 0)
end)

return t.finish()
