/* parcels - see parcels.h. */
#include "keeper/blobs/parcels.h"

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
#include "keeper/blobs/notes.h"
#include "keeper/self.h"
#include "proof/handover.h"

static struct store *store_of(const struct parcels *parcels)
{
    return parcels->blobs->journal->store;
}

/* ---- What goes */

struct list {
    struct parcels *parcels;
    struct buffer *frame;
    int64_t count;
};

static void put_note(struct list *list, const struct digest *digest)
{
    struct store *store = store_of(list->parcels);
    struct buffer note = {0};
    int64_t ms;
    if (notes_get(store, digest, &note) == 0)
        frame_put(list->frame, TAG_VALUE, note.bytes, note.length);
    if (notes_aside_ms(store, digest, &ms) == 0)
        frame_put_number(list->frame, TAG_LIMIT, ms);
    buffer_free(&note);
}

/* The file of one that the open transaction keeps is not in its place yet. */
static int put_entry(void *owner, const struct catalog_blob *blob)
{
    struct list *list = owner;
    char digits[TALK_DIGEST_HEX + 1];
    if (blob->seq >= list->parcels->blobs->journal->size)
        return 0;
    size_t mark = frame_open(list->frame, TAG_ENTRY);
    hex_encode(digits, blob->sha256.bytes, DIGEST_BYTES);
    frame_put_text(list->frame, TAG_DIGEST, digits);
    put_note(list, &blob->sha256);
    hex_encode(digits, blob->sm3.bytes, DIGEST_BYTES);
    frame_put_text(list->frame, TAG_SM3, digits);
    frame_put_number(list->frame, TAG_SIZE, blob->size);
    frame_put_text(list->frame, TAG_NAME, catalog_class_name(blob->class));
    frame_put_number(list->frame, TAG_SEQ, blob->seq);
    frame_close(list->frame, mark);
    list->count++;
    return 0;
}

static int hear_list(struct parcels *parcels, struct peer *courier,
                     const struct frame *frame)
{
    struct buffer answer = {0};
    struct list list = {.parcels = parcels, .frame = &answer};
    int sends = parcels->config->has_courier ? parcels->config->sends : 0, err = 0;
    frame_begin(&answer, TALK_PARCELS, frame->id);
    for (int class = CLASSES - 1; class >= 0 && !err; class --)
        if (sends >> class & 1)
            err = catalog_each_parcel(store_of(parcels), class, now_utc_us(),
                                      TALK_PARCELS_MAX - list.count, put_entry, &list);
    if (!err)
        peer_send(courier, &answer);
    buffer_free(&answer);
    return err;
}

static int read_digest(const struct frame *frame, char digits[TALK_DIGEST_HEX + 1],
                       struct digest *digest)
{
    struct field field;
    if (fields_find(&frame->fields, TAG_DIGEST, &field) != 0 ||
        field.length != TALK_DIGEST_HEX ||
        field_text(&field, digits, TALK_DIGEST_HEX + 1) != 0 ||
        hex_decode(digest->bytes, DIGEST_BYTES, digits) != 0)
        return -EPROTO;
    hex_encode(digits, digest->bytes, DIGEST_BYTES);
    return 0;
}

static int find_stored(const struct parcels *parcels, const struct digest *digest,
                       struct catalog_blob *blob)
{
    int err = catalog_get(store_of(parcels), digest, blob);
    return !err && blob->is_released ? -ENOENT : err;
}

static void answer(struct peer *courier, uint32_t id, int err, const char *why)
{
    peer_done(courier, id, err, why, -1);
}

/* What is to be noted; `ms` is 0 when the file is not set aside. */
struct wish {
    struct digest digest;
    struct field note, why;
    int64_t ms;
};

static int read_wish(struct wish *wish, const struct frame *frame)
{
    char digits[TALK_DIGEST_HEX + 1];
    struct field limit;
    *wish = (struct wish){.ms = 0};
    if (read_digest(frame, digits, &wish->digest) != 0 ||
        fields_find(&frame->fields, TAG_VALUE, &wish->note) != 0 ||
        wish->note.length > TALK_NOTE_MAX)
        return -EPROTO;
    if (fields_find(&frame->fields, TAG_LIMIT, &limit) != 0)
        return 0;
    if (field_number(&limit, &wish->ms) != 0 || wish->ms < 1 ||
        wish->ms > NOTES_ASIDE_MAX_MS)
        return -EPROTO;
    return fields_find(&frame->fields, TAG_TEXT, &wish->why) != 0 ? -EPROTO : 0;
}

static int put_wish(struct store *store, const struct wish *wish)
{
    int err = notes_put(store, &wish->digest, wish->note.bytes, wish->note.length);
    if (err || wish->ms == 0)
        return err;
    return notes_set_aside(store, &wish->digest, wish->ms, wish->why.bytes,
                           wish->why.length);
}

static int hear_note(struct parcels *parcels, struct peer *courier,
                     const struct frame *frame)
{
    struct group *group = parcels->blobs->group;
    struct catalog_blob blob;
    struct wish wish;
    if (read_wish(&wish, frame) != 0)
        return -EPROTO;
    int err = find_stored(parcels, &wish.digest, &blob);
    if (!err)
        err = group_enter(group);
    if (err) {
        answer(courier, frame->id, err, "there is no such blob");
        return 0;
    }
    group_answer(group, courier, frame->id, -1);
    err = put_wish(store_of(parcels), &wish);
    if (err)
        group_fail(group, err);
    else
        group_ask(group, 1, true);
    return 0;
}

/* ---- Its bytes */

static int read_blob(void *owner, struct buffer *result)
{
    struct parcels *parcels = owner;
    return scribe_read(&parcels->scribe, result);
}

/* The courier may have had enough of it; what is wrong with the file is said once. */
static void read_done(void *owner, int err, const struct buffer *result)
{
    struct parcels *parcels = owner;
    (void)result;
    if (err == -EBADMSG || err == -EKEYREJECTED || err == -ENOENT)
        blobs_damaged(parcels->blobs, &parcels->scribe.digest,
                      err == -ENOENT         ? "missing"
                      : err == -EKEYREJECTED ? "key"
                                             : "changed");
    else if (err && err != -EPIPE)
        log_warn("blobs: one cannot be read for the courier: %s", strerror(-err));
}

/* The pipe's reading end is the courier's; what else has it would keep the scribe writing. One file is
 * read at a time: who asks has done with the one before. */
static int start_scribe(struct parcels *parcels, const struct digest *digest,
                        int64_t offset, int *fd)
{
    int fds[2];
    errand_stop(&parcels->errand);
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -errno;
    parcels->scribe = (struct scribe){.depot = &parcels->blobs->depot,
                                      .fd = fds[1],
                                      .digest = *digest,
                                      .offset = offset,
                                      .silence_ms = SCRIBE_SILENCE_MS};
    parcels->errand.keeps = fds[1];
    int err = errand_start(&parcels->errand, parcels->blobs->loop, read_blob, read_done,
                           parcels);
    close(fds[1]);
    if (err)
        close(fds[0]);
    else
        *fd = fds[0];
    return err;
}

static int hear_draw(struct parcels *parcels, struct peer *courier,
                     const struct frame *frame)
{
    char digits[TALK_DIGEST_HEX + 1];
    struct catalog_blob blob;
    struct digest digest;
    struct buffer out = {0};
    struct field field;
    int64_t offset;
    int fd = -1;
    int err = read_digest(frame, digits, &digest);
    if (err || fields_find(&frame->fields, TAG_OFFSET, &field) != 0 ||
        field_number(&field, &offset) != 0 || offset < 0)
        return -EPROTO;
    err = find_stored(parcels, &digest, &blob);
    if (!err && offset > blob.size)
        return -EPROTO;
    if (!err)
        err = start_scribe(parcels, &digest, offset, &fd);
    frame_begin(&out, TALK_DRAWN, frame->id);
    frame_put_number(&out, TAG_ERROR, -err);
    if (err)
        frame_put_text(&out, TAG_TEXT, strerror(-err));
    peer_send_descriptor(courier, &out, fd);
    buffer_free(&out);
    return 0;
}

/* ---- The city's word */

static int check_handover(const struct parcels *parcels, const struct field *note,
                          struct handover *handover, struct catalog_blob *blob)
{
    const struct store_log *log = &parcels->blobs->journal->log;
    if (parcels->link->verifier == NULL)
        return -ENOKEY;
    int err = handover_read(handover, note->bytes, note->length, parcels->link->verifier);
    if (!err && strcmp(handover->office, log->office) != 0)
        err = -EBADMSG;
    if (!err && strcmp(handover->log, log->log) != 0)
        err = -ESTALE;
    if (!err)
        err = find_stored(parcels, &handover->sha256, blob);
    if (!err && (!blob->has_sm3 || !digest_equal(&blob->sm3, &handover->sm3) ||
                 blob->size != handover->size || blob->seq != handover->seq))
        err = -EBADMSG;
    return err;
}

static int record_upload(struct parcels *parcels, const struct catalog_blob *blob,
                         const struct field *note)
{
    struct catalog_blob row = *blob;
    struct buffer data = {0};
    char digits[TALK_DIGEST_HEX + 1];
    buffer_append_text(&data, "{");
    blobs_print_name(&data, blob);
    hex_encode(digits, blob->sm3.bytes, DIGEST_BYTES);
    buffer_printf(&data, ",\"sm3\":\"%s\",\"receipt\":", digits);
    json_put_bytes(&data, note->bytes, note->length);
    int err = chain_add(parcels->blobs->group, blob, &data);
    buffer_append_text(&data, "}");
    if (!err)
        err = self_record(parcels->blobs->group, "evidence.uploaded", buffer_text(&data));
    buffer_free(&data);
    if (err)
        return err;
    row.uploaded_us = now_utc_us();
    blobs_add_up(parcels->blobs, blob, -1);
    blobs_add_up(parcels->blobs, &row, 1);
    err = catalog_put(store_of(parcels), &row);
    if (!err)
        err = notes_forget(store_of(parcels), &blob->sha256);
    if (err)
        group_fail(parcels->blobs->group, err);
    return err;
}

/* One that came before has its event already. */
static int hear_handover(struct parcels *parcels, struct peer *courier,
                         const struct frame *frame)
{
    struct handover handover;
    struct catalog_blob blob;
    struct field note;
    if (fields_find(&frame->fields, TAG_TEXT, &note) != 0)
        return -EPROTO;
    int err = check_handover(parcels, &note, &handover, &blob);
    if (err) {
        log_warn("city: a receipt for a file is refused: %s", strerror(-err));
        answer(courier, frame->id, err, "this receipt is refused");
        return 0;
    }
    if (blob.uploaded_us != 0) {
        answer(courier, frame->id, 0, "");
        return 0;
    }
    err = group_enter(parcels->blobs->group);
    if (err) {
        answer(courier, frame->id, err, strerror(-err));
        return 0;
    }
    group_answer(parcels->blobs->group, courier, frame->id, -1);
    record_upload(parcels, &blob, &note);
    return 0;
}

int parcels_hear(struct parcels *parcels, struct peer *courier, const struct frame *frame)
{
    switch (frame->type) {
    case TALK_PARCELS:
        return hear_list(parcels, courier, frame);
    case TALK_NOTE:
        return hear_note(parcels, courier, frame);
    case TALK_DRAW:
        return hear_draw(parcels, courier, frame);
    case TALK_HANDOVER:
        return hear_handover(parcels, courier, frame);
    default:
        return -EPROTO;
    }
}

/* ---- Life */

void parcels_open(struct parcels *parcels, struct blobs *blobs, const struct link *link,
                  const struct config *config)
{
    *parcels = (struct parcels){.blobs = blobs, .link = link, .config = config};
}

void parcels_forget(struct parcels *parcels)
{
    errand_stop(&parcels->errand);
}

void parcels_close(struct parcels *parcels)
{
    parcels_forget(parcels);
}
