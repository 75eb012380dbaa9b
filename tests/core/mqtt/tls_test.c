/* Files that cannot be used are named; who is refused is told in tests/stories/tls_story.py. */
#include "mqtt/tls.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const char NOWHERE[] = "/no/such/file.pem";

static struct tls_wish wish_of(const char *ca)
{
    return (struct tls_wish){.host = "broker", .ca = ca, .utc_us = 1795230245000000};
}

static void without_files_the_system_is_trusted(void **state)
{
    struct tls_wish wish = wish_of(NULL);
    struct tls *tls = NULL;
    char why[TLS_WHY_ROOM];
    (void)state;
    assert_int_equal(tls_open(&tls, &wish, why), 0);
    assert_non_null(tls_context(tls));
    assert_string_equal(tls_complaint(tls), "");
    tls_close(tls);
}

static void any_host_may_be_asked_for(void **state)
{
    static const char *const HOSTS[] = {"broker.city.example", "10.0.0.5", "::1",
                                        "fe80::1%eth0", "fe80::1"};
    (void)state;
    for (size_t i = 0; i < sizeof(HOSTS) / sizeof(HOSTS[0]); i++) {
        struct tls_wish wish = wish_of(NULL);
        struct tls *tls = NULL;
        char why[TLS_WHY_ROOM];
        wish.host = HOSTS[i];
        assert_int_equal(tls_open(&tls, &wish, why), 0);
        tls_close(tls);
    }
}

static void what_is_not_there_is_named_and_leaves_nothing(void **state)
{
    struct tls_wish wish = wish_of(NOWHERE);
    struct tls *tls = NULL;
    char why[TLS_WHY_ROOM];
    (void)state;
    assert_int_equal(tls_open(&tls, &wish, why), -EINVAL);
    assert_string_equal(why, "ca: /no/such/file.pem: No such file or directory");
    wish = wish_of(NULL);
    wish.cert = wish.key = NOWHERE;
    assert_int_equal(tls_open(&tls, &wish, why), -EINVAL);
    assert_string_equal(why, "cert: /no/such/file.pem: No such file or directory");
    assert_null(tls);
}

static void what_is_no_certificate_is_named(void **state)
{
    struct tls_wish wish = wish_of("/dev/null");
    struct tls *tls = NULL;
    char why[TLS_WHY_ROOM];
    (void)state;
    assert_int_equal(tls_open(&tls, &wish, why), -EINVAL);
    assert_int_equal(strncmp(why, "ca: /dev/null: expected certificates in PEM", 43), 0);
}

static void none_is_closed_and_has_no_complaint(void **state)
{
    (void)state;
    tls_close(NULL);
    assert_string_equal(tls_complaint(NULL), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_files_the_system_is_trusted),
        cmocka_unit_test(any_host_may_be_asked_for),
        cmocka_unit_test(what_is_not_there_is_named_and_leaves_nothing),
        cmocka_unit_test(what_is_no_certificate_is_named),
        cmocka_unit_test(none_is_closed_and_has_no_complaint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
