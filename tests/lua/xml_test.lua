-- What is done with a tree, and how it is written. Reading is the host's:
-- tests/core/host/module_test.c.
package.preload["host.xml"] = function()
    return { to_gb = function(text) return "gb:" .. text end }
end
local xml = require "xml"
local t = require "testing"

local HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'

local function element(name, text, ...)
    return { name = name, attributes = {}, text = text, ... }
end

local function said(...)
    local text, fault = xml.encode(...)
    return text and text:sub(1, #HEAD) == HEAD and text:sub(#HEAD + 1) or text or fault
end

t.test("the_first_element_at_a_path_is_found_wherever_its_way_begins", function()
    local tree = element("R", "", element("L", "", element("X", "0")),
        element("L", "", element("I", "1"), element("I", "")))
    t.equal(xml.find(tree, "L/I").text, "1")
    t.equal(xml.text(tree, "L/I"), "1")
    t.equal(xml.text(tree, "L"), "")
    t.equal(xml.text(tree, "L/I/J"), nil)
    t.equal(xml.find(tree, "R"), nil)
    t.equal(#xml.all(tree, "L"), 2)
    t.equal(#xml.all(tree, "L/I"), 2)
    t.equal(xml.all(tree, "L/I")[2].text, "")
    t.equal(xml.all(tree, "nothing"), {})
end)

t.test("a_tree_is_written_with_every_mark_escaped", function()
    t.equal(said(element("a", "")), "<a/>")
    t.equal(said { name = "a", text = 5, attributes = { y = true, x = '"<&>\n\t' } },
        '<a x="&quot;&lt;&amp;&gt;&#10;&#9;" y="true">5</a>')
    t.equal(said(element("a", "<&>\"\r", element("b", "x"))),
        '<a>&lt;&amp;&gt;"&#13;<b>x</b></a>')
    t.equal(said { name = "tt:a", { name = "执法" } }, "<tt:a><执法/></tt:a>")
end)

t.test("what_xml_cannot_say_is_named", function()
    local faults = {
        ['got an element without a name'] = { {}, { name = "1" }, { name = "a b" }, "x",
            { name = "a", "text" }, { name = "a>" } },
        ['got the text of "a"'] = { element("a", "\1"), element("a", "\xFF"), element("a", {}) },
        ['got attribute "x y" of "a"'] = { { name = "a", attributes = { ["x y"] = "1" } } },
        ['got attribute "x" of "a"'] = { { name = "a", attributes = { x = "\0" } } },
    }
    for fault, trees in pairs(faults) do
        for _, tree in ipairs(trees) do
            t.equal(said(tree), "expected what XML can say, " .. fault)
        end
    end
end)

t.test("depth_is_bounded_as_in_reading", function()
    local tree = element("a", "x")
    for _ = 2, 32 do
        tree = element("a", "", tree)
    end
    t.holds(said(tree):find("<a>x</a>", 1, true))
    t.equal(said(element("a", "", tree)),
        "expected what XML can say, got elements nested more than 32 deep")
    tree[1] = tree
    t.holds(said(tree):find("nested more than 32 deep", 1, true))
end)

t.test("a_document_for_gb28181_says_its_charset_and_is_in_it", function()
    t.equal(xml.encode(element("a", "执"), { encoding = "GB2312" }),
        'gb:<?xml version="1.0" encoding="GB2312"?>\n<a>执</a>')
    local text, fault = xml.encode(element("a", ""), { encoding = "latin" })
    t.equal(text, nil)
    t.equal(fault, 'expected the encoding "UTF-8", "GB2312", "GBK" or "GB18030", got "latin"')
end)

return t.finish()
