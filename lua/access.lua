-- access - which Unix users of this machine are officers, social workers and technicians.
local schema = require "schema"

local access = {}

local NAME = "^[%l_][%w_.-]*$"

local function users(doc)
    return schema.list(schema.text { pattern = NAME, max = 32,
        expects = 'the name of a Unix user such as "zhang"' },
        { doc = doc, max = 64, default = {} })
end

-- Whom a plugin may name in `role`.
access.ROLES = { "officer", "social_worker", "technician" }

access.schema = schema.record {
    officer = users "state staff: only they may decide",
    social_worker = users "who assists; decides nothing",
    technician = users "who looks after the box and its devices; root is one always",
}

local function twice(names)
    local seen = {}
    for _, name in ipairs(names) do
        if seen[name] then
            return name
        end
        seen[name] = true
    end
    return nil, seen
end

-- What does not fit together: a list of { setting =, text = }.
function access.faults(settings)
    local faults, seen = {}, {}
    for _, role in ipairs(access.ROLES) do
        local again
        again, seen[role] = twice(settings[role])
        if again then
            faults[#faults + 1] = { setting = role,
                text = ('expected each name once, got "%s" again'):format(again) }
        elseif seen[role].root then
            faults[#faults + 1] = { setting = role, text = "expected the Unix user of a person, "
                .. 'got "root", which is a technician always and nobody by name' }
        end
    end
    for _, name in ipairs(#faults == 0 and settings.social_worker or {}) do
        if seen.officer[name] then
            faults[#faults + 1] = { setting = "social_worker", text = ("expected nobody who is an "
                .. 'officer, because only officers may decide, got "%s"'):format(name) }
        end
    end
    return faults
end

function access.resolve(settings)
    return settings
end

return access
