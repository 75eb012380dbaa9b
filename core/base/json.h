/* json - RFC 8259 in and out.
 *
 * In: a tree that the caller gives back with json_free(); items belong to their tree. Out: text
 * appended to a buffer. Nesting is refused beyond JSON_DEPTH_MAX. Whole numbers keep their digits. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/strict.h"

enum { JSON_DEPTH_MAX = STRICT_DEPTH_MAX };

struct json;

/* Reads one whole JSON text; -EPROTO when it is not one (strict.h), or too deep. */
int json_parse(struct json **out, const void *bytes, size_t length);
void json_free(struct json *json);

/* The member of that name, or NULL; NULL as `json` is fine, so calls chain. */
const struct json *json_get(const struct json *json, const char *name);
/* The member's text, or NULL when it is absent or no text. */
const char *json_text(const struct json *json, const char *name);
/* The member as a whole number of 64 bits, exactly, or `otherwise`. */
int64_t json_number(const struct json *json, const char *name, int64_t otherwise);
bool json_true(const struct json *json, const char *name);
bool json_is_object(const struct json *json);
bool json_is_array(const struct json *json);

/* Members of an array or object, in order: first, then next until NULL. */
const struct json *json_first(const struct json *json);
const struct json *json_next(const struct json *item);
const char *json_name(const struct json *item);  /* of a member of an object, else NULL */
const char *json_value(const struct json *item); /* the item's own text, or NULL */

/* Appends the tree as compact JSON. */
void json_print(struct buffer *out, const struct json *json);
/* The same with the members of each object in the order of their names: one text for one value. */
void json_print_sorted(struct buffer *out, const struct json *json);

/* Appends the text quoted and escaped. Bytes that are not UTF-8 become U+FFFD. */
void json_put_text(struct buffer *out, const char *text);
void json_put_bytes(struct buffer *out, const void *bytes, size_t length);

#endif
