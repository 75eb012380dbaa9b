/* strict - whether bytes are JSON as RFC 8259 spells it, without a tree of it. */
#ifndef BASE_STRICT_H
#define BASE_STRICT_H

#include <stdbool.h>
#include <stddef.h>

/* Numbers of more letters are refused. */
enum { STRICT_DEPTH_MAX = 32, STRICT_NUMBER_MAX = 63 };

/* One whole JSON text in UTF-8, nested at most `deepest` deep, which is at most STRICT_DEPTH_MAX. */
bool strict_is_json(const void *bytes, size_t length, int deepest);

/* The same, and it is an object. */
bool strict_is_object(const void *bytes, size_t length, int deepest);

/* The length of what begins here, or 0 when it is not spelled as it must be: a UTF-8 sequence; a
 * text with its quotes; a number. */
size_t strict_sequence(const unsigned char *at, size_t left);
size_t strict_text(const unsigned char *at, size_t left);
size_t strict_number(const unsigned char *at, size_t left);

#endif
