/* errand - work beside the commit path, in a forked child: sealing, signing.
 *
 * The child sees the keeper's memory as it was when the errand began, writes files, and hands back
 * at most ERRAND_RESULT_MAX bytes. It never touches the store. It dies with the keeper; whatever
 * it does must therefore be harmless when cut at any point, and when done twice. It has no
 * descriptor of the keeper's but the one that the errand names: what the keeper closes is closed. One
 * runs at a time of each struct. */
#ifndef KEEPER_JOURNAL_ERRAND_H
#define KEEPER_JOURNAL_ERRAND_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/loop.h"

enum { ERRAND_RESULT_MAX = 64 * 1024 };

struct errand {
    struct loop_watch watch;
    int fd;
    pid_t pid; /* 0 while none runs */
    int keeps; /* a descriptor that the child has too; 0 none */
    struct buffer result;
    void (*done)(void *owner, int err, const struct buffer *result);
    void *owner;
};

typedef int errand_work(void *owner, struct buffer *result);

/* Begins; `done` is called once from the loop, with 0 and the result or a negative errno (-ECHILD
 * when the child died). 0, -EBUSY, or the errno of pipe or fork. */
int errand_start(struct errand *errand, struct loop *loop, errand_work *work,
                 void (*done)(void *owner, int err, const struct buffer *result),
                 void *owner);
/* Waits for its end, which calls `done`, for at most so long. */
void errand_wait(struct errand *errand, int ms);

bool errand_is_running(const struct errand *errand);
/* Ends it unfinished; `done` is not called. */
void errand_stop(struct errand *errand);

#endif
