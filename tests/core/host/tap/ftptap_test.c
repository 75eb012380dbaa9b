/* The conversation with a file server as it is recorded: nothing secret, and nothing while it is off. */
#include "host/tap/ftptap.h"

#include "host/tap.h"

static void lines_are_hushed(void **state)
{
    (void)state;
    tap_begin(-1);
    ftptap_line("ftp://x", RING_OUT, "PASS ab\r\n", 9, "ab");
    ftptap_line("ftp://x", RING_IN, "230 welcome, 12345678\r\n", 23, "12345678");
    ftptap_line("ftp://x", RING_OUT, "PWD\r\n", 5, NULL);
    assert_string_equal(tap_end(), "ftp://x> PASS **\r\n\n"
                                   "ftp://x< 230 welcome, ********\r\n\n"
                                   "ftp://x> PWD\r\n\n");
}

static void of_sftp_it_is_said_what_was_asked_and_how_it_ended(void **state)
{
    (void)state;
    tap_begin(-1);
    ftptap_ask("sftp://x", "list", "/rec", 0);
    ftptap_end("sftp://x", "good", -1);
    ftptap_ask("sftp://x", "read", "/rec/a b.mp4", 5);
    ftptap_end("sftp://x", "good", 1LL << 40);
    assert_string_equal(tap_end(), "sftp://x> list /rec\n\n"
                                   "sftp://x< good\n\n"
                                   "sftp://x> read /rec/a b.mp4 from 5\n\n"
                                   "sftp://x< good size 1099511627776\n\n");
}

static void nothing_is_put_while_nobody_wishes_it(void **state)
{
    (void)state;
    tap_begin(0);
    ftptap_line("ftp://x", RING_OUT, "PWD\r\n", 5, NULL);
    ftptap_ask("sftp://x", "list", "/", 0);
    ftptap_end("sftp://x", "good", 0);
    assert_string_equal(tap_end(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_hushed),
        cmocka_unit_test(of_sftp_it_is_said_what_was_asked_and_how_it_ended),
        cmocka_unit_test(nothing_is_put_while_nobody_wishes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
