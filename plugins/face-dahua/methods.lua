-- methods - what the number in "Method" means, by model. Pure.
--
-- COMMON is what all manuals and captures agree on. What they do not agree on stands with the
-- models that it was seen at, or nowhere: a number that is not here is told as it is (`codes`),
-- with no word. The setting `methods` says what the terminal in front of you means.
local methods = {}

local COMMON = {
    [0] = "password", [1] = "card", [2] = "card+password", [3] = "card+password", [5] = "button",
    [6] = "fingerprint", [15] = "face",
}

-- Face terminals; the beginning of the model's name.
local ASI = {
    [7] = "card+fingerprint+password", [9] = "fingerprint+password", [10] = "card+fingerprint",
    [14] = "qr", [22] = "face+password", [24] = "face+fingerprint", [25] = "face+card",
}
local MODELS = {
    { "^ASI[678]", ASI }, { "^DHI%-ASI[678]", ASI }, { "^SS %d", ASI },
}

local function put_all(into, from)
    for number, word in pairs(from) do
        into[number] = word
    end
end

-- The table of a model (any of its names), and what the setting says on top: { ["21"] =
-- "fingerprint" }.
function methods.of(models, setting)
    local found = {}
    put_all(found, COMMON)
    for _, row in ipairs(MODELS) do
        for _, model in ipairs(models) do
            if model:find(row[1]) then
                put_all(found, row[2])
            end
        end
    end
    for number, word in pairs(setting or {}) do
        found[math.tointeger(tonumber(number))] = word
    end
    return found
end

return methods
