/* receipt - see receipt.h.
 *
 * Lanes stand in their order, each at most once, and nothing stands where it is not expected: what
 * moves the "synced" mark has one spelling. */
#include "proof/receipt.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/base.h"
#include "base/now.h"
#include "proof/base64.h"
#include "proof/note.h"
#include "proof/text.h"

static const char *const LANES[RECEIPT_LANES] = {"lane alarm ", "lane record ",
                                                 "lane telemetry "};

void receipt_sign(struct buffer *out, const struct receipt *receipt,
                  const struct key *key)
{
    struct buffer text = {0};
    char time[NOW_TEXT_ROOM];
    now_format(time, receipt->time_us);
    buffer_printf(&text, "outpost-receipt/%s/%s\ntime %s\n", receipt->office,
                  receipt->log, time);
    for (int lane = 0; lane < RECEIPT_LANES; lane++)
        if (receipt->lane[lane] >= 0)
            buffer_printf(&text, "%s%" PRId64 "\n", LANES[lane], receipt->lane[lane]);
    if (receipt->has_checkpoint) {
        buffer_printf(&text, "checkpoint %" PRIu64 " ", receipt->size);
        base64_encode(&text, receipt->root.bytes, DIGEST_BYTES);
        buffer_append(&text, "\n", 1);
    }
    note_sign(out, buffer_text(&text), key);
    buffer_free(&text);
}

static bool read_names(struct receipt *receipt, struct text *text)
{
    struct text line, office;
    return text_take_line(text, &line) && text_skip(&line, "outpost-receipt/") &&
           text_take_until(&line, '/', &office) &&
           text_copy(&office, receipt->office, sizeof(receipt->office)) &&
           text_copy(&line, receipt->log, sizeof(receipt->log)) &&
           word_is_id(receipt->office) && word_is_id(receipt->log);
}

static bool read_time(struct receipt *receipt, struct text *text)
{
    struct text line;
    char time[NOW_TEXT_ROOM];
    return text_take_line(text, &line) && text_skip(&line, "time ") &&
           text_copy(&line, time, sizeof(time)) &&
           now_parse(&receipt->time_us, time) == 0;
}

static bool read_lane(struct receipt *receipt, struct text *text, int lane)
{
    struct text line;
    uint64_t seq;
    receipt->lane[lane] = -1;
    if (!text_skip(text, LANES[lane]))
        return true;
    if (!text_take_line(text, &line) || !text_is_number(&line, &seq) || seq > INT64_MAX)
        return false;
    receipt->lane[lane] = (int64_t)seq;
    return true;
}

static bool read_checkpoint(struct receipt *receipt, struct text *text)
{
    struct text line, size;
    if (!text_skip(text, "checkpoint "))
        return true;
    receipt->has_checkpoint = true;
    return text_take_line(text, &line) && text_take_until(&line, ' ', &size) &&
           text_is_number(&size, &receipt->size) && text_is_digest(&line, &receipt->root);
}

static int read_text(struct receipt *receipt, struct text text)
{
    *receipt = (struct receipt){.size = 0};
    bool good = read_names(receipt, &text) && read_time(receipt, &text);
    for (int lane = 0; lane < RECEIPT_LANES && good; lane++)
        good = read_lane(receipt, &text, lane);
    good = good && read_checkpoint(receipt, &text) && text.length == 0;
    return good ? 0 : -EPROTO;
}

int receipt_read(struct receipt *receipt, const void *note, size_t length,
                 const struct key *key)
{
    size_t text_length;
    int err = key != NULL ? note_open(note, length, key, &text_length)
                          : note_split(note, length, &text_length);
    return err ? err : read_text(receipt, (struct text){note, text_length});
}
