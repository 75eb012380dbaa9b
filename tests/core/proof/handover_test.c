/* Handovers: what was signed comes back, and there is one spelling only. */
#include "proof/handover.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

#define NAMES "outpost-handover/350105-003/9c41e07a/184467\n"
#define TIME  "time 2026-11-21T03:04:05.123456Z\n"
#define HEX   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define REST  "sha256 " HEX "\nsm3 " HEX "\nsize 4096\n"

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

static void what_was_signed_comes_back(void **state)
{
    (void)state;
    static const struct handover HANDOVER = {.office = "350105-003",
                                             .log = "9c41e07a",
                                             .seq = INT64_MAX,
                                             .time_us = 1795230245123456,
                                             .sha256.bytes = {[31] = 0xab},
                                             .sm3.bytes = {[0] = 0xcd},
                                             .size = 500000000};
    struct handover again;
    struct buffer note = {0};
    handover_sign(&note, &HANDOVER, city);
    assert_int_equal(handover_read(&again, note.bytes, note.length, city), 0);
    assert_string_equal(again.office, HANDOVER.office);
    assert_string_equal(again.log, HANDOVER.log);
    assert_true(again.seq == HANDOVER.seq && again.size == HANDOVER.size);
    assert_true(again.time_us == HANDOVER.time_us);
    assert_true(digest_equal(&again.sha256, &HANDOVER.sha256));
    assert_true(digest_equal(&again.sm3, &HANDOVER.sm3));
    note.bytes[20] ^= 1;
    assert_int_equal(handover_read(&again, note.bytes, note.length, city), -EBADMSG);
    buffer_free(&note);
}

static int read_text(struct handover *handover, const char *text)
{
    struct buffer note = {0};
    buffer_printf(&note, "%s\n\xe2\x80\x94 name code\n", text);
    int err = handover_read(handover, note.bytes, note.length, NULL);
    buffer_free(&note);
    return err;
}

static void another_spelling_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "outpost-receipt/350105-003/9c41e07a/184467\n" TIME REST,
        "outpost-handover/350105-003/9c41e07a\n" TIME REST,
        "outpost-handover/350105-003/9c41e07a/-1\n" TIME REST,
        "outpost-handover/350105-003/9c41e07a/01\n" TIME REST,
        "outpost-handover/350105-003/9c41e07a/9223372036854775808\n" TIME REST,
        "outpost-handover//9c41e07a/1\n" TIME REST,
        "outpost-handover/350105-003/a b/1\n" TIME REST,
        NAMES REST,
        NAMES "time yesterday\n" REST,
        NAMES TIME "sm3 " HEX "\nsha256 " HEX "\nsize 4096\n",
        NAMES TIME "sha256 " HEX "00\nsm3 " HEX "\nsize 4096\n",
        NAMES TIME "sha256 E" HEX "\nsm3 " HEX "\nsize 4096\n",
        NAMES TIME "sha256 " HEX "\nsm3 " HEX "\nsize 4096",
        NAMES TIME "sha256 " HEX "\nsm3 " HEX "\nsize -1\n",
        NAMES TIME REST "size 4096\n",
    };
    struct handover handover;
    assert_int_equal(read_text(&handover, NAMES TIME REST), 0);
    assert_int_equal(handover.size, 4096);
    for (size_t i = 0; i < countof(BAD); i++)
        assert_int_equal(read_text(&handover, BAD[i]), -EPROTO);
}

static void digits_are_small_letters(void **state)
{
    (void)state;
    struct handover handover;
    char text[] = NAMES TIME REST;
    strstr(text, "e3b0")[0] = 'E';
    assert_int_equal(read_text(&handover, text), -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_signed_comes_back),
        cmocka_unit_test(another_spelling_is_refused),
        cmocka_unit_test(digits_are_small_letters),
    };
    return cmocka_run_group_tests(tests, make_key, free_key);
}
