/* transfer - stands in for host/web/transfer.c: the web server is a table of the test.
 *
 * A request is handed to the double's function `ask` when it starts; the answer comes when the double
 * says, by a timer, while other handlers run. A reply is { status =, headers =, body =, delay = } or
 * { fault =, delay = }; for a stream `pieces`, a list of { after =, body = }, follow, and then the end,
 * unless `stays` is true. */
#include "host/web/transfer.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"
#include "rehearse/office.h"

enum { PIECES_MAX = 1000, WHY_ROOM = 160, URL_ROOM = 2048 };

struct piece {
    int64_t after_ms;
    struct buffer body;
};

struct transfers {
    struct loop *loop;
    int count;
};

struct transfer {
    struct transfers *transfers;
    void (*news)(void *owner);
    void *owner;
    struct headers sent;
    struct transfer_answer answer;
    struct loop_timer timer;
    int64_t began_us, timeout_ms, low_ms;
    size_t most;
    bool stream;
    /* what the double has replied */
    int status;
    struct headers headers;
    enum transfer_fault fault;
    struct piece pieces[PIECES_MAX]; /* the first comes with the head */
    int piece_count, next_piece;
    bool stays;
    bool is_late; /* what is waited for next does not come in time */
    char why[WHY_ROOM];
    char url[URL_ROOM];
};

int transfer_prepare(void)
{
    return 0;
}

int transfer_open_all(struct transfers **out, struct loop *loop)
{
    *out = mem_new(struct transfers);
    (*out)->loop = loop;
    return 0;
}

void transfer_close_all(struct transfers *transfers)
{
    mem_free(transfers);
}

/* ---- The answer, as time passes */

static void end(struct transfer *transfer, enum transfer_fault fault)
{
    struct transfer_answer *answer = &transfer->answer;
    answer->over = true;
    answer->fault = fault;
    answer->took_ms = (now_mono_us() - transfer->began_us) / 1000;
    snprintf(transfer->why, sizeof(transfer->why), "%s", transfer_fault_text(fault));
}

static void wait_for(struct transfer *transfer, int64_t ms, int64_t most_ms)
{
    transfer->is_late = most_ms > 0 && ms > most_ms;
    loop_timer_start(transfer->transfers->loop, &transfer->timer,
                     transfer->is_late ? most_ms : ms);
}

static void wait_for_piece(struct transfer *transfer)
{
    bool more = transfer->next_piece < transfer->piece_count;
    if (more)
        wait_for(transfer, transfer->pieces[transfer->next_piece].after_ms,
                 transfer->low_ms);
    else if (!transfer->stays)
        wait_for(transfer, 0, 0);
    else if (transfer->low_ms > 0)
        wait_for(transfer, INT64_MAX / 2, transfer->low_ms);
}

static void take_piece(struct transfer *transfer)
{
    const struct piece *piece = &transfer->pieces[transfer->next_piece++];
    buffer_append(&transfer->answer.body, piece->body.bytes, piece->body.length);
}

static void take_head(struct transfer *transfer)
{
    transfer->answer.has_head = true;
    transfer->answer.status = transfer->status;
    transfer->answer.headers = transfer->headers;
    transfer->headers = (struct headers){0};
    take_piece(transfer);
    if (transfer->stream)
        wait_for_piece(transfer);
    else
        end(transfer, transfer->answer.body.length > transfer->most ? TRANSFER_TOO_BIG
                                                                    : TRANSFER_GOOD);
}

static void go_on(struct loop_timer *timer)
{
    struct transfer *transfer = container_of(timer, struct transfer, timer);
    if (transfer->is_late) {
        end(transfer, TRANSFER_TIMEOUT);
    } else if (transfer->fault && !transfer->answer.has_head) {
        end(transfer, transfer->fault);
    } else if (!transfer->answer.has_head) {
        take_head(transfer);
    } else if (transfer->next_piece < transfer->piece_count) {
        take_piece(transfer);
        wait_for_piece(transfer);
    } else {
        end(transfer, TRANSFER_GOOD);
    }
    transfer->news(transfer->owner); /* which may close it */
}

/* ---- Asking the double */

struct exchange {
    struct transfer *transfer;
    const struct transfer_wish *wish;
    const struct office_device *device;
    const char *method;
    const char *path;
    int64_t delay_ms;
};

static void set_text(lua_State *L, const char *name, const char *text)
{
    if (text == NULL)
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void push_request(lua_State *L, const struct exchange *exchange)
{
    const struct transfer_wish *wish = exchange->wish;
    const char *name, *value;
    size_t at = 0;
    lua_createtable(L, 0, 8);
    set_text(L, "method", exchange->method);
    set_text(L, "url", wish->url);
    set_text(L, "path", exchange->path);
    set_text(L, "user", wish->user);
    set_text(L, "password", wish->password);
    lua_pushlstring(L, wish->body != NULL ? wish->body : "", wish->body_length);
    lua_setfield(L, -2, "body");
    lua_createtable(L, 0, 4);
    while (headers_next(&exchange->transfer->sent, &at, &name, &value))
        set_text(L, name, value);
    lua_setfield(L, -2, "headers");
    lua_pushinteger(L, wish->timeout_ms);
    lua_setfield(L, -2, "timeout");
}

/* A whole number in the table on top. */
static int64_t number_in(lua_State *L, const char *name, int64_t otherwise)
{
    int64_t number = otherwise;
    if (lua_getfield(L, -1, name) != LUA_TNIL) {
        if (!lua_isinteger(L, -1))
            luaL_error(L, "a web server: %s: expected a whole number", name);
        number = lua_tointeger(L, -1);
    }
    lua_pop(L, 1);
    return number;
}

/* `body` and `after` of the table on top. */
static void take_body(lua_State *L, struct transfer *transfer)
{
    size_t length;
    if (transfer->piece_count == PIECES_MAX)
        luaL_error(L, "a web server: expected at most %d pieces", PIECES_MAX);
    struct piece *piece = &transfer->pieces[transfer->piece_count++];
    piece->after_ms = number_in(L, "after", 0);
    lua_getfield(L, -1, "body");
    const char *bytes = luaL_optlstring(L, -1, "", &length);
    buffer_append(&piece->body, bytes, length);
    lua_pop(L, 1);
}

static void take_headers(lua_State *L, struct headers *headers)
{
    if (lua_getfield(L, -1, "headers") == LUA_TTABLE) {
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            size_t length;
            lua_pushfstring(L, "%s: %s", luaL_checkstring(L, -2),
                            luaL_checkstring(L, -1));
            const char *line = lua_tolstring(L, -1, &length);
            headers_add(headers, line, length);
            lua_pop(L, 2);
        }
    }
    lua_pop(L, 1);
}

static enum transfer_fault fault_of(lua_State *L, const char *name)
{
    for (int fault = TRANSFER_TIMEOUT; fault <= TRANSFER_PROTOCOL; fault++)
        if (strcmp(transfer_fault_name((enum transfer_fault)fault), name) == 0)
            return (enum transfer_fault)fault;
    luaL_error(L, "a web server: fault: expected timeout, refused, closed ..., got %s",
               name);
    return TRANSFER_GOOD;
}

static void take_reply(lua_State *L, struct exchange *exchange)
{
    struct transfer *transfer = exchange->transfer;
    exchange->delay_ms = number_in(L, "delay", 0);
    if (lua_getfield(L, -1, "fault") == LUA_TSTRING)
        transfer->fault = fault_of(L, lua_tostring(L, -1));
    lua_pop(L, 1);
    transfer->status = (int)number_in(L, "status", 200);
    take_headers(L, &transfer->headers);
    take_body(L, transfer);
    lua_getfield(L, -1, "stays");
    transfer->stays = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (lua_getfield(L, -1, "pieces") != LUA_TTABLE)
        return;
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, -1, i);
        luaL_checktype(L, -1, LUA_TTABLE);
        take_body(L, transfer);
        lua_pop(L, 1);
    }
}

static int converse(lua_State *L)
{
    struct exchange *exchange = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->device->ref);
    if (lua_getfield(L, 1, "ask") != LUA_TFUNCTION)
        return luaL_error(L, "a web server: expected a function ask, as t.http has");
    lua_insert(L, 1);
    push_request(L, exchange);
    lua_call(L, 2, 1);
    if (!lua_istable(L, -1))
        return luaL_error(L, "a web server answers a table: { status =, body = }");
    take_reply(L, exchange);
    return 0;
}

/* ---- A transfer */

int transfer_open(struct transfer **out, struct transfers *transfers,
                  void (*news)(void *owner), void *owner)
{
    if (transfers->count == TRANSFERS_MAX)
        return -EBUSY;
    struct transfer *transfer = mem_new(struct transfer);
    transfers->count++;
    transfer->transfers = transfers;
    transfer->news = news;
    transfer->owner = owner;
    transfer->timer.fire = go_on;
    transfer->answer.why = transfer->why;
    transfer->answer.url = transfer->url;
    *out = transfer;
    return 0;
}

void transfer_close(struct transfer *transfer)
{
    if (transfer == NULL)
        return;
    transfer->transfers->count--;
    loop_timer_stop(&transfer->timer);
    for (int i = 0; i < transfer->piece_count; i++)
        buffer_free(&transfer->pieces[i].body);
    headers_free(&transfer->sent);
    headers_free(&transfer->headers);
    headers_free(&transfer->answer.headers);
    buffer_free(&transfer->answer.body);
    mem_free(transfer);
}

void transfer_header(struct transfer *transfer, const char *line)
{
    headers_add(&transfer->sent, line, strlen(line));
}

static const char *path_in(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;
    return path != NULL ? path : "/";
}

static void play(struct office *office, struct exchange *exchange)
{
    struct transfer *transfer = exchange->transfer;
    if (exchange->device == NULL)
        office_missed_here(office, exchange->wish->url);
    if (exchange->device == NULL)
        transfer->fault = TRANSFER_REFUSED;
    else if (!office_ask_here(office, converse, exchange))
        return;
    trace_add(&office->trace, "%s %s%s%s", exchange->method, exchange->wish->url,
              transfer->fault ? ": " : "",
              transfer->fault ? transfer_fault_name(transfer->fault) : "");
}

enum transfer_fault transfer_start(struct transfer *transfer,
                                   const struct transfer_wish *wish)
{
    struct office *office = office_current();
    struct exchange exchange = {.transfer = transfer, .wish = wish};
    exchange.method = wish->method != NULL ? wish->method : wish->body ? "POST" : "GET";
    exchange.path = path_in(wish->url);
    exchange.device = office_device_at(office, wish->url);
    bool reads =
        strcmp(exchange.method, "GET") == 0 || strcmp(exchange.method, "HEAD") == 0;
    snprintf(transfer->url, sizeof(transfer->url), "%s", wish->url);
    transfer->began_us = now_mono_us();
    transfer->low_ms = wish->low_ms;
    transfer->most = wish->most;
    transfer->stream = wish->stream;
    if (office_strikes_here(office, reads ? FATE_READ : FATE_WRITE, false))
        return TRANSFER_GOOD; /* nobody is there any more to hear the answer */
    play(office, &exchange);
    if (!office_strikes_here(office, reads ? FATE_READ : FATE_WRITE, true))
        wait_for(transfer, exchange.delay_ms, wish->timeout_ms);
    return TRANSFER_GOOD;
}

const struct transfer_answer *transfer_answer(const struct transfer *transfer)
{
    return &transfer->answer;
}

void transfer_take(struct transfer *transfer, size_t length)
{
    buffer_drop_front(&transfer->answer.body, length);
}
