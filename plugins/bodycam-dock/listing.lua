-- listing - which of a folder's files can be taken now. Pure.
--
-- A dock copies while we look. A file is taken when two looks, `settle_s` or more apart, saw the
-- same size and time, its name does not say that it is half, and it is not empty. What was seen
-- is kept by path and has a bound: what is gone from the listing is forgotten.
local names = require "names"
local trim = require "trim"

local listing = {}

listing.MOST = 8000 -- files in memory
listing.SIZE_MOST = 1 << 40 -- bytes of one: no blob is bigger
local TAG_MOST = 2048

function listing.new(settle_s)
    return { settle = settle_s, seen = {}, count = 0 }
end

local function is_same(before, entry)
    return before.size == entry.size and before.time == entry.time
end

-- Why an entry of a listing is not footage that can be taken, whatever comes: a word, or nil.
function listing.fault(path, entry)
    if entry.kind ~= "file" then
        return entry.kind == "folder" and "folder" or "other"
    elseif names.fault(path) then
        return "name"
    elseif names.is_half(path:match "[^/]*$") then
        return "half"
    elseif not entry.size or entry.size == 0 then
        return "empty"
    elseif entry.size > listing.SIZE_MOST then
        return "too_big"
    end
end

-- One look: `entries` is a map of path -> { kind =, size =, time = }. Answers the paths that are
-- whole, sorted, and how many were passed over by reason. `breathe`, if given, is called for
-- each.
function listing.look(self, entries, now, breathe)
    local whole, passed, seen, count = {}, {}, {}, 0
    for path, entry in pairs(entries) do
        if breathe then
            breathe()
        end
        local fault = listing.fault(path, entry)
        if not fault and count >= listing.MOST then
            fault = "too_many"
        end
        if not fault then
            local before = self.seen[path]
            if not before or not is_same(before, entry) then
                before = { size = entry.size, time = entry.time, since = now }
            end
            seen[path], count = before, count + 1
            fault = now - before.since < self.settle and "growing" or nil
            whole[#whole + 1] = not fault and path or nil
        end
        if fault then
            passed[fault] = (passed[fault] or 0) + 1
        end
    end
    self.seen, self.count = seen, count
    table.sort(whole)
    return whole, passed
end

local ENTITIES = { amp = "&", lt = "<", gt = ">", quot = '"', apos = "'" }

-- What stands between "&" and ";".
local function letter_of(name)
    local digits, base = name:match "^#(%d+)$", 10
    if not digits then
        digits, base = name:match "^#[xX](%x+)$", 16
    end
    local code = digits and #digits <= 7 and tonumber(digits, base)
    return code and code <= 0x10FFFF and utf8.char(code) or ENTITIES[name]
end

local function unescaped(target)
    return (target:gsub("[?#].*$", ""):gsub("%%(%x%x)", function(digits)
        return string.char(tonumber(digits, 16))
    end))
end

-- The value of href: in quotes of either kind, or without.
local function target_of(tag)
    local from, quote, behind = tag:match "%s[hH][rR][eE][fF]%s*=%s*()([\"']?)()"
    if not from then
        return ""
    end
    local target = tag:match(quote == "" and "^[^%s\"']*" or "^[^" .. quote .. "]*", behind)
    return (trim(target):gsub("&(#?%w+);", letter_of))
end

-- Where a link leads to, with a "/" behind it if it is a folder; nil when that is not in `folder`.
local function name_of(tag, folder, origin)
    local target = target_of(tag)
    if origin and target:sub(1, #origin + 1) == origin .. "/" then
        target = target:sub(#origin + 1)
    end
    if target:find "^%a[%w+.-]*:" or target:find "^//" then
        return nil -- another server
    end
    local name = unescaped(target):gsub("^%./", "")
    if folder and name:sub(1, #folder) == folder then
        name = name:sub(#folder + 1)
    end
    return not name:find "/." and name or nil
end

-- A folder that a web server shows (Apache, nginx, IIS, lighttpd, Python): its entries as
-- { name =, kind = }, in order; `folder` is its own path, for links that say all of it. Sizes and
-- times differ too much to be read; who takes the file asks for its head. `origin`: the server's
-- http://host[:port], for links that say that, too.
function listing.of_html(html, folder, origin)
    local found, known = {}, {}
    for tag in html:gmatch "<[aA](%s[^<>]*)>" do
        local target = name_of(tag:sub(1, TAG_MOST), folder, origin) or ""
        local name = target:gsub("/$", "")
        if not names.fault(name) and not known[name] and #found < listing.MOST then
            known[name] = true
            found[#found + 1] = { name = name, kind = target ~= name and "folder" or "file" }
        end
    end
    return found
end

return listing
