#include "city/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static void a_newer_receipt_takes_the_older_ones_place(void **state)
{
    struct outbox outbox = {0};
    (void)state;
    outbox_put(&outbox, "a", "1", 1, true);
    outbox_put(&outbox, "b", "2", 1, false);
    outbox_put(&outbox, "a", "3", 1, false);
    const struct outbox_letter *first = outbox_first(&outbox);
    assert_string_equal(first->office, "a");
    assert_memory_equal(first->note.bytes, "3", 1);
    assert_true(first->began); /* nobody has been told yet */
    outbox_drop(&outbox);
    assert_string_equal(outbox_first(&outbox)->office, "b");
    outbox_drop(&outbox);
    assert_null(outbox_first(&outbox));
    outbox_free(&outbox);
}

static void many_offices_wait_in_order(void **state)
{
    struct outbox outbox = {0};
    char office[16];
    (void)state;
    for (int i = 0; i < 500; i++) {
        snprintf(office, sizeof(office), "o%d", i);
        outbox_put(&outbox, office, "x", 1, false);
    }
    outbox_drop(&outbox);
    assert_string_equal(outbox_first(&outbox)->office, "o1");
    outbox_free(&outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_newer_receipt_takes_the_older_ones_place),
        cmocka_unit_test(many_offices_wait_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
