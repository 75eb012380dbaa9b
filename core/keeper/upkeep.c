/* upkeep - see upkeep.h. */
#include "keeper/upkeep.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/log.h"
#include "base/now.h"
#include "keeper/sweep.h"
#include "proof/note.h"

static void next_errand(struct upkeep *upkeep);

static void news_are_old(struct loop_timer *timer)
{
    struct upkeep *upkeep = container_of(timer, struct upkeep, news);
    upkeep->wants_checkpoint = true;
    next_errand(upkeep);
}

static void copy_wal(struct upkeep *upkeep, int pages)
{
    int err = store_checkpoint(upkeep->journal->store, pages);
    if (err)
        log_warn("journal: the write-ahead log cannot be copied: %s", strerror(-err));
}

static bool is_quiet(const struct upkeep *upkeep)
{
    return now_mono_us() - upkeep->committed_us >= UPKEEP_QUIET_MS * 1000;
}

static void quiet_second(struct loop_timer *timer)
{
    struct upkeep *upkeep = container_of(timer, struct upkeep, quiet);
    if (is_quiet(upkeep)) {
        group_commit(upkeep->group); /* SQLite copies nothing inside a transaction */
        copy_wal(upkeep, UPKEEP_REST_PAGES);
    } else {
        loop_timer_start(upkeep->loop, &upkeep->quiet, UPKEEP_SEAL_MS);
    }
    upkeep->wants_seal |= seal_waiting(upkeep->journal) > 0;
    next_errand(upkeep);
}

static void try_again(struct loop_timer *timer)
{
    next_errand(container_of(timer, struct upkeep, retry));
}

static void later(struct upkeep *upkeep, const char *what, int err)
{
    log_error("journal: %s: %s; again in %d s", what, strerror(-err),
              UPKEEP_RETRY_MS / 1000);
    loop_timer_start(upkeep->loop, &upkeep->retry, UPKEEP_RETRY_MS);
}

static void take_note(struct upkeep *upkeep, const struct buffer *note)
{
    upkeep->size = upkeep->notary.checkpoint.size;
    buffer_clear(&upkeep->note);
    buffer_append(&upkeep->note, note->bytes, note->length);
    if (upkeep->signed_note != NULL)
        upkeep->signed_note(upkeep->owner, &upkeep->note);
}

static void checkpoint_done(void *owner, int err, const struct buffer *note)
{
    struct upkeep *upkeep = owner;
    if (err) {
        upkeep->wants_checkpoint = true;
        upkeep->checkpoint_failed = true;
        later(upkeep, "the checkpoint cannot be written", err);
        return;
    }
    upkeep->checkpoint_failed = false;
    take_note(upkeep, note);
    next_errand(upkeep);
}

static void seal_done(void *owner, int err, const struct buffer *result)
{
    struct upkeep *upkeep = owner;
    upkeep->seal_ending = true;
    group_commit(upkeep->group);
    if (!err)
        err = seal_end(&upkeep->seal, result);
    seal_free(&upkeep->seal);
    upkeep->seal_ending = false;
    upkeep->wants_seal |= seal_waiting(upkeep->journal) >= UPKEEP_TILES;
    if (err) {
        upkeep->wants_seal = true;
        upkeep->checkpoint_failed = false; /* each has its turn */
        later(upkeep, "tiles cannot be sealed", err);
        return;
    }
    next_errand(upkeep);
}

static int sign(void *owner, struct buffer *note)
{
    struct upkeep *upkeep = owner;
    return notary_work(&upkeep->notary, note);
}

static int write_tiles(void *owner, struct buffer *digests)
{
    struct upkeep *upkeep = owner;
    return seal_work(&upkeep->seal, digests);
}

static int start_checkpoint(struct upkeep *upkeep)
{
    loop_timer_stop(&upkeep->news);
    notary_begin(&upkeep->notary, upkeep->journal, upkeep->size);
    return errand_start(&upkeep->errand, upkeep->loop, sign, checkpoint_done, upkeep);
}

static int start_seal(struct upkeep *upkeep)
{
    int err = seal_begin(&upkeep->seal, upkeep->journal);
    if (err == -EBADMSG && upkeep->damaged != NULL)
        upkeep->damaged(upkeep->owner, err);
    if (!err)
        err = errand_start(&upkeep->errand, upkeep->loop, write_tiles, seal_done, upkeep);
    if (err)
        seal_free(&upkeep->seal);
    return err == -ENOENT ? 0 : err;
}

static void next_errand(struct upkeep *upkeep)
{
    int err = 0;
    if (errand_is_running(&upkeep->errand) || loop_timer_is_running(&upkeep->retry) ||
        upkeep->seal_ending)
        return;
    group_commit(upkeep->group); /* which may come back here */
    if (errand_is_running(&upkeep->errand))
        return;
    if (upkeep->wants_checkpoint && !(upkeep->checkpoint_failed && upkeep->wants_seal)) {
        err = start_checkpoint(upkeep);
        upkeep->wants_checkpoint = err != 0;
    } else if (upkeep->wants_seal) {
        err = start_seal(upkeep);
        upkeep->wants_seal = err != 0;
    }
    if (err)
        later(upkeep, "no errand can be started", err);
}

static void read_note(struct upkeep *upkeep)
{
    struct checkpoint checkpoint;
    char path[JOURNAL_PATH_MAX];
    if (journal_path(upkeep->journal, path, "checkpoint") == 0 &&
        file_read(&upkeep->note, path, NOTE_MAX) == 0 &&
        checkpoint_read(&checkpoint, upkeep->note.bytes, upkeep->note.length, NULL) == 0)
        upkeep->size = checkpoint.size;
}

void upkeep_open(struct upkeep *upkeep, struct loop *loop, struct journal *journal,
                 struct group *group)
{
    *upkeep = (struct upkeep){.loop = loop,
                              .journal = journal,
                              .group = group,
                              .news.fire = news_are_old,
                              .quiet.fire = quiet_second,
                              .retry.fire = try_again};
    read_note(upkeep);
    sweep_journal(journal->folder, upkeep->size);
}

void upkeep_close(struct upkeep *upkeep)
{
    errand_stop(&upkeep->errand);
    seal_free(&upkeep->seal);
    loop_timer_stop(&upkeep->news);
    loop_timer_stop(&upkeep->quiet);
    loop_timer_stop(&upkeep->retry);
    buffer_free(&upkeep->note);
}

void upkeep_committed(struct upkeep *upkeep, bool had_alarm)
{
    uint64_t news = (uint64_t)upkeep->journal->size - upkeep->size;
    upkeep->committed_us = now_mono_us();
    copy_wal(upkeep, UPKEEP_WAL_PAGES);
    if (!loop_timer_is_running(&upkeep->quiet))
        loop_timer_start(upkeep->loop, &upkeep->quiet, UPKEEP_SEAL_MS);
    if (news > 0 && !loop_timer_is_running(&upkeep->news))
        loop_timer_start(upkeep->loop, &upkeep->news, UPKEEP_NEWS_MS);
    upkeep->wants_checkpoint |= had_alarm || news >= UPKEEP_EVENTS;
    upkeep->wants_seal |= seal_waiting(upkeep->journal) >= UPKEEP_TILES;
    next_errand(upkeep);
}

int upkeep_finish(struct upkeep *upkeep)
{
    struct buffer note = {0};
    errand_stop(&upkeep->errand);
    notary_begin(&upkeep->notary, upkeep->journal, upkeep->size);
    int err = notary_work(&upkeep->notary, &note);
    if (!err)
        take_note(upkeep, &note);
    if (!err)
        sweep_journal(upkeep->journal->folder, upkeep->size); /* after the errand's end */
    buffer_free(&note);
    return err;
}
