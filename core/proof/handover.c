/* handover - see handover.h. As with receipts, each value has one spelling. */
#include "proof/handover.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/base.h"
#include "base/hex.h"
#include "base/now.h"
#include "proof/note.h"
#include "proof/text.h"

enum { HEX_ROOM = 2 * DIGEST_BYTES + 1 };

void handover_sign(struct buffer *out, const struct handover *handover,
                   const struct key *key)
{
    struct buffer text = {0};
    char time[NOW_TEXT_ROOM], sha256[HEX_ROOM], sm3[HEX_ROOM];
    now_format(time, handover->time_us);
    hex_encode(sha256, handover->sha256.bytes, DIGEST_BYTES);
    hex_encode(sm3, handover->sm3.bytes, DIGEST_BYTES);
    buffer_printf(&text,
                  "outpost-handover/%s/%s/%" PRId64 "\ntime %s\nsha256 %s\nsm3 %s\n"
                  "size %" PRId64 "\n",
                  handover->office, handover->log, handover->seq, time, sha256, sm3,
                  handover->size);
    note_sign(out, buffer_text(&text), key);
    buffer_free(&text);
}

static bool is_count(const struct text *text, int64_t *count)
{
    uint64_t number;
    if (!text_is_number(text, &number) || number > INT64_MAX)
        return false;
    *count = (int64_t)number;
    return true;
}

static bool read_names(struct handover *handover, struct text *text)
{
    struct text line, office, log;
    return text_take_line(text, &line) && text_skip(&line, "outpost-handover/") &&
           text_take_until(&line, '/', &office) && text_take_until(&line, '/', &log) &&
           text_copy(&office, handover->office, sizeof(handover->office)) &&
           text_copy(&log, handover->log, sizeof(handover->log)) &&
           word_is_id(handover->office) && word_is_id(handover->log) &&
           is_count(&line, &handover->seq);
}

static bool read_time(struct handover *handover, struct text *text)
{
    struct text line;
    char time[NOW_TEXT_ROOM];
    return text_take_line(text, &line) && text_skip(&line, "time ") &&
           text_copy(&line, time, sizeof(time)) &&
           now_parse(&handover->time_us, time) == 0;
}

static bool read_digest(struct digest *digest, struct text *text, const char *name)
{
    struct text line;
    char told[HEX_ROOM], spelled[HEX_ROOM];
    if (!text_take_line(text, &line) || !text_skip(&line, name) ||
        !text_copy(&line, told, sizeof(told)) || strlen(told) != HEX_ROOM - 1 ||
        hex_decode(digest->bytes, DIGEST_BYTES, told) != 0)
        return false;
    hex_encode(spelled, digest->bytes, DIGEST_BYTES);
    return strcmp(told, spelled) == 0;
}

static int read_text(struct handover *handover, struct text text)
{
    struct text line;
    *handover = (struct handover){.size = 0};
    bool good = read_names(handover, &text) && read_time(handover, &text) &&
                read_digest(&handover->sha256, &text, "sha256 ") &&
                read_digest(&handover->sm3, &text, "sm3 ") &&
                text_take_line(&text, &line) && text_skip(&line, "size ") &&
                is_count(&line, &handover->size) && text.length == 0;
    return good ? 0 : -EPROTO;
}

int handover_read(struct handover *handover, const void *note, size_t length,
                  const struct key *key)
{
    size_t text_length;
    int err = key != NULL ? note_open(note, length, key, &text_length)
                          : note_split(note, length, &text_length);
    return err ? err : read_text(handover, (struct text){note, text_length});
}
