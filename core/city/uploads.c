/* uploads - see uploads.h.
 *
 * Invariant: fd is -1 or the file of `ticket` and `id`, of which `done` bytes are hashed; then the
 * timer fires for the next piece, else for the next look.
 *
 * Looks go round the folder, which stays open until its end: what waits for its event, or cannot be read
 * or moved, has had its turn, and those behind it are next, however many there are. */
#include "city/uploads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "proof/algorithm.h"

static const char ENDING[] = ".json";

struct uploads {
    struct loop *loop;
    const struct evidence *evidence;
    const struct uploads_calls *calls;
    void *owner;
    struct loop_timer timer;
    struct algorithm_hash *sha256, *sm3;
    struct ticket ticket;
    char id[EVIDENCE_ID_MAX + 1]; /* of the one in hand; empty: none is */
    int fd;
    int64_t done;
    DIR *folder;    /* of the round under way; NULL: none is */
    bool is_failed; /* one of this round met trouble */
    int trouble;    /* the last that was told */
    uint8_t piece[UPLOADS_PIECE];
};

static void told_trouble(struct uploads *uploads, int err)
{
    if (err != uploads->trouble)
        log_error("uploads: %s%s%s: %s; no receipt for now, it is tried again",
                  uploads->evidence->folder, uploads->id[0] != '\0' ? "/" : "",
                  uploads->id, strerror(-err));
    uploads->trouble = err;
    uploads->is_failed = true;
}

/* ---- Hashing */

static void end_hashing(struct uploads *uploads)
{
    if (uploads->fd >= 0)
        close(uploads->fd);
    uploads->fd = -1;
}

static bool digest_is(struct algorithm_hash *hash, const char *said)
{
    uint8_t digest[ALGORITHM_HASH_BYTES];
    char hex[TICKET_HEX_ROOM];
    algorithm_hash_end(hash, digest);
    hex_encode(hex, digest, sizeof(digest));
    return strcmp(hex, said) == 0;
}

static int take_whole(struct uploads *uploads)
{
    const struct ticket *ticket = &uploads->ticket;
    bool is_same = digest_is(uploads->sha256, ticket->sha256);
    is_same = digest_is(uploads->sm3, ticket->sm3) && is_same;
    int err = uploads->calls->settle(uploads->owner);
    if (err)
        return err;
    if (!is_same || uploads->done != ticket->size)
        return evidence_refuse(uploads->evidence, uploads->id,
                               "its bytes are not those of the event: another hash");
    err = evidence_keep(uploads->evidence, ticket, uploads->id);
    if (!err)
        log_info(
            "upload %s: office %s, event %lld of log %s: whole; its receipt is there",
            uploads->id, ticket->office, (long long)ticket->seq, ticket->log);
    return err;
}

/* The next piece; 1 when there is more. */
static int hash_piece(struct uploads *uploads)
{
    ssize_t length = read(uploads->fd, uploads->piece, sizeof(uploads->piece));
    if (length < 0)
        return errno == EINTR ? 1 : -errno;
    if (length == 0)
        return take_whole(uploads);
    algorithm_hash_add(uploads->sha256, uploads->piece, (size_t)length);
    algorithm_hash_add(uploads->sm3, uploads->piece, (size_t)length);
    uploads->done += length;
    return 1;
}

static int begin_hashing(struct uploads *uploads, const struct ticket *ticket,
                         const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    uploads->fd = fd;
    uploads->done = 0;
    uploads->ticket = *ticket;
    algorithm_hash_begin(uploads->sha256);
    algorithm_hash_begin(uploads->sm3);
    return 0;
}

/* ---- Looking */

struct search {
    const struct ticket *ticket;
    int found;
};

static int look_at_event(void *owner, const struct store_event *event)
{
    struct search *search = owner;
    search->found = ticket_is_named(search->ticket, event->body, event->length);
    return search->found;
}

/* Any event of the commit that `seq` begins may be the one. Its -EBADMSG is not the store's. */
static int find_event(struct uploads *uploads, const struct ticket *ticket, int *found)
{
    struct search search = {.ticket = ticket};
    int err = store_each_event(uploads->evidence->store, ticket->office, ticket->log,
                               ticket->seq, TALK_EFFECTS_MAX, look_at_event, &search);
    *found = search.found;
    return search.found != 0 || err > 0 ? 0 : err;
}

static int look_at_finished(struct uploads *uploads, const struct ticket *ticket,
                            const char *id, const char *path)
{
    int found;
    int err = uploads->calls->settle(uploads->owner);
    if (!err)
        err = find_event(uploads, ticket, &found);
    if (err || found == 0)
        return err;
    if (found < 0)
        return evidence_refuse(uploads->evidence, id,
                               "its event says another size or another SM3");
    return begin_hashing(uploads, ticket, path);
}

static int read_ticket(const struct evidence *evidence, const char *id,
                       struct ticket *ticket, time_t *changed)
{
    char name[EVIDENCE_ID_MAX + sizeof(ENDING)], path[EVIDENCE_PATH_MAX];
    struct buffer text = {0};
    struct stat about;
    strcpy(stpcpy(name, id), ENDING);
    int err = file_join(path, sizeof(path), evidence->folder, name);
    if (!err && lstat(path, &about) != 0)
        err = -errno;
    if (!err) {
        *changed = about.st_mtime;
        err = file_read(&text, path, TICKET_BYTES_MAX);
    }
    if (!err)
        err = ticket_read(ticket, text.bytes, text.length);
    buffer_free(&text);
    return err == -EFBIG || err == -EINVAL ? -EPROTO : err;
}

/* Whether the upload is there in full: 1 yes, 0 not yet. */
static int find_finished(const struct evidence *evidence, const char *id,
                         struct ticket *ticket, char path[EVIDENCE_PATH_MAX])
{
    struct stat about;
    time_t changed = 0;
    int err = read_ticket(evidence, id, ticket, &changed);
    if (err == -EPROTO && time(NULL) - changed < UPLOADS_TORN_S)
        return 0;
    if (!err)
        err = evidence_find(evidence, ticket, id, path);
    if (!err && lstat(path, &about) != 0)
        err = -errno;
    if (err)
        return err == -ENOENT ? 0 : err;
    return about.st_size >= ticket->size;
}

static int refuse_torn(struct uploads *uploads, const char *id)
{
    int err = uploads->calls->settle(uploads->owner);
    return err ? err
               : evidence_refuse(uploads->evidence, id, "its metadata cannot be read");
}

/* Counts those that are finished, but whose event may not be here yet. */
static int look_at(struct uploads *uploads, const char *id, int *waiting)
{
    char path[EVIDENCE_PATH_MAX];
    struct ticket ticket;
    int err = find_finished(uploads->evidence, id, &ticket, path);
    if (err == 0)
        return 0;
    ++*waiting;
    strcpy(uploads->id, id);
    if (err == -EPROTO)
        return refuse_torn(uploads, id);
    return err < 0 ? err : look_at_finished(uploads, &ticket, id, path);
}

/* "ID.json" -> ID. */
static bool ticket_of(const char *name, char id[EVIDENCE_ID_MAX + 1])
{
    size_t length = strlen(name), ending = sizeof(ENDING) - 1;
    if (length <= ending || length - ending > EVIDENCE_ID_MAX ||
        strcmp(name + length - ending, ENDING) != 0)
        return false;
    memcpy(id, name, length - ending);
    id[length - ending] = '\0';
    return evidence_is_id(id);
}

static void end_round(struct uploads *uploads)
{
    closedir(uploads->folder);
    uploads->folder = NULL;
    if (!uploads->is_failed)
        uploads->trouble = 0;
    uploads->is_failed = false;
}

static int look(struct uploads *uploads)
{
    char id[EVIDENCE_ID_MAX + 1];
    int err = 0, names = 0, waiting = 0;
    uploads->id[0] = '\0';
    if (uploads->folder == NULL)
        uploads->folder = opendir(uploads->evidence->folder);
    if (uploads->folder == NULL)
        return -errno;
    while (!err && uploads->fd < 0 && names++ < UPLOADS_NAMES &&
           waiting < UPLOADS_WAITING) {
        const struct dirent *entry = readdir(uploads->folder);
        if (entry == NULL) {
            end_round(uploads);
            return 0;
        }
        if (ticket_of(entry->d_name, id))
            err = look_at(uploads, id, &waiting);
    }
    return err;
}

static void timer_over(struct loop_timer *timer)
{
    struct uploads *uploads = container_of(timer, struct uploads, timer);
    bool was_hashing = uploads->fd >= 0;
    int err = was_hashing ? hash_piece(uploads) : look(uploads);
    if (err <= 0 && was_hashing)
        end_hashing(uploads);
    if (err < 0)
        told_trouble(uploads, err);
    bool goes_on = err >= 0 && (was_hashing || uploads->fd >= 0);
    loop_timer_start(uploads->loop, timer,
                     err < 0   ? UPLOADS_TROUBLE_MS
                     : goes_on ? 0
                               : UPLOADS_LOOK_MS);
}

/* ---- Counting */

static void count_one(const struct evidence *evidence, const char *id,
                      struct uploads_count *count)
{
    char path[EVIDENCE_PATH_MAX];
    struct ticket ticket;
    int found = find_finished(evidence, id, &ticket, path);
    count->under_way += found == 0;
    count->waiting += found > 0;
}

int uploads_count(const char *folder, struct uploads_count *count)
{
    const struct evidence evidence = {.folder = folder};
    char id[EVIDENCE_ID_MAX + 1];
    struct dirent *entry;
    int entries = 0;
    DIR *listing = opendir(folder);
    if (listing == NULL)
        return -errno;
    *count = (struct uploads_count){0, 0};
    while (entries++ < UPLOADS_ENTRIES && (entry = readdir(listing)) != NULL)
        if (ticket_of(entry->d_name, id))
            count_one(&evidence, id, count);
    closedir(listing);
    return 0;
}

/* ---- Life */

int uploads_open(struct uploads **out, struct loop *loop, const struct evidence *evidence,
                 const struct uploads_calls *calls, void *owner)
{
    int err = evidence_prepare(evidence);
    if (err)
        return err;
    struct uploads *uploads = mem_new(struct uploads);
    uploads->loop = loop;
    uploads->evidence = evidence;
    uploads->calls = calls;
    uploads->owner = owner;
    uploads->fd = -1;
    uploads->timer.fire = timer_over;
    uploads->sha256 = algorithm_hash_new("SHA256");
    uploads->sm3 = algorithm_hash_new("SM3");
    loop_timer_start(loop, &uploads->timer, 0);
    *out = uploads;
    return 0;
}

void uploads_close(struct uploads *uploads)
{
    if (uploads == NULL)
        return;
    end_hashing(uploads);
    if (uploads->folder != NULL)
        closedir(uploads->folder);
    loop_timer_stop(&uploads->timer);
    algorithm_hash_free(uploads->sha256);
    algorithm_hash_free(uploads->sm3);
    mem_free(uploads);
}
