/* Checkpoints: their text to the letter, both suites, and what is none. */
#include "proof/checkpoint.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "proof/note.h"

#define ROOT      "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define SIGNATURE "\n\xe2\x80\x94 name code\n"

static const char *const SUITES[] = {"sha256+ed25519", "sm3+sm2"};

static struct checkpoint checkpoint_of(const char *suite)
{
    struct checkpoint checkpoint = {.suite = suite_named(suite), .size = 184467};
    assert_int_equal(checkpoint_origin(checkpoint.origin, "350105-003", "9c41e07a"), 0);
    suite_hash(suite_named(SUITES[0]), &checkpoint.root, "", 0);
    return checkpoint;
}

static void the_text_is_that_of_tlog_checkpoint(void **state)
{
    (void)state;
    static const char *const EXPECTED[] = {
        "outpost/350105-003/9c41e07a\n184467\n" ROOT
        "\n\n\xe2\x80\x94 outpost/350105-003 ",
        "outpost/350105-003/9c41e07a\n184467\n" ROOT
        "\nsuite sm3+sm2\n\n\xe2\x80\x94 outpost/350105-003 "};
    for (size_t i = 0; i < countof(SUITES); i++) {
        struct checkpoint checkpoint = checkpoint_of(SUITES[i]), again;
        struct buffer note = {0};
        struct key *key;
        assert_int_equal(key_make(&key, suite_named(SUITES[i]), "outpost/350105-003"), 0);
        checkpoint_sign(&note, &checkpoint, key);
        assert_memory_equal(note.bytes, EXPECTED[i], strlen(EXPECTED[i]));
        assert_int_equal(checkpoint_read(&again, note.bytes, note.length, key), 0);
        assert_string_equal(again.origin, checkpoint.origin);
        assert_ptr_equal(again.suite, checkpoint.suite);
        assert_int_equal(again.size, checkpoint.size);
        assert_true(digest_equal(&again.root, &checkpoint.root));
        note.bytes[0] ^= 1;
        assert_int_equal(checkpoint_read(&again, note.bytes, note.length, key), -EBADMSG);
        buffer_free(&note);
        key_free(key);
    }
}

static void another_key_is_not_enough(void **state)
{
    (void)state;
    struct checkpoint checkpoint = checkpoint_of(SUITES[0]), again;
    struct buffer note = {0};
    struct key *key, *other;
    assert_int_equal(key_make(&key, suite_named(SUITES[0]), "outpost/350105-003"), 0);
    assert_int_equal(key_make(&other, suite_named(SUITES[0]), "outpost/350105-003"), 0);
    checkpoint_sign(&note, &checkpoint, key);
    assert_int_equal(checkpoint_read(&again, note.bytes, note.length, other), -ENOKEY);
    assert_int_equal(checkpoint_read(&again, note.bytes, note.length, NULL), 0);
    buffer_free(&note);
    key_free(key);
    key_free(other);
}

static void another_spelling_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "origin\n",
        "\n1\n" ROOT "\n",
        "origin\n01\n" ROOT "\n",
        "origin\n-1\n" ROOT "\n",
        "origin\n18446744073709551616\n" ROOT "\n",
        "origin\n1\n" ROOT "=\n",
        "origin\n1\nAAAA\n",
        "origin\n1\n",
        "origin\n1\n" ROOT "\nsuite md5+rsa\n",
        "origin\n1\n" ROOT "\nsuite sha256+ed25519\n",
        "origin\n1\n" ROOT "\nsuite sm3+sm2\nsuite sm3+sm2\n",
        "origin\n1\n" ROOT "\n\nother\n",
    };
    for (size_t i = 0; i < countof(BAD); i++) {
        struct checkpoint checkpoint;
        struct buffer note = {0};
        buffer_printf(&note, "%s" SIGNATURE, BAD[i]);
        assert_int_equal(checkpoint_read(&checkpoint, note.bytes, note.length, NULL),
                         -EPROTO);
        buffer_free(&note);
    }
}

static void extensions_of_others_are_passed_over(void **state)
{
    (void)state;
    static const char NOTE[] =
        "origin\n7\n" ROOT "\nsomething else\nsuite sm3+sm2\n" SIGNATURE;
    struct checkpoint checkpoint;
    assert_int_equal(checkpoint_read(&checkpoint, NOTE, strlen(NOTE), NULL), 0);
    assert_int_equal(checkpoint.size, 7);
    assert_ptr_equal(checkpoint.suite, suite_named("sm3+sm2"));
}

static void an_origin_has_a_greatest_length(void **state)
{
    (void)state;
    char origin[CHECKPOINT_ORIGIN_MAX + 1], word[CHECKPOINT_ORIGIN_MAX + 1];
    memset(word, 'a', sizeof(word));
    word[CHECKPOINT_ORIGIN_MAX - strlen("outpost/x/")] = '\0';
    assert_int_equal(checkpoint_origin(origin, "x", word), 0);
    assert_int_equal(checkpoint_origin(origin, "xy", word), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_that_of_tlog_checkpoint),
        cmocka_unit_test(another_key_is_not_enough),
        cmocka_unit_test(another_spelling_is_refused),
        cmocka_unit_test(extensions_of_others_are_passed_over),
        cmocka_unit_test(an_origin_has_a_greatest_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
