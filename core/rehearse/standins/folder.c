/* folder - stands in for host/files/folder.c: a folder and all below it are a table of the test.
 *
 * The double's function `ask` gets { call =, path =, from = } and answers { entries = {} }, { kind =,
 * size =, time =, body = }, or { fault = "missing" }. `breaks` of a file is the byte behind which the disk
 * fails. */
#include "host/files/folder.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/buffer.h"
#include "base/mem.h"
#include "rehearse/office.h"

struct folder_listing {
    struct buffer entries; /* struct folder_entry, one behind the other */
    size_t at;
};

struct folder_file {
    struct buffer body;
    size_t at;
    bool breaks;
};

/* One question, and what the double makes of it. */
struct exchange {
    const struct office_device *device;
    const char *call;
    const char *path;
    int64_t from;
    struct folder_entry entry;
    struct buffer answer; /* of a listing its entries, of a file its bytes */
    bool breaks;
    int err;
};

static const struct {
    const char *name;
    int err;
} FAULTS[] = {{"missing", -ENOENT}, {"denied", -EACCES},   {"link", -ELOOP},
              {"folder", -EISDIR},  {"argument", -ESPIPE}, {"broken", -EIO}};

static int fault_of(lua_State *L, const char *name)
{
    for (size_t i = 0; i < countof(FAULTS); i++)
        if (strcmp(FAULTS[i].name, name) == 0)
            return FAULTS[i].err;
    return luaL_error(L, "a folder: fault: expected missing, denied, broken, got %s",
                      name);
}

static enum folder_kind kind_of(const char *name)
{
    return strcmp(name, "file") == 0     ? FOLDER_FILE
           : strcmp(name, "folder") == 0 ? FOLDER_FOLDER
           : strcmp(name, "link") == 0   ? FOLDER_LINK
                                         : FOLDER_OTHER;
}

/* The entry in the table on top. */
static void take_entry(lua_State *L, struct folder_entry *entry)
{
    int at = lua_gettop(L);
    *entry = (struct folder_entry){0};
    lua_getfield(L, at, "kind");
    entry->kind = kind_of(luaL_checkstring(L, -1));
    lua_getfield(L, at, "size");
    entry->size = luaL_optinteger(L, -1, 0);
    lua_getfield(L, at, "time");
    entry->time_s = luaL_optinteger(L, -1, 0);
    lua_getfield(L, at, "name");
    snprintf(entry->name, sizeof(entry->name), "%s", luaL_optstring(L, -1, ""));
    lua_settop(L, at);
}

static void take_entries(lua_State *L, struct exchange *exchange)
{
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        struct folder_entry entry;
        lua_geti(L, -1, i);
        take_entry(L, &entry);
        buffer_append(&exchange->answer, &entry, sizeof(entry));
        lua_pop(L, 1);
    }
}

static void take_reply(lua_State *L, struct exchange *exchange)
{
    size_t length;
    if (lua_getfield(L, -1, "fault") == LUA_TSTRING)
        exchange->err = fault_of(L, lua_tostring(L, -1));
    lua_pop(L, 1);
    if (exchange->err)
        return;
    if (lua_getfield(L, -1, "entries") == LUA_TTABLE) {
        take_entries(L, exchange);
        return;
    }
    lua_pop(L, 1);
    take_entry(L, &exchange->entry);
    lua_getfield(L, -1, "breaks");
    exchange->breaks = lua_toboolean(L, -1);
    lua_getfield(L, -2, "body");
    const char *bytes = luaL_optlstring(L, -1, "", &length);
    buffer_append(&exchange->answer, bytes, length);
}

static int converse(lua_State *L)
{
    struct exchange *exchange = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->device->ref);
    if (lua_getfield(L, 1, "ask") != LUA_TFUNCTION)
        return luaL_error(L, "a folder: expected a function ask, as t.folder has");
    lua_insert(L, 1);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, exchange->call);
    lua_setfield(L, -2, "call");
    lua_pushstring(L, exchange->path);
    lua_setfield(L, -2, "path");
    lua_pushinteger(L, exchange->from);
    lua_setfield(L, -2, "from");
    lua_call(L, 2, 1);
    if (!lua_istable(L, -1))
        return luaL_error(L, "a folder answers a table: { body =, fault = }");
    take_reply(L, exchange);
    return 0;
}

/* The double whose folder begins the path. */
static const struct office_device *device_above(const struct office *office,
                                                const char *path)
{
    for (int i = 0; i < office->device_count; i++) {
        const char *url = office->devices[i].url;
        size_t length = strlen(url);
        if (url[0] == '/' && strncmp(path, url, length) == 0 &&
            (path[length] == '/' || path[length] == '\0'))
            return &office->devices[i];
    }
    return NULL;
}

static int ask(struct exchange *exchange)
{
    struct office *office = office_current();
    exchange->device = device_above(office, exchange->path);
    if (exchange->device == NULL) {
        office_missed_here(office, "a folder");
        return -EXDEV;
    }
    if (office_strikes_here(office, FATE_READ, false))
        return -EIO; /* nobody is there any more to hear the answer */
    if (!office_ask_here(office, converse, exchange))
        return -EIO;
    trace_add(&office->trace, "%s %s%s", exchange->call, exchange->path,
              exchange->err ? ": fault" : "");
    if (office_strikes_here(office, FATE_READ, true))
        return -EIO;
    return exchange->err;
}

/* ---- What host/files/folder.c has */

int folder_stat(const char *const *roots, const char *path, struct folder_entry *entry)
{
    struct exchange exchange = {.call = "stat", .path = path};
    (void)roots;
    int err = ask(&exchange);
    *entry = exchange.entry;
    entry->name[0] = '\0';
    buffer_free(&exchange.answer);
    return err;
}

int folder_list(struct folder_listing **out, const char *const *roots, const char *path)
{
    struct exchange exchange = {.call = "list", .path = path};
    (void)roots;
    int err = ask(&exchange);
    if (err) {
        buffer_free(&exchange.answer);
        return err;
    }
    *out = mem_new(struct folder_listing);
    (*out)->entries = exchange.answer;
    return 0;
}

int folder_next(struct folder_listing *listing, struct folder_entry *entry)
{
    if (listing->at >= listing->entries.length)
        return -ENODATA;
    memcpy(entry, listing->entries.bytes + listing->at, sizeof(*entry));
    listing->at += sizeof(*entry);
    return 0;
}

void folder_end(struct folder_listing *listing)
{
    if (listing == NULL)
        return;
    buffer_free(&listing->entries);
    mem_free(listing);
}

int folder_open(struct folder_file **out, const char *const *roots, const char *path,
                int64_t from, struct folder_entry *entry)
{
    struct exchange exchange = {.call = "open", .path = path, .from = from};
    (void)roots;
    int err = ask(&exchange);
    if (err) {
        buffer_free(&exchange.answer);
        return err;
    }
    *entry = exchange.entry;
    entry->name[0] = '\0';
    *out = mem_new(struct folder_file);
    **out = (struct folder_file){.body = exchange.answer, .breaks = exchange.breaks};
    return 0;
}

int folder_read(struct folder_file *file, char *bytes, size_t room, size_t *got)
{
    size_t rest = file->body.length - file->at;
    *got = rest < room ? rest : room;
    if (*got == 0)
        return file->breaks ? -EIO : 0;
    memcpy(bytes, file->body.bytes + file->at, *got);
    file->at += *got;
    return 0;
}

void folder_close(struct folder_file *file)
{
    if (file == NULL)
        return;
    buffer_free(&file->body);
    mem_free(file);
}
