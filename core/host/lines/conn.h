/* conn - a line of bytes as plugins hold it: a TCP connection or a serial line.
 *
 * A userdata that is born closed and then filled. What it waits for ends with it; it cannot go while a
 * handler waits on it, because that handler holds it. */
#ifndef HOST_LINES_CONN_H
#define HOST_LINES_CONN_H

#include <lua.h>
#include <stdint.h>

#include "host/instance/task.h"
#include "host/lines/stream.h"

enum {
    CONN_IDLE_MS = 5 * 60 * 1000, /* a read's time-out when none is named */
    CONN_WRITE_MS = 30 * 1000,
    CONN_WRITE_MAX = 1024 * 1024,
    CONN_PEER_ROOM = 128
};

struct conn {
    struct stream stream;
    struct task *reader;
    struct task *writer;
    int64_t idle_ms;
    int64_t silence_ms;
    int64_t frame_until_ms; /* of the frame that is being read */
    int port;               /* 0: a device file */
    char peer[CONN_PEER_ROOM];
    bool has_called; /* the peer has: its port says nothing */
};

/* What all lines of bytes can be told when they are opened: idle, silence. The table at `options` may be
 * nil. */
struct conn_options {
    int64_t idle_ms;
    int64_t silence_ms;
};
void conn_options(lua_State *L, int options, struct conn_options *read);

/* Makes the metatable, once. */
void conn_bind(lua_State *L);
/* Pushes a closed one. */
struct conn *conn_new(lua_State *L, const struct conn_options *options);
void conn_open(struct conn *conn, struct loop *loop, int fd, const char *peer, int port);
void conn_close(struct conn *conn);

#endif
