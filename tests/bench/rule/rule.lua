-- rule - the work of one small rule: the last value of each device, two comparisons, a result.
-- The same file runs in the host and in the bare Lua that it is measured against.
return function(emit, type)
    local last = {}
    return function(event)
        local data = event.data
        local before = last[data.band] or data.rssi
        last[data.band] = data.rssi
        local weak, falls = data.rssi < -70, data.rssi < before - 5
        emit { type = type, subject = event.subject, data = { band = data.band,
            rssi = data.rssi, before = before, weak = weak, falls = falls, raw = "0193" } }
    end
end
