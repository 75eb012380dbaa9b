/* book - what must be found of the office's blobs: after each thing that was told, the row of each, and
 * which are sealed. Shared with the processes that examine what a cut has left.
 *
 * The blobs are always the same few; each is known by its place in the list. */
#ifndef TESTS_FAULTS_POWERCUT_BOOK_H
#define TESTS_FAULTS_POWERCUT_BOOK_H

#include "keeper/blobs/blobs.h"

enum { BOOK_BLOBS = 12, BOOK_MOMENTS = 4000, BOOK_MOST = 131072 };

struct line_of {
    bool is_there;  /* a row, */
    bool is_sealed; /* of no commit yet, and its host has been told its hashes */
    struct catalog_blob row;
};

/* What has been done to the journal while no keeper ran. */
enum wreck_kind { WHOLE, WITHOUT_KEY, WITHOUT_TABLE };

struct moment_of {
    enum wreck_kind wreck;
    int asides; /* journals that have been set aside */
    struct store_log log;
    int64_t utc_us;
    struct line_of lines[BOOK_BLOBS];
};

struct book {
    int count; /* moments[1] to moments[count]; moments[0] is before there was anything */
    struct moment_of moments[BOOK_MOMENTS];
};

struct book_blob {
    struct digest sha256, sm3;
    size_t size;
    const uint8_t *bytes;
};

struct book *book_new(void);
const struct book_blob *book_blob(int at);
int book_asides(const char *folder);

/* The moment that is noted next: that of before, to be changed; book_end() notes it and marks the
 * trace. */
struct moment_of *book_begin(struct book *book);
void book_end(struct book *book);
/* Reads the rows and the log's name into it. */
void book_read(struct moment_of *moment, struct store *store);

/* An adoption has begun, and goes on when the folder is opened. */
bool book_adopts(const char *folder);

/* Whether all is as it must be after the first `marks` moments; `adopts` is what book_adopts() said
 * before the folder was opened. NULL, or what is wrong; "lost ..." when something is missing. */
const char *book_check(const struct book *book, uint64_t marks, const char *folder,
                       bool adopts, struct blobs *blobs);
/* Nothing is left of what goes: none is released, nothing lies in old/. */
const char *book_check_gone(struct blobs *blobs);

#endif
