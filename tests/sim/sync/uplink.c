/* uplink - the real relay, keeperline and sync engine as a process. See office.h. */
#include "office.h"

#include "actor.h"
#include "base/base.h"
#include "cable.h"
#include "story.h"
#include "thread.h"
#include "turn.h"
#include "uplink/relay.h"
#include "wire/line.h"

static struct relay *relay;

static void ended(void *owner)
{
    (void)owner;
    if (relay == NULL)
        return;
    story_say("the uplink has ended");
    uplink_fell(false);
}

void uplink_begin(void)
{
    relay = NULL;
    thread_begin();
    turn_on_stop(ACTOR_UPLINK, ended);
}

static void live(void *owner)
{
    struct loop *loop;
    (void)owner;
    loop_open(&loop);
    int err = relay_open(&relay, loop, LINE_CHILD_FD);
    ASSERT(err == 0);
}

void uplink_start(void)
{
    if (relay != NULL)
        return;
    story_say("the uplink starts");
    actor_act(ACTOR_UPLINK, live, NULL);
}

bool uplink_is_running(void)
{
    return relay != NULL;
}

void uplink_fell(bool silent)
{
    relay = NULL;
    thread_cut(THREAD_UPLINK);
    cable_drop_client(ROAD_OFFICE_ALARM, silent);
    cable_drop_client(ROAD_OFFICE_BULK, silent);
    actor_wipe(ACTOR_UPLINK);
}
