/* blobs - see blobs.h.
 *
 * Invariant: `held` is what the bytes of all spools and blobs come to, at most BLOBS_BYTES_MAX: what
 * would be more is taken from the pipe, counted and not kept, and the seal then says that there was no
 * room. */
#include "rehearse/blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/hex.h"
#include "base/mem.h"
#include "host/module/digest.h"

enum { READ_BYTES = 64 * 1024 };

/* ---- Spools */

static struct blobs_spool *find_spool(struct blobs *blobs, int64_t number)
{
    for (int i = 0; i < TALK_SPOOLS_MAX; i++)
        if (blobs->spools[i].number == number)
            return &blobs->spools[i];
    return NULL;
}

static void end_spool(struct blobs_spool *spool)
{
    loop_watch_stop(&spool->watch);
    close(spool->fd);
    spool->blobs->held -= spool->bytes.length;
    buffer_free(&spool->bytes);
    spool->number = 0;
}

/* What a pipe has for us now. One byte beyond `most` is enough to know that it is too much. */
static void take_bytes(struct blobs_spool *spool)
{
    static char room[READ_BYTES];
    struct blobs *blobs = spool->blobs;
    ssize_t length;
    while ((length = read(spool->fd, room, sizeof(room))) > 0) {
        size_t left = BLOBS_BYTES_MAX - blobs->held;
        size_t taken = (size_t)length < left ? (size_t)length : left;
        buffer_append(&spool->bytes, room, taken);
        blobs->held += taken;
    }
    if (length == 0)
        loop_watch_stop(&spool->watch);
}

static void readable(struct loop_watch *watch, bool reads, bool writes)
{
    (void)reads;
    (void)writes;
    take_bytes(container_of(watch, struct blobs_spool, watch));
}

int blobs_spool(struct blobs *blobs, int64_t most, int64_t *number, int *fd)
{
    int fds[2];
    struct blobs_spool *spool = find_spool(blobs, 0);
    if (blobs->refusals > 0) {
        blobs->refusals--;
        return blobs->refusal;
    }
    if (spool == NULL)
        return EBUSY;
    if (digest_open() != 0)
        return EIO;
    if (blobs->count == BLOBS_MAX || blobs->held >= BLOBS_BYTES_MAX)
        return ENOSPC;
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return EIO;
    *spool = (struct blobs_spool){.number = ++blobs->last,
                                  .fd = fds[0],
                                  .most = most,
                                  .watch.ready = readable,
                                  .blobs = blobs};
    loop_watch_start(blobs->loop, &spool->watch, spool->fd, true, false);
    *number = spool->number;
    *fd = fds[1];
    return 0;
}

void blobs_abandon(struct blobs *blobs, int64_t number)
{
    struct blobs_spool *spool = number > 0 ? find_spool(blobs, number) : NULL;
    if (spool != NULL)
        end_spool(spool);
}

/* ---- Blobs */

static struct blob *find_blob(const struct blobs *blobs, const char *sha256)
{
    for (size_t i = 0; i < blobs->count; i++)
        if (strcmp(blobs->all[i].sha256, sha256) == 0)
            return &blobs->all[i];
    return NULL;
}

static void print_hash(enum digest_kind kind, const struct buffer *bytes, char *text)
{
    unsigned char hash[DIGEST_BYTES_MAX];
    hex_encode(text, hash, digest_take(hash, kind, bytes->bytes, bytes->length));
}

/* Its bytes move from the spool. The same content twice is one blob. */
static void add_blob(struct blobs *blobs, const struct blob *blob,
                     struct blobs_spool *spool)
{
    if (blobs->forgets || find_blob(blobs, blob->sha256) != NULL)
        return;
    blobs->all = mem_resize(blobs->all, (blobs->count + 1) * sizeof(*blobs->all));
    blobs->all[blobs->count] = *blob;
    blobs->all[blobs->count++].bytes = spool->bytes;
    spool->bytes = (struct buffer){0}; /* held on */
}

int blobs_seal(struct blobs *blobs, int64_t number, struct blob *sealed)
{
    struct blobs_spool *spool = number > 0 ? find_spool(blobs, number) : NULL;
    if (spool == NULL)
        return ENOENT;
    take_bytes(spool);
    int err = 0;
    if ((int64_t)spool->bytes.length > spool->most)
        err = EFBIG;
    else if (blobs->held >= BLOBS_BYTES_MAX)
        err = ENOSPC;
    if (!err) {
        *sealed = (struct blob){.size = (int64_t)spool->bytes.length};
        print_hash(DIGEST_SHA256, &spool->bytes, sealed->sha256);
        print_hash(DIGEST_SM3, &spool->bytes, sealed->sm3);
        const struct blob *before = find_blob(blobs, sealed->sha256);
        sealed->is_known = before != NULL && before->is_kept;
        add_blob(blobs, sealed, spool);
    }
    end_spool(spool);
    return err;
}

bool blobs_have(const struct blobs *blobs, const char *sha256)
{
    return blobs->forgets || find_blob(blobs, sha256) != NULL;
}

/* -1 is for ever. */
static int64_t longer(int64_t one, int64_t other)
{
    return one < 0 || other < 0 ? -1 : one > other ? one : other;
}

void blobs_keep(struct blobs *blobs, const char *sha256, enum talk_class class,
                int64_t keep_ms, bool erases)
{
    struct blob *blob = find_blob(blobs, sha256);
    if (blob == NULL)
        return; /* a replay keeps nothing */
    blob->keep_ms = blob->is_kept ? longer(blob->keep_ms, keep_ms) : keep_ms;
    blob->erases = erases && (!blob->is_kept || blob->erases);
    if (!blob->is_kept || class > blob->class)
        blob->class = class;
    blob->is_kept = true;
}

/* ---- Ends */

static void remove_blob(struct blobs *blobs, size_t at)
{
    blobs->held -= blobs->all[at].bytes.length;
    buffer_free(&blobs->all[at].bytes);
    memmove(&blobs->all[at], &blobs->all[at + 1],
            (--blobs->count - at) * sizeof(*blobs->all));
}

void blobs_drop(struct blobs *blobs)
{
    for (int i = 0; i < TALK_SPOOLS_MAX; i++)
        blobs_abandon(blobs, blobs->spools[i].number);
    for (size_t i = blobs->count; i > 0; i--)
        if (!blobs->all[i - 1].is_kept)
            remove_blob(blobs, i - 1);
}

void blobs_free(struct blobs *blobs)
{
    blobs_drop(blobs);
    while (blobs->count > 0)
        remove_blob(blobs, blobs->count - 1);
    mem_free(blobs->all);
    blobs->all = NULL;
}
