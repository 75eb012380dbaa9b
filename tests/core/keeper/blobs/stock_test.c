/* Whether there is room: of the quota and of the disk, with a part for what is important. */
#include "keeper/blobs/stock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct stock STOCK = {
    .quota = 1000, .reserve = 200, .journal = 50, .bytes = 300, .disk_left = -1};

static void the_reserve_is_for_what_is_important(void **state)
{
    (void)state;
    assert_int_equal(stock_room(&STOCK, CLASS_PICTURE), 500);
    assert_int_equal(stock_room(&STOCK, CLASS_CAPTURE), 500);
    assert_int_equal(stock_room(&STOCK, CLASS_ORDINARY), 500);
    assert_int_equal(stock_room(&STOCK, CLASS_IMPORTANT), 700);
    assert_int_equal(stock_room(&STOCK, CLASS_CASE), 700);
    assert_false(stock_is_disk(&STOCK, CLASS_CASE));
}

static void what_is_promised_is_taken_already(void **state)
{
    (void)state;
    struct stock stock = STOCK;
    stock.promised = 600;
    assert_int_equal(stock_room(&stock, CLASS_ORDINARY), -100);
    assert_int_equal(stock_room(&stock, CLASS_CASE), 100);
}

static void a_short_disk_counts_and_its_last_bytes_are_the_journals(void **state)
{
    (void)state;
    struct stock stock = STOCK;
    stock.disk_left = 300;
    assert_int_equal(stock_room(&stock, CLASS_ORDINARY), 50);
    assert_int_equal(stock_room(&stock, CLASS_CASE), 250);
    assert_true(stock_is_disk(&stock, CLASS_CASE));
    stock.disk_left = 40;
    assert_int_equal(stock_room(&stock, CLASS_CASE), -10);
}

static void what_has_arrived_is_not_taken_twice_from_the_disk(void **state)
{
    (void)state;
    struct stock stock = STOCK;
    stock.disk_left = 400;
    stock.promised = 100;
    assert_int_equal(stock_room(&stock, CLASS_ORDINARY), 50);
    stock.disk_left = 320;
    stock.arrived = 80;
    assert_int_equal(stock_room(&stock, CLASS_ORDINARY), 50);
    stock.disk_left = -1;
    assert_int_equal(stock_room(&stock, CLASS_ORDINARY), 400); /* nor from the quota */
}

static void what_is_leaving_makes_room_on_the_disk_soon(void **state)
{
    (void)state;
    struct stock stock = STOCK;
    stock.disk_left = 260;
    assert_int_equal(stock_excess(&stock), 30);
    stock.leaving = 30;
    assert_int_equal(stock_room(&stock, CLASS_ORDINARY), 10);
    assert_int_equal(stock_room_soon(&stock, CLASS_ORDINARY), 40);
    assert_int_equal(stock_excess(&stock), 0); /* and no more has to go for it */
    stock.disk_left = -1;
    assert_int_equal(stock_room_soon(&stock, CLASS_ORDINARY), 500); /* the quota has it */
}

static void the_percentage_is_of_what_ordinary_ones_may_take(void **state)
{
    (void)state;
    struct stock stock = STOCK;
    assert_int_equal(stock_percent(&stock), 37);
    stock.bytes = 900;
    assert_int_equal(stock_percent(&stock), 112);
}

static void above_95_percent_something_had_better_go(void **state)
{
    (void)state;
    struct stock stock = STOCK;
    assert_int_equal(stock_excess(&stock), 0);
    stock.bytes = 760;
    assert_int_equal(stock_excess(&stock), 0);
    stock.bytes = 770;
    assert_int_equal(stock_excess(&stock), 10);
    stock.bytes = 900;
    assert_int_equal(stock_excess(&stock), 140);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reserve_is_for_what_is_important),
        cmocka_unit_test(what_is_promised_is_taken_already),
        cmocka_unit_test(a_short_disk_counts_and_its_last_bytes_are_the_journals),
        cmocka_unit_test(what_has_arrived_is_not_taken_twice_from_the_disk),
        cmocka_unit_test(what_is_leaving_makes_room_on_the_disk_soon),
        cmocka_unit_test(the_percentage_is_of_what_ordinary_ones_may_take),
        cmocka_unit_test(above_95_percent_something_had_better_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
