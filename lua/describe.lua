-- describe - a manifest's settings, events, actions and views as Markdown tables, for the plugin's
-- README.
local describe = {}

local function cell(text)
    return (tostring(text):gsub("|", "\\|"):gsub("\n", " "))
end

local function add_row(lines, ...)
    local cells = {}
    for i, text in ipairs { ... } do
        cells[i] = cell(text)
    end
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
end

local function add_schema(lines, declared, is_flat)
    for _, row in ipairs(declared:describe()) do
        if not is_flat or not row.name:find(".", 1, true) then
            local kind = row.unit and row.kind .. ", " .. row.unit or row.kind
            add_row(lines, "`" .. row.name .. "`", row.doc, kind, row.need)
        end
    end
end

-- One row per setting.
function describe.settings(manifest)
    local lines = { "| setting | meaning | value | default |", "|---|---|---|---|" }
    add_schema(lines, manifest.config)
    return table.concat(lines, "\n") .. "\n"
end

local function fields_of(declared)
    local names = {}
    for _, row in ipairs(declared:describe()) do
        names[#names + 1] = "`" .. row.name .. "`"
    end
    return table.concat(names, ", ")
end

-- One row for each of `declared` (name -> { doc =, ... }), sorted by name.
local function table_of(heads, declared, cells)
    local names, lines = {}, { "| " .. table.concat(heads, " | ") .. " |",
        ("|---"):rep(#heads) .. "|" }
    for name in pairs(declared or {}) do
        names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(names) do
        add_row(lines, "`" .. name .. "`", cells(declared[name]))
    end
    return table.concat(lines, "\n") .. "\n"
end

-- One row per event type.
function describe.events(manifest)
    return table_of({ "event", "lane", "meaning", "data" }, manifest.events, function(event)
        return event.lane, event.doc, event.data and fields_of(event.data) or ""
    end)
end

local function deed(one)
    local roles = type(one.role) == "table" and table.concat(one.role, ", ") or one.role or ""
    return (roles:gsub("_", " ")), one.doc or "", one.params and fields_of(one.params) or ""
end

-- One row per thing that a person or the city may ask for, and who may.
function describe.actions(manifest)
    return table_of({ "action", "who", "meaning", "parameters" }, manifest.actions, deed)
end

-- One row per thing that may be looked at, and who may.
function describe.views(manifest)
    return table_of({ "view", "who", "meaning", "parameters" }, manifest.views, deed)
end

-- One row per field of any schema, without the fields of its fields.
function describe.fields(declared)
    local lines = { "| field | meaning | value | default |", "|---|---|---|---|" }
    add_schema(lines, declared, true)
    return table.concat(lines, "\n") .. "\n"
end

-- A README with the tables between "<!-- NAME -->" and "<!-- end -->" written anew; `tables` maps
-- names to texts.
function describe.refresh(readme, tables)
    return (readme:gsub("(<!%-%- (%l+) %-%->\n).-(<!%-%- end %-%->)", function(head, name, tail)
        return tables[name] and head .. tables[name] .. tail
    end))
end

return describe
