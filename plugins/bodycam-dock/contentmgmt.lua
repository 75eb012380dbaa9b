-- contentmgmt - footage of a Hikvision dock or recorder, by ISAPI ContentMgmt. Pure.
--
--   contentmgmt.uuid(host.random(16))
--   POST /ISAPI/ContentMgmt/search     with contentmgmt.query { id =, track =, from =, to = }
--   contentmgmt.decode(bytes, 480)     one page of what it found
--   POST /ISAPI/ContentMgmt/download   with contentmgmt.order(item)
--
-- What differs from what the paper says: the Z behind times is the device's local clock; a
-- searchID that is no real UUID is answered "Invalid XML Content" and nothing else; name and
-- size in the URI are tokens of the device that must be said again as they are, and what has
-- none cannot be downloaded; spans may be upside down.
local time = require "time"
local xml = require "xml"

local contentmgmt = {}

contentmgmt.PAGE = 40 -- more than that some devices refuse
local ITEMS_MOST, URI_MOST = 100, 1024

-- Version 4 of sixteen random bytes.
function contentmgmt.uuid(random)
    local hex = random:sub(1, 16):gsub(".", function(byte)
        return ("%02x"):format(byte:byte())
    end)
    local variant = ("89ab"):sub(tonumber(hex:sub(17, 17), 16) % 4 + 1)
    return ("%s-%s-4%s-%s%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(14, 16),
        variant:sub(1, 1), hex:sub(18, 20), hex:sub(21, 32))
end

local function local_z(seconds, offset)
    return time.format(seconds, offset):sub(1, 19) .. "Z"
end

local function element(name, ...)
    local content = { ... }
    local one = { name = name }
    for _, value in ipairs(content) do
        if type(value) == "table" then
            one[#one + 1] = value
        else
            one.text = value
        end
    end
    return one
end

-- { id =, track = 101, from =, to =, position = 0, offset = 480 } as the body of a search.
function contentmgmt.query(wish)
    return xml.encode(element("CMSearchDescription", element("searchID", wish.id),
        element("trackIDList", element("trackID", wish.track)),
        element("timeSpanList", element("timeSpan",
            element("startTime", local_z(wish.from, wish.offset)),
            element("endTime", local_z(wish.to, wish.offset)))),
        element("maxResults", wish.most or contentmgmt.PAGE),
        element("searchResultPosition", wish.position or 0)))
end

-- ---- What was found

local function moment(item, path, offset)
    local told = xml.text(item, path)
    return told and time.read((told:gsub("Z$", "")), offset) or nil, told
end

-- Tokens of the URI, as they stand there. Some devices escape their URI twice: "&amp;" is left.
local function token(uri, name)
    local query = uri:match "%?(.*)$" or ""
    return ("&" .. query:gsub("&amp;", "&")):match("&" .. name .. "=([^&]*)")
end

-- "OK", "MORE", "NO MATCHES", of some devices in small letters.
local function status_of(tree)
    local status = (xml.text(tree, "responseStatusStrg") or ""):upper():gsub("_", " ")
    return status == "NO MATCH" and "NO MATCHES" or status
end

local function decode_item(item, offset)
    local uri = xml.text(item, "mediaSegmentDescriptor/playbackURI") or ""
    local from, from_told = moment(item, "timeSpan/startTime", offset)
    local to, to_told = moment(item, "timeSpan/endTime", offset)
    local size = token(uri, "size")
    local kind = xml.text(item, "metadataMatches/metadataDescriptor") or ""
    return { track = xml.text(item, "trackID"), from = from, to = to, from_told = from_told,
        to_told = to_told, uri = #uri <= URI_MOST and uri or nil, name = token(uri, "name"),
        size = size and size:find "^%d+$" and #size <= 15 and tonumber(size) or nil,
        type = kind:match "([%w_]+)$", codec = xml.text(item, "mediaSegmentDescriptor/codecType") }
end

local function by_begin(a, b)
    return (a.from or 0) < (b.from or 0)
end

-- One page: { status = "OK", "MORE" or "NO MATCHES", matches =, items = {}, upside_down = how many
-- were passed over }; nil and what was expected.
function contentmgmt.decode(bytes, offset)
    local tree, why = xml.decode(bytes)
    if not tree or tree.name ~= "CMSearchResult" then
        return nil, why or "expected a CMSearchResult"
    end
    local answer = { status = status_of(tree), items = {}, upside_down = 0,
        matches = math.tointeger(tonumber(xml.text(tree, "numOfMatches") or "")) or 0 }
    for _, element_of in ipairs(xml.all(tree, "matchList/searchMatchItem")) do
        local item = decode_item(element_of, offset)
        if item.from and item.to and item.to < item.from then
            answer.upside_down = answer.upside_down + 1
        elseif #answer.items < ITEMS_MOST then
            answer.items[#answer.items + 1] = item
        end
    end
    table.sort(answer.items, by_begin)
    return answer
end

-- Whether it can be downloaded: the device must have told its tokens.
function contentmgmt.is_there(item)
    return item.uri ~= nil and (item.name or "") ~= "" and item.size ~= nil and item.size > 0
end

-- The body that asks for it; nil when it cannot be asked for.
function contentmgmt.order(item)
    if not contentmgmt.is_there(item) then
        return nil, "expected a recording with name and size"
    end
    return xml.encode { name = "downloadRequest", attributes = { version = "1.0",
        xmlns = "http://www.isapi.org/ver20/XMLSchema" },
        element("playbackURI", item.uri) }
end

return contentmgmt
