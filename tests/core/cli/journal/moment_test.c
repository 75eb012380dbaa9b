/* What an event says before its data, found in its bytes. */
#include "cli/journal/moment.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define HEAD                                                                             \
    "{\"specversion\":\"1.0\",\"id\":\"o/l/7\",\"source\":\"/o/wristband/gate\","        \
    "\"type\":\"wristband.seen\",\"time\":\"2026-11-21T03:04:05.123456Z\","              \
    "\"subject\":\"office\",\"datacontenttype\":\"application/json\",\"office\":\"o\","  \
    "\"log\":\"l\",\"sequence\":\"0000000000000007\",\"lane\":\"record\","
#define TAIL                                                                             \
    "\"recorded\":\"2026-11-21T03:04:05.200113Z\",\"boot\":\"c0a8\",\"mono\":\"1234\","  \
    "\"clock\":\"synced\",\"salt\":\"5f\",\"data\":{}}"

static void an_event_is_read(void **state)
{
    struct moment moment;
    (void)state;
    assert_int_equal(moment_read(&moment, HEAD TAIL, strlen(HEAD TAIL)), 0);
    assert_string_equal(moment.source, "/o/wristband/gate");
    assert_string_equal(moment.type, "wristband.seen");
    assert_string_equal(moment.boot, "c0a8");
    assert_int_equal(moment.lane, LANE_RECORD);
    assert_int_equal(moment.utc_us % 1000000, 200113);
    assert_int_equal(moment.mono_us, 1234);
}

static void what_is_cut_anywhere_is_no_event(void **state)
{
    struct moment moment;
    size_t whole =
        strlen(HEAD TAIL) - strlen(",\"clock\":\"synced\",\"salt\":\"5f\",\"data\":{}}");
    (void)state;
    for (size_t length = 0; length < whole; length++)
        assert_int_equal(moment_read(&moment, HEAD TAIL, length), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_read),
        cmocka_unit_test(what_is_cut_anywhere_is_no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
