-- terminal - one terminal as the plugin knows it: what is stored of it, and whose turn it is.
--
-- Key of host.store: "terminal/SERIAL" = { dialect =, compares =, language =, registry =,
-- session =, stamps = {}, records, values = how many are known (known.lua), index = newest number
-- of an access record, doors =, heard = wall seconds, online =, drift =, model =, firmware = }.
--
-- Rule of this file: uploads of one terminal are taken one after the other, each in turn(). Two at
-- once would both ask what is known before either has committed, and tell the same record twice.
local terminal = {}

local WAIT_MS = 20
local WAITING_MOST = 3 -- of 16 requests that are answered at once
local TURN_S = 60 -- whoever had the turn for so long without a commit is dead

-- What is raised when too many wait already.
terminal.BUSY = "too many requests of this terminal wait"

function terminal.new(host, serial)
    return { serial = serial, state = host.store.get("terminal/" .. serial) or { stamps = {} },
        waiting = 0, since = host.mono(), posted = 0, commands = {} }
end

-- Stores the state with the next commit.
function terminal.keep(host, one)
    host.store.put("terminal/" .. one.serial, one.state)
end

-- What is durable counts again.
local function reload(host, one)
    one.state = host.store.get("terminal/" .. one.serial) or { stamps = {} }
end

local function is_free(host, one)
    return not one.turn or host.mono() - one.turn > TURN_S
end

-- Runs fn() when no other upload of this terminal is being taken. When it raises, the state in
-- memory is thrown away, because it knows more than the store. Answers what fn() answers.
function terminal.in_turn(host, one, fn)
    if one.waiting >= WAITING_MOST then
        error(terminal.BUSY, 0)
    end
    one.waiting = one.waiting + 1
    while not is_free(host, one) do
        host.sleep(WAIT_MS)
    end
    one.waiting = one.waiting - 1
    one.turn = host.mono()
    local ok, answer = pcall(fn)
    one.turn = nil
    if not ok then
        reload(host, one)
        error(answer, 0)
    end
    return answer
end

-- It is still at work.
function terminal.works(host, one)
    one.turn = host.mono()
end

return terminal
