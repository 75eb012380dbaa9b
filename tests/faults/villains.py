"""villains - hostile plugins, each written into a folder of its own, and an office that runs them.

LUA is what a plugin's author can try; its name is a sentence of what it tries. Each is tried again and
again as long as the plugin lives, beginning when the first `wait` of its life is over. What native code
inside the host can try is hostile/attacks.c: the plugin has "attack NAME ARGUMENT" logged.
"""
import os

import programs
import town

HERE = os.path.dirname(os.path.abspath(__file__))
HOSTILE = os.path.join(town.BUILD, "tests", "faults", "hostile")
ATTACKS = os.path.join(HOSTILE, "attacks.so")

# What becomes of it. The handler: it ends with an error that says so, and the plugin goes on. Ended: the
# process ends, comes back, and is quarantined. Paced: it goes on, and is held back.
HANDLER, ENDED, PACED = "handler", "ended", "paced"

LONG = "local long = {} for i = 62, 0, -1 do long[1 << i] = '' end "
DEAF = "setmetatable({}, {__close = function() while true do end end})"

# name: (what becomes of it, words of the error, Lua)
LUA = {
    "loops_for_ever": (HANDLER, "ran for more than 200 ms", "while true do end"),
    "swallows_the_error_that_ends_it":
        (HANDLER, "ran for more than 200 ms",
         "while true do pcall(function() while true do end end) end"),
    "recurses_into_pcall":  # a hundred thousand levels to unwind
        (ENDED, "cannot be stopped",
         "local function f() pcall(f) while true do pcall(f) end end f()"),
    "loops_while_it_is_closed":
        (HANDLER, "ran for more than 200 ms", f"local a <close> = {DEAF} while true do end"),
    "loops_while_closed_by_an_error":
        (HANDLER, "now", f"local a <close> = {DEAF} error('now')"),
    "loops_in_a_metamethod":
        (HANDLER, "ran for more than 200 ms",
         "local t = setmetatable({}, {__index = function() while true do end end}) return t.x"),
    "loops_while_its_error_is_shown":
        (HANDLER, "raised a table",
         "error(setmetatable({}, {__tostring = function() while true do end end}))"),
    "sorts_for_ever":
        (HANDLER, "ran for more than 200 ms",
         "table.sort({1, 2, 3, 4, 5, 6, 7, 8}, function() while true do end end)"),
    "substitutes_for_ever":
        (HANDLER, "ran for more than 200 ms",
         "string.gsub('aaa', 'a', function() while true do end end)"),
    "counts_letters_for_ever":
        (HANDLER, "ran for more than 200 ms",
         "local s = ('x'):rep(1 << 20) s = s .. s .. s .. s while true do utf8.len(s) end"),
    "recurses_for_ever": (HANDLER, "memory", "local function f() return 1 + f() end f()"),
    "raises_in_an_error":
        (HANDLER, "ran for more than 200 ms",
         "local function f() local ok = pcall(f) error(ok) end while true do pcall(f) end"),
    "nests_a_source_too_deeply": (HANDLER, "overflow", "require 'nested'"),
    "doubles_a_text": (HANDLER, "memory", "local s = 'x' while true do s = s .. s end"),
    "grows_a_text_by_substitution":
        (HANDLER, "memory", "local s = 'x' while true do s = s:gsub('x', 'xx') end"),
    "takes_a_gigabyte_of_tables":
        (HANDLER, "memory", "local t = {} while true do t[#t + 1] = {t} end"),
    "swallows_want_of_memory":
        (HANDLER, "memory",
         "local t = {} while true do pcall(function() while true do t[#t + 1] = {} end end) end"),
    "unpacks_a_million": (HANDLER, "", "local t = {} for i = 1, 1000000 do t[i] = 1 end "
                          "return select('#', table.unpack(t))"),
    "formats_what_is_too_long":
        (HANDLER, "memory", "local x = ('x'):rep(1000000) local t = {} "
         "while true do t[#t + 1] = ('%s%s%s%s'):format(x, x, x, #t) end"),
    "repeats_nothing_a_billion_times": (HANDLER, "string.rep", "string.rep('', 1 << 40)"),
    "moves_a_range_without_end": (HANDLER, "table.move", "table.move({}, 1, 1 << 40, 2)"),
    "joins_a_range_without_end":
        (HANDLER, "table.concat",
         "table.concat(setmetatable({}, {__index = table.concat}), '', 1, 1 << 40)"),
    "shifts_a_table_without_end": (HANDLER, "table.insert", LONG + "table.insert(long, 1, 'x')"),
    "sorts_by_a_false_length":
        (HANDLER, "table.sort",
         "table.sort(setmetatable({}, {__len = function() return 1 << 30 end}), math.type)"),
    "leaves_a_finaliser_that_loops":
        (HANDLER, "__gc is not allowed",
         "for _ = 1, 1000 do setmetatable({}, {__gc = function() while true do end end}) end"),
    "rewrites_what_all_texts_share":
        (HANDLER, "index a boolean", "getmetatable('').__index.upper = nil"),
    "asks_for_what_is_not_there":
        (HANDLER, "nothing of it is there",
         "for _, name in ipairs { 'io', 'os', 'debug', 'load', 'loadfile', 'dofile', 'package', "
         "'coroutine', 'collectgarbage', 'xpcall' } do assert(_G[name] == nil, name) end "
         "assert(string.dump == nil) error('nothing of it is there')"),
    "loads_bytecode": (HANDLER, "binary chunk", "require 'bytes'"),
    "requires_a_path": (HANDLER, "is no name of a module", "require '../../../../etc/passwd'"),
    "emits_what_is_the_keepers": (HANDLER, "not declared", "host.emit { type = 'journal.damaged' }"),
    "emits_what_is_too_large":
        (HANDLER, "cannot be JSON", "host.emit { type = 'villain.said', data = { "
         "text = ('x'):rep(70000) } }"),
    "makes_timers_without_end":
        (HANDLER, "more than 256 timers",
         "while true do host.every('1h', function() end) end"),
    "opens_devices_without_end":
        (HANDLER, "", "for i = 1, 5000 do self.kept[#self.kept % 200 + 1] = "
         "assert(host.modbus.open('modbus-tcp://127.0.0.1:9')) end"),
    "backtracks": (ENDED, "cannot be stopped", "(('a'):rep(20000)):find('.-.-.-.-.-b')"),
    "leaks": (ENDED, "holds", "for _ = 1, 10 do self.kept[#self.kept + 1] = ('x'):rep(100000) "
              ".. #self.kept end"),
    "floods_the_journal":
        (PACED, "has to wait",
         "for _ = 1, 2 do for i = 1, 1000 do host.emit { type = 'villain.said', data = { "
         "text = 'x' } } end host.commit() end"),
    "floods_the_journal_with_bytes":
        (PACED, "has to wait",
         "for _ = 1, 10 do for i = 1, 4 do host.emit { type = 'villain.said', data = { "
         "text = ('x'):rep(50000) } } end host.commit() end"),
    "asks_without_end":
        (PACED, "has to wait",
         "for _ = 1, 500 do host.store.range(nil, nil, 1000) end"),
    "floods_the_log": (PACED, "", "for _ = 1, 10000 do host.log.error(('noise '):rep(100)) end"),
    "computes_as_long_as_it_may":
        (PACED, "", "local n = 0 local began = host.mono() while host.mono() - began < 0.15 do n = n + 1 end"),
}

# Further tricks with what Lua itself has, what `host` takes, and what it is told.
SPIN = "function() while true do end end"
SLOW = "ran for more than 200 ms"
LUA |= {
    "formats_a_width_without_end": (HANDLER, "invalid conversion", "('%99999d'):format(1)"),
    "packs_two_gigabytes": (HANDLER, "memory", "string.pack('c2147483647', '')"),
    "unpacks_behind_the_end":
        (HANDLER, "too short", "string.unpack('s8', ('\\x7f'):rep(8))"),
    "spreads_a_text_over_the_stack":
        (HANDLER, "overflow", "utf8.codepoint(('x'):rep(1 << 20), 1, -1)"),
    "decodes_what_is_no_text":
        (HANDLER, "invalid UTF-8", "for _ in utf8.codes(('\\xff'):rep(9)) do end"),
    "sorts_by_lies":
        (HANDLER, "order function", "local t = {} for i = 1, 1000 do t[i] = i end "
         "table.sort(t, function() return true end)"),
    "sorts_slowly":
        (HANDLER, SLOW, "local t = {} for i = 1, 100000 do t[i] = (i * 7919) % 100003 end "
         "while true do table.sort(t, function(a, b) return a > b end) "
         "table.sort(t, function(a, b) return a < b end) end"),
    "recurses_through_metamethods":
        (HANDLER, "overflow",
         "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) return t[1]"),
    "chains_its_metatables":
        (HANDLER, "chain too long",
         "local t = {} setmetatable(t, {__index = t}) return t.x"),
    "compares_for_ever":
        (HANDLER, SLOW, "local m = {__eq = " + SPIN + "} "
         "return setmetatable({}, m) == setmetatable({}, m)"),
    "joins_for_ever":
        (HANDLER, SLOW, "return setmetatable({}, {__concat = " + SPIN + "}) .. 'x'"),
    "fails_in_closing_without_end":
        (HANDLER, "", "local m = {__close = function() error('x') end} "
         "local function f(n) local a <close> = setmetatable({}, m) if n > 0 then f(n - 1) end end f(100000)"),
    "nests_pcall_by_its_arguments":
        (PACED, "", "local t = {} for i = 1, 100000 do t[i] = pcall end pcall(table.unpack(t))"),
    "raises_nothing": (HANDLER, "raised a nil", "error(nil)"),
    "raises_what_loops_when_seen":
        (HANDLER, "raised a table", "error(setmetatable({}, {__index = " + SPIN + ", __name = 7}))"),
    "raises_a_megabyte": (HANDLER, "xxxxxxxx", "error(('x'):rep(1 << 20))"),
    "raises_what_a_terminal_obeys":
        (HANDLER, "?[2J?31m?", "error('\\27[2J\\u{9b}31m\\u{202e}', 0)"),
    "logs_what_a_terminal_obeys":
        (PACED, "obey ?[31m??2026 info keeper: ok",
         "host.log.error('obey \\27[31m\\r\\n2026 info keeper: ok \\u{85}\\xff\\u{2028}%s', 'x')"),
    "waits_without_end_in_pcall": (PACED, "", "while true do pcall(host.sleep, 0) end"),
    "waits_where_nobody_can":
        (HANDLER, "cannot wait here", "table.sort({3, 2, 1}, function() host.sleep(1) end)"),
    "waits_while_it_is_closed":
        (HANDLER, "now", "local a <close> = setmetatable({}, {__close = function() host.sleep('1h') end}) "
         "error('now')"),
    "commits_nothing_for_ever": (HANDLER, SLOW, "while true do host.commit() end"),
    "waits_in_too_many_handlers":
        (HANDLER, "more than 256 timers",
         "while true do host.after(0, function() host.sleep('1h') end) end"),
    "subscribes_without_end":
        (HANDLER, "at most 8 patterns",
         "for i = 1, 300 do host.on('villain.n' .. i .. '_' .. #self.kept, function() end) end"),
    "hears_itself":
        (PACED, "has to wait", "if not self.hears then self.hears = true "
         "host.on('villain.said', function() for _ = 1, 100 do "
         "host.emit { type = 'villain.said', data = {} } end end) end "
         "host.emit { type = 'villain.said', data = {} }"),
    "counts_under_names_without_end":
        (PACED, "", "for i = 1, 10000 do host.metrics.count(('m'):rep(30) .. i) end"),
    "counts_under_odd_names":
        (PACED, "", "for _, n in ipairs { '', '\\27[2J', '\\xff', '\\xfe', 'a\\0b', '\"', '{', '\\u{9b}' } do "
         "host.metrics.gauge(n, 0 / 0) host.metrics.count(n, 1 / 0) host.metrics.gauge(n, -0.0) "
         "host.metrics.gauge(n, 1e308) host.metrics.count(n, 1e308) end"),
    "emits_what_is_no_number":
        (HANDLER, "", "host.emit { type = 'villain.said', data = { n = 0 / 0 } }"),
    "emits_at_no_time":
        (HANDLER, "expected seconds since 1970",
         "host.emit { type = 'villain.said', data = {}, time = 1 / 0 }"),
    "emits_a_circle":
        (HANDLER, "", "local t = {} t.t = t host.emit { type = 'villain.said', data = t }"),
    "emits_what_grows_sixfold":
        (HANDLER, "too long", "local t = ('\\1'):rep(1 << 20) "
         "host.emit { type = 'villain.said', data = { a = t .. t .. t .. t } }"),
    "emits_of_nobody":
        (HANDLER, "subject: expected",
         "host.emit { type = 'villain.said', data = {}, subject = 'person/\\xff' }"),
    "emits_behind_a_nul":
        (HANDLER, "without NUL", "host.emit { type = 'villain.said\\0x', data = {} }"),
    "emits_a_function":
        (HANDLER, "", "host.emit { type = 'villain.said', data = { f = print or assert } }"),
    "emits_odd_texts_and_numbers":
        (PACED, "", "host.emit { type = 'villain.said', data = { a = '\\xff\\0\\u{9b}', b = -0.0, "
         "c = math.mininteger, d = 5e-324, ['\\xff'] = 1, ['\\xfe'] = 2, [''] = {} } } host.sleep('50ms')"),
    "stores_without_end":
        (PACED, "has to wait", "self.n = (self.n or 0) + 1 for _ = 1, 5 do for i = 1, 200 do "
         "host.store.put(self.n .. '/' .. i, ('x'):rep(1000)) end host.commit() end"),
    "stores_behind_a_nul": (HANDLER, "expected a key", "host.store.put('a\\0b', 1)"),
    "requires_odd_names":
        (HANDLER, "none of them", "for _, n in ipairs { '', '.', '..', '...', 'a..b', '/etc/passwd', "
         "'\\0', 'schema\\0', ('a'):rep(5000), 'io', 'os', 'a/b', '~', '%s', 'plugin ' } do "
         "assert(not pcall(require, n), n) end error('none of them')"),
    "requires_a_circle": (HANDLER, "requires itself", "require 'circle'"),
    "rewrites_its_libraries":
        (HANDLER, "", "string.format = " + SPIN + " table.insert = nil pairs = nil type = nil "
         "host.log.warn('%s', 'still') host.emit { type = 'villain.said', data = { a = {} } } error('still here')"),
    "reaches_behind_a_handle":
        (HANDLER, "nothing behind", "local bus = host.modbus.open('modbus-tcp://127.0.0.1:9') "
         "assert(getmetatable(bus) == false) assert(not pcall(setmetatable, bus, {})) bus:close() "
         "assert(not pcall(bus.read_holding, bus, 0, 1)) error('nothing behind')"),
    "backtracks_by_options":
        (ENDED, "cannot be stopped", "(('a'):rep(28) .. 'b'):gsub(('a?'):rep(28) .. ('a'):rep(28) .. 'c', '')"),
    "looks_for_an_end_of_brackets":
        (ENDED, "cannot be stopped", "(('('):rep(400000)):find('%b()')"),
    "connects_without_end":
        (PACED, "", "for _ = 1, 200 do host.tcp.connect('tcp://127.0.0.1:9') end", "tcp"),
    "never_finishes_a_blob":
        (HANDLER, "being written", "for _ = 1, 10 do self.kept[#self.kept + 1] = "
         "assert(host.blob.open { class = 'picture' }) end", "blob"),
    "seals_blobs_without_end":
        (PACED, "names them in no commit", "for i = 1, 100 do "
         "local spool = assert(host.blob.open { class = 'picture', most = 100 }) "
         "spool:write('x' .. i) spool:finish() end", "blob"),
}

# No villain: 12,000 events in commits of all sizes, and then rest.
WORK = """if self.done then return end
    self.done = true
    for _ = 1, 100 do
        host.after(0, function()
            for i = 1, 30 do host.emit { type = "villain.said", data = { n = i }, now = true } end
        end)
    end
    for _ = 1, 10 do
        for i = 1, 900 do host.emit { type = "villain.said", data = { n = i } } end
        host.commit()
    end"""

PLUGIN = """-- %(name)s: for tests of hostile plugins.
local schema = require "schema"

local plugin = {
    api = 1,
    name = "%(name)s",
    summary = "Tries what it must not.",
    needs = { "modbus", %(needs)s },
    config = schema.record {
        wait = schema.duration { doc = "before it begins" },
        last = schema.duration { doc = "how long it goes on" },
        port = schema.text { doc = "a device", default = "modbus-tcp://127.0.0.1:9" },
    },
    events = {
        ["villain.said"] = { lane = "telemetry", doc = "noise", data = schema.any {} },
    },
}

local function try(host, self)
    do %(lua)s end
    return self
end

function plugin.start(host, config)
    local self = { kept = {} }
    local wait = host.store.get("begun") and 0 or config.wait
    host.after(wait, function()
        host.store.put("begun", true)
        host.commit()
        host.log.warn("it begins")
        local till = host.mono() + config.last / 1000
        host.every("20ms", function()
            if host.mono() < till then
                try(host, self)
            end
        end)
    end)
    return self
end

return plugin
"""

NATIVE = """host.log.warn("attack %s")
    host.sleep("1h")"""


def write_plugin(plugins, name, lua, need=None):
    """A plugin of that name, which tries `lua`, and has another capability for it."""
    folder = plugins / name
    folder.mkdir()
    (folder / "plugin.lua").write_text(PLUGIN % {"name": name, "lua": lua,
                                                       "needs": f'"{need}"' if need else ""}, encoding="ascii")
    (folder / "nested.lua").write_text("return " + "(" * 5000 + "1" + ")" * 5000, encoding="ascii")
    (folder / "circle.lua").write_text("return require 'circle'", encoding="ascii")
    (folder / "bytes.lua").write_bytes(b"\x1bLua\x54\x00\x19\x93")
    return folder


class House:
    """The programs with the example and the villains beside them, and an office of them."""

    def __init__(self, folder, confined=True):
        self.folder = folder
        self.outpost = programs.private(folder)
        self.plugins = folder / "share" / "outpost" / "plugins"
        (self.plugins / "example").symlink_to(os.path.join(town.ROOT, "plugins", "example"))
        if not confined:
            host = folder / "libexec" / "outpost" / "host"
            host.unlink()
            host.symlink_to(os.path.join(HOSTILE, "host"))
        self.blocks = []

    def add(self, name, lua, wait=0, last=0, need=None):
        """A villain that begins after `wait` seconds and goes on for `last` (0: for ever)."""
        write_plugin(self.plugins, name, lua, need)
        self.blocks.append(f'plugin "{name}" "{name}" {{ wait = "{wait}s", last = "{last or 86400}s" }}\n')

    def attack(self, name, order, wait=0):
        """A villain whose host tries the attack `order`."""
        self.add(name, NATIVE % order, wait)

    def healthy(self, name, url):
        self.blocks.append(f'plugin "example" "{name}" {{ url = "{url}", poll = "100ms" }}\n')

    def office(self):
        office = town.Office(self.folder / "office", plugins="".join(self.blocks))
        office.argv = ("env", f"LD_PRELOAD={ATTACKS}", self.outpost, *office.argv[1:])
        return office
