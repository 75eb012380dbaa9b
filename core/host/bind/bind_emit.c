/* bind_emit - host.emit and host.commit. */
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "base/word.h"
#include "host/bind/bind.h"
#include "host/bind/value.h"
#include "host/instance/plugin.h"
#include "wire/talk.h"

static const char ERRAND[] = "outpost.commit";

/* A commit that a handler waits for. */
struct errand {
    struct commit commit;
    struct task *task;
    int err;
    int64_t seq;
    char text[COMMIT_TEXT_ROOM];
};

/* ---- commit */

static void committed(struct commit *commit, int err, const char *text, int64_t seq)
{
    struct errand *errand = container_of(commit, struct errand, commit);
    errand->err = err;
    errand->task->plugin->was_refused |= err != 0;
    errand->seq = seq;
    strcpy(errand->text, text);
    task_wake(errand->task);
}

static int errand_close(lua_State *L)
{
    struct errand *errand = luaL_checkudata(L, 1, ERRAND);
    commit_forget(&errand->commit);
    return 0;
}

static int commit_finish(lua_State *L, int status, lua_KContext context)
{
    const struct errand *errand = (const struct errand *)context;
    (void)status;
    if (errand->err)
        return luaL_error(L, "commit: the keeper refused: %s (%d)", errand->text,
                          errand->err);
    if (errand->seq < 0)
        return 0;
    lua_pushinteger(L, errand->seq);
    return 1;
}

int bind_commit(lua_State *L)
{
    struct task *task = task_of(L);
    task_check(L);
    if (effects_is_empty(&task->effects))
        return 0;
    if (task->is_view)
        return luaL_error(L, "commit: a view changes nothing");
    struct errand *errand = lua_newuserdatauv(L, sizeof(*errand), 0);
    *errand = (struct errand){.commit.done = committed, .task = task};
    luaL_setmetatable(L, ERRAND);
    if (task->waits != NULL)
        task->waits(task); /* what came before goes before */
    if (commit_send(&task->plugin->commits, &errand->commit, &task->effects) != 0)
        return luaL_error(L, "commit: the keeper does not take it");
    return task_park(L, commit_finish, errand);
}

/* ---- emit */

static const char *const FIELDS[] = {"type", "data", "subject", "time", "now"};

/* A mistyped field would be lost in silence. */
static void check_fields(lua_State *L)
{
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        lua_pop(L, 1);
        const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?";
        size_t i = 0;
        while (i < countof(FIELDS) && strcmp(FIELDS[i], name) != 0)
            i++;
        if (i == countof(FIELDS))
            luaL_error(L, "emit: expected type, data, subject, time or now, got \"%s\"",
                       name);
    }
}

/* Leaves the checked data on the stack. */
static void check_content(lua_State *L, const struct plugin *plugin, const char *type)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, plugin->events_ref);
    lua_getfield(L, -1, type);
    if (lua_isnil(L, -1))
        luaL_error(L, "emit: event \"%s\" is not declared in plugin.lua", type);
    if (lua_getfield(L, 1, "data") == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
    luaL_argcheck(L, lua_istable(L, -1), 1, "data: expected a table");
    if (!lua_toboolean(L, -2))
        return; /* declared without a schema */
    lua_getfield(L, -2, "check");
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -3);
    lua_call(L, 2, 2);
    if (!lua_istable(L, -2))
        luaL_error(L, "emit \"%s\": %s", type,
                   lua_isstring(L, -1) ? lua_tostring(L, -1) : "data does not fit");
    lua_pop(L, 1);
}

/* A text that is one in C too: nothing stands behind a NUL. */
static bool is_word(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TSTRING &&
           strlen(lua_tostring(L, index)) == lua_rawlen(L, index);
}

static void read_subject(lua_State *L, struct effects_event *event)
{
    if (lua_getfield(L, 1, "subject") == LUA_TNIL)
        return;
    event->subject = lua_tostring(L, -1);
    if (!is_word(L, -1) || !word_is_subject(event->subject))
        luaL_error(L,
                   "emit \"%s\": subject: expected \"office\", \"person/ID\" or "
                   "\"device/KIND/SERIAL\", got %s",
                   event->type, luaL_tolstring(L, -1, NULL));
}

static void read_time(lua_State *L, struct effects_event *event)
{
    if (lua_getfield(L, 1, "time") == LUA_TNIL)
        return;
    double seconds = lua_tonumber(L, -1);
    if (!lua_isnumber(L, -1) || !(seconds >= 0 && seconds < 4e9))
        luaL_error(L, "emit \"%s\": time: expected seconds since 1970, got %s",
                   event->type, luaL_tolstring(L, -1, NULL));
    event->has_time = true;
    event->time_us = (int64_t)llround(seconds * 1e6);
}

/* The checked data is at `index`. */
static void gather(lua_State *L, struct effects *effects,
                   const struct effects_event *event, int index)
{
    struct buffer *out = effects_event_begin(effects, event);
    size_t from = out->length;
    const char *why = value_encode(L, index, out, TALK_DATA_MAX);
    if (why == NULL && out->bytes[from] != '{')
        why = "expected a table with names, got a list";
    if (why != NULL)
        luaL_error(L, "emit \"%s\": data cannot be JSON: %s", event->type, why);
    if (effects_event_end(effects) != 0)
        luaL_error(L,
                   "emit: more than one transaction holds (%d effects, %d KiB): "
                   "call host.commit() before",
                   EFFECTS_MAX, FRAME_MAX / 1024);
}

static int emit(lua_State *L)
{
    struct plugin *plugin = plugin_of(L);
    struct effects_event event = {0};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    check_fields(L);
    lua_getfield(L, 1, "type");
    event.type = lua_tostring(L, 2);
    if (!is_word(L, 2))
        return luaL_error(L, "emit: type: expected a text without NUL");
    read_subject(L, &event);
    read_time(L, &event);
    check_content(L, plugin, event.type);
    gather(L, &task_of(L)->effects, &event, lua_gettop(L));
    lua_getfield(L, 1, "now");
    return lua_toboolean(L, -1) ? bind_commit(L) : 0;
}

static const luaL_Reg FUNCTIONS[] = {
    {"emit", emit}, {"commit", bind_commit}, {NULL, NULL}};

void bind_emit(lua_State *L)
{
    luaL_newmetatable(L, ERRAND);
    lua_pushcfunction(L, errand_close);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    luaL_setfuncs(L, FUNCTIONS, 0);
}
