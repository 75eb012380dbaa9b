/* hearsay - what a host says on standard error, put into the log of all line by line.
 *
 * A host gets the end of a pipe and no descriptor of the log: native code in it could otherwise shut it
 * (journald's is a socket), rewind it, read what others say in it, fill it, or speak in the keeper's
 * name. Its lines get our time and the instance's name, and are bounded: HEARSAY_BURST at once,
 * HEARSAY_PER_S in the long run; what is more is dropped, counted and said. While nobody reads the log
 * no host is heard: it may wait, the keeper does not. */
#ifndef KEEPER_CHILDREN_HEARSAY_H
#define KEEPER_CHILDREN_HEARSAY_H

#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/word.h"

enum { HEARSAY_BURST = 400, HEARSAY_PER_S = 20, HEARSAY_LINE_MAX = 1024 };

struct hearsay {
    struct loop *loop; /* NULL: nobody is heard */
    struct loop_watch watch;
    struct loop_timer pause; /* runs while it is not heard, because it says too much */
    int fd;
    char name[2 * WORD_ID_MAX + 2]; /* "plugin instance" */
    char line[HEARSAY_LINE_MAX];    /* that has begun */
    size_t length;
    int64_t tokens;
    int64_t tokens_us;
    int64_t dropped; /* lines that were not said, since that was last told */
};

/* Begins to hear; *end becomes what the process writes into, and is the caller's to close. 0 or a
 * negative errno; then nobody is heard. */
int hearsay_begin(struct hearsay *hearsay, struct loop *loop, const char *plugin,
                  const char *instance, int *end);

/* The process has ended: what it said last is put into the log. One that is over stays so. */
void hearsay_end(struct hearsay *hearsay);

#endif
