-- hello - what a terminal is told when it connects. Pure.
--
-- What is asked for is what is needed: records and operations. Templates, pictures and persons are
-- not on the lists, so a terminal that keeps to them never sends any.
local hello = {}

local SECURITY = {
    "ServerVersion=3.0.1", "ServerName=Outpost", "PushVersion=3.0.1", "ErrorDelay=30",
    "RequestDelay=%d", "TransTimes=00:00;14:00", "TransInterval=1", "TransTables=Transaction",
    "Realtime=1", "SessionID=%s", "TimeoutSec=20", "BioPhotoFun=0", "BioDataFun=0",
    "MultiBioDataSupport=0:0:0:0:0:0:0:0:0:0", "MultiBioPhotoSupport=0:0:0:0:0:0:0:0:0:0",
}

-- Hours where they are whole, else minutes, as the protocol has it.
local function zone(offset)
    return offset % 60 == 0 and offset // 60 or offset
end

-- The marks up to which the terminal has sent; 0 asks for all.
local function stamp(stamps, name)
    return stamps[name] or "0"
end

-- The answer to attendance PUSH. `stamps` is { ATTLOG =, OPERLOG = }.
function hello.attendance(serial, stamps, offset, poll)
    return table.concat({
        "GET OPTION FROM: " .. serial,
        "ATTLOGStamp=" .. stamp(stamps, "ATTLOG"), "Stamp=" .. stamp(stamps, "ATTLOG"),
        "OPERLOGStamp=" .. stamp(stamps, "OPERLOG"), "OpStamp=" .. stamp(stamps, "OPERLOG"),
        "ATTPHOTOStamp=None", "PhotoStamp=None", "ErrorDelay=30", ("Delay=%d"):format(poll),
        "TransTimes=00:00;14:05", "TransInterval=1", "TransFlag=TransData AttLog\tOpLog",
        ("TimeZone=%d"):format(zone(offset)), "Realtime=1", "Encrypt=None", "ServerVer=2.2.14",
        "PushProtVer=2.2.14",
    }, "\n") .. "\n"
end

-- The settings of security PUSH.
function hello.settings(session, poll)
    return (table.concat(SECURITY, "\n"):format(poll, session)) .. "\n"
end

-- The answer to security PUSH when it connects: it registers first, or goes on as registered.
function hello.security(registry, session, poll)
    if not registry then
        return "OK"
    end
    return ("registry=ok\nRegistryCode=%s\n"):format(registry) .. hello.settings(session, poll)
end

-- Which of the two protocols a terminal speaks, by the query of its first request.
function hello.dialect(query)
    local major = (query.pushver or ""):match "^(%d+)%."
    if (query.devicetype or ""):lower() == "acc" or major and tonumber(major) >= 3 then
        return "security"
    end
    return "attendance"
end

return hello
