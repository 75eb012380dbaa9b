/* text - reading what stands in a note, line by line, strictly: one value, one spelling. */
#ifndef PROOF_TEXT_H
#define PROOF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proof/suite.h"

/* A piece of somebody else's bytes. */
struct text {
    const char *bytes;
    size_t length;
};

/* Takes the next line, without its newline; false at the end or when the newline is missing. */
bool text_take_line(struct text *text, struct text *line);
/* Takes what stands before the first `letter`, and the letter; false when there is none. */
bool text_take_until(struct text *text, char letter, struct text *word);
/* Steps over `prefix`; false when the text begins otherwise. */
bool text_skip(struct text *text, const char *prefix);

/* The whole text as a C string of less than `room` bytes. */
bool text_copy(const struct text *text, char *copy, size_t room);
/* The whole text as a decimal number without spare zeros. */
bool text_is_number(const struct text *text, uint64_t *number);
/* The whole text as 32 bytes in base64. */
bool text_is_digest(const struct text *text, struct digest *digest);

#endif
