-- picture - what becomes of the picture of a visit: nothing, its SHA-256, or a blob for a while.
--
-- Nothing of it goes anywhere else. One that is kept is erased as soon as its time is over. Where
-- there is no room the event says the hash all the same, and a metric counts it.
local checkin = require "checkin"
local codes = require "codes"
local digest = require "digest"

local picture = {}

local MOST = 1 << 20
local VISITS = { verified = true, rejected = true, unknown_person = true, unmatched = true,
    duress = true }

function picture.new(host, setting)
    local wish = checkin.pictures(setting)
    return { host = host, mode = wish.mode, keep_ms = wish.seconds and wish.seconds * 1000,
        stored = {} }
end

-- Whether a record's picture is wanted at all.
function picture.is_wanted(self, one)
    return self.mode ~= "none" and VISITS[codes.meaning(one.major, one.minor).what] == true
end

-- The SHA-256 in its encrypted blob; nil and why when it cannot be stored.
local function store(self, bytes)
    local spool <close>, why = self.host.blob.open { class = "picture", most = MOST }
    local good
    if spool then
        good, why = spool:write(bytes)
    end
    local blob
    if good then
        blob, why = spool:finish()
    end
    return blob and blob.sha256, why
end

-- Takes the bytes of a picture; its SHA-256 for the event, or nil when there is none.
function picture.take(self, bytes)
    if not bytes or bytes:sub(1, 2) ~= "\xFF\xD8" or #bytes > MOST then
        return nil
    end
    if self.mode ~= "keep" then
        return digest.sha256(bytes)
    end
    local sha256, why = store(self, bytes)
    if not sha256 then
        self.host.metrics.count("pictures_not_kept", 1)
        self.host.log.warn("a picture is not kept: %s", why)
        return digest.sha256(bytes)
    end
    self.stored[sha256] = true
    return sha256
end

-- With the event that names it: from now on it is kept, for so long.
function picture.keep(self, sha256)
    if sha256 and self.stored[sha256] then
        self.stored[sha256] = nil
        self.host.blob.keep(sha256, { class = "picture", keep = self.keep_ms, erase = true })
    end
end

-- The path of a picture that a search names: of the URL the part behind the host, without a login.
function picture.path(url)
    local path = url:match "^https?://[^/]+(/.*)$"
    return path and not path:find "[%s%c]" and (path:gsub("@[^/@:]*:[^/@]*$", "")) or nil
end

return picture
