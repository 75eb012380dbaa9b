/* From the first blob that is refused until none would be. */
#include "keeper/blobs/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct stock STOCK = {
    .quota = 1000, .reserve = 200, .bytes = 700, .disk_left = -1};
static const int64_t HOLD_US = REFUSAL_HOLD_MS * 1000LL;

static void the_first_and_a_stronger_class_are_news(void **state)
{
    struct refusal refusal = {.full = 0};
    (void)state;
    assert_false(refusal_is_over(&refusal, &STOCK, HOLD_US)); /* it has not begun */
    assert_true(refusal_note(&refusal, CLASS_ORDINARY, 101, 0));
    assert_false(refusal_note(&refusal, CLASS_ORDINARY, 102, 0));
    assert_false(refusal_note(&refusal, CLASS_PICTURE, 102, 0));
    assert_true(refusal_note(&refusal, CLASS_CASE, 301, 0));
    assert_int_equal(refusal.full, 1 + CLASS_CASE);
}

static void it_lasts_until_the_largest_has_room(void **state)
{
    struct refusal refusal = {.full = 0};
    struct stock stock = STOCK;
    (void)state;
    refusal_note(&refusal, CLASS_ORDINARY, 150, 0);
    refusal_note(&refusal, CLASS_ORDINARY, 120, 0);
    assert_false(refusal_is_over(&refusal, &stock, HOLD_US));
    stock.bytes = 651;
    assert_false(refusal_is_over(&refusal, &stock, HOLD_US));
    stock.bytes = 650;
    assert_true(refusal_is_over(&refusal, &stock, HOLD_US));
    assert_false(refusal_is_over(&refusal, &stock, HOLD_US - 1));
}

static void what_comes_after_all_is_wished_no_more(void **state)
{
    struct refusal refusal = {.full = 0};
    (void)state;
    refusal_note(&refusal, CLASS_ORDINARY, 150, 0);
    refusal_taken(&refusal, CLASS_ORDINARY, 149);
    assert_false(refusal_is_over(&refusal, &STOCK, HOLD_US));
    refusal_taken(&refusal, CLASS_ORDINARY, 150);
    assert_true(refusal_is_over(&refusal, &STOCK, HOLD_US));
}

static void what_nobody_asks_for_is_forgotten(void **state)
{
    struct refusal refusal = {.full = 0};
    (void)state;
    refusal_note(&refusal, CLASS_ORDINARY, 5000, 7);
    assert_false(refusal_is_over(&refusal, &STOCK, REFUSAL_FORGET_MS * 1000LL));
    assert_true(refusal_is_over(&refusal, &STOCK, 7 + REFUSAL_FORGET_MS * 1000LL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_and_a_stronger_class_are_news),
        cmocka_unit_test(it_lasts_until_the_largest_has_room),
        cmocka_unit_test(what_comes_after_all_is_wished_no_more),
        cmocka_unit_test(what_nobody_asks_for_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
