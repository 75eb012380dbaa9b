/* Modbus messages against the standard's examples, ours and those of the sample collection. */
#include "host/modbus/pdu.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "host/modbus/adu.h"

/* Seen from the project's root and from a build folder beside it. */
static const char VECTORS[] = "../shared/vectors/modbus/frames.jsonl";

static struct pdu from_hex(const char *hex)
{
    struct pdu pdu = {.length = strlen(hex) / 2};
    assert_int_equal(hex_decode(pdu.bytes, pdu.length, hex), 0);
    return pdu;
}

static void assert_hex(const struct pdu *pdu, const char *hex)
{
    char text[2 * PDU_MAX + 1];
    hex_encode(text, pdu->bytes, pdu->length);
    assert_string_equal(text, hex);
}

static int checked(const char *request, const char *answer, int *exception)
{
    struct pdu asked = from_hex(request), came = from_hex(answer);
    return pdu_check(&asked, &came, exception);
}

static void requests_are_those_of_the_standard(void **state)
{
    struct pdu pdu;
    (void)state;
    assert_int_equal(pdu_read(&pdu, PDU_READ_COILS, 0x13, 0x13), 0);
    assert_hex(&pdu, "0100130013");
    assert_int_equal(pdu_read(&pdu, PDU_READ_HOLDING, 0x6b, 3), 0);
    assert_hex(&pdu, "03006b0003");
    assert_int_equal(pdu_write_coil(&pdu, 0xac, true), 0);
    assert_hex(&pdu, "0500acff00");
    assert_int_equal(pdu_write_register(&pdu, 1, 3), 0);
    assert_hex(&pdu, "0600010003");
    static const bool ON[] = {1, 0, 1, 1, 0, 0, 1, 1, 1, 0};
    assert_int_equal(pdu_write_coils(&pdu, 0x13, ON, 10), 0);
    assert_hex(&pdu, "0f0013000a02cd01");
    static const uint16_t VALUES[] = {10, 0x102};
    assert_int_equal(pdu_write_registers(&pdu, 1, VALUES, 2), 0);
    assert_hex(&pdu, "100001000204000a0102");
}

static void counts_beyond_the_standard_are_refused(void **state)
{
    struct pdu pdu;
    (void)state;
    assert_int_equal(pdu_read(&pdu, PDU_READ_HOLDING, 0, 0), -EINVAL);
    assert_int_equal(pdu_read(&pdu, PDU_READ_HOLDING, 0, 126), -EINVAL);
    assert_int_equal(pdu_read(&pdu, PDU_READ_HOLDING, 65535, 2), -EINVAL);
    assert_int_equal(pdu_read(&pdu, PDU_READ_HOLDING, -1, 1), -EINVAL);
    assert_int_equal(pdu_read(&pdu, PDU_READ_COILS, 0, 2000), 0);
    assert_int_equal(pdu_read(&pdu, PDU_READ_COILS, 0, 2001), -EINVAL);
    assert_int_equal(pdu_write_register(&pdu, 0, 65536), -EINVAL);
    static const bool ON[PDU_WRITE_BITS + 1];
    assert_int_equal(pdu_write_coils(&pdu, 0, ON, PDU_WRITE_BITS), 0);
    assert_true(pdu.length <= PDU_MAX);
    assert_int_equal(pdu_write_coils(&pdu, 0, ON, PDU_WRITE_BITS + 1), -EINVAL);
}

static void an_answer_must_repeat_what_the_request_said(void **state)
{
    static const struct {
        const char *request, *answer;
        int err;
    } CASES[] = {
        {"03006b0003", "0306022b00000064", 0},
        {"03006b0003", "0304022b0000", -EPROTO},       /* fewer registers */
        {"03006b0003", "0306022b0000", -EPROTO},       /* fewer bytes than it says */
        {"03006b0003", "0406022b00000064", -EPROTO},   /* wrong function */
        {"03006b0003", "0306022b0000006400", -EPROTO}, /* more bytes than it says */
        {"0100130013", "0103cd6b05", 0},
        {"0100130013", "0102cd6b", -EPROTO},
        {"0500acff00", "0500acff00", 0},
        {"0500acff00", "0500ac0000", -EPROTO},
        {"100001000204000a0102", "1000010002", 0},
        {"100001000204000a0102", "1000010001", -EPROTO},
        {"03006b0003", "83", -EPROTO},
        {"2b0e0100", "2b0e01", 0}, /* of this function we know nothing */
    };
    int exception;
    (void)state;
    for (size_t i = 0; i < countof(CASES); i++)
        assert_int_equal(checked(CASES[i].request, CASES[i].answer, &exception),
                         CASES[i].err);
}

static void an_exception_is_told_with_its_number(void **state)
{
    int exception = 0;
    (void)state;
    assert_int_equal(checked("0104a10001", "8102", &exception), -EREMOTEIO);
    assert_int_equal(exception, 2);
    assert_string_equal(pdu_exception_name(6), "device busy");
    assert_string_equal(pdu_exception_name(9), "unknown exception");
    assert_string_equal(pdu_exception_name(200), "unknown exception");
}

static void values_are_read(void **state)
{
    (void)state;
    struct pdu words = from_hex("0306022b00000064"), bits = from_hex("0103cd6b05");
    assert_int_equal(pdu_register_count(&words), 3);
    assert_int_equal(pdu_register(&words, 0), 555);
    assert_int_equal(pdu_register(&words, 2), 100);
    assert_true(pdu_bit(&bits, 0));
    assert_false(pdu_bit(&bits, 1));
    assert_true(pdu_bit(&bits, 18));
}

/* ---- The sample collection */

static void check_pdu(const struct json *line)
{
    int exception = 0;
    int err = checked(json_text(line, "hex"), json_text(line, "reply_hex"), &exception);
    int64_t expected = json_number(json_get(line, "expect"), "exception", 0);
    assert_int_equal(err, expected ? -EREMOTEIO : 0);
    assert_int_equal(exception, expected);
}

static void check_rtu(const struct json *line)
{
    struct adu adu = {.length = strlen(json_text(line, "hex")) / 2};
    struct pdu pdu;
    assert_int_equal(hex_decode(adu.bytes, adu.length, json_text(line, "hex")), 0);
    const char *wrong = adu_open_rtu(&adu, adu.bytes[0], &pdu);
    assert_true((wrong == NULL) == json_true(line, "crc_ok"));
    if (wrong != NULL)
        return;
    struct adu again;
    adu_put_rtu(&again, adu.bytes[0], &pdu);
    assert_int_equal(again.length, adu.length);
    assert_memory_equal(again.bytes, adu.bytes, adu.length);
}

static void check_tcp(const struct json *line)
{
    struct adu adu = {.length = strlen(json_text(line, "hex")) / 2};
    struct pdu pdu, built;
    assert_int_equal(hex_decode(adu.bytes, adu.length, json_text(line, "hex")), 0);
    assert_null(adu_open_tcp(&adu, 0, (uint8_t)json_number(line, "unit", -1), &pdu));
    assert_int_equal(pdu_read(&built, PDU_READ_HOLDING, json_number(line, "addr", -1),
                              json_number(line, "count", -1)),
                     0);
    assert_memory_equal(built.bytes, pdu.bytes, pdu.length);
}

static const struct {
    const char *framing;
    void (*check)(const struct json *line);
} FRAMINGS[] = {{"pdu", check_pdu}, {"rtu", check_rtu}, {"tcp", check_tcp}};

static int check_line(const char *text, size_t length)
{
    struct json *line;
    int count = 0;
    assert_int_equal(json_parse(&line, text, length), 0);
    for (size_t i = 0; i < countof(FRAMINGS); i++) {
        if (strcmp(json_text(line, "framing"), FRAMINGS[i].framing) != 0)
            continue;
        FRAMINGS[i].check(line);
        count++;
    }
    json_free(line);
    return count;
}

static void published_frames_are_understood(void **state)
{
    struct buffer text = {0};
    int count = 0;
    (void)state;
    if (file_read(&text, VECTORS, 1 << 20) != 0) {
        print_message("%s is not here\n", VECTORS);
        skip();
    }
    const char *at = buffer_text(&text);
    while (*at != '\0') {
        size_t length = strcspn(at, "\n");
        count += check_line(at, length);
        at += length + (at[length] == '\n');
    }
    buffer_free(&text);
    assert_true(count >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_those_of_the_standard),
        cmocka_unit_test(counts_beyond_the_standard_are_refused),
        cmocka_unit_test(an_answer_must_repeat_what_the_request_said),
        cmocka_unit_test(an_exception_is_told_with_its_number),
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(published_frames_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
