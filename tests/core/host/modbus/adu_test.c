#include "host/modbus/adu.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static struct adu tcp_answer(void)
{
    struct pdu pdu = {.bytes = {3, 2, 0x12, 0x34}, .length = 4};
    struct adu adu;
    adu_put_tcp(&adu, 0x0102, 7, &pdu);
    return adu;
}

static void a_tcp_message_is_what_was_put_in(void **state)
{
    static const uint8_t WANTED[] = {1, 2, 0, 0, 0, 5, 7, 3, 2, 0x12, 0x34};
    struct adu adu = tcp_answer();
    struct pdu pdu;
    (void)state;
    assert_int_equal(adu.length, sizeof(WANTED));
    assert_memory_equal(adu.bytes, WANTED, sizeof(WANTED));
    assert_null(adu_open_tcp(&adu, 0x0102, 7, &pdu));
    assert_int_equal(pdu.length, 4);
}

static void each_foreign_mark_is_named(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
        const char *wrong;
    } CASES[] = {
        {1, 3, "wrong transaction"}, {0, 9, "wrong transaction"}, {6, 8, "wrong unit"},
        {3, 1, "wrong length"},      {5, 6, "wrong length"},      {5, 4, "wrong length"},
        {5, 0, "wrong length"},      {4, 255, "wrong length"},
    };
    struct pdu pdu;
    (void)state;
    for (size_t i = 0; i < countof(CASES); i++) {
        struct adu adu = tcp_answer();
        adu.bytes[CASES[i].at] = CASES[i].value;
        const char *wrong = adu_open_tcp(&adu, 0x0102, 7, &pdu);
        assert_non_null(wrong);
        assert_string_equal(wrong, CASES[i].wrong);
    }
}

static void what_a_tcp_message_lacks_is_known_at_each_byte(void **state)
{
    struct adu whole = tcp_answer();
    (void)state;
    for (size_t have = 0; have <= whole.length; have++) {
        struct adu part = whole;
        part.length = have;
        int lacks = adu_lacks_tcp(&part);
        assert_int_equal(lacks, have < 7 ? 7 - (int)have : (int)(whole.length - have));
    }
}

static void what_a_serial_message_lacks_is_known_at_each_byte(void **state)
{
    struct pdu request, answer = {.bytes = {3, 4, 1, 2, 3, 4}, .length = 6};
    struct adu whole;
    (void)state;
    assert_int_equal(pdu_read(&request, PDU_READ_HOLDING, 0, 2), 0);
    adu_put_rtu(&whole, 5, &answer);
    struct adu part = whole;
    part.length = 0;
    while (part.length < whole.length) {
        int lacks = adu_lacks_rtu(&part, &request);
        assert_true(lacks > 0 && part.length + (size_t)lacks <= whole.length);
        part.length += (size_t)lacks;
    }
    assert_int_equal(adu_lacks_rtu(&part, &request), 0);
    part.bytes[1] = 0x41; /* a function we did not ask */
    assert_int_equal(adu_lacks_rtu(&part, &request), -EAGAIN);
    part.bytes[1] = 0x83;
    part.length = 2;
    assert_int_equal(adu_lacks_rtu(&part, &request), 3);
}

static void every_flipped_bit_of_a_serial_message_is_noticed(void **state)
{
    struct pdu pdu = {.bytes = {3, 4, 1, 2, 3, 4}, .length = 6}, opened;
    struct adu whole;
    (void)state;
    adu_put_rtu(&whole, 5, &pdu);
    assert_null(adu_open_rtu(&whole, 5, &opened));
    assert_string_equal(adu_open_rtu(&whole, 6, &opened), "wrong unit");
    for (size_t bit = 0; bit < whole.length * 8; bit++) {
        struct adu flipped = whole;
        flipped.bytes[bit / 8] ^= (uint8_t)(1 << (bit % 8));
        assert_non_null(adu_open_rtu(&flipped, 5, &opened));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tcp_message_is_what_was_put_in),
        cmocka_unit_test(each_foreign_mark_is_named),
        cmocka_unit_test(what_a_tcp_message_lacks_is_known_at_each_byte),
        cmocka_unit_test(what_a_serial_message_lacks_is_known_at_each_byte),
        cmocka_unit_test(every_flipped_bit_of_a_serial_message_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
