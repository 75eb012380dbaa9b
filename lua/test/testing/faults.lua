-- faults - what a test has a device do wrong: from now on, or the nth time, so many times.
local faults = {}

-- A fault is a word (for ever) or { with =, on = "how the request's name begins", nth =, times = }.
function faults.add(list, fault, is_fault, expected)
    if type(fault) ~= "table" then
        fault = { with = fault, times = math.huge }
    end
    if not is_fault(fault.with) then
        error("fail: expected " .. expected, 3)
    end
    list[#list + 1] = { with = fault.with, on = fault.on or "", skip = (fault.nth or 1) - 1,
        left = fault.times or 1 }
end

-- Each fault counts the requests that it is for; the first one that is due happens, or nil.
function faults.next(list, name)
    local due
    for _, fault in ipairs(list) do
        if name:sub(1, #fault.on) == fault.on and fault.left > 0 then
            if fault.skip > 0 then
                fault.skip = fault.skip - 1
            elseif not due then
                fault.left = fault.left - 1
                due = fault.with
            end
        end
    end
    return due
end

-- Of a list of requests those whose name begins so.
function faults.named(asked, name)
    local list = {}
    for _, request in ipairs(asked) do
        if not name or request.name:sub(1, #name) == name then
            list[#list + 1] = request
        end
    end
    return list
end

return faults
