/* note - C2SP signed notes: a text ended by a newline, an empty line, signature lines.
 *
 * At most NOTE_MAX bytes and 16 signatures. */
#ifndef PROOF_NOTE_H
#define PROOF_NOTE_H

#include <stddef.h>

#include "base/buffer.h"
#include "proof/key.h"

enum { NOTE_MAX = 16 * 1024 };

/* Appends the note of `text` (which ends with a newline) signed by `key`. */
void note_sign(struct buffer *out, const char *text, const struct key *key);

/* Adds one more signature to a note (a countersignature). 0, -EPROTO. */
int note_countersign(struct buffer *note, const struct key *key);

/* Checks that `key` signed the note and says how long its text is (with the last newline). 0,
 * -EPROTO (not a note), -ENOKEY (no signature of that name and id), -EBADMSG (a wrong one). */
int note_open(const void *note, size_t length, const struct key *key,
              size_t *text_length);

/* Only splits: where the text ends; 0 or -EPROTO. */
int note_split(const void *note, size_t length, size_t *text_length);

#endif
