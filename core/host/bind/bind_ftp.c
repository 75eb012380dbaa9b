/* bind_ftp - host.ftp.list, read, stat, rename, remove, and what they share with stream. */
#include "host/bind/bind_ftp.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "base/base.h"
#include "base/now.h"
#include "host/bind/bind.h"
#include "host/files/listing.h"
#include "host/instance/plugin.h"

enum {
    TIMEOUT_MS = 30000,
    TIMEOUT_LEAST_MS = 100,
    TIMEOUT_MOST_MS = 600000,
    MOST_BYTES = 1024 * 1024,
    MOST_MOST = 8 * 1024 * 1024,
    SILENT_MS = 60000,
    ENTRIES_MOST = 10000,
    WHY_ROOM = 200
};

static const char ASKED[] = "outpost.fetch";
static const char SHARED[] = "outpost.fetches";
static const char ALL[] = "outpost.fetches.all"; /* registry: the one of the plugin */

struct asked {
    struct fetch *fetch;
    struct task *task;
};

/* ---- What the plugin's fetches share */

static int shared_close(lua_State *L)
{
    struct fetches **shared = luaL_checkudata(L, 1, SHARED);
    fetch_close_all(*shared);
    *shared = NULL;
    return 0;
}

struct fetches *bind_ftp_shared(lua_State *L)
{
    struct plugin *plugin = plugin_of(L);
    if (lua_getfield(L, LUA_REGISTRYINDEX, ALL) != LUA_TUSERDATA) {
        struct fetches **fresh = lua_newuserdatauv(L, sizeof(struct fetches *), 0);
        *fresh = NULL;
        luaL_setmetatable(L, SHARED);
        if (fetch_open_all(fresh, plugin->loop) != 0)
            luaL_error(L, "ftp: no memory");
        lua_pushvalue(L, -1);
        lua_setfield(L, LUA_REGISTRYINDEX, ALL);
        lua_remove(L, -2);
    }
    struct fetches **shared = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return *shared;
}

/* ---- The wish: fields of the table at index 1; their values stay on the stack */

struct reading {
    struct fetch_wish wish;
    const char *url;
};

static const char *text_on_top(lua_State *L, const char *name)
{
    size_t length;
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "ftp: %s: expected a text, got a %s", name, luaL_typename(L, -1));
    const char *text = lua_tolstring(L, -1, &length);
    if (strlen(text) != length)
        luaL_error(L, "ftp: %s: expected a text without NUL", name);
    return text;
}

static lua_Integer number_on_top(lua_State *L, const char *name, lua_Integer most)
{
    lua_Integer number = lua_tointeger(L, -1);
    if (!lua_isinteger(L, -1) || number < 0 || number > most)
        luaL_error(L, "ftp: %s: expected a whole number from 0 to %I", name, most);
    return number;
}

static void read_url(lua_State *L, struct reading *reading)
{
    reading->url = text_on_top(L, "url");
}

static void read_path(lua_State *L, struct reading *reading)
{
    reading->wish.path = text_on_top(L, "path");
}

static void read_to(lua_State *L, struct reading *reading)
{
    reading->wish.to = text_on_top(L, "to");
}

static void read_user(lua_State *L, struct reading *reading)
{
    reading->wish.user = text_on_top(L, "user");
}

static void read_password(lua_State *L, struct reading *reading)
{
    reading->wish.password = text_on_top(L, "password");
}

static void read_ca(lua_State *L, struct reading *reading)
{
    reading->wish.ca = text_on_top(L, "ca");
}

static void read_host_key(lua_State *L, struct reading *reading)
{
    reading->wish.host_key = text_on_top(L, "host_key");
}

static void read_insecure(lua_State *L, struct reading *reading)
{
    luaL_checktype(L, lua_gettop(L), LUA_TBOOLEAN);
    reading->wish.insecure = lua_toboolean(L, -1);
}

static void read_timeout(lua_State *L, struct reading *reading)
{
    reading->wish.timeout_ms = bind_duration(L, lua_gettop(L), TIMEOUT_LEAST_MS);
    if (reading->wish.timeout_ms > TIMEOUT_MOST_MS)
        luaL_error(L, "ftp: timeout: expected at most 10m");
}

static void read_most(lua_State *L, struct reading *reading)
{
    reading->wish.most = (size_t)number_on_top(L, "most", MOST_MOST);
}

static void read_from(lua_State *L, struct reading *reading)
{
    reading->wish.from = number_on_top(L, "from", 1LL << 50);
}

static void read_low_speed(lua_State *L, struct reading *reading)
{
    luaL_checktype(L, lua_gettop(L), LUA_TTABLE);
    int table = lua_gettop(L);
    lua_geti(L, table, 1);
    reading->wish.low_bytes = number_on_top(L, "low_speed[1]", 1 << 30);
    lua_geti(L, table, 2);
    reading->wish.low_ms = 1000 * number_on_top(L, "low_speed[2] (seconds)", 86400);
}

static const struct setting {
    const char *name;
    void (*read)(lua_State *L, struct reading *reading);
} FIELDS[] = {
    {"url", read_url},
    {"path", read_path},
    {"to", read_to},
    {"user", read_user},
    {"password", read_password},
    {"ca", read_ca},
    {"insecure", read_insecure},
    {"timeout", read_timeout},
    {"most", read_most},
    {"from", read_from},
    {"low_speed", read_low_speed},
    {"host_key", read_host_key},
};

static void check_names(lua_State *L)
{
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        bool known = false;
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        for (size_t i = 0; i < countof(FIELDS); i++)
            known = known || strcmp(FIELDS[i].name, name) == 0;
        if (!known)
            luaL_error(L, "ftp: expected url, path, user, password ..., got \"%s\"",
                       name);
    }
}

static void read_wish(lua_State *L, struct reading *reading)
{
    struct fetch_wish *wish = &reading->wish;
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkstack(L, 2 * (int)countof(FIELDS) + 8, NULL);
    check_names(L);
    for (size_t i = 0; i < countof(FIELDS); i++)
        if (lua_getfield(L, 1, FIELDS[i].name) != LUA_TNIL)
            FIELDS[i].read(L, reading);
    if (reading->url == NULL)
        luaL_error(L, "ftp: url: expected a text, got nothing");
    if (wish->path == NULL && wish->kind != FETCH_LIST)
        luaL_error(L, "ftp: path: expected a text, got nothing");
    if ((wish->to != NULL) != (wish->kind == FETCH_RENAME))
        luaL_error(L, "ftp: to: expected of rename, and only there");
    if ((wish->user == NULL) != (wish->password == NULL))
        luaL_error(L, "ftp: expected user and password together");
    if (wish->path == NULL)
        wish->path = "";
}

/* ---- For all */

int bind_ftp_fail(lua_State *L, const struct fetch_answer *answer)
{
    plugin_unheard(plugin_of(L));
    bind_fail(L, transfer_fault_name(answer->fault), "%s", answer->why);
    if (answer->reply == 0)
        return 3;
    lua_pushinteger(L, answer->reply);
    return 4;
}

int bind_ftp_start(lua_State *L, struct fetch **out, enum fetch_kind kind, bool stream,
                   void (*news)(void *owner), void *owner)
{
    struct ftpurl url;
    char why[WHY_ROOM];
    struct reading reading = {.wish = {.kind = kind,
                                       .url = &url,
                                       .stream = stream,
                                       .timeout_ms = TIMEOUT_MS,
                                       .most = MOST_BYTES,
                                       .low_bytes = 1,
                                       .low_ms = SILENT_MS}};
    struct fetches *shared = bind_ftp_shared(L);
    read_wish(L, &reading);
    if (ftpurl_parse(&url, reading.url, why, sizeof(why)) != 0)
        return bind_fail(L, "argument", "url: %s", why);
    int err = fetch_open(out, shared, news, owner);
    if (err == -EBUSY)
        return bind_fail(L, "busy", "more than %d at once", (int)FETCHES_MAX);
    if (err)
        return luaL_error(L, "ftp: no memory");
    if (fetch_start(*out, &reading.wish) == TRANSFER_GOOD)
        return 0;
    return bind_ftp_fail(L, fetch_answer(*out));
}

void bind_ftp_file(lua_State *L, const struct fetch_answer *answer)
{
    lua_createtable(L, 0, 2);
    if (answer->size >= 0) {
        lua_pushinteger(L, answer->size);
        lua_setfield(L, -2, "size");
    }
    if (answer->time >= 0) {
        lua_pushinteger(L, answer->time);
        lua_setfield(L, -2, "time");
    }
}

/* ---- What is in a folder */

static void push_time(lua_State *L, const struct listing_entry *entry)
{
    if (entry->told != NULL) {
        lua_pushlstring(L, entry->told, entry->told_length);
        lua_setfield(L, -2, "told");
    }
    if (entry->within_s == 0)
        return;
    lua_pushinteger(L, entry->time_s);
    lua_setfield(L, -2, "time");
    lua_pushinteger(L, entry->within_s);
    lua_setfield(L, -2, "within");
    lua_pushstring(L, entry->is_utc ? "utc" : "server");
    lua_setfield(L, -2, "clock");
    lua_pushboolean(L, entry->is_guessed);
    lua_setfield(L, -2, "guessed");
}

static void push_entry(lua_State *L, const struct listing_entry *entry)
{
    static const char *const KINDS[] = {[LISTING_FILE] = "file",
                                        [LISTING_FOLDER] = "folder",
                                        [LISTING_LINK] = "link",
                                        [LISTING_OTHER] = "other"};
    lua_createtable(L, 0, 8);
    lua_pushlstring(L, entry->name, entry->name_length);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, KINDS[entry->kind]);
    lua_setfield(L, -2, "kind");
    if (entry->size >= 0) {
        lua_pushinteger(L, entry->size);
        lua_setfield(L, -2, "size");
    }
    push_time(L, entry);
}

static int push_list(lua_State *L, const struct fetch_answer *answer)
{
    const char *line = answer->body.bytes, *end = line + answer->body.length;
    lua_Integer count = 0, strange = 0;
    int64_t now_s = now_utc_us() / 1000000;
    lua_newtable(L);
    while (line < end) {
        struct listing_entry entry;
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop != NULL ? stop : end;
        enum listing_found found =
            listing_read(&entry, answer->facts, line, (size_t)(stop - line), now_s);
        strange += found == LISTING_STRANGE;
        if (found == LISTING_ENTRY) {
            if (count == ENTRIES_MOST)
                return bind_fail(L, "too_big", "more than %d entries", (int)ENTRIES_MOST);
            push_entry(L, &entry);
            lua_seti(L, -2, ++count);
        }
        line = stop + 1;
    }
    lua_pushinteger(L, strange);
    return 2;
}

/* ---- list, read, stat, rename, remove */

static int asked_close(lua_State *L)
{
    struct asked *asked = luaL_checkudata(L, 1, ASKED);
    fetch_close(asked->fetch);
    asked->fetch = NULL;
    return 0;
}

static void asked_news(void *owner)
{
    struct asked *asked = owner;
    if (fetch_answer(asked->fetch)->over)
        task_wake(asked->task);
}

static int push_body(lua_State *L, const struct fetch_answer *answer)
{
    lua_pushlstring(L, answer->body.bytes, answer->body.length);
    bind_ftp_file(L, answer);
    return 2;
}

static int push_file(lua_State *L, const struct fetch_answer *answer)
{
    bind_ftp_file(L, answer);
    return 1;
}

static int push_true(lua_State *L, const struct fetch_answer *answer)
{
    (void)answer;
    lua_pushboolean(L, 1);
    return 1;
}

static int asked_finish(lua_State *L, int status, lua_KContext context)
{
    static int (*const RESULTS[])(lua_State * L, const struct fetch_answer *answer) = {
        [FETCH_LIST] = push_list,   [FETCH_READ] = push_body,   [FETCH_STAT] = push_file,
        [FETCH_RENAME] = push_true, [FETCH_REMOVE] = push_true,
    };
    struct asked *asked = (struct asked *)context;
    const struct fetch_answer *answer = fetch_answer(asked->fetch);
    (void)status;
    int results;
    if (answer->fault) {
        results = bind_ftp_fail(L, answer);
    } else {
        plugin_heard(plugin_of(L));
        results = RESULTS[lua_tointeger(L, lua_upvalueindex(1))](L, answer);
    }
    fetch_close(asked->fetch);
    asked->fetch = NULL;
    return bind_breathe(L, results);
}

/* The kind is the upvalue. */
static int ask(lua_State *L)
{
    enum fetch_kind kind = (enum fetch_kind)lua_tointeger(L, lua_upvalueindex(1));
    task_check(L);
    lua_settop(L, 1);
    bind_ftp_shared(L);
    struct asked *asked = lua_newuserdatauv(L, sizeof(*asked), 0);
    *asked = (struct asked){.task = task_of(L)};
    luaL_setmetatable(L, ASKED); /* from here on __gc cleans up */
    int results = bind_ftp_start(L, &asked->fetch, kind, false, asked_news, asked);
    return results > 0 ? results : task_park(L, asked_finish, asked);
}

static void new_class(lua_State *L, const char *name, lua_CFunction close)
{
    luaL_newmetatable(L, name);
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

static void bind_ftp(lua_State *L)
{
    static const char *const NAMES[] = {
        [FETCH_LIST] = "list",     [FETCH_READ] = "read",     [FETCH_STAT] = "stat",
        [FETCH_RENAME] = "rename", [FETCH_REMOVE] = "remove",
    };
    new_class(L, ASKED, asked_close);
    new_class(L, SHARED, shared_close);
    lua_createtable(L, 0, (int)countof(NAMES) + 1);
    for (size_t i = 0; i < countof(NAMES); i++) {
        lua_pushinteger(L, (lua_Integer)i);
        lua_pushcclosure(L, ask, 1);
        lua_setfield(L, -2, NAMES[i]);
    }
    bind_ftpstream(L);
    lua_setfield(L, -2, "ftp");
}

const struct annex annex_ftp = {.prepare = fetch_prepare, .bind = bind_ftp};
