-- auth - who knows the password: digest authentication (RFC 2617, 7616) as cameras do it. Pure.
--
-- Cameras differ: qop and algorithm may be missing, the realm may be their own, and so may the URI.
-- The response is computed from what they say, because without the password none of it helps. What
-- they may not choose: the nonce, which must be one of ours for that camera at that address and be
-- used once, and the algorithm.
local digest = require "digest"

local auth = {}

local NONCE_S = 300 -- how long one may be used

local HASHES = { md5 = digest.md5, ["sha-256"] = digest.sha256, sm3 = digest.sm3 }
auth.ALGORITHMS = { "MD5", "SHA-256", "SM3" }

-- The hexadecimal response to `told`, the fields of an Authorization: user, realm, nonce, uri, qop,
-- nc, cnonce as it says them. nil for an algorithm or a qop that nobody here knows.
function auth.response(told, method, password, body)
    local algorithm = (told.algorithm or "MD5"):lower()
    local hash = HASHES[(algorithm:gsub("%-sess$", ""))]
    local qop = told.qop and told.qop ~= "" and told.qop:lower() or nil
    if not hash or qop and qop ~= "auth" and qop ~= "auth-int" then
        return nil
    end
    local whose = hash(("%s:%s:%s"):format(told.username, told.realm, password))
    if algorithm:find "%-sess$" then
        whose = hash(("%s:%s:%s"):format(whose, told.nonce, told.cnonce or ""))
    end
    local what = ("%s:%s"):format(method, told.uri)
    if qop == "auth-int" then
        what = what .. ":" .. hash(body or "")
    end
    if not qop then
        return hash(("%s:%s:%s"):format(whose, told.nonce, hash(what)))
    end
    return hash(table.concat({ whose, told.nonce, told.nc or "", told.cnonce or "", qop,
        hash(what) }, ":"))
end

-- The mark by which a nonce is known again: nobody else can make it, and for no other camera.
local function mark(key, head, camera, address)
    return digest.hmac_sha256(key, table.concat({ head, camera, address }, "|")):sub(1, 32)
end

-- `salt`: four random bytes.
function auth.nonce(key, now, salt, camera, address)
    local head = ("%08x"):format(math.floor(now) & 0xffffffff)
        .. salt:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
    return head .. mark(key, head, camera, address)
end

-- When it was made, or nil: it is none of ours, for somebody else, or too old.
function auth.made_at(key, nonce, now, camera, address)
    local head, tail = nonce:match("^(" .. ("%x"):rep(16) .. ")(" .. ("%x"):rep(32) .. ")$")
    if not head or tail ~= mark(key, head, camera, address) then
        return nil
    end
    local at = tonumber(head:sub(1, 8), 16)
    return now - at < NONCE_S and at <= now + 1 and at or nil
end

-- The value of WWW-Authenticate. Without a word of the algorithm it is MD5, which cameras that know
-- no other want to hear nothing about.
function auth.challenge(realm, nonce, algorithm, is_stale)
    return ('Digest realm="%s", qop="auth", nonce="%s"%s%s'):format(realm, nonce,
        algorithm ~= "MD5" and ", algorithm=" .. algorithm or "", is_stale and ", stale=true" or "")
end

-- Whether no answer can come from it: a list of what an Authorization must say.
function auth.fault(told, algorithm)
    for _, name in ipairs { "username", "realm", "nonce", "uri", "response" } do
        if not told[name] then
            return "expected " .. name .. " in the Authorization"
        end
    end
    local nc = told.nc or ""
    if (told.qop or "") ~= "" and not (told.cnonce and #nc <= 8 and nc:find "^%x+$") then
        return "expected cnonce and at most eight digits of nc beside qop"
    end
    local told_algorithm, is_sess = (told.algorithm or "MD5"):upper():gsub("%-SESS$", "")
    if told_algorithm ~= algorithm then
        return "expected the algorithm of the challenge"
    elseif is_sess > 0 and not told.cnonce then
        return "expected cnonce beside an algorithm of sessions"
    end
end

return auth
