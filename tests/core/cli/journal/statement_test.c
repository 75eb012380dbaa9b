/* Proofs as files: made, read, and refused when anything in them is another. */
#include "cli/journal/statement.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "proof/tile.h"
#include "proof/tree.h"

enum { EVENTS = 11, INDEX = 5 };

static const char *const SUITES[] = {"sha256+ed25519", "sm3+sm2"};

/* A log of a few events and the proof of one. */
struct world {
    const struct suite *suite;
    struct key *key;
    struct digest leaves[EVENTS];
    struct statement statement;
    struct buffer file;
};

static void make_event(struct buffer *event, int seq)
{
    buffer_printf(
        event,
        "{\"office\":\"x\",\"log\":\"y\",\"sequence\":\"%016d\",\"data\":{\"name\":"
        "\"\xe6\x89\x80 \\\"\\\\\"}}",
        seq);
}

static int read_tile(void *owner, struct buffer *out, int level, uint64_t index,
                     unsigned width)
{
    (void)level;
    (void)index;
    buffer_append(out, owner, width * DIGEST_BYTES);
    return 0;
}

static void open_world(struct world *world, const char *suite)
{
    struct tree tree;
    struct statement *statement = &world->statement;
    *world = (struct world){.suite = suite_named(suite), .statement.index = INDEX};
    assert_int_equal(key_make(&world->key, world->suite, "outpost/x"), 0);
    tree_begin(&tree, world->suite);
    for (int seq = 0; seq < EVENTS; seq++) {
        struct buffer event = {0};
        make_event(&event, seq);
        suite_leaf(world->suite, &world->leaves[seq], event.bytes, event.length);
        tree_append(&tree, &world->leaves[seq]);
        buffer_free(&event);
    }
    statement->checkpoint = (struct checkpoint){.suite = world->suite, .size = EVENTS};
    assert_int_equal(checkpoint_origin(statement->checkpoint.origin, "x", "y"), 0);
    tree_root(&tree, &statement->checkpoint.root);
    checkpoint_sign(&statement->note, &statement->checkpoint, world->key);
    make_event(&statement->event, INDEX);
    struct tile_source source = {read_tile, world->leaves, world->suite, EVENTS, NULL};
    assert_int_equal(tile_prove_inclusion(&source, &statement->path, INDEX, EVENTS), 0);
    statement_print(statement, &world->file);
}

static void close_world(struct world *world)
{
    statement_free(&world->statement);
    buffer_free(&world->file);
    key_free(world->key);
}

/* 0 when the file is read and proves what it says. */
static int judge(const struct buffer *file, const struct key *key,
                 struct finding *finding)
{
    struct statement statement;
    *finding = (struct finding){.place = ""};
    int err = statement_read(&statement, file->bytes, file->length, finding);
    if (!err)
        err = statement_check(&statement, key, finding);
    statement_free(&statement);
    return err;
}

static void what_is_printed_proves_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(SUITES); i++) {
        struct world world;
        struct finding finding;
        open_world(&world, SUITES[i]);
        assert_int_equal(judge(&world.file, world.key, &finding), 0);
        close_world(&world);
    }
}

static void another_key_is_named(void **state)
{
    (void)state;
    struct world world;
    struct finding finding;
    struct key *other;
    open_world(&world, SUITES[0]);
    assert_int_equal(key_make(&other, world.suite, "outpost/x"), 0);
    assert_int_equal(judge(&world.file, other, &finding), -EBADMSG);
    assert_string_equal(finding.place, "checkpoint");
    key_free(other);
    close_world(&world);
}

/* A flipped bit may change how the file is spelled, never what it proves. */
static void no_changed_bit_proves_another_thing(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, SUITES[0]);
    for (size_t bit = 0; bit < 8 * world.file.length; bit++) {
        struct statement statement;
        struct finding finding = {.place = ""};
        world.file.bytes[bit / 8] ^= (char)(1 << bit % 8);
        int err =
            statement_read(&statement, world.file.bytes, world.file.length, &finding);
        if (!err)
            err = statement_check(&statement, world.key, &finding);
        if (!err) {
            assert_int_equal(statement.event.length, world.statement.event.length);
            assert_memory_equal(statement.event.bytes, world.statement.event.bytes,
                                statement.event.length);
        } else {
            assert_true(finding.place[0] != '\0');
        }
        statement_free(&statement);
        world.file.bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    close_world(&world);
}

static void what_is_missing_or_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *place;
    } CASES[] = {
        {"", "proof"},
        {"[]", "format"},
        {"{\"format\":\"outpost-proof/2\"}", "format"},
        {"{\"format\":\"outpost-proof/1\"}", "event"},
        {"{\"format\":\"outpost-proof/1\",\"event\":\"x\"}", "checkpoint"},
        {"{\"format\":\"outpost-proof/1\",\"event\":\"x\",\"checkpoint\":\"\"}", "path"},
        {"{\"format\":\"outpost-proof/"
         "1\",\"event\":\"x\",\"checkpoint\":\"\",\"path\":[1]}",
         "path"},
        {"{\"format\":\"outpost-proof/"
         "1\",\"event\":\"x\",\"checkpoint\":\"\",\"path\":[]}",
         "checkpoint"},
    };
    for (size_t i = 0; i < countof(CASES); i++) {
        struct statement statement;
        struct finding finding = {.place = ""};
        assert_int_equal(
            statement_read(&statement, CASES[i].file, strlen(CASES[i].file), &finding),
            -EPROTO);
        assert_string_equal(finding.place, CASES[i].place);
        statement_free(&statement);
    }
}

static void an_event_of_another_place_is_not_proven(void **state)
{
    (void)state;
    struct world world;
    struct finding finding = {.place = ""};
    open_world(&world, SUITES[0]);
    world.statement.index = INDEX + 1;
    assert_int_equal(statement_check(&world.statement, world.key, &finding), -EBADMSG);
    assert_string_equal(finding.place, "path");
    world.statement.index = INDEX;
    world.statement.event.bytes[2] ^= 1;
    finding.place[0] = '\0';
    assert_int_equal(statement_check(&world.statement, world.key, &finding), -EBADMSG);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_proves_itself),
        cmocka_unit_test(another_key_is_named),
        cmocka_unit_test(no_changed_bit_proves_another_thing),
        cmocka_unit_test(what_is_missing_or_wrong_is_named),
        cmocka_unit_test(an_event_of_another_place_is_not_proven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
