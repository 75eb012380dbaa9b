/* plugin - see plugin.h.
 *
 * Rule of this file: everything that may raise runs in load(), under one lua_pcall(), or inside
 * the task that runs start(). */
#include "host/instance/plugin.h"

#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/now.h"
#include "host/bind/bind.h"
#include "host/bind/value.h"
#include "host/boundary/boundary.h"
#include "host/instance/asked.h"
#include "host/instance/subscription.h"
#include "host/instance/ticker.h"
#include "host/lines/listener.h"
#include "host/tap/tap.h"
#include "wire/talk.h"

enum {
    HEALTH_FIRST_MS = 5000,
    HEALTH_MS = 60000,
    HEALTH_BYTES = 4000,
    FREEZE_MS = 10000,
    STOP_LOOK_MS = 10,
    STOP_LOOKS = 150,
    WHY_MAX = 400,
    API = 1
};

int64_t plugin_now_ms(void)
{
    return now_mono_us() / 1000;
}

struct plugin *plugin_of(lua_State *L)
{
    struct task *task = task_of(L);
    if (task == NULL)
        luaL_error(L, "host is not usable here");
    return task->plugin;
}

void plugin_end(struct plugin *plugin, int code)
{
    if (!plugin->stopping || code != PLUGIN_ENDED)
        plugin->exit_code = code;
    plugin->stopping = true;
    loop_stop(plugin->loop);
}

/* A plugin that holds on to all its memory never gets well by itself. */
static void check_memory(struct plugin *plugin)
{
    struct budget *budget = &plugin->budget;
    if (!budget->was_short)
        return;
    budget->was_short = false;
    budget_collect_now(budget, plugin->L);
    if (budget->used_bytes <= budget->most_bytes / 8 * 7)
        return;
    log_error(
        "%s: holds %zu KiB of %zu and cannot go on; it starts again from what is durable",
        plugin->name, budget->used_bytes / 1024, budget->most_bytes / 1024);
    plugin_end(plugin, PLUGIN_BROKEN);
}

/* What its devices said before is to be kept, at most so often. */
static void freeze(struct plugin *plugin)
{
    struct buffer frame = {0};
    int64_t now_ms = plugin_now_ms();
    bool is_due = plugin->frozen_ms == 0 || now_ms >= plugin->frozen_ms + FREEZE_MS;
    if (!tap_is_on() || !is_due)
        return;
    plugin->frozen_ms = now_ms;
    frame_begin(&frame, TALK_FREEZE, 0);
    keeperline_tell(plugin->line, &frame);
    buffer_free(&frame);
}

void plugin_complain(struct plugin *plugin, struct complaint *complaint,
                     const char *handler, const char *why)
{
    int unsaid;
    metrics_count(&plugin->metrics, "errors", 1);
    check_memory(plugin);
    plugin->raised++;
    freeze(plugin);
    if (!complaint_is_due(complaint, why, plugin_now_ms(), &unsaid))
        return;
    if (unsaid > 0)
        log_error("%s: %s: %s (and %d times before)", plugin->name, handler, why, unsaid);
    else
        log_error("%s: %s: %s", plugin->name, handler, why);
}

void plugin_heard(struct plugin *plugin)
{
    plugin->reads++;
    plugin->unheard = 0;
}

void plugin_unheard(struct plugin *plugin)
{
    plugin->unheard++;
}

void plugin_refuse(struct plugin *plugin, const char *handler, const char *text)
{
    log_error(
        "%s: %s: what it did could not be committed (%s); the plugin starts again from "
        "what is durable",
        plugin->name, handler, text);
    plugin_end(plugin, PLUGIN_AGAIN);
}

/* ---- Loading: all of it under one lua_pcall() */

struct order {
    struct plugin *plugin;
    const char *config;
    size_t length;
};

/* The text member of the table on top of the stack. */
static const char *member(lua_State *L, const char *name)
{
    if (lua_getfield(L, -1, name) != LUA_TSTRING)
        luaL_error(L, "START: %s: expected a text", name);
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1);
    return text; /* the table keeps it */
}

static void read_order(lua_State *L, struct plugin *plugin)
{
    snprintf(plugin->name, sizeof(plugin->name), "%s %s", member(L, "plugin"),
             member(L, "instance"));
    plugin->folder = mem_text(member(L, "folder"));
    plugin->library = mem_text(member(L, "lua"));
    plugin->sandbox =
        (struct sandbox){.library = plugin->library, .plugin = plugin->folder};
    if (lua_getfield(L, -1, "record") == LUA_TBOOLEAN && lua_toboolean(L, -1))
        tap_record(-1);
    lua_pop(L, 1);
    lua_getfield(L, -1, "config");
    plugin->config_ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Leaves the manifest on the stack. */
static void load_manifest(lua_State *L, struct plugin *plugin)
{
    char path[PATH_MAX];
    if (file_join(path, sizeof(path), plugin->folder, "plugin.lua") != 0)
        luaL_error(L, "%s: the path is too long", plugin->folder);
    const char *name = strrchr(plugin->folder, '/');
    lua_pushfstring(L, "@%s/plugin.lua", name != NULL ? name + 1 : plugin->folder);
    if (sandbox_load(L, path, lua_tostring(L, -1)) != LUA_OK)
        lua_error(L);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1))
        luaL_error(L, "plugin.lua: expected to return a table, got a %s",
                   luaL_typename(L, -1));
    if (lua_getfield(L, -1, "api") != LUA_TNUMBER || lua_tointeger(L, -1) != API)
        luaL_error(L, "plugin.lua: api: expected %d, got %s", API,
                   luaL_tolstring(L, -1, NULL));
    lua_pop(L, 1);
}

/* From the manifest on top of the stack: event type -> schema, or false. */
static void read_events(lua_State *L, struct plugin *plugin)
{
    lua_newtable(L);
    if (lua_getfield(L, -2, "events") == LUA_TTABLE) {
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            if (!lua_istable(L, -1))
                luaL_error(L, "plugin.lua: events: expected a table for each");
            if (lua_getfield(L, -1, "data") == LUA_TNIL) {
                lua_pop(L, 1);
                lua_pushboolean(L, 0);
            }
            lua_remove(L, -2);
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, -5);
        }
    }
    lua_pop(L, 1);
    plugin->events_ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

static int load(lua_State *L)
{
    const struct order *order = lua_touserdata(L, 1);
    struct plugin *plugin = order->plugin;
    const char *why = value_decode(L, order->config, order->length);
    if (why != NULL || !lua_istable(L, -1))
        return luaL_error(L, "START: expected a JSON object");
    read_order(L, plugin);
    sandbox_open(L, &plugin->sandbox);
    load_manifest(L, plugin);
    read_events(L, plugin);
    asked_read(L, plugin);
    if (lua_getfield(L, -1, "start") != LUA_TFUNCTION)
        return luaL_error(L, "plugin.lua: start: expected a function");
    plugin->start_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_getfield(L, -1, "needs");
    bind_host(L, -1);
    plugin->host_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    int thread_ref = task_reserve(L);
    task_open(&plugin->starting, plugin, plugin->L, thread_ref);
    return 0;
}

static void tell_why(struct plugin *plugin, const char *why)
{
    struct buffer text = {0}, frame = {0};
    size_t length = strlen(why);
    buffer_append_text(&text, "{\"cannot_start\":");
    json_put_bytes(&text, why, length < WHY_MAX ? length : WHY_MAX);
    buffer_append_text(&text, "}");
    frame_begin(&frame, TALK_HEALTH, 0);
    frame_put(&frame, TAG_TEXT, text.bytes, text.length);
    keeperline_tell(plugin->line, &frame);
    buffer_free(&text);
    buffer_free(&frame);
}

static void cannot_start(struct plugin *plugin, const char *why)
{
    log_error("%s: cannot start: %s", plugin->name, why);
    tell_why(plugin, why);
    plugin_end(plugin, PLUGIN_BROKEN);
}

/* ---- start(), as a handler */

static int started(lua_State *L, int status, lua_KContext context)
{
    struct plugin *plugin = (struct plugin *)context;
    (void)status;
    plugin->self_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static int call_start(lua_State *L)
{
    struct plugin *plugin = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, plugin->start_ref);
    lua_rawgeti(L, LUA_REGISTRYINDEX, plugin->host_ref);
    lua_rawgeti(L, LUA_REGISTRYINDEX, plugin->config_ref);
    lua_callk(L, 2, 1, (lua_KContext)plugin, started);
    return started(L, LUA_OK, (lua_KContext)plugin);
}

static void begin_all(struct plugin *plugin)
{
    if (plugin->stopping)
        return;
    plugin->started = true;
    log_info("%s: started", plugin->name);
    ticker_start_all(plugin);
    subscription_start_all(plugin);
    listener_start_all(plugin);
}

static void start_committed(struct commit *commit, int err, const char *text, int64_t seq)
{
    struct plugin *plugin = container_of(commit, struct plugin, start_commit);
    (void)seq;
    if (err)
        plugin_refuse(plugin, "start", text);
    else
        begin_all(plugin);
}

static void start_over(struct task *task, const char *why)
{
    struct plugin *plugin = task->plugin;
    if (why != NULL && plugin->was_refused)
        plugin_refuse(plugin, "start", why);
    else if (why != NULL)
        cannot_start(plugin, why);
    else if (effects_is_empty(&task->effects))
        begin_all(plugin);
    else if (commit_send(&plugin->commits, &plugin->start_commit, &task->effects) != 0)
        plugin_refuse(plugin, "start", "the keeper does not take it");
}

/* ---- What the keeper says */

static void keeper_starts(void *owner, const char *config, size_t length)
{
    struct plugin *plugin = owner;
    struct order order = {.plugin = plugin, .config = config, .length = length};
    lua_State *L = plugin->L;
    const char *open_door =
        plugin->boundary ? boundary_raise(plugin->boundary, config, length) : NULL;
    if (open_door != NULL) {
        cannot_start(plugin, open_door);
        return;
    }
    budget_begin(L);
    lua_pushcfunction(L, load);
    lua_pushlightuserdata(L, &order);
    int status = lua_pcall(L, 1, 0, 0);
    budget_end();
    if (status != LUA_OK) {
        const char *why =
            lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "it raised";
        cannot_start(plugin, why);
        return;
    }
    if (plugin->is_trial) {
        plugin_end(plugin, PLUGIN_ENDED);
        return;
    }
    plugin->starting.over = start_over;
    task_run(&plugin->starting, call_start, plugin);
}

/* Ends when no commit is under way, or when waiting for one takes too long. */
static void look_whether_done(struct loop_timer *timer)
{
    struct plugin *plugin = container_of(timer, struct plugin, stop);
    if (!commits_are_under_way(&plugin->commits) || ++plugin->stop_looks > STOP_LOOKS)
        plugin_end(plugin, PLUGIN_ENDED);
    else
        loop_timer_start(plugin->loop, timer, STOP_LOOK_MS);
}

static void keeper_stops(void *owner)
{
    struct plugin *plugin = owner;
    plugin->stopping = true;
    look_whether_done(&plugin->stop);
}

static void keeper_pings(void *owner, struct buffer *pong)
{
    const struct plugin *plugin = owner;
    frame_put_number(pong, TAG_READS, plugin->reads);
    frame_put_number(pong, TAG_UNHEARD, plugin->unheard);
    frame_put_number(pong, TAG_ERRORS, plugin->raised);
    if (plugin->started)
        frame_put(pong, TAG_STARTED, "", 0);
}

static void keeper_records(void *owner, int64_t ms)
{
    (void)owner;
    tap_record(ms);
}

static void keeper_asks(void *owner, const struct frame *frame)
{
    asked_hear(owner, frame);
}

static void keeper_lost(void *owner, int why)
{
    struct plugin *plugin = owner;
    if (why != 0)
        log_error("%s: the line to the keeper broke: %s", plugin->name, strerror(-why));
    plugin_end(plugin, PLUGIN_AGAIN);
}

static const struct keeperline_calls KEEPER_CALLS = {.start = keeper_starts,
                                                     .stop = keeper_stops,
                                                     .ping = keeper_pings,
                                                     .record = keeper_records,
                                                     .asked = keeper_asks,
                                                     .lost = keeper_lost};

/* ---- Health */

static void tell_health(struct loop_timer *timer)
{
    struct plugin *plugin = container_of(timer, struct plugin, health);
    struct buffer text = {0}, frame = {0};
    buffer_printf(&text, "{\"started\":%s,\"lua_bytes\":%zu,\"metrics\":",
                  plugin->started ? "true" : "false", plugin->budget.used_bytes);
    metrics_print(&plugin->metrics, &text, HEALTH_BYTES - text.length);
    buffer_append(&text, "}", 1);
    frame_begin(&frame, TALK_HEALTH, 0);
    frame_put(&frame, TAG_TEXT, text.bytes, text.length);
    keeperline_tell(plugin->line, &frame); /* the next one comes in a minute */
    buffer_free(&text);
    buffer_free(&frame);
    loop_timer_start(plugin->loop, timer, HEALTH_MS);
}

/* ---- Life */

int plugin_open(struct plugin *plugin, struct loop *loop, int fd)
{
    *plugin = (struct plugin){
        .loop = loop,
        .budget = {.most_bytes = BUDGET_BYTES, .slice_ms = BUDGET_SLICE_MS},
        .name = "plugin",
        .start_commit.done = start_committed,
        .health.fire = tell_health,
        .stop.fire = look_whether_done,
    };
    int err = keeperline_open(&plugin->line, loop, fd, &KEEPER_CALLS, plugin);
    if (err)
        return err;
    commits_open(&plugin->commits, loop, plugin->line);
    plugin->L = budget_new_state(&plugin->budget);
    if (plugin->L == NULL)
        return -ENOMEM;
    budget_start(&plugin->budget);
    loop_timer_start(loop, &plugin->health, HEALTH_FIRST_MS);
    return 0;
}

void plugin_close(struct plugin *plugin)
{
    budget_stop(&plugin->budget);
    loop_timer_stop(&plugin->health);
    loop_timer_stop(&plugin->stop);
    commits_close(&plugin->commits);
    commit_forget(&plugin->start_commit);
    if (plugin->L != NULL) {
        ticker_close_all(plugin);
        subscription_close_all(plugin);
        listener_close_all(plugin);
        asked_close_all(plugin);
        task_close(&plugin->starting, plugin->L);
        lua_close(plugin->L); /* what handlers wait for is cancelled here */
    }
    keeperline_close(plugin->line);
    metrics_free(&plugin->metrics);
    mem_free(plugin->folder);
    mem_free(plugin->library);
}
