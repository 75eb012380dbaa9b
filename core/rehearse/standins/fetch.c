/* fetch - stands in for host/files/fetch.c: the file server is a table of the test.
 *
 * What is asked is handed to the double's function `ask` when it starts; the answer comes when the double
 * says, by a timer, while other handlers run. A reply is { body =, facts =, size =, time =, reply =,
 * delay = }, { fault =, reply =, delay = }, or with breaks = true what came before the end. */
#include "host/files/fetch.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"
#include "rehearse/office.h"

enum { WHY_ROOM = 160 };

static const char *const CALLS[] = {
    [FETCH_LIST] = "list",     [FETCH_READ] = "read",     [FETCH_STAT] = "stat",
    [FETCH_RENAME] = "rename", [FETCH_REMOVE] = "remove",
};

struct fetches {
    struct loop *loop;
    int count;
};

struct fetch {
    struct fetches *fetches;
    void (*news)(void *owner);
    void *owner;
    struct fetch_answer answer;
    struct loop_timer timer;
    int64_t began_us;
    size_t most;
    bool stream;
    bool is_late;
    /* what the double has replied */
    enum transfer_fault fault;
    bool breaks;
    struct buffer body;
    int64_t size, time;
    char host[URLPART_ROOM];
    char why[WHY_ROOM + URLPART_ROOM];
};

int fetch_prepare(void)
{
    return 0;
}

int fetch_open_all(struct fetches **out, struct loop *loop)
{
    *out = mem_new(struct fetches);
    (*out)->loop = loop;
    return 0;
}

void fetch_close_all(struct fetches *fetches)
{
    mem_free(fetches);
}

/* ---- The answer */

static void end(struct fetch *fetch, enum transfer_fault fault)
{
    struct fetch_answer *answer = &fetch->answer;
    answer->over = true;
    answer->fault = fault;
    answer->took_ms = (now_mono_us() - fetch->began_us) / 1000;
    snprintf(fetch->why, sizeof(fetch->why), "%s: %s", fetch->host,
             transfer_fault_text(fault));
}

static void give(struct fetch *fetch)
{
    struct fetch_answer *answer = &fetch->answer;
    answer->size = fetch->size;
    answer->time = fetch->time;
    if (!fetch->stream && fetch->body.length > fetch->most) {
        end(fetch, TRANSFER_TOO_BIG);
        return;
    }
    answer->body = fetch->body;
    fetch->body = (struct buffer){0};
    answer->begun = answer->body.length > 0;
    end(fetch, fetch->breaks ? TRANSFER_CLOSED : TRANSFER_GOOD);
}

static void answer_now(struct loop_timer *timer)
{
    struct fetch *fetch = container_of(timer, struct fetch, timer);
    if (fetch->is_late)
        end(fetch, TRANSFER_TIMEOUT);
    else if (fetch->fault)
        end(fetch, fetch->fault);
    else
        give(fetch);
    fetch->news(fetch->owner); /* which may close it */
}

/* ---- Asking the double */

struct exchange {
    struct fetch *fetch;
    const struct fetch_wish *wish;
    const struct office_device *device;
    int64_t delay_ms;
};

static void set_text(lua_State *L, const char *name, const char *text)
{
    if (text == NULL)
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void push_request(lua_State *L, const struct fetch_wish *wish)
{
    lua_createtable(L, 0, 8);
    set_text(L, "call", CALLS[wish->kind]);
    set_text(L, "path", wish->path);
    set_text(L, "to", wish->to);
    set_text(L, "user", wish->user);
    set_text(L, "password", wish->password);
    lua_pushinteger(L, wish->from);
    lua_setfield(L, -2, "from");
    lua_pushinteger(L, wish->timeout_ms);
    lua_setfield(L, -2, "timeout");
}

/* A whole number in the table on top. */
static int64_t number_in(lua_State *L, const char *name, int64_t otherwise)
{
    int64_t number = otherwise;
    if (lua_getfield(L, -1, name) != LUA_TNIL) {
        if (!lua_isinteger(L, -1))
            luaL_error(L, "a file server: %s: expected a whole number", name);
        number = lua_tointeger(L, -1);
    }
    lua_pop(L, 1);
    return number;
}

static bool truth_in(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    bool truth = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return truth;
}

static enum transfer_fault fault_of(lua_State *L, const char *name)
{
    for (int fault = TRANSFER_ARGUMENT; fault <= TRANSFER_DENIED; fault++)
        if (strcmp(transfer_fault_name((enum transfer_fault)fault), name) == 0)
            return (enum transfer_fault)fault;
    luaL_error(L, "a file server: fault: expected timeout, missing, denied ..., got %s",
               name);
    return TRANSFER_GOOD;
}

static void take_reply(lua_State *L, struct exchange *exchange)
{
    struct fetch *fetch = exchange->fetch;
    size_t length;
    exchange->delay_ms = number_in(L, "delay", 0);
    if (lua_getfield(L, -1, "fault") == LUA_TSTRING)
        fetch->fault = fault_of(L, lua_tostring(L, -1));
    lua_pop(L, 1);
    fetch->answer.reply = (int)number_in(L, "reply", 0);
    fetch->answer.facts = truth_in(L, "facts");
    fetch->breaks = truth_in(L, "breaks");
    fetch->size = number_in(L, "size", -1);
    fetch->time = number_in(L, "time", -1);
    lua_getfield(L, -1, "body");
    const char *bytes = luaL_optlstring(L, -1, "", &length);
    buffer_append(&fetch->body, bytes, length);
}

static int converse(lua_State *L)
{
    struct exchange *exchange = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->device->ref);
    if (lua_getfield(L, 1, "ask") != LUA_TFUNCTION)
        return luaL_error(L, "a file server: expected a function ask, as t.ftp has");
    lua_insert(L, 1);
    push_request(L, exchange->wish);
    lua_call(L, 2, 1);
    if (!lua_istable(L, -1))
        return luaL_error(L, "a file server answers a table: { body =, fault = }");
    take_reply(L, exchange);
    return 0;
}

/* The double is named as in the configuration, with the port or without. */
static const struct office_device *device_at(const struct office *office,
                                             const struct ftpurl *url)
{
    for (int i = 0; i < office->device_count; i++) {
        struct ftpurl own;
        char why[WHY_ROOM];
        const struct office_device *device = &office->devices[i];
        if (ftpurl_parse(&own, device->url, why, sizeof(why)) == 0 &&
            own.lock == url->lock && own.port == url->port &&
            strcmp(own.host, url->host) == 0)
            return device;
    }
    return NULL;
}

static void play(struct office *office, struct exchange *exchange)
{
    struct fetch *fetch = exchange->fetch;
    const struct fetch_wish *wish = exchange->wish;
    exchange->device = device_at(office, wish->url);
    if (exchange->device == NULL) {
        char url[URLPART_ROOM + 20];
        ftpurl_print(wish->url, url, sizeof(url));
        office_missed_here(office, url);
        fetch->fault = TRANSFER_REFUSED;
    } else if (!office_ask_here(office, converse, exchange)) {
        return;
    }
    trace_add(&office->trace, "%s %s%s%s%s%s", CALLS[wish->kind], wish->path,
              wish->to ? " " : "", wish->to ? wish->to : "", fetch->fault ? ": " : "",
              fetch->fault ? transfer_fault_name(fetch->fault) : "");
}

/* ---- A fetch */

int fetch_open(struct fetch **out, struct fetches *fetches, void (*news)(void *owner),
               void *owner)
{
    if (fetches->count == FETCHES_MAX)
        return -EBUSY;
    struct fetch *fetch = mem_new(struct fetch);
    fetches->count++;
    fetch->fetches = fetches;
    fetch->news = news;
    fetch->owner = owner;
    fetch->timer.fire = answer_now;
    fetch->answer.why = fetch->why;
    *out = fetch;
    return 0;
}

void fetch_close(struct fetch *fetch)
{
    if (fetch == NULL)
        return;
    fetch->fetches->count--;
    loop_timer_stop(&fetch->timer);
    buffer_free(&fetch->body);
    buffer_free(&fetch->answer.body);
    mem_free(fetch);
}

enum transfer_fault fetch_start(struct fetch *fetch, const struct fetch_wish *wish)
{
    struct office *office = office_current();
    struct exchange exchange = {.fetch = fetch, .wish = wish};
    bool writes = wish->kind == FETCH_RENAME || wish->kind == FETCH_REMOVE;
    if (writes && (wish->path[0] != '/' || (wish->to != NULL && wish->to[0] != '/'))) {
        fetch->answer.fault = TRANSFER_ARGUMENT;
        snprintf(fetch->why, sizeof(fetch->why), "expected paths from / on");
        return TRANSFER_ARGUMENT;
    }
    strcpy(fetch->host, wish->url->host);
    fetch->began_us = now_mono_us();
    fetch->most = wish->most;
    fetch->stream = wish->stream;
    if (office_strikes_here(office, writes ? FATE_WRITE : FATE_READ, false))
        return TRANSFER_GOOD; /* nobody is there any more to hear the answer */
    play(office, &exchange);
    fetch->is_late = exchange.delay_ms > wish->timeout_ms;
    if (!office_strikes_here(office, writes ? FATE_WRITE : FATE_READ, true))
        loop_timer_start(fetch->fetches->loop, &fetch->timer,
                         fetch->is_late ? wish->timeout_ms : exchange.delay_ms);
    return TRANSFER_GOOD;
}

const struct fetch_answer *fetch_answer(const struct fetch *fetch)
{
    return &fetch->answer;
}

void fetch_take(struct fetch *fetch, size_t length)
{
    buffer_drop_front(&fetch->answer.body, length);
}
