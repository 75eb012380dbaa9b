/* sandbox - see sandbox.h.
 *
 * Rule of this file: what is not in a list here does not exist. */
#include "host/boundary/sandbox.h"

#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/buffer.h"
#include "base/file.h"
#include "host/module/module.h"

enum {
    REPEAT_BYTES_MAX = 1024 * 1024,
    REPEAT_TIMES_MAX = 1024 * 1024,
    VALUES_MAX = 1024 * 1024
};

/* What `require` of a room has behind it. */
enum { LIBRARY = 1, PLUGIN, LOADED, ROOM };

static const luaL_Reg LIBRARIES[] = {
    {LUA_GNAME, luaopen_base},       {LUA_STRLIBNAME, luaopen_string},
    {LUA_TABLIBNAME, luaopen_table}, {LUA_MATHLIBNAME, luaopen_math},
    {LUA_UTF8LIBNAME, luaopen_utf8},
};

static const char *const BASICS[] = {
    "assert",   "error",    "getmetatable", "ipairs",   "next",   "pairs",
    "pcall",    "rawequal", "rawget",       "rawlen",   "rawset", "select",
    "tonumber", "tostring", "type",         "_VERSION",
};

/* Finalisers run when no limit holds, and weak tables show when they run. */
static int set_metatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnoneornil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    lua_settop(L, 2);
    if (lua_istable(L, 2)) {
        lua_pushstring(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "setmetatable: __gc is not allowed");
        lua_settop(L, 2);
    }
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    lua_setmetatable(L, 1);
    return 1;
}

/* Calls the library's own function, which is the first upvalue, with all arguments. */
static int call_original(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int string_rep(lua_State *L)
{
    size_t text, separator = 0;
    luaL_checklstring(L, 1, &text);
    lua_Integer times = luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &separator);
    if (times > REPEAT_TIMES_MAX ||
        (times > 0 && text + separator > (size_t)(REPEAT_BYTES_MAX / times)))
        return luaL_error(L, "string.rep: more than %d bytes", (int)REPEAT_BYTES_MAX);
    return call_original(L);
}

static void check_range(lua_State *L, const char *name, lua_Integer from,
                        lua_Integer until)
{
    if (until >= from && (lua_Unsigned)until - (lua_Unsigned)from >= VALUES_MAX)
        luaL_error(L, "%s: more than %d values", name, (int)VALUES_MAX);
}

/* The library walks as far as `#` says, in C. That is any number when a function or a table with
 * holes says it. */
static lua_Integer check_length(lua_State *L, const char *name)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (luaL_getmetafield(L, 1, "__len") != LUA_TNIL)
        luaL_error(L, "%s: a table with __len is not taken", name);
    lua_Integer length = (lua_Integer)lua_rawlen(L, 1);
    check_range(L, name, 1, length);
    return length;
}

static int table_move(lua_State *L)
{
    check_range(L, "table.move", luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
    return call_original(L);
}

static int table_concat(lua_State *L)
{
    lua_Integer length = check_length(L, "table.concat");
    check_range(L, "table.concat", luaL_optinteger(L, 3, 1),
                luaL_optinteger(L, 4, length));
    return call_original(L);
}

static int table_unpack(lua_State *L)
{
    lua_Integer length = check_length(L, "table.unpack");
    check_range(L, "table.unpack", luaL_optinteger(L, 2, 1),
                luaL_optinteger(L, 3, length));
    return call_original(L);
}

static int table_insert(lua_State *L)
{
    lua_Integer length = check_length(L, "table.insert");
    int given = lua_gettop(L);
    bool is_plain = given == 2 && !lua_getmetatable(L, 1);
    lua_settop(L, given);
    if (!is_plain)
        return call_original(L);
    lua_rawseti(L, 1, length + 1);
    return 0;
}

static int table_remove(lua_State *L)
{
    check_length(L, "table.remove");
    return call_original(L);
}

static int table_sort(lua_State *L)
{
    check_length(L, "table.sort");
    return call_original(L);
}

static const struct {
    const char *library;
    const char *name;
    lua_CFunction instead; /* NULL: it goes */
} CHANGES[] = {
    {LUA_STRLIBNAME, "dump", NULL},           {LUA_STRLIBNAME, "rep", string_rep},
    {LUA_TABLIBNAME, "move", table_move},     {LUA_TABLIBNAME, "concat", table_concat},
    {LUA_TABLIBNAME, "unpack", table_unpack}, {LUA_TABLIBNAME, "insert", table_insert},
    {LUA_TABLIBNAME, "remove", table_remove}, {LUA_TABLIBNAME, "sort", table_sort},
};

static void change_libraries(lua_State *L)
{
    for (size_t i = 0; i < countof(CHANGES); i++) {
        lua_getglobal(L, CHANGES[i].library);
        lua_getfield(L, -1, CHANGES[i].name);
        if (CHANGES[i].instead != NULL) {
            lua_pushcclosure(L, CHANGES[i].instead, 1);
        } else {
            lua_pop(L, 1);
            lua_pushnil(L);
        }
        lua_setfield(L, -2, CHANGES[i].name);
        lua_pop(L, 1);
    }
}

/* The string metatable is shared by all texts of the state: nobody gets hold of it. */
static void lock_text_metatable(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

int sandbox_load(lua_State *L, const char *path, const char *name)
{
    struct buffer source = {0};
    int err = file_read(&source, path, SANDBOX_SOURCE_MAX);
    if (err) {
        buffer_free(&source);
        lua_pushfstring(L, "%s: %s", path, strerror(-err));
        return LUA_ERRFILE;
    }
    int status = luaL_loadbufferx(L, source.bytes, source.length, name, "t");
    buffer_free(&source);
    return status;
}

int sandbox_load_in(lua_State *L, int room, const char *path, const char *name)
{
    room = lua_absindex(L, room);
    int status = sandbox_load(L, path, name);
    if (status == LUA_OK) {
        lua_pushvalue(L, room);
        lua_setupvalue(L, -2, 1);
    }
    return status;
}

/* Dots part folders; nothing else of a path can be said. */
static bool is_module(const char *name, size_t length)
{
    static const char LETTERS[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    return length > 0 && length <= 100 && strspn(name, LETTERS) == length &&
           name[0] != '.' && name[length - 1] != '.' && strstr(name, "..") == NULL;
}

static bool find_module(char *path, const char *folder, const char *name)
{
    if (folder == NULL)
        return false;
    int length = snprintf(path, PATH_MAX, "%s/%s.lua", folder, name);
    if (length < 0 || length >= PATH_MAX)
        return false;
    size_t start = strlen(folder) + 1;
    for (size_t i = start; i < start + strlen(name); i++)
        if (path[i] == '.')
            path[i] = '/';
    return file_exists(path);
}

/* Runs the module at `path`; leaves what it returns, or true, on the stack. */
static void run_module(lua_State *L, const char *path, const char *folder)
{
    const char *parent = strrchr(folder, '/');
    lua_pushfstring(L, "@%s", parent != NULL ? path + (parent + 1 - folder) : path);
    if (sandbox_load_in(L, lua_upvalueindex(ROOM), path, lua_tostring(L, -1)) != LUA_OK)
        lua_error(L);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
}

/* A module in C has no path: its name is its key. */
static int require_own(lua_State *L, const struct module *module)
{
    if (lua_getfield(L, lua_upvalueindex(LOADED), module->name) == LUA_TNIL) {
        module_push(L, module);
        lua_pushvalue(L, -1);
        lua_setfield(L, lua_upvalueindex(LOADED), module->name);
    }
    return 1;
}

/* A module being loaded is `false` in LOADED, so that a circle is found. */
static int require_module(lua_State *L)
{
    size_t length;
    const char *name = luaL_checklstring(L, 1, &length);
    char path[PATH_MAX];
    const char *folder = lua_tostring(L, lua_upvalueindex(LIBRARY));
    lua_settop(L, 1);
    if (!is_module(name, length))
        return luaL_error(L, "require: \"%s\" is no name of a module", name);
    if (module_find(name) != NULL)
        return require_own(L, module_find(name));
    if (!find_module(path, folder, name)) {
        folder = lua_tostring(L, lua_upvalueindex(PLUGIN));
        if (!find_module(path, folder, name))
            return luaL_error(L, "require: no module \"%s\" in the library or the plugin",
                              name);
    }
    lua_pushvalue(L, lua_upvalueindex(LOADED));
    if (lua_getfield(L, -1, path) == LUA_TBOOLEAN && !lua_toboolean(L, -1))
        return luaL_error(L, "require: module \"%s\" requires itself", name);
    if (!lua_isnil(L, -1))
        return 1;
    lua_pop(L, 1);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, path);
    run_module(L, path, folder);
    lua_pushvalue(L, -1);
    lua_setfield(L, 2, path);
    return 1;
}

/* The globals are at the top. */
static void add_require(lua_State *L, const struct sandbox *sandbox)
{
    lua_pushstring(L, sandbox->library);
    lua_pushstring(L, sandbox->plugin); /* NULL: nil */
    lua_newtable(L);
    lua_pushvalue(L, -4);
    lua_pushcclosure(L, require_module, ROOM);
    lua_setfield(L, -2, "require");
}

static void push_globals(lua_State *L, const struct sandbox *sandbox)
{
    lua_createtable(L, 0, 32);
    for (size_t i = 0; i < countof(BASICS); i++) {
        lua_getglobal(L, BASICS[i]);
        lua_setfield(L, -2, BASICS[i]);
    }
    lua_pushcfunction(L, set_metatable);
    lua_setfield(L, -2, "setmetatable");
    add_require(L, sandbox);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, LUA_GNAME);
}

/* Into the globals at the top. Functions of a library cannot be changed, its table can. */
static void add_copy(lua_State *L, const char *library)
{
    lua_newtable(L);
    lua_getglobal(L, library);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -6);
    }
    lua_pop(L, 1);
    lua_setfield(L, -2, library);
}

void sandbox_push_room(lua_State *L, const struct sandbox *sandbox)
{
    luaL_checkstack(L, 10, "a room");
    push_globals(L, sandbox);
    for (size_t i = 1; i < countof(LIBRARIES); i++)
        add_copy(L, LIBRARIES[i].name);
}

void sandbox_open(lua_State *L, const struct sandbox *sandbox)
{
    for (size_t i = 0; i < countof(LIBRARIES); i++) {
        luaL_requiref(L, LIBRARIES[i].name, LIBRARIES[i].func, 1);
        lua_pop(L, 1);
    }
    change_libraries(L);
    lock_text_metatable(L);
    push_globals(L, sandbox);
    for (size_t i = 1; i < countof(LIBRARIES); i++) {
        lua_getglobal(L, LIBRARIES[i].name);
        lua_setfield(L, -2, LIBRARIES[i].name);
    }
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}
