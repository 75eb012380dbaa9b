/* Where servers listen: what is read, and what cannot be meant. */
#include "host/web/serveurl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

static struct sockaddr_storage address;
static bool is_locked;

static int port_of(const char *url)
{
    assert_int_equal(serveurl_parse(&address, &is_locked, url), 0);
    return ntohs(((const struct sockaddr_in *)(const void *)&address)->sin_port);
}

static void an_address_has_a_port_or_that_of_its_scheme(void **state)
{
    (void)state;
    assert_int_equal(port_of("http://0.0.0.0"), 80);
    assert_true(address.ss_family == AF_INET && !is_locked);
    assert_int_equal(port_of("http://127.0.0.1:8088/"), 8088);
    assert_int_equal(port_of("https://0.0.0.0"), 443);
    assert_true(is_locked);
    assert_int_equal(port_of("https://[::1]:8443"), 8443);
    assert_true(address.ss_family == AF_INET6 && is_locked);
    assert_int_equal(port_of("http://127.0.0.1:0"), 0);
}

static void what_cannot_be_meant_is_refused(void **state)
{
    static const char *const BAD[] = {
        "ftp://0.0.0.0",        "http://box:80",     "http://0.0.0.0:",
        "http://0.0.0.0:65536", "http://0.0.0.0:-1", "http://0.0.0.0:80x",
        "http://0.0.0.0:80/a",  "https://",          "http://[::1:80",
        "http://10.0.0.0.0:80", "httpss://0.0.0.0",  "http://0.0.0.0@1.1.1.1",
    };
    (void)state;
    for (size_t i = 0; i < countof(BAD); i++)
        if (serveurl_parse(&address, &is_locked, BAD[i]) != -EINVAL)
            fail_msg("%s: expected to be refused", BAD[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_a_port_or_that_of_its_scheme),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
