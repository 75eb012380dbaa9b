/* world - see world.h. The contract is the first comment of lua/config.lua. */
#include "host/world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "host/bind/value.h"
#include "host/boundary/budget.h"
#include "host/module/module.h"
#include "host/needs.h"

enum { NAMES_MAX = 256, SECRET_MAX = 1024, VALUE_MAX = 512 * 1024 };

static struct world *world_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* The line of the configuration that is running now. */
static int line_now(lua_State *L)
{
    lua_Debug at;
    int line = 0;
    for (int level = 0; line == 0 && lua_getstack(L, level, &at); level++) {
        lua_getinfo(L, "Sl", &at);
        if (strcmp(at.source, "=" WORLD_CHUNK) == 0)
            line = at.currentline;
    }
    return line > 0 ? line : 1;
}

static int where(lua_State *L)
{
    lua_pushfstring(L, "%s:%d", world_of(L)->file, line_now(L));
    return 1;
}

static int absolute_path(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    if (path[0] == '/')
        lua_pushvalue(L, 1);
    else
        lua_pushfstring(L, "%s/%s", world_of(L)->folder, path);
    return 1;
}

static bool is_name(const char *name)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t length = strlen(name);
    return length > 0 && length <= 64 && strspn(name, LETTERS) == length;
}

/* The error on top may be the end of everything, which Lua then raises again wherever it goes on: who it
 * was is only known here. */
static void blame(lua_State *L, const char *name)
{
    struct world *world = world_of(L);
    if (!budget_is_over() || world->blamed[0] != '\0')
        return;
    const char *why = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "it raised";
    snprintf(world->blamed, sizeof(world->blamed), "%s:%d: plugin \"%s\": %s",
             world->file, line_now(L), name, why);
}

/* nil and the message that is on top. */
static int refuse(lua_State *L)
{
    if (lua_type(L, -1) != LUA_TSTRING)
        lua_pushliteral(L, "it raised something that is no text");
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

static int plugin(lua_State *L)
{
    struct world *world = world_of(L);
    const char *name = luaL_checkstring(L, 1);
    char path[PATH_MAX];
    if (!is_name(name)) {
        lua_pushliteral(L, "a name has small letters, digits, \"_\" and \"-\" only");
        return refuse(L);
    }
    const char *folder = lua_pushfstring(L, "%s/%s", world->plugins, name);
    if (file_join(path, sizeof(path), folder, "plugin.lua") != 0 || !file_exists(path)) {
        lua_pushfstring(L, "there is no %s/plugin.lua", folder);
        return refuse(L);
    }
    struct sandbox sandbox = {.library = world->sandbox.library, .plugin = folder};
    sandbox_push_room(L, &sandbox);
    lua_pushfstring(L, "@%s/plugin.lua", name);
    int status = sandbox_load_in(L, -2, path, lua_tostring(L, -1));
    if (status == LUA_OK)
        status = lua_pcall(L, 0, 1, 0);
    if (status != LUA_OK) {
        blame(L, name);
        return refuse(L);
    }
    lua_pushstring(L, folder);
    return 2;
}

/* Calls what a plugin's author has written, the second argument, with what follows; the first names the
 * plugin. As pcall. */
static int call(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    bool is_good = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0) == LUA_OK;
    if (!is_good)
        blame(L, name);
    lua_pushboolean(L, is_good);
    lua_replace(L, 1);
    return lua_gettop(L);
}

/* Why the value cannot be handed on, or nil. */
static int fault(lua_State *L)
{
    struct buffer *json = module_buffer(L);
    const char *why = value_encode(L, 1, json, VALUE_MAX);
    if (why == NULL)
        return 0;
    lua_pushstring(L, why);
    return 1;
}

/* A data file: a text chunk that sees nothing at all. */
static int sheet(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    const char *name = strrchr(path, '/');
    lua_pushfstring(L, "@%s", name != NULL ? name + 1 : path);
    if (sandbox_load(L, path, lua_tostring(L, -1)) != LUA_OK)
        return refuse(L);
    lua_newtable(L);
    lua_setupvalue(L, -2, 1);
    if (lua_pcall(L, 0, 1, 0) != LUA_OK)
        return refuse(L);
    if (lua_istable(L, -1))
        return 1;
    lua_pushfstring(L, "%s: expected to return a table, got a %s", path,
                    luaL_typename(L, -1));
    return refuse(L);
}

/* A text that a file holds, of which only the first line counts. Who may read the file is looked at on
 * the file that is read. */
static int secret(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    char text[SECRET_MAX + 2];
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t length = fd < 0 || fstat(fd, &file) != 0 ? -1 : read(fd, text, sizeof(text));
    int err = errno;
    if (fd >= 0)
        close(fd);
    if (length < 0)
        lua_pushfstring(L, "%s, which cannot be read: %s", path, strerror(err));
    else if (!S_ISREG(file.st_mode))
        lua_pushfstring(L, "%s, which is no file", path);
    else if ((file.st_mode & S_IRWXO) != 0)
        lua_pushfstring(L, "%s, which everybody may read: chmod o= %s", path, path);
    else if (length == 0 || text[0] == '\n')
        lua_pushfstring(L, "%s, which is empty", path);
    else {
        const char *end = memchr(text, '\n', (size_t)length);
        lua_pushlstring(L, text, end != NULL ? (size_t)(end - text) : (size_t)length);
        return 1;
    }
    return refuse(L);
}

/* Reads the folder into `found`, which does not raise while the folder is open. */
static int read_names(const char *folder, char found[][64])
{
    DIR *open = opendir(folder);
    const struct dirent *entry;
    int count = 0;
    if (open == NULL)
        return 0;
    while (count < NAMES_MAX && (entry = readdir(open)) != NULL)
        if (is_name(entry->d_name) && strlen(entry->d_name) < 64)
            strcpy(found[count++], entry->d_name);
    closedir(open);
    return count;
}

static int names(lua_State *L)
{
    char found[NAMES_MAX][64];
    int count = read_names(world_of(L)->plugins, found);
    lua_newtable(L);
    for (int i = 0; i < count; i++) {
        lua_pushstring(L, found[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* The name has only letters that make no way out of the folder: the declaration has seen to it. */
static int zone(lua_State *L)
{
    static const char MAGIC[] = "TZif";
    char path[PATH_MAX], begin[sizeof(MAGIC)] = "";
    const char *name = luaL_checkstring(L, 1);
    bool fits = strchr(name, '.') == NULL &&
                file_join(path, sizeof(path), "/usr/share/zoneinfo", name) == 0;
    FILE *file = fits ? fopen(path, "rbe") : NULL;
    if (file != NULL && fread(begin, 1, sizeof(MAGIC) - 1, file) < sizeof(MAGIC) - 1)
        begin[0] = '\0';
    if (file != NULL)
        fclose(file);
    lua_pushboolean(L, strcmp(begin, MAGIC) == 0);
    return 1;
}

static int needs(lua_State *L)
{
    needs_push(L);
    return 1;
}

static const luaL_Reg FUNCTIONS[] = {
    {"where", where}, {"path", absolute_path}, {"plugin", plugin}, {"sheet", sheet},
    {"names", names}, {"zone", zone},          {"needs", needs},   {"secret", secret},
    {"call", call},   {"fault", fault},        {NULL, NULL},
};

void world_push(lua_State *L, struct world *world)
{
    luaL_newlibtable(L, FUNCTIONS);
    lua_pushlightuserdata(L, world);
    luaL_setfuncs(L, FUNCTIONS, 1);
    lua_pushlstring(L, world->text.bytes, world->text.length);
    lua_setfield(L, -2, "text");
}
