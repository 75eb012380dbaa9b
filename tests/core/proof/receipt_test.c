/* Receipts: every mix of lanes comes back, and there is one spelling only. */
#include "proof/receipt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

#define HEAD "outpost-receipt/office/log\ntime 2026-11-21T03:04:05.123456Z\n"
#define ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static struct key *city;

static int make_key(void **state)
{
    (void)state;
    return key_make(&city, suite_named("sha256+ed25519"), "outpost-city/city");
}

static int free_key(void **state)
{
    (void)state;
    key_free(city);
    return 0;
}

static void expect_same(const struct receipt *a, const struct receipt *b)
{
    assert_string_equal(a->office, b->office);
    assert_string_equal(a->log, b->log);
    assert_int_equal(a->time_us, b->time_us);
    assert_memory_equal(a->lane, b->lane, sizeof(a->lane));
    assert_int_equal(a->has_checkpoint, b->has_checkpoint);
    assert_int_equal(a->size, b->size);
    assert_true(digest_equal(&a->root, &b->root));
}

static void every_mix_comes_back(void **state)
{
    (void)state;
    for (int mix = 0; mix < 16; mix++) {
        struct receipt receipt = {.office = "350105-003", .log = "9c41e07a"}, again;
        struct buffer note = {0};
        receipt.time_us = 1795230245123456;
        receipt.has_checkpoint = mix & 8;
        receipt.size = receipt.has_checkpoint ? 9000 : 0;
        receipt.root.bytes[7] = receipt.has_checkpoint ? 7 : 0;
        for (int lane = 0; lane < RECEIPT_LANES; lane++)
            receipt.lane[lane] = mix & 1 << lane ? INT64_MAX - lane : -1;
        receipt_sign(&note, &receipt, city);
        assert_int_equal(receipt_read(&again, note.bytes, note.length, city), 0);
        expect_same(&again, &receipt);
        note.bytes[20] ^= 1;
        assert_int_equal(receipt_read(&again, note.bytes, note.length, city), -EBADMSG);
        buffer_free(&note);
    }
}

static int read_text(struct receipt *receipt, const char *text)
{
    struct buffer note = {0};
    buffer_printf(&note, "%s\n\xe2\x80\x94 name code\n", text);
    int err = receipt_read(receipt, note.bytes, note.length, NULL);
    buffer_free(&note);
    return err;
}

static void lanes_that_are_not_named_have_nothing(void **state)
{
    (void)state;
    struct receipt receipt;
    assert_int_equal(read_text(&receipt, HEAD "lane record 7\n"), 0);
    assert_int_equal(receipt.lane[0], -1);
    assert_int_equal(receipt.lane[1], 7);
    assert_int_equal(receipt.lane[2], -1);
    assert_false(receipt.has_checkpoint);
}

static void another_spelling_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "outpost-receipt/office\ntime 2026-11-21T03:04:05Z\n",
        "outpost-receipt/office/log/more\ntime 2026-11-21T03:04:05Z\n",
        "outpost-receipt//log\ntime 2026-11-21T03:04:05Z\n",
        "outpost/office/log\ntime 2026-11-21T03:04:05Z\n",
        "outpost-receipt/office/log\n",
        "outpost-receipt/office/log\ntime yesterday\n",
        HEAD "lane alarm -1\n",
        HEAD "lane alarm 01\n",
        HEAD "lane alarm 9223372036854775808\n",
        HEAD "lane alarm 1",
        HEAD "lane alarm 1\nlane alarm 2\n",
        HEAD "lane record 1\nlane alarm 2\n",
        HEAD "lane other 1\n",
        HEAD "checkpoint 5\n",
        HEAD "checkpoint 5 " ROOT " \n",
        HEAD "checkpoint 5 " ROOT "\nlane alarm 1\n",
        HEAD "checkpoint 5 " ROOT "\ncheckpoint 5 " ROOT "\n",
    };
    struct receipt receipt;
    for (size_t i = 0; i < countof(BAD); i++)
        assert_int_equal(read_text(&receipt, BAD[i]), -EPROTO);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
    (void)state;
    struct receipt receipt;
    struct buffer text = {0};
    buffer_append_text(&text, "outpost-receipt/");
    for (int i = 0; i <= WORD_ID_MAX; i++)
        buffer_append_text(&text, "a");
    buffer_append_text(&text, "/log\ntime 2026-11-21T03:04:05Z\n");
    assert_int_equal(read_text(&receipt, buffer_text(&text)), -EPROTO);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mix_comes_back),
        cmocka_unit_test(lanes_that_are_not_named_have_nothing),
        cmocka_unit_test(another_spelling_is_refused),
        cmocka_unit_test(a_name_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, make_key, free_key);
}
