/* patience - see patience.h. */
#include "host/bind/patience.h"

#include "base/base.h"
#include "host/instance/task.h"

static void grow_tired(struct loop_timer *timer)
{
    struct patience *patience = container_of(timer, struct patience, timer);
    patience->over = true;
    patience_news(patience);
}

void patience_init(struct patience *patience, struct loop *loop)
{
    *patience = (struct patience){.loop = loop, .timer.fire = grow_tired};
}

void patience_begin(struct patience *patience, int64_t most_ms)
{
    patience->most_ms = most_ms;
    patience->over = false;
    if (most_ms > 0)
        loop_timer_start(patience->loop, &patience->timer, most_ms);
}

void patience_end(struct patience *patience)
{
    loop_timer_stop(&patience->timer);
}

int patience_wait(lua_State *L, struct patience *patience, lua_KFunction finish,
                  void *context)
{
    task_check(L);
    patience->task = task_of(L);
    return task_park(L, finish, context);
}

void patience_news(void *waited)
{
    struct patience *patience = waited;
    struct task *task = patience->task;
    patience->task = NULL;
    if (task != NULL)
        task_wake(task);
}
