/* Which addresses lie in which nets. */
#include "host/web/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static bool has(const char *net, const char *address)
{
    struct cidr cidr;
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&storage;
    assert_int_equal(cidr_parse(&cidr, net), 0);
    storage.ss_family = strchr(address, ':') ? AF_INET6 : AF_INET;
    void *bytes =
        storage.ss_family == AF_INET ? (void *)&four->sin_addr : (void *)&six->sin6_addr;
    assert_int_equal(inet_pton(storage.ss_family, address, bytes), 1);
    return cidr_has(&cidr, (struct sockaddr *)&storage);
}

static void an_address_is_a_net_of_one(void **state)
{
    (void)state;
    assert_true(has("192.168.1.5", "192.168.1.5"));
    assert_false(has("192.168.1.5", "192.168.1.4"));
    assert_true(has("::1", "::1"));
    assert_false(has("::1", "::2"));
}

static void the_prefix_counts_and_nothing_else(void **state)
{
    (void)state;
    assert_true(has("192.168.1.0/24", "192.168.1.255"));
    assert_false(has("192.168.1.0/24", "192.168.2.0"));
    assert_true(has("10.16.0.0/12", "10.31.255.255"));
    assert_false(has("10.16.0.0/12", "10.32.0.0"));
    assert_true(has("0.0.0.0/0", "203.0.113.9"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
}

static void families_are_kept_apart_but_for_disguises(void **state)
{
    (void)state;
    assert_false(has("0.0.0.0/0", "::1"));
    assert_false(has("::/0", "10.0.0.1"));
    assert_true(has("10.0.0.0/8", "::ffff:10.1.2.3"));
    assert_false(has("10.0.0.0/8", "::ffff:11.1.2.3"));
}

static void what_is_no_net_is_refused(void **state)
{
    static const char *const TEXTS[] = {
        "",       "10.0.0", "10.0.0.0/33", "10.0.0.0/",   "10.0.0.0/8x", "10.0.0.1/8",
        "::/129", "name",   "10.0.0.0/-1", "fe80::1/64x", "/8"};
    struct cidr cidr;
    (void)state;
    for (size_t i = 0; i < countof(TEXTS); i++)
        assert_int_equal(cidr_parse(&cidr, TEXTS[i]), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_a_net_of_one),
        cmocka_unit_test(the_prefix_counts_and_nothing_else),
        cmocka_unit_test(families_are_kept_apart_but_for_disguises),
        cmocka_unit_test(what_is_no_net_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
