/* custody - see custody.h. */
#include "keeper/blobs/custody.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/base.h"
#include "base/hex.h"
#include "base/now.h"
#include "keeper/blobs/blobs.h"
#include "keeper/children/commit.h"
#include "keeper/self.h"

/* What is asked for. `row` is what it is, and then what it shall be. */
struct wish {
    struct blobs *blobs;
    struct digest digest;
    struct catalog_blob row;
    int class;       /* mark: -1 none was said */
    int64_t keep_ms; /* mark, release */
    char manifest[TALK_DIGEST_HEX + 1];
    char reason[CUSTODY_REASON_MAX + 1];
};

int custody_read_reason(char reason[CUSTODY_REASON_MAX + 1], const struct frame *frame)
{
    struct field field;
    if (fields_find(&frame->fields, TAG_TEXT, &field) != 0 || field.length == 0 ||
        field_text(&field, reason, CUSTODY_REASON_MAX + 1) != 0)
        return -EPROTO;
    for (const char *at = reason; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return -EPROTO;
    return 0;
}

void custody_print_who(struct buffer *out, const struct access_who *who)
{
    int role = who->roles & ACCESS_OFFICER ? ACCESS_OFFICER : ACCESS_TECHNICIAN;
    buffer_append_text(out, "\"who\":{\"name\":");
    json_put_text(out, who->name);
    buffer_printf(out, ",\"role\":\"%s\",\"via\":\"%s\"}", access_role_name(role),
                  who->via);
}

/* ---- What becomes of the row: 0, or -EINVAL with why not */

static int mark(struct wish *wish, struct buffer *why)
{
    struct catalog_blob *row = &wish->row;
    if (wish->class != CLASS_IMPORTANT && wish->class != CLASS_CASE)
        buffer_append_text(why, "expected important or case");
    else if (row->class == CLASS_CASE && wish->class < CLASS_CASE)
        buffer_append_text(why, "it is of a case already, until it is released");
    else if (wish->class == CLASS_IMPORTANT && wish->keep_ms < 0)
        buffer_append_text(why, "expected how long it is to be kept");
    if (why->length > 0)
        return -EINVAL;
    blobs_raise(wish->blobs, row, wish->class,
                wish->class == CLASS_CASE ? -1 : wish->keep_ms, false);
    return 0;
}

static int release(struct wish *wish, struct buffer *why)
{
    struct catalog_blob *row = &wish->row;
    if (row->class != CLASS_CASE)
        buffer_append_text(why, "it is held for no case");
    else if (wish->keep_ms < 0)
        buffer_append_text(why, "expected how long it is to be kept");
    if (why->length > 0)
        return -EINVAL;
    row->class = CLASS_IMPORTANT;
    row->keep_ms = wish->keep_ms;
    row->until_us = blobs_until(wish->blobs, wish->keep_ms);
    row->is_prompt = false;
    return 0;
}

static int export(struct wish *wish, struct buffer *why)
{
    unsigned char bytes[DIGEST_BYTES];
    if (hex_decode(bytes, sizeof(bytes), wish->manifest) == 0)
        return 0;
    buffer_append_text(why, "expected the SHA-256 of its manifest");
    return -EINVAL;
}

static const struct deed {
    const char *name;
    const char *type;
    int (*decide)(struct wish *wish, struct buffer *why);
} DEEDS[] = {
    {"mark", "evidence.marked", mark},
    {"release", "evidence.released", release},
    {"export", "evidence.exported", export},
};

/* ---- The event */

static void print_keeping(struct buffer *out, const struct catalog_blob *from,
                          const struct catalog_blob *to)
{
    char text[NOW_TEXT_ROOM];
    buffer_printf(out, ",\"from\":\"%s\"", catalog_class_name(from->class));
    if (to->until_us < 0)
        return;
    now_format(text, to->until_us);
    buffer_printf(out, ",\"until\":\"%s\"", text);
}

static int record(struct wish *wish, const struct deed *deed,
                  const struct catalog_blob *from, const struct access_who *who)
{
    struct buffer more = {0};
    custody_print_who(&more, who);
    buffer_append_text(&more, ",\"reason\":");
    json_put_text(&more, wish->reason);
    if (deed->decide == export)
        buffer_printf(&more, ",\"manifest\":\"%s\"", wish->manifest);
    else
        print_keeping(&more, from, &wish->row);
    int err = blobs_change(wish->blobs, from, &wish->row, deed->type, buffer_text(&more));
    buffer_free(&more);
    return err;
}

/* What an officer hands to a court waits for the checkpoint that proves it: as an alarm does. */
static void commit(struct children *children, struct wish *wish, const struct deed *deed,
                   const struct catalog_blob *from, const struct access_who *who,
                   struct peer *asker, uint32_t id)
{
    struct group *group = children->group;
    int err = group_enter(group);
    if (err) {
        peer_done(asker, id, err, strerror(-err), -1);
        return;
    }
    group_answer(group, asker, id, journal_next(children->journal));
    if (record(wish, deed, from, who) != 0)
        return; /* the group was undone, and all in it were told */
    group->has_alarm |= deed->decide == export;
    group_ask(group, 1, true);
}

/* ---- What came */

static int read_wish(struct wish *wish, const struct frame *frame,
                     const struct deed **deed)
{
    char digits[TALK_DIGEST_HEX + 1], type[16], class[16];
    struct field field;
    *wish = (struct wish){.class = -1, .keep_ms = -1};
    *deed = NULL;
    if (fields_find(&frame->fields, TAG_DIGEST, &field) != 0 ||
        field_text(&field, digits, sizeof(digits)) != 0 ||
        hex_decode(wish->digest.bytes, DIGEST_BYTES, digits) != 0 ||
        fields_find(&frame->fields, TAG_TYPE, &field) != 0 ||
        field_text(&field, type, sizeof(type)) != 0)
        return -EPROTO;
    for (size_t i = 0; i < countof(DEEDS); i++)
        if (strcmp(DEEDS[i].name, type) == 0)
            *deed = &DEEDS[i];
    if (fields_find(&frame->fields, TAG_NAME, &field) == 0 &&
        field_text(&field, class, sizeof(class)) == 0)
        wish->class = talk_class_of(class);
    if (fields_find(&frame->fields, TAG_LIMIT, &field) == 0 &&
        (field_number(&field, &wish->keep_ms) != 0 || wish->keep_ms < -1 ||
         wish->keep_ms > COMMIT_KEEP_MAX_MS))
        return -EPROTO;
    if (fields_find(&frame->fields, TAG_KEY, &field) == 0 &&
        field_text(&field, wish->manifest, sizeof(wish->manifest)) != 0)
        return -EPROTO;
    return *deed == NULL ? -EPROTO : custody_read_reason(wish->reason, frame);
}

static int decide(struct wish *wish, const struct deed *deed,
                  const struct access_who *who, struct catalog_blob *from,
                  struct buffer *why)
{
    if (!(who->roles & ACCESS_OFFICER)) {
        buffer_append_text(why, "only an officer may decide about evidence");
        return -EPERM;
    }
    int err = blobs_find(wish->blobs, &wish->digest, from);
    if (err) {
        buffer_append_text(why, err == -ENOENT ? "no such blob is stored"
                                               : "the table of blobs cannot be read");
        return err;
    }
    if (deed->decide != mark && !blobs_is_evidence(from)) {
        buffer_append_text(why, "that blob is no evidence unless it is marked");
        return -EINVAL;
    }
    wish->row = *from;
    return deed->decide(wish, why);
}

int custody_hear(struct children *children, struct peer *asker, const struct frame *frame,
                 const struct access_who *who)
{
    const struct deed *deed;
    struct catalog_blob from;
    struct buffer why = {0};
    struct wish wish;
    if (read_wish(&wish, frame, &deed) != 0 || children->blobs == NULL)
        return -EPROTO;
    wish.blobs = children->blobs;
    int err = decide(&wish, deed, who, &from, &why);
    if (err)
        peer_done(asker, frame->id, err, buffer_text(&why), -1);
    else
        commit(children, &wish, deed, &from, who, asker, frame->id);
    buffer_free(&why);
    return 0;
}
