/* recheck - see recheck.h. */
#include "keeper/blobs/recheck.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"
#include "base/random.h"
#include "keeper/blobs/heirs.h"

static void go_on(struct loop_timer *timer);

void recheck_open(struct recheck *recheck, struct loop *loop, struct blobs *blobs)
{
    *recheck = (struct recheck){
        .loop = loop, .blobs = blobs, .next.fire = go_on, .has_no_sm3 = true};
    random_bytes(recheck->at.bytes, DIGEST_BYTES);
}

void recheck_close(struct recheck *recheck)
{
    errand_stop(&recheck->errand);
    loop_timer_stop(&recheck->next);
}

void recheck_start(struct recheck *recheck)
{
    if (!recheck->blobs->is_shut)
        loop_timer_start(recheck->loop, &recheck->next, RECHECK_FIRST_MS);
}

int64_t recheck_pause_ms(int64_t count)
{
    int64_t ms = RECHECK_WEEK_MS / (count > 0 ? count : 1);
    return ms < RECHECK_LEAST_MS ? RECHECK_LEAST_MS : ms;
}

static int64_t count_of(const struct recheck *recheck)
{
    int64_t count = 0;
    for (int class = 0; class < CATALOG_CLASSES; class ++)
        count += recheck->blobs->sum.count[class];
    return count;
}

static void wait_for_next(struct recheck *recheck)
{
    loop_timer_start(recheck->loop, &recheck->next,
                     recheck->has_no_sm3 ? RECHECK_LEAST_MS
                                         : recheck_pause_ms(count_of(recheck)));
}

/* NULL: it is as it was, or nobody knows. */
static const char *reason_of(int err)
{
    static const struct {
        int err;
        const char *reason;
    } REASONS[] = {{EBADMSG, "changed"}, {EPROTONOSUPPORT, "changed"},
                   {ELOOP, "changed"},   {EISDIR, "changed"},
                   {ENOENT, "missing"},  {EIO, "unreadable"},
                   {EKEYREJECTED, "key"}};
    for (size_t i = 0; i < countof(REASONS); i++)
        if (err == -REASONS[i].err)
            return REASONS[i].reason;
    return NULL;
}

/* Who says none, and is not damaged either, is not asked again: the others have their turn. */
static void learn(struct recheck *recheck, int err, const struct buffer *result)
{
    struct digest sm3;
    bool is_told = err == 0 && result->length == sizeof(sm3);
    recheck->has_no_sm3 &= is_told || reason_of(err) != NULL;
    if (!is_told)
        return;
    memcpy(&sm3, result->bytes, sizeof(sm3));
    heirs_learn(recheck->blobs, &recheck->at, &sm3);
}

/* A file that is just being replaced, or a disk that fails once, looks well the second time. */
static void looked(void *owner, int err, const struct buffer *result)
{
    struct recheck *recheck = owner;
    const char *reason = reason_of(err);
    bool was_again = recheck->is_again;
    recheck->is_again = reason != NULL && !was_again;
    if (recheck->is_again) {
        loop_timer_start(recheck->loop, &recheck->next, RECHECK_LEAST_MS);
        return;
    }
    recheck->looked++;
    if (recheck->scribe.wants_sm3)
        learn(recheck, err, result);
    if (reason != NULL) {
        recheck->bad++;
        log_error("blobs: one is not what was stored: %s", reason);
        blobs_damaged(recheck->blobs, &recheck->at, reason);
    }
    wait_for_next(recheck);
}

static int take_next(void *owner, const struct catalog_blob *blob)
{
    struct recheck *recheck = owner;
    recheck->at = blob->sha256;
    return blob->is_released || blob->is_damaged ? 0 : 1;
}

/* Behind the last one comes the first; what is told already need not be read again. */
static int find_next(struct recheck *recheck)
{
    struct store *store = recheck->blobs->journal->store;
    struct digest after = recheck->at;
    int found = catalog_each(store, &after, BLOBS_RELEASE_MAX, take_next, recheck);
    if (found == 0 && digest_equal(&after, &recheck->at))
        found = catalog_each(store, NULL, BLOBS_RELEASE_MAX, take_next, recheck);
    return found < 0 ? found : found == 1 ? 0 : -ENOENT;
}

static int find_no_sm3(struct recheck *recheck)
{
    struct catalog_blob blob;
    int err = catalog_find_no_sm3(recheck->blobs->journal->store, &blob);
    if (err)
        recheck->has_no_sm3 = false;
    else
        recheck->at = blob.sha256;
    return err;
}

static int check(void *owner, struct buffer *result)
{
    struct recheck *recheck = owner;
    return scribe_check(&recheck->scribe, result);
}

int recheck_look(struct recheck *recheck)
{
    bool learns = recheck->is_again ? recheck->scribe.wants_sm3
                                    : recheck->has_no_sm3 && find_no_sm3(recheck) == 0;
    int err = recheck->is_again || learns ? 0 : find_next(recheck);
    if (err)
        return err;
    recheck->scribe = (struct scribe){.depot = &recheck->blobs->depot,
                                      .digest = recheck->at,
                                      .pace = RECHECK_BYTES,
                                      .wants_sm3 = learns};
    loop_timer_stop(&recheck->next);
    return errand_start(&recheck->errand, recheck->loop, check, looked, recheck);
}

static void go_on(struct loop_timer *timer)
{
    struct recheck *recheck = container_of(timer, struct recheck, next);
    int err = recheck_look(recheck);
    if (err && err != -ENOENT)
        log_warn("blobs: none can be read again now: %s", strerror(-err));
    if (err)
        wait_for_next(recheck);
}
