/* HTTP as it is recorded: devices by scheme, host and port; nothing secret. */
#include "host/tap/webtap.h"

#include "host/tap.h"

#include "base/base.h"

static void a_device_is_scheme_host_and_port(void **state)
{
    static const char *const NAMES[][2] = {
        {"http://10.0.0.5/ISAPI?x=1", "http://10.0.0.5"},
        {"https://me:word@box:8443", "https://box:8443"},
        {"http://[2001:db8::5]:80?x", "http://[2001:db8::5]:80"},
        {"http://box/a@b", "http://box"},
    };
    char name[RING_NAME_ROOM];
    (void)state;
    for (size_t i = 0; i < countof(NAMES); i++) {
        webtap_name(name, NAMES[i][0]);
        assert_string_equal(name, NAMES[i][1]);
    }
}

static void heads_and_bodies_are_hushed(void **state)
{
    static const char HEAD[] = "PUT / HTTP/1.1\r\nAuthorization: abc\r\n\r\n";
    (void)state;
    tap_begin(-1);
    webtap_head("http://x", RING_OUT, HEAD, strlen(HEAD), NULL);
    webtap_body("http://x", RING_OUT, "<password>12345678</password>", 29, "12345678");
    webtap_body("http://x", RING_IN, "12345678", 8, NULL);
    assert_string_equal(tap_end(),
                        "http://x> PUT / HTTP/1.1\r\nAuthorization:****\r\n\r\n\n"
                        "http://x> <password>********</password>\n"
                        "http://x< 12345678\n");
}

static void a_text_is_escaped(void **state)
{
    struct buffer out = {0};
    (void)state;
    webtap_escape(&out, "/a b&\xe5?c~");
    assert_string_equal(buffer_text(&out), "/a%20b%26%E5%3Fc~");
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_scheme_host_and_port),
        cmocka_unit_test(heads_and_bodies_are_hushed),
        cmocka_unit_test(a_text_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
