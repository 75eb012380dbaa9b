/* parcel - see parcel.h. */
#include "courier/parcel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "proof/base64.h"

static const char *const STATES[] = {"begun ", "sent "};

static int find_text(const struct fields *fields, uint8_t tag, char *text, size_t room)
{
    struct field field;
    int err = fields_find(fields, tag, &field);
    return err ? -EPROTO : field_text(&field, text, room);
}

static int find_count(const struct fields *fields, uint8_t tag, int64_t *count)
{
    struct field field;
    int err = fields_find(fields, tag, &field);
    if (!err)
        err = field_number(&field, count);
    return err || *count < 0 ? -EPROTO : 0;
}

/* A note that is none of ours is as none: the upload begins anew. */
static void read_note(struct parcel *parcel, const struct fields *fields)
{
    char note[TALK_NOTE_MAX + 1];
    struct field field;
    if (fields_find(fields, TAG_VALUE, &field) == 0 &&
        field_text(&field, note, sizeof(note)) == 0)
        for (size_t i = 0; i < countof(STATES); i++) {
            const char *url = note + strlen(STATES[i]);
            if (strncmp(note, STATES[i], strlen(STATES[i])) == 0 &&
                strlen(url) <= TUS_URL_MAX) {
                tus_begin(&parcel->tus, parcel->size, url, i == 1);
                return;
            }
        }
    tus_begin(&parcel->tus, parcel->size, "", false);
}

int parcel_read(struct parcel *parcel, const struct field *entry)
{
    struct fields fields = field_inside(entry);
    *parcel = (struct parcel){.size = 0};
    int err = find_text(&fields, TAG_DIGEST, parcel->sha256, sizeof(parcel->sha256));
    if (!err)
        err = find_text(&fields, TAG_SM3, parcel->sm3, sizeof(parcel->sm3));
    if (!err)
        err = find_text(&fields, TAG_NAME, parcel->class, sizeof(parcel->class));
    if (!err)
        err = find_count(&fields, TAG_SIZE, &parcel->size);
    if (!err)
        err = find_count(&fields, TAG_SEQ, &parcel->seq);
    if (!err)
        read_note(parcel, &fields);
    if (!err && find_count(&fields, TAG_LIMIT, &parcel->tus.aside_ms) != 0)
        parcel->tus.aside_ms = 0;
    return err;
}

void parcel_print_note(const struct parcel *parcel, struct buffer *out)
{
    buffer_append_text(out, STATES[parcel->tus.is_sent]);
    buffer_append_text(out, parcel->tus.url);
}

static void put_pair(struct buffer *out, const char *before, const char *name,
                     const char *value)
{
    buffer_printf(out, "%s%s ", before, name);
    base64_encode(out, value, strlen(value));
}

void parcel_print_metadata(const struct parcel *parcel, const struct settings *settings,
                           struct buffer *out)
{
    char seq[24], size[24];
    snprintf(seq, sizeof(seq), "%" PRId64, parcel->seq);
    snprintf(size, sizeof(size), "%" PRId64, parcel->size);
    put_pair(out, "Upload-Metadata: ", "office", settings->office);
    put_pair(out, ",", "log", settings->log);
    put_pair(out, ",", "seq", seq);
    put_pair(out, ",", "sha256", parcel->sha256);
    put_pair(out, ",", "sm3", parcel->sm3);
    put_pair(out, ",", "size", size);
    put_pair(out, ",", "class", parcel->class);
}

void parcel_print_receipt_url(const struct parcel *parcel,
                              const struct settings *settings, struct buffer *out)
{
    buffer_printf(out, "%s%s/%s", settings->receipts, settings->office, parcel->sha256);
}
