/* Any note is read or refused, and what was read is written to a note that reads the same. The
 * input is tried as it is and with a signature line behind it. */
#include "proof/receipt.h"

#include <string.h>

#include "base/base.h"

/* The last second of 9999 may be said as 60: what lies behind it cannot be written. */
static const int64_t LAST_US = 253402300799999999;

static struct key *key;

static void expect_same(const struct receipt *a, const struct receipt *b)
{
    ASSERT(strcmp(a->office, b->office) == 0 && strcmp(a->log, b->log) == 0);
    ASSERT(memcmp(a->lane, b->lane, sizeof(a->lane)) == 0);
    ASSERT(a->has_checkpoint == b->has_checkpoint && a->size == b->size);
    ASSERT(digest_equal(&a->root, &b->root));
    ASSERT(a->time_us == b->time_us || a->time_us > LAST_US);
}

static void read_and_sign(const void *bytes, size_t length)
{
    struct receipt receipt, again;
    struct buffer note = {0};
    ASSERT(receipt_read(&again, bytes, length, key) != 0);
    if (receipt_read(&receipt, bytes, length, NULL) != 0)
        return;
    receipt_sign(&note, &receipt, key);
    int err = receipt_read(&again, note.bytes, note.length, key);
    ASSERT(err == 0);
    expect_same(&receipt, &again);
    buffer_free(&note);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct buffer note = {0};
    if (key == NULL)
        ASSERT(key_make(&key, suite_named("sha256+ed25519"), "fuzz") == 0);
    read_and_sign(bytes, length);
    buffer_append(&note, bytes, length);
    buffer_append_text(&note, "\n\n\xe2\x80\x94 name code\n");
    read_and_sign(note.bytes, note.length);
    buffer_free(&note);
    return 0;
}
