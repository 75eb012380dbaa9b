#include "uplink/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void events_stand_between_brackets_and_commas_unchanged(void **state)
{
    struct buffer payload = {0};
    (void)state;
    for (int round = 0; round < 2; round++) {
        batch_begin(&payload);
        batch_add(&payload, "{\"a\": 1}", 8);
        batch_add(&payload, "{}", 2);
        batch_end(&payload);
        assert_string_equal(buffer_text(&payload), "[{\"a\": 1},{}]");
    }
    buffer_free(&payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_stand_between_brackets_and_commas_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
