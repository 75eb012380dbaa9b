#include "city/presence.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static int read(struct presence *presence, const char *json)
{
    return presence_read(presence, "a", json, strlen(json));
}

static void a_status_is_read(void **state)
{
    struct presence presence;
    (void)state;
    assert_int_equal(read(&presence,
                          "{\"state\":\"online\",\"office\":\"a\",\"boot\":\"b\","
                          "\"log\":\"c\",\"verifier\":\"d\"}"),
                     0);
    assert_true(presence.online);
    assert_string_equal(presence.boot, "b");
    assert_string_equal(presence.log, "c");
    assert_string_equal(presence.verifier, "d");
    assert_int_equal(read(&presence, "{\"state\":\"offline\",\"office\":\"a\"}"), 0);
    assert_false(presence.online);
    assert_string_equal(presence.verifier, "");
}

#define TEN "aaaaaaaaaa"
#define LONG_BOOT                                                                        \
    "{\"state\":\"online\",\"office\":\"a\",\"boot\":\"" TEN TEN TEN TEN TEN TEN TEN "\"}"

static void others_are_refused(void **state)
{
    static const char *const WRONG[] = {
        "",
        "[]",
        "{}",
        "{\"state\":\"online\"}",
        "{\"state\":\"online\",\"office\":\"b\"}",
        "{\"state\":\"asleep\",\"office\":\"a\"}",
        "{\"state\":\"online\",\"office\":\"a\",\"log\":\"../x\"}",
        LONG_BOOT,
    };
    (void)state;
    for (size_t i = 0; i < countof(WRONG); i++) {
        struct presence presence;
        assert_int_equal(read(&presence, WRONG[i]), -EPROTO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_is_read),
        cmocka_unit_test(others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
