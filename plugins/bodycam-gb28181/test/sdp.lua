-- sdp - what the samples say of SDP. The plugin carries no video and reads none; the samples of
-- other people hold some, and what they are said to mean is looked up with this.
local sdp = {}

function sdp.read(body)
    local found = { attributes = {} }
    for letter, value in body:gmatch "(%l)=([^\r\n]*)" do
        if letter == "a" then
            local name, rest = value:match "^([^:]+):?(.*)$"
            found.attributes[name] = found.attributes[name] or rest
        else
            found[letter] = found[letter] or value
        end
    end
    local media, port, transport = (found.m or ""):match "^(%S+) (%d+) (%S+)"
    found.media, found.port, found.transport = media, tonumber(port), transport
    found.ip = (found.c or ""):match "IP4 (%S+)"
    return found
end

return sdp
