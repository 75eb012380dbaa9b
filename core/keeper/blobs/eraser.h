/* eraser - the files of blobs that are released are erased, some at a time, as an errand (upkeep.h).
 *
 * Outside of any transaction: begin, an errand_work, end. What cannot be erased stays in blobs/old/,
 * where every start looks, and is tried again. */
#ifndef KEEPER_BLOBS_ERASER_H
#define KEEPER_BLOBS_ERASER_H

#include "keeper/blobs/blobs.h"

bool eraser_wants(const struct blobs *blobs);
int eraser_begin(struct blobs *blobs);
int eraser_work(void *blobs, struct buffer *result);
int eraser_end(struct blobs *blobs, const struct buffer *result);

#endif
