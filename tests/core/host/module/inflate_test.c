/* What devices pack, in each form, and what they only say they have packed. */
#include "host/module/inflate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static const char TEXT[] = "Code=AccessControl;action=Pulse;index=0";
enum { MOST = 4096 };

static const char GZIP[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x73\xce\x4f\x49\xb5\x75\x4c\x4e"
    "\x4e\x2d\x2e\x76\xce\xcf\x2b\x29\xca\xcf\xb1\x4e\x4c\x2e\xc9\xcc\xcf\xb3"
    "\x0d\x28\xcd\x29\x4e\xb5\xce\xcc\x4b\x49\xad\xb0\x35\x00\x00\xfc\xed\xd1"
    "\x43\x27\x00\x00\x00";
static const char ZLIB[] =
    "\x78\xda\x73\xce\x4f\x49\xb5\x75\x4c\x4e\x4e\x2d\x2e\x76\xce\xcf\x2b\x29"
    "\xca\xcf\xb1\x4e\x4c\x2e\xc9\xcc\xcf\xb3\x0d\x28\xcd\x29\x4e\xb5\xce\xcc"
    "\x4b\x49\xad\xb0\x35\x00\x00\x26\x9c\x0e\xab";
static const char RAW[] =
    "\x73\xce\x4f\x49\xb5\x75\x4c\x4e\x4e\x2d\x2e\x76\xce\xcf\x2b\x29\xca\xcf"
    "\xb1\x4e\x4c\x2e\xc9\xcc\xcf\xb3\x0d\x28\xcd\x29\x4e\xb5\xce\xcc\x4b\x49"
    "\xad\xb0\x35\x00\x00";

static int unpack(enum inflate_form form, const char *bytes, size_t length, size_t most)
{
    struct buffer out = {0};
    int err = inflate_bytes(&out, form, bytes, length, most);
    if (!err) {
        assert_int_equal(out.length, sizeof(TEXT) - 1);
        assert_memory_equal(out.bytes, TEXT, out.length);
    } else {
        assert_int_equal(out.length, 0);
    }
    buffer_free(&out);
    return err;
}

static void each_form_is_unpacked(void **state)
{
    (void)state;
    assert_int_equal(unpack(INFLATE_GZIP, GZIP, sizeof(GZIP) - 1, MOST), 0);
    assert_int_equal(unpack(INFLATE_ZLIB, ZLIB, sizeof(ZLIB) - 1, MOST), 0);
    assert_int_equal(unpack(INFLATE_RAW, RAW, sizeof(RAW) - 1, MOST), 0);
}

static void a_form_is_told_by_its_head(void **state)
{
    (void)state;
    assert_int_equal(inflate_form_of(GZIP, sizeof(GZIP) - 1), INFLATE_GZIP);
    assert_int_equal(inflate_form_of(ZLIB, sizeof(ZLIB) - 1), INFLATE_ZLIB);
    assert_int_equal(inflate_form_of(RAW, sizeof(RAW) - 1), INFLATE_NONE);
    assert_int_equal(inflate_form_of("{\"Code\":1}", 10), INFLATE_NONE);
    assert_int_equal(inflate_form_of("\x1f", 1), INFLATE_NONE);
}

static void what_is_cut_off_is_no_text(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof(GZIP) - 1; length++)
        assert_int_equal(unpack(INFLATE_GZIP, GZIP, length, MOST), -EPROTO);
    for (size_t length = 0; length < sizeof(RAW) - 1; length++)
        assert_int_equal(unpack(INFLATE_RAW, RAW, length, MOST), -EPROTO);
}

static void a_damaged_byte_is_found_by_the_checksum(void **state)
{
    (void)state;
    char damaged[sizeof(GZIP)];
    memcpy(damaged, GZIP, sizeof(GZIP));
    damaged[sizeof(GZIP) - 6] ^= 1;
    assert_int_equal(unpack(INFLATE_GZIP, damaged, sizeof(GZIP) - 1, MOST), -EPROTO);
}

static void only_blanks_may_stand_behind_the_end(void **state)
{
    (void)state;
    char longer[sizeof(GZIP) + 2];
    memcpy(longer, GZIP, sizeof(GZIP) - 1);
    memcpy(longer + sizeof(GZIP) - 1, "\r\n", 2);
    assert_int_equal(unpack(INFLATE_GZIP, longer, sizeof(GZIP) + 1, MOST), 0);
    longer[sizeof(GZIP)] = 'x';
    assert_int_equal(unpack(INFLATE_GZIP, longer, sizeof(GZIP) + 1, MOST), -EPROTO);
}

static void no_more_than_the_bound_comes_out(void **state)
{
    (void)state;
    size_t length = sizeof(TEXT) - 1;
    assert_int_equal(unpack(INFLATE_GZIP, GZIP, sizeof(GZIP) - 1, length), 0);
    assert_int_equal(unpack(INFLATE_GZIP, GZIP, sizeof(GZIP) - 1, length - 1), -EFBIG);
}

/* 16 MiB of one letter in raw deflate: a block of one letter and its repetitions, written by hand. */
static void a_bomb_is_given_up_at_the_bound(void **state)
{
    (void)state;
    char bomb[16384];
    struct buffer out = {0};
    /* a fixed block: the letter 0, then the pair (length 258, distance 1) in 13 bits, again and again */
    memset(bomb, 0, sizeof(bomb));
    size_t bit = 0;
    const char *front = "110"
                        "00110000"; /* last block, fixed codes; a zero byte */
    for (; *front != '\0'; front++, bit++)
        bomb[bit / 8] = (char)(bomb[bit / 8] | (*front - '0') << bit % 8);
    while (bit + 13 < sizeof(bomb) * 8)
        for (const char *pair = "1100010100000"; *pair != '\0'; pair++, bit++)
            bomb[bit / 8] = (char)(bomb[bit / 8] | (*pair - '0') << bit % 8);
    assert_int_equal(inflate_bytes(&out, INFLATE_RAW, bomb, sizeof(bomb), 1 << 20),
                     -EFBIG);
    assert_true(out.room < 4 << 20);
    buffer_free(&out);
}

static int open_library(void **state)
{
    (void)state;
    return inflate_open() || inflate_open();
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(each_form_is_unpacked),
        cmocka_unit_test(a_form_is_told_by_its_head),
        cmocka_unit_test(what_is_cut_off_is_no_text),
        cmocka_unit_test(a_damaged_byte_is_found_by_the_checksum),
        cmocka_unit_test(only_blanks_may_stand_behind_the_end),
        cmocka_unit_test(no_more_than_the_bound_comes_out),
        cmocka_unit_test(a_bomb_is_given_up_at_the_bound),
    };
    return cmocka_run_group_tests(TESTS, open_library, NULL);
}
