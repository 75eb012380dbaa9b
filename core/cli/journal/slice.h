/* slice - a part of a journal, read in order: what a replay is fed with.
 *
 * Reads a copy or the folder of a running office, which then is as it was when it was opened, and
 * writes nothing. Every event is held against its leaf hash; whether those are the signed ones is what
 * `outpost verify` says. */
#ifndef CLI_JOURNAL_SLICE_H
#define CLI_JOURNAL_SLICE_H

#include "cli/journal/archive.h"
#include "cli/journal/moment.h"

struct slice_wish {
    const char *folder;
    const char *from;  /* a sequence or a time; NULL: from the first event */
    const char *until; /* the last one, the same; NULL: to the last event */
    double days; /* instead of `from`: so many before the last event; 0: not wished */
};

struct slice {
    struct archive *archive;
    uint64_t first, end;       /* sequences */
    int64_t from_us, until_us; /* times beyond which nothing belongs to it; 0: none */
    uint64_t seq;              /* the next one */
    uint64_t read_until;       /* the sequence and the time up to which it reads now */
    int64_t read_until_us;
    uint64_t erased;        /* so many have been passed over since slice_rewind() */
    struct finding finding; /* what could not be read, and where */
    int64_t leaves_of;      /* tile whose leaf hashes are in `leaves`; -1 none */
    struct digest leaves[TILE_WIDTH];
};

/* -EINVAL and the finding: `from` or `until` makes no sense; other: it cannot be read. The caller
 * gives it back with slice_close() when it is 0. */
int slice_open(struct slice *slice, const struct slice_wish *wish);
void slice_close(struct slice *slice);

/* To its beginning. */
void slice_rewind(struct slice *slice);
/* From its end on, or where it is, to what was recorded up to then. */
void slice_read_on(struct slice *slice, int64_t until_us);

struct slice_event {
    uint64_t seq;
    struct moment moment;
    const void *body; /* until the next call */
    size_t length;
};

/* The next event: 1, 0 at the end, or a negative errno and the finding. */
int slice_next(struct slice *slice, struct slice_event *event);

#endif
