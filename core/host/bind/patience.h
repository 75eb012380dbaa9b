/* patience - a handler that waits for news of something, not longer than it wants to.
 *
 * One handler at a time; what it waits for is a userdata on its stack, in which this is embedded. */
#ifndef HOST_BIND_PATIENCE_H
#define HOST_BIND_PATIENCE_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"

struct task;

struct patience {
    struct task *task; /* set exactly while a handler waits */
    struct loop *loop;
    struct loop_timer timer;
    int64_t most_ms; /* 0: as long as it takes */
    bool over;
};

void patience_init(struct patience *patience, struct loop *loop);

/* From now on the handler waits for `most_ms` in all, until patience_end(); 0: without a bound. */
void patience_begin(struct patience *patience, int64_t most_ms);
void patience_end(struct patience *patience);

/* Parks the task that runs; `finish` gets `context` when there is news or patience is over. Only as
 * `return patience_wait(...)`; raises outside of a task. */
int patience_wait(lua_State *L, struct patience *patience, lua_KFunction finish,
                  void *context);

/* There is news: wakes who waits, if anybody does. `patience` is a struct patience, so that this can
 * be handed down as a callback. */
void patience_news(void *patience);

#endif
