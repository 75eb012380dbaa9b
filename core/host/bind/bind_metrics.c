/* bind_metrics - host.metrics: counts and gauges for whoever looks at the box. */
#include "host/bind/bind.h"
#include "host/instance/plugin.h"

static int count(lua_State *L)
{
    metrics_count(&plugin_of(L)->metrics, luaL_checkstring(L, 1),
                  luaL_optnumber(L, 2, 1));
    return 0;
}

static int gauge(lua_State *L)
{
    metrics_gauge(&plugin_of(L)->metrics, luaL_checkstring(L, 1), luaL_checknumber(L, 2));
    return 0;
}

static const luaL_Reg FUNCTIONS[] = {{"count", count}, {"gauge", gauge}, {NULL, NULL}};

void bind_metrics(lua_State *L)
{
    luaL_newlib(L, FUNCTIONS);
    lua_setfield(L, -2, "metrics");
}
