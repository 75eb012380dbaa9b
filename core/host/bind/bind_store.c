/* bind_store - host.store: the plugin's own durable values, by key.
 *
 * A read sees what its handler has gathered, then what is under way to the disk, then what the
 * keeper has. Values are JSON. */
#include <string.h>

#include "base/base.h"
#include "host/bind/bind.h"
#include "host/bind/value.h"
#include "host/instance/page.h"
#include "host/instance/plugin.h"
#include "wire/talk.h"

enum { RANGE_LIMIT = 100, RANGE_LIMIT_MOST = 1000 };

static const char LOOKUP[] = "outpost.lookup";

/* A question to the store that a handler waits for, with a copy of its answer. */
struct lookup {
    struct question question;
    struct buffer answer;
    struct task *task;
    int limit;
    bool bad;
};

static const char *check_key(lua_State *L, int argument)
{
    size_t length;
    const char *key = luaL_checklstring(L, argument, &length);
    luaL_argcheck(L, length >= 1 && length <= TALK_KEY_MAX && strlen(key) == length,
                  argument, "expected a key of 1 to 128 bytes");
    return key;
}

static struct task *check_task(lua_State *L)
{
    plugin_of(L); /* raises outside of a task */
    return task_of(L);
}

static void answered(struct question *question, const struct frame *frame)
{
    struct lookup *lookup = container_of(question, struct lookup, question);
    lookup->bad = frame->type != TALK_VALUES;
    buffer_append(&lookup->answer, frame->fields.next,
                  (size_t)(frame->fields.end - frame->fields.next));
    task_wake(lookup->task);
}

static int lookup_close(lua_State *L)
{
    struct lookup *lookup = luaL_checkudata(L, 1, LOOKUP);
    keeperline_forget(&lookup->question);
    buffer_free(&lookup->answer);
    return 0;
}

static struct lookup *new_lookup(lua_State *L)
{
    task_check(L);
    struct lookup *lookup = lua_newuserdatauv(L, sizeof(*lookup), 0);
    *lookup = (struct lookup){.question.answered = answered, .task = task_of(L)};
    luaL_setmetatable(L, LOOKUP);
    return lookup;
}

static void ask(lua_State *L, struct lookup *lookup, struct buffer *frame)
{
    int err = keeperline_ask(lookup->task->plugin->line, &lookup->question, frame);
    buffer_free(frame);
    if (err)
        luaL_error(L, "store: the keeper takes no question: %s", strerror(-err));
}

static void push_value(lua_State *L, const struct field *value)
{
    const char *why = value_decode(L, (const char *)value->bytes, value->length);
    if (why != NULL)
        luaL_error(L, "store: a value is damaged: %s", why);
}

/* ---- get */

static int get_finish(lua_State *L, int status, lua_KContext context)
{
    struct lookup *lookup = (struct lookup *)context;
    struct fields fields = fields_of(lookup->answer.bytes, 0, lookup->answer.length);
    struct field put, value;
    (void)status;
    if (lookup->bad)
        return luaL_error(L, "store: the keeper cannot read");
    lua_pushnil(L);
    if (lookup->answer.length == 0 || fields_find(&fields, TAG_PUT, &put) != 0)
        return 1;
    struct fields inside = field_inside(&put);
    if (fields_find(&inside, TAG_VALUE, &value) == 0)
        push_value(L, &value);
    buffer_free(&lookup->answer);
    return 1;
}

static int store_get(lua_State *L)
{
    struct task *task = check_task(L);
    const char *key = check_key(L, 1);
    struct field value;
    if (effects_find(&task->effects.frame, task->effects.whole, key, &value) ||
        commits_find(&task->plugin->commits, key, &value)) {
        lua_pushnil(L);
        if (value.bytes != NULL)
            push_value(L, &value);
        return 1;
    }
    struct lookup *lookup = new_lookup(L);
    struct buffer frame = {0};
    frame_begin(&frame, TALK_GET, 0);
    frame_put_text(&frame, TAG_KEY, key);
    ask(L, lookup, &frame);
    return task_park(L, get_finish, lookup);
}

/* ---- put, remove */

static int refuse_size(lua_State *L)
{
    return luaL_error(
        L, "store: more than one transaction holds: call host.commit() before");
}

static int store_put(lua_State *L)
{
    struct effects *effects = &check_task(L)->effects;
    const char *key = check_key(L, 1);
    luaL_argcheck(L, !lua_isnoneornil(L, 2), 2,
                  "expected a value; store.remove takes one away");
    struct buffer *out = effects_put_begin(effects, key);
    const char *why = value_encode(L, 2, out, TALK_VALUE_MAX);
    if (why != NULL)
        return luaL_error(L, "store: the value of \"%s\" cannot be JSON: %s", key, why);
    return effects_put_end(effects) == 0 ? 0 : refuse_size(L);
}

static int store_remove(lua_State *L)
{
    struct effects *effects = &check_task(L)->effects;
    return effects_remove(effects, check_key(L, 1)) == 0 ? 0 : refuse_size(L);
}

/* ---- range */

/* Pushes { { key, value }, ... } and whether there is more. */
static int push_page(lua_State *L, const struct page *page, int limit)
{
    int count = page_count(page) < limit ? page_count(page) : limit;
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        const struct page_row *row = page_row(page, i);
        lua_createtable(L, 2, 0);
        lua_pushlstring(L, (const char *)row->key.bytes, row->key.length);
        lua_rawseti(L, -2, 1);
        push_value(L, &row->value);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushboolean(L, page_has_more(page) || page_count(page) > limit);
    return 2;
}

static int range_finish(lua_State *L, int status, lua_KContext context)
{
    struct lookup *lookup = (struct lookup *)context;
    struct task *task = lookup->task;
    (void)status;
    if (lookup->bad)
        return luaL_error(L, "store: the keeper cannot read");
    struct page *page = page_new(L);
    struct fields fields = fields_of(lookup->answer.bytes, 0, lookup->answer.length);
    page_fill(page, &fields, lua_tostring(L, 1), lua_tostring(L, 2));
    commits_each(&task->plugin->commits, page_change, page);
    effects_each(&task->effects.frame, task->effects.whole, page_change, page);
    return push_page(L, page, lookup->limit);
}

static int store_range(lua_State *L)
{
    check_task(L);
    lua_settop(L, 3);
    const char *from = lua_isnil(L, 1) ? NULL : check_key(L, 1);
    const char *until = lua_isnil(L, 2) ? NULL : check_key(L, 2);
    lua_Integer limit = luaL_optinteger(L, 3, RANGE_LIMIT);
    luaL_argcheck(L, limit >= 1 && limit <= RANGE_LIMIT_MOST, 3, "expected 1 to 1000");
    struct lookup *lookup = new_lookup(L);
    lookup->limit = (int)limit;
    struct buffer frame = {0};
    frame_begin(&frame, TALK_RANGE, 0);
    frame_put_text(&frame, TAG_KEY, from != NULL ? from : "");
    if (until != NULL)
        frame_put_text(&frame, TAG_UNTIL, until);
    frame_put_number(&frame, TAG_LIMIT, limit);
    ask(L, lookup, &frame);
    return task_park(L, range_finish, lookup);
}

static const luaL_Reg FUNCTIONS[] = {{"get", store_get},
                                     {"put", store_put},
                                     {"remove", store_remove},
                                     {"range", store_range},
                                     {NULL, NULL}};

void bind_store(lua_State *L)
{
    luaL_newmetatable(L, LOOKUP);
    lua_pushcfunction(L, lookup_close);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    page_open(L);
    luaL_newlib(L, FUNCTIONS);
    lua_setfield(L, -2, "store");
}
