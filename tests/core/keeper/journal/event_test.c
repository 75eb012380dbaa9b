/* Events as they are composed, once, for ever. */
#include "keeper/journal/event.h"

#include "base/json.h"
#include "base/now.h"
#include "keeper/fixture.h"

static const struct event_stamp STAMP = {"350105-003", "9c41e07a", 23};

static struct event_draft draft_of(const char *data)
{
    return (struct event_draft){.source = "wristband/gate",
                                .type = "wristband.strap_opened",
                                .subject = "person/p-17",
                                .lane = LANE_ALARM,
                                .time_us = 1795230245123456,
                                .data = data,
                                .data_length = strlen(data)};
}

static void an_event_is_a_cloudevent_with_everything_in_it(void **state)
{
    struct buffer out = {0};
    struct json *json;
    struct event_draft draft = draft_of("{\"band\":7}");
    static const char *const MEMBERS[][2] = {
        {"specversion", "1.0"},
        {"id", "350105-003/9c41e07a/23"},
        {"source", "/350105-003/wristband/gate"},
        {"type", "wristband.strap_opened"},
        {"time", "2026-11-21T03:04:05.123456Z"},
        {"subject", "person/p-17"},
        {"datacontenttype", "application/json"},
        {"office", "350105-003"},
        {"log", "9c41e07a"},
        {"sequence", "0000000000000023"},
        {"lane", "alarm"},
    };
    (void)state;
    assert_int_equal(event_compose(&out, &draft, &STAMP), 0);
    assert_int_equal(json_parse(&json, out.bytes, out.length), 0);
    for (size_t i = 0; i < countof(MEMBERS); i++)
        assert_string_equal(json_text(json, MEMBERS[i][0]), MEMBERS[i][1]);
    assert_string_equal(json_text(json, "boot"), now_boot());
    int64_t recorded_us = 0;
    assert_int_equal(now_parse(&recorded_us, json_text(json, "recorded")), 0);
    assert_true(recorded_us > 0 && recorded_us <= now_utc_us());
    assert_int_equal(json_number(json_get(json, "data"), "band", 0), 7);
    assert_int_equal(strlen(json_text(json, "salt")), 32);
    json_free(json);
    buffer_free(&out);
}

static void what_is_left_out_is_the_office_and_now(void **state)
{
    struct buffer out = {0};
    struct json *json;
    struct event_draft draft = draft_of("{}");
    (void)state;
    draft.subject = NULL;
    draft.time_us = 0;
    assert_int_equal(event_compose(&out, &draft, &STAMP), 0);
    assert_int_equal(json_parse(&json, out.bytes, out.length), 0);
    assert_string_equal(json_text(json, "subject"), "office");
    assert_string_equal(json_text(json, "time"), json_text(json, "recorded"));
    json_free(json);
    buffer_free(&out);
}

static void two_events_of_one_content_differ_by_their_salt(void **state)
{
    struct buffer one = {0}, two = {0};
    struct event_draft draft = draft_of("{}");
    (void)state;
    assert_int_equal(event_compose(&one, &draft, &STAMP), 0);
    assert_int_equal(event_compose(&two, &draft, &STAMP), 0);
    const char *salt = strstr(buffer_text(&one), "\"salt\":");
    const char *other = strstr(buffer_text(&two), "\"salt\":");
    assert_non_null(salt);
    assert_string_not_equal(salt, other);
    buffer_free(&one);
    buffer_free(&two);
}

static void an_event_of_full_size_fits_and_a_larger_one_leaves_nothing(void **state)
{
    struct buffer out = {0}, data = {0};
    (void)state;
    buffer_append_text(&data, "{\"x\":\"");
    memset(buffer_grow(&data, TALK_DATA_MAX - 8), 'x', TALK_DATA_MAX - 8);
    buffer_append_text(&data, "\"}");
    struct event_draft draft = draft_of(buffer_text(&data));
    buffer_append_text(&out, "before");
    assert_int_equal(event_compose(&out, &draft, &STAMP), 0);
    out.length = 6;
    data.length -= 2;
    memset(buffer_grow(&data, 8000), 'x', 8000);
    buffer_append_text(&data, "\"}");
    draft = draft_of(buffer_text(&data));
    assert_int_equal(event_compose(&out, &draft, &STAMP), -EMSGSIZE);
    assert_string_equal(buffer_text(&out), "before");
    buffer_free(&out);
    buffer_free(&data);
}

static void the_type_is_found_even_when_the_content_looks_like_one(void **state)
{
    struct buffer out = {0};
    char type[WORD_TYPE_MAX + 1];
    struct event_draft draft = draft_of("{\"x\":\"\\\"\",\"type\":\"another.type\"}");
    (void)state;
    assert_int_equal(event_compose(&out, &draft, &STAMP), 0);
    assert_int_equal(event_type(type, out.bytes, out.length), 0);
    assert_string_equal(type, "wristband.strap_opened");
    buffer_free(&out);
}

static void an_event_knows_its_place_and_no_other(void **state)
{
    struct buffer out = {0};
    struct event_draft draft = draft_of("{\"x\":\"\\\"\",\"lane\":\"record\"}");
    struct event_stamp wrong = STAMP;
    (void)state;
    assert_int_equal(event_compose(&out, &draft, &STAMP), 0);
    assert_true(event_is(&STAMP, LANE_ALARM, out.bytes, out.length));
    assert_false(event_is(&STAMP, LANE_RECORD, out.bytes, out.length));
    assert_false(event_is(&STAMP, LANE_ALARM, out.bytes, 20));
    wrong.seq = 2;
    assert_false(event_is(&wrong, LANE_ALARM, out.bytes, out.length));
    wrong = STAMP;
    wrong.log = "9c41e07b";
    assert_false(event_is(&wrong, LANE_ALARM, out.bytes, out.length));
    buffer_free(&out);
}

static void what_is_no_event_has_no_type(void **state)
{
    static const char *const BODIES[] = {
        "", "{}", "\",\"type\":\"", "x\",\"type\":\"without.an.end",
        "x\",\"type\":"
        "\"0123456789012345678901234567890123456789012345678901234567890123456\""};
    char type[WORD_TYPE_MAX + 1];
    (void)state;
    for (size_t i = 0; i < countof(BODIES); i++)
        assert_int_equal(event_type(type, BODIES[i], strlen(BODIES[i])), -EBADMSG);
}

static void an_event_says_by_which_clocks_it_was_recorded(void **state)
{
    struct buffer out = {0};
    struct event_clock clock;
    struct event_draft draft = draft_of("{\"boot\":\"other\",\"clock\":\"unset\"}");
    (void)state;
    int64_t before_us = now_utc_us(), before_mono_us = now_mono_us();
    assert_int_equal(event_compose(&out, &draft, &STAMP), 0);
    assert_int_equal(event_clock(&clock, out.bytes, out.length), 0);
    assert_true(clock.utc_us >= before_us && clock.utc_us <= now_utc_us());
    assert_true(clock.mono_us >= before_mono_us && clock.mono_us <= now_mono_us());
    assert_string_equal(clock.boot, now_boot());
    assert_int_equal(clock.quality, now_quality());
    assert_int_equal(event_clock(&clock, out.bytes, 100), -EBADMSG);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_a_cloudevent_with_everything_in_it),
        cmocka_unit_test(what_is_left_out_is_the_office_and_now),
        cmocka_unit_test(two_events_of_one_content_differ_by_their_salt),
        cmocka_unit_test(an_event_of_full_size_fits_and_a_larger_one_leaves_nothing),
        cmocka_unit_test(the_type_is_found_even_when_the_content_looks_like_one),
        cmocka_unit_test(an_event_knows_its_place_and_no_other),
        cmocka_unit_test(what_is_no_event_has_no_type),
        cmocka_unit_test(an_event_says_by_which_clocks_it_was_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
