/* job - how far the salvage of one damaged journal has come: what is kept of it in the store.
 *
 * Its record is written in the transaction that commits what was found, so each event is found
 * once, whatever happens in between. */
#ifndef KEEPER_REPAIR_JOB_H
#define KEEPER_REPAIR_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/word.h"
#include "wire/talk.h"

enum { JOB_FOLDER_MAX = 64, JOB_RANGES_MAX = 64 };

/* The events of that lane from first to last are lost; lane LANES: nobody knows their lanes. */
struct job_range {
    int lane;
    int64_t first, last;
};

struct job {
    char folder[JOB_FOLDER_MAX + 1]; /* its name in the state folder */
    char log[WORD_ID_MAX + 1];       /* whose it was, empty: not known yet */
    int64_t next;                    /* the first event not dealt with, -1 none is */
    int64_t found[LANES];
    int64_t lost[LANES + 1];
    int ranges;
    struct job_range range[JOB_RANGES_MAX]; /* the first ones; `lost` counts all */
    bool is_done;
    int open[LANES +
             1]; /* one more than the lane's range that the next loss continues; 0 none */
};

/* A new job for that folder; -ENAMETOOLONG. */
int job_begin(struct job *job, const char *folder);
/* As JSON, and back (-EPROTO; `folder` is not part of it). */
void job_print(const struct job *job, struct buffer *out);
int job_read(struct job *job, const void *bytes, size_t length);

/* One more is found, or lost, after those before it. */
void job_find(struct job *job, int lane);
void job_lose(struct job *job, int lane, int64_t seq);

/* The data of the event that tells how it ended. */
void job_print_end(const struct job *job, struct buffer *out);

#endif
