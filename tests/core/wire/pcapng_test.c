/* Recordings: what is written is read, also in the other order of bytes, and no length is trusted. */
#include "wire/pcapng.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static void write_some(struct buffer *out)
{
    const struct pcapng_piece asked = {0, true, 1764000000123456, "ask", 3};
    const struct pcapng_piece answered = {1, false, 1764000000200000, "answer..", 8};
    pcapng_begin(out, "{\"instance\":\"gate\"}");
    pcapng_device(out, "modbus-tcp://10.0.0.1");
    pcapng_device(out, "tcp://10.0.0.2:80");
    pcapng_piece(out, &asked);
    pcapng_piece(out, &answered);
}

static void what_is_written_is_read(void **state)
{
    struct buffer out = {0};
    struct pcapng pcapng;
    struct pcapng_piece piece;
    (void)state;
    write_some(&out);
    assert_int_equal(out.length % 4, 0);
    assert_int_equal(pcapng_open(&pcapng, out.bytes, out.length), 0);
    assert_int_equal(pcapng_next(&pcapng, &piece), 1);
    assert_string_equal(pcapng.names[piece.device], "modbus-tcp://10.0.0.1");
    assert_true(piece.is_out);
    assert_true(piece.utc_us == 1764000000123456);
    assert_int_equal(piece.length, 3);
    assert_memory_equal(piece.bytes, "ask", 3);
    assert_int_equal(pcapng_next(&pcapng, &piece), 1);
    assert_string_equal(pcapng.names[piece.device], "tcp://10.0.0.2:80");
    assert_false(piece.is_out);
    assert_memory_equal(piece.bytes, "answer..", 8);
    assert_int_equal(pcapng_next(&pcapng, &piece), 0);
    buffer_free(&out);
}

/* Written by hand: big-endian, nanoseconds, a block of a kind that we do not know. */
static void another_program_may_have_written_it(void **state)
{
    static const uint8_t FILE[] =
        {
            0x0a, 0x0d, 0x0d, 0x0a, 0,   0,   0,   28,  0x1a, 0x2b, 0x3c,
            0x4d, 0,    1,    0,    0,   255, 255, 255, 255,  255,  255,
            255,  255,  0,    0,    0,   28, /* section */
            0,    0,    11,   173,  0,   0,   0,   16,  1,    2,    3,
            4,    0,    0,    0,    16, /* something */
            0,    0,    0,    1,    0,   0,   0,   40,  0,    147,  0,
            0,    0,    0,    0,    0, /* interface */
            0,    2,    0,    1,    'x', 0,   0,   0,   0,    9,    0,
            1,    9,    0,    0,    0,   0,   0,   0,   0,    0,    0,
            0,    40,   0,    0,    0,   6,   0,   0,   0,    36,   0,
            0,    0,    0,    0,    0,   0,   0,   0,   0,    0x13, 0x88, /* packet */
            0,    0,    0,    2,    0,   0,   0,   2,   'o',  'k',  0,
            0,    0,    0,    0,    36,
        };
    struct pcapng pcapng;
    struct pcapng_piece piece;
    (void)state;
    assert_int_equal(pcapng_open(&pcapng, FILE, sizeof(FILE)), 0);
    assert_int_equal(pcapng_next(&pcapng, &piece), 1);
    assert_string_equal(pcapng.names[0], "x");
    assert_int_equal(piece.utc_us, 5);
    assert_false(piece.is_out);
    assert_memory_equal(piece.bytes, "ok", 2);
    assert_int_equal(pcapng_next(&pcapng, &piece), 0);
}

static void what_is_cut_or_no_recording_is_told(void **state)
{
    struct buffer out = {0};
    struct pcapng pcapng;
    struct pcapng_piece piece;
    (void)state;
    write_some(&out);
    for (size_t length = 0; length < out.length; length++) {
        char *cut = malloc(length + 1);
        memcpy(cut, out.bytes, length);
        int more = pcapng_open(&pcapng, cut, length);
        assert_true(length >= 12 || more == -EPROTO);
        if (more == 0)
            while ((more = pcapng_next(&pcapng, &piece)) == 1)
                assert_true(piece.length <= 8);
        free(cut);
    }
    assert_int_equal(pcapng_open(&pcapng, "GET / HTTP/1.1\r\n", 16), -EPROTO);
    buffer_free(&out);
}

static void devices_end(void **state)
{
    struct buffer out = {0};
    struct pcapng pcapng;
    struct pcapng_piece piece;
    (void)state;
    pcapng_begin(&out, "");
    for (int i = 0; i <= PCAPNG_DEVICES_MAX; i++)
        pcapng_device(&out, "one too many");
    assert_int_equal(pcapng_open(&pcapng, out.bytes, out.length), 0);
    assert_int_equal(pcapng_next(&pcapng, &piece), -E2BIG);
    buffer_free(&out);
}

static void a_packet_of_no_device_is_told(void **state)
{
    struct buffer out = {0};
    struct pcapng pcapng;
    struct pcapng_piece piece = {.device = 1, .bytes = "x", .length = 1};
    (void)state;
    pcapng_begin(&out, "");
    pcapng_device(&out, "only one");
    pcapng_piece(&out, &piece);
    assert_int_equal(pcapng_open(&pcapng, out.bytes, out.length), 0);
    assert_int_equal(pcapng_next(&pcapng, &piece), -EPROTO);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(another_program_may_have_written_it),
        cmocka_unit_test(what_is_cut_or_no_recording_is_told),
        cmocka_unit_test(devices_end),
        cmocka_unit_test(a_packet_of_no_device_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
