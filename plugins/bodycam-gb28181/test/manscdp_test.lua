local gbk = require "gbk"
local manscdp = require "manscdp"
local t = require "testing"
local time = require "time"

local ID = "35010500001320000007"

local function document(encoding, body)
    return ('<?xml version="1.0" encoding="%s"?>\r\n%s'):format(encoding, body)
end

local function read(text, encoding)
    local body = assert(manscdp.decode(document(encoding or "GB2312", text)))
    return manscdp.read(body, 480), body
end

local CATALOGUE = "<Response><CmdType>Catalog</CmdType><SN>7</SN><DeviceID>" .. ID
    .. "</DeviceID><SumNum>8</SumNum><DeviceList Num='2'><Item><DeviceID>1</DeviceID><Name>%s"
    .. "</Name><Status>ON</Status></Item><Item><DeviceID>2</DeviceID><Name/></Item></DeviceList>"
    .. "</Response>"

t.test("letters_are_the_same_in_whatever_charset_they_are_told_or_sent", function()
    local name = "执法记录仪朱镕基01"
    local utf8_body = CATALOGUE:format(name)
    local gb_body = gbk.encode(utf8_body)
    for _, case in ipairs { { "GB2312", gb_body }, { "gb2312", utf8_body }, { "GBK", gb_body },
        { "GB18030", gb_body }, { "UTF-8", utf8_body } } do
        local answer, body = read(case[2], case[1])
        t.equal({ body.kind, body.cmd, body.sn, body.device },
            { "Response", "Catalog", 7, ID })
        t.equal({ answer.sum, answer.num, #answer.items }, { 8, 2, 2 })
        t.equal(answer.items[1], { id = "1", name = name, status = "ON" })
        t.equal(answer.items[2], { id = "2" })
    end
end)

t.test("a_charset_that_is_told_wrongly_or_not_at_all_is_seen_through", function()
    local name = "执法记录仪朱镕基01"
    local utf8_body = CATALOGUE:format(name)
    local gb_body = gbk.encode(utf8_body)
    for _, bytes in ipairs { document("UTF-8", gb_body), gb_body, utf8_body,
        document("ISO-8859-1", gb_body), document("utf8", utf8_body),
        "<?xml version='1.0'?>" .. gb_body, "\r\n \n" .. document("GB2312", gb_body)
            .. "\r\n\0" } do
        local body = assert(manscdp.decode(bytes))
        t.equal(manscdp.read(body, 480).items[1].name, name)
    end
end)

t.test("an_ampersand_that_nobody_escaped_is_a_letter", function()
    for _, name in ipairs { "A&B", "A & B", "&", "A&amp;B&C", "&x;", "&#;" } do
        local answer = read(CATALOGUE:format(name), "UTF-8")
        t.equal(answer.items[1].name, (name:gsub("&amp;", "&")))
    end
end)

t.test("times_are_the_cameras_local_ones_and_keep_what_was_told", function()
    local answer = read("<Response><CmdType>RecordInfo</CmdType><recordlist Num='1'><Item>"
        .. "<DeviceID>1</DeviceID><StartTime>2026-11-21T11:04:05</StartTime>"
        .. "<EndTime>2026-11-21 12:00:00</EndTime><FileSize>9000000000</FileSize><Type> all </Type>"
        .. "<FilePath>/a/b</FilePath></Item></recordlist></Response>")
    local item = answer.items[1]
    t.equal(time.format(item.from), "2026-11-21T03:04:05.000Z")
    t.equal({ item.to - item.from, item.from_told, item.size, item.type, item.file },
        { 3355, "2026-11-21T11:04:05", 9000000000, "all", "/a/b" })
    t.equal(answer.sum, nil)
end)

t.test("an_alarm_says_what_it_says_and_nothing_is_made_up", function()
    local alarm = read("<Notify><CmdType>Alarm</CmdType><AlarmPriority>1</AlarmPriority>"
        .. "<AlarmMethod>2</AlarmMethod><AlarmTime>2026-11-21T11:04:05</AlarmTime>"
        .. "<AlarmDescription>跌倒</AlarmDescription><Info><AlarmType>5</AlarmType></Info>"
        .. "<Longitude>119.3</Longitude></Notify>", "UTF-8")
    t.equal({ alarm.priority, alarm.method, alarm.type, alarm.description, alarm.longitude },
        { 1, 2, 5, "跌倒", 119.3 })
    t.equal(read "<Notify><CmdType>Alarm</CmdType><AlarmPriority>x</AlarmPriority></Notify>", {})
end)

t.test("numbers_that_are_none_are_absent", function()
    for _, wrong in ipairs { "", "nan", "inf", "0x10", "1e99", ".", "e1", "1e", "+",
        "1,5", "--1", "9 9" } do
        t.equal(read(("<Notify><CmdType>MobilePosition</CmdType><Longitude>%s</Longitude></Notify>")
            :format(wrong)), {})
    end
    t.equal(read "<Notify><CmdType>MobilePosition</CmdType><Speed>-0.5</Speed></Notify>",
        { speed = -0.5 })
end)

t.test("a_text_is_cut_between_letters", function()
    local answer = read(CATALOGUE:format("x" .. ("仪"):rep(100)), "UTF-8")
    t.equal(answer.items[1].name, "x" .. ("仪"):rep(42))
end)

t.test("a_list_has_a_bound", function()
    local many = ("<Item><DeviceID>1</DeviceID></Item>"):rep(1001)
    local answer = read("<Response><CmdType>Catalog</CmdType><DeviceList>" .. many
        .. "</DeviceList></Response>")
    t.equal(#answer.items, 1000)
end)

t.test("what_is_no_body_is_refused", function()
    for _, wrong in ipairs { "", "<Notify>", "<Other><CmdType>A</CmdType></Other>", "<Notify/>",
        "<Notify><CmdType>a b</CmdType></Notify>" } do
        local body, why = manscdp.decode(wrong)
        t.equal(body, nil)
        t.holds(why:find "expected" or why ~= "", why)
    end
    t.equal(read "<Notify><CmdType>Broadcast</CmdType></Notify>", nil)
end)

t.test("a_question_is_what_cameras_read", function()
    t.equal(manscdp.query("RecordInfo", 5, ID, { { "StartTime",
        manscdp.local_time(1795230245, 480) }, { "Type", "all" } }),
        '<?xml version="1.0" encoding="GB2312"?>\r\n<Query>\r\n<CmdType>RecordInfo</CmdType>\r\n'
        .. "<SN>5</SN>\r\n<DeviceID>" .. ID .. "</DeviceID>\r\n"
        .. "<StartTime>2026-11-21T11:04:05</StartTime>\r\n<Type>all</Type>\r\n</Query>\r\n")
    t.equal(manscdp.decode(manscdp.query("Catalog", 5, ID)).sn, 5)
    t.holds(not pcall(manscdp.query, "Catalog", 5, "<x>"))
end)

return t.finish()
