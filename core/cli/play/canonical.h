/* canonical - JSON whose members are in the order of their names: equal values are equal texts. */
#ifndef CLI_PLAY_CANONICAL_H
#define CLI_PLAY_CANONICAL_H

#include "base/buffer.h"
#include "base/json.h"

/* Appends it. NULL is null. */
void canonical_print(struct buffer *out, const struct json *json);

/* Appends the first difference of two canonical texts as people read it, "battery: 3, was 5"; the
 * name of a member within members is "a.b", of an array "a[2]". */
void canonical_compare(struct buffer *out, const char *is, const char *was);

#endif
