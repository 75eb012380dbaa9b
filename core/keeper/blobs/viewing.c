/* viewing - see viewing.h.
 *
 * Invariant: a look waits for the group that has its event, or its scribe runs. */
#include "keeper/blobs/viewing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/log.h"
#include "base/now.h"
#include "keeper/blobs/chain.h"
#include "keeper/blobs/custody.h"
#include "keeper/self.h"

void viewing_open(struct viewing *viewing, struct loop *loop, struct group *group,
                  struct blobs *blobs)
{
    *viewing = (struct viewing){
        .loop = loop, .group = group, .blobs = blobs, .silence_ms = SCRIBE_SILENCE_MS};
}

void viewing_close(struct viewing *viewing)
{
    for (int i = 0; i < VIEWING_MAX; i++)
        errand_stop(&viewing->looks[i].errand);
}

void viewing_forget(struct viewing *viewing, const struct peer *reader)
{
    for (int i = 0; i < VIEWING_MAX; i++) {
        struct viewing_look *look = &viewing->looks[i];
        if (look->viewing == NULL || look->reader != reader)
            continue;
        errand_stop(&look->errand);
        *look = (struct viewing_look){.viewing = NULL};
    }
}

/* ---- The list */

struct listing {
    struct buffer frame;
    struct buffer row;
    int64_t left;
    bool cut;
};

static void print_time(struct buffer *out, const char *name, int64_t time_us)
{
    char text[NOW_TEXT_ROOM];
    if (time_us < 0)
        return;
    now_format(text, time_us);
    buffer_printf(out, ",\"%s\":\"%s\"", name, text);
}

static void print_row(struct buffer *out, const struct catalog_blob *blob)
{
    char digits[TALK_DIGEST_HEX + 1];
    hex_encode(digits, blob->sm3.bytes, DIGEST_BYTES);
    buffer_append_text(out, "{");
    blobs_print_name(out, blob);
    if (blob->has_sm3)
        buffer_printf(out, ",\"sm3\":\"%s\"", digits);
    print_time(out, "stored", blob->stored_us);
    print_time(out, "until", blob->until_us);
    if (blob->uploaded_us > 0)
        print_time(out, "uploaded", blob->uploaded_us);
    buffer_printf(
        out, ",\"seq\":%" PRId64 ",\"prompt\":%s,\"released\":%s,\"damaged\":%s}",
        blob->seq, blob->is_prompt ? "true" : "false",
        blob->is_released ? "true" : "false", blob->is_damaged ? "true" : "false");
}

static int list_one(void *owner, const struct catalog_blob *blob)
{
    struct listing *listing = owner;
    if (listing->left-- == 0) {
        listing->cut = true;
        return 1;
    }
    buffer_clear(&listing->row);
    print_row(&listing->row, blob);
    frame_put(&listing->frame, TAG_DATA, listing->row.bytes, listing->row.length);
    return 0;
}

/* -ENOENT without one, -EPROTO when it is none. */
static int read_digest(const struct frame *frame, struct digest *digest)
{
    struct field field;
    char digits[TALK_DIGEST_HEX + 1];
    int err = fields_find(&frame->fields, TAG_DIGEST, &field);
    if (err)
        return err;
    if (field.length != TALK_DIGEST_HEX ||
        field_text(&field, digits, sizeof(digits)) != 0 ||
        hex_decode(digest->bytes, DIGEST_BYTES, digits) != 0)
        return -EPROTO;
    return 0;
}

int viewing_list(struct viewing *viewing, struct peer *reader, const struct frame *frame)
{
    struct listing listing = {.left = VIEWING_ROWS_MAX};
    struct digest after;
    struct field limit;
    int64_t most;
    int err = read_digest(frame, &after);
    if (err == -EPROTO || fields_find(&frame->fields, TAG_LIMIT, &limit) != 0 ||
        field_number(&limit, &most) != 0 || most < 1)
        return -EPROTO;
    if (most < listing.left)
        listing.left = most;
    frame_begin(&listing.frame, TALK_LISTED, frame->id);
    err = catalog_each(viewing->group->journal->store, err ? NULL : &after,
                       listing.left + 1, list_one, &listing);
    if (listing.cut)
        frame_put(&listing.frame, TAG_MORE, "", 0);
    if (err >= 0)
        peer_send(reader, &listing.frame);
    buffer_free(&listing.frame);
    buffer_free(&listing.row);
    return err < 0 ? err : 0;
}

/* ---- One blob's bytes */

static void answer(struct peer *reader, uint32_t id, int err, const char *why,
                   int64_t size, int fd)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_VIEWED, id);
    frame_put_number(&frame, TAG_ERROR, -err);
    if (err)
        frame_put_text(&frame, TAG_TEXT, why);
    else
        frame_put_number(&frame, TAG_SIZE, size);
    peer_send_descriptor(reader, &frame, fd);
    buffer_free(&frame);
}

static const char *words_of(int err)
{
    return err == -EBADMSG || err == -EKEYREJECTED
               ? "the file is not what was stored; what came of it is not the blob"
               : strerror(-err);
}

static void read_done(void *owner, int err, const struct buffer *result)
{
    struct viewing_look *look = owner;
    (void)result;
    peer_done(look->reader, look->id, err, words_of(err), -1);
    *look = (struct viewing_look){.viewing = NULL};
}

static int read_blob(void *owner, struct buffer *result)
{
    struct viewing_look *look = owner;
    struct scribe scribe = {.depot = &look->viewing->blobs->depot,
                            .fd = look->errand.keeps,
                            .digest = look->blob.sha256,
                            .silence_ms = look->viewing->silence_ms};
    return scribe_read(&scribe, result);
}

static void start_scribe(struct viewing_look *look)
{
    struct viewing *viewing = look->viewing;
    int fds[2];
    int err = pipe2(fds, O_CLOEXEC) != 0 ? -errno : 0;
    if (!err) {
        fcntl(fds[1], F_SETPIPE_SZ, SCRIBE_PIPE); /* a smaller one does, more slowly */
        look->errand.keeps = fds[1];
        err = errand_start(&look->errand, viewing->loop, read_blob, read_done, look);
        close(fds[1]);
        if (err)
            close(fds[0]);
    }
    answer(look->reader, look->id, err, strerror(-err), look->blob.size,
           err ? -1 : fds[0]);
    if (err)
        *look = (struct viewing_look){.viewing = NULL};
}

void viewing_committed(struct viewing *viewing, int err)
{
    for (int i = 0; i < VIEWING_MAX; i++) {
        struct viewing_look *look = &viewing->looks[i];
        if (look->viewing == NULL || errand_is_running(&look->errand))
            continue;
        if (!err) {
            start_scribe(look);
            continue;
        }
        answer(look->reader, look->id, err, "that it is viewed could not be recorded", 0,
               -1);
        *look = (struct viewing_look){.viewing = NULL};
    }
}

static struct viewing_look *find_place(struct viewing *viewing)
{
    for (int i = 0; i < VIEWING_MAX; i++)
        if (viewing->looks[i].viewing == NULL)
            return &viewing->looks[i];
    return NULL;
}

/* What for: the reason is that of an export. */
struct purpose {
    bool is_export;
    char reason[CUSTODY_REASON_MAX + 1];
};

static int read_purpose(struct purpose *purpose, const struct frame *frame)
{
    struct field field;
    char type[16] = "";
    *purpose = (struct purpose){.is_export = false};
    if (fields_find(&frame->fields, TAG_TYPE, &field) != 0)
        return 0;
    if (field_text(&field, type, sizeof(type)) != 0 || strcmp(type, "export") != 0)
        return -EPROTO;
    purpose->is_export = true;
    return custody_read_reason(purpose->reason, frame);
}

static int record(struct viewing *viewing, const struct catalog_blob *blob,
                  const struct access_who *who, const struct purpose *purpose)
{
    struct buffer event = {0};
    bool is_evidence = blobs_is_evidence(blob);
    buffer_append_text(&event, "{");
    blobs_print_name(&event, blob);
    buffer_append_text(&event, ",");
    custody_print_who(&event, who);
    if (is_evidence)
        buffer_printf(&event, ",\"purpose\":\"%s\"",
                      purpose->is_export ? "export" : "view");
    if (purpose->is_export) {
        buffer_append_text(&event, ",\"reason\":");
        json_put_text(&event, purpose->reason);
    }
    int err = chain_add(viewing->group, blob, &event);
    buffer_append_text(&event, "}");
    if (!err)
        err = self_record(viewing->group, is_evidence ? "evidence.viewed" : "blob.viewed",
                          buffer_text(&event));
    buffer_free(&event);
    return err;
}

/* Root and the keeper's own user can read the key; officers are who decides. */
static bool may_view(const struct peer *reader, const struct access_who *who)
{
    return (who->roles & ACCESS_OFFICER) || reader->uid == 0 ||
           reader->uid == (int64_t)geteuid();
}

/* 0, or why not. */
static int check_view(const struct viewing *viewing, const struct peer *reader,
                      const struct access_who *who, const struct purpose *purpose,
                      const char **why)
{
    *why = "the folder blobs/ or its key cannot be opened";
    if (viewing->blobs->is_shut)
        return -EIO;
    *why = "a blob is for an officer or root to see";
    if (!may_view(reader, who))
        return -EACCES;
    *why = "only an officer may export";
    if (purpose->is_export && !(who->roles & ACCESS_OFFICER))
        return -EACCES;
    return 0;
}

int viewing_view(struct viewing *viewing, struct peer *reader, const struct frame *frame,
                 const struct access_who *who)
{
    struct catalog_blob blob;
    struct digest digest;
    struct purpose purpose;
    const char *why;
    if (read_digest(frame, &digest) != 0 || read_purpose(&purpose, frame) != 0)
        return -EPROTO;
    struct viewing_look *look = find_place(viewing);
    int err = check_view(viewing, reader, who, &purpose, &why);
    if (err)
        answer(reader, frame->id, err, why, 0, -1);
    else if (blobs_find(viewing->blobs, &digest, &blob) != 0)
        answer(reader, frame->id, -ENOENT, "no such blob is stored", 0, -1);
    else if (purpose.is_export && !blobs_is_evidence(&blob))
        answer(reader, frame->id, -EINVAL, "that blob is no evidence unless it is marked",
               0, -1);
    else if (look == NULL)
        answer(reader, frame->id, -EBUSY, "too many are being looked at", 0, -1);
    else if ((err = record(viewing, &blob, who, &purpose)) != 0)
        answer(reader, frame->id, err, "that it is viewed could not be recorded", 0, -1);
    else
        *look = (struct viewing_look){
            .viewing = viewing, .reader = reader, .id = frame->id, .blob = blob};
    return 0;
}
