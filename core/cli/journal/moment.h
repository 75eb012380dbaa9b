/* moment - what an event of a journal says of itself before its data, found without parsing it.
 *
 * The keeper writes the members in one order (design.md), and nothing before the data can hold a
 * quote. What is not so is no event. */
#ifndef CLI_JOURNAL_MOMENT_H
#define CLI_JOURNAL_MOMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/now.h"
#include "base/word.h"
#include "wire/talk.h"

enum { MOMENT_SOURCE_MAX = 3 * WORD_ID_MAX + 3 };

struct moment {
    char source[MOMENT_SOURCE_MAX + 1]; /* "/office/plugin/instance" */
    char type[WORD_TYPE_MAX + 1];
    char boot[NOW_BOOT_ROOM];
    enum talk_lane lane;
    int64_t utc_us;  /* when it was recorded, by the wall clock of the box */
    int64_t mono_us; /* and since boot */
};

/* 0 or -EBADMSG. */
int moment_read(struct moment *moment, const void *body, size_t length);

#endif
