-- address - whether a terminal calls from where it may. Pure.
local address = {}

local function number_of(text)
    local a, b, c, d = text:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$"
    local number = 0
    for _, part in ipairs { a, b, c, d } do
        if #part > 3 or tonumber(part) > 255 then
            return nil
        end
        number = number << 8 | tonumber(part)
    end
    return a and number
end

-- What is wrong with "192.168.1.20", "192.168.1.0/24" or an IPv6 address, or nil.
function address.fault(rule)
    local plain, bits = rule:match "^([^/]+)/(%d+)$"
    if rule:find(":", 1, true) then
        return rule:find "^[%x:.]+$" == nil and "expected an address without a prefix" or nil
    end
    if not number_of(plain or rule) or bits and (#bits > 2 or tonumber(bits) > 32) then
        return ('expected an address such as "192.168.1.20" or "192.168.1.0/24", got "%s"')
            :format(rule)
    end
end

-- Whether an address lies in a rule that has no fault.
function address.fits(peer, rule)
    local plain, bits = rule:match "^([^/]+)/(%d+)$"
    local here, there = number_of(plain or rule), number_of(peer)
    if not here or not there then
        return peer == rule
    end
    local shift = 32 - tonumber(bits or 32)
    return here >> shift == there >> shift
end

return address
