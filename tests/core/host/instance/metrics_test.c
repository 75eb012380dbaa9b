#include "host/instance/metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const char *printed(const struct metrics *metrics, size_t most)
{
    static char text[32768];
    struct buffer out = {0};
    metrics_print(metrics, &out, most);
    assert_true(out.length <= most || out.length == 2);
    snprintf(text, sizeof(text), "%s", buffer_text(&out));
    buffer_free(&out);
    return text;
}

static void counts_add_and_gauges_replace(void **state)
{
    struct metrics metrics = {0};
    (void)state;
    assert_string_equal(printed(&metrics, 100), "{}");
    metrics_count(&metrics, "polls", 1);
    metrics_count(&metrics, "polls", 2);
    metrics_gauge(&metrics, "bands", 7);
    metrics_gauge(&metrics, "bands", 5);
    assert_string_equal(printed(&metrics, 100), "{\"polls\":3,\"bands\":5}");
    metrics_free(&metrics);
}

static void what_is_no_number_is_not_kept(void **state)
{
    struct metrics metrics = {0};
    (void)state;
    metrics_count(&metrics, "n", 1);
    metrics_count(&metrics, "n", INFINITY);
    metrics_gauge(&metrics, "n", NAN);
    assert_string_equal(printed(&metrics, 100), "{\"n\":1}");
    metrics_free(&metrics);
}

static void names_and_bytes_are_bounded(void **state)
{
    struct metrics metrics = {0};
    char name[METRICS_NAME_MAX + 3];
    (void)state;
    for (int i = 0; i < METRICS_MAX + 10; i++) {
        snprintf(name, sizeof(name), "name_%d", i);
        metrics_count(&metrics, name, 1);
    }
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    metrics_count(&metrics, name, 1);
    assert_int_equal(metrics.count, METRICS_MAX);
    assert_true(metrics.refused == 11);
    assert_string_equal(printed(&metrics, 30), "{\"name_0\":1,\"name_1\":1}");
    metrics_free(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_add_and_gauges_replace),
        cmocka_unit_test(what_is_no_number_is_not_kept),
        cmocka_unit_test(names_and_bytes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
