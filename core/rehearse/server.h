<<<<<<< HEAD
/* server - stands in for host/server.c: who pushes is a double of the test. */
#ifndef REHEARSE_SERVER_H
#define REHEARSE_SERVER_H

#include <lua.h>

#include "host/server.h"

struct office;

/* office:push(name, port, request): the double of that name ("http://ADDRESS") pushes { method =, path =,
 * query =, headers =, body =, user =, password = } at the port; answers an id. Later the double's
 * answered(self, id, status, headers, body) is called, or answered(self, id, nil, fault): "refused" or
 * "closed". May raise. */
int server_push(lua_State *L, struct office *office);
/* The office is over. */
void server_forget_all(void);
=======
/* server - the devices' side of what stands in for host/server.c: a request to the plugin, its answer. */
#ifndef REHEARSE_SERVER_H
#define REHEARSE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

struct server_push {
    /* The request. Its texts live as long as it does. */
    const char *method;
    const char *path;
    const char *peer;
    const char *user; /* NULL: it does not log in */
    const char *password;
    const void *body;
    size_t body_length;
    struct buffer headers, query; /* name NUL value NUL ... */
    /* The answer. */
    bool over;
    int status; /* 0: hung up on */
    struct buffer said, answer;
    struct server_request *request; /* while it is under way */
};

/* Hands it to the plugin's server at that url; false when there is none. */
bool server_push(struct server_push *push, const char *url);
/* Nobody waits for its answer any more. */
void server_push_drop(struct server_push *push);
>>>>>>> 671deaf (rehearse: a test can push to the plugin's server as a device does)

#endif
