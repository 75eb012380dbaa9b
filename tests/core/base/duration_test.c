#include "base/duration.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/base.h"

static void units_are_understood(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } GOOD[] = {{"0ms", 0},      {"250ms", 250},   {"1s", 1000},           {"5m", 300000},
                {"2h", 7200000}, {"1d", 86400000}, {"3650d", 315360000000}};
    (void)state;
    for (size_t i = 0; i < countof(GOOD); i++) {
        int64_t ms = -1;
        assert_int_equal(duration_parse(&ms, GOOD[i].text), 0);
        assert_int_equal(ms, GOOD[i].ms);
    }
}

static void anything_else_is_refused(void **state)
{
    static const char *const BAD[] = {
        "",   "s",     "1",    "1 s", "-1s",
        "1w", "3651d", "1.5s", "1ss", "99999999999999999999s"};
    int64_t ms;
    (void)state;
    for (size_t i = 0; i < countof(BAD); i++)
        assert_int_equal(duration_parse(&ms, BAD[i]), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_understood),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
