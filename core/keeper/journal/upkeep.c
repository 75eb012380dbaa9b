/* upkeep - see upkeep.h. */
#include "keeper/journal/upkeep.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/log.h"
#include "base/now.h"
#include "keeper/blobs/eraser.h"
#include "keeper/repair/sweep.h"
#include "keeper/space/usage.h"
#include "proof/note.h"

enum { SETTLE_TRIES = 4 };

static void news_are_old(struct loop_timer *timer)
{
    struct upkeep *upkeep = container_of(timer, struct upkeep, news);
    upkeep->wants_checkpoint = true;
    upkeep_wake(upkeep);
}

static void copy_wal(struct upkeep *upkeep, int pages)
{
    int err = store_checkpoint(upkeep->journal->store, pages);
    if (err && err != upkeep->copy_failed)
        log_warn("journal: the write-ahead log cannot be copied: %s", strerror(-err));
    upkeep->copy_failed = err;
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
        if (!errand_is_running(&upkeep->errand))
            seal_free(&upkeep->seal);
    } else {
        loop_timer_start(upkeep->loop, &upkeep->quiet, UPKEEP_SEAL_MS);
    }
    upkeep->wants_seal |= seal_waiting(upkeep->journal) > 0;
    upkeep_wake(upkeep);
}

static void try_again(struct loop_timer *timer)
{
    upkeep_wake(container_of(timer, struct upkeep, retry));
}

static void fail(struct upkeep *upkeep, enum upkeep_duty duty, int err);

static void succeed(struct upkeep *upkeep, enum upkeep_duty duty);

/* Commits until nothing is open: what hears of a commit may write again. */
static bool settle(struct upkeep *upkeep)
{
    for (int i = 0; i < SETTLE_TRIES && upkeep->journal->is_open; i++)
        group_commit(upkeep->group);
    return !upkeep->journal->is_open;
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
        fail(upkeep, UPKEEP_SIGN, err);
        return;
    }
    succeed(upkeep, UPKEEP_SIGN);
    take_note(upkeep, note);
    upkeep_wake(upkeep);
}

static int end_seal(struct upkeep *upkeep, const struct buffer *digests)
{
    int64_t from = (int64_t)upkeep->seal.first, count = upkeep->seal.count;
    int err = settle(upkeep) ? seal_end(&upkeep->seal, digests) : -EBUSY;
    if (!err && upkeep->storage != NULL)
        storage_sealed(upkeep->storage, from, from + count);
    return err;
}

static void tell_damage(struct upkeep *upkeep, int err)
{
    if (err == -EBADMSG && upkeep->damaged != NULL)
        upkeep->damaged(upkeep->owner, err);
}

static void seal_done(void *owner, int err, const struct buffer *digests)
{
    struct upkeep *upkeep = owner;
    tell_damage(upkeep, err);
    upkeep->is_ending = true;
    if (!err)
        err = end_seal(upkeep, digests);
    upkeep->is_ending = false;
    upkeep->wants_seal |= seal_waiting(upkeep->journal) >= UPKEEP_TILES;
    if (err) {
        upkeep->wants_seal = true;
        fail(upkeep, UPKEEP_SEAL, err);
        return;
    }
    succeed(upkeep, UPKEEP_SEAL);
    upkeep_wake(upkeep);
}

static void thin_done(void *owner, int err, const struct buffer *answer)
{
    struct upkeep *upkeep = owner;
    struct thin_score score = {.broken = -1};
    upkeep->is_ending = true;
    if (!err)
        err = settle(upkeep) ? thin_end(&upkeep->thin, upkeep->group, answer, &score)
                             : -EBUSY;
    if (err)
        thin_drop(&upkeep->thin, 0);
    upkeep->is_ending = false;
    storage_thinned(upkeep->storage, err, &score);
    if (err) {
        fail(upkeep, UPKEEP_THIN, err);
        return;
    }
    succeed(upkeep, UPKEEP_THIN);
    upkeep_wake(upkeep);
}

static void count_done(void *owner, int err, const struct buffer *answer)
{
    struct upkeep *upkeep = owner;
    int64_t files;
    if (!err && answer->length != sizeof(files))
        err = -ECHILD;
    if (err) {
        fail(upkeep, UPKEEP_COUNT, err);
        return;
    }
    succeed(upkeep, UPKEEP_COUNT);
    memcpy(&files, answer->bytes, sizeof(files));
    storage_counted(upkeep->storage, files);
    upkeep_wake(upkeep);
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
    int err = errand_start(&upkeep->errand, upkeep->loop, sign, checkpoint_done, upkeep);
    upkeep->wants_checkpoint = err != 0;
    return err;
}

static int start_seal(struct upkeep *upkeep)
{
    int err = seal_begin(&upkeep->seal, upkeep->journal);
    tell_damage(upkeep, err);
    if (!err)
        err = errand_start(&upkeep->errand, upkeep->loop, write_tiles, seal_done, upkeep);
    upkeep->wants_seal = err != 0 && err != -ENOENT;
    return err == -ENOENT ? 0 : err;
}

static int thin_files(void *owner, struct buffer *answer)
{
    struct upkeep *upkeep = owner;
    return thin_work(&upkeep->thin, answer);
}

static int count_files(void *owner, struct buffer *answer)
{
    struct upkeep *upkeep = owner;
    return usage_count(upkeep->journal, answer);
}

static int start_thin(struct upkeep *upkeep)
{
    struct storage *storage = upkeep->storage;
    int err =
        thin_begin(&upkeep->thin, upkeep->journal, storage->thin_from, storage->keep_ms);
    if (!err)
        err = errand_start(&upkeep->errand, upkeep->loop, thin_files, thin_done, upkeep);
    if (err == -ENOENT)
        storage_thinned(storage, err, NULL);
    return err == -ENOENT ? 0 : err;
}

static int start_count(struct upkeep *upkeep)
{
    return errand_start(&upkeep->errand, upkeep->loop, count_files, count_done, upkeep);
}

/* No tile without a checkpoint: who verifies would take it for one that was removed. */
static bool wants_first(const struct upkeep *upkeep)
{
    return upkeep->wants_seal && upkeep->size == 0 && seal_waiting(upkeep->journal) > 0;
}

static bool wants_checkpoint(const struct upkeep *upkeep)
{
    return upkeep->wants_checkpoint || wants_first(upkeep);
}

static bool wants_seal(const struct upkeep *upkeep)
{
    return upkeep->wants_seal && !wants_first(upkeep);
}

static bool wants_thin(const struct upkeep *upkeep)
{
    return upkeep->storage != NULL && storage_wants_thinning(upkeep->storage);
}

static bool wants_count(const struct upkeep *upkeep)
{
    return upkeep->storage != NULL && storage_wants_count(upkeep->storage);
}

static void scrub_done(void *owner, int err, const struct buffer *answer)
{
    struct upkeep *upkeep = owner;
    upkeep->is_ending = true;
    if (!err)
        err = settle(upkeep) ? scrub_end(upkeep->scrub, answer) : -EBUSY;
    upkeep->is_ending = false;
    if (err) {
        fail(upkeep, UPKEEP_SCRUB, err);
        return;
    }
    succeed(upkeep, UPKEEP_SCRUB);
    upkeep_wake(upkeep);
}

static int read_again(void *owner, struct buffer *answer)
{
    struct upkeep *upkeep = owner;
    return scrub_work(upkeep->scrub, answer);
}

static int start_scrub(struct upkeep *upkeep)
{
    int err = scrub_begin(upkeep->scrub);
    if (!err)
        err = errand_start(&upkeep->errand, upkeep->loop, read_again, scrub_done, upkeep);
    return err == -ENOENT ? 0 : err;
}

static void erase_done(void *owner, int err, const struct buffer *answer)
{
    struct upkeep *upkeep = owner;
    upkeep->is_ending = true;
    if (!err)
        err = settle(upkeep) ? eraser_end(upkeep->blobs, answer) : -EBUSY;
    upkeep->is_ending = false;
    if (err) {
        upkeep->blobs->has_old = true;
        fail(upkeep, UPKEEP_ERASE, err);
        return;
    }
    succeed(upkeep, UPKEEP_ERASE);
    upkeep_wake(upkeep);
}

static int erase_files(void *owner, struct buffer *answer)
{
    struct upkeep *upkeep = owner;
    return eraser_work(upkeep->blobs, answer);
}

static int start_erase(struct upkeep *upkeep)
{
    int err = eraser_begin(upkeep->blobs);
    if (!err)
        err =
            errand_start(&upkeep->errand, upkeep->loop, erase_files, erase_done, upkeep);
    return err;
}

static bool wants_erase(const struct upkeep *upkeep)
{
    return upkeep->blobs != NULL && eraser_wants(upkeep->blobs);
}

static bool wants_scrub(const struct upkeep *upkeep)
{
    return upkeep->scrub != NULL && scrub_wants(upkeep->scrub);
}

static const struct {
    const char *what;
    bool (*wanted)(const struct upkeep *upkeep);
    int (*start)(struct upkeep *upkeep);
} DUTIES[UPKEEP_DUTIES] = {
    [UPKEEP_SIGN] = {"signing a checkpoint", wants_checkpoint, start_checkpoint},
    [UPKEEP_SEAL] = {"sealing tiles", wants_seal, start_seal},
    [UPKEEP_THIN] = {"thinning telemetry", wants_thin, start_thin},
    [UPKEEP_COUNT] = {"counting files", wants_count, start_count},
    [UPKEEP_SCRUB] = {"reading again what is sealed", wants_scrub, start_scrub},
    [UPKEEP_ERASE] = {"erasing blobs", wants_erase, start_erase},
};

static void fail(struct upkeep *upkeep, enum upkeep_duty duty, int err)
{
    if (upkeep->failed[duty] != err)
        log_error("journal: %s failed: %s; it is tried again every %d s",
                  DUTIES[duty].what, strerror(-err), UPKEEP_RETRY_MS / 1000);
    upkeep->failed[duty] = err;
    loop_timer_start(upkeep->loop, &upkeep->retry, UPKEEP_RETRY_MS);
}

static void succeed(struct upkeep *upkeep, enum upkeep_duty duty)
{
    if (upkeep->failed[duty] != 0)
        log_info("journal: %s goes on", DUTIES[duty].what);
    upkeep->failed[duty] = 0;
}

static bool is_free(const struct upkeep *upkeep)
{
    return !errand_is_running(&upkeep->errand) &&
           !loop_timer_is_running(&upkeep->retry) && !upkeep->is_ending;
}

/* In turns, so that one that fails or is always wanted holds up no other. */
void upkeep_wake(struct upkeep *upkeep)
{
    if (!is_free(upkeep) || !settle(upkeep)) /* which may come back here */
        return;
    for (int i = 1; i <= UPKEEP_DUTIES && is_free(upkeep); i++) {
        enum upkeep_duty duty = (enum upkeep_duty)((upkeep->last + i) % UPKEEP_DUTIES);
        if (!DUTIES[duty].wanted(upkeep))
            continue;
        int err = DUTIES[duty].start(upkeep);
        if (err)
            fail(upkeep, duty, err);
        if (errand_is_running(&upkeep->errand))
            upkeep->last = duty;
    }
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
    int err = thin_finish(journal); /* before anything is swept */
    if (err)
        log_error("journal: what was thinned last cannot be put in its place: %s",
                  strerror(-err));
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
    int pages = UPKEEP_WAL_PAGES;
    upkeep->committed_us = now_mono_us();
    if (upkeep->storage != NULL)
        pages = reserve_ahead_pages(&upkeep->storage->reserve, pages);
    copy_wal(upkeep, pages);
    if (upkeep->storage != NULL)
        storage_committed(upkeep->storage);
    if (!loop_timer_is_running(&upkeep->quiet))
        loop_timer_start(upkeep->loop, &upkeep->quiet, UPKEEP_SEAL_MS);
    if (news > 0 && !loop_timer_is_running(&upkeep->news))
        loop_timer_start(upkeep->loop, &upkeep->news, UPKEEP_NEWS_MS);
    upkeep->wants_checkpoint |= had_alarm || news >= UPKEEP_EVENTS;
    upkeep->wants_seal |= seal_waiting(upkeep->journal) >= UPKEEP_TILES;
    upkeep_wake(upkeep);
    if (upkeep->storage != NULL && !upkeep->is_ending &&
        storage_is_behind(upkeep->storage))
        errand_wait(&upkeep->errand, UPKEEP_WAIT_MS);
}

int upkeep_finish(struct upkeep *upkeep)
{
    struct buffer note = {0};
    if (errand_is_running(&upkeep->errand) && upkeep->last == UPKEEP_THIN) {
        pid_t pid = upkeep->errand.pid;
        errand_stop(&upkeep->errand);
        thin_drop(&upkeep->thin, pid);
    }
    errand_stop(&upkeep->errand);
    if (!settle(upkeep))
        return -EBUSY;
    notary_begin(&upkeep->notary, upkeep->journal, upkeep->size);
    int err = notary_work(&upkeep->notary, &note);
    if (!err)
        take_note(upkeep, &note);
    if (!err)
        sweep_journal(upkeep->journal->folder, upkeep->size); /* after the errand's end */
    buffer_free(&note);
    return err;
}
