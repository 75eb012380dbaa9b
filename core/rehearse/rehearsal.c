/* rehearsal - see rehearsal.h. */
#include "rehearse/rehearsal.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "base/base.h"
#include "base/now.h"
#include "host/bind/value.h"
#include "host/needs.h"
#include "rehearse/office.h"
#include "rehearse/standins/now_clock.h"
#include "rehearse/standins/server.h"

enum { START_MAX = 1024 * 1024, METRICS_ROOM = 64 * 1024 };

static const char OFFICE[] = "outpost.office";

static struct office *check_office(lua_State *L)
{
    return *(struct office **)luaL_checkudata(L, 1, OFFICE);
}

/* Raises when the JSON is none: it is ours, or the plugin's own, checked before. */
static void push_json(lua_State *L, const char *text, size_t length)
{
    const char *why = value_decode(L, text, length);
    if (why != NULL)
        luaL_error(L, "no JSON: %s", why);
}

static int answer_why(lua_State *L, const char *why)
{
    lua_pushstring(L, why);
    return 1;
}

/* ---- Making one */

/* The table at `index` maps event types to lanes. */
static void declare_all(lua_State *L, struct ledger *ledger, int index)
{
    lua_pushnil(L);
    while (lua_next(L, index)) {
        const char *type = luaL_checkstring(L, -2);
        int lane = talk_lane_of(luaL_checkstring(L, -1));
        luaL_argcheck(L, lane >= 0, index, "expected alarm, record or telemetry");
        if (ledger_declare(ledger, type, (enum talk_lane)lane) != 0)
            luaL_error(L, "events: \"%s\" is no type of an event, or there are too many",
                       type);
        lua_pop(L, 1);
    }
}

/* rehearsal.open(start, events, source, time) */
static int open_office(lua_State *L)
{
    int64_t utc_us;
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    const char *source = luaL_checkstring(L, 3);
    luaL_argcheck(L, now_parse(&utc_us, luaL_checkstring(L, 4)) == 0, 4,
                  "time: expected a time such as \"2026-11-21T03:00:00Z\"");
    struct office **office = lua_newuserdatauv(L, sizeof(*office), 0);
    *office = NULL;
    luaL_setmetatable(L, OFFICE); /* from here on __gc cleans up */
    office_open(office, utc_us);
    declare_all(L, &(*office)->ledger, 2);
    luaL_argcheck(L, strlen(source) < sizeof((*office)->ledger.source), 3, "too long");
    strcpy((*office)->ledger.source, source);
    const char *why = value_encode(L, 1, &(*office)->start, START_MAX);
    if (why != NULL)
        return luaL_error(L, "config: cannot be JSON: %s", why);
    return 1;
}

static int close_office(lua_State *L)
{
    struct office **office = luaL_checkudata(L, 1, OFFICE);
    for (int i = 0; *office != NULL && i < (*office)->device_count; i++)
        luaL_unref(L, LUA_REGISTRYINDEX, (*office)->devices[i].ref);
    office_close(*office);
    *office = NULL;
    return 0;
}

/* office:device(url, double) */
static int add_device(lua_State *L)
{
    struct office *office = check_office(L);
    char why[200] = "too many of them";
    const char *url = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 3);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    if (office_add_device(office, url, ref, why, sizeof(why)) == 0)
        return 0;
    luaL_unref(L, LUA_REGISTRYINDEX, ref);
    return luaL_error(L, "devices: %s: %s", url, why);
}

/* office:put(key, value): in the store before the plugin begins. */
static int put_value(lua_State *L)
{
    struct office *office = check_office(L);
    struct buffer value = {0};
    size_t length;
    const char *key = luaL_checklstring(L, 2, &length);
    luaL_argcheck(L, length >= 1 && length <= TALK_KEY_MAX, 2,
                  "expected a key of 1 to 128 bytes");
    const char *why = value_encode(L, 3, &value, TALK_VALUE_MAX);
    int err = why ? -EINVAL : ledger_put(&office->ledger, key, value.bytes, value.length);
    buffer_free(&value);
    return err ? luaL_error(L, "store: %s: %s", key, why ? why : "too many keys") : 0;
}

/* ---- Playing it */

static int begin(lua_State *L)
{
    return answer_why(L, office_begin(check_office(L), L));
}

/* office:run(ms, until_news) -> why, ms left */
static int run(lua_State *L)
{
    struct office *office = check_office(L);
    int64_t left_us;
    lua_Integer ms = luaL_checkinteger(L, 2);
    luaL_argcheck(L, ms >= 0 && ms <= 3650LL * 86400000, 2, "too long");
    const char *why = office_play(office, L, ms * 1000, lua_toboolean(L, 3), &left_us);
    lua_pushstring(L, why);
    lua_pushinteger(L, left_us / 1000);
    return 2;
}

/* Both tables as JSON; NULL, or why not. */
static const char *encode_both(lua_State *L, struct buffer *params, struct buffer *who)
{
    const char *why = value_encode(L, 4, params, TALK_PARAMS_MAX);
    return why ? why : value_encode(L, 5, who, TALK_PARAMS_MAX);
}

/* office:ask("action" or "view", name, params, who) -> why, answer | nil, message */
static int ask(lua_State *L)
{
    struct office *office = check_office(L);
    struct buffer params = {0}, who = {0};
    const char *type = luaL_checkstring(L, 2), *name = luaL_checkstring(L, 3);
    lua_settop(L, 5);
    const char *why = encode_both(L, &params, &who);
    if (why == NULL)
        why = office_ask(office, L, type, name, &params, &who);
    buffer_free(&params);
    buffer_free(&who);
    struct keeper_question *question = &office->keeper.question;
    lua_pushstring(L, why);
    if (why != NULL)
        return 1;
    if (question->err == 0) {
        push_json(L, question->answer.bytes, question->answer.length);
        return 2;
    }
    lua_pushnil(L);
    lua_pushlstring(L, question->answer.bytes, question->answer.length);
    return 3;
}

static int restart(lua_State *L)
{
    return answer_why(L, office_restart(check_office(L), L, lua_toboolean(L, 2)));
}

static int end(lua_State *L)
{
    office_end(check_office(L));
    return 0;
}

/* ---- What shall go wrong */

static int decree(lua_State *L)
{
    static const char *const STEPS[] = {"commit", "read", "write", "any", NULL};
    static const int MASKS[] = {FATE_COMMIT, FATE_READ, FATE_WRITE,
                                FATE_COMMIT | FATE_READ | FATE_WRITE};
    struct office *office = check_office(L);
    int steps = MASKS[luaL_checkoption(L, 2, NULL, STEPS)];
    fate_decree(&office->fate, steps, lua_toboolean(L, 3), (int)luaL_checkinteger(L, 4));
    return 0;
}

static int refuse(lua_State *L)
{
    struct office *office = check_office(L);
    fate_refuse(&office->fate, (int)luaL_checkinteger(L, 2), luaL_checkstring(L, 3));
    return 0;
}

/* office:refuse_blobs(times, code) */
static int refuse_blobs(lua_State *L)
{
    static const char *const CODES[] = {"full", "busy", "refused", NULL};
    static const int ERRORS[] = {ENOSPC, EBUSY, EINVAL};
    struct office *office = check_office(L);
    office->blobs.refusals = (int)luaL_checkinteger(L, 2);
    office->blobs.refusal = ERRORS[luaL_checkoption(L, 3, NULL, CODES)];
    return 0;
}

/* office:give(type, lane, data, source, subject, seconds) -> its sequence */
static int give(lua_State *L)
{
    struct office *office = check_office(L);
    struct buffer content = {0};
    int lane = talk_lane_of(luaL_checkstring(L, 3));
    struct ledger_draft draft = {.type = luaL_checkstring(L, 2),
                                 .lane = (enum talk_lane)lane,
                                 .source = luaL_checkstring(L, 5),
                                 .subject = luaL_optstring(L, 6, NULL),
                                 .time_us = (int64_t)(luaL_optnumber(L, 7, 0) * 1e6)};
    luaL_argcheck(L, lane >= 0, 3, "expected alarm, record or telemetry");
    luaL_argcheck(L, word_is_type(draft.type), 2, "expected a type such as \"a.b\"");
    luaL_argcheck(L, !draft.subject || word_is_subject(draft.subject), 6,
                  "expected \"office\", \"person/ID\" or \"device/KIND/SERIAL\"");
    const char *why = value_encode(L, 4, &content, TALK_DATA_MAX);
    if (why == NULL) {
        draft.data = content.bytes;
        draft.data_length = content.length;
        lua_pushinteger(L, ledger_append(&office->ledger, &draft));
        keeper_wake(&office->keeper);
    }
    buffer_free(&content);
    return why ? luaL_error(L, "data: cannot be JSON: %s", why) : 1;
}

/* ---- Lines of bytes */

/* office:call(name, port) -> id */
static int call(lua_State *L)
{
    struct office *office = check_office(L);
    const char *name = luaL_checkstring(L, 2);
    int id = wire_call(office, name, (int)luaL_checkinteger(L, 3));
    if (id < 0)
        return luaL_error(L, "%s: cannot call at %I: %s", name, lua_tointeger(L, 3),
                          strerror(-id));
    lua_pushinteger(L, id);
    return 1;
}

/* office:post(name, port, bytes, ms) */
static int post(lua_State *L)
{
    struct office *office = check_office(L);
    const char *name = luaL_checkstring(L, 2);
    size_t length;
    const char *bytes = luaL_checklstring(L, 4, &length);
    int err = post_send(office, name, (int)luaL_checkinteger(L, 3), bytes, length,
                        luaL_checkinteger(L, 5));
    return err ? luaL_error(L, "%s: cannot send a message: %s", name, strerror(-err)) : 0;
}

/* office:send(id, bytes or nil, closes, ms) -> whether the line is there */
static int send_bytes(lua_State *L)
{
    struct office *office = check_office(L);
    size_t length;
    const char *bytes = luaL_optlstring(L, 3, "", &length);
    lua_pushboolean(L, wire_send(office, (int)luaL_checkinteger(L, 2), bytes, length,
                                 lua_toboolean(L, 4), luaL_checkinteger(L, 5)));
    return 1;
}

static int push(lua_State *L)
{
    return server_push(L, check_office(L));
}

/* ---- Looking */

static void push_event(lua_State *L, const struct ledger_event *event, size_t seq)
{
    push_json(L, event->body, event->length);
    lua_pushinteger(L, (lua_Integer)seq);
    lua_setfield(L, -2, "seq");
}

/* office:events(pattern, from) -> those of the plugin, and how many events there are */
static int events(lua_State *L)
{
    const struct office *office = check_office(L);
    const char *pattern = luaL_checkstring(L, 2);
    size_t from = (size_t)luaL_checkinteger(L, 3), count = 0;
    luaL_argcheck(L, word_is_pattern(pattern), 2,
                  "expected a pattern such as \"a.b\", \"a.*\" or \"*\"");
    lua_newtable(L);
    for (size_t seq = from; seq < office->ledger.event_count; seq++) {
        const struct ledger_event *event = &office->ledger.events[seq];
        if (!event->own || !word_matches(pattern, event->type))
            continue;
        push_event(L, event, seq);
        lua_rawseti(L, -2, (lua_Integer)++count);
    }
    lua_pushinteger(L, (lua_Integer)office->ledger.event_count);
    return 2;
}

/* office:stored(key), or all without one */
static int stored(lua_State *L)
{
    const struct office *office = check_office(L);
    if (!lua_isnoneornil(L, 2)) {
        const struct ledger_row *row =
            ledger_get(&office->ledger, luaL_checkstring(L, 2));
        if (row == NULL)
            lua_pushnil(L);
        else
            push_json(L, row->value, row->length);
        return 1;
    }
    lua_newtable(L);
    for (size_t i = 0; i < office->ledger.row_count; i++) {
        const struct ledger_row *row = &office->ledger.rows[i];
        push_json(L, row->value, row->length);
        lua_setfield(L, -2, row->key);
    }
    return 1;
}

static void push_blob(lua_State *L, const struct blob *blob)
{
    lua_createtable(L, 0, 7);
    lua_pushstring(L, blob->sha256);
    lua_setfield(L, -2, "sha256");
    lua_pushstring(L, blob->sm3);
    lua_setfield(L, -2, "sm3");
    lua_pushinteger(L, blob->size);
    lua_setfield(L, -2, "size");
    lua_pushlstring(L, blob->bytes.bytes, blob->bytes.length);
    lua_setfield(L, -2, "bytes");
    lua_pushstring(L, talk_class_name(blob->class));
    lua_setfield(L, -2, "class");
    if (blob->keep_ms >= 0) {
        lua_pushinteger(L, blob->keep_ms);
        lua_setfield(L, -2, "keep_ms");
    }
    lua_pushboolean(L, blob->erases);
    lua_setfield(L, -2, "erase");
}

/* office:blobs() -> those that are kept, oldest first */
static int blobs(lua_State *L)
{
    const struct blobs *all = &check_office(L)->blobs;
    lua_Integer kept = 0;
    lua_newtable(L);
    for (size_t i = 0; i < all->count; i++) {
        if (!all->all[i].is_kept)
            continue;
        push_blob(L, &all->all[i]);
        lua_rawseti(L, -2, ++kept);
    }
    return 1;
}

/* office:lines() -> texts, seconds since the rehearsal began */
static int lines(lua_State *L)
{
    const struct trace *trace = &check_office(L)->trace;
    lua_createtable(L, (int)trace->count, 0);
    lua_createtable(L, (int)trace->count, 0);
    for (size_t i = 0; i < trace->count; i++) {
        lua_pushstring(L, trace->lines[i].text);
        lua_rawseti(L, -3, (lua_Integer)i + 1);
        lua_pushnumber(L, (double)trace->lines[i].at_us / 1e6);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 2;
}

static int errors(lua_State *L)
{
    const struct office *office = check_office(L);
    lua_newtable(L);
    for (int i = 0; i < office->error_count; i++) {
        lua_pushstring(L, office->errors[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* Those of the process that runs now. */
static int read_metrics(lua_State *L)
{
    const struct office *office = check_office(L);
    struct buffer text = {0};
    lua_newtable(L);
    if (!office->lives)
        return 1;
    metrics_print(&office->plugin.metrics, &text, METRICS_ROOM);
    const char *why = value_decode(L, text.bytes, text.length);
    buffer_free(&text);
    return why ? luaL_error(L, "metrics: %s", why) : 1;
}

/* office:counts() -> deaths, durable commits */
static int counts(lua_State *L)
{
    const struct office *office = check_office(L);
    lua_pushinteger(L, office->deaths);
    lua_pushinteger(L, office->keeper.commits);
    return 2;
}

/* ---- Time */

/* rehearsal.now() -> seconds UTC, seconds since the rehearsal began */
static int read_now(lua_State *L)
{
    lua_pushnumber(L, (double)now_utc_us() / 1e6);
    lua_pushnumber(L, (double)now_clock_elapsed_us() / 1e6);
    return 2;
}

static int pass(lua_State *L)
{
    now_clock_pass(luaL_checkinteger(L, 1) * 1000);
    return 0;
}

static int jump(lua_State *L)
{
    now_clock_jump(luaL_checkinteger(L, 1) * 1000);
    return 0;
}

/* ---- Counting tests */

/* rehearsal.count("passed" or "failed" or "skipped") */
static int count_test(lua_State *L)
{
    static const char *const KINDS[] = {"passed", "failed", "skipped", NULL};
    const struct rehearsal *rehearsal = lua_touserdata(L, lua_upvalueindex(1));
    int *const counters[] = {&rehearsal->tally->passed, &rehearsal->tally->failed,
                             &rehearsal->tally->skipped};
    ++*counters[luaL_checkoption(L, 1, NULL, KINDS)];
    return 0;
}

static const luaL_Reg METHODS[] = {
    {"device", add_device},
    {"put", put_value},
    {"begin", begin},
    {"run", run},
    {"ask", ask},
    {"restart", restart},
    {"finish", end},
    {"decree", decree},
    {"refuse", refuse},
    {"give", give},
    {"events", events},
    {"stored", stored},
    {"lines", lines},
    {"call", call},
    {"send", send_bytes},
    {"post", post},
    {"push", push},
    {"errors", errors},
    {"metrics", read_metrics},
    {"counts", counts},
    {"blobs", blobs},
    {"refuse_blobs", refuse_blobs},
    {"__gc", close_office},
    {NULL, NULL},
};

static const luaL_Reg FUNCTIONS[] = {
    {"open", open_office}, {"now", read_now},     {"pass", pass},
    {"jump", jump},        {"count", count_test}, {NULL, NULL},
};

int rehearsal_load(lua_State *L)
{
    const struct rehearsal *rehearsal = lua_touserdata(L, lua_upvalueindex(1));
    luaL_newmetatable(L, OFFICE);
    luaL_setfuncs(L, METHODS, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlibtable(L, FUNCTIONS);
    lua_pushvalue(L, lua_upvalueindex(1));
    luaL_setfuncs(L, FUNCTIONS, 1);
    lua_pushstring(L, rehearsal->library);
    lua_setfield(L, -2, "library");
    needs_push(L);
    lua_setfield(L, -2, "needs");
    lua_pushstring(L, rehearsal->folder);
    lua_setfield(L, -2, "folder");
    return 1;
}
