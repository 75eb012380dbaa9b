/* How far a salvage has come survives a restart as it was. */
#include "keeper/repair/job.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"

static void a_job_comes_back_as_it_was(void **state)
{
    struct job job, again;
    struct buffer text = {0};
    (void)state;
    assert_int_equal(job_begin(&job, "journal-damaged-x"), 0);
    assert_int_equal(job.next, -1);
    strcpy(job.log, "9c41e07a");
    job.next = 77;
    job_find(&job, LANE_RECORD);
    job_lose(&job, LANE_ALARM, 5);
    job_lose(&job, LANES, 6);
    job_print(&job, &text);
    assert_int_equal(job_begin(&again, "journal-damaged-x"), 0);
    assert_int_equal(job_read(&again, text.bytes, text.length), 0);
    memset(job.open, 0, sizeof(job.open)); /* a range does not go on after a restart */
    assert_memory_equal(&job, &again, sizeof(job));
    buffer_free(&text);
}

static void losses_without_a_find_between_them_are_one_range(void **state)
{
    struct job job;
    (void)state;
    assert_int_equal(job_begin(&job, "journal-damaged-x"), 0);
    job_lose(&job, LANE_ALARM, 5);
    job_lose(&job, LANE_RECORD, 6);
    job_lose(&job, LANE_ALARM, 9);
    job_find(&job, LANE_ALARM);
    job_lose(&job, LANE_ALARM, 20);
    job_lose(&job, LANE_RECORD, 21);
    assert_int_equal(job.ranges, 3);
    assert_int_equal(job.range[0].first, 5);
    assert_int_equal(job.range[0].last, 9);
    assert_int_equal(job.range[1].last, 21);
    assert_int_equal(job.range[2].first, 20);
    assert_int_equal(job.lost[LANE_ALARM], 3);
}

static void ranges_beyond_the_bound_are_counted_only(void **state)
{
    struct job job;
    struct buffer text = {0};
    struct json *json;
    (void)state;
    assert_int_equal(job_begin(&job, "journal-damaged-x"), 0);
    for (int i = 0; i < JOB_RANGES_MAX + 10; i++) {
        job_lose(&job, LANE_ALARM, 2 * i);
        job_find(&job, LANE_ALARM);
    }
    assert_int_equal(job.ranges, JOB_RANGES_MAX);
    assert_int_equal(job.lost[LANE_ALARM], JOB_RANGES_MAX + 10);
    job_print_end(&job, &text);
    assert_true(text.length < TALK_DATA_MAX);
    assert_int_equal(json_parse(&json, text.bytes, text.length), 0);
    assert_int_equal(json_number(json_get(json, "gone"), "alarm", 0),
                     JOB_RANGES_MAX + 10);
    assert_int_equal(json_number(json_get(json, "gone"), "unknown", -1), 0);
    json_free(json);
    buffer_free(&text);
}

static void what_is_no_record_is_refused(void **state)
{
    struct job job;
    char long_name[JOB_FOLDER_MAX + 2];
    (void)state;
    assert_int_equal(job_begin(&job, "journal-damaged-x"), 0);
    assert_int_equal(job_read(&job, "noise", 5), -EPROTO);
    assert_int_equal(job_read(&job, "{}", 2), -EPROTO);
    memset(long_name, 'x', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    assert_int_equal(job_begin(&job, long_name), -ENAMETOOLONG);
    long_name[sizeof(long_name) - 2] = '\0';
    assert_int_equal(job_begin(&job, long_name), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_comes_back_as_it_was),
        cmocka_unit_test(losses_without_a_find_between_them_are_one_range),
        cmocka_unit_test(ranges_beyond_the_bound_are_counted_only),
        cmocka_unit_test(what_is_no_record_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
