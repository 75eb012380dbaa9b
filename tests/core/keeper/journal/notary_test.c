/* Checkpoints: signed, of what is committed, with the tiles that prove them. */
#include "keeper/journal/notary.h"

#include "base/hex.h"
#include "keeper/fixture.h"
#include "proof/note.h"

static int start(void **state)
{
    struct fixture *here = malloc(sizeof(*here));
    fixture_open(here);
    *state = here;
    return 0;
}

static int stop(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

static struct checkpoint read_checkpoint(struct fixture *here)
{
    struct checkpoint checkpoint;
    struct buffer note = {0};
    assert_int_equal(file_read(&note, fixture_path(here, "checkpoint"), NOTE_MAX), 0);
    assert_int_equal(checkpoint_read(&checkpoint, note.bytes, note.length, here->key), 0);
    buffer_free(&note);
    return checkpoint;
}

/* Reads a tile as any client of the folder would. */
static int read_plain(void *owner, struct buffer *out, int level, uint64_t index,
                      unsigned width)
{
    char name[TILE_PATH_ROOM];
    tile_path(name, level, index, width);
    return file_read(out, fixture_path(owner, name), 100000);
}

static void expect_proven(struct fixture *here)
{
    struct checkpoint checkpoint = read_checkpoint(here);
    struct tile_source source = {read_plain, here, here->journal->suite, checkpoint.size,
                                 NULL};
    struct digest root;
    assert_int_equal(tile_root(&source, &root, checkpoint.size), 0);
    assert_true(digest_equal(&root, &checkpoint.root));
}

static void a_checkpoint_says_origin_size_and_root(void **state)
{
    struct fixture *here = *state;
    struct digest root;
    fixture_fill(here->journal, 77);
    fixture_sign(here);
    struct checkpoint checkpoint = read_checkpoint(here);
    tree_root(&here->journal->tree, &root);
    assert_int_equal(checkpoint.size, 77);
    assert_true(digest_equal(&root, &checkpoint.root));
    assert_string_equal(checkpoint.origin, here->journal->origin);
}

static void the_tiles_on_disk_prove_every_checkpoint(void **state)
{
    struct fixture *here = *state;
    static const int SIZES[] = {1, 255, 256, 257, 512, 700, 1024, 1300};
    for (size_t i = 0; i < countof(SIZES); i++) {
        fixture_fill(here->journal, SIZES[i] - (int)here->journal->size);
        fixture_sign(here);
        expect_proven(here);
        if (i % 3 == 2)
            fixture_seal(here);
        expect_proven(here);
    }
}

static void a_checkpoint_of_nothing_is_one(void **state)
{
    struct fixture *here = *state;
    fixture_sign(here);
    assert_int_equal(read_checkpoint(here).size, 0);
    assert_int_equal(fixture_reopen(here), 0);
}

static void the_partial_tiles_of_the_one_before_are_gone(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 300);
    fixture_sign(here);
    assert_true(file_exists(fixture_path(here, "tile/0/001.p/44")));
    fixture_fill(here->journal, 10);
    fixture_sign(here);
    assert_false(file_exists(fixture_path(here, "tile/0/001.p/44")));
    assert_true(file_exists(fixture_path(here, "tile/0/001.p/54")));
    assert_true(file_exists(fixture_path(here, "tile/1/000.p/1")));
}

/* A sealing or signing cut short leaves a lower tile without the one above it. */
static void an_upper_tile_left_out_by_a_cut_is_put_later(void **state)
{
    struct fixture *here = *state;
    struct buffer leaves = {0};
    for (int i = 0; i < 256; i++) {
        fixture_fill(here->journal, 256);
        if (i < 255 && i % 8 == 7)
            fixture_seal(here);
    }
    assert_int_equal(here->journal->sealed.size, 31 * 8 * 256);
    for (int64_t index = 31 * 8; index < 256; index++) {
        char name[TILE_PATH_ROOM];
        tile_path(name, 0, (uint64_t)index, TILE_WIDTH);
        assert_int_equal(file_put(fixture_path(here, name),
                                  tail_leaf(&here->journal->tail, index * 256),
                                  256 * DIGEST_BYTES, 0640),
                         0);
    }
    fixture_sign(here);
    expect_proven(here);
    fixture_fill(here->journal, 3);
    fixture_sign(here);
    expect_proven(here);
    buffer_free(&leaves);
}

static void the_receipt_lies_beside_the_tail(void **state)
{
    struct fixture *here = *state;
    struct buffer got = {0};
    fixture_sign(here);
    assert_false(file_exists(fixture_path(here, "receipt")));
    buffer_append_text(&here->journal->receipt, "receipt");
    fixture_sign(here);
    assert_int_equal(file_read(&got, fixture_path(here, "receipt"), 100), 0);
    assert_string_equal(buffer_text(&got), "receipt");
    buffer_free(&got);
}

static void the_end_is_signed_with_the_hash_of_the_file(void **state)
{
    struct fixture *here = *state;
    struct buffer note = {0}, tail = {0}, text = {0};
    struct digest digest;
    char hex[2 * DIGEST_BYTES + 1], origin[CHECKPOINT_ORIGIN_MAX + 1];
    size_t length;
    fixture_fill(here->journal, 5);
    strcpy(origin, here->journal->origin);
    journal_close(here->journal);
    here->journal = NULL;
    assert_int_equal(notary_close(here->folder, origin, 5, here->key), 0);
    assert_int_equal(file_read(&note, fixture_path(here, "closed"), NOTE_MAX), 0);
    assert_int_equal(note_open(note.bytes, note.length, here->key, &length), 0);
    assert_int_equal(file_read(&tail, fixture_path(here, "tail.db"), 1 << 24), 0);
    suite_hash(suite_named("sha256+ed25519"), &digest, tail.bytes, tail.length);
    hex_encode(hex, digest.bytes, DIGEST_BYTES);
    buffer_printf(&text, "%s/closed\n5\n%s\n", origin, hex);
    assert_int_equal(length, text.length);
    assert_memory_equal(note.bytes, text.bytes, text.length);
    buffer_free(&note);
    buffer_free(&tail);
    buffer_free(&text);
}

static void a_disk_that_does_not_take_it_leaves_the_old_checkpoint(void **state)
{
    struct fixture *here = *state;
    struct notary notary;
    struct buffer note = {0};
    fixture_fill(here->journal, 5);
    fixture_sign(here);
    fixture_fill(here->journal, 5);
    assert_int_equal(file_put(fixture_path(here, "tile/0/000.p/10"), "x", 1, 0600), 0);
    unlink(fixture_path(here, "tile/0/000.p/10"));
    assert_int_equal(mkdir(fixture_path(here, "tile/0/000.p/10"), 0700), 0);
    notary_begin(&notary, here->journal, 5);
    assert_true(notary_work(&notary, &note) < 0);
    assert_int_equal(read_checkpoint(here).size, 5);
    expect_proven(here);
    buffer_free(&note);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_checkpoint_says_origin_size_and_root, start,
                                        stop),
        cmocka_unit_test_setup_teardown(the_tiles_on_disk_prove_every_checkpoint, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_checkpoint_of_nothing_is_one, start, stop),
        cmocka_unit_test_setup_teardown(the_partial_tiles_of_the_one_before_are_gone,
                                        start, stop),
        cmocka_unit_test_setup_teardown(an_upper_tile_left_out_by_a_cut_is_put_later,
                                        start, stop),
        cmocka_unit_test_setup_teardown(the_receipt_lies_beside_the_tail, start, stop),
        cmocka_unit_test_setup_teardown(the_end_is_signed_with_the_hash_of_the_file,
                                        start, stop),
        cmocka_unit_test_setup_teardown(
            a_disk_that_does_not_take_it_leaves_the_old_checkpoint, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
