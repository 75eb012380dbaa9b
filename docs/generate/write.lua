-- write - tables as JSON and as YAML, the same for the same content: names that people read first
-- come first, the others in the order of the alphabet.
--
-- A table with [1] is a list; an empty one is an object.
local write = {}

local FIRST = {
    "$schema", "$id", "$ref", "asyncapi", "info", "title", "name", "version", "summary", "id",
    "type", "description", "action", "channel", "address", "host", "protocol", "protocolVersion",
    "defaultContentType", "contentType", "servers", "parameters", "messages", "channels",
    "operations", "headers", "payload", "const", "enum", "required", "properties", "components",
}

local RANK = {}
for rank, name in ipairs(FIRST) do
    RANK[name] = rank
end

local function sorted_names(object)
    local names = {}
    for name in pairs(object) do
        names[#names + 1] = name
    end
    table.sort(names, function(a, b)
        local one, other = RANK[a] or #FIRST + 1, RANK[b] or #FIRST + 1
        if one ~= other then
            return one < other
        end
        return a < b
    end)
    return names
end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n" }

local function quoted(text)
    return '"' .. text:gsub('[%c"\\]', function(letter)
        return ESCAPES[letter] or ("\\u%04x"):format(letter:byte())
    end) .. '"'
end

local function scalar(value)
    if type(value) == "string" then
        return quoted(value)
    end
    return math.type(value) == "float" and ("%.14g"):format(value) or tostring(value)
end

local function is_list(value)
    return value[1] ~= nil
end

local function put_json(out, value, indent)
    if type(value) ~= "table" then
        out[#out + 1] = scalar(value)
        return
    end
    if next(value) == nil then
        out[#out + 1] = "{}"
        return
    end
    local inner, list = indent .. "  ", is_list(value)
    out[#out + 1] = list and "[" or "{"
    for i, key in ipairs(list and value or sorted_names(value)) do
        out[#out + 1] = (i == 1 and "\n" or ",\n") .. inner
        if not list then
            out[#out + 1] = quoted(key) .. ": "
        end
        put_json(out, list and key or value[key], inner)
    end
    out[#out + 1] = "\n" .. indent .. (list and "]" or "}")
end

function write.json(value)
    local out = {}
    put_json(out, value, "")
    return table.concat(out) .. "\n"
end

-- Words that YAML takes for something else than a text, and what a plain text may look like.
local WORDS = { ["true"] = true, ["false"] = true, null = true, yes = true, no = true, on = true,
    off = true, y = true, n = true }

local function plain(text)
    local is = text:find("^[%a_/][%w_./-]*$") and not WORDS[text:lower()]
    return is and text or quoted(text)
end

local put_yaml

local function put_member(out, head, value, indent)
    if type(value) ~= "table" then
        out[#out + 1] = head .. " " .. (type(value) == "string" and plain(value) or scalar(value))
            .. "\n"
    elseif next(value) == nil then
        out[#out + 1] = head .. " {}\n"
    else
        out[#out + 1] = head .. "\n"
        put_yaml(out, value, indent .. "  ")
    end
end

function put_yaml(out, value, indent)
    if is_list(value) then
        for _, item in ipairs(value) do
            put_member(out, indent .. "-", item, indent)
        end
        return
    end
    for _, name in ipairs(sorted_names(value)) do
        put_member(out, indent .. plain(name) .. ":", value[name], indent)
    end
end

function write.yaml(value)
    local out = {}
    put_yaml(out, value, "")
    return table.concat(out)
end

return write
