-- What was taken, with a store that is a table.
local ledger = require "ledger"
local t = require "testing"
local walk = require "walk"

local function host_of(rows)
    local store = {}
    function store.get(key) return rows[key] end
    function store.put(key, value) rows[key] = value end
    function store.remove(key) rows[key] = nil end
    function store.range(from, until_key, limit)
        local keys = {}
        for key in pairs(rows) do
            if key >= from and key < until_key then
                keys[#keys + 1] = key
            end
        end
        table.sort(keys)
        local found = {}
        for i = 1, math.min(limit, #keys) do
            found[i] = { keys[i], rows[keys[i]] }
        end
        return found, #keys > limit
    end
    return { store = store, commit = function() end }
end

local function count(rows, prefix)
    local found = 0
    for key in pairs(rows) do
        found = found + (key:find("^" .. prefix) and 1 or 0)
    end
    return found
end

local function put(self, path, entry)
    ledger.remember(self, path, ledger.put(self, path, entry, "h"))
end

t.test("a_place_is_known_by_path_size_and_date_as_exact_as_they_are_told", function()
    local self = ledger.new(host_of {})
    put(self, "a", { size = 5, time = 100000, within = 60 })
    local function has(size, time, within)
        return ledger.has(self, "a", { size = size, time = time, within = within })
    end
    t.equal({ has(5, 100000), has(5, 100060), has(5, 100061), has(6, 100000), has(5, 170000),
        has(5, 170000, 86400), has(5), ledger.has(self, "a"), ledger.has(self, "b") },
        { true, true, false, false, false, true, true, true, false })
end)

t.test("places_are_there_again_after_a_restart_page_by_page", function()
    local rows = {}
    local self = ledger.new(host_of(rows))
    for i = 1, 2500 do
        put(self, "clip " .. i, { size = i })
    end
    local again = ledger.new(host_of(rows))
    t.equal({ again.count, ledger.has(again, "clip 2500", { size = 2500 }) }, { 2500, true })
end)

t.test("there_is_a_bound_on_places_and_on_contents", function()
    local rows = {}
    local self = ledger.new(host_of(rows))
    self.count = ledger.FILES_MOST - 1
    t.holds(ledger.has_room(self))
    put(self, "one more", { size = 1 })
    t.holds(not ledger.has_room(self))
    for i = 1, ledger.HASHES_MOST + 3 do
        ledger.put_item(self, ("%064d"):format(i), "ordinary")
    end
    t.equal({ count(rows, "hash/"), count(rows, "order/") },
        { ledger.HASHES_MOST, ledger.HASHES_MOST })
    t.equal({ ledger.item(self, ("%064d"):format(3)), ledger.item(self, ("%064d"):format(4)).c },
        { nil, "ordinary" })
    local all = ledger.FILES_MOST + 2 * ledger.HASHES_MOST + 2
    t.holds(all < 65536, "it does not fit into a store")
end)

t.test("a_content_that_is_told_again_is_one_row_and_keeps_its_place", function()
    local rows = {}
    local self = ledger.new(host_of(rows))
    ledger.put_item(self, "a", "ordinary")
    ledger.put_item(self, "a", "important")
    t.equal({ rows["hash/a"], count(rows, "order/") }, { { n = 1, c = "important" }, 1 })
end)

t.test("only_so_many_places_are_forgotten_at_once", function()
    local rows = {}
    local self = ledger.new(host_of(rows))
    for i = 1, 10 do
        put(self, "clip " .. i, { size = i })
    end
    local function forget() return ledger.forget(self, { ["clip 1"] = {} }, 6, function() end) end
    t.equal({ forget(), forget(), forget(), self.count, count(rows, "file/") }, { 6, 3, 0, 1, 1 })
end)

-- ---- Folders in folders

local function deep(path)
    local entries = { { name = "a.mp4", kind = "file", size = 1 } }
    if #path < 60 then
        entries[2] = { name = "d", kind = "folder" }
    end
    return entries
end

t.test("folders_are_looked_into_so_deep_and_no_deeper", function()
    local files, told = walk.all(deep, 2)
    local paths = {}
    for path in pairs(files) do
        paths[#paths + 1] = path
    end
    table.sort(paths)
    t.equal(paths, { "a.mp4", "d/a.mp4", "d/d/a.mp4" })
    t.equal(told, { more = true, passed = 0 })
    t.equal(select(2, walk.all(deep, 12)).more, true)
end)

t.test("there_is_a_bound_on_folders_and_on_files", function()
    local asked = 0
    local files, told = walk.all(function(path)
        asked = asked + 1
        local entries = {}
        for i = 1, path == "" and 3000 or 5 do
            entries[i] = { name = "n" .. i, kind = path == "" and "folder" or "file" }
        end
        return entries
    end, 3)
    local seen = 0
    for _ in pairs(files) do
        seen = seen + 1
    end
    t.equal({ asked, seen, told.more }, { walk.FOLDERS_MOST, walk.FILES_MOST, true })
end)

t.test("others_have_their_turn_while_a_big_folder_is_looked_through", function()
    local breaths, entries = 0, {}
    for i = 1, 5000 do
        entries[i] = { name = "n" .. i, kind = "file" }
    end
    walk.all(function() return entries end, 3, function() breaths = breaths + 1 end)
    t.equal(breaths, 5000)
end)

t.test("names_that_lead_elsewhere_are_passed_over", function()
    local files, told = walk.all(function()
        return { { name = "..", kind = "folder" }, { name = "b", kind = "file" } }
    end, 3)
    t.equal({ files["b"] ~= nil, files[".."], told.passed }, { true, nil, 1 })
end)

return t.finish()
