/* A COMMIT is all or nothing: whatever is wrong in it, nothing is done. */
#include "keeper/children/commit.h"

#include "base/json.h"
#include "keeper/house.h"

static struct fixture fixture;
static struct config *config;
static struct buffer frame, why;

static int start(void **state)
{
    (void)state;
    fixture_open(&fixture);
    assert_int_equal(config_open(&config, HOUSE_CONFIG, strlen(HOUSE_CONFIG)), 0);
    frame_begin(&frame, TALK_COMMIT, 1);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    config_close(config);
    buffer_free(&frame);
    buffer_free(&why);
    fixture_close(&fixture);
    return 0;
}

static int check(struct commit *commit)
{
    struct frame read;
    assert_int_equal(frame_read(&read, frame.bytes, frame.length), 0);
    buffer_clear(&why);
    return commit_check(commit, &config->plugins[0], fixture.journal->size, &read.fields,
                        &why);
}

/* What is in the frame is refused with `err`, and the reason says `words`. */
static void expect_refused(int err, const char *words)
{
    struct commit commit;
    assert_int_equal(check(&commit), err);
    if (strstr(buffer_text(&why), words) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", words, buffer_text(&why));
    frame_begin(&frame, TALK_COMMIT, 1);
}

static void events_keys_and_cursors_are_done_together(void **state)
{
    struct commit commit;
    struct buffer value = {0};
    int64_t first, seq;
    (void)state;
    fixture_fill(fixture.journal, 3);
    house_put(&frame, "key", "value");
    house_event(&frame, "band.seen", "{}");
    house_event(&frame, "band.opened", "{}");
    house_consume(&frame, "all", 2);
    assert_int_equal(check(&commit), 0);
    assert_int_equal(commit.events, 2);
    assert_true(commit.has_alarm);
    assert_int_equal(journal_begin(fixture.journal), 0);
    assert_int_equal(commit_apply(&commit, fixture.journal, &first), 0);
    assert_int_equal(journal_commit(fixture.journal), 0);
    assert_int_equal(first, 3);
    assert_int_equal(fixture.journal->lane_last[LANE_ALARM], 4);
    assert_int_equal(store_get(fixture.journal->store, "gate", "key", &value), 0);
    assert_int_equal(store_get_cursor(fixture.journal->store, "gate", "all", &seq), 0);
    assert_int_equal(seq, 2);
    buffer_free(&value);
}

static void a_commit_without_events_has_no_first(void **state)
{
    struct commit commit;
    struct buffer value = {0};
    int64_t first;
    (void)state;
    assert_int_equal(store_put(fixture.journal->store, "gate", "key", "value", 5), 0);
    size_t mark = frame_open(&frame, TAG_REMOVE);
    frame_put_text(&frame, TAG_KEY, "key");
    frame_close(&frame, mark);
    assert_int_equal(check(&commit), 0);
    assert_int_equal(journal_begin(fixture.journal), 0);
    assert_int_equal(commit_apply(&commit, fixture.journal, &first), 0);
    assert_int_equal(journal_commit(fixture.journal), 0);
    assert_int_equal(first, -1);
    assert_int_equal(store_get(fixture.journal->store, "gate", "key", &value), -ENOENT);
}

static int say_body(void *owner, const struct store_event *event)
{
    buffer_append(owner, event->body, event->length);
    return 0;
}

static void an_event_is_signed_with_the_plugins_own_names(void **state)
{
    struct commit commit;
    struct buffer body = {0};
    struct json *json;
    int64_t first;
    (void)state;
    size_t mark = frame_open(&frame, TAG_EVENT);
    frame_put_text(&frame, TAG_TYPE, "band.seen");
    frame_put_text(&frame, TAG_SUBJECT, "device/band/7");
    frame_put_number(&frame, TAG_TIME, 1795230245000001);
    frame_put_text(&frame, TAG_DATA, "{\"text\":\"\xe6\x89\x8b\"}");
    frame_close(&frame, mark);
    assert_int_equal(check(&commit), 0);
    assert_int_equal(journal_begin(fixture.journal), 0);
    assert_int_equal(commit_apply(&commit, fixture.journal, &first), 0);
    assert_int_equal(journal_commit(fixture.journal), 0);
    assert_int_equal(store_each_event(fixture.journal->store, 0, 1, say_body, &body), 0);
    assert_int_equal(json_parse(&json, body.bytes, body.length), 0);
    assert_string_equal(json_text(json, "source"), "/350105-003/band/gate");
    assert_string_equal(json_text(json, "subject"), "device/band/7");
    assert_string_equal(json_text(json, "time"), "2026-11-21T03:04:05.000001Z");
    assert_string_equal(json_text(json, "lane"), "record");
    json_free(json);
    buffer_free(&body);
}

static void a_type_that_was_not_declared_is_refused(void **state)
{
    (void)state;
    house_put(&frame, "key", "value");
    house_event(&frame, "box.started", "{}");
    expect_refused(-EINVAL, "box.started");
    house_event(&frame, "", "{}");
    expect_refused(-EINVAL, "declares");
}

static void data_that_is_no_json_object_is_refused(void **state)
{
    static const char *const BAD[] = {"",
                                      "[]",
                                      "7",
                                      "{",
                                      "{} {}",
                                      "{}x",
                                      "{'a':1}",
                                      "{\"a\":01}",
                                      "\"{}\"",
                                      "null",
                                      "{\"a\":1,}",
                                      "{\"a\":\"\n\"}",
                                      "{\"a\":\"\xff\"}",
                                      "\xef\xbb\xbf{}",
                                      "{\"a\":1}}",
                                      "{\"a\":\"\\\"}"};
    (void)state;
    for (size_t i = 0; i < countof(BAD); i++) {
        house_event(&frame, "band.seen", "{}");
        house_event(&frame, "band.seen", BAD[i]);
        expect_refused(-EINVAL, "data: expected one JSON object");
    }
    size_t mark = frame_open(&frame, TAG_EVENT);
    frame_put_text(&frame, TAG_TYPE, "band.seen");
    frame_close(&frame, mark);
    expect_refused(-EINVAL, "data: expected one JSON object");
    mark = frame_open(&frame, TAG_EVENT);
    frame_put_text(&frame, TAG_TYPE, "band.seen");
    frame_put(&frame, TAG_DATA, "{\"a\":\"\0\"}", 9);
    frame_close(&frame, mark);
    expect_refused(-EINVAL, "data: expected one JSON object");
}

static void data_too_deep_or_too_large_is_refused(void **state)
{
    char deep[256] = "";
    char *large = calloc(1, TALK_DATA_MAX + 2);
    (void)state;
    for (int i = 0; i < 40; i++)
        strcat(deep, "{\"a\":");
    house_event(&frame, "band.seen", deep);
    expect_refused(-EINVAL, "data: expected one JSON object");
    memset(large, ' ', TALK_DATA_MAX + 1);
    memcpy(large, "{}", 2);
    house_event(&frame, "band.seen", large);
    expect_refused(-EINVAL, "at most 60 KiB");
    free(large);
}

/* An event that the city cannot read would hold up its lane for ever. */
static void the_deepest_data_make_an_event_that_can_be_read(void **state)
{
    struct commit commit;
    struct json *json;
    char deep[256] = "";
    int64_t first;
    (void)state;
    for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
        strcat(deep, "{\"a\":");
    strcat(deep, "1");
    for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
        strcat(deep, "}");
    house_event(&frame, "band.seen", deep);
    assert_int_equal(check(&commit), 0);
    assert_int_equal(journal_begin(fixture.journal), 0);
    assert_int_equal(commit_apply(&commit, fixture.journal, &first), 0);
    const struct buffer *event = &fixture.journal->composed;
    assert_int_equal(json_parse(&json, event->bytes, event->length), 0);
    json_free(json);
    assert_int_equal(journal_commit(fixture.journal), 0);
    frame_begin(&frame, TALK_COMMIT, 1);
    memmove(deep + 5, deep, strlen(deep) + 1);
    memcpy(deep, "{\"a\":", 5);
    strcat(deep, "}");
    house_event(&frame, "band.seen", deep);
    expect_refused(-EINVAL, "nested at most 31 deep");
}

static void the_largest_data_fits_into_an_event(void **state)
{
    struct commit commit;
    int64_t first;
    char *large = calloc(1, TALK_DATA_MAX + 1);
    (void)state;
    memset(large, ' ', TALK_DATA_MAX);
    memcpy(large, "{}", 2);
    house_event(&frame, "band.seen", large);
    assert_int_equal(check(&commit), 0);
    assert_int_equal(journal_begin(fixture.journal), 0);
    assert_int_equal(commit_apply(&commit, fixture.journal, &first), 0);
    assert_int_equal(journal_commit(fixture.journal), 0);
    free(large);
}

static void a_subject_or_time_that_is_none_is_refused(void **state)
{
    static const int64_t TIMES[] = {-1, INT64_MIN, INT64_MAX, 253402300800000000};
    (void)state;
    for (size_t i = 0; i < countof(TIMES); i++) {
        size_t mark = frame_open(&frame, TAG_EVENT);
        frame_put_text(&frame, TAG_TYPE, "band.seen");
        frame_put_number(&frame, TAG_TIME, TIMES[i]);
        frame_put_text(&frame, TAG_DATA, "{}");
        frame_close(&frame, mark);
        expect_refused(-EINVAL, "time: ");
    }
    size_t mark = frame_open(&frame, TAG_EVENT);
    frame_put_text(&frame, TAG_TYPE, "band.seen");
    frame_put_text(&frame, TAG_SUBJECT, "some\"body");
    frame_put_text(&frame, TAG_DATA, "{}");
    frame_close(&frame, mark);
    expect_refused(-EINVAL, "subject: ");
}

static void put_cursor(const char *name, int64_t seq)
{
    house_put(&frame, "key", "value");
    house_consume(&frame, name, seq);
}

static void a_cursor_without_name_or_ahead_of_the_log_is_refused(void **state)
{
    struct commit commit;
    (void)state;
    fixture_fill(fixture.journal, 3);
    put_cursor("", 1);
    expect_refused(-EPROTO, "not as agreed");
    put_cursor("all", -2);
    expect_refused(-EPROTO, "not as agreed");
    put_cursor("all", 3);
    expect_refused(-EINVAL, "consumed: ");
    put_cursor("all", INT64_MAX);
    expect_refused(-EINVAL, "consumed: ");
    put_cursor("all", 2);
    assert_int_equal(check(&commit), 0);
}

static void a_key_that_is_none_is_refused(void **state)
{
    char key[TALK_KEY_MAX + 2];
    (void)state;
    memset(key, 'k', sizeof(key));
    key[sizeof(key) - 1] = '\0';
    house_put(&frame, "", "value");
    expect_refused(-EPROTO, "not as agreed");
    house_put(&frame, key, "value");
    expect_refused(-EPROTO, "not as agreed");
    size_t mark = frame_open(&frame, TAG_PUT);
    frame_put(&frame, TAG_KEY, "a\0b", 3);
    frame_put_text(&frame, TAG_VALUE, "value");
    frame_close(&frame, mark);
    expect_refused(-EPROTO, "not as agreed");
    mark = frame_open(&frame, TAG_PUT);
    frame_put_text(&frame, TAG_KEY, "no value");
    frame_close(&frame, mark);
    expect_refused(-EPROTO, "not as agreed");
    frame_put(&frame, TAG_REMOVE, "", 0);
    expect_refused(-EPROTO, "not as agreed");
}

static void a_value_too_large_is_refused(void **state)
{
    static char value[TALK_VALUE_MAX + 1];
    (void)state;
    size_t mark = frame_open(&frame, TAG_PUT);
    frame_put_text(&frame, TAG_KEY, "key");
    frame_put(&frame, TAG_VALUE, value, sizeof(value));
    frame_close(&frame, mark);
    expect_refused(-EPROTO, "not as agreed");
}

static void put_effects(int count)
{
    for (int i = 0; i < count; i++)
        house_put(&frame, "k", "1");
}

static void more_effects_than_agreed_are_refused(void **state)
{
    struct commit commit;
    (void)state;
    put_effects(TALK_EFFECTS_MAX + 1); /* the mark of a subscription comes on top */
    assert_int_equal(check(&commit), 0);
    put_effects(1);
    expect_refused(-EPROTO, "at most 1024 effects");
}

static void fields_that_do_not_fit_or_do_not_belong_are_refused(void **state)
{
    (void)state;
    frame_put_text(&frame, TAG_PATTERN, "*");
    expect_refused(-EPROTO, "not as agreed");
    house_event(&frame, "band.seen", "{}");
    frame.length -= 1;
    expect_refused(-EPROTO, "do not fit the frame");
    size_t mark = frame_open(&frame, TAG_EVENT);
    frame_put_text(&frame, TAG_TYPE, "band.seen");
    buffer_append(&frame, "\x01\xff\xff\xff", 4);
    frame_close(&frame, mark);
    expect_refused(-EPROTO, "not as agreed");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(events_keys_and_cursors_are_done_together),
        CASE(a_commit_without_events_has_no_first),
        CASE(an_event_is_signed_with_the_plugins_own_names),
        CASE(a_type_that_was_not_declared_is_refused),
        CASE(data_that_is_no_json_object_is_refused),
        CASE(data_too_deep_or_too_large_is_refused),
        CASE(the_deepest_data_make_an_event_that_can_be_read),
        CASE(the_largest_data_fits_into_an_event),
        CASE(a_subject_or_time_that_is_none_is_refused),
        CASE(a_cursor_without_name_or_ahead_of_the_log_is_refused),
        CASE(a_key_that_is_none_is_refused),
        CASE(a_value_too_large_is_refused),
        CASE(more_effects_than_agreed_are_refused),
        CASE(fields_that_do_not_fit_or_do_not_belong_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
