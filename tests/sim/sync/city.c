/* city - see city.h.
 *
 * run_run() returns when its loop does, so it lives on a stack of its own: loop_run() leaves it
 * there, and comes back to it when the loop has been stopped. A dead one is never come back to. */
#include "city.h"

#include <stdlib.h>
#include <ucontext.h>

#include "actor.h"
#include "base/base.h"
#include "cable.h"
#include "city/run.h"
#include "story.h"
#include "turn.h"

enum { STACK_BYTES = 256 * 1024 };

static char stack[STACK_BYTES] __attribute__((aligned(16)));
static ucontext_t outside, inside;
static bool running, waiting;

static void live(void)
{
    static char *argv[] = {(char *)"run",
                           (char *)"--broker",
                           (char *)"mqtt://hub",
                           (char *)"--database",
                           (char *)"sqlite:city",
                           (char *)"--key",
                           (char *)"/keys/" CITY_KEY,
                           NULL};
    int status = run_run(countof(argv) - 1, argv);
    ASSERT(status == 0);
    waiting = false;
    swapcontext(&inside, &outside);
}

static void wait_for_end(void)
{
    waiting = true;
    swapcontext(&inside, &outside);
}

static void enter(void *owner)
{
    (void)owner;
    swapcontext(&outside, &inside);
}

static void ended(void *owner)
{
    (void)owner;
    if (!running || !waiting)
        return;
    actor_act(ACTOR_CITY, enter, NULL);
    story_say("the city has ended");
    city_fell(false);
}

void city_begin(void)
{
    running = waiting = false;
    turn_on_run(wait_for_end);
    turn_on_stop(ACTOR_CITY, ended);
}

void city_start(void)
{
    if (running)
        return;
    story_say("the city starts");
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = sizeof(stack);
    inside.uc_link = NULL;
    makecontext(&inside, live, 0);
    running = true;
    actor_act(ACTOR_CITY, enter, NULL);
}

bool city_is_running(void)
{
    return running;
}

void city_stop(void)
{
    if (running)
        turn_signal(ACTOR_CITY);
}

void city_fell(bool silent)
{
    running = waiting = false;
    cable_drop_client(ROAD_CITY_ALARM, silent);
    cable_drop_client(ROAD_CITY_BULK, silent);
    actor_wipe(ACTOR_CITY);
}
