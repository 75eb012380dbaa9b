/* fieldbus - stands in for host/modbus/fieldbus.c: the device is a table of the test.
 *
 * A request is taken apart and handed to the double's function `ask`, which runs in the Lua of the
 * test and answers values, or nil and what went wrong. What it answers is put together as a device
 * would, and then checked as the real file checks it. Time passes when the double lets it pass.
 *
 * Rule of this file: the test's Lua is touched under lua_pcall() only, for below us on the stack is
 * the plugin's. */
#include "host/modbus/fieldbus.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/hex.h"
#include "base/mem.h"
#include "rehearse/office.h"

enum { WHAT_ROOM = 560, BIT_ON = 0xFF };

struct fieldbus {
    struct busurl url;
    int exception;
    char why[160];
};

/* One request, and what the double makes of it. */
struct exchange {
    const struct office_device *device;
    const struct pdu *request;
    struct pdu *answer;
    int unit;
    int timeout_ms;
    enum fieldbus_fault fault;
    int exception;
};

static const char *const NAMES[] = {
    [PDU_READ_COILS] = "read_coils",     [PDU_READ_DISCRETE] = "read_discrete",
    [PDU_READ_HOLDING] = "read_holding", [PDU_READ_INPUT] = "read_input",
    [PDU_WRITE_COIL] = "write_coil",     [PDU_WRITE_REGISTER] = "write_register",
    [PDU_WRITE_COILS] = "write_coils",   [PDU_WRITE_MANY] = "write_registers",
};

int fieldbus_open(struct fieldbus **out, const struct busurl *url)
{
    *out = mem_new(struct fieldbus);
    (*out)->url = *url;
    return 0;
}

void fieldbus_close(struct fieldbus *bus)
{
    mem_free(bus);
}

/* ---- A request, taken apart */

static int word_at(const struct pdu *pdu, size_t at)
{
    return pdu->bytes[at] << 8 | pdu->bytes[at + 1];
}

static bool is_many(const struct pdu *request)
{
    return request->bytes[0] == PDU_WRITE_COILS || request->bytes[0] == PDU_WRITE_MANY;
}

/* A request that one of the eight functions makes; else it is one of bus:request(). */
static const char *name_of(const struct pdu *request)
{
    size_t function = request->bytes[0];
    if (function >= countof(NAMES) || NAMES[function] == NULL ||
        (is_many(request) ? request->length < 7 : request->length != 5))
        return "request";
    return NAMES[function];
}

static bool is_read(const struct pdu *request)
{
    return request->bytes[0] <= PDU_READ_INPUT &&
           strcmp(name_of(request), "request") != 0;
}

static int written_count(const struct pdu *request)
{
    return is_many(request) ? word_at(request, 3) : 1;
}

/* The value number `i` that is written; a coil as 0 or 1. */
static int written(const struct pdu *request, int i)
{
    size_t at = (size_t)i;
    switch (request->bytes[0]) {
    case PDU_WRITE_COIL:
        return request->bytes[3] == BIT_ON;
    case PDU_WRITE_COILS:
        return request->bytes[6 + at / 8] >> (at % 8) & 1;
    case PDU_WRITE_MANY:
        return word_at(request, 6 + 2 * at);
    default:
        return word_at(request, 3);
    }
}

/* "read_holding 0+11", "write_registers 20 = 1 2 3", "request 2b0e0100". */
static void describe(char *what, const struct pdu *request)
{
    const char *name = name_of(request);
    int length = snprintf(what, WHAT_ROOM, "%s ", name);
    if (strcmp(name, "request") == 0) {
        hex_encode(what + length, request->bytes, request->length);
        return;
    }
    length +=
        snprintf(what + length, (size_t)(WHAT_ROOM - length), "%d", word_at(request, 1));
    if (is_read(request)) {
        snprintf(what + length, (size_t)(WHAT_ROOM - length), "+%d", word_at(request, 3));
        return;
    }
    length += snprintf(what + length, (size_t)(WHAT_ROOM - length), " =");
    for (int i = 0; i < written_count(request) && length < WHAT_ROOM - 8; i++)
        length += snprintf(what + length, (size_t)(WHAT_ROOM - length), " %d",
                           written(request, i));
}

/* Pushes what is asked: a count, a list of values, or the bytes. */
static void push_subject(lua_State *L, const struct pdu *request)
{
    if (strcmp(name_of(request), "request") == 0) {
        lua_pushlstring(L, (const char *)request->bytes, request->length);
        return;
    }
    if (is_read(request)) {
        lua_pushinteger(L, word_at(request, 3));
        return;
    }
    bool bits =
        request->bytes[0] == PDU_WRITE_COIL || request->bytes[0] == PDU_WRITE_COILS;
    lua_newtable(L);
    for (int i = 0; i < written_count(request); i++) {
        if (bits)
            lua_pushboolean(L, written(request, i));
        else
            lua_pushinteger(L, written(request, i));
        lua_rawseti(L, -2, i + 1);
    }
}

/* ---- An answer, put together */

static void put_words(lua_State *L, struct pdu *answer, int count)
{
    luaL_argcheck(L, count <= PDU_READ_REGISTERS, 1,
                  "a device answers 125 words at most");
    answer->bytes[1] = (uint8_t)(2 * count);
    answer->length = 2 + 2 * (size_t)count;
    for (int i = 0; i < count; i++) {
        int whole;
        lua_geti(L, 1, i + 1);
        lua_Integer word = lua_tointegerx(L, -1, &whole);
        if (!whole || word < 0 || word > UINT16_MAX)
            luaL_error(L,
                       "a device's word %d: expected a whole number from 0 to 65535, "
                       "got %s",
                       i + 1, luaL_tolstring(L, -1, NULL));
        answer->bytes[2 + 2 * i] = (uint8_t)(word >> 8);
        answer->bytes[3 + 2 * i] = (uint8_t)word;
        lua_pop(L, 1);
    }
}

static void put_bits(lua_State *L, struct pdu *answer, int count)
{
    luaL_argcheck(L, count <= PDU_READ_BITS, 1, "a device answers 2000 bits at most");
    int bytes = (count + 7) / 8;
    answer->bytes[1] = (uint8_t)bytes;
    answer->length = 2 + (size_t)bytes;
    memset(answer->bytes + 2, 0, (size_t)bytes);
    for (int i = 0; i < count; i++) {
        lua_geti(L, 1, i + 1);
        if (lua_toboolean(L, -1))
            answer->bytes[2 + i / 8] |= (uint8_t)(1 << (i % 8));
        lua_pop(L, 1);
    }
}

/* What `ask` answered is at 1. A write is answered by the beginning of its request. */
static void put_answer(lua_State *L, const struct pdu *request, struct pdu *answer)
{
    *answer = (struct pdu){.length = 5};
    memcpy(answer->bytes, request->bytes, 5);
    if (lua_type(L, 1) == LUA_TSTRING) {
        size_t length;
        const char *bytes = lua_tolstring(L, 1, &length);
        luaL_argcheck(L, length <= PDU_MAX, 1, "a device answers 253 bytes at most");
        memcpy(answer->bytes, bytes, length);
        answer->length = length;
    } else if (lua_istable(L, 1)) {
        int count = (int)luaL_len(L, 1);
        if (request->bytes[0] == PDU_READ_COILS || request->bytes[0] == PDU_READ_DISCRETE)
            put_bits(L, answer, count);
        else
            put_words(L, answer, count);
    } else if (!lua_toboolean(L, 1)) {
        luaL_error(L, "a device answers values, true, bytes, or nil and a fault");
    }
}

static const char *const FAULTS[] = {"timeout", "exception", "identity",
                                     "closed",  "refused",   NULL};

/* nil at 1, the fault's name at 2, the number of an exception at 3. */
static void take_fault(lua_State *L, struct exchange *exchange)
{
    exchange->fault = FIELDBUS_TIMEOUT + luaL_checkoption(L, 2, NULL, FAULTS);
    exchange->exception = (int)luaL_optinteger(L, 3, 4);
}

static int converse(lua_State *L)
{
    struct exchange *exchange = lua_touserdata(L, 1);
    const struct pdu *request = exchange->request;
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->device->ref);
    if (lua_getfield(L, 1, "ask") != LUA_TFUNCTION)
        return luaL_error(L,
                          "a device of modbus: expected a function ask, as t.modbus has");
    lua_insert(L, 1);
    lua_pushstring(L, name_of(request));
    lua_pushinteger(L, exchange->unit);
    lua_pushinteger(L, request->length >= 3 ? word_at(request, 1) : 0);
    push_subject(L, request);
    lua_pushinteger(L, exchange->timeout_ms);
    lua_call(L, 6, 3);
    if (lua_isnil(L, 1))
        take_fault(L, exchange);
    else
        put_answer(L, request, exchange->answer);
    return 0;
}

/* ---- Asking */

static enum fieldbus_fault fail(struct fieldbus *bus, enum fieldbus_fault fault,
                                const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum fieldbus_fault fail(struct fieldbus *bus, enum fieldbus_fault fault,
                                const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(bus->why, sizeof(bus->why), format, values);
    va_end(values);
    return fault;
}

/* The words of the real file for each. */
static enum fieldbus_fault explain(struct fieldbus *bus, enum fieldbus_fault fault)
{
    switch (fault) {
    case FIELDBUS_TIMEOUT:
        return fail(bus, fault, "no answer in time (0 bytes came)");
    case FIELDBUS_EXCEPTION:
        return fail(bus, fault, "exception %d: %s", bus->exception,
                    pdu_exception_name(bus->exception));
    case FIELDBUS_IDENTITY:
        return fail(bus, fault,
                    "not the answer of this request: wrong function or length");
    case FIELDBUS_CLOSED:
        return fail(bus, fault, "the device closed the connection");
    case FIELDBUS_REFUSED:
        return fail(bus, fault, "cannot be opened: nobody is there");
    default:
        return fault;
    }
}

static enum fieldbus_fault run_double(struct office *office, struct fieldbus *bus,
                                      struct exchange *exchange)
{
    if (exchange->device == NULL) {
        char url[URLPART_ROOM + 40];
        snprintf(url, sizeof(url),
                 bus->url.tcp ? "modbus-tcp://%s:%s" : "modbus-rtu://%s%s",
                 bus->url.place, bus->url.tcp ? bus->url.port : "");
        office_missed_here(office, url);
        return FIELDBUS_REFUSED;
    }
    if (!office_ask_here(office, converse, exchange))
        return FIELDBUS_CLOSED;
    bus->exception = exchange->exception;
    if (exchange->fault)
        return exchange->fault;
    int err = pdu_check(exchange->request, exchange->answer, &bus->exception);
    return err == 0            ? FIELDBUS_GOOD
           : err == -EREMOTEIO ? FIELDBUS_EXCEPTION
                               : FIELDBUS_IDENTITY;
}

enum fieldbus_fault fieldbus_ask(struct fieldbus *bus, int unit,
                                 const struct pdu *request, struct pdu *answer,
                                 int timeout_ms)
{
    struct office *office = office_current();
    enum fate_step step = is_read(request) ? FATE_READ : FATE_WRITE;
    struct exchange exchange = {.device = office_device_on(office, &bus->url),
                                .request = request,
                                .answer = answer,
                                .unit = unit,
                                .timeout_ms = timeout_ms};
    char what[WHAT_ROOM];
    if (office_strikes_here(office, step, false))
        return explain(bus, FIELDBUS_CLOSED);
    describe(what, request);
    enum fieldbus_fault fault = run_double(office, bus, &exchange);
    trace_add(&office->trace, "%s%s%s", what, fault ? ": " : "",
              fault ? fieldbus_fault_name(fault) : "");
    if (office_strikes_here(office, step, true))
        fault = FIELDBUS_CLOSED;
    return explain(bus, fault);
}

const char *fieldbus_why(const struct fieldbus *bus)
{
    return bus->why;
}

int fieldbus_exception(const struct fieldbus *bus)
{
    return bus->exception;
}

const char *fieldbus_fault_name(enum fieldbus_fault fault)
{
    return fault == FIELDBUS_GOOD ? "good" : FAULTS[fault - FIELDBUS_TIMEOUT];
}
