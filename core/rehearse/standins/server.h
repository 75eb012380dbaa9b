/* server - stands in for host/web/server.c: who pushes is a double of the test. */
#ifndef REHEARSE_STANDINS_SERVER_H
#define REHEARSE_STANDINS_SERVER_H

#include <lua.h>

#include "host/web/server.h"

struct office;

/* office:push(name, port, request): the double of that name ("http://ADDRESS") pushes { method =, path =,
 * query =, headers =, body =, user =, password = } at the port; answers an id. Later the double's
 * answered(self, id, status, headers, body) is called, or answered(self, id, nil, fault): "refused" or
 * "closed". May raise. */
int server_push(lua_State *L, struct office *office);
/* The office is over. */
void server_forget_all(void);

#endif
