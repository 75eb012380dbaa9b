/* reel - see reel.h. */
#include "keeper/captures/reel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "base/now.h"
#include "keeper/captures/freezer.h"
#include "wire/ring.h"

static void asked_is_over(struct loop_timer *timer)
{
    struct reel *reel = container_of(timer, struct reel, until);
    reel->frozen_us = 0;
    int err = reel_freeze(reel, "asked", reel->who);
    if (err)
        log_warn("%s: no device bytes are kept: %s", reel->instance,
                 err == -ENODATA ? "there were none" : strerror(-err));
}

void reel_open(struct reel *reel, struct freezer *freezer, const char *plugin,
               const char *instance)
{
    *reel = (struct reel){.freezer = freezer, .ring = -1, .until.fire = asked_is_over};
    snprintf(reel->plugin, sizeof(reel->plugin), "%s", plugin);
    snprintf(reel->instance, sizeof(reel->instance), "%s", instance);
}

static void drop_ring(struct reel *reel)
{
    if (reel->ring >= 0)
        close(reel->ring);
    reel->ring = -1;
}

void reel_close(struct reel *reel)
{
    if (reel->freezer == NULL)
        return;
    loop_timer_stop(&reel->until);
    drop_ring(reel);
    reel->freezer = NULL;
}

void reel_renew(struct reel *reel)
{
    if (reel->freezer == NULL)
        return;
    drop_ring(reel);
    int err = ring_make(&reel->ring);
    if (err)
        log_warn("%s: its devices cannot be recorded: %s", reel->instance,
                 strerror(-err));
}

int reel_freeze(struct reel *reel, const char *reason, const char *who)
{
    int64_t now_us = now_mono_us();
    if (reel->freezer == NULL || reel->ring < 0 || ring_is_empty(reel->ring))
        return -ENODATA;
    if (reel->frozen_us != 0 && now_us - reel->frozen_us < REEL_PAUSE_MS * 1000LL) {
        reel->suppressed++;
        return -EAGAIN;
    }
    int err = freezer_add(reel->freezer, reel, reason, who);
    if (err) {
        reel->suppressed++;
        return err;
    }
    reel->frozen_us = now_us;
    reel->suppressed = 0;
    return 0;
}

void reel_freeze_after(struct reel *reel, int64_t ms, const char *who)
{
    if (reel->freezer == NULL)
        return;
    snprintf(reel->who, sizeof(reel->who), "%s", who);
    loop_timer_start(freezer_loop(reel->freezer), &reel->until, ms);
}
