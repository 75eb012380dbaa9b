-- xml - documents of devices (ISAPI, GB28181) as tables, and back.
--
--   local tree, replaced = xml.decode(bytes)
--   tree.name, tree.attributes.version, tree.text, tree[1], #tree
--   xml.text(tree, "DeviceList/Item/Name")
--
-- An element is { name =, attributes = {}, text =, [1..n] = the elements in it }. Its name is
-- without its namespace's prefix, and declarations of namespaces are no attributes: devices differ
-- in them and mean the same. `text` is its own letters, without white space at both ends, "" when
-- there are none. Where text and elements stand side by side, which comes first is not kept.
--
-- Only the host can decode; a plugin that does says needs = { "xml" }.
local parser = require "host.xml"

local xml = {}

local DEPTH_MAX = 32 -- as it is read
local NAME = "^[%a_\x80-\xFF][%w_.:\x80-\xFF-]*$"

-- The root element of a document and how many bytes of it belonged to no letter (each is U+FFFD
-- now), or nil and what is wrong. Its letters are what options.encoding says ("gbk"; from a
-- header, say), else what its first line says, else UTF-8: one of UTF-8, GB2312, GBK, GB18030.
function xml.decode(bytes, options)
    return parser.decode(bytes, options and options.encoding)
end

-- Calls fn(element) for each element at the path, in order, until fn answers true.
local function walk(element, path, fn)
    local step, rest = path:match("^([^/]+)/?(.*)$")
    if not step then
        return fn(element)
    end
    for _, child in ipairs(element) do
        if child.name == step and walk(child, rest, fn) then
            return true
        end
    end
    return false
end

-- The first element at a path of names below `element`, such as "DeviceList/Item"; nil for none.
function xml.find(element, path)
    local found
    walk(element, path, function(one)
        found = one
        return true
    end)
    return found
end

-- A list of all elements at the path, in their order.
function xml.all(element, path)
    local found = {}
    walk(element, path, function(one)
        found[#found + 1] = one
        return false
    end)
    return found
end

-- The text of the first element at the path, which may be ""; nil when there is no such element.
function xml.text(element, path)
    local found = xml.find(element, path)
    return found and found.text
end

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;",
    ["\t"] = "&#9;", ["\n"] = "&#10;", ["\r"] = "&#13;" }

-- `marks` are what must be escaped there. nil when XML cannot say it.
local function escaped(text, marks)
    if text:find("[\0-\8\11\12\14-\31]") or not utf8.len(text) then
        return nil
    end
    return (text:gsub(marks, ESCAPES))
end

local function sorted_names(attributes)
    local names = {}
    for name in pairs(attributes) do
        names[#names + 1] = name
    end
    table.sort(names)
    return names
end

local SCALARS = { string = true, number = true, boolean = true }

-- Each writes to `out` and answers what cannot be written, or nil.
local function write_attributes(out, element)
    for _, name in ipairs(sorted_names(element.attributes or {})) do
        local value = element.attributes[name]
        local text = SCALARS[type(value)] and escaped(tostring(value), '[&<>"\t\n\r]')
        if not name:find(NAME) or not text then
            return ("attribute %q of %q"):format(name, element.name)
        end
        out[#out + 1] = (' %s="%s"'):format(name, text)
    end
end

local function write(out, element, depth)
    if type(element) ~= "table" or type(element.name) ~= "string"
        or not element.name:find(NAME) then
        return "an element without a name"
    end
    if depth == DEPTH_MAX then
        return ("elements nested more than %d deep"):format(DEPTH_MAX)
    end
    local value = element.text == nil and "" or element.text
    local text = SCALARS[type(value)] and escaped(tostring(value), "[&<>\r]")
    if not text then
        return ("the text of %q"):format(element.name)
    end
    out[#out + 1] = "<" .. element.name
    local fault = write_attributes(out, element)
    if text == "" and #element == 0 then
        out[#out + 1] = "/>"
        return fault
    end
    out[#out + 1] = ">" .. text
    for _, child in ipairs(element) do
        fault = fault or write(out, child, depth + 1)
    end
    out[#out + 1] = "</" .. element.name .. ">"
    return fault
end

local CHARSETS = { ["UTF-8"] = false, GB2312 = true, GBK = true, GB18030 = true }

-- The document of an element, in options.encoding: "UTF-8" (if left out), "GB2312", "GBK" or
-- "GB18030". Attributes stand in the order of their names. nil and what cannot be said in XML.
function xml.encode(element, options)
    local charset = options and options.encoding or "UTF-8"
    if CHARSETS[charset] == nil then
        return nil, ('expected the encoding "UTF-8", "GB2312", "GBK" or "GB18030", got %q'):format(
            tostring(charset))
    end
    local out = { ('<?xml version="1.0" encoding="%s"?>\n'):format(charset) }
    local fault = write(out, element, 0)
    if fault then
        return nil, "expected what XML can say, got " .. fault
    end
    local text = table.concat(out)
    return CHARSETS[charset] and parser.to_gb(text) or text
end

return xml
