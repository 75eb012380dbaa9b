/* Any text is split or refused, never opened by a key that did not sign it, and can be
 * countersigned when it was split. The input is also tried as the text to be signed. */
#include "proof/note.h"

#include <stdint.h>
#include <string.h>

#include "base/base.h"

static struct key *key;

static void countersign(const uint8_t *bytes, size_t length, size_t text_length)
{
    struct buffer note = {0};
    size_t again;
    buffer_append(&note, bytes, length);
    if (note_countersign(&note, key) == 0) {
        int err = note_open(note.bytes, note.length, key, &again);
        ASSERT(err == 0 && again == text_length);
    }
    buffer_free(&note);
}

static void sign(const uint8_t *bytes, size_t length)
{
    struct buffer text = {0}, note = {0};
    size_t again;
    buffer_append(&text, bytes, length);
    buffer_append(&text, "\n", 1);
    if (strlen(buffer_text(&text)) == text.length) {
        note_sign(&note, buffer_text(&text), key);
        if (note_open(note.bytes, note.length, key, &again) == 0)
            ASSERT(again == text.length);
    }
    buffer_free(&text);
    buffer_free(&note);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    size_t text_length, again;
    if (key == NULL)
        ASSERT(key_make(&key, suite_named("sha256+ed25519"), "fuzz") == 0);
    ASSERT(note_open(bytes, length, key, &again) != 0);
    if (note_split(bytes, length, &text_length) == 0) {
        ASSERT(text_length < length && bytes[text_length - 1] == '\n');
        countersign(bytes, length, text_length);
    }
    sign(bytes, length);
    return 0;
}
