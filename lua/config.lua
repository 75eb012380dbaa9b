-- config - reads outpost.lua: office, city, courier, storage, limits, update, access and plugins,
-- checked, as one table for the keeper.
--
-- Pure: files, folders and positions come in through `world`, because who runs this decides where
-- they are:
--
--   world.where()          "FILE:LINE" of the configuration's statement that is running
--   world.plugin(name)     manifest, absolute folder | nil, "what is wrong"
--   world.path(text)       the absolute path of a path in the configuration
--   world.sheet(path)      the table that a data file returns, run in an empty environment |
--                          nil, "what is wrong"
--   world.secret(path)     what a file holds, without the line's end, when not everybody may read
--                          it | nil, "what is wrong"
--   world.names()          a list of the plugins there are                         (may be absent)
--   world.needs()          a list of the words that a manifest's `needs` may hold  (may be absent)
--   world.zone(name)       whether this machine knows the time zone                (may be absent)
--   world.call(name, fn, ...)  as pcall(fn, ...), for what the author of that plugin has written;
--                          it remembers who has used up all time or memory         (may be absent)
--   world.fault(value)     why the value cannot be handed on as JSON, or nil       (may be absent)
--   world.text             the configuration's text: errors name the setting's line (may be absent)
--
--   local env, finish = config.begin(world)
--   ... it runs with env's functions office, city, courier, storage, limits, update, access,
--       plugin ...
--   local checked, errors = finish()      -- a table, or nil and a list of lines
--
-- A manifest is code of its author, and what it checks may be secret: it sees the settings of its
-- own instances only, has a copy of them, and has no file opened that they do not name.
--
-- Every error is collected, each is one line: FILE:LINE: WHAT: expected ..., got ...
local access = require "access"
local asking = require "asking"
local city = require "city"
local courier = require "courier"
local limits = require "limits"
local manifest = require "manifest"
local nearest = require "nearest"
local schema = require "schema"
local storage = require "storage"
local update = require "update"

local config = {}

local MAX_PLUGINS = 64
local MAX_ERRORS = 50
local MAX_DEPTH = 31

local ID = "^%w[%w_:-]*$"
local INSTANCE = "^%l[%l%d_-]*$"

local OFFICE = schema.record {
    id = schema.text {
        doc = "number of the office, part of every event's identity; never change it",
        pattern = ID, max = 32, expects = 'an id of 1 to 32 letters, digits, "-", "_" or ":"',
    },
    name = schema.text { doc = "name of the office, for people", max = 120, default = "" },
    timezone = schema.text {
        doc = "where the office is, for people; events are kept in UTC",
        pattern = "^%u[%w_+-]*/?[%w_+/-]*$", max = 48, default = "Asia/Shanghai",
        expects = 'a time zone such as "Asia/Shanghai"',
    },
    suite = schema.choice {
        doc = "hashes and signatures of a new log and its key; one that is there keeps its own "
            .. "(left out: sha256+ed25519)",
        choices = { "sha256+ed25519", "sm3+sm2" }, optional = true,
    },
}

-- The declarations, for documents.
config.schemas = { office = OFFICE, city = city.schema, courier = courier.schema,
    storage = storage.schema, limits = limits.schema, update = update.schema,
    access = access.schema }

local STATEMENTS = { office = true, city = true, courier = true, storage = true, limits = true,
    update = true, access = true, plugin = true }

-- The line on which `setting` is set, at or after the line of the statement; else that line.
local function line_of(self, where, setting)
    local name, line = where:match("^(.*):(%d+)$")
    local word = setting and setting:match("[%a_][%w_]*$")
    if not name or not word or not self.lines then
        return where
    end
    local set = "%f[%w_]" .. word .. "%f[^%w_][%]\"' ]*="
    for at = tonumber(line), math.min(#self.lines, line + 200) do
        if at > tonumber(line) and STATEMENTS[self.lines[at]:match("^%l+")] then
            break
        end
        if self.lines[at]:find(set) then
            return name .. ":" .. at
        end
    end
    return where
end

local function complain(self, where, text, setting)
    if #self.errors < MAX_ERRORS then
        self.errors[#self.errors + 1] = line_of(self, where, setting) .. ": " .. text
    end
end

-- Checks a block's settings; each error is told with the block's name before it.
local function check(self, where, block, declared, settings)
    local checked, errors = declared:inspect(settings)
    for _, err in ipairs(errors or {}) do
        complain(self, where, block .. ": " .. err.message, err.path)
    end
    return checked
end

local function check_zone(self, where, zone)
    if not self.world.zone or self.world.zone(zone) then
        return
    end
    complain(self, where, ('office: timezone: expected a time zone of this machine (package '
        .. 'tzdata), such as "Asia/Shanghai", got "%s"'):format(zone), "timezone")
end

local function read_office(self, settings)
    local where = self.world.where()
    if self.office_at then
        complain(self, where, "office: expected once, got it again; the first is at "
            .. self.office_at)
        return
    end
    self.office_at = where
    self.office = check(self, where, "office", OFFICE, settings)
    if self.office then
        check_zone(self, where, self.office.timezone)
    end
end

-- A block that may be there once, of a module with schema, faults and resolve.
local function read_block(self, block, module, settings)
    local where = self.world.where()
    local first = self.first[block]
    if first then
        complain(self, where, ("%s: expected once, got it again; the first is at %s"):format(block,
            first))
        return
    end
    self.first[block] = where
    local checked = check(self, where, block, module.schema, settings)
    if not checked then
        return
    end
    for _, fault in ipairs(module.faults(checked)) do
        complain(self, where, ("%s: %s: %s"):format(block, fault.setting, fault.text),
            fault.setting)
    end
    self.blocks[block] = module.resolve(checked, self.world.path)
end

-- The settings as the author of a plugin sees them, and into `said` all that is said in them. Two
-- instances may share a table of the configuration.
local function hand_out(value, said, depth)
    if type(value) == "string" then
        said[value] = true
    end
    if type(value) ~= "table" then
        return value
    end
    if depth > MAX_DEPTH then
        error("expected settings nested at most " .. MAX_DEPTH .. " deep", 0)
    end
    local copy = {}
    for key, item in next, value do
        copy[key] = hand_out(item, said, depth + 1)
    end
    return copy
end

-- Of what was said, what may be a file or a folder: only that is opened to the plugin.
local function paths_in(said)
    local paths = {}
    for text in next, said do
        if text:find("^/") or text:find(":///", 1, true) then
            paths[#paths + 1] = text
        end
    end
    table.sort(paths)
    return paths
end

-- A shipped sheet lies in a folder of the plugin; a path is the user's own, and so is a secret.
local function loader(self, folder, said)
    return function(name, shelf)
        if type(name) ~= "string" then
            return nil, "a name that is no text"
        end
        if not shelf then
            if not said["file:" .. name] then
                return nil, "a file that the configuration does not name"
            end
            return self.world.secret(self.world.path(name))
        end
        if said[name] and (name:find("/", 1, true) or name:find("%.lua$")) then
            return self.world.sheet(self.world.path(name))
        end
        if not name:find(ID) or type(shelf) ~= "string" or not shelf:find(ID) then
            return nil, "there is none of that name"
        end
        local sheet = self.world.sheet(("%s/%s/%s.lua"):format(folder, shelf, name))
        return sheet, "there is none of that name"
    end
end

-- As pcall, for what the author of the plugin `name` has written.
local function call(self, name, fn, ...)
    if self.world.call then
        return self.world.call(name, fn, ...)
    end
    return pcall(fn, ...)
end

local function words_of(raised)
    return "it raised " .. (type(raised) == "string" and raised or "what is no text")
end

-- The manifest, bare, and its folder; or nil and what is wrong.
local function read_manifest(self, name)
    local read, folder = self.world.plugin(name)
    if read == nil then
        return nil, folder or "there is none"
    end
    read = manifest.bare(read)
    local called, fault = call(self, name, manifest.fault, read, name,
        self.world.needs and self.world.needs())
    if not called then
        fault = "its manifest cannot be looked at: " .. words_of(fault)
    end
    return not fault and read or nil, fault or folder
end

local function find_plugin(self, where, name)
    local read, folder = read_manifest(self, name)
    if read then
        return read, folder
    end
    local names = self.world.names and self.world.names() or {}
    local meant = nearest.find(name, names)
    local hint = meant and meant ~= name and (', perhaps "%s"'):format(meant) or ""
    complain(self, where, ('plugin: expected the name of a plugin%s, got "%s" (%s)'):format(
        hint, name, folder))
    return nil
end

-- The errors of a schema, each told with the block's name before it.
local function complain_all(self, where, block, errors)
    local told = #self.errors
    for i = 1, type(errors) == "table" and rawlen(errors) or 0 do
        local err = rawget(errors, i)
        local text = type(err) == "table" and rawget(err, "message")
        local path = type(err) == "table" and rawget(err, "path")
        if type(text) == "string" then
            complain(self, where, block .. ": " .. text, type(path) == "string" and path or nil)
        end
    end
    if #self.errors == told then
        complain(self, where, block .. ": its manifest refuses the settings and does not say why")
    end
end

-- The settings, checked by the manifest, and the paths in them; or nil when something is wrong.
local function inspect(self, where, block, found, settings)
    local said = {}
    local is_flat, given = pcall(hand_out, settings, said, 0)
    if not is_flat then
        complain(self, where, block .. ": " .. given)
        return nil
    end
    local called, checked, errors = call(self, found.name, function()
        return found.config:inspect(given, loader(self, found.folder, said))
    end)
    if not called then
        complain(self, where, ("%s: they cannot be checked: %s"):format(block, words_of(checked)))
        return nil
    elseif type(checked) ~= "table" then
        complain_all(self, where, block, errors)
        return nil
    end
    return checked, paths_in(said)
end

-- What is wrong between the settings: whether the manifest's own check passed.
local function passes(self, where, block, found, checked)
    if not found.check then
        return true
    end
    local called, fault = call(self, found.name, found.check, checked)
    if not called then
        complain(self, where, block .. ": check: " .. words_of(fault))
    elseif type(fault) == "string" then
        complain(self, where, block .. ": " .. fault, fault:match("^([%w_.]+):"))
    elseif fault then
        complain(self, where, ("%s: check: expected a text that says what is wrong, or nothing, "
            .. "got a %s"):format(block, type(fault)))
    end
    return called and not fault
end

local function lanes(declarations)
    local events = {}
    for kind, declared in pairs(declarations or {}) do
        events[kind] = declared.lane
    end
    return events
end

-- Each instance once, whatever its plugin: its name is the name of its store.
local function claim(self, where, name, instance)
    if manifest.OWN_NAMES[instance] then
        complain(self, where, ('plugin "%s": expected another instance name: "%s" is the '
            .. "appliance's own"):format(name, instance))
        return false
    end
    if type(instance) ~= "string" or #instance > 32 or not instance:find(INSTANCE) then
        complain(self, where, ('plugin "%s": expected an instance name of 1 to 32 small letters, '
            .. 'digits, "-" or "_", got %s'):format(name, schema.show(instance)))
        return false
    end
    local pair = ('plugin "%s" "%s"'):format(name, instance)
    if self.claimed[instance] then
        complain(self, where, ("%s: expected an instance name not used yet, got the one used at "
            .. "%s"):format(pair, self.claimed[instance]))
        return false
    end
    self.claimed[instance] = where
    return true
end

-- What is set beside a plugin's own settings, and those without it.
local function take_record(self, where, block, settings)
    if type(settings) ~= "table" or settings.record == nil then
        return nil, settings
    end
    local rest = {}
    for key, value in pairs(settings) do
        rest[key] = value
    end
    rest.record = nil
    if type(settings.record) ~= "boolean" then
        complain(self, where, ("%s: record: expected true or false, got %s"):format(block,
            schema.show(settings.record)), "record")
    end
    return settings.record or nil, rest
end

-- What the keeper is told of actions and views comes from the manifest's schemas.
local function add_checked(self, where, block, plugin, found)
    local called, fault = call(self, found.name, function()
        plugin.actions, plugin.views = asking.listing(found.actions), asking.listing(found.views)
        return self.world.fault and self.world.fault(plugin)
    end)
    if not called or fault then
        complain(self, where, ("%s: it cannot be handed to its host: %s"):format(block,
            called and fault or words_of(fault)))
        return
    end
    self.plugins[#self.plugins + 1] = plugin
end

local function add_plugin(self, where, name, instance, settings)
    if not claim(self, where, name, instance) then
        return
    end
    local found, folder = find_plugin(self, where, name)
    if not found then
        return
    end
    local block = ('plugin "%s" "%s"'):format(name, instance)
    local record
    record, settings = take_record(self, where, block, settings)
    found.folder = folder
    local checked, paths = inspect(self, where, block, found, settings)
    if checked and not passes(self, where, block, found, checked) then
        return
    end
    if #self.plugins >= MAX_PLUGINS then
        complain(self, where, ("plugin: expected at most %d, got one more"):format(MAX_PLUGINS))
        return
    end
    add_checked(self, where, block, { plugin = name, instance = instance, folder = folder,
        needs = found.needs or {}, state = found.state, config = checked, record = record,
        paths = paths, events = lanes(found.events) }, found)
end

-- plugin "name" "instance" { settings }: three calls, of which a typing error may drop one.
local function read_plugin(self, name)
    local where = self.world.where()
    if type(name) ~= "string" then
        complain(self, where, "plugin: expected a name, got " .. schema.show(name))
        return function() return function() end end
    end
    self.open[where .. name] = { where = where, name = name }
    return function(instance)
        if type(instance) == "table" then
            self.open[where .. name] = nil
            complain(self, where, ('plugin "%s": expected an instance name before the settings, '
                .. "got a table"):format(name))
        end
        return function(settings)
            self.open[where .. name] = nil
            add_plugin(self, where, name, instance, settings)
        end
    end
end

local function finish(self)
    for _, unfinished in pairs(self.open) do
        complain(self, unfinished.where, ('plugin "%s": expected "instance" { settings }, got no '
            .. "settings"):format(unfinished.name))
    end
    if not self.office_at then
        complain(self, self.world.where(), 'office: expected office { id = "..." }, got nothing')
    end
    if self.first.courier and not self.first.city then
        complain(self, self.first.courier, "courier: expected city { ... } beside it, whose key "
            .. "signs the receipts, got nothing")
    end
    if #self.errors > 0 then
        return nil, self.errors
    end
    return { office = self.office, city = self.blocks.city, courier = self.blocks.courier,
        storage = self.blocks.storage, limits = self.blocks.limits, update = self.blocks.update,
        access = self.blocks.access,
        plugins = self.plugins }
end

local function split_lines(text)
    local lines = {}
    for line in (text .. "\n"):gmatch("(.-)\n") do
        lines[#lines + 1] = line
    end
    return lines
end

function config.begin(world)
    local self = { world = world, errors = {}, plugins = {}, claimed = {}, open = {},
        first = {}, blocks = {},
        lines = world.text and split_lines(world.text) }
    local env = {
        office = function(settings) read_office(self, settings) end,
        city = function(settings) read_block(self, "city", city, settings) end,
        courier = function(settings) read_block(self, "courier", courier, settings) end,
        storage = function(settings) read_block(self, "storage", storage, settings) end,
        limits = function(settings) read_block(self, "limits", limits, settings) end,
        update = function(settings) read_block(self, "update", update, settings) end,
        access = function(settings) read_block(self, "access", access, settings) end,
        plugin = function(name) return read_plugin(self, name) end,
    }
    return env, function() return finish(self) end
end

return config
