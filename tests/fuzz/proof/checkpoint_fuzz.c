/* Any note is read or refused, and what was read is written to a note that reads the same. The
 * input is tried as it is and, so that the fuzzer need not invent signatures, with one behind it. */
#include "proof/checkpoint.h"

#include <string.h>

#include "base/base.h"

static struct key *key;

static void read_and_sign(const void *bytes, size_t length)
{
    struct checkpoint checkpoint, again;
    struct buffer note = {0};
    ASSERT(checkpoint_read(&again, bytes, length, key) != 0);
    if (checkpoint_read(&checkpoint, bytes, length, NULL) != 0)
        return;
    checkpoint_sign(&note, &checkpoint, key);
    int err = checkpoint_read(&again, note.bytes, note.length, key);
    ASSERT(err == 0 && again.size == checkpoint.size && again.suite == checkpoint.suite);
    ASSERT(strcmp(again.origin, checkpoint.origin) == 0);
    ASSERT(digest_equal(&again.root, &checkpoint.root));
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
