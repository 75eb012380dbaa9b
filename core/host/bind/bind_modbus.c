/* bind_modbus - host.modbus: read and write Modbus devices. */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "host/bind/bind.h"
#include "host/instance/plugin.h"
#include "host/modbus/fieldbus.h"

/* What a bus takes outside of Lua, about. */
enum { BUS_KIB = 8 };

static const char BUS[] = "outpost.bus";

struct bus {
    struct fieldbus *fieldbus; /* NULL: closed */
    int unit;
    int timeout_ms;
};

static int bus_close(lua_State *L)
{
    struct bus *bus = luaL_checkudata(L, 1, BUS);
    fieldbus_close(bus->fieldbus);
    bus->fieldbus = NULL;
    return 0;
}

static struct bus *check_bus(lua_State *L)
{
    struct bus *bus = luaL_checkudata(L, 1, BUS);
    plugin_of(L); /* raises outside of a task */
    luaL_argcheck(L, bus->fieldbus != NULL, 1, "the bus is closed");
    return bus;
}

static int check_unit(lua_State *L, int argument, int otherwise)
{
    lua_Integer unit = luaL_optinteger(L, argument, otherwise);
    luaL_argcheck(L, unit >= 0 && unit <= 255, argument, "expected a unit from 0 to 255");
    return (int)unit;
}

/* Asks; 0, or the number of results that say what went wrong. */
static int ask(lua_State *L, struct bus *bus, int unit, const struct pdu *request,
               struct pdu *answer)
{
    enum fieldbus_fault fault =
        fieldbus_ask(bus->fieldbus, unit, request, answer, bus->timeout_ms);
    if (!fault) {
        plugin_heard(plugin_of(L));
        return 0;
    }
    plugin_unheard(plugin_of(L));
    bind_fail(L, fieldbus_fault_name(fault), "unit %d: %s", unit,
              fieldbus_why(bus->fieldbus));
    if (fault != FIELDBUS_EXCEPTION)
        return 3;
    lua_pushinteger(L, fieldbus_exception(bus->fieldbus));
    return 4;
}

/* ---- Reading */

static void push_registers(lua_State *L, const struct pdu *answer)
{
    int count = pdu_register_count(answer);
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        lua_pushinteger(L, pdu_register(answer, i));
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_bits(lua_State *L, const struct pdu *answer, int count)
{
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        lua_pushboolean(L, pdu_bit(answer, i));
        lua_rawseti(L, -2, i + 1);
    }
}

/* bus:read_...(address, count[, unit]) */
static int read_some(lua_State *L, enum pdu_function function)
{
    struct bus *bus = check_bus(L);
    struct pdu request, answer;
    lua_Integer count = luaL_checkinteger(L, 3);
    int unit = check_unit(L, 4, bus->unit);
    if (pdu_read(&request, function, luaL_checkinteger(L, 2), count) != 0)
        return luaL_error(
            L,
            "modbus: expected an address from 0 to 65535 and a count from 1 to "
            "%d (bits: %d)",
            PDU_READ_REGISTERS, PDU_READ_BITS);
    int results = ask(L, bus, unit, &request, &answer);
    if (results > 0)
        return bind_breathe(L, results);
    if (function == PDU_READ_COILS || function == PDU_READ_DISCRETE)
        push_bits(L, &answer, (int)count);
    else
        push_registers(L, &answer);
    return bind_breathe(L, 1);
}

static int read_holding(lua_State *L)
{
    return read_some(L, PDU_READ_HOLDING);
}

static int read_input(lua_State *L)
{
    return read_some(L, PDU_READ_INPUT);
}

static int read_coils(lua_State *L)
{
    return read_some(L, PDU_READ_COILS);
}

static int read_discrete(lua_State *L)
{
    return read_some(L, PDU_READ_DISCRETE);
}

/* ---- Writing: bus:write_...(address, what[, unit]) -> true */

static int send_write(lua_State *L, struct bus *bus, int err, const struct pdu *request)
{
    struct pdu answer;
    if (err)
        return luaL_error(
            L,
            "modbus: expected an address from 0 to 65535, values from 0 to 65535 "
            "and at most %d of them (bits: %d)",
            PDU_WRITE_REGISTERS, PDU_WRITE_BITS);
    int results = ask(L, bus, check_unit(L, 4, bus->unit), request, &answer);
    if (results > 0)
        return bind_breathe(L, results);
    lua_pushboolean(L, 1);
    return bind_breathe(L, 1);
}

static int write_register(lua_State *L)
{
    struct bus *bus = check_bus(L);
    struct pdu request;
    int err =
        pdu_write_register(&request, luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
    return send_write(L, bus, err, &request);
}

static int write_coil(lua_State *L)
{
    struct bus *bus = check_bus(L);
    struct pdu request;
    luaL_checktype(L, 3, LUA_TBOOLEAN);
    int err = pdu_write_coil(&request, luaL_checkinteger(L, 2), lua_toboolean(L, 3));
    return send_write(L, bus, err, &request);
}

static lua_Integer check_list(lua_State *L, lua_Integer most)
{
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_Integer count = luaL_len(L, 3);
    luaL_argcheck(L, count >= 1 && count <= most, 3, "too few or too many values");
    return count;
}

static int write_registers(lua_State *L)
{
    struct bus *bus = check_bus(L);
    struct pdu request;
    uint16_t values[PDU_WRITE_REGISTERS];
    lua_Integer count = check_list(L, PDU_WRITE_REGISTERS);
    for (lua_Integer i = 0; i < count; i++) {
        lua_geti(L, 3, i + 1);
        lua_Integer value = lua_tointeger(L, -1);
        luaL_argcheck(L, lua_isinteger(L, -1) && value >= 0 && value <= UINT16_MAX, 3,
                      "expected whole numbers from 0 to 65535");
        values[i] = (uint16_t)value;
        lua_pop(L, 1);
    }
    int err = pdu_write_registers(&request, luaL_checkinteger(L, 2), values, count);
    return send_write(L, bus, err, &request);
}

static int write_coils(lua_State *L)
{
    struct bus *bus = check_bus(L);
    struct pdu request;
    bool on[PDU_WRITE_BITS];
    lua_Integer count = check_list(L, PDU_WRITE_BITS);
    for (lua_Integer i = 0; i < count; i++) {
        lua_geti(L, 3, i + 1);
        luaL_argcheck(L, lua_isboolean(L, -1), 3, "expected true and false");
        on[i] = lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    int err = pdu_write_coils(&request, luaL_checkinteger(L, 2), on, count);
    return send_write(L, bus, err, &request);
}

/* bus:request(bytes[, unit]) -> bytes: function code and what follows, as it is. */
static int request_raw(lua_State *L)
{
    struct bus *bus = check_bus(L);
    struct pdu request, answer;
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    luaL_argcheck(L, length >= 1 && length <= PDU_MAX, 2, "expected 1 to 253 bytes");
    luaL_argcheck(L, (uint8_t)bytes[0] >= 1 && (uint8_t)bytes[0] < 128, 2,
                  "expected a function from 1 to 127");
    memcpy(request.bytes, bytes, length);
    request.length = length;
    int results = ask(L, bus, check_unit(L, 3, bus->unit), &request, &answer);
    if (results > 0)
        return bind_breathe(L, results);
    lua_pushlstring(L, (const char *)answer.bytes, answer.length);
    return bind_breathe(L, 1);
}

/* ---- host.modbus.open(url[, { timeout =, unit = }]) */

static void read_options(lua_State *L, struct bus *bus)
{
    if (lua_isnoneornil(L, 2))
        return;
    luaL_checktype(L, 2, LUA_TTABLE);
    if (lua_getfield(L, 2, "timeout") != LUA_TNIL)
        bus->timeout_ms = (int)bind_duration(L, lua_gettop(L), 1);
    luaL_argcheck(L, bus->timeout_ms <= FIELDBUS_TIMEOUT_MOST_MS, 2,
                  "timeout: expected at most 5 s");
    lua_getfield(L, 2, "unit");
    bus->unit = check_unit(L, lua_gettop(L), bus->unit);
    lua_settop(L, 2);
}

static int open_bus(lua_State *L)
{
    struct busurl url;
    char why[200];
    const char *text = luaL_checkstring(L, 1);
    lua_settop(L, 2);
    if (busurl_parse(&url, text, why, sizeof(why)) != 0)
        return bind_fail(L, "argument", "%s", why);
    struct bus settings = {.unit = url.unit, .timeout_ms = FIELDBUS_TIMEOUT_MS};
    read_options(L, &settings);
    struct bus *bus = lua_newuserdatauv(L, sizeof(*bus), 0);
    *bus = settings;
    luaL_setmetatable(L, BUS); /* from here on __gc cleans up */
    /* Those that were dropped are collected in time. */
    lua_gc(L, LUA_GCSTEP, BUS_KIB);
    if (fieldbus_open(&bus->fieldbus, &url) != 0)
        return bind_fail(L, "argument", "%s: cannot be opened", text);
    return 1;
}

static const luaL_Reg METHODS[] = {
    {"read_holding", read_holding},
    {"read_input", read_input},
    {"read_coils", read_coils},
    {"read_discrete", read_discrete},
    {"write_register", write_register},
    {"write_registers", write_registers},
    {"write_coil", write_coil},
    {"write_coils", write_coils},
    {"request", request_raw},
    {"close", bus_close},
    {NULL, NULL},
};

void bind_modbus(lua_State *L)
{
    bind_class(L, BUS, METHODS, bus_close);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, open_bus);
    lua_setfield(L, -2, "open");
    lua_setfield(L, -2, "modbus");
}
