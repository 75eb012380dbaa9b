/* The pieces of addresses: what is read, and that nothing is read behind its end. */
#include "host/lines/urlpart.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static void hosts_and_ports_are_parted(void **state)
{
    static const struct {
        const char *text, *host;
        int port;
    } GOOD[] = {
        {"h", "h", 7},
        {"h:1", "h", 1},
        {"10.0.0.5:65535", "10.0.0.5", 65535},
        {"[::1]", "::1", 7},
        {"[::1]:80", "::1", 80},
        {"a.b-c.example:99", "a.b-c.example", 99},
    };
    (void)state;
    for (size_t i = 0; i < countof(GOOD); i++) {
        char host[URLPART_ROOM];
        int port = 7;
        assert_null(urlpart_host(host, &port, GOOD[i].text, strlen(GOOD[i].text)));
        assert_string_equal(host, GOOD[i].host);
        assert_int_equal(port, GOOD[i].port);
    }
}

static void what_is_no_host_is_refused(void **state)
{
    static const char *const BAD[] = {"",     ":80",  "h:",   "h:0",   "h:65536",
                                      "h:8x", "[::1", "[]:1", "[a]b:1"};
    char host[URLPART_ROOM], length_max[2 * URLPART_ROOM];
    int port;
    (void)state;
    for (size_t i = 0; i < countof(BAD); i++)
        assert_non_null(urlpart_host(host, &port, BAD[i], strlen(BAD[i])));
    memset(length_max, 'h', sizeof(length_max));
    assert_null(urlpart_host(host, &port, length_max, URLPART_ROOM - 1));
    assert_non_null(urlpart_host(host, &port, length_max, URLPART_ROOM));
}

static int count(void *owner, const char *name, const char *value)
{
    assert_int_equal(strlen(name), 1);
    *(int *)owner += (int)strlen(value);
    return strcmp(value, "stop") == 0 ? -ECANCELED : 0;
}

static void options_are_parted_until_one_is_none(void **state)
{
    char piece[URLPART_ROOM];
    int sum = 0;
    (void)state;
    assert_int_equal(urlpart_options("a=12&b=3", piece, count, &sum), 0);
    assert_int_equal(sum, 3);
    assert_int_equal(urlpart_options(NULL, piece, count, &sum), 0);
    assert_int_equal(urlpart_options("a=stop&b", piece, count, &sum), -ECANCELED);
    assert_int_equal(urlpart_options("a=1&b", piece, count, &sum), -EINVAL);
    assert_string_equal(piece, "b");
    assert_int_equal(urlpart_options("&a=1", piece, count, &sum), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_and_ports_are_parted),
        cmocka_unit_test(what_is_no_host_is_refused),
        cmocka_unit_test(options_are_parted_until_one_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
