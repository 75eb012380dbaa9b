/* multipart - parts out of a body that may never end, as cameras and terminals send it. Pure.
 *
 * By Content-Length where a part has one (a picture may hold the delimiter), else to the next
 * delimiter; lines end in CRLF or LF; the boundary is taken as it is said, quoted or not, and one that
 * has its two dashes already may stand without two more. A part that says its length is whole with its last byte, one that
 * does not only when the next begins. What is too big is skipped and counted, what is malformed is
 * dropped and counted, and neither ends what follows. A part of text that says too great a length
 * ends at the delimiter all the same. */
#ifndef HOST_WEB_MULTIPART_H
#define HOST_WEB_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "host/web/headers.h"

enum { MULTIPART_BOUNDARY_MAX = 200, MULTIPART_HEAD_MAX = 8192 };

struct multipart;

/* 0, or -EINVAL when the Content-Type (NULL: none) is no multipart with a boundary. */
int multipart_open(struct multipart **out, const char *content_type);
void multipart_close(struct multipart *multipart);

/* Takes bytes, at most up to the end of a part, and says how many. True in *whole: the part can be
 * looked at until the next feed. A part of more than `most` bytes is skipped. */
size_t multipart_feed(struct multipart *multipart, const char *bytes, size_t length,
                      size_t most, bool *whole);

/* There is nothing more to come: whether a part without a length is whole with that. */
bool multipart_finish(struct multipart *multipart, size_t most);

const struct headers *multipart_headers(const struct multipart *multipart);
const struct buffer *multipart_body(const struct multipart *multipart);

/* Parts that were too big; and what was no part. */
int64_t multipart_skipped(const struct multipart *multipart);
int64_t multipart_malformed(const struct multipart *multipart);

#endif
