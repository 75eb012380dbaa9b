/* blobline - what is asked of the keeper about blobs: which there are, the bytes of one, and what an
 * officer decides about it. The line is keeperline_open()'s.
 *
 * Calls return 0; -ECANCELED once what the keeper refused has been said on standard error, under the
 * name of the command; else a negative errno. */
#ifndef CLI_OFFICE_BLOBLINE_H
#define CLI_OFFICE_BLOBLINE_H

#include <stdint.h>
#include <stdio.h>

#include "base/json.h"
#include "wire/frame.h"

/* Calls `each` for every blob, in the order of their digests, with the text it was read from, until it
 * returns nonzero, which is then returned. */
int blobline_each(int fd,
                  int (*each)(void *owner, const struct json *blob,
                              const struct field *text),
                  void *owner);

/* The bytes of one into `out`; with a reason (else NULL) it is an export. Only 0 means that they are
 * what was stored. */
int blobline_view(int fd, const char *command, const char *digest, const char *reason,
                  FILE *out);

/* "mark" (class, and keep_ms unless it is a case), "release" (keep_ms), "export" (manifest). */
struct blobline_deed {
    const char *type;
    const char *digest;
    const char *reason;
    const char *class;    /* or NULL */
    const char *manifest; /* or NULL */
    int64_t keep_ms;      /* -1: not said */
};

/* `seq` becomes the sequence of its event. */
int blobline_decide(int fd, const char *command, const struct blobline_deed *deed,
                    int64_t *seq);

#endif
