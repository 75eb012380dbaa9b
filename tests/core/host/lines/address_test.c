/* Addresses there and back, and who is welcome. */
#include "host/lines/address.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static bool is_welcome(const char *text, const char *range_text)
{
    struct address address;
    struct address_range range;
    assert_int_equal(address_parse(&address, text, 1), 0);
    assert_int_equal(address_range_parse(&range, range_text), 0);
    return address_is_in(&address, &range, 1);
}

static void an_address_is_read_and_written(void **state)
{
    static const char *const TEXTS[] = {"10.0.0.5", "0.0.0.0", "2001:db8::1", "::"};
    (void)state;
    for (size_t i = 0; i < countof(TEXTS); i++) {
        struct address address;
        char text[ADDRESS_ROOM];
        assert_int_equal(address_parse(&address, TEXTS[i], 8080), 0);
        address_print(&address, text);
        assert_string_equal(text, TEXTS[i]);
        assert_int_equal(address_port(&address), 8080);
        assert_int_equal(address_is_wildcard(&address), i % 2);
    }
}

static void a_name_is_no_address(void **state)
{
    struct address address;
    (void)state;
    assert_int_equal(address_parse(&address, "localhost", 1), -EINVAL);
    assert_int_equal(address_parse(&address, "10.0.0", 1), -EINVAL);
}

static void a_range_welcomes_its_own(void **state)
{
    (void)state;
    assert_true(is_welcome("10.1.2.3", "10.1.2.3"));
    assert_false(is_welcome("10.1.2.4", "10.1.2.3"));
    assert_true(is_welcome("10.1.2.255", "10.1.2.0/24"));
    assert_false(is_welcome("10.1.3.0", "10.1.2.0/24"));
    assert_true(is_welcome("10.1.2.127", "10.1.2.0/25"));
    assert_false(is_welcome("10.1.2.128", "10.1.2.0/25"));
    assert_true(is_welcome("1.2.3.4", "0.0.0.0/0"));
    assert_false(is_welcome("2001:db8::1", "0.0.0.0/0"));
    assert_true(is_welcome("2001:db8:ffff::1", "2001:db8::/32"));
    assert_false(is_welcome("2001:db9::1", "2001:db8::/32"));
}

static void one_that_came_through_a_socket_of_the_newer_kind_is_the_same(void **state)
{
    struct address address;
    char text[ADDRESS_ROOM];
    (void)state;
    assert_true(is_welcome("::ffff:10.1.2.3", "10.1.0.0/16"));
    assert_int_equal(address_parse(&address, "::ffff:10.1.2.3", 1), 0);
    address_print(&address, text);
    assert_string_equal(text, "10.1.2.3");
}

static void what_is_no_range_is_refused(void **state)
{
    static const char *const BAD[] = {
        "", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "name/8", "::/129"};
    struct address_range range;
    (void)state;
    for (size_t i = 0; i < countof(BAD); i++)
        assert_int_equal(address_range_parse(&range, BAD[i]), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_read_and_written),
        cmocka_unit_test(a_name_is_no_address),
        cmocka_unit_test(a_range_welcomes_its_own),
        cmocka_unit_test(one_that_came_through_a_socket_of_the_newer_kind_is_the_same),
        cmocka_unit_test(what_is_no_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
