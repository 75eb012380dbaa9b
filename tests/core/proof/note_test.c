/* Signed notes: a foreign one, our own, and what is none. */
#include "proof/note.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

/* The example of the documentation of Go's sumdb/note. */
static const char PETER[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char FOREIGN[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/"
    "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

static struct key *keys[2];

static int make_keys(void **state)
{
    (void)state;
    return key_make(&keys[0], suite_named("sha256+ed25519"), "one") ||
           key_make(&keys[1], suite_named("sm3+sm2"), "two");
}

static int free_keys(void **state)
{
    (void)state;
    key_free(keys[0]);
    key_free(keys[1]);
    return 0;
}

static void a_note_that_go_signed_is_opened(void **state)
{
    (void)state;
    struct key *peter;
    size_t length;
    assert_int_equal(key_read_verifier(&peter, PETER), 0);
    assert_int_equal(note_open(FOREIGN, strlen(FOREIGN), peter, &length), 0);
    assert_int_equal(length, strstr(FOREIGN, "\n\n") + 1 - FOREIGN);
    key_free(peter);
}

static void any_changed_bit_is_refused(void **state)
{
    (void)state;
    struct key *peter;
    size_t length;
    assert_int_equal(key_read_verifier(&peter, PETER), 0);
    for (size_t bit = 0; bit < 8 * strlen(FOREIGN); bit++) {
        char bad[sizeof(FOREIGN)];
        memcpy(bad, FOREIGN, sizeof(FOREIGN));
        bad[bit / 8] ^= (char)(1 << bit % 8);
        assert_true(note_open(bad, strlen(FOREIGN), peter, &length) < 0);
    }
    key_free(peter);
}

static void each_signer_is_known_by_name_and_id(void **state)
{
    (void)state;
    struct buffer note = {0};
    struct key *namesake;
    size_t length;
    assert_int_equal(key_make(&namesake, suite_named("sha256+ed25519"), "one"), 0);
    note_sign(&note, "text\n\nwith an empty line\n", keys[0]);
    assert_int_equal(note_open(note.bytes, note.length, keys[0], &length), 0);
    assert_int_equal(length, strlen("text\n\nwith an empty line\n"));
    assert_int_equal(note_open(note.bytes, note.length, keys[1], &length), -ENOKEY);
    assert_int_equal(note_open(note.bytes, note.length, namesake, &length), -ENOKEY);
    buffer_free(&note);
    key_free(namesake);
}

static void a_countersigned_note_has_two_signers(void **state)
{
    (void)state;
    struct buffer note = {0};
    size_t length;
    note_sign(&note, "text\n", keys[0]);
    assert_int_equal(note_countersign(&note, keys[1]), 0);
    for (size_t i = 0; i < countof(keys); i++) {
        assert_int_equal(note_open(note.bytes, note.length, keys[i], &length), 0);
        assert_int_equal(length, 5);
    }
    buffer_free(&note);
}

static void a_seventeenth_signature_is_refused(void **state)
{
    (void)state;
    struct buffer note = {0};
    note_sign(&note, "text\n", keys[0]);
    for (int i = 1; i < 16; i++)
        assert_int_equal(note_countersign(&note, keys[i % 2]), 0);
    size_t length = note.length;
    assert_int_equal(note_countersign(&note, keys[0]), -EPROTO);
    assert_int_equal(note.length, length);
    buffer_free(&note);
}

static void what_is_no_note_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "\n",
        "text\n",
        "text\n\n",
        "text\n\nline\n",
        "text\n\n\xe2\x80\x94 name code",
        "text\n\n\xe2\x80\x94 name\n",
        "text\n\n\xe2\x80\x94  code\n",
        "text\n\n\xe2\x80\x94 name \n",
        "te\txt\n\n\xe2\x80\x94 name code\n",
        "\n\n\xe2\x80\x94 name code\n",
        "text\n\n\xe2\x80\x94 name code\nmore\n",
    };
    size_t length = 77;
    for (size_t i = 0; i < countof(BAD); i++)
        assert_int_equal(note_split(BAD[i], strlen(BAD[i]), &length), -EPROTO);
    assert_int_equal(length, 77);
    assert_int_equal(note_split("text\n\n\xe2\x80\x94 name code\n", 20, &length), 0);
    assert_int_equal(length, 5);
}

static void a_note_has_a_greatest_length(void **state)
{
    (void)state;
    struct buffer note = {0};
    size_t length;
    for (int i = 0; i < NOTE_MAX / 8; i++)
        buffer_append_text(&note, "eight b\n");
    buffer_append_text(&note, "\n\xe2\x80\x94 name code\n");
    assert_int_equal(note_split(note.bytes, note.length, &length), -EPROTO);
    assert_int_equal(note_split(note.bytes + 32, note.length - 32, &length), 0);
    buffer_free(&note);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_that_go_signed_is_opened),
        cmocka_unit_test(any_changed_bit_is_refused),
        cmocka_unit_test(each_signer_is_known_by_name_and_id),
        cmocka_unit_test(a_countersigned_note_has_two_signers),
        cmocka_unit_test(a_seventeenth_signature_is_refused),
        cmocka_unit_test(what_is_no_note_is_refused),
        cmocka_unit_test(a_note_has_a_greatest_length),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
