/* blobs - what the keeper and its scribes do with blobs, in memory.
 *
 * Bytes come through a real pipe and are hashed for real. What a process has not committed goes with
 * it. In a replay nothing is kept, and what was sealed may be named without end. A zeroed struct blobs
 * with a loop is an empty one. */
#ifndef REHEARSE_BLOBS_H
#define REHEARSE_BLOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/loop.h"
#include "wire/talk.h"

#ifdef SMALL_BOUNDS
enum { BLOBS_MAX = 8, BLOBS_BYTES_MAX = 1024 * 1024 };
#else
enum { BLOBS_MAX = 4096, BLOBS_BYTES_MAX = 64 * 1024 * 1024 };
#endif

/* One that is kept, or could be. */
struct blob {
    char sha256[TALK_DIGEST_HEX + 1];
    char sm3[TALK_DIGEST_HEX + 1];
    int64_t size;
    struct buffer bytes; /* only of those in `all` */
    bool is_kept;
    bool is_known; /* of one just sealed: the same was kept before */
    enum talk_class class;
    int64_t keep_ms; /* -1: until it is released */
    bool erases;
};

struct blobs_spool {
    int64_t number; /* 0: not used */
    int fd;
    int64_t most;
    struct buffer bytes;
    struct loop_watch watch;
    struct blobs *blobs;
};

struct blobs {
    struct loop *loop;
    struct blobs_spool spools[TALK_SPOOLS_MAX];
    struct blob *all;
    size_t count;
    size_t held; /* bytes, of spools too */
    int64_t last;
    int refusals; /* so many of the next are refused, */
    int refusal;  /* with this errno */
    bool forgets;
};

/* 0 with the spool's number and the end of its pipe that is written into; or a positive errno. */
int blobs_spool(struct blobs *blobs, int64_t most, int64_t *number, int *fd);
/* 0 and the blob; or a positive errno. */
int blobs_seal(struct blobs *blobs, int64_t number, struct blob *sealed);
void blobs_abandon(struct blobs *blobs, int64_t number);

/* Whether a commit may name it; and it does. */
bool blobs_have(const struct blobs *blobs, const char *sha256);
void blobs_keep(struct blobs *blobs, const char *sha256, enum talk_class class,
                int64_t keep_ms, bool erases);

/* The process has ended. */
void blobs_drop(struct blobs *blobs);
void blobs_free(struct blobs *blobs);

#endif
