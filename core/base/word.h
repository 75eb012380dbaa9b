/* word - the small texts that name things: ids, event types, patterns.
 *
 * They appear in topics, file names and logs, so their letters are few. */
#ifndef BASE_WORD_H
#define BASE_WORD_H

#include <stdbool.h>

enum { WORD_ID_MAX = 64, WORD_TYPE_MAX = 64, WORD_SUBJECT_MAX = 160 };

/* 1 to 64 of A-Z a-z 0-9 . _ : - and not beginning with a dot. */
bool word_is_id(const char *text);

/* 1 to 64 of a-z 0-9 _ in at least two parts parted by dots: "wristband.strap_opened". */
bool word_is_type(const char *text);

/* "office", or two or three ids parted by "/": "person/<id>", "device/<kind>/<serial>". */
bool word_is_subject(const char *text);

/* Whether the pattern names the type: "*" is all, "wristband.*" all that begin so, else equal. */
bool word_matches(const char *pattern, const char *type);

/* Whether it may be used with word_matches(). */
bool word_is_pattern(const char *text);

#endif
