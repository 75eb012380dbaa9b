local listing = require "listing"
local report = require "report"
local t = require "testing"

local function file(size, time)
    return { kind = "file", size = size, time = time or 1 }
end

t.test("a_file_is_taken_when_it_has_not_changed_for_long_enough", function()
    local self = listing.new(30)
    local function look(now, size, time)
        return (listing.look(self, { ["a.mp4"] = file(size, time) }, now))
    end
    t.equal(look(0, 10), {})
    t.equal(look(29, 10), {})
    t.equal(look(30, 10), { "a.mp4" })
    t.equal(look(31, 11), {})
    t.equal(look(61, 11), { "a.mp4" })
    t.equal(look(62, 11, 2), {})
end)

t.test("what_is_no_whole_file_is_passed_over_and_counted", function()
    local whole, passed = listing.look(listing.new(0), { ["a"] = { kind = "folder" },
        ["b"] = { kind = "link" }, ["c.mp4.part"] = file(1), ["d.mp4"] = file(0),
        ["../e"] = file(1), ["f.mp4"] = file(1), ["g.mp4"] = { kind = "file" },
        ["h.mp4"] = file(1 << 40), ["i.mp4"] = file((1 << 40) + 1) }, 0)
    t.equal(whole, { "f.mp4", "h.mp4" })
    t.equal(passed, { folder = 1, other = 1, half = 1, empty = 2, name = 1,
        too_big = 1 })
end)

t.test("what_is_gone_is_forgotten_and_there_is_a_bound", function()
    local self = listing.new(0)
    local many = {}
    for i = 1, listing.MOST + 5 do
        many[("%d.mp4"):format(i)] = file(1)
    end
    local whole, passed = listing.look(self, many, 0)
    t.equal({ #whole, passed.too_many, self.count }, { listing.MOST, 5, listing.MOST })
    listing.look(self, {}, 1)
    t.equal({ self.count, next(self.seen) }, { 0 })
end)

t.test("a_folder_of_a_web_server_is_read_without_what_leads_elsewhere", function()
    local html = '<h1>Index of /</h1><a href="?C=N;O=D">Name</a> <a href="../">..</a>'
        .. '<A HREF="20260411/">20260411/</A><a class="x" href=\'a%20b.mp4\'>a</a>'
        .. '<a href="/etc/passwd">x</a><a href="http://other/x.mp4">x</a><a href="a%2Fb">x</a>'
        .. '<a href="./c.jpg">c</a><a href="c.jpg">again</a><a href="%00">n</a>'
        .. [[<a href="it's%20a&amp;b&#39;.jpg?x">n</a><A HREF="/rec/e.jpg">e</A><a href='/rec/f/'>]]
        .. '<a href="/rec/f/g.jpg">g</a><a href="/rec/">up</a><a href="/">up</a><a>nowhere</a>'
    t.equal(listing.of_html('<a href="/rec/x.jpg">', "/re"), {})
    t.equal(listing.of_html(html, "/rec/"), { { name = "20260411", kind = "folder" },
        { name = "a b.mp4", kind = "file" }, { name = "c.jpg", kind = "file" },
        { name = "it's a&b'.jpg", kind = "file" }, { name = "e.jpg", kind = "file" },
        { name = "f", kind = "folder" } })
end)

t.test("a_stations_report_is_read_and_nonsense_is_not", function()
    local read = report.decode('{"FileNo":"S-1","FileName":"a.mp4","Size":5,"Sm3":"'
        .. ("AB"):rep(32) .. '","OriginalTime":"2026-04-11T08:30:15","UserNo":"012345",'
        .. '"Important":true,"Kind":"x y"}', 480)
    t.equal(read, { file_no = "S-1", name = "a.mp4", size = 5, sm3 = ("ab"):rep(32),
        original = 1775867415, officer = "012345", important = true })
    for _, wrong in ipairs { "", "1", "[]", "{}", '{"FileName":"a/b","Size":1}',
        '{"FileName":"a","Size":-1}', '{"FileName":"a","Size":"1 MB"}' } do
        t.equal(report.decode(wrong, 480), nil)
    end
end)

return t.finish()
