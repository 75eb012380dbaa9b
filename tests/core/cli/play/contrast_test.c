/* Two spools side by side: what is the same, fewer, more, and the same with other data. */
#include "cli/play/contrast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct spool reference, spool;
static struct contrast contrast;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(spool_open(&reference, NULL), 0);
    assert_int_equal(spool_open(&spool, NULL), 0);
    contrast =
        (struct contrast){.within_us = 2000000, .limit = 10, .until_us = INT64_MAX};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    spool_close(&reference);
    spool_close(&spool);
    contrast_free(&contrast);
    return 0;
}

static void add(struct spool *to, int second, const char *type, int number)
{
    char text[300];
    struct json *json;
    snprintf(
        text, sizeof(text),
        "{\"at\":\"2026-11-21T03:%02d:%02d.000000Z\",\"lane\":\"alarm\",\"type\":\"%s\","
        "\"subject\":\"office\",\"of\":\"event\",\"data\":{\"n\":%d,\"a\":1}}",
        second / 60, second % 60, type, number);
    assert_int_equal(json_parse(&json, text, strlen(text)), 0);
    assert_int_equal(spool_add(to, json, "at"), 0);
    json_free(json);
}

static void run(void)
{
    assert_int_equal(spool_finish(&reference), 0);
    assert_int_equal(spool_finish(&spool), 0);
    assert_int_equal(contrast_run(&contrast, &reference, &spool), 0);
}

static void check(int64_t fewer, int64_t more, int64_t other)
{
    const int64_t *counts = contrast.lanes[LANE_ALARM];
    assert_int_equal(counts[CONTRAST_FEWER], fewer);
    assert_int_equal(counts[CONTRAST_MORE], more);
    assert_int_equal(counts[CONTRAST_OTHER], other);
    assert_int_equal(contrast.differences, fewer + more + other);
}

static void what_is_within_the_tolerance_is_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        add(&reference, 10 * i, "a.b", i);
        add(&spool, 10 * i + 2, "a.b", i);
    }
    run();
    check(0, 0, 0);
}

static void what_is_later_is_one_fewer_and_one_more(void **state)
{
    (void)state;
    add(&reference, 10, "a.b", 1);
    add(&spool, 13, "a.b", 1);
    run();
    check(1, 1, 0);
}

static void other_data_is_one_difference(void **state)
{
    (void)state;
    add(&reference, 10, "a.b", 1);
    add(&reference, 10, "a.c", 1);
    add(&spool, 11, "a.b", 2);
    run();
    check(1, 0, 1);
    assert_int_equal(contrast_example_count(&contrast), 2);
    const struct contrast_example *example = contrast_example(&contrast, 0);
    if (example->kind != CONTRAST_OTHER)
        example = contrast_example(&contrast, 1);
    assert_string_equal(example->event.data, "{\"a\":1,\"n\":2}");
    assert_string_equal(example->was, "{\"a\":1,\"n\":1}");
}

static void only_so_many_examples_are_kept_and_all_are_counted(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++)
        add(&spool, 10 * i, "a.b", i);
    run();
    check(0, 40, 0);
    assert_int_equal(contrast_example_count(&contrast), 10);
}

/* With the small bounds of a test 16 wait on a side. */
static void who_waits_has_a_bound(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++)
        add(&reference, 0, "a.b", i);
    for (int i = 0; i < 40; i++)
        add(&spool, 1, "a.b", i);
    run();
    assert_in_range(contrast.differences, 24, 80);
}

static void what_is_near_the_ends_of_a_slice_is_not_missed(void **state)
{
    (void)state;
    contrast.from_us = 1795230060LL * 1000000; /* 03:01:00 */
    contrast.until_us = 1795230120LL * 1000000;
    add(&reference, 30, "a.b", 1);
    add(&reference, 90, "a.b", 2);
    add(&reference, 150, "a.b", 3);
    run();
    check(1, 0, 0);
}

static void
a_hash_is_of_what_was_said_and_not_of_its_order_within_an_instant(void **state)
{
    (void)state;
    add(&reference, 10, "a.b", 1);
    add(&reference, 10, "a.b", 2);
    add(&spool, 10, "a.b", 2);
    add(&spool, 10, "a.b", 1);
    run();
    check(0, 0, 0);
    assert_true(digest_equal(&reference.hash, &spool.hash));
}

static void and_another_when_anything_differs(void **state)
{
    (void)state;
    add(&reference, 10, "a.b", 1);
    add(&spool, 11, "a.b", 1);
    run();
    assert_false(digest_equal(&reference.hash, &spool.hash));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_within_the_tolerance_is_the_same),
        TEST(what_is_later_is_one_fewer_and_one_more),
        TEST(other_data_is_one_difference),
        TEST(only_so_many_examples_are_kept_and_all_are_counted),
        TEST(who_waits_has_a_bound),
        TEST(what_is_near_the_ends_of_a_slice_is_not_missed),
        TEST(a_hash_is_of_what_was_said_and_not_of_its_order_within_an_instant),
        TEST(and_another_when_anything_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
