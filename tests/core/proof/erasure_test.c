/* What a journal.thinned event says is read when it agrees with itself, else refused. */
#include "proof/erasure.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/mem.h"
#include "proof/base64.h"

static const struct suite *suite;
static struct digest leaves[COVER_WIDTH];

static int make_leaves(void **state)
{
    (void)state;
    suite = suite_named("sha256+ed25519");
    for (size_t i = 0; i < COVER_WIDTH; i++)
        suite_leaf(suite, &leaves[i], &i, sizeof(i));
    return 0;
}

/* {"n":N,"erased":...,"hashes":[...]} of the positions [from, until). */
static void put_tile(struct buffer *out, uint64_t n, unsigned from, unsigned until)
{
    struct cover cover = {{0}};
    struct cover_node nodes[COVER_NODES_MAX];
    char digits[COVER_DIGITS + 1];
    for (unsigned i = from; i < until; i++)
        cover_put(&cover, i);
    cover_print(&cover, digits);
    buffer_printf(out, "{\"n\":%" PRIu64 ",\"erased\":\"%s\",\"hashes\":[", n, digits);
    unsigned count = cover_nodes(&cover, nodes);
    for (unsigned i = 0; i < count; i++) {
        struct digest hash;
        cover_hash(suite, &hash, leaves, nodes[i]);
        buffer_append_text(out, i == 0 ? "\"" : ",\"");
        base64_encode(out, hash.bytes, DIGEST_BYTES);
        buffer_append_text(out, "\"");
    }
    buffer_append_text(out, "]}");
}

/* Events 2560 + 3 to 2560 + 255 and all of tile 12. */
static void put_event(struct buffer *out, const char *type, const char *source)
{
    buffer_printf(out,
                  "{\"type\":\"%s\",\"source\":\"%s\",\"data\":{\"reason\":\"quota\","
                  "\"lane\":\"telemetry\",\"first\":2563,\"last\":3327,\"count\":509,"
                  "\"tiles\":[",
                  type, source);
    put_tile(out, 10, 3, 256);
    buffer_append_text(out, ",");
    put_tile(out, 12, 0, 256);
    buffer_append_text(out, "]}}");
}

static int read_text(struct erasure **out, const struct buffer *text)
{
    struct json *json = NULL;
    assert_int_equal(json_parse(&json, text->bytes, text->length), 0);
    int err = erasure_read(out, json, "office-1");
    json_free(json);
    return err;
}

static void a_thinning_is_read(void **state)
{
    struct buffer text = {0};
    struct erasure *erasure;
    (void)state;
    put_event(&text, "journal.thinned", "/office-1/keeper/keeper");
    assert_int_equal(read_text(&erasure, &text), 0);
    assert_false(erasure->is_damage);
    assert_string_equal(erasure->reason, "quota");
    assert_string_equal(erasure->lane, "telemetry");
    assert_int_equal(erasure->count, 509);
    assert_int_equal(erasure->tile_count, 2);
    assert_int_equal(erasure->tiles[0].n, 10);
    assert_false(cover_has(&erasure->tiles[0].cover, 2));
    assert_true(cover_has(&erasure->tiles[0].cover, 3));
    assert_int_equal(erasure->tiles[1].count, 1);
    assert_int_equal(erasure->tiles[1].nodes[0].height, 8);
    mem_free(erasure);
    buffer_free(&text);
}

static void the_hashes_must_be_those_of_the_leaves(void **state)
{
    struct buffer text = {0};
    struct erasure *erasure;
    struct digest others[COVER_WIDTH];
    (void)state;
    put_event(&text, "journal.thinned", "/office-1/keeper/keeper");
    assert_int_equal(read_text(&erasure, &text), 0);
    assert_true(erasure_fits(&erasure->tiles[0], suite, leaves));
    assert_true(erasure_fits(&erasure->tiles[1], suite, leaves));
    memcpy(others, leaves, sizeof(others));
    others[0].bytes[0] ^= 1; /* not erased in the first tile */
    assert_true(erasure_fits(&erasure->tiles[0], suite, others));
    assert_false(erasure_fits(&erasure->tiles[1], suite, others));
    mem_free(erasure);
    buffer_free(&text);
}

static void who_is_not_the_keeper_erases_nothing(void **state)
{
    static const char *const OTHERS[][2] = {
        {"journal.thinned", "/office-1/wristband/gate"},
        {"journal.thinned", "/office-2/keeper/keeper"},
        {"journal.thinner", "/office-1/keeper/keeper"},
    };
    (void)state;
    for (size_t i = 0; i < countof(OTHERS); i++) {
        struct buffer text = {0};
        struct erasure *erasure;
        put_event(&text, OTHERS[i][0], OTHERS[i][1]);
        assert_int_equal(read_text(&erasure, &text), 0);
        assert_null(erasure);
        buffer_free(&text);
    }
}

static void damage_needs_only_its_tiles(void **state)
{
    struct buffer text = {0};
    struct erasure *erasure;
    (void)state;
    buffer_append_text(&text, "{\"type\":\"journal.damaged\",\"source\":"
                              "\"/office-1/keeper/keeper\",\"data\":{\"tiles\":[");
    put_tile(&text, 7, 1, 2);
    buffer_append_text(&text, "]}}");
    assert_int_equal(read_text(&erasure, &text), 0);
    assert_true(erasure->is_damage);
    assert_int_equal(erasure->count, 1);
    mem_free(erasure);
    buffer_clear(&text);
    buffer_append_text(&text, "{\"type\":\"journal.damaged\",\"source\":"
                              "\"/office-1/keeper/keeper\",\"data\":{\"folder\":\"x\"}}");
    assert_int_equal(read_text(&erasure, &text), 0);
    assert_null(erasure);
    buffer_free(&text);
}

/* Replaces the first `from` by `to`, which is as long. */
static void replace(struct buffer *text, const char *from, const char *to)
{
    char *found = memmem(text->bytes, text->length, from, strlen(from));
    assert_non_null(found);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(found, to, strlen(to));
}

static void what_contradicts_itself_is_refused(void **state)
{
    static const char *const CHANGES[][2] = {
        {"\"first\":2563", "\"first\":2564"},
        {"\"last\":3327", "\"last\":3326"},
        {"\"count\":509", "\"count\":508"},
        {"\"reason\":\"quota\"", "\"reason\":1234567"},
        {"\"lane\":\"telemetry\"", "\"line\":\"telemetry\""},
        {"\"n\":12", "\"n\":10"},
        {"\"n\":12", "\"n\":-2"},
        {"\"n\":10", "\"n\":14"},
        {"\"erased\":\"1f", "\"erased\":\"1F"},
        {"\"erased\":\"1f", "\"erased\":\"1e"},
        {"\"erased\":\"1f", "\"erases\":\"1f"},
        {"\"tiles\":[", "\"tales\":["},
        {"\"hashes\":[\"", "\"hashes\":[1"},
        {"=\"", " \""},
    };
    (void)state;
    for (size_t i = 0; i < countof(CHANGES); i++) {
        struct buffer text = {0};
        struct json *json = NULL;
        struct erasure *erasure = NULL;
        put_event(&text, "journal.thinned", "/office-1/keeper/keeper");
        replace(&text, CHANGES[i][0], CHANGES[i][1]);
        if (json_parse(&json, text.bytes, text.length) == 0)
            assert_int_equal(erasure_read(&erasure, json, "office-1"), -EPROTO);
        assert_null(erasure);
        json_free(json);
        buffer_free(&text);
    }
}

static int read_tiles(struct erasure **erasure, unsigned count)
{
    struct buffer text = {0};
    buffer_append_text(&text, "{\"type\":\"journal.damaged\",\"source\":"
                              "\"/office-1/keeper/keeper\",\"data\":{\"tiles\":[");
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_text(&text, ",");
        put_tile(&text, i, 0, 256);
    }
    buffer_append_text(&text, "]}}");
    int err = read_text(erasure, &text);
    buffer_free(&text);
    return err;
}

static void at_most_sixteen_tiles_are_read_and_at_least_one(void **state)
{
    struct erasure *erasure;
    (void)state;
    assert_int_equal(read_tiles(&erasure, ERASURE_TILES_MAX), 0);
    assert_int_equal(erasure->tile_count, ERASURE_TILES_MAX);
    mem_free(erasure);
    assert_int_equal(read_tiles(&erasure, ERASURE_TILES_MAX + 1), -EPROTO);
    assert_int_equal(read_tiles(&erasure, 0), -EPROTO);
}

static void a_cover_takes_exactly_its_hashes(void **state)
{
    struct cover cover = {{0}};
    struct erasure_tile tile = {.n = 4};
    (void)state;
    for (unsigned i = 0; i < COVER_WIDTH; i += 2)
        cover_put(&cover, i);
    assert_int_equal(
        erasure_set(&tile, &cover, leaves, COVER_NODES_MAX * sizeof(leaves[0])), 0);
    assert_int_equal(tile.count, COVER_NODES_MAX);
    assert_int_equal(tile.n, 4);
    assert_int_equal(
        erasure_set(&tile, &cover, leaves, (COVER_NODES_MAX - 1) * sizeof(leaves[0])),
        -EPROTO);
    assert_int_equal(
        erasure_set(&tile, &cover, leaves, COVER_NODES_MAX * sizeof(leaves[0]) + 1),
        -EPROTO);
}

/* Every other event of sixteen tiles: the most that a tile can say. */
static void what_is_printed_is_what_is_read(void **state)
{
    (void)state;
    struct cover cover = {{0}};
    struct erasure_tile tile;
    struct erasure *erasure = NULL;
    struct buffer tiles = {0}, text = {0};
    for (unsigned i = 1; i < COVER_WIDTH; i += 2)
        cover_put(&cover, i);
    erasure_make(&tile, 123, &cover, suite, leaves);
    erasure_print(&tiles, &tile);
    assert_true(tiles.length <= ERASURE_TILE_TEXT_MAX);
    buffer_printf(&text,
                  "{\"source\":\"/office-1/keeper/keeper\",\"type\":\"journal.damaged\","
                  "\"data\":{\"reason\":\"x\",\"tiles\":[%s]}}",
                  buffer_text(&tiles));
    assert_int_equal(read_text(&erasure, &text), 0);
    assert_non_null(erasure);
    assert_int_equal(erasure->tiles[0].n, 123);
    assert_int_equal(erasure->tiles[0].count, COVER_NODES_MAX);
    assert_true(erasure_fits(&erasure->tiles[0], suite, leaves));
    mem_free(erasure);
    buffer_free(&tiles);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thinning_is_read),
        cmocka_unit_test(the_hashes_must_be_those_of_the_leaves),
        cmocka_unit_test(who_is_not_the_keeper_erases_nothing),
        cmocka_unit_test(damage_needs_only_its_tiles),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(at_most_sixteen_tiles_are_read_and_at_least_one),
        cmocka_unit_test(a_cover_takes_exactly_its_hashes),
        cmocka_unit_test(what_is_printed_is_what_is_read),
    };
    return cmocka_run_group_tests(tests, make_leaves, NULL);
}
