/* recording - see recording.h.
 *
 * Rule of this file: what may raise runs in load(), under one lua_pcall(), or is called from a double,
 * below office_ask_here(). */
#include "rehearse/recording.h"

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "host/boundary/budget.h"
#include "rehearse/office.h"
#include "rehearse/standins/now_clock.h"
#include "wire/pcapng.h"

enum { MOST_BYTES = 256 * 1024 * 1024 };

struct recording {
    struct office *office;
    struct budget budget;
    lua_State *L;
    struct pcapng pcapng;
    const char *library;
    int err; /* of the file */
};

/* ---- What a double does */

static int pass(lua_State *L)
{
    now_clock_pass(luaL_checkinteger(L, 1) * 1000);
    return 0;
}

/* send(id, bytes, ms) */
static int send_bytes(lua_State *L)
{
    struct office *office = lua_touserdata(L, lua_upvalueindex(1));
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    wire_send(office, (int)luaL_checkinteger(L, 1), bytes, length, false,
              luaL_checkinteger(L, 3));
    return 0;
}

static int miss(lua_State *L)
{
    struct office *office = lua_touserdata(L, lua_upvalueindex(1));
    unrecorded_count(&office->unrecorded, luaL_checkstring(L, 1));
    return 0;
}

static void push_world(lua_State *L, struct office *office)
{
    static const luaL_Reg FUNCTIONS[] = {
        {"pass", pass}, {"send", send_bytes}, {"missing", miss}, {NULL, NULL}};
    lua_newtable(L);
    lua_pushlightuserdata(L, office);
    luaL_setfuncs(L, FUNCTIONS, 1);
}

/* ---- Reading the file */

static void push_piece(lua_State *L, const struct pcapng_piece *piece)
{
    lua_createtable(L, 0, 3);
    lua_pushboolean(L, piece->is_out);
    lua_setfield(L, -2, "out");
    lua_pushinteger(L, piece->utc_us / 1000);
    lua_setfield(L, -2, "at");
    lua_pushlstring(L, piece->bytes, piece->length);
    lua_setfield(L, -2, "bytes");
}

/* Leaves a list of { url =, pieces = {} }, by number. */
static void push_devices(lua_State *L, struct recording *recording)
{
    struct pcapng_piece piece;
    int devices = 0;
    lua_newtable(L);
    while ((recording->err = pcapng_next(&recording->pcapng, &piece)) == 1) {
        for (; devices < recording->pcapng.devices; devices++) {
            lua_createtable(L, 0, 2);
            lua_pushstring(L, recording->pcapng.names[devices]);
            lua_setfield(L, -2, "url");
            lua_newtable(L);
            lua_setfield(L, -2, "pieces");
            lua_rawseti(L, -2, devices + 1);
        }
        lua_rawgeti(L, -1, piece.device + 1);
        lua_getfield(L, -1, "pieces");
        push_piece(L, &piece);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        lua_pop(L, 2);
    }
    if (recording->err < 0)
        luaL_error(L, "it is damaged, or has more than %d devices", PCAPNG_DEVICES_MAX);
}

/* ---- The doubles */

static void require_recorded(lua_State *L, const char *library)
{
    luaL_openlibs(L);
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_pushfstring(L, "%s/?.lua;%s/test/?.lua", library, library);
    lua_setfield(L, -2, "path");
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
    lua_pop(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "recorded");
    lua_call(L, 1, 1);
}

/* The double on top of the stack goes. */
static void add_double(lua_State *L, struct office *office, const char *url)
{
    char why[200] = "too many of them";
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    if (office_add_device(office, url, ref, why, sizeof(why)) != 0)
        luaL_error(L, "device %s: %s", url, why);
}

static int load(lua_State *L)
{
    struct recording *recording = lua_touserdata(L, 1);
    require_recorded(L, recording->library);
    lua_getfield(L, -1, "devices");
    push_devices(L, recording);
    push_world(L, recording->office);
    lua_call(L, 2, 1);
    for (lua_pushnil(L); lua_next(L, -2);)
        add_double(L, recording->office, luaL_checkstring(L, -2));
    return 0;
}

int recording_open(struct recording **out, struct office *office, const void *bytes,
                   size_t length, const char *library, char *why, size_t room)
{
    struct recording *recording = mem_new(struct recording);
    *recording = (struct recording){
        .office = office, .library = library, .budget.most_bytes = MOST_BYTES};
    int err = pcapng_open(&recording->pcapng, bytes, length);
    if (err)
        snprintf(why, room, "it is no pcapng");
    if (!err && (recording->L = budget_new_state(&recording->budget)) == NULL)
        err = -ENOMEM;
    if (!err) {
        lua_pushcfunction(recording->L, load);
        lua_pushlightuserdata(recording->L, recording);
    }
    if (!err && lua_pcall(recording->L, 1, 0, 0) != LUA_OK) {
        const char *text = lua_tostring(recording->L, -1);
        snprintf(why, room, "%s", text != NULL ? text : "it raised");
        err = -EPROTO;
    }
    if (err) {
        recording_close(recording);
        return err;
    }
    office->has_recording = true;
    *out = recording;
    return 0;
}

void recording_close(struct recording *recording)
{
    if (recording == NULL)
        return;
    if (recording->L != NULL)
        lua_close(recording->L);
    mem_free(recording);
}

lua_State *recording_state(struct recording *recording)
{
    return recording != NULL ? recording->L : NULL;
}
