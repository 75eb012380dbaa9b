/* bind_folder - host.folder: files below the folders that the configuration names, to be read. */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "host/bind/bind.h"
#include "host/boundary/boundary.h"
#include "host/files/folder.h"
#include "host/instance/plugin.h"

enum {
    ENTRIES_MOST = 10000,
    PIECE = 64 * 1024,
    PIECE_MOST = 1024 * 1024,
    FILE_MOST = 8 * 1024 * 1024
};

static const char FILES[] = "outpost.folderfile", LISTING[] = "outpost.listing";

/* ---- Failures */

static const struct {
    int err;
    const char *code;
    const char *why;
} FAULTS[] = {
    {EINVAL, "argument", "expected an absolute path whose names lead nowhere else"},
    {ESPIPE, "argument", "it ends before the byte where to begin"},
    {EXDEV, "denied", "the configuration names no folder above it"},
    {ELOOP, "denied", "it is a link, and links are not followed"},
    {EACCES, "denied", "it may not be read"},
    {EPERM, "denied", "it may not be read"},
    {EISDIR, "denied", "it is a folder"},
    {ENXIO, "denied", "it is no ordinary file"},
    {ENOENT, "missing", "there is none of that name"},
    {ENOTDIR, "missing", "there is no folder of that name"},
    {EFBIG, "too_big", "there is more of it than was asked for"},
    {EBUSY, "busy", "as many are open as a plugin may have"},
    {EMFILE, "busy", "as many are open as a plugin may have"},
    {EBADF, "closed", "it was closed"},
};

/* Paths are in no message: officers' numbers are in them. */
static int fail(lua_State *L, int err)
{
    for (size_t i = 0; i < countof(FAULTS); i++)
        if (FAULTS[i].err == err)
            return bind_fail(L, FAULTS[i].code, "folder: %s", FAULTS[i].why);
    return bind_fail(L, "broken", "folder: the disk says: %s", strerror(err));
}

/* ---- What all share */

static const char *const *roots_of(lua_State *L)
{
    return boundary_roots(plugin_of(L)->boundary);
}

static const char *check_path(lua_State *L)
{
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length);
    luaL_argcheck(L, strlen(path) == length, 1, "expected a path without NUL");
    return path;
}

/* The member `name` of the options at 2, which may be nil. */
static lua_Integer number_in(lua_State *L, const char *name, lua_Integer most,
                             lua_Integer otherwise)
{
    lua_Integer number = otherwise;
    if (lua_isnil(L, 2))
        return number;
    if (lua_getfield(L, 2, name) != LUA_TNIL)
        number = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : -1;
    lua_pop(L, 1);
    if (number < 0 || number > most)
        luaL_error(L, "%s: expected a whole number from 0 to %I", name, most);
    return number;
}

/* As entries of host.ftp, whose times are exact. */
static void push_entry(lua_State *L, const struct folder_entry *entry)
{
    static const char *const KINDS[] = {[FOLDER_FILE] = "file",
                                        [FOLDER_FOLDER] = "folder",
                                        [FOLDER_LINK] = "link",
                                        [FOLDER_OTHER] = "other"};
    lua_createtable(L, 0, 4);
    lua_pushstring(L, KINDS[entry->kind]);
    lua_setfield(L, -2, "kind");
    lua_pushinteger(L, entry->time_s);
    lua_setfield(L, -2, "time");
    if (entry->kind == FOLDER_FILE) {
        lua_pushinteger(L, entry->size);
        lua_setfield(L, -2, "size");
    }
    if (entry->name[0] != '\0') {
        lua_pushstring(L, entry->name);
        lua_setfield(L, -2, "name");
    }
}

/* ---- list, stat */

static int listing_close(lua_State *L)
{
    struct folder_listing **listing = luaL_checkudata(L, 1, LISTING);
    folder_end(*listing);
    *listing = NULL;
    return 0;
}

static int push_entries(lua_State *L, struct folder_listing *listing)
{
    struct folder_entry entry;
    lua_Integer count = 0;
    int err;
    lua_newtable(L);
    while ((err = folder_next(listing, &entry)) == 0) {
        if (count == ENTRIES_MOST)
            return -EFBIG;
        push_entry(L, &entry);
        lua_seti(L, -2, ++count);
    }
    return err == -ENODATA ? 0 : err;
}

static int list(lua_State *L)
{
    const char *path = check_path(L);
    task_check(L);
    struct folder_listing **listing =
        lua_newuserdatauv(L, sizeof(struct folder_listing *), 0);
    *listing = NULL;
    luaL_setmetatable(L, LISTING); /* from here on __gc cleans up */
    int err = folder_list(listing, roots_of(L), path);
    if (!err)
        err = push_entries(L, *listing);
    folder_end(*listing);
    *listing = NULL;
    if (err) {
        plugin_unheard(plugin_of(L));
        return fail(L, -err);
    }
    plugin_heard(plugin_of(L));
    return bind_breathe(L, 1);
}

static int stat_path(lua_State *L)
{
    struct folder_entry entry;
    const char *path = check_path(L);
    task_check(L);
    int err = folder_stat(roots_of(L), path, &entry);
    if (err)
        return fail(L, -err);
    push_entry(L, &entry);
    return bind_breathe(L, 1);
}

/* ---- open, file:read, read */

static int file_close(lua_State *L)
{
    struct folder_file **file = luaL_checkudata(L, 1, FILES);
    folder_close(*file);
    *file = NULL;
    return 0;
}

/* The handle, opened, and then the entry are on top; or it answers an errno. */
static int open_at(lua_State *L, lua_Integer from)
{
    struct folder_entry entry;
    struct folder_file **file = lua_newuserdatauv(L, sizeof(struct folder_file *), 0);
    *file = NULL;
    luaL_setmetatable(L, FILES); /* from here on __gc cleans up */
    int err = folder_open(file, roots_of(L), lua_tostring(L, 1), from, &entry);
    if (err)
        return err;
    push_entry(L, &entry);
    return 0;
}

static int open_file(lua_State *L)
{
    static const char *const OPTIONS[] = {"from", NULL};
    check_path(L);
    task_check(L);
    lua_settop(L, 2);
    bind_options(L, 2, OPTIONS);
    int err = open_at(L, number_in(L, "from", 1LL << 50, 0));
    if (err)
        return fail(L, -err);
    return bind_breathe(L, 2);
}

static int file_read(lua_State *L)
{
    struct folder_file **file = luaL_checkudata(L, 1, FILES);
    lua_Integer most = luaL_optinteger(L, 2, PIECE);
    luaL_Buffer bytes;
    size_t got = 0;
    luaL_argcheck(L, most >= 1 && most <= PIECE_MOST, 2, "expected 1 to 1048576 bytes");
    task_check(L);
    if (*file == NULL)
        return fail(L, EBADF);
    int err = folder_read(*file, luaL_buffinitsize(L, &bytes, (size_t)most), (size_t)most,
                          &got);
    if (err)
        return fail(L, -err);
    if (got == 0)
        return bind_fail(L, "closed", "folder: the file has ended");
    luaL_pushresultsize(&bytes, got);
    plugin_heard(plugin_of(L));
    return bind_breathe(L, 1);
}

/* All of a small file, at once. */
static int read_whole(lua_State *L)
{
    static const char *const OPTIONS[] = {"most", NULL};
    luaL_Buffer bytes;
    size_t got, all = 0;
    check_path(L);
    task_check(L);
    lua_settop(L, 2);
    bind_options(L, 2, OPTIONS);
    size_t most = (size_t)number_in(L, "most", FILE_MOST, PIECE_MOST);
    int err = open_at(L, 0);
    if (err)
        return fail(L, -err);
    struct folder_file **file = lua_touserdata(L, 3);
    char *room = luaL_buffinitsize(L, &bytes, most + 1);
    while ((err = folder_read(*file, room + all, most + 1 - all, &got)) == 0 && got > 0)
        all += got;
    folder_close(*file);
    *file = NULL;
    if (err || all > most)
        return fail(L, err ? -err : EFBIG);
    luaL_pushresultsize(&bytes, all);
    lua_pushvalue(L, 4); /* what it was */
    return bind_breathe(L, 2);
}

static const luaL_Reg METHODS[] = {
    {"read", file_read}, {"close", file_close}, {NULL, NULL}};
static const luaL_Reg FUNCTIONS[] = {{"list", list},
                                     {"stat", stat_path},
                                     {"open", open_file},
                                     {"read", read_whole},
                                     {NULL, NULL}};

void bind_folder(lua_State *L)
{
    static const luaL_Reg NONE[] = {{NULL, NULL}};
    bind_class(L, LISTING, NONE, listing_close);
    bind_class(L, FILES, METHODS, file_close);
    luaL_getmetatable(L, FILES);
    lua_pushcfunction(L, file_close);
    lua_setfield(L, -2, "__close");
    lua_pop(L, 1);
    luaL_newlib(L, FUNCTIONS);
    lua_setfield(L, -2, "folder");
}
