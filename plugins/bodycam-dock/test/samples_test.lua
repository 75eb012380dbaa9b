-- What recorders, docks and web servers of many makes write: written here from what is known of
-- them, each with what it must be taken for.
local contentmgmt = require "contentmgmt"
local gbk = require "gbk"
local identity = require "identity"
local listing = require "listing"
local moment = require "moment"
local names = require "names"
local report = require "report"
local t = require "testing"
local xml = require "xml"
local zfy = require "zfy"

-- ---- Names

local USUAL = assert(names.compile(names.USUAL))
local CLIP, EVENING = "2026-04-11T08:30:15", "2026-04-11T20:30:15"

-- officer, device, time, sequence, important
local NAMES = {
    ["T1A0001_012345_20260411083015_0001.MP4"] = { "012345", "T1A0001", CLIP, 1, false },
    ["T1A0001_012345_20260411083015_0001_IMP.mp4"] = { "012345", "T1A0001", CLIP, 1, true },
    ["T1A0001_012345_20260411083015_imp.mov"] = { "012345", "T1A0001", CLIP, nil, true },
    ["T1A0001_012345_20260411_083015.avi"] = { "012345", "T1A0001", CLIP, nil, false },
    ["DSJ-HIK-0007_012345_20260411_083015_2.mp4"] = { "012345", "DSJ-HIK-0007", CLIP, 2, false },
    ["012345_T1A0001_20260411083015.WAV"] = { "012345", "T1A0001", CLIP, nil, false },
    ["012345_T1A0001_20260411_083015_0003.WAV"] = { "012345", "T1A0001", CLIP, 3, false },
    ["012345_20260411083015_0002.mp4"] = { "012345", nil, CLIP, 2, false },
    ["012345_20260411_083015.mp4"] = { "012345", nil, CLIP, nil, false },
    ["330106000000_012345_T1A0001_20260411203015.mp4"] =
        { "012345", "T1A0001", EVENING, nil, false },
    ["330106-012345-T1A0001-20260411083015-0001.mp4"] = { "012345", "T1A0001", CLIP, 1, false },
    ["T1A0001-012345-20260411083015-IMP.mp4"] = { "012345", "T1A0001", CLIP, nil, true },
    ["012345-DSJ0007-20260411083015-9.mp4"] = { "012345", "DSJ0007", CLIP, 9, false },
    ["012345-20260411083015.mp4"] = { "012345", nil, CLIP, nil, false },
    ["20260411083015_T1A0001_012345.mp4"] = { "012345", "T1A0001", CLIP, nil, false },
    ["20260411083015_012345_T1A0001_0001.mp4"] = { "012345", "T1A0001", CLIP, 1, false },
    ["20260411083015-0001.jpeg"] = { nil, nil, CLIP, 1, false },
    ["20260411_083015_IMP.mp4"] = { nil, nil, CLIP, nil, true },
    ["VID_20260411_083015.mp4"] = { nil, nil, CLIP, nil, false },
    ["VID20260411083015.mp4"] = { nil, nil, CLIP, nil, false },
    ["CAMERA_20260411083015.mp4"] = { nil, nil, CLIP, nil, false },
    ["RECORD-20260411083015.mp4"] = { nil, nil, CLIP, nil, false },
    ["DSJ0007_RECORD_20260411083015.mp4"] = { nil, nil, CLIP, nil, false },
    ["REC_20260411083015.h264"] = { nil, nil, CLIP, nil, false },
    ["IMG_20260411_083015_12.jpg"] = { nil, nil, CLIP, 12, false },
    ["ch01_20260411083015_20260411093015.mp4"] = { nil, nil, CLIP, nil, false },
    ["20260411083015_A.mp4"] = { nil, nil, CLIP, nil, false },
    ["20260411083015_00001_video.mp4"] = { nil, nil, CLIP, nil, false },
    ["2026_0411_083015_001.MP4"] = { nil, nil, CLIP, nil, false },
    ["2026_0411_083015F.MP4"] = { nil, nil, CLIP, nil, false },
    ["20260411-083015.mp4"] = { nil, nil, CLIP, nil, false },
    ["cam7-20260411-083015-2.mp4"] = { nil, nil, CLIP, nil, false },
    ["20260411T083015Z.mp4"] = { nil, nil, CLIP, nil, false },
    ["20260411_083015N.mp4"] = { nil, nil, CLIP, nil, false },
    ["20260411_083015A_0001.mp4"] = { nil, nil, CLIP, nil, false },
    ["CH01_20260411_083015_20260411_093015.mp4"] = { nil, nil, CLIP, nil, false },
    ["录像_20260411_083015(1).mp4"] = { nil, nil, CLIP, nil, false },
    ["20260411.mp4"] = { nil, nil, nil, nil, false },
    ["T1A0001_20260411.dav"] = { nil, nil, nil, nil, false },
    ["2026-04-11_08-30-15.mp4"] = { nil, nil, CLIP, nil, false },
    ["2026-04-11 08-30-15 大厅.mp4"] = { nil, nil, CLIP, nil, false },
    ["接警_大队_20260411083015.MP4"] = { nil, nil, CLIP, nil, false },
    ["接警_012345_20260411083015.MP4"] = { "012345", nil, CLIP, nil, false },
    ["录像20260411083015.MP4"] = { nil, nil, CLIP, nil, false },
    ["T1A0001_012345_20261341083015.MP4"] = { nil, nil, nil, nil, false },
    ["35010500001320000007.mp4"] = { nil, nil, nil, nil, false },
    ["MVI_0042.MOV"] = { nil, nil, nil, nil, false },
    ["DCIM"] = { nil, nil, nil, nil, false },
}

t.test("names_of_many_makes_say_what_they_say_in_either_charset", function()
    for name, wanted in pairs(NAMES) do
        for _, bytes in ipairs { name, (gbk.encode(name)), "DCIM/100MEDIA/" .. name } do
            local found = names.read(USUAL, bytes, 480)
            t.equal({ name, found.officer, found.device, found.told, found.seq, found.important },
                { name, table.unpack(wanted, 1, 5) })
        end
    end
end)

t.test("folders_of_what_was_thrown_away_are_known", function()
    for _, name in ipairs { "$RECYCLE.BIN", "$Recycle.Bin", "RECYCLER", ".Trash-1000", ".Trashes",
        "System Volume Information" } do
        t.holds(names.is_bin(name), name)
    end
    for _, name in ipairs { "a", "my$RECYCLE.BIN", ".trash-x", "trash", "recycler2", "" } do
        t.holds(not names.is_bin(name), name)
    end
end)

-- ---- Recorders

local function field(text, size, filler)
    return (text .. (filler or "\0"):rep(size)):sub(1, size)
end

local function struct(fields, filler)
    return field(fields[1], 8, filler) .. field(fields[2], 7, filler)
        .. field(fields[3], 33, filler) .. field(fields[4], 13, filler)
        .. field(fields[5], 33, filler)
end

t.test("a_structure_is_read_whatever_it_is_filled_with", function()
    local wanted = { device = "T1A0001", officer = "012345", officer_name = "张三丰",
        unit = "330106000000", unit_name = "某区司法局" }
    local name, unit = gbk.encode "张三丰", gbk.encode "某区司法局"
    local all = { "T1A0001", "012345", name, "330106000000", unit }
    t.equal(zfy.struct(struct(all)), wanted)
    t.equal(zfy.struct(struct(all, " ")), wanted)
    t.equal(zfy.struct(struct({ "T1A0001\0", "012345\0", name .. "\0", "330106000000\0",
        unit .. "\0" }, "\xCC")), wanted) -- as a debugger fills memory
    t.equal(zfy.struct(struct({ "T1A0001", "012345", "张三丰", "330106000000", "某区司法局" })),
        wanted)
    t.equal(zfy.struct(struct({ "", "012345", "", "", "" }, "\xFF")), { officer = "012345" })
    t.equal(zfy.struct(struct({ "0000000", "000000", "", "000000000000", "" })),
        { device = "0000000", officer = "000000", unit = "000000000000" })
end)

t.test("a_name_that_was_cut_within_a_letter_loses_the_letter", function()
    local long = ("司"):rep(17)
    t.equal(zfy.struct(struct { "A", "1", (gbk.encode(long)), "2", long }), { device = "A",
        officer = "1", officer_name = ("司"):rep(16), unit = "2", unit_name = ("司"):rep(11) })
    t.equal(zfy.struct(struct { "A", "1", "x" .. long, "2", "xy" .. long }), { device = "A",
        officer = "1", officer_name = "x" .. ("司"):rep(10), unit = "2",
        unit_name = "xy" .. ("司"):rep(10) })
end)

t.test("a_torn_structure_is_none", function()
    local whole = struct { "T1A0001", "012345", "", "330106000000", "" }
    for size = 0, 93, 3 do
        t.equal(zfy.struct(whole:sub(1, size)), nil)
        t.equal(identity.kind("ZFY_INFO.DAT", { size = size }), nil)
    end
    t.equal(identity.kind("ZFY_INFO.DAT", { size = 94 }), "struct")
end)

local function utf16(text, format)
    local out = {}
    for _, code in utf8.codes(text) do
        out[#out + 1] = string.pack(format, code)
    end
    return table.concat(out)
end

local INI = "[Recorder]\r\nRecorderSerial=T1A0001\r\nUserNo=012345\r\nUserName=张三\r\n"
    .. "DeptCode=330106000000\r\nBoundAt=2026-04-11 08:30:15\r\n"

local INIS = {
    ["as it is"] = INI, ["LF alone"] = INI:gsub("\r", ""), ["CR alone"] = INI:gsub("\n", ""),
    ["no end of the last line"] = INI:sub(1, -3), ["GBK"] = gbk.encode(INI),
    ["a mark of UTF-8"] = "\xEF\xBB\xBF" .. INI,
    ["UTF-16"] = "\xFF\xFE" .. utf16(INI, "<I2"), ["UTF-16, big"] = "\xFE\xFF" .. utf16(INI, ">I2"),
    ["UTF-16 without its mark"] = utf16(INI, "<I2"),
    ["UTF-16, big, without its mark"] = utf16(INI, ">I2"),
    ["blanks"] = INI:gsub("=", " \t= "), ["colons"] = INI:gsub("=", ": "),
    ["quotes"] = INI:gsub("=([^\r]*)", '="%1"'), ["other quotes"] = INI:gsub("=([^\r]*)", "='%1'"),
    ["comments"] = "; 2026\r\n# x\r\n" .. INI:gsub("\r\n", " ; 注释\r\n"),
    ["in capitals"] = INI:gsub("%a+=", string.upper),
    ["in small letters"] = INI:gsub("%a+=", string.lower),
    ["with _"] = "recorder_serial=T1A0001\nuser_no=012345\nuser_name=张三\n"
        .. "dept_code=330106000000\nbound_at=2026-04-11T08:30:15+08:00\n",
    ["other words"] = "DeviceID=T1A0001\nPoliceID=012345\nPoliceName=张三\nOrgCode=330106000000\n"
        .. "BindTime=20260411083015\n",
    ["a maker's words"] = "cSerial=T1A0001\nPoliceNum=012345\nUserName=张三\n"
        .. "unitNo=330106000000\nBoundAt=2026/4/11 8:30:15\n",
    ["Chinese"] = "设备编号=T1A0001\n警号=012345\n姓名=张三\n单位编号=330106000000\n"
        .. "绑定时间=2026-04-11 08:30:15",
    ["more of Chinese"] = "设备编码 = T1A0001\n工号 = 012345\n姓名 = 张三\n机构代码 = "
        .. "330106000000\n绑定时间 = 2026/04/11 08:30:15",
    ["Chinese colons"] = "设备编号：T1A0001\n警号：012345\n姓名：张三\n单位编号：330106000000\n"
        .. "绑定时间：2026-04-11 08:30:15",
    ["Chinese in GBK"] = gbk.encode("设备编号：T1A0001\n警号：012345\n姓名：张三\n"
        .. "部门代码：330106000000\n绑定时间：2026-04-11 08:30:15"),
    ["NULs behind"] = INI .. ("\0"):rep(100), ["the end of DOS"] = INI .. "\26",
    ["more sections"] = "[Version]\r\nFormat=2\r\n" .. INI .. "[Video]\r\nSize=1080p\r\n",
    ["said twice"] = INI .. "UserNo=999999\r\n",
}

t.test("an_ini_says_the_same_however_it_is_written", function()
    for name, text in pairs(INIS) do
        local found = assert(zfy.ini(text, 480), name)
        t.equal({ name, found.device, found.officer, found.officer_name, found.unit, found.bound },
            { name, "T1A0001", "012345", "张三", "330106000000", 1775867415 })
        t.equal({ name, zfy.sn(text, 480) }, { name, found })
    end
end)

t.test("sn_txt_is_read_however_it_is_written", function()
    for _, text in ipairs { "012345", "012345\r\n", "\xEF\xBB\xBF012345\r\n", "  012345\t\r\n\r\n",
        "\r\n012345", "012345\0\0\0", "012345\r\n2026-04-11", "警号:012345", "警号：012345\r\n",
        "UserNo=012345", "PoliceNo : 012345", "\xFF\xFE" .. utf16("012345\r\n", "<I2"),
        (gbk.encode "警号：012345"), "012345\26" } do
        t.equal({ text, zfy.sn(text, 480) }, { text, { officer = "012345" } })
    end
end)

local STATION = '{"FileName":"执法_a.MP4","Size":5,"UserNo":"012345","OriginalTime":'
    .. '"2026-04-11T08:30:15","Locked":true}'

t.test("a_stations_report_is_read_however_it_is_written", function()
    for name, text in pairs { ["as it is"] = STATION, ["a mark of UTF-8"] = "\xEF\xBB\xBF"
        .. STATION, GBK = gbk.encode(STATION), ["size as text"] = STATION:gsub(":5", ':"5"'),
        ["small letters"] = STATION:gsub('"%a+":', string.lower),
        ["with _"] = STATION:gsub("FileName", "file_name"):gsub("UserNo", "user_no"):gsub(
            "OriginalTime", "original_time"):gsub("Locked", "important"),
        ["a blank in the time"] = STATION:gsub("11T08", "11 08"),
        ["1 for true"] = STATION:gsub("true", "1") } do
        for _, path in ipairs { "x/执法_a.MP4", (gbk.encode "x/执法_a.MP4") } do
            local found = identity.report(text, path, 5, 480)
            t.holds(found, name)
            t.equal({ name, found.officer, found.original, found.important },
                { name, "012345", 1775867415, true })
        end
        t.equal(identity.report(text, "x/执法_b.MP4", 5, 480), nil)
        t.equal(identity.report(text, "x/执法_a.MP4", 6, 480), nil)
    end
    t.equal(report.decode('{"FileName":"a","Size":1,"Important":false}', 480).important, false)
end)

-- ---- Web servers

local FOUND = { { name = "20260411", kind = "folder" }, { name = "T1 A&B.MP4", kind = "file" },
    { name = "执法.mp4", kind = "file" } }
local CN = "%E6%89%A7%E6%B3%95"

local PAGES = {
    Apache = '<table><tr><th><a href="?C=N;O=D">Name</a></th></tr><tr><td><a href="/rec/">Parent '
        .. 'Directory</a></td></tr><tr><td><a href="20260411/">20260411/</a></td><td align="right">'
        .. '2026-04-11 08:30</td></tr><tr><td><a href="T1%20A&amp;B.MP4">T1 A&amp;B.MP4</a></td>'
        .. '<td>1.0G</td></tr><tr><td><a href="' .. CN .. '.mp4">x</a></td></tr></table>',
    nginx = '<h1>Index of /rec/dock/</h1><hr><pre><a href="../">../</a>\n<a href="20260411/">'
        .. '20260411/</a>  11-Apr-2026 08:30   -\n<a href="T1%20A%26B.MP4">T1 A&amp;B.MP4</a>\n'
        .. '<a href="' .. CN .. '.mp4">..&gt;</a></pre>',
    Python = '<ul>\n<li><a href="20260411/">20260411/</a></li>\n<li><a href="T1%20A%26B.MP4">T1 '
        .. 'A&amp;B.MP4</a></li>\n<li><a href="' .. CN .. '.mp4">执法.mp4</a></li>\n</ul>',
    IIS = '<pre><A HREF="/rec/">[To Parent Directory]</A><br><br> 4/11/2026  8:30 AM  &lt;dir&gt; '
        .. '<A HREF="/rec/dock/20260411/">20260411</A><br> 4/11/2026  8:30 AM  1063889248 <A HREF="'
        .. '/rec/dock/T1%20A&amp;B.MP4">T1 A&amp;B.MP4</A><br><A HREF="/rec/dock/' .. CN:lower()
        .. '.mp4">x</A></pre>',
    lighttpd = '<tr class="d"><td class="n"><a href="../">..</a>/</td></tr><tr class="d"><td><a '
        .. 'href="20260411/">20260411</a>/</td><td class="m">2026-Apr-11 08:30:15</td></tr><tr><td>'
        .. '<a href="T1%20A%26B.MP4">T1 A&amp;B.MP4</a></td></tr><tr><td><a href="' .. CN
        .. '.mp4">x</a></td></tr>',
    Caddy = '<a href="./20260411/"><svg></svg><span>20260411</span></a><a\nclass="f" href='
        .. '"./T1%20A&amp;B.MP4">x</a><a href="./' .. CN .. '.mp4">x</a>',
    ["without quotes"] = "<A HREF=20260411/>20260411</A><A HREF=T1%20A&#38;B.MP4 TARGET=x>x</A>"
        .. "<a href=" .. CN .. ".mp4>x</a>",
    ["letters as they are"] = '<a href="20260411/">x</a><a href="T1 A&#x26;B.MP4">x</a>'
        .. '<a href=" &#25191;&#x6CD5;.mp4 ">x</a>',
    ["other attributes"] = '<a data-href="/x" href="20260411/">x</a><a title="href=&quot;" href = '
        .. "'T1%20A%26B.MP4'>x</a><a download href=\"" .. CN .. '.mp4#t=1">x</a>',
    ["links elsewhere"] = '<a href="//other/a.mp4">x</a><a href="https://other/a.mp4">x</a><a href='
        .. '"javascript:x()">x</a><a href="mailto:a@b">x</a><a href="20260411/">x</a><a href="/etc/'
        .. 'a.mp4">x</a><a href="T1%20A%26B.MP4">x</a><a href="%2e%2e/a.mp4">x</a><a href="a%2fb">'
        .. 'x</a><a href="' .. CN .. '.mp4">x</a><a href="%00">x</a><a href="#top">x</a><a>x</a>',
}

t.test("folders_of_many_web_servers_are_read", function()
    for name, html in pairs(PAGES) do
        t.equal({ name, listing.of_html(html, "/rec/dock/") }, { name, FOUND })
    end
end)

t.test("links_that_name_the_server_itself_lead_to_it_and_to_no_other", function()
    local html = '<a href="http://dock:80/r/a.mp4">x</a><a href="http://dock:80/r/b/">x</a>'
        .. '<a href="http://dock:800/r/c.mp4">x</a><a href="http://dock:80@x/r/d.mp4">x</a>'
        .. '<a href="http://dock:80/e.mp4">x</a>'
    t.equal(listing.of_html(html, "/r/", "http://dock:80"), { { name = "a.mp4", kind = "file" },
        { name = "b", kind = "folder" } })
    t.equal(listing.of_html(html, "/r/"), {})
end)

t.test("a_name_with_a_colon_is_one_where_it_cannot_be_another_server", function()
    t.equal(listing.of_html('<a href="2026-04-11%2008%3A30.mp4">x</a><a href="./ab:c.mp4">x</a>'
        .. '<a href="/r/c:d.mp4">x</a><a href="e:f.mp4">x</a>', "/r/"),
        { { name = "2026-04-11 08:30.mp4", kind = "file" }, { name = "ab:c.mp4", kind = "file" } })
end)

t.test("times_of_web_servers_are_read_in_each_of_their_forms", function()
    for _, text in ipairs { "Sat, 11 Apr 2026 00:30:15 GMT", "Sat, 11 Apr 2026 00:30:15 UTC",
        "Sat, 11 Apr 2026 08:30:15 +0800", "Saturday, 11-Apr-26 00:30:15 GMT",
        "Sat Apr 11 00:30:15 2026", "sat, 11 apr 2026 00:30:15 gmt",
        "Sat,11 Apr 2026 0:30:15 GMT" } do
        t.equal({ text, moment.of_web(text) }, { text, 1775867415 })
    end
    t.equal(moment.of_web "Sun, 1 Nov 2026 03:04:05 GMT", 1793502245)
    t.equal(moment.of_web "Sun Nov  1 03:04:05 2026", 1793502245)
    for _, text in ipairs { "", "Sat, 31 Feb 2026 00:00:00 GMT", "Sat, 11 Foo 2026 00:30:15 GMT",
        "Sat, 11 Apr 2026 00:30:15 CEST", "Sat, 11 Apr 12026 00:30:15 GMT", "2026-04-11", "now" } do
        t.equal({ text, moment.of_web(text) }, { text })
    end
end)

-- ---- ContentMgmt

local URI = "rtsp://10.0.0.5/Streaming/tracks/101/?"

local function match(uri, from, to)
    return "<searchMatchItem><sourceID>{0000}</sourceID><trackID>101</trackID><timeSpan><startTime>"
        .. (from or "2026-04-11T08:30:15Z") .. "</startTime><endTime>" .. (to
            or "2026-04-11T20:30:15Z") .. "</endTime></timeSpan><mediaSegmentDescriptor>"
        .. "<contentType>video</contentType><codecType>H.265</codecType><playbackURI>" .. uri
        .. "</playbackURI></mediaSegmentDescriptor><metadataMatches><metadataDescriptor>"
        .. "recordType.meta.hikvision.com/timing</metadataDescriptor></metadataMatches>"
        .. "</searchMatchItem>"
end

local function result(status, count, items)
    return '<?xml version="1.0" encoding="UTF-8" ?>\n<CMSearchResult version="2.0" xmlns="http://'
        .. 'www.hikvision.com/ver20/XMLSchema"><searchID>x</searchID><responseStatus>true'
        .. "</responseStatus><responseStatusStrg>" .. status
        .. "</responseStatusStrg><numOfMatches>" .. count .. "</numOfMatches><matchList>"
        .. items .. "</matchList></CMSearchResult>"
end

local URIS = {
    ["name and size"] = { "starttime=20260411T083015Z&amp;name=ch01_08&amp;size=5", "ch01_08", 5 },
    ["size and name first"] = { "size=5&amp;name=00000001&amp;starttime=1", "00000001", 5 },
    ["escaped twice"] = { "starttime=1&amp;amp;name=00000001&amp;amp;size=5", "00000001", 5 },
    ["no size"] = { "starttime=1&amp;name=00000001", "00000001", nil },
    ["no name"] = { "starttime=1&amp;size=5", nil, 5 },
    ["neither"] = { "starttime=1", nil, nil },
    ["other names"] = { "filename=a&amp;filesize=7", nil, nil },
    ["a size that is none"] = { "name=a&amp;size=-1", "a", nil },
    ["a size beyond all"] = { "name=a&amp;size=99999999999999999999", "a", nil },
    ["an empty name"] = { "name=&amp;size=5", "", 5 },
}

t.test("the_tokens_of_a_uri_are_said_again_as_they_were", function()
    for name, case in pairs(URIS) do
        local item = contentmgmt.decode(result("OK", 1, match(URI .. case[1])), 480).items[1]
        t.equal({ name, item.name, item.size }, { name, case[2], case[3] })
        local order = contentmgmt.order(item)
        t.equal({ name, order ~= nil }, { name, (case[2] or "") ~= "" and case[3] ~= nil })
        t.holds(not order or xml.text(xml.decode(order), "playbackURI") == item.uri, name)
    end
end)

t.test("pages_say_whether_there_are_more", function()
    local one = match(URI .. "name=a&amp;size=5")
    for _, case in ipairs { { "OK", "OK", 1 }, { "MORE", "MORE", 1 }, { "more", "MORE", 1 },
        { " OK ", "OK", 1 }, { "NO MATCHES", "NO MATCHES", 0 }, { "NO_MATCHES", "NO MATCHES", 0 },
        { "No Match", "NO MATCHES", 0 } } do
        local answer = contentmgmt.decode(result(case[1], case[3], case[3] == 1 and one or ""), 480)
        t.equal({ answer.status, answer.matches, #answer.items }, { case[2], case[3], case[3] })
    end
    local none = contentmgmt.decode("<CMSearchResult><responseStatusStrg>NO MATCHES"
        .. "</responseStatusStrg></CMSearchResult>", 480)
    t.equal({ none.status, none.matches, none.items }, { "NO MATCHES", 0, {} })
    local prefixed = result("OK", 1, one):gsub("<(/?)(%a)", "<%1ns:%2"):gsub("xmlns=", "xmlns:ns=")
    t.equal(contentmgmt.decode(prefixed, 480).items[1].name, "a")
    for _, wrong in ipairs { "<ResponseStatus><statusCode>6</statusCode></ResponseStatus>",
        "<html></html>", '{"errorCode":1}', "" } do
        t.equal(contentmgmt.decode(wrong, 480), nil)
    end
end)

t.test("times_are_local_where_they_say_z_and_exact_where_they_say_an_offset", function()
    for _, told in ipairs { "2026-04-11T08:30:15Z", "2026-04-11T08:30:15",
        "2026-04-11T08:30:15+08:00", "2026-04-11T00:30:15+00:00", "2026-04-11 08:30:15",
        "20260411T083015Z" } do
        local item = contentmgmt.decode(result("OK", 1, match(URI, told)), 480).items[1]
        t.equal({ told, item.from }, { told, 1775867415 })
    end
    local answer = contentmgmt.decode(result("OK", 3, match(URI, "2026-04-11T21:00:00Z")
        .. match(URI, "never") .. match(URI, "", "")), 480)
    t.equal({ answer.upside_down, #answer.items, answer.items[1].from }, { 1, 2 })
end)

return t.finish()
