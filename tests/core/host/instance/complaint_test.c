#include "host/instance/complaint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void a_repeated_text_is_said_once_a_minute_with_its_count(void **state)
{
    struct complaint complaint = {0};
    int unsaid = -1;
    (void)state;
    assert_true(complaint_is_due(&complaint, "boom", 1000, &unsaid));
    assert_int_equal(unsaid, 0);
    for (int i = 0; i < 59; i++)
        assert_false(complaint_is_due(&complaint, "boom", 1000 + i * 1000, &unsaid));
    assert_true(complaint_is_due(&complaint, "boom", 1000 + COMPLAINT_QUIET_MS, &unsaid));
    assert_int_equal(unsaid, 59);
}

static void another_text_is_said_at_once(void **state)
{
    struct complaint complaint = {0};
    int unsaid;
    (void)state;
    assert_true(complaint_is_due(&complaint, "boom", 1000, &unsaid));
    assert_true(complaint_is_due(&complaint, "bang", 1001, &unsaid));
    assert_true(complaint_is_due(&complaint, "boom", 1002, &unsaid));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repeated_text_is_said_once_a_minute_with_its_count),
        cmocka_unit_test(another_text_is_said_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
