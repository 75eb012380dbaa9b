/* spawn - a program of ours in a process of its own, with a line to the keeper. */
#ifndef KEEPER_CHILDREN_SPAWN_H
#define KEEPER_CHILDREN_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "keeper/children/hearsay.h"

struct spawn {
    const char *libexec; /* the folder of the programs */
    const char *program;
    const char *mode;     /* its first argument, or NULL */
    const char *instance; /* its second, for who looks at the processes */
    const char *plugin;   /* of the instance, where it is heard */
    struct loop *loop;    /* the same */
    bool last_processor;  /* see processors.h */
    int ring;             /* handed over as RING_CHILD_FD (wire/ring.h); 0: none */
    /* What it says on standard error comes here, until who reaps it ends that; NULL: into our log. */
    struct hearsay *hearsay;
};

/* Starts it; *fd becomes the keeper's end of its line. A program that cannot be executed ends with
 * 127. It dies with the keeper, and who reaps it is the caller. 0, -EAGAIN, or an errno of line.h. */
int spawn_start(const struct spawn *spawn, pid_t *pid, int *fd);

#endif
