-- Bodies of MANSCDP as cameras and docks of many makes write them: written here from GB/T 28181,
-- editions of 2011, 2016 and 2022, each with what it must be taken for.
local double = require "double"
local gather = require "gather"
local gbk = require "gbk"
local manscdp = require "manscdp"
local sip = require "sip"
local t = require "testing"

local ID, OFFSET = "35010500001320000007", 480

local function read(bytes)
    local body, why = manscdp.decode(bytes)
    assert(body, why)
    return manscdp.read(body, OFFSET), body
end

-- ---- Documents

local KEEPALIVE = "<Notify><CmdType>Keepalive</CmdType><SN>43</SN><DeviceID>" .. ID
    .. "</DeviceID><Status>OK</Status></Notify>"

local DOCUMENTS = {
    plain = '<?xml version="1.0" encoding="GB2312"?>\r\n' .. KEEPALIVE,
    ["no declaration"] = KEEPALIVE,
    ["no version"] = '<?xml encoding="GB2312"?>' .. KEEPALIVE,
    ["single quotes"] = "<?xml version='1.0' encoding='gb2312'?>\n" .. KEEPALIVE,
    ["standalone"] = '<?xml version="1.0" encoding="GB2312" standalone="yes" ?>' .. KEEPALIVE,
    ["another name of the charset"] = '<?xml version="1.0" encoding="GB_2312-80"?>' .. KEEPALIVE,
    ["UTF8"] = '<?xml version="1.0" encoding="UTF8"?>' .. KEEPALIVE,
    ["a mark of UTF-8"] = '\xEF\xBB\xBF<?xml version="1.0" encoding="UTF-8"?>' .. KEEPALIVE,
    ["a mark of UTF-8 before GB"] = '\xEF\xBB\xBF<?xml version="1.0" encoding="GB2312"?>'
        .. KEEPALIVE,
    ["empty lines around"] = "\r\n\r\n" .. KEEPALIVE .. "\r\n\r\n",
    ["a NUL behind"] = KEEPALIVE .. "\0",
    ["another namespace"] = '<gb:Notify xmlns:gb="urn:gb"><gb:CmdType>Keepalive</gb:CmdType>'
        .. "<gb:SN>43</gb:SN><gb:DeviceID>" .. ID .. "</gb:DeviceID><gb:Status>OK</gb:Status>"
        .. "</gb:Notify>",
    ["a default namespace"] = KEEPALIVE:gsub("<Notify>", '<Notify xmlns="http://x/y">'),
    ["a prefix that nobody declared"] = KEEPALIVE:gsub("<(/?)", "<%1ns0:"),
    ["in capitals"] = KEEPALIVE:gsub("</?%a+>", string.upper),
    ["in small letters"] = KEEPALIVE:gsub("</?%a+>", string.lower),
    ["KeepAlive"] = KEEPALIVE:gsub("Keepalive", "KeepAlive"),
    ["keepalive"] = KEEPALIVE:gsub("Keepalive", "keepalive"),
    ["blanks in the texts"] = KEEPALIVE:gsub(">(%w+)<", "> %1\r\n<"),
    ["CDATA"] = KEEPALIVE:gsub(">(%w+)<", "><![CDATA[%1]]><"),
    ["comments"] = KEEPALIVE:gsub("<SN>", "<!-- 心跳 --><SN>"),
    ["another order"] = "<Notify><Status>OK</Status><DeviceID>" .. ID .. "</DeviceID><SN>43</SN>"
        .. "<CmdType>Keepalive</CmdType></Notify>",
    ["more elements"] = KEEPALIVE:gsub("</Notify>", "<Info><DeviceID>1</DeviceID></Info>"
        .. "<Extra a='1'/></Notify>"),
    ["an attribute without quotes"] = KEEPALIVE:gsub("<SN>", "<SN type=int>"),
    ["a control character"] = KEEPALIVE:gsub("</Notify>", "<Name>a\1b</Name></Notify>"),
}

t.test("a_body_says_the_same_however_it_is_written", function()
    for name, bytes in pairs(DOCUMENTS) do
        local ok, answer, body = pcall(read, bytes)
        t.holds(ok, ("%s: %s"):format(name, answer))
        t.equal({ name, body.kind, body.cmd, body.sn, body.device, answer.status },
            { name, "Notify", "Keepalive", 43, ID, "OK" })
    end
end)

t.test("what_is_torn_or_something_else_is_none", function()
    for at = 1, #KEEPALIVE - 1, 7 do
        t.equal(manscdp.decode(KEEPALIVE:sub(1, at)), nil)
    end
    for _, bytes in ipairs { "v=0\r\no=x", '{"CmdType":"Keepalive"}', "<html><body/></html>",
        '<!DOCTYPE a [<!ENTITY b "c">]>' .. KEEPALIVE, KEEPALIVE .. KEEPALIVE,
        ("<Notify>"):rep(40) .. ("</Notify>"):rep(40) } do
        t.equal(manscdp.decode(bytes), nil)
    end
end)

-- ---- Letters

local NAMES = { "执法记录仪01", "大队一中队 3#", "朱镕基", "㐀㐁", "A&amp;B 室", "·—“”" }

t.test("names_are_the_same_in_every_charset_that_may_be_declared_and_sent", function()
    for _, name in ipairs(NAMES) do
        local text = "<Response><CmdType>DeviceInfo</CmdType><SN>1</SN><DeviceID>" .. ID
            .. "</DeviceID><DeviceName>" .. name .. "</DeviceName></Response>"
        for _, declared in ipairs { "GB2312", "gb2312", "GBK", "GB18030", "UTF-8", "utf-8" } do
            local head = ('<?xml version="1.0" encoding="%s"?>\r\n'):format(declared)
            for _, bytes in ipairs { text, (gbk.encode(text, "gb18030")) } do
                t.equal({ declared, read(head .. bytes).name },
                    { declared, (name:gsub("&amp;", "&")) })
            end
        end
    end
end)

t.test("a_name_that_was_cut_within_a_letter_harms_no_other", function()
    local text = "<Response><CmdType>DeviceInfo</CmdType><Manufacturer>海康威视</Manufacturer>"
        .. "<DeviceName>" .. ("执法记录仪大队一中队三"):sub(1, 32) .. "</DeviceName></Response>"
    for _, declared in ipairs { "GB2312", "UTF-8", "utf8" } do
        local told = read(('<?xml version="1.0" encoding="%s"?>'):format(declared) .. text)
        t.equal({ told.manufacturer, told.name:sub(1, 30) },
            { "海康威视", "执法记录仪大队一中队" })
    end
end)

-- ---- Numbers and times

local function position(field, value)
    return read(("<Notify><CmdType>MobilePosition</CmdType><%s>%s</%s></Notify>"):format(field,
        value, field))
end

t.test("numbers_are_read_however_they_are_printed", function()
    for told, wanted in pairs { ["119.296500"] = 119.2965, ["+119.2965"] = 119.2965,
        [" 119.2965 "] = 119.2965, ["-0.5"] = -0.5, [".5"] = 0.5, ["5."] = 5.0, ["0"] = 0,
        ["1.192965e+02"] = 119.2965, ["1.192965E02"] = 119.2965, ["007"] = 7 } do
        t.equal({ told, position("Longitude", told).longitude }, { told, wanted })
    end
    for _, told in ipairs { "119°17'", "E119.3", "119,3", "NULL", "-", "1e999", "0x77", "1.2.3" } do
        t.equal({ told, position("Longitude", told).longitude }, { told })
    end
end)

t.test("times_are_read_however_they_are_written", function()
    for told, wanted in pairs { ["2026-11-21T11:04:05"] = 1795230245,
        ["2026-11-21 11:04:05"] = 1795230245, ["2026-11-21T11:04:05.000"] = 1795230245.0,
        ["2026/11/21 11:04:05"] = 1795230245, ["20261121110405"] = 1795230245,
        ["20261121T110405"] = 1795230245, ["2026-11-21T11:04:05+08:00"] = 1795230245,
        ["2026-11-21T03:04:05Z"] = 1795230245, ["2026-1-2T3:4:5"] = 1767294245,
        ["2026-11-21  11:04:05"] = 1795230245, ["2026-11-21 11:04"] = 1795230240 } do
        t.equal({ told, position("Time", told).time }, { told, wanted })
    end
    for _, told in ipairs { "1970-01-01T00:00:00", "2026-02-30T00:00:00", "11:04:05", "now", "0",
        "2026-11-21T25:00:00" } do
        local read_of = position("Time", told)
        t.equal({ read_of.told, read_of.time }, { told })
    end
end)

-- ---- Positions and alarms

t.test("places_of_the_edition_of_2022_are_in_a_list", function()
    local told = read("<Notify><CmdType>MobilePosition</CmdType><SN>5</SN><DeviceID>" .. ID
        .. "</DeviceID><SumNum>3</SumNum><Time>2026-11-21T11:04:09</Time><DeviceList Num='3'><Item>"
        .. "<DeviceID>35010500001320000001</DeviceID><CaptureTime>2026-11-21T11:04:04</CaptureTime>"
        .. "<Longitude>119.1</Longitude><Latitude>26.1</Latitude></Item><Item><DeviceID>"
        .. "35010500001320000002</DeviceID><CaptureTime>2026-11-21T11:04:05</CaptureTime>"
        .. "<Longitude>119.3</Longitude><Latitude>26.2</Latitude><Speed>4.5</Speed><Height>9"
        .. "</Height></Item><Item><DeviceID>35010500001320000003</DeviceID></Item></DeviceList>"
        .. "</Notify>")
    t.equal(told, { channel = "35010500001320000002", time = 1795230245,
        told = "2026-11-21T11:04:05", longitude = 119.3, latitude = 26.2, speed = 4.5 })
end)

local ALARMS = {
    ["of 2011"] = { "<AlarmPriority>1</AlarmPriority><AlarmMethod>2</AlarmMethod><AlarmTime>"
        .. "2026-11-21T11:04:05</AlarmTime>", { 1, 2, nil, 1795230245 } },
    ["of 2016"] = { "<AlarmPriority>4</AlarmPriority><AlarmTime>2026-11-21T11:04:05</AlarmTime>"
        .. "<AlarmMethod>5</AlarmMethod><Info><AlarmType>2</AlarmType><AlarmTypeParam><EventType>1"
        .. "</EventType></AlarmTypeParam></Info>", { 4, 5, 2, 1795230245 } },
    ["with a second Info"] = { "<Info><Extra/></Info><AlarmMethod>5</AlarmMethod><Info><AlarmType>6"
        .. "</AlarmType></Info>", { nil, 5, 6 } },
    ["the type beside the method"] = { "<AlarmMethod>2</AlarmMethod><AlarmType>3</AlarmType>",
        { nil, 2, 3 } },
    ["an empty Info"] = { "<Info/><AlarmMethod>1</AlarmMethod>", { nil, 1 } },
    ["the time as Time"] = { "<AlarmMethod>1</AlarmMethod><Time>2026-11-21T11:04:05</Time>",
        { nil, 1, nil, 1795230245 } },
    ["numbers with zeros"] = { "<AlarmPriority>01</AlarmPriority><AlarmMethod>02</AlarmMethod>",
        { 1, 2 } },
    ["empty elements"] = { "<AlarmPriority/><AlarmMethod></AlarmMethod><AlarmTime/>", {} },
    ["words for numbers"] = { "<AlarmPriority>high</AlarmPriority><AlarmMethod>SOS</AlarmMethod>",
        {} },
}

t.test("alarms_of_every_edition_say_what_they_say", function()
    for name, case in pairs(ALARMS) do
        local told = read("<Notify><CmdType>Alarm</CmdType><SN>1</SN><DeviceID>" .. ID
            .. "</DeviceID>" .. case[1] .. "</Notify>")
        t.equal({ name, told.priority, told.method, told.type, told.time },
            { name, table.unpack(case[2], 1, 4) })
    end
end)

-- ---- Lists

local LISTS = {
    ["empty"] = { '<SumNum>0</SumNum><DeviceList Num="0"/>', { 0, 0, 0 } },
    ["empty, of two tags"] = { '<SumNum>0</SumNum><DeviceList Num="0"></DeviceList>', { 0, 0, 0 } },
    ["no list at all"] = { "<SumNum>0</SumNum>", { 0, 0, 0 } },
    ["no sum"] = { '<DeviceList Num="1"><Item><DeviceID>1</DeviceID></Item></DeviceList>',
        { nil, 1, 1 } },
    ["no Num"] = { "<SumNum>2</SumNum><DeviceList><Item><DeviceID>1</DeviceID></Item></DeviceList>",
        { 2, 1, 1 } },
    ["Num without quotes"] = { "<SumNum>2</SumNum><DeviceList Num=1><Item><DeviceID>1</DeviceID>"
        .. "</Item></DeviceList>", { 2, 1, 1 } },
    ["Num in small letters"] = { "<SumNum>9</SumNum><DeviceList num='3'/>", { 9, 3, 0 } },
    ["Num that is none"] = { "<SumNum>9</SumNum><DeviceList Num='many'/>", { 9, 0, 0 } },
    ["all in small letters"] = { "<sumnum>1</sumnum><devicelist num='1'><item><deviceid>1"
        .. "</deviceid></item></devicelist>", { 1, 1, 1 } },
    ["two lists"] = { "<SumNum>2</SumNum><DeviceList Num='1'><Item><DeviceID>1</DeviceID></Item>"
        .. "</DeviceList><DeviceList Num='1'><Item><DeviceID>2</DeviceID></Item></DeviceList>",
        { 2, 1, 2 } },
    ["a sum that is none"] = { "<SumNum>-1</SumNum><DeviceList Num='0'/>", { nil, 0, 0 } },
}

t.test("lists_are_counted_however_they_are_written", function()
    for name, case in pairs(LISTS) do
        local told = read("<Response><CmdType>Catalog</CmdType><SN>1</SN><DeviceID>" .. ID
            .. "</DeviceID>" .. case[1] .. "</Response>")
        t.equal({ name, told.sum, told.num, #told.items }, { name, table.unpack(case[2], 1, 3) })
    end
end)

t.test("a_channel_of_2022_and_of_other_makes_is_read", function()
    local item = read("<Response><CmdType>Catalog</CmdType><SumNum>1</SumNum><DeviceList Num='1'>"
        .. "<Item><DeviceID>35010500001320000001</DeviceID><Name>枪机</Name><Manufacturer>Dahua"
        .. "</Manufacturer><Model>IPC</Model><Owner>Owner</Owner><CivilCode>350105</CivilCode>"
        .. "<Block/><Address>一楼</Address><Parental>0</Parental><ParentID>" .. ID .. "/" .. ID
        .. "</ParentID><SafetyWay>0</SafetyWay><RegisterWay>1</RegisterWay><Secrecy>0</Secrecy>"
        .. "<Status>ON</Status><Longitude>119.3</Longitude><Latitude/><Info><PTZType>3</PTZType>"
        .. "<StreamNumberList>0/1</StreamNumberList></Info></Item></DeviceList>"
        .. "</Response>").items[1]
    t.equal(item, { id = "35010500001320000001", name = "枪机", manufacturer = "Dahua",
        model = "IPC", address = "一楼", parent = ID .. "/" .. ID, status = "ON",
        longitude = 119.3 })
end)

-- ---- Answers in several messages

local function channel(number)
    return { id = tostring(number) }
end

-- Messages as { sum, first, last }, and what came of it: items, complete, missing.
local SPLITS = {
    ["eight in four"] = { { { 8, 1, 2 }, { 8, 3, 4 }, { 8, 5, 6 }, { 8, 7, 8 } }, { 8, true, 0 } },
    ["out of order"] = { { { 8, 7, 8 }, { 8, 1, 2 }, { 8, 5, 6 }, { 8, 3, 4 } }, { 8, true, 0 } },
    ["one each"] = { { { 3, 1, 1 }, { 3, 2, 2 }, { 3, 3, 3 } }, { 3, true, 0 } },
    ["a message twice"] = { { { 4, 1, 2 }, { 4, 1, 2 }, { 4, 3, 4 } }, { 4, true, 0 } },
    ["a message lost"] = { { { 8, 1, 2 }, { 8, 5, 8 } }, { 6, false, 2 } },
    ["twice, and one lost"] = { { { 4, 1, 2 }, { 4, 1, 2 } }, { 2, false, 2 } },
    ["overlapping"] = { { { 4, 1, 3 }, { 4, 2, 4 } }, { 4, true, 0 } },
    ["none"] = { { { 0, 1, 0 } }, { 0, true, 0 } },
    ["a sum that counts this message only"] = { { { 2, 1, 2 }, { 4, 3, 4 } }, { 4, true, 0 } },
    ["without a sum"] = { { { nil, 1, 2 }, { nil, 3, 3 } }, { 3, true, 0 } },
    ["more than the sum"] = { { { 2, 1, 5 } }, { 5, true, 0 } },
    ["all in one"] = { { { 8, 1, 8 } }, { 8, true, 0 } },
}

t.test("an_answer_is_whole_however_it_was_split", function()
    for name, case in pairs(SPLITS) do
        local self = gather.new(function(item) return item.id end, 500, 0)
        for at, message in ipairs(case[1]) do
            local items = {}
            for number = message[2], message[3] do
                items[#items + 1] = channel(number)
            end
            gather.add(self, message[1], items, at)
        end
        t.equal({ name, #self.items, gather.is_complete(self), gather.missing(self) },
            { name, table.unpack(case[2]) })
        t.holds(gather.is_over(self, #case[1] + gather.QUIET_S), name)
        t.equal({ name, gather.is_over(self, #case[1]) },
            { name, case[2][2] and case[1][1][1] ~= nil })
    end
end)

-- ---- In the office

local function begin(script)
    local camera = double.camera { script = script }
    local office = t.office { devices = { [camera.url] = camera.line }, config = {
        id = double.PLATFORM, tcp = "tcp://0.0.0.0:5060", refresh = "1h", keepalive = "1h",
        cameras = { [ID] = { password = double.PASSWORD } } } }
    camera.line:call(5060)
    camera:register()
    office:run "1s"
    return office, camera
end

local function channels(sn, first, last)
    local items = {}
    for number = first, last do
        items[#items + 1] = ("<Item><DeviceID>%d</DeviceID><Status>%s</Status></Item>"):format(
            number, number % 2 == 0 and "OFF" or "On")
    end
    return ("<Response><CmdType>catalog</CmdType>%s<DeviceID>%s</DeviceID><SumNum>4</SumNum>"
        .. "<DeviceList Num=%d>%s</DeviceList></Response>"):format(sn and ("<SN>%d</SN>"):format(sn)
        or "", ID, last - first + 1, table.concat(items))
end

-- What the event says when the camera answers with messages of these numbers.
local function told_of(numbers)
    local office, camera = begin {}
    camera:keepalive()
    office:run "1s"
    local asked = camera.asked[1].sn
    for at, number in ipairs(numbers) do
        camera:say(channels(number and asked + number, 2 * at - 1, 2 * at))
        office:run "100ms"
    end
    office:run "15s"
    local event = office:next "bodycam.catalogue"
    return { event.data.got, event.data.complete, event.data.on }
end

t.test("an_answer_to_another_question_is_not_counted_and_one_without_a_number_is", function()
    t.equal(told_of { 0, 0 }, { 4, true, 2 })
    t.equal(told_of { 0, 1 }, { 2, false, 1 })
    t.equal(told_of { false, false }, { 4, true, 2 })
end)

t.test("a_body_whose_length_counts_letters_is_read_whole", function()
    local bytes = "<Notify><CmdType>Alarm</CmdType><SN>1</SN><DeviceID>" .. ID
        .. "</DeviceID><AlarmMethod>2</AlarmMethod><AlarmDescription>跌倒</AlarmDescription></Notify>"
    local message = sip.parse("MESSAGE sip:1@2 SIP/2.0\r\nv: SIP/2.0/UDP h\r\nf: <sip:1@2>\r\n"
        .. "t: <sip:1@2>\r\ni: 1\r\nCSeq: 1 MESSAGE\r\nl: " .. utf8.len(bytes) .. "\r\n\r\n"
        .. bytes)
    t.equal({ message.body, message.beyond }, { bytes, "" })
    t.equal(manscdp.decode(message.body:sub(1, utf8.len(bytes))), nil)
end)

return t.finish()
