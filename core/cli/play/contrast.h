/* contrast - two spools side by side: what the one has and the other has not.
 *
 * Events are the same when type, subject and data are, and their times are within a tolerance of each
 * other. Of what is left, two of one type and subject within the tolerance are one event with other
 * data; the rest is fewer (only the reference has it) or more. */
#ifndef CLI_PLAY_CONTRAST_H
#define CLI_PLAY_CONTRAST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "cli/play/spool.h"

enum contrast_kind { CONTRAST_FEWER, CONTRAST_MORE, CONTRAST_OTHER, CONTRAST_KINDS };

struct contrast_type {
    char type[WORD_TYPE_MAX + 1];
    enum talk_lane lane;
    int64_t counts[CONTRAST_KINDS];
};

struct contrast_example {
    enum contrast_kind kind;
    struct spool_event event;
    char *was; /* data of the reference, when the kind is OTHER */
};

struct contrast {
    int64_t within_us; /* set before */
    int64_t limit;     /* so many examples are kept; set before */
    int64_t from_us,
        until_us; /* only the reference's events between may be fewer; set before */
    bool (*passes)(void *owner,
                   const char *type); /* which types count; NULL: all. Set before */
    void *owner;
    struct contrast_type types[SPOOL_TYPES_MAX];
    size_t type_count;
    int64_t lanes[LANES][CONTRAST_KINDS];
    struct buffer examples; /* struct contrast_example apiece */
    int64_t differences;
    int64_t
        passed_over; /* of the reference, outside of from_us to until_us, without a match */
};

/* Reads both. 0 or a negative errno. */
int contrast_run(struct contrast *contrast, struct spool *reference, struct spool *spool);
void contrast_free(struct contrast *contrast);

const struct contrast_example *contrast_example(const struct contrast *contrast,
                                                size_t i);
size_t contrast_example_count(const struct contrast *contrast);
const char *contrast_kind_name(enum contrast_kind kind);

#endif
