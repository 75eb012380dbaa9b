/* scribe - a blob's bytes on their way to the disk and back: errands (errand.h), because the keeper
 * itself never touches them.
 *
 * One writes what comes out of a pipe, encrypted and hashed; one reads it into a pipe; one only looks
 * whether it is still what it was. */
#ifndef KEEPER_BLOBS_SCRIBE_H
#define KEEPER_BLOBS_SCRIBE_H

#include "base/buffer.h"
#include "keeper/blobs/depot.h"

enum {
    SCRIBE_SILENCE_MS = 10 * 60 * 1000, /* so long nothing comes, or is taken: ended */
    SCRIBE_PIPE = 1024 * 1024
};

/* What a scribe is to do. The struct must stay until its errand has begun. */
struct scribe {
    const struct depot *depot;
    int fd;               /* of the pipe; errand.keeps too */
    int64_t number;       /* of the spool, */
    int64_t most;         /* and how many bytes it may get */
    struct digest digest; /* of what is read, */
    int64_t offset;       /* and from which byte on */
    int64_t pace;         /* bytes a second that are looked at; 0: as fast as can be */
    int silence_ms;
    bool wants_sm3; /* of what is looked at */
};

/* What it says of a blob that it has written. */
struct scribe_told {
    struct digest sha256, sm3;
    int64_t size;
};

/* errand_work, the owner being a struct scribe.
 *
 * Writes the pipe until its end into blobs/new/N, which becomes blobs/new/SHA256.N, durably; the
 * result is a struct scribe_told. -EFBIG, -ETIMEDOUT (nothing came for `silence_ms`), or the disk's. */
int scribe_write(void *scribe, struct buffer *result);
/* Writes the blob, from `offset` on, into the pipe. -EBADMSG: it is not what it was (from 0 on: also a
 * whole file in the place of another), -EPIPE: nobody reads. */
int scribe_read(void *scribe, struct buffer *result);
/* Reads it for its own sake; -EBADMSG as above. The result is its SM3, if that is wanted. */
int scribe_check(void *scribe, struct buffer *result);

#endif
