/* config - see config.h.
 *
 * Everything runs in check(), under one lua_pcall() and one slice of a budget. */
#include "host/config.h"

#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/buffer.h"
#include "base/file.h"
#include "host/bind/value.h"
#include "host/boundary/budget.h"
#include "host/boundary/confine.h"
#include "host/module/module.h"
#include "host/world.h"

enum {
    TEXT_MAX = 256 * 1024,
    JSON_MAX = 1024 * 1024,
    SLICE_MS = 5000,
    MOST_BYTES = 64 * 1024 * 1024
};

struct check {
    struct world world;
    struct buffer json;
    struct buffer errors; /* one a line */
};

static const char *const BASICS[] = {"ipairs", "pairs",  "tonumber", "tostring",
                                     "type",   "string", "table",    "math"};

/* The environment of the configuration is at `env`: its own functions and the basic ones. */
static void add_basics(lua_State *L, int env)
{
    for (size_t i = 0; i < countof(BASICS); i++) {
        lua_getglobal(L, BASICS[i]);
        lua_setfield(L, env, BASICS[i]);
    }
}

static void add_error(struct check *check, const char *text)
{
    buffer_append_text(&check->errors, text);
    buffer_append(&check->errors, "\n", 1);
}

/* Lua's own message: its chunk name becomes the name of the file. */
static void add_raised(lua_State *L, struct check *check)
{
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "it raised";
    size_t chunk = strlen(WORLD_CHUNK);
    bool named = strncmp(text, WORLD_CHUNK ":", chunk + 1) == 0;
    if (check->world.blamed[0] != '\0') {
        add_error(check, check->world.blamed);
        return;
    }
    buffer_append_text(&check->errors, check->world.file);
    buffer_append_text(&check->errors, named ? "" : ": ");
    add_error(check, named ? text + chunk : text);
}

/* The errors are an array of texts at the top. */
static void add_errors(lua_State *L, struct check *check)
{
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, -1, i);
        add_error(check, luaL_tolstring(L, -1, NULL));
        lua_pop(L, 2);
    }
}

/* Calls config.begin(world); env and finish are left on the stack. */
static void begin(lua_State *L, struct check *check)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "config");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "begin");
    world_push(L, &check->world);
    lua_call(L, 1, 2);
}

/* Calls finish(), which is at the top; true when it gave a table, which is then at the top. */
static bool finish(lua_State *L, struct check *check)
{
    lua_call(L, 0, 2);
    if (lua_istable(L, -2)) {
        lua_pop(L, 1);
        return true;
    }
    add_errors(L, check);
    return false;
}

/* The table at the top is complete but for what only this file knows. */
static void print(lua_State *L, struct check *check)
{
    lua_pushstring(L, check->world.sandbox.library);
    lua_setfield(L, -2, "lua");
    const char *why = value_encode(L, -1, &check->json, JSON_MAX);
    if (why != NULL)
        luaL_error(L, "the configuration cannot be JSON: %s", why);
}

static int check_all(lua_State *L)
{
    struct check *check = lua_touserdata(L, 1);
    sandbox_open(L, &check->world.sandbox);
    begin(L, check);
    int finisher = lua_gettop(L), env = finisher - 1;
    add_basics(L, env);
    if (luaL_loadbufferx(L, check->world.text.bytes, check->world.text.length,
                         "=" WORLD_CHUNK, "t") != LUA_OK) {
        add_raised(L, check);
        return 0;
    }
    lua_pushvalue(L, env);
    lua_setupvalue(L, -2, 1);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
        add_raised(L, check);
        return 0;
    }
    lua_pushvalue(L, finisher);
    if (finish(L, check))
        print(L, check);
    return 0;
}

static void run(struct check *check)
{
    struct budget budget = {.most_bytes = MOST_BYTES, .slice_ms = SLICE_MS};
    lua_State *L = budget_new_state(&budget);
    if (L == NULL) {
        add_error(check, "not enough memory");
        return;
    }
    budget_start(&budget);
    budget_begin(L);
    lua_pushcfunction(L, check_all);
    lua_pushlightuserdata(L, check);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        add_raised(L, check);
    budget_end();
    budget_stop(&budget);
    lua_close(L);
}

static int print_result(struct check *check)
{
    if (check->errors.length > 0 || check->json.length == 0) {
        fwrite(check->errors.bytes, 1, check->errors.length, stderr);
        return 1;
    }
    fwrite(check->json.bytes, 1, check->json.length, stdout);
    fputc('\n', stdout);
    return fflush(stdout) == 0 ? 0 : 1;
}

/* The folder that `file` lies in, absolute. */
static bool folder_of(char *folder, const char *file)
{
    if (realpath(file, folder) == NULL)
        return false;
    char *slash = strrchr(folder, '/');
    slash[slash == folder ? 1 : 0] = '\0';
    return true;
}

static bool read_text(struct check *check, char *folder)
{
    int err = file_read(&check->world.text, check->world.file, TEXT_MAX);
    if (err || !folder_of(folder, check->world.file)) {
        fprintf(stderr, "%s: %s\n", check->world.file, strerror(err ? -err : ENOENT));
        return false;
    }
    check->world.folder = folder;
    return true;
}

static bool read_folder(char *path, const char *given)
{
    if (realpath(given, path) != NULL)
        return true;
    perror(given);
    return false;
}

/* Manifests are code of plugins, and run here: they may read, and nothing else. */
static bool lock_in(void)
{
    struct confine told;
    struct confine_wish wish = {.folders = {"/"}};
    module_load_all();
    int err = confine(&told, &wish);
    if (err)
        fprintf(stderr, "it cannot be confined: %s\n", strerror(-err));
    return err == 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: host config FILE --plugins DIR --lua DIR\n");
    return 2;
}

int config_main(int count, char **arguments)
{
    char folder[PATH_MAX], plugins[PATH_MAX], library[PATH_MAX];
    struct check check = {0};
    if (count != 5 || strcmp(arguments[1], "--plugins") != 0 ||
        strcmp(arguments[3], "--lua") != 0)
        return usage();
    check.world.file = arguments[0];
    if (!read_folder(plugins, arguments[2]) || !read_folder(library, arguments[4]) ||
        !read_text(&check, folder) || !lock_in())
        return 1;
    check.world.plugins = plugins;
    check.world.sandbox.library = library;
    run(&check);
    int code = print_result(&check);
    buffer_free(&check.world.text);
    buffer_free(&check.json);
    buffer_free(&check.errors);
    return code;
}
