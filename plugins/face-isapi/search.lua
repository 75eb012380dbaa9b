-- search - asking for the records that a terminal has stored: AcsEvent. Pure.
--
-- A page may be in any order, hold what was on the last one, say MORE and be empty, or say no
-- status. So nothing here trusts order or status: a range of serial numbers is read until a page
-- brings nothing new, and put in order by serial number.
local careless = require "careless"
local fact = require "fact"
local json = require "json"

local search = {}

search.MOST = 3000000000 -- the greatest serial number of a search, by the documents
search.MOST_EVER = 4294967295 -- for terminals that count beyond it
search.PAGE = 30 -- more are never given, whatever is asked for

-- The request for a page of a range. Some models demand minor, all of them major and both ends.
function search.range(first, last, position, id)
    return json.encode { AcsEventCond = {
        searchID = id, searchResultPosition = position, maxResults = search.PAGE,
        major = 0, minor = 0, beginSerialNo = first, endSerialNo = last, picEnable = false,
    } }
end

-- The same for a time, for models that know no serial numbers in a search. Texts with an offset.
function search.period(from, to, position, id)
    return json.encode { AcsEventCond = {
        searchID = id, searchResultPosition = position, maxResults = search.PAGE,
        major = 0, minor = 0, startTime = from, endTime = to, picEnable = false,
    } }
end

-- Where each object of the array behind `"name":` begins and ends in a text that is JSON.
local function objects_in(text, name)
    local at = select(2, text:find('"' .. name .. '"%s*:%s*%['))
    local spans, depth, first = {}, 0, nil
    while at do
        at = text:find('["{}%]]', at + 1)
        local mark = at and text:sub(at, at)
        if mark == '"' then
            at = at + 1
            while at and text:sub(at, at) ~= '"' do -- over what is escaped
                at = text:find('["\\]', at)
                at = at and text:sub(at, at) == "\\" and at + 2 or at
            end
        elseif mark == "{" then
            first = depth == 0 and at or first
            depth = depth + 1
        elseif mark == "}" then
            depth = depth - 1
            if depth == 0 then
                spans[#spans + 1] = text:sub(first, at)
            end
        elseif mark == "]" and depth == 0 then
            break
        end
    end
    return spans
end

local function count(value)
    local whole = math.tointeger(tonumber(value))
    return whole and whole >= 0 and whole or nil
end

-- "NO MATCH" is said in small letters too, and by some with a line between.
local function word(value)
    return type(value) == "string" and value:upper():gsub("_", " ") or nil
end

-- { status =, total =, facts = } of an answer; nil and why when it is none. What in it is no record
-- is left out.
function search.page(body)
    local object, why = careless.json(body)
    local said = type(object) == "table" and (object.AcsEvent or object.InfoList and object)
    if type(said) ~= "table" then
        return nil, why or "expected an AcsEvent, got something else"
    end
    local list = type(said.InfoList) == "table" and said.InfoList or {}
    list = list.major and { list } or list -- one alone
    local raws = objects_in(body, "InfoList")
    local page = { total = count(said.totalMatches), facts = {},
        status = word(said.responseStatusStrg) }
    for i, item in ipairs(list) do
        local raw = #raws == #list and raws[i] or nil
        page.facts[#page.facts + 1] = type(item) == "table" and fact.read(item, nil, raw) or nil
    end
    return page
end

-- ---- Several pages

-- A collection for the pages of one search; `wanted` says which facts belong to it.
function search.collection(wanted)
    return { list = {}, seen = {}, position = 0, wanted = wanted }
end

-- Takes a page; whether there may be another one. False for one that brought nothing new.
function search.take(self, page, identity)
    local news = 0
    for _, one in ipairs(page.facts) do
        local key = ("%d.%s"):format(one.serialNo or 0, identity(one))
        if one.serialNo and not self.seen[key] then
            self.seen[key] = true
            news = news + 1
            if self.wanted(one) then
                self.list[#self.list + 1] = one
            else
                self.strange = true
            end
        end
    end
    self.total, self.status = self.total or page.total, page.status
    self.is_stuck = news == 0 and #page.facts > 0
    self.position = self.position + #page.facts
    return news > 0 and search.is_more(self, self.position, #page.facts)
end

-- Whether more may be behind a position: it is said, or counted, or neither and the page was full.
function search.is_more(self, position, got)
    return self.status == "MORE" or (self.total or 0) > position
        or not self.status and not self.total and got >= search.PAGE
end

-- Whether a terminal that gives the same page again and again has more than it has shown.
function search.is_cut(self, width)
    return self.is_stuck == true and #self.list < math.min(width, self.total or 0)
end

-- The facts by serial number, and of one number by their time: the one that was first comes first.
function search.sorted(self, seconds)
    table.sort(self.list, function(a, b)
        if a.serialNo ~= b.serialNo then
            return a.serialNo < b.serialNo
        end
        return (seconds(a) or 0) < (seconds(b) or 0)
    end)
    return self.list
end

return search
