/* tail - what journal/tail.db holds, read once and closed again.
 *
 * The file is only ever read. While a keeper has it open it is read in place, in one short
 * transaction; a copy or a stopped journal is read from a private temporary copy, so that not a
 * byte of the folder changes and a write-ahead log beside it is taken into account. */
#ifndef CLI_JOURNAL_TAIL_H
#define CLI_JOURNAL_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/word.h"
#include "cli/journal/finding.h"
#include "proof/suite.h"
#include "proof/tile.h"
#include "wire/talk.h"

struct tail_event {
    int64_t seq;
    enum talk_lane lane;
    size_t start; /* of its body in `bodies` */
    size_t length;
    struct digest leaf; /* as the row says */
};

/* A sealed tile: the lane of each event, with TAIL_ERASED added when its body is erased, and
 * SHA-256 of its bundle file (of nothing when all are erased and there is no file). */
enum { TAIL_ERASED = 128 };
struct tail_tile {
    uint64_t index;
    uint8_t lanes[TILE_WIDTH];
    struct digest file;
};

/* A stored file. Of the times -1: none; of the events too. */
struct tail_blob {
    struct digest sha256, sm3;
    bool has_sm3, is_released, is_damaged;
    int64_t size, class, until_us, seq, uploaded_us;
    int64_t newest; /* of the appliance's own events about it: key custody/SHA256 */
};

struct tail {
    char office[WORD_ID_MAX + 1];
    char log[WORD_ID_MAX + 1];
    const struct suite *suite;
    bool is_closed; /* the last keeper stopped in good order */
    bool is_live;   /* a keeper has it open now */
    uint64_t sealed;
    struct buffer edge; /* of the tree over the sealed events, as tree_save() wrote it */
    struct buffer
        tiles; /* struct tail_tile by index; of each sealed tile, if all is well */
    struct buffer events; /* struct tail_event for each row, by seq */
    struct buffer bodies;
    int64_t marks[LANES];  /* the last event of each lane that the city has, -1 none */
    struct buffer receipt; /* empty: none yet */
    bool has_blobs;        /* false: the table is not there yet */
    struct buffer blobs;   /* struct tail_blob for each row, by sha256 */
};

/* Reads it all. 0; -EBADMSG with the finding when it is not a sound tail.db; else the errno of
 * reading (-ENOENT: there is none). The caller gives it back with tail_free() in any case. */
int tail_load(struct tail *tail, const char *folder, struct finding *finding);
void tail_free(struct tail *tail);

size_t tail_count(const struct tail *tail);
const struct tail_event *tail_at(const struct tail *tail, size_t i);
/* NULL: there is no row of that tile. */
const struct tail_tile *tail_tile(const struct tail *tail, uint64_t index);
size_t tail_tile_count(const struct tail *tail);
/* The first event from `seq` on that the rows know of, or the number of all events. */
uint64_t tail_known(const struct tail *tail, uint64_t seq);
/* Of a sealed event; a lane of -1: not known. */
bool tail_is_erased(const struct tail *tail, uint64_t seq);
int tail_lane(const struct tail *tail, uint64_t seq);
/* Whether all of a tile is erased, so that there is no bundle. */
bool tail_tile_is_erased(const struct tail *tail, uint64_t index);
size_t tail_blob_count(const struct tail *tail);
const struct tail_blob *tail_blob_at(const struct tail *tail, size_t i);
/* NULL: there is no row of that file. */
const struct tail_blob *tail_blob(const struct tail *tail, const struct digest *digest);

/* The tiles' rows once more, as they are now: a keeper at work may have erased since. 0 or as
 * tail_load(). */
int tail_look_again(struct tail *tail, const char *folder, struct finding *finding);

#endif
