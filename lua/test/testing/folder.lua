-- folder - a folder that the configuration names, made of a table: files, a memory of what was
-- asked, and faults.
--
--   local disk = t.folder {
--       files = {
--           ["DCIM/a.mp4"] = "bytes",                     -- or, with more of it:
--           ["DCIM/b.mp4"] = { body = "bytes", time = 1795230245, breaks = 100 },
--           ["DCIM/c"] = { kind = "link" },
--       },
--       on = function(device, request) ... end,           -- before each answer
--   }
--   devices = { ["/mnt/dock"] = disk }
--   disk:fail "missing"       -- from now on; heal() ends it. Also "denied" and "broken"
--   disk:fail { with = "broken", on = "open DCIM", nth = 2 }
--   disk:requests "open"      -- { { at =, name = "open DCIM/a.mp4", call =, path =, from = } }
--
-- A file that `breaks` gives so many bytes and then the disk fails. `time` is 0 when left out;
-- `size` may be another than that of `body`.
local faults = require "testing.faults"
local rehearsal = require "rehearsal"

local FAULTS = { missing = true, denied = true, broken = true }
local EXPECTED = '"missing", "denied" or "broken"'
local OPTIONS = { files = true, on = true }

local folder = {}
local Folder = {}
Folder.__index = Folder

function folder.new(options)
    options = options or {}
    for name in pairs(options) do
        if not OPTIONS[name] then
            error(("t.folder: %s: expected files or on"):format(name), 3)
        end
    end
    return setmetatable({ files = options.files or {}, on = options.on, asked = {}, faults = {} },
        Folder)
end

function Folder:fail(fault)
    faults.add(self.faults, fault, function(with) return FAULTS[with] end, EXPECTED)
end

function Folder:heal()
    self.faults = {}
end

function Folder:requests(name)
    return faults.named(self.asked, name)
end

-- Its name, as that of a device in the office.
function Folder:attach(_, path)
    self.path = path
end

local function entry_of(self, path)
    local file = self.files[path]
    if type(file) == "string" then
        file = { body = file }
    end
    return file and { kind = file.kind or "file", time = file.time or 0, body = file.body or "",
        size = file.size or #(file.body or ""), breaks = file.breaks }
end

local function listing(self, path)
    local prefix, seen, entries = path == "" and "" or path .. "/", {}, {}
    for name in pairs(self.files) do
        local step, below = name:sub(#prefix + 1):match "^([^/]+)(/?)"
        if name:sub(1, #prefix) == prefix and step and not seen[step] then
            seen[step] = true
            local entry = below == "" and entry_of(self, name) or { kind = "folder", time = 0 }
            entry.name, entry.body = step, nil
            entries[#entries + 1] = entry
        end
    end
    table.sort(entries, function(a, b) return a.name < b.name end)
    return (path == "" or #entries > 0) and { entries = entries } or { fault = "missing" }
end

local function answer(self, request)
    if request.call == "list" then
        return listing(self, request.path)
    end
    local entry = entry_of(self, request.path)
    if not entry then
        local is_folder = listing(self, request.path).entries ~= nil
        return is_folder and (request.call == "stat" and { kind = "folder", time = 0 }
            or { fault = "folder" }) or { fault = "missing" }
    elseif request.call == "open" and entry.kind ~= "file" then
        return { fault = entry.kind == "link" and "link" or "denied" }
    elseif request.from > #entry.body then
        return { fault = "argument" }
    end
    local broken = entry.breaks and entry.breaks < #entry.body and entry.breaks >= request.from
    entry.body = entry.body:sub(request.from + 1, broken and entry.breaks or -1)
    entry.breaks = broken
    return entry
end

-- What the host asks (core/rehearse/standins/folder.c).
function Folder:ask(request)
    local _, at = rehearsal.now()
    request.at, request.path = at, request.path:sub(#self.path + 2)
    request.name = request.call .. " " .. request.path
    self.asked[#self.asked + 1] = request
    if self.on then
        self.on(self, request)
    end
    local fault = faults.next(self.faults, request.name)
    request.fault = fault
    return fault and { fault = fault } or answer(self, request)
end

return folder
