/* lookup - whether a host's name can be resolved now, asked by a child process.
 *
 * A name server that does not answer holds up whoever asks for half a minute. The MQTT library asks
 * in the middle of connecting, so it is only let at a name that has just been answered. The owner
 * keeps the memory; a zeroed lookup is a stopped one. */
#ifndef MQTT_LOOKUP_H
#define MQTT_LOOKUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/loop.h"

enum { LOOKUP_MAX_MS = 15 * 1000 }; /* then the answer is no */

struct lookup {
    void (*done)(struct lookup *lookup, bool found);
    struct loop_watch watch;
    struct loop_timer deadline;
    pid_t pid; /* 0: not asking */
    int fd;
};

/* `done` is called once, from the loop, unless it is stopped before. */
void lookup_start(struct loop *loop, struct lookup *lookup, const char *host);
void lookup_stop(struct lookup *lookup);

#endif
