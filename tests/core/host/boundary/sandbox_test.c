#include "host/boundary/sandbox.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/file.h"

static char folder[] = "/tmp/outpost-sandbox-XXXXXX";
static char library[64], own[64];
static struct sandbox sandbox;

static void put(const char *in, const char *name, const char *text)
{
    char path[200];
    assert_int_equal(file_join(path, sizeof(path), in, name), 0);
    assert_int_equal(file_put(path, text, strlen(text), 0600), 0);
}

static int make_folders(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(library, sizeof(library), "%s/lua", folder);
    snprintf(own, sizeof(own), "%s/own", folder);
    char deep[80];
    snprintf(deep, sizeof(deep), "%s/part", own);
    assert_int_equal(file_make_folders(library), 0);
    assert_int_equal(file_make_folders(deep), 0);
    put(library, "shared.lua", "return { from = 'library' }");
    put(own, "shared.lua", "return { from = 'plugin' }");
    put(own, "own.lua", "return { from = 'plugin', n = {} }");
    put(own, "circle.lua", "return require 'circle'");
    put(own, "broken.lua", "return return");
    put(own, "silent.lua", "local x = 1");
    put(own, "bytes.lua", "\x1bLua");
    put(deep, "deep.lua", "return 'deep'");
    put(folder, "outside.lua", "return 'outside'");
    return 0;
}

static int remove_folders(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static int open_sandbox(lua_State *L)
{
    sandbox_open(L, &sandbox);
    return 0;
}

static lua_State *new_state(void)
{
    sandbox = (struct sandbox){.library = library, .plugin = own};
    lua_State *L = luaL_newstate();
    lua_pushcfunction(L, open_sandbox);
    assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_OK);
    return L;
}

/* What the chunk returns as a text, or its error. */
static const char *said(lua_State *L, const char *chunk)
{
    lua_settop(L, 0);
    if (luaL_dostring(L, chunk) == LUA_OK && !lua_isstring(L, -1))
        luaL_tolstring(L, -1, NULL);
    return lua_tostring(L, -1);
}

static void what_is_not_listed_does_not_exist(void **state)
{
    static const char *const ABSENT[] = {
        "io",          "os",    "debug",   "coroutine", "package", "dofile",
        "loadfile",    "load",  "print",   "xpcall",    "warn",    "collectgarbage",
        "string.dump", "_G.io", "_G.load",
    };
    lua_State *L = new_state();
    char chunk[64];
    (void)state;
    for (size_t i = 0; i < countof(ABSENT); i++) {
        snprintf(chunk, sizeof(chunk), "return %s == nil", ABSENT[i]);
        assert_string_equal(said(L, chunk), "true");
    }
    lua_close(L);
}

static void what_is_listed_works(void **state)
{
    lua_State *L = new_state();
    (void)state;
    assert_string_equal(
        said(L, "return ('ab'):rep(2, '-') .. #{1,2} .. math.max(1, 3) .. "
                "utf8.char(65) .. table.concat({1,2}, ',') .. select('#', 1)"),
        "ab-ab23A1,21");
    assert_string_equal(said(L, "return table.concat(table.move({1,2,3}, 1, 3, 2), ',')"),
                        "1,1,2,3");
    assert_string_equal(said(L, "return (pcall(error, 'x'))"), "false");
    assert_string_equal(said(L, "return setmetatable({}, {__index = {a = 7}}).a"), "7");
    lua_close(L);
}

static void assert_says(const char *said_text, const char *wanted)
{
    if (strstr(said_text, wanted) == NULL)
        fail_msg("expected \"%s\", got \"%s\"", wanted, said_text);
}

static void nothing_runs_outside_the_limits(void **state)
{
    lua_State *L = new_state();
    (void)state;
    assert_says(said(L, "setmetatable({}, {__gc = function() end})"),
                "setmetatable: __gc is not allowed");
    assert_says(said(L, "setmetatable({}, setmetatable({}, {__index = "
                        "{__gc = function() end}})) return 'set'"),
                "set"); /* read raw by Lua too: no finaliser */
    assert_says(said(L, "setmetatable(setmetatable({}, {__metatable = 1}), {})"),
                "cannot change a protected metatable");
    assert_says(said(L, "return string.rep('', 1 << 40)"),
                "string.rep: more than 1048576 bytes");
    assert_says(said(L, "return string.rep('x', 1 << 21)"),
                "string.rep: more than 1048576 bytes");
    assert_says(said(L, "return table.move({}, 1, 1 << 40, 2)"),
                "table.move: more than 1048576 values");
    assert_says(said(L, "return table.move({}, math.mininteger, math.maxinteger, 2)"),
                "table.move: more than 1048576 values");
    assert_says(said(L, "return getmetatable('')"), "false");
    lua_close(L);
}

/* Each would walk for hours inside C, where no instruction is reached. */
static void the_library_walks_no_further_than_a_million(void **state)
{
    static const char LONG[] =
        "local long = {} for i = 62, 0, -1 do long[1 << i] = '' end "
        "assert(#long > 1 << 60, 'the table is not long enough for this test') ";
    static const char *const WALKS[] = {
        "table.concat(setmetatable({}, {__index = table.concat}), '', 1, 1 << 40)",
        "table.concat({}, '', math.mininteger, math.maxinteger)",
        "table.concat(long)",
        "table.unpack({}, 1, 1 << 40)",
        "table.unpack(long)",
        "table.insert(long, 1, 'x')",
        "table.remove(long, 1)",
        "table.sort(long, math.type)",
    };
    static const char *const SAY[] = {"table.concat", "table.insert", "table.remove",
                                      "table.sort", "table.unpack"};
    lua_State *L = new_state();
    char chunk[400];
    (void)state;
    for (size_t i = 0; i < countof(WALKS); i++) {
        snprintf(chunk, sizeof(chunk), "%s return %s", LONG, WALKS[i]);
        assert_says(said(L, chunk), ": more than 1048576 values");
    }
    for (size_t i = 0; i < countof(SAY); i++) {
        snprintf(chunk, sizeof(chunk),
                 "return %s(setmetatable({}, {__len = function() return 1 << 40 end}), "
                 "1, 'x')",
                 SAY[i]);
        assert_says(said(L, chunk), "a table with __len is not taken");
    }
    lua_close(L);
}

static void the_library_of_tables_does_what_it_always_did(void **state)
{
    static const char *const WORKS[][2] = {
        {"local t = {1, 2} table.insert(t, 3) table.insert(t, 1, 0) return "
         "table.concat(t, ',')",
         "0,1,2,3"},
        {"local t = {3, 1, 2} table.sort(t) return table.concat(t, '-', 2, 3)", "2-3"},
        {"local t = {1, 2, 3} return table.remove(t) .. table.remove(t, 1) .. #t", "311"},
        {"return select('#', table.unpack({1, nil, 3}, 1, 3)) .. (table.unpack {7})",
         "37"},
        {"return select(2, pcall(table.insert, {}, 5, 'x')):match('position out of "
         "bounds')",
         "position out of bounds"},
        {"return select(2, pcall(table.insert, {})):match('wrong number of arguments')",
         "wrong number of arguments"},
        {"local seen local t = setmetatable({}, {__newindex = function(_, k, v) seen = k "
         ".. v "
         "end}) table.insert(t, 'x') return seen",
         "1x"},
        {"return select(2, pcall(table.insert, 'text', 1)):match('table expected')",
         "table expected"},
    };
    lua_State *L = new_state();
    (void)state;
    for (size_t i = 0; i < countof(WORKS); i++)
        assert_string_equal(said(L, WORKS[i][0]), WORKS[i][1]);
    lua_close(L);
}

static void require_finds_the_library_and_then_the_plugin(void **state)
{
    lua_State *L = new_state();
    (void)state;
    assert_string_equal(said(L, "return require('shared').from"), "library");
    assert_string_equal(said(L, "return require('own').from"), "plugin");
    assert_string_equal(said(L, "return require('part.deep')"), "deep");
    assert_string_equal(said(L, "return require('silent')"), "true");
    assert_string_equal(said(L, "return require('own').n == require('own').n"), "true");
    lua_close(L);
}

static int open_rooms(lua_State *L)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/guest.lua", own);
    for (int i = 0; i < 2; i++) {
        sandbox_push_room(L, &sandbox);
        if (sandbox_load_in(L, -1, path, "@guest.lua") != LUA_OK)
            return lua_error(L);
        lua_call(L, 0, 1);
        lua_setglobal(L, i == 0 ? "first" : "second");
        lua_settop(L, 0);
    }
    return 0;
}

static void what_one_room_changes_no_other_sees(void **state)
{
    (void)state;
    put(own, "guest.lua",
        "local shared = require 'shared' "
        "local seen = { stained, string.stained, shared.stained, require == nil, "
        "    ('x').stained, _ENV.string.stained, rawget(_G, 'first') } "
        "stained, string.stained, shared.stained, table.concat = 1, 1, 1, nil "
        "string.format, require('json').stained, require = nil, 1, nil "
        "return { n = seen }");
    lua_State *L = new_state();
    lua_pushcfunction(L, open_rooms);
    assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_OK);
    assert_says(said(L, "local n = '' for _, room in ipairs { first, second } do "
                        "for i = 1, 7 do n = n .. tostring(room.n[i]) .. ' ' end end "
                        "return n"),
                "nil nil nil false nil nil nil nil nil nil false nil nil nil ");
    assert_says(said(L,
                     "return table.concat { tostring(stained), tostring(string.stained), "
                     "tostring(require('shared').stained), ('%d'):format(7), "
                     "tostring(require('json').stained) }"),
                "nilnilnil7nil");
    lua_close(L);
}

static void require_finds_nothing_else(void **state)
{
    static const char *const NAMES[] = {"..outside",  "../outside", "/etc/passwd",
                                        "",           ".own",       "own.",
                                        "part..deep", "own\\0x",    "o n"};
    lua_State *L = new_state();
    char chunk[64];
    (void)state;
    for (size_t i = 0; i < countof(NAMES); i++) {
        snprintf(chunk, sizeof(chunk), "return require('%s')", NAMES[i]);
        assert_non_null(strstr(said(L, chunk), "is no name of a module"));
    }
    assert_non_null(strstr(said(L, "require 'outside'"), "no module \"outside\""));
    assert_non_null(strstr(said(L, "require 'circle'"), "requires itself"));
    assert_non_null(strstr(said(L, "require 'broken'"), "own/broken.lua:1:"));
    assert_non_null(strstr(said(L, "require 'bytes'"), "binary chunk"));
    lua_close(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_listed_does_not_exist),
        cmocka_unit_test(what_is_listed_works),
        cmocka_unit_test(nothing_runs_outside_the_limits),
        cmocka_unit_test(the_library_walks_no_further_than_a_million),
        cmocka_unit_test(the_library_of_tables_does_what_it_always_did),
        cmocka_unit_test(require_finds_the_library_and_then_the_plugin),
        cmocka_unit_test(what_one_room_changes_no_other_sees),
        cmocka_unit_test(require_finds_nothing_else),
    };
    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
