/* blobline - see blobline.h.
 *
 * The keeper's last word, not the end of the pipe, tells whether the bytes were all and right. */
#include "cli/office/blobline.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/office/keeperline.h"
#include "wire/talk.h"

enum { ROWS = 200 };

/* ---- Which there are */

struct listing {
    int (*each)(void *owner, const struct json *blob, const struct field *text);
    void *owner;
    char last[TALK_DIGEST_HEX + 1]; /* behind which the next page begins */
    bool more;
};

static int take_one(struct listing *listing, const struct field *field)
{
    struct json *blob;
    if (json_parse(&blob, field->bytes, field->length) != 0)
        return -EPROTO;
    const char *digest = json_text(blob, "sha256");
    int err = -EPROTO;
    if (digest != NULL && strlen(digest) == TALK_DIGEST_HEX) {
        strcpy(listing->last, digest);
        err = listing->each(listing->owner, blob, field);
    }
    json_free(blob);
    return err;
}

static int take_page(struct listing *listing, const struct frame *frame)
{
    struct fields rest = frame->fields;
    struct field field;
    int err = frame->type == TALK_LISTED ? 0 : -EPROTO;
    listing->more = false;
    while (!err && fields_next(&rest, &field) > 0) {
        listing->more |= field.tag == TAG_MORE;
        if (field.tag == TAG_DATA)
            err = take_one(listing, &field);
    }
    return err;
}

static int ask_page(int fd, struct listing *listing)
{
    struct buffer frame = {0}, room = {0};
    struct frame answer;
    frame_begin(&frame, TALK_LIST, 1);
    if (listing->last[0] != '\0')
        frame_put_text(&frame, TAG_DIGEST, listing->last);
    frame_put_number(&frame, TAG_LIMIT, ROWS);
    int err = keeperline_say(fd, &frame);
    if (!err)
        err = keeperline_hear(fd, &room, &answer);
    if (!err)
        err = take_page(listing, &answer);
    buffer_free(&frame);
    buffer_free(&room);
    return err;
}

int blobline_each(int fd,
                  int (*each)(void *owner, const struct json *blob,
                              const struct field *text),
                  void *owner)
{
    struct listing listing = {.each = each, .owner = owner, .more = true};
    int err = 0;
    while (listing.more && !err)
        err = ask_page(fd, &listing);
    return err;
}

/* ---- One blob's bytes */

static int copy(FILE *out, int from)
{
    static char part[64 * 1024];
    ssize_t length;
    while ((length = read(from, part, sizeof(part))) != 0) {
        if (length < 0 && errno != EINTR)
            return -errno;
        if (length > 0 && fwrite(part, 1, (size_t)length, out) != (size_t)length)
            return -EIO;
    }
    return fflush(out) == 0 ? 0 : -EIO;
}

static int say_view(int fd, const char *digest, const char *reason)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_VIEW, 1);
    frame_put_text(&frame, TAG_DIGEST, digest);
    if (reason != NULL) {
        frame_put_text(&frame, TAG_TYPE, "export");
        frame_put_text(&frame, TAG_TEXT, reason);
    }
    int err = keeperline_say(fd, &frame);
    buffer_free(&frame);
    return err;
}

int blobline_view(int fd, const char *command, const char *digest, const char *reason,
                  FILE *out)
{
    struct buffer room = {0};
    struct frame frame;
    int from = -1;
    int err = say_view(fd, digest, reason);
    if (!err)
        err = keeperline_hear_descriptor(fd, &room, &frame, &from);
    if (!err)
        err = keeperline_accept(&frame, TALK_VIEWED, command);
    if (!err && from < 0)
        err = -EPROTO;
    if (!err)
        err = copy(out, from);
    if (from >= 0)
        close(from);
    if (!err)
        err = keeperline_hear(fd, &room, &frame);
    if (!err)
        err = keeperline_accept(&frame, TALK_DONE, command);
    buffer_free(&room);
    return err;
}

/* ---- What an officer decides */

static int say_deed(int fd, const struct blobline_deed *deed)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_CUSTODY, 1);
    frame_put_text(&frame, TAG_DIGEST, deed->digest);
    frame_put_text(&frame, TAG_TYPE, deed->type);
    frame_put_text(&frame, TAG_TEXT, deed->reason);
    if (deed->class != NULL)
        frame_put_text(&frame, TAG_NAME, deed->class);
    if (deed->keep_ms >= 0)
        frame_put_number(&frame, TAG_LIMIT, deed->keep_ms);
    if (deed->manifest != NULL)
        frame_put_text(&frame, TAG_KEY, deed->manifest);
    int err = keeperline_say(fd, &frame);
    buffer_free(&frame);
    return err;
}

int blobline_decide(int fd, const char *command, const struct blobline_deed *deed,
                    int64_t *seq)
{
    struct buffer room = {0};
    struct frame frame;
    struct field field;
    int err = say_deed(fd, deed);
    if (!err)
        err = keeperline_hear(fd, &room, &frame);
    if (!err)
        err = keeperline_accept(&frame, TALK_DONE, command);
    if (!err && (fields_find(&frame.fields, TAG_SEQ, &field) != 0 ||
                 field_number(&field, seq) != 0))
        err = -EPROTO;
    buffer_free(&room);
    return err;
}
