/* erasure - see erasure.h. The numbers of a thinning are said twice on purpose, for people and by
 * the tiles: both must be the same. */
#include "proof/erasure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "proof/base64.h"
#include "proof/text.h"

enum { SOURCE_ROOM = 128 };

static const char THINNED[] = "journal.thinned";
static const char DAMAGED[] = "journal.damaged";

int erasure_set(struct erasure_tile *tile, const struct cover *cover, const void *hashes,
                size_t length)
{
    tile->cover = *cover;
    tile->count = cover_nodes(cover, tile->nodes);
    if (length != tile->count * sizeof(tile->hashes[0]))
        return -EPROTO;
    if (length > 0)
        memcpy(tile->hashes, hashes, length);
    return 0;
}

void erasure_make(struct erasure_tile *tile, uint64_t n, const struct cover *cover,
                  const struct suite *suite, const struct digest leaves[COVER_WIDTH])
{
    tile->n = n;
    tile->cover = *cover;
    tile->count = cover_nodes(cover, tile->nodes);
    for (unsigned i = 0; i < tile->count; i++)
        cover_hash(suite, &tile->hashes[i], leaves, tile->nodes[i]);
}

void erasure_print(struct buffer *out, const struct erasure_tile *tile)
{
    char digits[COVER_DIGITS + 1];
    cover_print(&tile->cover, digits);
    buffer_printf(out, "{\"n\":%" PRIu64 ",\"erased\":\"%s\",\"hashes\":[", tile->n,
                  digits);
    for (unsigned i = 0; i < tile->count; i++) {
        buffer_append_text(out, i ? ",\"" : "\"");
        base64_encode(out, tile->hashes[i].bytes, DIGEST_BYTES);
        buffer_append_text(out, "\"");
    }
    buffer_append_text(out, "]}");
}

/* Exactly one hash for each node. */
static int read_hashes(struct erasure_tile *tile, const struct json *list)
{
    const struct json *item = json_first(list);
    for (unsigned i = 0; i < tile->count; i++, item = json_next(item)) {
        const char *word = json_value(item);
        struct text text = {word, word == NULL ? 0 : strlen(word)};
        if (word == NULL || !text_is_digest(&text, &tile->hashes[i]))
            return -EPROTO;
    }
    return item == NULL ? 0 : -EPROTO;
}

static int read_tile(struct erasure_tile *tile, const struct json *json)
{
    const char *erased = json_text(json, "erased");
    int64_t n = json_number(json, "n", -1);
    if (n < 0 || n > INT64_MAX / COVER_WIDTH || erased == NULL ||
        cover_parse(&tile->cover, erased) != 0)
        return -EPROTO;
    tile->n = (uint64_t)n;
    tile->count = cover_nodes(&tile->cover, tile->nodes);
    return tile->count == 0 ? -EPROTO : read_hashes(tile, json_get(json, "hashes"));
}

static int read_tiles(struct erasure *erasure, const struct json *list)
{
    if (!json_is_array(list) || json_first(list) == NULL)
        return -EPROTO;
    for (const struct json *item = json_first(list); item != NULL;
         item = json_next(item)) {
        if (erasure->tile_count == ERASURE_TILES_MAX)
            return -EPROTO;
        struct erasure_tile *tile = &erasure->tiles[erasure->tile_count];
        int err = read_tile(tile, item);
        if (err || (erasure->tile_count > 0 && tile->n <= tile[-1].n))
            return -EPROTO;
        erasure->count += cover_count(&tile->cover);
        erasure->tile_count++;
    }
    return 0;
}

static int read_word(char word[ERASURE_WORD_MAX + 1], const struct json *data,
                     const char *name)
{
    const char *text = json_text(data, name);
    if (text == NULL || text[0] == '\0' || strlen(text) > ERASURE_WORD_MAX)
        return -EPROTO;
    strcpy(word, text);
    return 0;
}

static int64_t first_of(const struct erasure *erasure)
{
    const struct erasure_tile *tile = &erasure->tiles[0];
    return (int64_t)(tile->n * COVER_WIDTH + tile->nodes[0].first);
}

static int64_t last_of(const struct erasure *erasure)
{
    const struct erasure_tile *tile = &erasure->tiles[erasure->tile_count - 1];
    const struct cover_node *node = &tile->nodes[tile->count - 1];
    return (int64_t)(tile->n * COVER_WIDTH + node->first + (1u << node->height) - 1);
}

static int read_thinning(struct erasure *erasure, const struct json *data)
{
    int err = read_word(erasure->reason, data, "reason");
    if (!err)
        err = read_word(erasure->lane, data, "lane");
    if (!err && (json_number(data, "first", -1) != first_of(erasure) ||
                 json_number(data, "last", -1) != last_of(erasure) ||
                 json_number(data, "count", -1) != (int64_t)erasure->count))
        err = -EPROTO;
    return err;
}

static bool is_keepers(const struct json *event, const char *office)
{
    char source[SOURCE_ROOM];
    const char *said = json_text(event, "source");
    snprintf(source, sizeof(source), "/%s/keeper/keeper", office);
    return said != NULL && strcmp(said, source) == 0;
}

int erasure_read(struct erasure **out, const struct json *event, const char *office)
{
    const char *type = json_text(event, "type");
    const struct json *data = json_get(event, "data");
    bool thinned = type != NULL && strcmp(type, THINNED) == 0;
    bool damaged = type != NULL && strcmp(type, DAMAGED) == 0;
    *out = NULL;
    if ((!thinned && !damaged) || !is_keepers(event, office))
        return 0;
    if (damaged && json_get(data, "tiles") == NULL)
        return 0;
    struct erasure *erasure = mem_new(struct erasure);
    erasure->is_damage = damaged;
    int err = read_tiles(erasure, json_get(data, "tiles"));
    if (!err && thinned)
        err = read_thinning(erasure, data);
    if (err)
        mem_free(erasure);
    else
        *out = erasure;
    return err;
}

bool erasure_fits(const struct erasure_tile *tile, const struct suite *suite,
                  const struct digest leaves[COVER_WIDTH])
{
    for (unsigned i = 0; i < tile->count; i++) {
        struct digest hash;
        cover_hash(suite, &hash, leaves, tile->nodes[i]);
        if (!digest_equal(&hash, &tile->hashes[i]))
            return false;
    }
    return true;
}
