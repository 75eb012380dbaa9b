#include "city/topic.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

static void topics_of_offices_are_read(void **state)
{
    struct topic topic;
    (void)state;
    assert_int_equal(topic_read(&topic, "outpost/v1/350105-003/up/telemetry"), 0);
    assert_int_equal(topic.kind, TOPIC_EVENTS);
    assert_int_equal(topic.lane, LANE_TELEMETRY);
    assert_string_equal(topic.office, "350105-003");
    assert_int_equal(topic_read(&topic, "outpost/v1/a/up/checkpoint"), 0);
    assert_int_equal(topic.kind, TOPIC_CHECKPOINT);
    assert_int_equal(topic_read(&topic, "outpost/v1/a/status"), 0);
    assert_int_equal(topic.kind, TOPIC_STATUS);
}

#define TEN  "aaaaaaaaaa"
#define LONG ("outpost/v1/" TEN TEN TEN TEN TEN TEN TEN "/status")

static void others_are_not(void **state)
{
    static const char *const WRONG[] = {
        "",
        "outpost/v1/",
        "outpost/v1/a",
        "outpost/v1//status",
        "outpost/v1/../status",
        "outpost/v1/a b/status",
        "outpost/v1/a/up/other",
        "outpost/v1/a/up/alarm/x",
        "outpost/v1/a/down/receipt",
        "outpost/v2/a/status",
        ("outpost/v1/"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/status"),
    };
    (void)state;
    for (size_t i = 0; i < countof(WRONG); i++) {
        struct topic topic;
        assert_int_equal(topic_read(&topic, WRONG[i]), -EPROTO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_of_offices_are_read),
        cmocka_unit_test(others_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
