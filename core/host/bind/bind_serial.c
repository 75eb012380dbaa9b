/* bind_serial - host.serial: a serial line as a line of bytes. */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "host/bind/bind.h"
#include "host/instance/plugin.h"
#include "host/lines/conn.h"
#include "host/lines/lineurl.h"
#include "host/lines/serialport.h"

static const struct {
    int err;
    const char *code;
    const char *why;
} FAULTS[] = {
    {-ENOENT, "refused", "there is no such device"},
    {-ENXIO, "refused", "there is no such device"},
    {-ENODEV, "refused", "there is no such device"},
    {-ENOTTY, "argument", "it is no serial line"},
    {-EINVAL, "argument", "it cannot be set up like that"},
    {-EBUSY, "busy", "somebody else has locked it"},
    {-EACCES, "denied", "it is not named in the configuration, or not ours to open"},
    {-EPERM, "denied", "it is not ours to open"},
};

static int fail(lua_State *L, const char *device, int err)
{
    for (size_t i = 0; i < countof(FAULTS); i++)
        if (FAULTS[i].err == err)
            return bind_fail(L, FAULTS[i].code, "%s: %s", device, FAULTS[i].why);
    return bind_fail(L, "refused", "%s: %s", device, strerror(-err));
}

static int serial_open(lua_State *L)
{
    static const char *const NAMES[] = {"idle", "silence", NULL};
    struct lineurl url;
    struct conn_options options;
    char why[200];
    int fd;
    struct plugin *plugin = plugin_of(L);
    const char *text = luaL_checkstring(L, 1);
    lua_settop(L, 2);
    bind_options(L, 2, NAMES);
    if (lineurl_parse(&url, LINEURL_SERIAL, text, why, sizeof(why)) != 0)
        return bind_fail(L, "argument", "%s", why);
    conn_options(L, 2, &options);
    struct conn *conn = conn_new(L, &options);
    int err = serialport_open(&fd, &url);
    if (err) {
        plugin_unheard(plugin);
        return fail(L, url.place, err);
    }
    conn_open(conn, plugin->loop, fd, url.place, 0);
    return 1;
}

static const luaL_Reg FUNCTIONS[] = {{"open", serial_open}, {NULL, NULL}};

void bind_serial(lua_State *L)
{
    conn_bind(L);
    luaL_newlib(L, FUNCTIONS);
    lua_setfield(L, -2, "serial");
}
