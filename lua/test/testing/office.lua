-- office - the plugin under test in the real host, in an office where all else is a double.
--
--   local office = t.office {
--       config = { url = "modbus-tcp://10.0.0.5" },    -- as in outpost.lua: checked, completed
--       devices = { ["modbus-tcp://10.0.0.5"] = t.modbus { holding = { [0] = 1 } } },
--       store = { key = value },                       -- what is durable already
--       time = "2026-11-21T03:00:00Z",                  -- of the wall clock
--       plugin = "folder or name beside this plugin", instance = "gate",
--   }
--
-- Time passes in run(), next(), and while a device takes its time; nowhere else. A method that
-- plays raises when the plugin cannot start or the rehearsal cannot go on. An error of a handler
-- does not end the plugin, as in a real office; it fails the test, unless that asks for errors().
local config = require "config"
local duration = require "duration"
local rehearsal = require "rehearsal"

local TIME = "2026-11-21T00:00:00Z"
local OFFICE = "350105-003"
local OPTIONS = { config = true, devices = true, store = true, time = true, plugin = true,
    instance = true }
local STEPS = { commit = true, read = true, write = true, any = true }

local office = {}
local Office = {}
Office.__index = Office

local opened = {} -- the offices of the test that runs

---- configuration, as outpost check does it

-- What belongs to Lua itself or to the test stays loaded; the modules of another plugin do not.
local kept = {}
for name in pairs(package.loaded) do
    kept[name] = true
end

local function load_manifest(folder)
    local path, loaded = package.path, {}
    for name, module in pairs(package.loaded) do
        loaded[name] = module
        package.loaded[name] = kept[name] and module or nil
    end
    package.path = ("%s/?.lua;%s/?.lua"):format(rehearsal.library, folder)
    local ok, manifest = pcall(require, "plugin")
    for name in pairs(package.loaded) do
        package.loaded[name] = loaded[name]
    end
    for name, module in pairs(loaded) do
        package.loaded[name] = module
    end
    package.path = path
    return ok and manifest or nil, ok and folder or tostring(manifest)
end

local function folder_of(plugin)
    if not plugin then
        return rehearsal.folder
    end
    return plugin:find("/", 1, true) and plugin or rehearsal.folder:gsub("[^/]*$", "") .. plugin
end

local function read_sheet(path)
    local chunk, why = loadfile(path, "t", {})
    if not chunk then
        return nil, why
    end
    local ok, sheet = pcall(chunk)
    return ok and sheet or nil, not ok and sheet or "expected to return a table"
end

-- START of the plugin, by the same lua/config.lua that reads an office's outpost.lua.
local function configured(options)
    local folder = folder_of(options.plugin)
    local name = folder:match("[^/]*$")
    local env, finish = config.begin {
        where = function() return "t.office" end,
        plugin = function() return load_manifest(folder) end,
        path = function(path) return path:find("^/") and path or folder .. "/" .. path end,
        sheet = read_sheet,
        needs = function() return rehearsal.needs end,
    }
    env.office { id = OFFICE }
    env.plugin(name)(options.instance or "rehearsal")(options.config or {})
    local checked, errors = finish()
    if not checked then
        error(table.concat(errors, "\n"), 0)
    end
    local start = checked.plugins[1]
    start.office, start.lua = OFFICE, rehearsal.library
    return start
end

---- life

local function check_options(options)
    for name in pairs(options) do
        if not OPTIONS[name] then
            error(("t.office: %s: expected config, devices, store, time, plugin or instance")
                :format(name), 0)
        end
    end
end

local function build(options)
    check_options(options)
    local start = configured(options)
    local stage = rehearsal.open(start, start.events, start.plugin .. "/" .. start.instance,
        options.time or TIME)
    for url, device in pairs(options.devices or {}) do
        stage:device(url, device)
        if device.attach then
            device:attach(stage, url)
        end
    end
    for key, value in pairs(options.store or {}) do
        stage:put(key, value)
    end
    return setmetatable({ stage = stage, devices = options.devices or {}, seen = 0, asked = 0,
        actions = start.actions or {}, views = start.views or {} }, Office)
end

-- What a method that plays answers: raised where the test called it.
local function demand(why)
    if why then
        error(why, 3)
    end
end

function office.open(options)
    local ok, self = pcall(build, options or {})
    if not ok then
        error(self, 3)
    end
    opened[#opened + 1] = self
    demand(self.stage:begin())
    return self
end

-- The test is over: nil, or what it has left behind.
function office.finish()
    local left
    for _, self in ipairs(opened) do
        self.stage:finish()
        local errors = self.stage:errors()
        if #errors > self.asked and not left then
            left = ("the plugin raised %d errors that the test did not ask for with errors(): %s")
                :format(#errors - self.asked, errors[self.asked + 1])
        end
    end
    opened = {}
    return left
end

---- time

local function milliseconds(time)
    local ms = math.type(time) == "integer" and time or duration.parse(time)
    return ms or error(('expected milliseconds or a text such as "10s", got %s'):format(
        tostring(time)), 3)
end

-- Lets so much time pass.
function Office:run(time)
    demand((self.stage:run(milliseconds(time), false)))
    return self
end

local function take(self, pattern)
    local events = self.stage:events(pattern, self.seen)
    local event = events[1]
    if event then
        self.seen = event.seq + 1
    end
    return event
end

-- The next event of the plugin that matches and that next() has not given yet; lets time pass until
-- there is one, at most `within` ("1m").
function Office:next(pattern, within)
    pattern = pattern or "*"
    local left = milliseconds(within or "1m")
    local event = take(self, pattern)
    while not event and left > 0 do
        local why
        why, left = self.stage:run(left, true)
        demand(why)
        event = take(self, pattern)
    end
    return event or error(("no event %s within %s"):format(pattern, within or "1m"), 2)
end

-- Seconds UTC; seconds since the rehearsal began.
function Office.now()
    return rehearsal.now()
end

-- Somebody sets the wall clock: "5m" on, "-5m" back.
function Office.jump(_, time)
    local back, length = time:match("^(-?)(.*)$")
    local ms = milliseconds(length)
    rehearsal.jump(back == "-" and -ms or ms)
end

---- questions

local function roles_of(self, kind, name)
    local declared = self[kind .. "s"][name]
    return declared and declared.roles or { "technician" }
end

local function ask(self, kind, name, params, who)
    local roles, fits = roles_of(self, kind, name), false
    who = { name = who and who.name or "somebody", role = who and who.role or roles[1],
        via = "local" }
    for _, role in ipairs(roles) do
        fits = fits or role == who.role
    end
    if not fits then
        return nil, ("%s: expected to be asked for by %s, got %s"):format(name,
            table.concat(roles, " or "), who.role)
    end
    local why, answer, message = self.stage:ask(kind, name, params or {}, who)
    demand(why)
    return answer, message
end

-- Somebody asks for an action: its answer, or nil and what was wrong. `who` is { name =, role = };
-- the role is checked as the keeper does it, and the first that fits when it is left out.
function Office:act(name, params, who)
    return ask(self, "action", name, params, who)
end

-- Somebody looks at a view.
function Office:look(name, params, who)
    return ask(self, "view", name, params, who)
end

---- what goes wrong

-- { before = "commit" } or { after = "write", nth = 2 }: the process dies there, and starts again a
-- second later from what is durable. "commit", "read", "write" (of a device), or "any" of them.
function Office:die(where)
    local step = where.before or where.after
    if not STEPS[step] or where.before and where.after then
        error('die: expected before or after = "commit", "read", "write" or "any"', 2)
    end
    self.stage:decree(step, where.after ~= nil, where.nth or 1)
end

-- The next commits are refused, as when the disk is full.
function Office:refuse(times, text)
    self.stage:refuse(times or 1, text or "the journal has no room")
end

-- The next spools are refused: "full", "busy" or "refused", as host.blob.open says it.
function Office:refuse_blobs(times, code)
    self.stage:refuse_blobs(times or 1, code or "full")
end

-- Ends the process in order and starts it anew, as when it is reloaded.
function Office:restart()
    demand(self.stage:restart(true))
end

-- The same without order: a power cut of its own.
function Office:kill()
    demand(self.stage:restart(false))
end

-- How often the process has died.
function Office:deaths()
    return (self.stage:counts())
end

---- others

-- An event of somebody else comes into the journal: { type =, data =, lane =, subject =, time =,
-- source = }. Answers its seq.
function Office:give(event)
    return self.stage:give(event.type, event.lane or "record", event.data or {},
        event.source or "other/one", event.subject, event.time)
end

---- what was done

-- The plugin's durable events in order, whole as in the journal, with seq.
function Office:events(pattern)
    return (self.stage:events(pattern or "*", 0))
end

-- Their types only.
function Office:told(pattern)
    local types = self:events(pattern)
    for i, event in ipairs(types) do
        types[i] = event.type
    end
    return types
end

-- What is durable under the key, or nil; without a key all, as a table.
function Office:stored(key)
    return self.stage:stored(key)
end

-- The blobs that commits have named: { sha256 =, sm3 =, size =, bytes =, class =, keep_ms =,
-- erase = }, without keep_ms those that are kept until they are released.
function Office:blobs()
    return self.stage:blobs()
end

-- How many commits have become durable.
function Office:commits()
    return (select(2, self.stage:counts()))
end

local function begins_with_one(line, words)
    for _, word in ipairs(words) do
        if line:sub(1, #word) == word then
            return true
        end
    end
    return false
end

-- All that happened, in one order; only the lines that begin with one of the words, if there are
-- words. Second list: when, in seconds since the rehearsal began. Lines are
--   start                          read_holding 0+11             read_input 0+1: timeout
--   commit TYPE put KEY            write_register 20 = 7         refuse TYPE put KEY
--   die before commit              raise plugin.lua:5: why       log info text
--   end 75
function Office:trace(...)
    local words, lines, times = { ... }, self.stage:lines()
    if #words == 0 then
        return lines, times
    end
    local some, moments = {}, {}
    for i, line in ipairs(lines) do
        if begins_with_one(line, words) then
            some[#some + 1], moments[#moments + 1] = line, times[i]
        end
    end
    return some, moments
end

-- What handlers raised, but for commits that the test has had refused. Who asks says that he knows.
function Office:errors()
    local errors = self.stage:errors()
    self.asked = #errors
    return errors
end

-- The lines that were logged, as "info text".
function Office:log()
    local lines = self:trace("log ")
    for i, line in ipairs(lines) do
        lines[i] = line:sub(5)
    end
    return lines
end

-- The metrics of the process that runs now.
function Office:metrics()
    return self.stage:metrics()
end

return office
