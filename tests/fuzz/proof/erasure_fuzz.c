/* Any event is read or refused, and what was read keeps its bounds and agrees with itself. */
#include "proof/erasure.h"

#include <stdint.h>

#include "base/base.h"
#include "base/mem.h"

static void check_tile(const struct erasure_tile *tile)
{
    struct digest leaves[COVER_WIDTH] = {{{0}}};
    unsigned covered = 0;
    ASSERT(tile->count >= 1 && tile->count <= COVER_NODES_MAX);
    ASSERT(tile->n <= INT64_MAX / COVER_WIDTH);
    for (unsigned i = 0; i < tile->count; i++)
        covered += 1u << tile->nodes[i].height;
    ASSERT(covered == cover_count(&tile->cover));
    erasure_fits(tile, suite_named("sha256+ed25519"), leaves);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct json *json = NULL;
    struct erasure *erasure = NULL;
    if (json_parse(&json, bytes, length) != 0)
        return 0;
    if (erasure_read(&erasure, json, "o") == 0 && erasure != NULL) {
        ASSERT(erasure->tile_count >= 1 && erasure->tile_count <= ERASURE_TILES_MAX);
        for (size_t i = 0; i < erasure->tile_count; i++)
            check_tile(&erasure->tiles[i]);
        mem_free(erasure);
    }
    json_free(json);
    return 0;
}
