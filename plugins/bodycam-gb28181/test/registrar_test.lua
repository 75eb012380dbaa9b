local auth = require "auth"
local registrar = require "registrar"
local sip = require "sip"
local t = require "testing"

local ID, PASSWORD = "35010500001320000007", "Test-Pass-1"
local SALTS = 0

local function new_camera()
    return { id = ID, user = ID, password = PASSWORD, tries = {}, used = {} }
end

local function given(now, address, algorithm)
    SALTS = SALTS + 1
    return { key = "key", realm = "3501050000", algorithm = algorithm or "MD5", now = now or 1e9,
        address = address or "10.0.0.7", salt = ("\0\0\0%c"):format(SALTS % 256) }
end

local function register(headers)
    local message = { method = "REGISTER", uri = "sip:x", headers = { { "via", "v" } }, body = "" }
    for name, value in pairs(headers or {}) do
        table.insert(message.headers, { name, value })
    end
    return message
end

local function told_by(answer)
    local _, told = sip.credentials(answer.headers[1][2])
    return told
end

-- What a camera answers to a challenge; `more` changes what it says.
local function authorization(challenge, password, more)
    local told = { username = ID, realm = challenge.realm, nonce = challenge.nonce, uri = "sip:x",
        qop = challenge.qop, nc = "00000001", cnonce = "ab", algorithm = challenge.algorithm }
    for name, value in pairs(more or {}) do
        told[name] = value or nil
    end
    told.response = told.response or auth.response(told, "REGISTER", password or PASSWORD)
    local fields = {}
    for name, value in pairs(told) do
        fields[#fields + 1] = ('%s="%s"'):format(name, value)
    end
    return "Digest " .. table.concat(fields, ",")
end

local function come(camera, now, address, password, more)
    local challenge = told_by(registrar.judge(camera, register(), given(now, address)))
    local request = register { authorization = authorization(challenge, password, more) }
    return registrar.judge(camera, request, given(now, address)), request
end

t.test("who_knows_the_password_is_in_for_as_long_as_it_asks", function()
    local camera = new_camera()
    local answer = come(camera)
    t.equal({ answer.status, answer.what, answer.seconds }, { 200, "registered", 3600 })
    local challenge = told_by(registrar.judge(camera, register(), given()))
    t.equal({ challenge.realm, challenge.qop, challenge.algorithm }, { "3501050000", "auth" })
end)

t.test("without_qop_with_another_realm_or_an_algorithm_it_is_in_too", function()
    for _, more in ipairs { { qop = false, nc = false, cnonce = false }, { realm = "spvmn.cn" },
        { algorithm = "md5" }, { uri = "sip:350105@10.0.0.1:5060" } } do
        t.equal(come(new_camera(), nil, nil, nil, more).what, "registered")
    end
    local camera = new_camera()
    local challenge = told_by(registrar.judge(camera, register(), given(nil, nil, "SM3")))
    t.equal(challenge.algorithm, "SM3")
    local request = register { authorization = authorization(challenge) }
    t.equal(registrar.judge(camera, request, given(nil, nil, "SM3")).what, "registered")
end)

t.test("the_weaker_algorithm_is_not_taken_for_the_stronger_one", function()
    local camera = new_camera()
    local challenge = told_by(registrar.judge(camera, register(), given(nil, nil, "SHA-256")))
    local weak = authorization(challenge, nil, { algorithm = "MD5" })
    local request = register { authorization = weak }
    t.equal(registrar.judge(camera, request, given(nil, nil, "SHA-256")).status, 401)
end)

t.test("a_nonce_is_good_once_and_for_each_nc_once", function()
    local camera = new_camera()
    local challenge = told_by(registrar.judge(camera, register(), given()))
    local function try(more)
        local request = register { authorization = authorization(challenge, nil, more) }
        local answer = registrar.judge(camera, request, given())
        return answer.status, answer.status == 401 and told_by(answer).stale
    end
    t.equal({ try {} }, { 200, false })
    t.equal({ try {} }, { 401, "true" })
    t.equal({ try { nc = "00000002" } }, { 200, false })
    t.equal({ try { qop = false } }, { 401, "true" })
end)

t.test("an_old_nonce_or_one_of_another_address_is_stale_and_no_wrong_password", function()
    local camera = new_camera()
    local challenge = told_by(registrar.judge(camera, register(), given()))
    local request = register { authorization = authorization(challenge, "wrong") }
    for _, later in ipairs { given(1e9 + 300), given(1e9, "10.0.0.8") } do
        local answer = registrar.judge(camera, request, later)
        t.equal({ answer.status, told_by(answer).stale }, { 401, "true" })
    end
    t.equal(camera.tries, {})
end)

t.test("nonces_that_are_remembered_have_a_bound_and_none_works_twice", function()
    local camera, requests = new_camera(), {}
    for i = 1, 20 do
        local answer
        answer, requests[i] = come(camera, 1e9 + i)
        t.equal(answer.status, 200)
    end
    local count = 0
    for _ in pairs(camera.used) do
        count = count + 1
    end
    t.equal(count, 8)
    for i = 1, 20 do
        t.equal(registrar.judge(camera, requests[i], given(1e9 + 21)).status, 401)
    end
end)

t.test("the_fifth_wrong_password_locks_that_address_for_ten_minutes", function()
    local camera = new_camera()
    for i = 1, 5 do
        local answer = come(camera, 1e9 + i, nil, "wrong")
        t.equal({ answer.status, answer.what }, { 403, i == 5 and "locked" or "wrong" })
    end
    local answer = registrar.judge(camera, register(), given(1e9 + 5))
    t.equal({ answer.status, answer.headers[1] }, { 403, { "retry-after", "600" } })
    t.equal(come(camera, 1e9 + 5, "10.0.0.8").status, 200)
    t.equal(registrar.judge(camera, register(), given(1e9 + 604)).status, 403)
    t.equal(come(camera, 1e9 + 605).status, 200)
end)

t.test("a_good_password_makes_good_the_wrong_ones_before", function()
    local camera = new_camera()
    for round = 0, 3 do
        for i = 1, 4 do
            t.equal(come(camera, 1e9 + 10 * round + i, nil, "wrong").what, "wrong")
        end
        t.equal(come(camera, 1e9 + 10 * round + 5).status, 200)
    end
end)

t.test("digits_of_a_response_may_be_capitals", function()
    local camera = new_camera()
    local challenge = told_by(registrar.judge(camera, register(), given()))
    local request = register { authorization = authorization(challenge):gsub('response="(%x+)"',
        function(digits) return ('response="%s"'):format(digits:upper()) end) }
    t.equal(registrar.judge(camera, request, given()).status, 200)
end)

t.test("another_user_is_a_wrong_password", function()
    t.equal(come(new_camera(), nil, nil, nil, { username = "admin" }).status, 403)
end)

t.test("wrong_passwords_in_the_long_run_lock_nobody", function()
    local camera = new_camera()
    for i = 1, 20 do
        t.equal(come(camera, 1e9 + i * 300, nil, "wrong").what == "locked", false)
    end
end)

t.test("tries_from_many_addresses_are_bounded_too", function()
    local camera, locked = new_camera(), 0
    for i = 1, 1000 do
        local answer = registrar.judge(camera, register(), given(1e9, "10.0.1." .. i))
        if answer.status == 401 then
            come(camera, 1e9, "10.0.1." .. i, "wrong")
        else
            locked = locked + 1
        end
    end
    local count = 0
    for _ in pairs(camera.tries) do
        count = count + 1
    end
    t.equal({ count, locked }, { 9, 1000 - 8 - 5 })
end)

t.test("expires_is_what_the_camera_asks_for_within_bounds", function()
    local cases = {
        { { expires = "60" }, 200, 60 }, { { expires = "9999999" }, 200, 86400 },
        { { expires = "60", contact = "<sip:1@h>;expires=90" }, 200, 90 },
        { { expires = "29" }, 423 }, { { expires = "x" }, 400 }, { { expires = "-1" }, 400 },
        { { expires = "0" }, 200, 0 },
    }
    for _, case in ipairs(cases) do
        local camera = new_camera()
        local challenge = told_by(registrar.judge(camera, register(), given()))
        local request = register(case[1])
        table.insert(request.headers, { "authorization", authorization(challenge) })
        local answer = registrar.judge(camera, request, given())
        t.equal({ answer.status, answer.seconds }, { case[2], case[3] })
        t.equal(answer.what, case[3] and (case[3] > 0 and "registered" or "left") or nil)
    end
end)

t.test("half_an_authorization_is_challenged_again", function()
    for _, text in ipairs { "Basic abc", "Digest", 'Digest username="x"', "" } do
        local answer = registrar.judge(new_camera(), register { authorization = text }, given())
        t.equal({ answer.status, told_by(answer).stale }, { 401 })
    end
end)

return t.finish()
