/* stock - whether there is room for a blob: pure, sizes in and decisions out.
 *
 * Of the quota and of the disk the last `reserve` bytes are only for what is important and of a case.
 * The disk's very last bytes are the journal's. */
#ifndef KEEPER_BLOBS_STOCK_H
#define KEEPER_BLOBS_STOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/talk.h"

struct stock {
    int64_t quota;
    int64_t reserve;
    int64_t journal;   /* bytes of the disk that blobs leave alone */
    int64_t bytes;     /* that stored blobs take */
    int64_t promised;  /* that those on their way may take, */
    int64_t arrived;   /* and what of it the disk has already */
    int64_t leaving;   /* that those take which are released, and not erased yet */
    int64_t disk_left; /* -1 not known */
};

/* How many more bytes a blob of that class may take; negative when there are too many already. */
int64_t stock_room(const struct stock *stock, int class);
/* The same when all that is released has been erased. */
int64_t stock_room_soon(const struct stock *stock, int class);
/* Whether it is the disk, and not the quota, that bounds it. */
bool stock_is_disk(const struct stock *stock, int class);
/* How full the quota is, the reserve not counted as room. */
int stock_percent(const struct stock *stock);
/* Bytes that had better go while there is time: above 95 % of what ordinary ones may take. */
int64_t stock_excess(const struct stock *stock);

#endif
