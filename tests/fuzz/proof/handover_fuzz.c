/* Any note is read or refused, and what was read is written to a note that reads the same. */
#include "proof/handover.h"

#include <string.h>

#include "base/base.h"

static struct key *key;

static void read_and_sign(const void *bytes, size_t length)
{
    struct handover handover, again;
    struct buffer note = {0};
    ASSERT(handover_read(&again, bytes, length, key) != 0);
    if (handover_read(&handover, bytes, length, NULL) != 0)
        return;
    handover_sign(&note, &handover, key);
    int err = handover_read(&again, note.bytes, note.length, key);
    ASSERT(err == 0);
    ASSERT(strcmp(handover.office, again.office) == 0);
    ASSERT(strcmp(handover.log, again.log) == 0);
    ASSERT(handover.seq == again.seq && handover.size == again.size);
    ASSERT(digest_equal(&handover.sha256, &again.sha256));
    ASSERT(digest_equal(&handover.sm3, &again.sm3));
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
