/* module - see module.h. */
#include "host/module/module.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "host/module/charset.h"
#include "host/module/digest.h"
#include "host/module/inflate.h"
#include "host/module/xml.h"

static const struct module MODULES[] = {
    {"json", module_json, NULL, NULL},
    {"gbk", module_gbk, "gbk", charset_open},
    {"host.xml", module_xml, "xml", xml_open},
    {"digest", module_digest, "digest", digest_open},
    {"inflate", module_inflate, "inflate", inflate_open},
};

static bool is_closed; /* only what was loaded is there */
static bool is_loaded[countof(MODULES)];

const struct module *module_find(const char *name)
{
    for (size_t i = 0; i < countof(MODULES); i++)
        if (strcmp(MODULES[i].name, name) == 0)
            return &MODULES[i];
    return NULL;
}

bool module_is_need(const char *need)
{
    for (size_t i = 0; i < countof(MODULES); i++)
        if (MODULES[i].need != NULL && strcmp(MODULES[i].need, need) == 0)
            return true;
    return false;
}

/* What one need brings may be all that another one needs. */
static int load_one(const char *need)
{
    for (size_t i = 0; i < countof(MODULES); i++) {
        if (MODULES[i].need == NULL || strcmp(MODULES[i].need, need) != 0)
            continue;
        int err = MODULES[i].load();
        if (err)
            return err;
        is_loaded[i] = true;
    }
    return 0;
}

int module_load(const struct json *needs)
{
    int err = 0;
    is_closed = true;
    for (const struct json *item = json_first(needs); item != NULL && !err;
         item = json_next(item))
        err = json_value(item) != NULL ? load_one(json_value(item)) : 0;
    return err;
}

void module_load_all(void)
{
    for (size_t i = 0; i < countof(MODULES); i++) {
        int err = MODULES[i].load != NULL ? MODULES[i].load() : 0;
        (void)err; /* who requires it is told */
    }
}

void module_push(lua_State *L, const struct module *module)
{
    if (is_closed && module->need != NULL && !is_loaded[module - MODULES])
        luaL_error(L, "require \"%s\": expected \"%s\" among the manifest's needs",
                   module->name, module->need);
    if (module->load != NULL && module->load() != 0)
        luaL_error(
            L,
            "require \"%s\": this system has no GB18030 (package libc6), no expat "
            "(libexpat1), no nettle with SM3 (libnettle8, 3.8) or no zlib (zlib1g)",
            module->name);
    lua_pushcfunction(L, module->open);
    lua_call(L, 0, 1);
}

static int free_buffer(lua_State *L)
{
    buffer_free(lua_touserdata(L, 1));
    return 0;
}

struct buffer *module_buffer(lua_State *L)
{
    static const luaL_Reg METHODS[] = {{"__gc", free_buffer}, {NULL, NULL}};
    struct buffer *buffer = lua_newuserdatauv(L, sizeof(*buffer), 0);
    *buffer = (struct buffer){0};
    if (luaL_newmetatable(L, "outpost.buffer"))
        luaL_setfuncs(L, METHODS, 0);
    lua_setmetatable(L, -2);
    return buffer;
}

int module_fail(lua_State *L, const char *format, ...)
{
    char message[300];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof(message), format, values);
    va_end(values);
    lua_pushnil(L);
    lua_pushstring(L, message);
    return 2;
}
