/* asked - see asked.h.
 *
 * Rule of this file: what an asker gave or is told (params, result, the text of an error) goes back to
 * the asker only. A log names the question and the place in the code. */
#include "host/instance/asked.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "host/bind/value.h"
#include "host/instance/plugin.h"
#include "wire/talk.h"

enum { NAME_ROOM = 64, LABEL_ROOM = NAME_ROOM + 16, STACK_ENTRY = 2 };

struct asked {
    struct task task;
    struct commit commit;
    struct asked *next;
    uint32_t id;
    int err;      /* what to answer when it raises */
    bool is_told; /* `told` is what was wrong, in the plugin's own words */
    struct buffer params;
    struct buffer who;
    struct buffer result;
    char told[TALK_WHY_MAX + 1];
    char name[NAME_ROOM];
    char label[LABEL_ROOM]; /* "action set_limit", for logs */
};

/* ---- The manifest */

static void check_entry(lua_State *L, const char *kinds, const char *name)
{
    static const char *const SCHEMAS[] = {"params", "answer"};
    if (!lua_istable(L, -1))
        luaL_error(L, "plugin.lua: %s: %s: expected a table", kinds, name);
    if (lua_getfield(L, -1, "run") != LUA_TFUNCTION)
        luaL_error(L, "plugin.lua: %s: %s: run: expected a function", kinds, name);
    lua_pop(L, 1);
    for (size_t i = 0; i < countof(SCHEMAS); i++) {
        int type = lua_getfield(L, -1, SCHEMAS[i]);
        bool is_schema =
            type == LUA_TTABLE && lua_getfield(L, -1, "check") == LUA_TFUNCTION;
        if (type != LUA_TNIL && !is_schema)
            luaL_error(L, "plugin.lua: %s: %s: %s: expected a schema", kinds, name,
                       SCHEMAS[i]);
        lua_pop(L, is_schema ? 2 : 1);
    }
}

/* Name -> declaration, as a place in the registry; LUA_REFNIL when nothing is declared. */
static int read_kind(lua_State *L, const char *kinds)
{
    int type = lua_getfield(L, -1, kinds);
    if (type != LUA_TNIL && type != LUA_TTABLE)
        luaL_error(L, "plugin.lua: %s: expected a table", kinds);
    if (type == LUA_TTABLE) {
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
            check_entry(L, kinds, name);
            lua_pop(L, 1);
        }
    }
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

void asked_read(lua_State *L, struct plugin *plugin)
{
    plugin->actions_ref = read_kind(L, "actions");
    plugin->views_ref = read_kind(L, "views");
}

/* ---- Answers */

static void answer(struct plugin *plugin, uint32_t id, int err, const char *text,
                   const struct buffer *result)
{
    struct buffer out = {0};
    char why[TALK_WHY_MAX + 1] = "";
    strncat(why, text, TALK_WHY_MAX);
    frame_begin(&out, TALK_ANSWER, id);
    frame_put_number(&out, TAG_ERROR, err);
    if (err)
        frame_put_text(&out, TAG_TEXT, why);
    else
        frame_put(&out, TAG_DATA, result->bytes, result->length);
    keeperline_tell(plugin->line, &out); /* one that is lost is missed by its deadline */
    buffer_free(&out);
}

static void asked_close(struct asked *asked)
{
    struct plugin *plugin = asked->task.plugin;
    struct asked **link = &plugin->asked;
    while (*link != asked)
        link = &(*link)->next;
    *link = asked->next;
    plugin->asked_count--;
    commit_forget(&asked->commit);
    task_close(&asked->task, plugin->L);
    buffer_free(&asked->params);
    buffer_free(&asked->who);
    buffer_free(&asked->result);
    mem_free(asked);
}

static void finish(struct asked *asked, int err, const char *text)
{
    answer(asked->task.plugin, asked->id, err, text, &asked->result);
    asked_close(asked);
}

/* ---- The handler */

/* Raises what goes to the asker, with this code. */
static int fail(lua_State *L, struct asked *asked, int err)
{
    asked->err = err;
    asked->is_told = true;
    snprintf(asked->told, sizeof(asked->told), "%s",
             lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "it was refused");
    return luaL_error(L, "refused"); /* whoever hears of it looks at `told` */
}

/* Leaves the declaration at STACK_ENTRY. */
static void find(lua_State *L, struct asked *asked)
{
    const struct plugin *plugin = asked->task.plugin;
    int ref = asked->task.is_view ? plugin->views_ref : plugin->actions_ref;
    if (lua_rawgeti(L, LUA_REGISTRYINDEX, ref) != LUA_TTABLE ||
        lua_getfield(L, -1, asked->name) != LUA_TTABLE) {
        lua_pushfstring(L, "there is no %s", asked->label);
        fail(L, asked, ENOENT);
    }
    lua_remove(L, -2);
}

/* The value at the top becomes what its schema makes of it. */
static void check(lua_State *L, struct asked *asked, const char *schema, int err)
{
    int value = lua_gettop(L);
    if (lua_getfield(L, STACK_ENTRY, schema) == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    lua_getfield(L, -1, "check");
    lua_pushvalue(L, -2);
    lua_pushvalue(L, value);
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2)) {
        lua_pushfstring(L, "%s: %s", schema,
                        lua_isstring(L, -1) ? lua_tostring(L, -1) : "it does not fit");
        fail(L, asked, err);
    }
    lua_pop(L, 1);
    lua_replace(L, value);
    lua_settop(L, value);
}

/* Pushes the params, checked and complete. */
static void push_params(lua_State *L, struct asked *asked)
{
    const char *why = value_decode(L, asked->params.bytes, asked->params.length);
    if (why != NULL || !lua_istable(L, -1)) {
        lua_pushliteral(L, "params: expected a JSON object");
        fail(L, asked, EINVAL);
    }
    if (lua_getfield(L, STACK_ENTRY, "params") != LUA_TNIL) {
        lua_pop(L, 1);
        check(L, asked, "params", EINVAL);
        return;
    }
    if (lua_next(L, -2)) {
        lua_pop(L, 1);
        lua_pushfstring(L, "params: expected none, got \"%s\"",
                        luaL_tolstring(L, -1, NULL));
        fail(L, asked, EINVAL);
    }
}

/* The results are on top: a value; or nil and, in words, why not. */
static int returned(lua_State *L, int status, lua_KContext context)
{
    struct asked *asked = (struct asked *)context;
    (void)status;
    if (lua_isnil(L, -2) && lua_isstring(L, -1))
        return fail(L, asked, ECANCELED);
    lua_pop(L, 1);
    check(L, asked, "answer", EPROTO);
    if (asked->task.is_view && !effects_is_empty(&asked->task.effects)) {
        lua_pushliteral(L, "it emitted or stored something: a view changes nothing");
        return fail(L, asked, EPROTO);
    }
    if (lua_isnil(L, -1)) {
        buffer_append_text(&asked->result, "null");
        return 0;
    }
    const char *why = value_encode(L, lua_gettop(L), &asked->result, TALK_ANSWER_MAX);
    if (why == NULL && asked->result.length > TALK_ANSWER_MAX)
        why = "too long";
    if (why == NULL)
        return 0;
    lua_pushfstring(L, "the answer cannot be given: %s (at most %d KiB of JSON)", why,
                    TALK_ANSWER_MAX / 1024);
    return fail(L, asked, EMSGSIZE);
}

static int call_run(lua_State *L)
{
    struct asked *asked = lua_touserdata(L, 1);
    const struct plugin *plugin = asked->task.plugin;
    find(L, asked);
    lua_getfield(L, STACK_ENTRY, "run");
    lua_rawgeti(L, LUA_REGISTRYINDEX, plugin->self_ref);
    if (!asked->task.is_view &&
        value_decode(L, asked->who.bytes, asked->who.length) != NULL)
        return luaL_error(L, "who: expected a JSON object");
    push_params(L, asked);
    lua_callk(L, asked->task.is_view ? 2 : 3, 2, (lua_KContext)asked, returned);
    return returned(L, LUA_OK, (lua_KContext)asked);
}

/* ---- How it ended */

/* Where task.c has put the places in the code. */
static const char *find_trace(const char *why)
{
    const char *found = NULL;
    for (const char *at = why; (at = strstr(at, " (from ")) != NULL; at++)
        found = at;
    return found;
}

/* For the asker, what it raised, without the places in the code; for the log, those only. */
static void raised(struct asked *asked, const char *why)
{
    struct plugin *plugin = asked->task.plugin;
    const char *trace = find_trace(why);
    size_t length = trace != NULL ? (size_t)(trace - why) : strlen(why);
    if (!asked->is_told)
        snprintf(asked->told, sizeof(asked->told), "%.*s", (int)length, why);
    plugin_complain(plugin, &plugin->asked_complaint, asked->label,
                    asked->is_told  ? "its answer is not as declared"
                    : trace != NULL ? trace + 1
                                    : "it raised an error");
}

static void committed(struct commit *commit, int err, const char *text, int64_t seq)
{
    struct asked *asked = container_of(commit, struct asked, commit);
    struct plugin *plugin = asked->task.plugin;
    char label[LABEL_ROOM], why[COMMIT_TEXT_ROOM];
    (void)seq;
    strcpy(label, asked->label);
    snprintf(why, sizeof(why), "%s", text);
    finish(asked, err, text);
    if (err)
        plugin_refuse(plugin, label, why);
}

static void handler_over(struct task *task, const char *why)
{
    struct asked *asked = container_of(task, struct asked, task);
    struct plugin *plugin = task->plugin;
    if (why != NULL) {
        effects_clear(&task->effects);
        if (!asked->is_told || asked->err == EPROTO || asked->err == EMSGSIZE)
            raised(asked, why);
        finish(asked, asked->err, asked->told);
    } else if (effects_is_empty(&task->effects)) {
        finish(asked, 0, "");
    } else if (commit_send(&plugin->commits, &asked->commit, &task->effects) != 0) {
        finish(asked, ENOBUFS, "the keeper does not take what it did");
        plugin_refuse(plugin, "an action", "the keeper does not take it");
    }
}

/* ---- What comes */

static void keep(struct buffer *bytes, const struct frame *frame, enum talk_tag tag)
{
    struct field field;
    if (fields_find(&frame->fields, (uint8_t)tag, &field) == 0)
        buffer_append(bytes, field.bytes, field.length);
}

static bool read_text(const struct frame *frame, enum talk_tag tag, char *text,
                      size_t room)
{
    struct field field;
    return fields_find(&frame->fields, (uint8_t)tag, &field) == 0 &&
           field_text(&field, text, room) == 0;
}

static void begin(struct plugin *plugin, const struct frame *frame, int thread_ref,
                  const char *kind, const char *name)
{
    struct asked *asked = mem_new(struct asked);
    task_open(&asked->task, plugin, plugin->L, thread_ref);
    asked->task.over = handler_over;
    asked->task.is_view = strcmp(kind, "view") == 0;
    asked->commit.done = committed;
    asked->id = frame->id;
    asked->err = ECANCELED;
    keep(&asked->params, frame, TAG_DATA);
    keep(&asked->who, frame, TAG_TEXT);
    snprintf(asked->name, sizeof(asked->name), "%s", name);
    snprintf(asked->label, sizeof(asked->label), "%s %s", kind, name);
    asked->next = plugin->asked;
    plugin->asked = asked;
    plugin->asked_count++;
    task_run(&asked->task, call_run, asked);
}

void asked_hear(struct plugin *plugin, const struct frame *frame)
{
    char kind[8], name[NAME_ROOM];
    if (!plugin->started || plugin->stopping) {
        answer(plugin, frame->id, EAGAIN, "the plugin has not started; ask again", NULL);
        return;
    }
    if (!read_text(frame, TAG_TYPE, kind, sizeof(kind)) ||
        !read_text(frame, TAG_KEY, name, sizeof(name))) {
        answer(plugin, frame->id, EPROTO, "the keeper's question makes no sense", NULL);
        return;
    }
    if (plugin->asked_count == ASKED_MAX) {
        answer(plugin, frame->id, EBUSY,
               "the plugin is busy with as many questions as it takes; ask again", NULL);
        return;
    }
    int thread_ref = task_try_reserve(plugin->L);
    if (thread_ref == LUA_NOREF)
        answer(plugin, frame->id, ENOMEM, "the plugin has no memory left for it", NULL);
    else
        begin(plugin, frame, thread_ref, kind, name);
}

void asked_close_all(struct plugin *plugin)
{
    while (plugin->asked != NULL)
        asked_close(plugin->asked);
}
