-- double - a host and base stations made of tables, for the tests of this plugin.
--
-- The host keeps the promises of the real one: what a handler emits and stores counts at
-- host.commit() or not at all. A test can let the plugin die at a chosen moment.
local double = {}

local DEATH = {} -- what is raised when the plugin "dies"

local function clone(value)
    if type(value) ~= "table" then
        return value
    end
    local copy = {}
    for key, item in pairs(value) do
        copy[key] = clone(item)
    end
    return copy
end

function double.sheet(name)
    local folder = package.path:match("([^;]*wristband)/%?%.lua")
    return assert(loadfile(("%s/profiles/%s.lua"):format(folder, name), "t", {}))()
end

local function load_sheet(name)
    return double.sheet(name)
end

-- A checked configuration of the plugin.
function double.config(settings)
    local plugin = require "plugin"
    settings.url = settings.url or "modbus-tcp://127.0.0.1"
    return assert(plugin.config:check(settings, load_sheet))
end

---- host

local function check_event(event)
    local plugin = require "plugin"
    local declared = assert(plugin.events[event.type], event.type)
    return assert(declared.data:check(event.data))
end

-- world = { now =, bus =, journal = list of events, stored =, die = nil | "before" | "after",
--           refuse = true: the next commit fails }
function double.world(bus)
    return { now = 1000000, bus = bus, journal = {}, stored = {}, counts = {} }
end

-- Pages of two, so that paging is always needed.
local function range(stored, from, below)
    local keys, page = {}, {}
    for key in pairs(stored) do
        if key >= from and key < below then
            keys[#keys + 1] = key
        end
    end
    table.sort(keys)
    for i = 1, math.min(2, #keys) do
        page[i] = { keys[i], clone(stored[keys[i]]) }
    end
    return page, #keys > 2
end

local function commit(world, open)
    local when = #open.events > 0 and world.die
    if when == "before" then
        error(DEATH)
    end
    if world.refuse then
        world.refuse = nil
        open.events, open.puts = {}, {}
        error("commit: the keeper refused")
    end
    for _, event in ipairs(open.events) do
        world.journal[#world.journal + 1] = event
    end
    for key, value in pairs(open.puts) do
        world.stored[key] = value ~= false and value or nil
    end
    open.events, open.puts = {}, {}
    if when == "after" then
        error(DEATH)
    end
end

-- One life of the plugin: the table `host`, with nothing remembered of the life before.
function double.host(world)
    local open = { events = {}, puts = {} }
    local quiet = function() end
    return {
        now = function() return world.now end,
        mono = function() return world.now - 990000 end,
        log = { info = quiet, warn = quiet, error = quiet, debug = quiet },
        emit = function(event)
            open.events[#open.events + 1] = { type = event.type, time = event.time,
                subject = event.subject, data = check_event(event) }
        end,
        commit = function() commit(world, open) end,
        store = {
            get = function(key) return clone(world.stored[key]) end,
            put = function(key, value) open.puts[key] = clone(value) end,
            remove = function(key) open.puts[key] = false end,
            range = function(from, below) return range(world.stored, from, below) end,
        },
        metrics = {
            count = function(name, n) world.counts[name] = (world.counts[name] or 0) + n end,
            gauge = quiet,
        },
        modbus = { open = function()
            if not world.bus then
                return nil, "refused", "refused"
            end
            return world.bus
        end },
        every = function(_, fn) world.round = fn end,
    }
end

-- Starts the plugin anew. The round is in world.round.
function double.start(world, config)
    return require("plugin").start(double.host(world), config)
end

local function is_expected(err)
    return err == DEATH or tostring(err):find("commit: the keeper refused", 1, true)
end

-- The same where it may die while starting; then the keeper starts it once more.
function double.restart(world, config)
    local ok, err = pcall(double.start, world, config)
    if ok then
        return
    end
    if not is_expected(err) then
        error(err, 0)
    end
    world.die, world.refuse = nil, nil
    double.start(world, config)
end

-- Runs a round; a death or a failure starts the plugin anew or lets it go on, as in the real host.
function double.round(world, config)
    local ok, err = pcall(world.round)
    if ok then
        return true
    end
    if err == DEATH then
        world.die, world.refuse = nil, nil
        double.restart(world, config)
    elseif not is_expected(err) then
        error(err, 0)
    end
    return false
end

-- Events of one type, or all, as "type band" in order.
function double.told(world, pattern)
    local list = {}
    for _, event in ipairs(world.journal) do
        if event.type:find(pattern) then
            list[#list + 1] = event.type .. " " .. (event.data.band or event.data.cause or "")
        end
    end
    return list
end

---- buses

local function span(words, address, count)
    local list = {}
    for i = 0, count - 1 do
        local word = words[address + i]
        if word == nil then
            return nil, "illegal address", "exception", 2
        end
        list[i + 1] = word
    end
    return list
end

-- A bus over tables of registers: { holding = { [address] = word }, coil = { [address] = bool } }.
function double.bus(tables)
    local bus = { reads = {} }
    local function reader(name)
        return function(_, address, count)
            bus.reads[#bus.reads + 1] = ("%s %d+%d"):format(name, address, count)
            if bus.fails then
                return nil, "no answer", "timeout"
            end
            if bus.before_read then
                bus.before_read(#bus.reads)
            end
            return span(tables[name] or {}, address, count)
        end
    end
    bus.read_holding, bus.read_input = reader "holding", reader "input"
    bus.read_coils, bus.read_discrete = reader "coil", reader "discrete"
    return bus
end

---- stations, written from the comments of the profiles

-- rf433-fifo with the serial 7. station.hear(tag, flags, battery) queues a reading.
function double.fifo()
    local station = { queue = {}, next = 65530, write_fails = nil }
    station.bus = double.bus {}
    function station.bus.read_holding(_, address, count)
        local head, words = station.queue[1], {}
        local image = { [0] = 0, [1] = station.serial or 7, [2] = 1, [3] = #station.queue }
        for i = 4, 10 do
            image[i] = head and head[i - 3] or 0
        end
        for i = 1, count do
            words[i] = image[address + i - 1]
        end
        return words
    end
    -- "lost": not done, "unheard": done but the answer is lost
    function station.bus.write_register(_, address, value)
        assert(address == 20)
        local fate = station.write_fails
        station.write_fails = nil
        if fate ~= "lost" and station.queue[1] and station.queue[1][1] == value then
            table.remove(station.queue, 1)
        end
        if fate then
            return nil, "no answer", "timeout"
        end
        return true
    end
    function station.hear(tag, flags, battery, age)
        station.queue[#station.queue + 1] =
            { station.next, tag & 0xFFFF, tag >> 16, flags, battery or 80, 65536 - 60, age or 0 }
        station.next = station.next + 1 & 0xFFFF
        return true
    end
    return station
end

-- inveo-rfid. A tag heard while the mailbox is full is lost: hear() answers false.
function double.mailbox()
    local words = {}
    for address = 1000, 1011 do
        words[address] = 0
    end
    local station = { write_fails = nil }
    station.bus = double.bus { holding = words }
    function station.bus.write_coil(_, address, value)
        assert(address == 1016 and value == false)
        local fate = station.write_fails
        station.write_fails = nil
        if fate ~= "lost" then
            words[1000] = 0
        end
        if fate then
            return nil, "no answer", "timeout"
        end
        return true
    end
    function station.hear(tag, flags, battery)
        if words[1000] ~= 0 then
            return false
        end
        words[1000], words[1002], words[1003] = 1, tag >> 16 | 0xA000, tag & 0xFFFF | 1
        words[1010], words[1011] = flags | (battery or 80) << 8, 65536 - 60
        return true
    end
    return station
end

-- monnit-tcp with the serial 7; one slot per tag in the order of hearing.
function double.slots()
    local words, slots = { [0] = 0, [1] = 7, [2] = 1, [3] = 0 }, {}
    for address = 100, 899 do
        words[address] = 0
    end
    local station = { words = words }
    station.bus = double.bus { holding = words }
    function station.hear(tag, flags, battery, age)
        if not slots[tag] then
            slots[tag] = 100 + 8 * words[3]
            words[3] = words[3] + 1
        end
        for i, word in ipairs { tag >> 16, tag & 0xFFFF, 9, age or 0, 1, flags,
            200 + (battery or 80), 70 } do
            words[slots[tag] + i - 1] = word
        end
        return true
    end
    function station.age(tag, age)
        words[slots[tag] + 3] = age
    end
    return station
end

return double
