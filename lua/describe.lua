-- describe - a manifest's settings and events as Markdown tables, for the plugin's README.
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

-- One row per event type, sorted by name.
function describe.events(manifest)
    local kinds = {}
    for kind in pairs(manifest.events) do
        kinds[#kinds + 1] = kind
    end
    table.sort(kinds)
    local lines = { "| event | lane | meaning | data |", "|---|---|---|---|" }
    for _, kind in ipairs(kinds) do
        local declared = manifest.events[kind]
        add_row(lines, "`" .. kind .. "`", declared.lane, declared.doc, fields_of(declared.data))
    end
    return table.concat(lines, "\n") .. "\n"
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
