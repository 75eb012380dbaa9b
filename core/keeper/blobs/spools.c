/* spools - see spools.h.
 *
 * Invariant: a spool is being written (its errand runs), written (it does not; nobody has asked yet, or
 * another host has the same bytes and may be the first to name them), sealed, or taken; only a taken one has no host or one that has gone, and only until the end of the
 * group that named it. */
#include "keeper/blobs/spools.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"

enum spool_state { SPOOL_WRITING, SPOOL_WRITTEN, SPOOL_SEALED, SPOOL_TAKEN };

struct spool {
    struct spools *spools;
    struct spool *next;
    enum spool_state state;
    struct peer *host; /* NULL: it has gone */
    struct errand errand;
    struct scribe scribe;
    bool is_asked; /* SEAL came */
    bool has_waited;
    uint32_t ask_id;
    int err;
    struct scribe_told told;
};

static void patience_over(struct loop_timer *timer);
static void look_again(struct spools *spools);

void spools_open(struct spools *spools, struct loop *loop, const struct depot *depot)
{
    /* A scribe that its keeper has left behind may still have a name of before. */
    *spools = (struct spools){.loop = loop,
                              .depot = depot,
                              .number = (int64_t)random_below(1u << 30) << 20,
                              .silence_ms = SCRIBE_SILENCE_MS,
                              .await_ms = SPOOLS_AWAIT_MS,
                              .patience.fire = patience_over};
}

static void unlink_spool(struct spool *spool)
{
    struct spool **link = &spool->spools->first;
    while (*link != spool)
        link = &(*link)->next;
    *link = spool->next;
    mem_free(spool);
}

/* What there is of its file is thrown away. */
static void drop(struct spool *spool)
{
    struct spools *spools = spool->spools;
    errand_stop(&spool->errand);
    int err = depot_drop(spools->depot, spool->scribe.number);
    if (err)
        log_warn("blobs: spool %" PRId64
                 " cannot be thrown away before the next start: %s",
                 spool->scribe.number, strerror(-err));
    unlink_spool(spool);
    if (spools->dropped != NULL)
        spools->dropped(spools->owner);
}

void spools_close(struct spools *spools)
{
    loop_timer_stop(&spools->patience);
    while (spools->first != NULL)
        if (spools->first->state == SPOOL_TAKEN)
            unlink_spool(spools->first); /* the next start finds out */
        else
            drop(spools->first);
}

void spools_forget(struct spools *spools, const struct peer *host)
{
    for (struct spool *spool = spools->first, *next; spool != NULL; spool = next) {
        next = spool->next;
        if (spool->host != host)
            continue;
        spool->host = NULL;
        if (spool->state != SPOOL_TAKEN)
            drop(spool);
    }
    look_again(spools);
}

static bool is_open(const struct spool *spool)
{
    return spool->state == SPOOL_WRITING || spool->state == SPOOL_WRITTEN;
}

int64_t spools_promised(const struct spools *spools)
{
    int64_t bytes = 0;
    for (const struct spool *spool = spools->first; spool != NULL; spool = spool->next)
        bytes += cask_bytes(spool->state == SPOOL_WRITING ? spool->scribe.most
                                                          : spool->told.size);
    return bytes;
}

/* What a file takes that is being written, also of what the disk has only promised to take. */
static int64_t on_disk(const struct spool *spool)
{
    char path[DEPOT_PATH_MAX];
    struct stat file;
    if (spool->state != SPOOL_WRITING)
        return cask_bytes(spool->told.size);
    if (depot_new(spool->spools->depot, path, spool->scribe.number) != 0 ||
        stat(path, &file) != 0)
        return 0;
    int64_t bytes = (int64_t)file.st_blocks * 512, most = cask_bytes(spool->scribe.most);
    return bytes < most ? bytes : most;
}

int64_t spools_arrived(const struct spools *spools)
{
    int64_t bytes = 0;
    for (const struct spool *spool = spools->first; spool != NULL; spool = spool->next)
        bytes += on_disk(spool);
    return bytes;
}

int spools_count(const struct spools *spools)
{
    int count = 0;
    for (const struct spool *spool = spools->first; spool != NULL; spool = spool->next)
        count += is_open(spool);
    return count;
}

static int count_of(const struct spools *spools, const struct peer *host, bool open)
{
    int count = 0;
    for (const struct spool *spool = spools->first; spool != NULL; spool = spool->next)
        count += spool->host == host && is_open(spool) == open;
    return count;
}

/* ---- Sealing */

static void put_digest(struct buffer *frame, enum talk_tag tag,
                       const struct digest *digest)
{
    char digits[TALK_DIGEST_HEX + 1];
    hex_encode(digits, digest->bytes, DIGEST_BYTES);
    frame_put_text(frame, (uint8_t)tag, digits);
}

static void answer_seal(struct peer *host, uint32_t id, int err,
                        const struct scribe_told *told, bool is_known)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_SEALED, id);
    frame_put_number(&frame, TAG_ERROR, -err);
    if (err) {
        frame_put_text(&frame, TAG_TEXT, strerror(-err));
    } else {
        put_digest(&frame, TAG_DIGEST, &told->sha256);
        put_digest(&frame, TAG_SM3, &told->sm3);
        frame_put_number(&frame, TAG_SIZE, told->size);
        if (is_known)
            frame_put(&frame, TAG_MORE, "", 0);
    }
    peer_send(host, &frame);
    buffer_free(&frame);
}

static void drop_oldest(struct spools *spools, const struct peer *host)
{
    struct spool *spool = spools->first;
    while (spool->host != host || spool->state != SPOOL_SEALED)
        spool = spool->next;
    log_warn("%s: seals blobs and names them in no commit; the oldest is thrown away",
             host->name);
    drop(spool);
}

static int count_sealed(const struct spools *spools, const struct peer *host)
{
    int count = 0;
    for (const struct spool *spool = spools->first; spool != NULL; spool = spool->next)
        count += spool->host == host && spool->state == SPOOL_SEALED;
    return count;
}

/* The same bytes, before this one: of those that are sealed at the same time one is the first. What a
 * host itself has sealed and not named it may have forgotten. */
static bool is_known(const struct spool *spool)
{
    const struct spools *spools = spool->spools;
    const struct digest *digest = &spool->told.sha256;
    for (const struct spool *other = spools->first; other != NULL; other = other->next)
        if (other != spool && digest_equal(&other->told.sha256, digest) &&
            (other->state == SPOOL_TAKEN ||
             (other->state == SPOOL_SEALED && other->host != spool->host)))
            return true;
    return spools->is_named != NULL && spools->is_named(spools->owner, digest);
}

/* Another host has the same bytes, and whether it names them is not decided. */
static bool has_rival(const struct spool *spool)
{
    for (const struct spool *other = spool->spools->first; other; other = other->next)
        if (other->host != spool->host &&
            digest_equal(&other->told.sha256, &spool->told.sha256) &&
            (other->state == SPOOL_SEALED || other->state == SPOOL_TAKEN))
            return true;
    return false;
}

/* Asked and written: the host has its hashes, or learns why not; later, while it has a rival. */
static void seal(struct spool *spool)
{
    struct spools *spools = spool->spools;
    struct peer *host = spool->host;
    if (!spool->err && !spool->has_waited && has_rival(spool)) {
        if (!loop_timer_is_running(&spools->patience))
            loop_timer_start(spools->loop, &spools->patience, spools->await_ms);
        return;
    }
    answer_seal(host, spool->ask_id, spool->err, &spool->told,
                !spool->err && is_known(spool));
    if (spool->err) {
        drop(spool);
        return;
    }
    spool->state = SPOOL_SEALED;
    if (count_sealed(spools, host) > SPOOLS_SEALED_MAX)
        drop_oldest(spools, host);
}

static struct spool *find_waiting(const struct spools *spools, bool has_rivals)
{
    struct spool *spool = spools->first;
    while (spool != NULL && (spool->state != SPOOL_WRITTEN || !spool->is_asked ||
                             has_rival(spool) != has_rivals))
        spool = spool->next;
    return spool;
}

/* Those whose rivals have named theirs, or have gone. */
static void look_again(struct spools *spools)
{
    struct spool *spool;
    while ((spool = find_waiting(spools, false)) != NULL)
        seal(spool);
}

/* One that names nothing holds up nobody for ever. */
static void patience_over(struct loop_timer *timer)
{
    struct spools *spools = container_of(timer, struct spools, patience);
    struct spool *spool;
    while ((spool = find_waiting(spools, true)) != NULL) {
        spool->has_waited = true;
        seal(spool);
    }
}

/* The disk is asked for no reason beyond these: who has sealed nothing must not guess. */
static int known_error(int err)
{
    static const int KNOWN[] = {EFBIG, ENOSPC, ETIMEDOUT};
    for (size_t i = 0; i < countof(KNOWN); i++)
        if (err == -KNOWN[i])
            return err;
    return err == -EDQUOT ? -ENOSPC : -EIO;
}

static void scribe_done(void *owner, int err, const struct buffer *result)
{
    struct spool *spool = owner;
    spool->state = SPOOL_WRITTEN;
    if (!err && result->length != sizeof(spool->told))
        err = -ECHILD;
    if (err) {
        log_warn("%s: a blob cannot be stored: %s", spool->host->name, strerror(-err));
        spool->err = known_error(err);
    } else {
        memcpy(&spool->told, result->bytes, sizeof(spool->told));
    }
    if (spool->is_asked)
        seal(spool);
}

/* ---- Beginning */

static int write_blob(void *owner, struct buffer *result)
{
    struct spool *spool = owner;
    return scribe_write(&spool->scribe, result);
}

/* The pipe's writing end is the host's; what else has it would keep the scribe waiting. */
static int start_scribe(struct spool *spool, int *fd)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -errno;
    fcntl(fds[1], F_SETPIPE_SZ, SCRIBE_PIPE); /* a smaller one does, more slowly */
    spool->scribe.fd = fds[0];
    spool->errand.keeps = fds[0];
    int err =
        errand_start(&spool->errand, spool->spools->loop, write_blob, scribe_done, spool);
    close(fds[0]);
    if (err)
        close(fds[1]);
    else
        *fd = fds[1];
    return err;
}

static struct spool *add_spool(struct spools *spools, struct peer *host, int64_t most)
{
    struct spool *spool = mem_new(struct spool), **end = &spools->first;
    *spool = (struct spool){.spools = spools,
                            .host = host,
                            .scribe = {.depot = spools->depot,
                                       .number = ++spools->number,
                                       .most = most,
                                       .silence_ms = spools->silence_ms}};
    while (*end != NULL)
        end = &(*end)->next;
    *end = spool;
    return spool;
}

static void answer_spool(struct peer *host, uint32_t id, int err, struct buffer *why,
                         int64_t number, int fd)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_SPOOLED, id);
    frame_put_number(&frame, TAG_ERROR, -err);
    if (err)
        frame_put_text(&frame, TAG_TEXT, buffer_text(why));
    else
        frame_put_number(&frame, TAG_SPOOL, number);
    peer_send_descriptor(host, &frame, fd);
    buffer_free(&frame);
    buffer_free(why);
}

/* The last ones are for hosts that have none, so that a few busy ones do not lock out the others. */
static int check_count(const struct spools *spools, const struct peer *host,
                       struct buffer *why)
{
    int own = count_of(spools, host, true), all = spools_count(spools);
    int most = own == 0 ? SPOOLS_MAX : SPOOLS_MAX - SPOOLS_FREE;
    if (own < TALK_SPOOLS_MAX && all < most)
        return 0;
    buffer_printf(why, "%d blobs of this plugin are being written, and %d in all", own,
                  all);
    return -EBUSY;
}

static int check_wish(const struct spools *spools, const struct peer *host,
                      const char *class, int64_t most, struct buffer *why)
{
    if (talk_class_of(class) < 0) {
        buffer_printf(why, "class: got \"%s\"", class);
        return -EINVAL;
    }
    if (most < 0 || most > SPOOLS_BYTES_MAX) {
        buffer_printf(why, "most: expected 0 to %lld bytes, got %" PRId64,
                      SPOOLS_BYTES_MAX, most);
        return -EINVAL;
    }
    int err = check_count(spools, host, why);
    return err || spools->admit == NULL
               ? err
               : spools->admit(spools->owner, talk_class_of(class), cask_bytes(most),
                               why);
}

static int hear_spool(struct spools *spools, struct peer *host, const struct frame *frame)
{
    struct buffer why = {0};
    char class[WORD_ID_MAX + 1];
    struct field field;
    int64_t most, number = 0;
    int fd = -1;
    if (fields_find(&frame->fields, TAG_NAME, &field) != 0 ||
        field_text(&field, class, sizeof(class)) != 0 ||
        fields_find(&frame->fields, TAG_LIMIT, &field) != 0 ||
        field_number(&field, &most) != 0)
        return -EPROTO;
    int err = check_wish(spools, host, class, most, &why);
    if (!err) {
        struct spool *spool = add_spool(spools, host, most);
        number = spool->scribe.number;
        err = start_scribe(spool, &fd);
        if (err) {
            log_warn("%s: no scribe for a blob: %s", host->name, strerror(-err));
            buffer_append_text(&why, strerror(-err));
            err = -EIO;
            unlink_spool(spool);
        }
    }
    answer_spool(host, frame->id, err, &why, number, fd);
    return 0;
}

/* NULL when the host has none of that number that is open. */
static struct spool *find_open(const struct spools *spools, const struct peer *host,
                               const struct frame *frame)
{
    struct field field;
    int64_t number;
    if (fields_find(&frame->fields, TAG_SPOOL, &field) != 0 ||
        field_number(&field, &number) != 0)
        return NULL;
    struct spool *spool = spools->first;
    while (spool != NULL &&
           (spool->host != host || spool->scribe.number != number || !is_open(spool)))
        spool = spool->next;
    return spool;
}

static int hear_seal(struct spools *spools, struct peer *host, const struct frame *frame)
{
    struct spool *spool = find_open(spools, host, frame);
    if (spool == NULL) {
        answer_seal(host, frame->id, -ENOENT, NULL, false);
        return 0;
    }
    if (spool->is_asked)
        return -EPROTO;
    spool->is_asked = true;
    spool->ask_id = frame->id;
    if (spool->state == SPOOL_WRITTEN)
        seal(spool);
    return 0;
}

static int hear_abandon(struct spools *spools, struct peer *host,
                        const struct frame *frame)
{
    struct spool *spool = find_open(spools, host, frame);
    if (spool != NULL)
        drop(spool);
    return 0;
}

int spools_hear(struct spools *spools, struct peer *host, const struct frame *frame)
{
    if (frame->type == TALK_SPOOL)
        return hear_spool(spools, host, frame);
    if (frame->type == TALK_SEAL)
        return hear_seal(spools, host, frame);
    return hear_abandon(spools, host, frame);
}

/* ---- Naming */

static bool is_named(const struct spool *spool, const struct peer *host,
                     const struct digest *digest)
{
    return spool->host == host && !is_open(spool) &&
           digest_equal(&spool->told.sha256, digest);
}

const struct scribe_told *spools_find(const struct spools *spools,
                                      const struct peer *host,
                                      const struct digest *digest)
{
    for (const struct spool *spool = spools->first; spool != NULL; spool = spool->next)
        if (is_named(spool, host, digest))
            return &spool->told;
    return NULL;
}

void spools_take(struct spools *spools, const struct peer *host,
                 const struct digest *digest)
{
    for (struct spool *spool = spools->first; spool != NULL; spool = spool->next)
        if (is_named(spool, host, digest))
            spool->state = SPOOL_TAKEN;
}

bool spools_owns(const struct spools *spools, int64_t number)
{
    const struct spool *spool = spools->first;
    while (spool != NULL && spool->scribe.number != number)
        spool = spool->next;
    return spool != NULL;
}

/* A file that cannot go to its place now is where the next look, or start, finds it. */
static void settle(struct spool *spool)
{
    struct spools *spools = spool->spools;
    int err = depot_settle(spools->depot, &spool->told.sha256, spool->scribe.number);
    if (err)
        log_error("blobs: a stored blob stays in new/ for now: %s", strerror(-err));
    spools->is_stuck |= err != 0;
    unlink_spool(spool);
    if (spools->dropped != NULL)
        spools->dropped(spools->owner);
}

void spools_committed(struct spools *spools, int err)
{
    for (struct spool *spool = spools->first, *next; spool != NULL; spool = next) {
        next = spool->next;
        if (spool->state != SPOOL_TAKEN)
            continue;
        if (!err)
            settle(spool);
        else if (spool->host != NULL)
            spool->state = SPOOL_SEALED;
        else
            drop(spool);
    }
    look_again(spools);
}
