/* Base64: the vectors of RFC 4648, and that there is one spelling only. */
#include "proof/base64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static const char *const PAIRS[][2] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/"},
};

static void both_ways_as_in_rfc_4648(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(PAIRS); i++) {
        struct buffer out = {0};
        base64_encode(&out, PAIRS[i][0], strlen(PAIRS[i][0]));
        assert_string_equal(buffer_text(&out), PAIRS[i][1]);
        buffer_clear(&out);
        assert_int_equal(base64_decode(&out, PAIRS[i][1], strlen(PAIRS[i][1])), 0);
        assert_string_equal(buffer_text(&out), PAIRS[i][0]);
        buffer_free(&out);
    }
}

static void every_length_comes_back(void **state)
{
    (void)state;
    uint8_t bytes[100];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37);
    for (size_t length = 0; length <= sizeof(bytes); length++) {
        struct buffer text = {0}, back = {0};
        base64_encode(&text, bytes, length);
        assert_int_equal(base64_decode(&back, text.bytes, text.length), 0);
        assert_int_equal(back.length, length);
        if (length > 0)
            assert_memory_equal(back.bytes, bytes, length);
        buffer_free(&text);
        buffer_free(&back);
    }
}

static void another_spelling_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "Zg=",    "Zg",   "Zh==",     "Zm9=",     "Zm9v\n", " Zm9v",
        "Z===",   "====", "Zg==Zg==", "Zm9v=",    "Zm-v",   "Zm_v",
        "Zm\n9v", "=Zm9", "Z=m9",     "Zm9v====", "Zm9\xff"};
    for (size_t i = 0; i < countof(BAD); i++) {
        struct buffer out = {0};
        buffer_append_text(&out, "kept");
        assert_int_equal(base64_decode(&out, BAD[i], strlen(BAD[i])), -EPROTO);
        assert_string_equal(buffer_text(&out), "kept");
        buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_as_in_rfc_4648),
        cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(another_spelling_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
