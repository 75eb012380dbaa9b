-- asking - what a manifest's actions and views must be, and what of them the keeper is told.
--
--   actions = { NAME = { role = "technician", doc = "...", params = schema.record { ... },
--       answer = schema, run = function(self, who, params) ... end } }
--   views = { NAME = { ..., run = function(self, params) ... end } }
--
-- `role` is one role or a list; roles are not ordered. `params` and `answer` may be left out.
local access = require "access"
local nearest = require "nearest"
local schema = require "schema"

local asking = {}

local NAME = "^%l[%l%d_]*$"
local MEMBERS = { "answer", "doc", "params", "role", "run" }
local MOST = 32

local function is_among(list, word)
    for _, one in ipairs(list) do
        if one == word then
            return true
        end
    end
    return false
end

local function sorted_names(declared)
    local names = {}
    for name in pairs(declared) do
        names[#names + 1] = name
    end
    table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
    return names
end

-- The roles of a declaration as a list.
local function roles_of(declared)
    return type(declared.role) == "table" and declared.role or { declared.role }
end

local function role_fault(declared)
    local seen, expected = {}, 'expected "officer", "social_worker", "technician" or a list of '
        .. "them, got "
    for _, role in ipairs(roles_of(declared)) do
        if not is_among(access.ROLES, role) or seen[role] then
            return "role: " .. expected .. schema.show(role) .. (seen[role] and " again" or "")
        end
        seen[role] = true
    end
    return not next(seen) and "role: " .. expected .. schema.show(declared.role) or nil
end

local function member_fault(declared)
    for _, name in ipairs(sorted_names(declared)) do
        if not is_among(MEMBERS, name) then
            local meant = nearest.find(tostring(name), MEMBERS)
            return ("%s: expected %s, got %s"):format(tostring(name), meant
                and ('a known name, perhaps "%s"'):format(meant)
                or "one of " .. table.concat(MEMBERS, ", "), schema.show(declared[name]))
        end
    end
end

local function is_schema(value, kind)
    return type(value) == "table" and type(value.inspect) == "function"
        and (not kind or value.kind == kind)
end

local function fault_of(declared)
    if type(declared) ~= "table" then
        return "expected a table, got " .. schema.show(declared)
    end
    if type(declared.doc) ~= "string" or declared.doc == "" then
        return "doc: expected a text that says what it does, got " .. schema.show(declared.doc)
    end
    if declared.params ~= nil and not is_schema(declared.params, "record") then
        return "params: expected schema.record { ... }, got " .. schema.show(declared.params)
    end
    if declared.answer ~= nil and not is_schema(declared.answer) then
        return "answer: expected a schema, got " .. schema.show(declared.answer)
    end
    if type(declared.run) ~= "function" then
        return "run: expected a function, got " .. schema.show(declared.run)
    end
    return role_fault(declared) or member_fault(declared)
end

local function kind_fault(kind, all)
    if all == nil then
        return nil
    end
    if type(all) ~= "table" then
        return kind .. ": expected a table, got " .. schema.show(all)
    end
    local names = sorted_names(all)
    if #names > MOST then
        return ("%s: expected at most %d, got %d"):format(kind, MOST, #names)
    end
    for _, name in ipairs(names) do
        if type(name) ~= "string" or #name > 48 or not name:find(NAME) then
            return ('%s: expected a name of 1 to 48 small letters, digits or "_", got %s'):format(
                kind, schema.show(name))
        end
        local fault = fault_of(all[name])
        if fault then
            return ("%s: %s: %s"):format(kind, name, fault)
        end
    end
end

-- What is wrong with what the manifest declares, or nil.
function asking.fault(manifest)
    return kind_fault("actions", manifest.actions) or kind_fault("views", manifest.views)
end

-- For people and for the keeper: name -> { roles =, doc =, params = rows as describe() gives };
-- nil when there are none.
function asking.listing(all)
    local listing = {}
    for name, declared in pairs(all or {}) do
        listing[name] = { roles = roles_of(declared), doc = declared.doc,
            params = declared.params and declared.params:describe() or nil }
    end
    return next(listing) and listing or nil
end

return asking
