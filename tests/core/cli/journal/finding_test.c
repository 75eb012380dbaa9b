/* The first finding stands. */
#include "cli/journal/finding.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void the_first_one_stands(void **state)
{
    (void)state;
    struct finding finding = {.place = ""};
    assert_int_equal(finding_put(&finding, "event 19", "hash %d, expected %d", 1, 2),
                     -EBADMSG);
    assert_int_equal(finding_put(&finding, "checkpoint", "later"), -EBADMSG);
    assert_string_equal(finding.place, "event 19");
    assert_string_equal(finding.what, "hash 1, expected 2");
}

static void a_long_one_is_cut(void **state)
{
    (void)state;
    char text[2 * FINDING_WHAT_MAX];
    struct finding finding = {.place = ""};
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    finding_put(&finding, text, "%s", text);
    assert_int_equal(strlen(finding.place), FINDING_PLACE_MAX - 1);
    assert_int_equal(strlen(finding.what), FINDING_WHAT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_one_stands),
        cmocka_unit_test(a_long_one_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
