/* spool - what a plugin has emitted, one JSON line for each event, in the order of time.
 *
 *   {"at":TIME,"lane":...,"type":...,"subject":...,"data":{...}}
 *
 * Nothing in a line is left to chance: no id, no salt; the members of data are in the order of their
 * names, and the lines of one instant in the order of their text. So the SHA-256 of the file is the
 * same wherever the same was emitted. A temporary file that nobody else sees, unless it is named. */
#ifndef CLI_PLAY_SPOOL_H
#define CLI_PLAY_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/now.h"
#include "base/word.h"
#include "proof/suite.h"
#include "wire/talk.h"

enum { SPOOL_TYPES_MAX = 512 };

/* How many of a type there are. */
struct spool_type {
    char type[WORD_TYPE_MAX + 1];
    enum talk_lane lane;
    int64_t count;
    int64_t by_event; /* of them by handlers of host.on */
};

struct spool {
    FILE *file;
    struct buffer instant; /* char * to each line of the instant under way */
    int64_t instant_us;
    int64_t lanes[LANES];
    struct spool_type types[SPOOL_TYPES_MAX];
    size_t type_count;
    struct digest hash; /* when it is finished */
};

struct spool_event {
    char at[NOW_TEXT_ROOM];
    int64_t at_us;
    enum talk_lane lane;
    char type[WORD_TYPE_MAX + 1];
    char subject[WORD_SUBJECT_MAX + 1];
    char *data; /* canonical; the caller frees it with mem_free() */
};

/* 0 or a negative errno. `path` NULL: a temporary file. */
int spool_open(struct spool *spool, const char *path);
void spool_close(struct spool *spool);

/* -EBADMSG when the member that times it, `at` or `recorded`, or another makes no sense. */
int spool_add(struct spool *spool, const struct json *event, const char *at);
/* All has been added: writes it out and hashes it; then it can be read. */
int spool_finish(struct spool *spool);

/* The next line from the beginning: 1, 0 at the end, or a negative errno. */
int spool_next(struct spool *spool, struct spool_event *event);

int64_t spool_count(const struct spool *spool);
/* NULL: there is none of that type. */
const struct spool_type *spool_type(const struct spool *spool, const char *type);

#endif
