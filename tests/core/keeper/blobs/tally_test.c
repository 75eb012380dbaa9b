/* Both hashes, whoever takes them. */
#include "keeper/blobs/tally.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"

static void expect_hashes(const uint8_t *bytes, size_t length, size_t part)
{
    struct digest sha256, sm3, expected;
    struct tally *tally = tally_new();
    for (size_t at = 0; at < length; at += part)
        tally_add(tally, bytes + at, length - at < part ? length - at : part);
    assert_int_equal(tally_end(tally, &sha256, &sm3), 0);
    tally_free(tally);
    suite_hash(suite_named("sha256+ed25519"), &expected, bytes, length);
    assert_true(digest_equal(&sha256, &expected));
    suite_hash(suite_named("sm3+sm2"), &expected, bytes, length);
    assert_true(digest_equal(&sm3, &expected));
}

static void both_hashes_are_those_of_the_whole(void **state)
{
    static const size_t LENGTHS[] = {
        0, 1, 1000, TALLY_ALONE, TALLY_ALONE + 70000, TALLY_ALONE + 3000000};
    (void)state;
    for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(LENGTHS[0]); i++) {
        uint8_t *bytes = mem_zeroed(LENGTHS[i] + 1);
        for (size_t j = 0; j < LENGTHS[i]; j++)
            bytes[j] = (uint8_t)(j * 7 + j / 251);
        expect_hashes(bytes, LENGTHS[i], 65536);
        expect_hashes(bytes, LENGTHS[i], 9999);
        mem_free(bytes);
    }
}

static void one_that_is_given_up_leaves_nothing(void **state)
{
    static uint8_t bytes[70000];
    (void)state;
    struct tally *tally = tally_new();
    for (size_t total = 0; total < TALLY_ALONE + 4 * sizeof(bytes);
         total += sizeof(bytes))
        tally_add(tally, bytes, sizeof(bytes));
    tally_free(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_hashes_are_those_of_the_whole),
        cmocka_unit_test(one_that_is_given_up_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
