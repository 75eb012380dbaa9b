-- desk - every request of a terminal, and its answer.
--
-- Who is not on the list of terminals, or calls from elsewhere, hears 403 and nothing is taken; a
-- terminal of security PUSH that has registered must show its token. Never 401 or a redirect: these
-- firmwares know neither. Whatever is posted is answered 200 when it is on disk, 503 when it cannot
-- be; then the terminal sends it again.
local digest = require "digest"
local hello = require "hello"
local address = require "address"
local command = require "command"
local intake = require "intake"
local lines = require "lines"
local orders = require "orders"
local presence = require "presence"
local terminal = require "terminal"
local uploads = require "uploads"

local desk = {}

local STRANGERS_MOST = 20
local STRANGER_S = 3600
local PLAIN = { ["Content-Type"] = "text/plain" }

local function answer(body, status)
    return { status = status or 200, headers = PLAIN, body = body }
end

-- "/iclock/cdata.aspx" -> "cdata"; names of the query in small letters.
local function place_of(path)
    return path:lower():gsub("%.aspx$", ""):match "^/+iclock/+(%w+)/?$"
end

local function small_names(query)
    local small = {}
    for name, value in pairs(query) do
        small[name:lower()] = value
    end
    return small
end

-- ---- Who may

-- Forgets those who were told longer than an hour ago; how many are left.
local function forget_strangers(strangers, now)
    local count = 0
    for key, told in pairs(strangers) do
        if now - told >= STRANGER_S then
            strangers[key] = nil
        else
            count = count + 1
        end
    end
    return count
end

-- Tells a stranger once an hour, and no more than so many. What he says about himself is not told.
local function tell_stranger(shop, peer, reason, serial)
    local key, now = peer .. reason .. (serial or ""), shop.host.mono()
    shop.host.metrics.count("strangers", 1)
    if forget_strangers(shop.strangers, now) >= STRANGERS_MOST or shop.strangers[key] then
        return
    end
    shop.strangers[key] = now
    shop.host.emit { type = "terminal.refused",
        data = { address = peer, reason = reason, terminal = serial } }
end

-- The terminal that a request is of, or nil and why not.
local function known_terminal(shop, request, query)
    local one = shop.terminals[query.sn or ""]
    if not one then
        return nil, "serial"
    end
    if not address.fits(request.peer, shop.config.terminals[one.serial]) then
        return nil, "address", one.serial
    end
    return one
end

-- A terminal that once registered shows the token of its registration, or registers anew.
local function has_token(shop, one, request)
    local state = one.state
    if not shop.config.tokens or not (state.registry and state.session) then
        return state.dialect ~= "security" or not shop.config.tokens
    end
    local token = (request.headers.cookie or ""):match "token=(%x+)"
    return token ~= nil
        and token:lower() == digest.md5(state.registry .. one.serial .. state.session)
end

-- ---- Connecting

local function random_text(host)
    return digest.sha256(host.random(32)):sub(1, 32)
end

-- A model and a firmware are told: one word of letters, digits and points, with a digit, as names
-- have none, and without what could be the number of a person or of a card.
local function label(text)
    local word = text and text:gsub("^Ver ", "") or ""
    return #word <= 48 and word:find "^%w[%w._/+%[%]-]*$" and word:find "%d"
        and not word:find "%d%d%d%d%d%d%d%d%d" and text or nil
end

local function note(state, values)
    state.model = label(values.devicename) or state.model
    state.firmware = label(values.firmver or values.fwversion) or state.firmware
end

-- What the terminal says of itself when it connects; stored when it is news.
local function greet(shop, one, query)
    local dialect = hello.dialect(query)
    local compares = (query.devicetype or ""):lower() == "pid" or nil
    local language = lines.whole(query.language)
    return intake.run(shop, one, function(self)
        local state = one.state
        if state.registry then
            dialect = "security" -- it would be a way round the token
        end
        if state.dialect ~= dialect or state.compares ~= compares or state.language ~= language then
            state.dialect, state.compares, state.language = dialect, compares, language
            intake.touch(self)
        end
        if dialect == "attendance" or state.session then
            presence.seen(self, true) -- else it registers first, and says what it is
        end
        return dialect
    end)
end

local paths = {}

local function connect(shop, one, query)
    local poll = shop.config.poll // 1000
    if greet(shop, one, query) == "security" then
        return answer(hello.security(one.state.session and one.state.registry, one.state.session,
            poll))
    end
    orders.catch_up(shop, one)
    return answer(hello.attendance(one.serial, one.state.stamps, shop.offset, poll))
end

function paths.registry(shop, one, request)
    local values = lines.values(request.body, ",")
    intake.run(shop, one, function(self)
        one.state.registry, one.state.session = random_text(shop.host), nil
        one.state.dialect = "security"
        note(one.state, values)
        intake.touch(self)
        presence.seen(self, true)
    end)
    return answer("RegistryCode=" .. one.state.registry)
end

function paths.push(shop, one)
    if not one.state.registry then
        return answer("406", 406)
    end
    intake.run(shop, one, function(self)
        one.state.session = random_text(shop.host)
        intake.touch(self)
    end)
    return answer(hello.settings(one.state.session, shop.config.poll // 1000))
end

-- ---- Uploads

-- The mark that the terminal counts by, where it is one: a number or a time in seconds, and nothing
-- that is as long as the number of a card.
local function stamp_of(query)
    local stamp = query.stamp or query.opstamp
    return stamp and #stamp <= 10 and stamp:find "^%d+$" and stamp or nil
end

local function read_options(self, body)
    note(self.one.state, lines.values(body, ","))
    intake.touch(self)
    return 0
end

-- How each table is read, the mark it moves, and whether its answer says no number.
local TABLES = {
    attlog = { read = uploads.attendance, stamp = "ATTLOG" },
    operlog = { read = uploads.operations, stamp = "OPERLOG" },
    rtlog = { read = uploads.events, bare = true },
    transaction = { read = uploads.events, bare = true },
    rtstate = { read = uploads.states, bare = true },
    options = { read = read_options, bare = true },
    user = { read = uploads.persons },
    userinfo = { read = uploads.persons },
    attphoto = { read = uploads.picture },
}
local REFUSED = {
    biodata = "templates_refused", templatev10 = "templates_refused", fvein = "templates_refused",
    facev7 = "templates_refused", ssrface7 = "templates_refused", fingertmp = "templates_refused",
    biophoto = "pictures_refused", userpic = "pictures_refused", identitycard = "cards_refused",
    idcard = "cards_refused",
}

-- The table that a request is about: table=tabledata names it in another place, and some have
-- nothing but a type.
local function table_of(query)
    local name = (query.table or ""):lower()
    if name == "tabledata" or name == "" then
        name = (query.tablename or query.type or ""):lower():gsub("^tablename=", "")
    end
    return name
end

-- Packed uploads are never asked for; what is in one is not known, so it is no record either.
local function is_packed(query)
    return (query.contenttype or ""):lower() == "tgz" or query.datafmt == "3"
end

local function read_table(self, name, body, query)
    if is_packed(query) then
        return uploads.refuse(self, body, "packages_refused")
    end
    if TABLES[name] then
        return TABLES[name].read(self, body, query)
    end
    return uploads.refuse(self, body, REFUSED[name] or "tables_unknown")
end

-- What is answered to an upload: "OK: n", a bare "OK", or "user=n" for tabledata.
function desk.ack(query, number)
    local name = table_of(query)
    if (query.table or query.type or ""):lower() == "tabledata" then
        return ("%s=%d"):format(name:match "^%w+$" or "OK", number)
    elseif name == "" or TABLES[name] and TABLES[name].bare then
        return "OK"
    end
    return ("OK: %d"):format(number)
end

local function post(shop, one, request, query)
    local name = table_of(query)
    local number = intake.run(shop, one, function(self)
        presence.seen(self, false)
        local many = read_table(self, name, request.body, query)
        local stamp, of = stamp_of(query), TABLES[name] and TABLES[name].stamp
        if of and stamp and one.state.stamps[of] ~= stamp then
            one.state.stamps[of] = stamp
            intake.touch(self)
        end
        return many
    end)
    one.posted = shop.host.mono()
    return answer(desk.ack(query, number))
end

function paths.cdata(shop, one, request, query)
    if request.method == "POST" then
        return post(shop, one, request, query)
    elseif query.options or not query.table then
        return connect(shop, one, query)
    end
    return answer("OK") -- table=RemoteAtt asks for other offices' persons: there are none here
end

paths.fdata, paths.querydata = paths.cdata, paths.cdata

-- ---- Commands and small talk

local function look_in(shop, one)
    if presence.is_due(shop, one) then
        intake.run(shop, one, function(self) presence.seen(self, false) end)
    end
    presence.heard(shop, one)
end

function paths.getrequest(shop, one, _, query)
    look_in(shop, one)
    if query.info then
        note(one.state, { fwversion = query.info:match "^([^,]+)" })
    end
    return answer(orders.next(shop, one))
end

function paths.devicecmd(shop, one, request)
    look_in(shop, one)
    for _, result in ipairs(command.results(request.body)) do
        orders.answered(shop, one, result)
    end
    return answer("OK")
end

function paths.ping(shop, one)
    look_in(shop, one)
    return answer("OK")
end

function paths.rtdata(shop, one, _, query)
    look_in(shop, one)
    if query.type ~= "time" then
        return answer("OK")
    end
    return answer(command.tell_time(shop.host.now(), shop.offset))
end

-- Paths that are answered before there is a token.
local OPEN = { registry = true, push = true, ping = true }

local function is_connecting(place, request, query)
    return OPEN[place] or place == "cdata" and request.method == "GET" and query.options ~= nil
end

local function serve(shop, place, request, query)
    local one, why, serial = known_terminal(shop, request, query)
    if not one then
        tell_stranger(shop, request.peer, why, serial)
        return answer("", 403)
    end
    if not is_connecting(place, request, query) and not has_token(shop, one, request) then
        tell_stranger(shop, request.peer, "token", one.serial)
        return answer("", 403)
    end
    return paths[place](shop, one, request, query)
end

-- The answer to a request.
function desk.answer(shop, request)
    local place = place_of(request.path)
    if not paths[place] then
        return answer("", 404)
    end
    local ok, found = pcall(serve, shop, place, request, small_names(request.query))
    if ok then
        return found
    elseif found == intake.REFUSED or found == terminal.BUSY then
        return answer("", 503)
    end
    error(found, 0)
end

return desk
