-- registrar - who may register: the answer to a REGISTER of a camera that is known. Pure.
--
-- A camera is challenged, answers with its password, and is in. A nonce is good once (with qop:
-- once for each nc), for five minutes, and for the address it was given to: what somebody else
-- has heard cannot be said again. A wrong password counts only behind a nonce of ours, so nobody
-- can lock a camera out by sending in its name from an address that is not his.
--
-- Of a camera this keeps, in memory: `tries` by address and the nonces in `used`.
local auth = require "auth"
local sip = require "sip"

local registrar = {}

local TRIES_MOST, TRIES_S, LOCK_S = 5, 600, 600
local ADDRESSES_MOST, NONCES_MOST = 8, 8
local EXPIRES, EXPIRES_LEAST, EXPIRES_MOST = 3600, 30, 86400

registrar.TRIES_MOST, registrar.LOCK_S = TRIES_MOST, LOCK_S

-- ---- Wrong passwords

-- Beyond a handful of addresses all others count as one: so many tries there are in all.
local function tries_of(camera, address, now)
    local count = 0
    for other, one in pairs(camera.tries) do
        if now - one.since >= TRIES_S and now >= (one.locked or 0) then
            camera.tries[other] = nil
        else
            count = count + 1
        end
    end
    local name = (camera.tries[address] or count < ADDRESSES_MOST) and address or "others"
    camera.tries[name] = camera.tries[name] or { count = 0, since = now }
    return camera.tries[name], name
end

-- Answers whether this try was the one too many.
local function count_wrong(camera, address, now)
    local tries = tries_of(camera, address, now)
    tries.count = tries.count + 1
    if tries.count < TRIES_MOST then
        return false
    end
    tries.count, tries.since, tries.locked = 0, now, now + LOCK_S
    return true
end

local function locked_for(camera, address, now)
    local tries, name = tries_of(camera, address, now)
    if tries.count == 0 and not tries.locked then
        camera.tries[name] = nil
    end
    return tries.locked and now < tries.locked and math.ceil(tries.locked - now) or nil
end

-- ---- Nonces that were used

-- 0 without qop: such a nonce is good once.
local function count_of(told)
    return (told.qop or "") ~= "" and tonumber(told.nc, 16) or 0
end

local function is_used(camera, told)
    local last = camera.used[told.nonce]
    return last and (count_of(told) == 0 or count_of(told) <= last.nc)
end

-- The oldest goes when there are too many; with it all that were made until then are stale.
local function remember(camera, told, at)
    camera.used[told.nonce] = { nc = count_of(told), at = at }
    local count, oldest = 0, nil
    for nonce, one in pairs(camera.used) do
        count = count + 1
        oldest = (not oldest or one.at < camera.used[oldest].at) and nonce or oldest
    end
    if count > NONCES_MOST then
        camera.fresh_from = camera.used[oldest].at
        camera.used[oldest] = nil
    end
end

-- ---- Answers

-- Nothing at all is as good as nothing told; nil when it says what is no number.
local function seconds_of(text)
    local digits = (text ~= "" and text or tostring(EXPIRES)):match "^%d+$"
    return digits and #digits <= 10 and math.min(tonumber(digits), EXPIRES_MOST) or nil
end

-- Seconds, and the contact that is there for so long; nil when it says what is no number. The
-- longest of several counts: who has moved takes the old one back in the same message.
local function expires_of(request)
    local general = sip.header(request, "expires") or ""
    local longest, whose = nil, nil
    for _, contact in ipairs(sip.values(request, "contact")) do
        local address = sip.address(contact)
        local seconds = seconds_of(address and address.parameters.expires or general)
        if not seconds then
            return nil
        elseif not longest or seconds > longest then
            longest, whose = seconds, contact
        end
    end
    return longest or seconds_of(general), whose
end

-- It says for how long it was taken, where it had said so itself.
local function granted(contact, seconds)
    return (contact:gsub("(;%s*[eE][xX][pP][iI][rR][eE][sS]%s*=%s*)\"?%d*\"?", "%1" .. seconds))
end

local function challenge(camera, given, is_stale)
    local nonce = auth.nonce(given.key, given.now, given.salt, camera.id, given.address)
    return { status = 401, headers = { { "www-authenticate",
        auth.challenge(given.realm, nonce, given.algorithm, is_stale) } } }
end

local function refuse(camera, given)
    local is_last = count_wrong(camera, given.address, given.now)
    return { status = 403, what = is_last and "locked" or "wrong" }
end

-- nil when the credentials are good, else the answer.
local function check(camera, request, given)
    local scheme, told = sip.credentials(sip.header(request, "authorization") or "")
    if scheme ~= "digest" or auth.fault(told, given.algorithm) then
        return challenge(camera, given)
    end
    local at = auth.made_at(given.key, told.nonce, given.now, camera.id, given.address)
    if not at or is_used(camera, told) or at <= (camera.fresh_from or 0) then
        return challenge(camera, given, true)
    end
    local response = auth.response(told, request.method, camera.password, request.body)
    if told.username ~= camera.user or told.response:lower() ~= response then
        return refuse(camera, given)
    end
    remember(camera, told, at)
    camera.tries[given.address] = nil
end

-- The answer to a REGISTER: { status =, headers =, what =, seconds = }. `what` is "registered" (for
-- so many seconds), "left", "wrong" (password), "locked" (from now on), or nil for a step between.
-- `given`: { key =, realm =, algorithm =, now =, address =, salt = }.
function registrar.judge(camera, request, given)
    local seconds, contact = expires_of(request)
    if not seconds then
        return { status = 400 }
    elseif seconds > 0 and seconds < EXPIRES_LEAST then
        return { status = 423, headers = { { "min-expires", tostring(EXPIRES_LEAST) } } }
    end
    local locked = locked_for(camera, given.address, given.now)
    if locked then
        return { status = 403, headers = { { "retry-after", tostring(locked) } } }
    end
    local refused = check(camera, request, given)
    if refused then
        return refused
    end
    local headers = { { "expires", tostring(seconds) } }
    if contact and seconds > 0 then
        table.insert(headers, 1, { "contact", granted(contact, seconds) })
    end
    return { status = 200, headers = headers, what = seconds > 0 and "registered" or "left",
        seconds = seconds }
end

return registrar
