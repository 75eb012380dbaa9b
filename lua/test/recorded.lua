-- recorded - devices that answer a replay with what was recorded of them (rehearse/recording.c).
--
--   recorded.devices({ { url =, pieces = { { out =, at =, bytes = }, ... } }, ... }, world)
--
-- answers url -> double, as lua/test/testing has them. A question is answered by the first answer
-- to the same question that has not been used yet, whenever it was asked; a line goes on as it
-- went. `world` is what a double does: pass(ms), send(id, bytes, ms), missing(url): nothing was
-- recorded of what is asked now. Times are in milliseconds.
local recorded = {}

---- Modbus

local FUNCTIONS = { read_coils = 1, read_discrete = 2, read_holding = 3, read_input = 4,
    write_coil = 5, write_register = 6, write_coils = 15, write_registers = 16 }
local COIL_ON = 0xFF00

-- Bits, the first in the lowest place of the first byte.
local function pack_bits(values)
    local bytes = {}
    for i, value in ipairs(values) do
        local at = (i - 1) // 8 + 1
        bytes[at] = (bytes[at] or 0) | (value and 1 << (i - 1) % 8 or 0)
    end
    return string.char(table.unpack(bytes))
end

local function pack_words(values)
    local words = {}
    for i, value in ipairs(values) do
        words[i] = string.pack(">I2", value)
    end
    return table.concat(words)
end

-- The message that the host made of it (core/host/modbus/pdu.c).
local function message_of(name, address, what)
    local code = FUNCTIONS[name]
    if name == "request" then
        return what
    elseif type(what) == "number" then
        return string.pack(">BI2I2", code, address, what)
    elseif name == "write_coil" then
        return string.pack(">BI2I2", code, address, what[1] and COIL_ON or 0)
    elseif name == "write_register" then
        return string.pack(">BI2I2", code, address, what[1])
    end
    local values = name == "write_coils" and pack_bits(what) or pack_words(what)
    return string.pack(">BI2I2s1", code, address, #what, values)
end

-- Unit and message; nil when it is not whole.
local function open_frame(bytes, is_tcp)
    if is_tcp then
        if #bytes < 8 then
            return nil
        end
        local length, unit = string.unpack(">I2B", bytes, 5)
        if #bytes < 6 + length then
            return nil
        end
        return unit, bytes:sub(8, 6 + length)
    end
    if #bytes < 4 then
        return nil
    end
    return bytes:byte(1), bytes:sub(2, -3)
end

-- Questions with what came until the next one.
local function exchanges(pieces)
    local found, last = {}, nil
    for _, piece in ipairs(pieces) do
        if piece.out then
            last = { asked = piece.bytes, came = {}, at = piece.at }
            found[#found + 1] = last
        elseif last then
            last.came[#last.came + 1] = piece
        end
    end
    return found
end

local function came(exchange)
    local bytes = {}
    for i, piece in ipairs(exchange.came) do
        bytes[i] = piece.bytes
    end
    return table.concat(bytes)
end

-- What was recorded under a key, in order; each is given once.
local Memory = {}
Memory.__index = Memory

local function new_memory()
    return setmetatable({ queues = {} }, Memory)
end

function Memory:add(key, what)
    local queue = self.queues[key] or { first = 1 }
    queue[#queue + 1] = what
    self.queues[key] = queue
end

function Memory:take(key)
    local queue = self.queues[key]
    local what = queue and queue[queue.first]
    if what then
        queue[queue.first] = false
        queue.first = queue.first + 1
    end
    return what
end

local function modbus(device, world)
    local memory, is_tcp = new_memory(), device.url:find("^modbus%-tcp:") ~= nil
    for _, exchange in ipairs(exchanges(device.pieces)) do
        local unit, message = open_frame(exchange.asked, is_tcp)
        if unit then
            local _, answer = open_frame(came(exchange), is_tcp)
            memory:add(string.char(unit) .. message, answer or "")
        end
    end
    local double = {}
    function double.ask(_, name, unit, address, what, timeout)
        local answer = memory:take(string.char(unit) .. message_of(name, address, what))
        if not answer then
            world.missing(device.url)
            return nil, "refused"
        elseif answer == "" then
            world.pass(timeout)
            return nil, "timeout"
        elseif answer:byte() >= 0x80 then
            return nil, "exception", answer:byte(2) or 4
        end
        return answer
    end
    return double
end

---- HTTP

local function head_of(bytes)
    local head, body = bytes:match("^(.-\r?\n)\r?\n(.*)$")
    if not head then
        return nil
    end
    local headers = {}
    for name, value in head:gmatch("\n([^:\r\n]+):[ \t]*([^\r\n]*)") do
        headers[name] = value
    end
    return head:match("^[^\r\n]*"), headers, body
end

-- A request, and the pieces of its answer: the head first, then the body as it came.
local function requests(pieces)
    local found, last = {}, nil
    for _, piece in ipairs(pieces) do
        local method, path = nil, nil
        if piece.out then
            method, path = piece.bytes:match("^(%u+) ([^ ]+) HTTP/%d")
        end
        if method then
            last = { key = method .. " " .. path, bodies = {} }
            found[#found + 1] = last
        elseif not piece.out and last then
            local line, headers, body = head_of(piece.bytes)
            local status = line and tonumber(line:match("^HTTP/%d[%d.]* (%d%d%d)"))
            if status then
                last.status, last.headers, last.bodies = status, headers, {}
                piece = { at = piece.at, bytes = body }
            end
            last.bodies[#last.bodies + 1] = piece
        end
    end
    return found
end

-- A login that was asked for is the library's business: the plugin saw what came after it.
local function without_challenges(all)
    local kept = {}
    for i, request in ipairs(all) do
        local next = all[i + 1]
        if not (request.status == 401 and next and next.key == request.key) then
            kept[#kept + 1] = request
        end
    end
    return kept
end

local DROPPED = { ["content-length"] = true, ["transfer-encoding"] = true,
    ["content-encoding"] = true, connection = true }

local function reply_of(request)
    if not request.status then
        return { fault = "closed" }
    end
    local headers, reply, text, last = {}, { status = request.status }, {}, nil
    for name, value in pairs(request.headers) do
        if not DROPPED[name:lower()] then
            headers[name] = value
        end
    end
    reply.headers, reply.pieces = headers, {}
    local is_stream = (headers["Content-Type"] or ""):find("^multipart/x%-mixed%-replace")
        or (headers["Content-Type"] or ""):find("^multipart/mixed")
    for i, piece in ipairs(request.bodies) do
        if is_stream and i > 1 then
            reply.pieces[#reply.pieces + 1] = { after = piece.at - last, body = piece.bytes }
        else
            text[#text + 1] = piece.bytes
        end
        last = piece.at
    end
    reply.body, reply.stays = table.concat(text), is_stream and true or nil
    return reply
end

local function http(device, world)
    local memory = new_memory()
    for _, request in ipairs(without_challenges(requests(device.pieces))) do
        memory:add(request.key, reply_of(request))
    end
    local double = {}
    function double.ask(_, request)
        local reply = memory:take(request.method .. " " .. request.path)
        if not reply then
            world.missing(device.url)
            return { fault = "refused" }
        end
        return reply
    end
    return double
end

---- Lines of bytes

-- What came goes out in the rhythm in which it came; behind what was written only when as much has
-- been written.
local function line(device, world)
    local pieces, at, written = device.pieces, 1, 0
    local double = {}
    local function go_on(id)
        local since, wait = nil, 0
        while pieces[at] do
            local piece = pieces[at]
            if piece.out then
                if written < #piece.bytes then
                    return
                end
                written = written - #piece.bytes
            else
                wait = wait + (since and piece.at - since or 0)
                world.send(id, piece.bytes, wait)
            end
            since, at = piece.at, at + 1
        end
        if written > 0 then
            world.missing(device.url)
        end
    end
    function double.joined(_, id)
        written = 0
        go_on(id)
        return true
    end
    function double.take(_, id, bytes)
        written = written + #bytes
        go_on(id)
    end
    function double.left() end
    return double
end

local KINDS = { ["modbus-tcp"] = modbus, ["modbus-rtu"] = modbus, http = http, https = http,
    tcp = line, udp = line, serial = line }

function recorded.devices(list, world)
    local doubles = {}
    for _, device in ipairs(list) do
        local kind = KINDS[device.url:match("^([%w-]+)://")]
        if kind then
            doubles[device.url] = kind(device, world)
        end
    end
    return doubles
end

return recorded
