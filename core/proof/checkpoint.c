/* checkpoint - see checkpoint.h.
 *
 * Rule of this file: a text has one reading and a reading has one text; numbers without spare
 * zeros, base64 without spare bits, the suite named only when it is not the default. Extension
 * lines that are not ours are passed over, as the format wants. */
#include "proof/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "proof/base64.h"
#include "proof/note.h"
#include "proof/text.h"

static const char DEFAULT_SUITE[] = "sha256+ed25519";

int checkpoint_origin(char origin[CHECKPOINT_ORIGIN_MAX + 1], const char *office,
                      const char *log)
{
    int length =
        snprintf(origin, CHECKPOINT_ORIGIN_MAX + 1, "outpost/%s/%s", office, log);
    return length >= 0 && length <= CHECKPOINT_ORIGIN_MAX ? 0 : -ENAMETOOLONG;
}

void checkpoint_sign(struct buffer *out, const struct checkpoint *checkpoint,
                     const struct key *key)
{
    struct buffer text = {0};
    buffer_printf(&text, "%s\n%" PRIu64 "\n", checkpoint->origin, checkpoint->size);
    base64_encode(&text, checkpoint->root.bytes, DIGEST_BYTES);
    buffer_append(&text, "\n", 1);
    if (strcmp(suite_name(checkpoint->suite), DEFAULT_SUITE) != 0)
        buffer_printf(&text, "suite %s\n", suite_name(checkpoint->suite));
    note_sign(out, buffer_text(&text), key);
    buffer_free(&text);
}

static int read_origin(struct checkpoint *checkpoint, struct text *text)
{
    struct text line;
    if (!text_take_line(text, &line) || line.length == 0 ||
        line.length > CHECKPOINT_ORIGIN_MAX)
        return -EPROTO;
    memcpy(checkpoint->origin, line.bytes, line.length);
    checkpoint->origin[line.length] = '\0';
    return 0;
}

static int read_suite(struct checkpoint *checkpoint, struct text *text)
{
    struct text line;
    checkpoint->suite = suite_named(DEFAULT_SUITE);
    while (text_take_line(text, &line)) {
        if (line.length == 0)
            return -EPROTO;
        if (!text_skip(&line, "suite "))
            continue;
        char name[32];
        if (checkpoint->suite != suite_named(DEFAULT_SUITE) ||
            !text_copy(&line, name, sizeof(name)))
            return -EPROTO;
        checkpoint->suite = suite_named(name);
        if (checkpoint->suite == NULL || strcmp(name, DEFAULT_SUITE) == 0)
            return -EPROTO;
    }
    return 0;
}

static int read_text(struct checkpoint *checkpoint, struct text text)
{
    struct text size, root;
    int err = read_origin(checkpoint, &text);
    if (err)
        return err;
    if (!text_take_line(&text, &size) || !text_is_number(&size, &checkpoint->size))
        return -EPROTO;
    if (!text_take_line(&text, &root) || !text_is_digest(&root, &checkpoint->root))
        return -EPROTO;
    return read_suite(checkpoint, &text);
}

int checkpoint_read(struct checkpoint *checkpoint, const void *note, size_t length,
                    const struct key *key)
{
    size_t text_length;
    int err = key != NULL ? note_open(note, length, key, &text_length)
                          : note_split(note, length, &text_length);
    return err ? err : read_text(checkpoint, (struct text){note, text_length});
}
