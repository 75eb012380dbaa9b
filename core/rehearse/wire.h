/* wire - the other end of a line of bytes that the plugin holds: a TCP connection, a serial line, or a
 * UDP port to one device, in the hands of a double.
 *
 * The double is a table of the test with the functions joined(self, id), which may answer false (it takes
 * no calls), take(self, id, bytes) and left(self, id); it sends by office methods (rehearsal.c). What the plugin has written is looked at
 * before any commit that it sends afterwards (wire_drain), so that the trace never shows an
 * acknowledgement behind a commit that it did not wait for. */
#ifndef REHEARSE_WIRE_H
#define REHEARSE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/loop.h"

enum {
    WIRE_MAX = 64,
    WIRE_DOORS_MAX = 32,
    WIRE_LATER_MAX = 256,
    WIRE_NAME_ROOM = 300,
    WIRE_CALLER_ROOM = 64
};

struct office;

struct wire {
    struct office *office;
    struct loop_watch watch;
    int fd;  /* -1: nobody holds this line */
    int ref; /* the double, in the registry of the test; the office's */
    int id;
    char name[WIRE_NAME_ROOM];
};

/* Where the plugin listens. */
struct wire_door {
    int fd; /* the plugin's */
    int port;
};

/* What a double has said that it will send. */
struct wire_later {
    struct loop_timer timer;
    struct office *office;
    int id; /* 0: free */
    bool closes;
    struct buffer bytes;
};

struct wires {
    struct wire wire[WIRE_MAX];
    struct wire_door doors[WIRE_DOORS_MAX];
    struct wire_later later[WIRE_LATER_MAX];
    int door_count;
    int last_id;
    /* Who has come in, for accept4(); the oldest is taken first. */
    char callers[WIRE_MAX][WIRE_CALLER_ROOM];
    unsigned called, accepted;
};

/* A line to the double of this name: the plugin's end. 0, -ECONNREFUSED (there is none) or another
 * errno. `type` is SOCK_STREAM or SOCK_DGRAM. */
int wire_open(struct office *office, int *fd, const char *name, int type);

/* The plugin listens at that port; `fd` is made. */
int wire_listen(struct office *office, int *fd, int port);
int wire_port(const struct office *office, int fd);
/* The double of this name ("tcp://ADDRESS") comes in at that port. Its line's id, or a negative errno. */
int wire_call(struct office *office, const char *name, int port);
/* The address of who came in next; NULL: nobody has. */
const char *wire_caller(struct office *office);

/* The double sends bytes or closes, after so long. False when the line is gone. */
bool wire_send(struct office *office, int id, const void *bytes, size_t length,
               bool closes, int64_t after_ms);

/* Notes that the plugin has sent them: those that people can read as they are, others as hex. */
void wire_trace(struct office *office, const char *name, const char *bytes,
                size_t length);

/* Looks at what the plugin has written so far. */
void wire_drain(struct office *office);
/* The process is gone. */
void wire_end_all(struct office *office);

#endif
