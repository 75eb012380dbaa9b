/* A batch is foreign bytes: what is right is found exactly, what is wrong is refused and named. */
#include "city/batch.h"

#include "fixture.h"
#include "proof/squeeze.h"

static struct batch_claim claim = {.office = "office-1",
                                   .lane = LANE_RECORD,
                                   .log = "log1",
                                   .lane_name = "record",
                                   .prev = "-1",
                                   .last = "5"};

static int read_batch(struct batch *batch, const char *payload, char why[BATCH_WHY_ROOM])
{
    return batch_read(batch, &claim, payload, strlen(payload), why);
}

static void each_event_is_found_byte_for_byte(void **state)
{
    char *one =
        fixture_compose("office-1", "log1", 2, LANE_RECORD, "}],[{ \\\\\\\" \\u0041");
    char *two = fixture_compose("office-1", "log1", 5, LANE_RECORD, "\xe4\xb8\xad");
    struct buffer payload = {0};
    struct batch batch = {0};
    char why[BATCH_WHY_ROOM];
    (void)state;
    buffer_printf(&payload, " [ %s\n,\t%s ] ", one, two);
    assert_int_equal(read_batch(&batch, buffer_text(&payload), why), 0);
    assert_int_equal(batch.count, 2);
    assert_int_equal(batch.events[0].length, strlen(one));
    assert_memory_equal(batch.events[0].bytes, one, strlen(one));
    assert_int_equal(batch.events[1].length, strlen(two));
    assert_memory_equal(batch.events[1].bytes, two, strlen(two));
    assert_int_equal(batch.events[1].seq, 5);
    assert_string_equal(batch.events[1].type, "test.happened");
    assert_string_equal(batch.events[1].subject, "person/1");
    batch_free(&batch);
    buffer_free(&payload);
    free(one);
    free(two);
}

static void what_is_no_array_of_events_is_refused(void **state)
{
    static const char *const WRONG[] = {
        "",       "[",      "]",    "[]",     "{}",      "[1]",
        "[{}",    "[{",     "[{]}", "[{}]",   "[{\"a\"", "[{\"a\":1}]",
        "[{\"\\", "[[{}]]", "null", "[null]", "[{},]",
    };
    struct batch batch = {0};
    char why[BATCH_WHY_ROOM];
    (void)state;
    for (size_t i = 0; i < countof(WRONG); i++)
        assert_int_equal(read_batch(&batch, WRONG[i], why), -EPROTO);
    batch_free(&batch);
}

static int read_zstd(struct batch *batch, const struct buffer *frame,
                     const char *encoding, char why[BATCH_WHY_ROOM])
{
    struct batch_claim with = claim;
    with.encoding = encoding;
    return batch_read(batch, &with, frame->bytes, frame->length, why);
}

static void a_batch_in_zstd_is_found_byte_for_byte_too(void **state)
{
    char *one = fixture_compose("office-1", "log1", 5, LANE_RECORD, "x");
    struct buffer payload = {0}, frame = {0};
    struct batch batch = {0};
    char why[BATCH_WHY_ROOM];
    (void)state;
    buffer_printf(&payload, "[%s]", one);
    squeeze_put(&frame, payload.bytes, payload.length, 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(read_zstd(&batch, &frame, "zstd", why), 0);
        assert_int_equal(batch.count, 1);
        assert_int_equal(batch.events[0].length, strlen(one));
        assert_memory_equal(batch.events[0].bytes, one, strlen(one));
    }
    assert_int_equal(read_zstd(&batch, &frame, NULL, why), -EPROTO);
    assert_int_equal(read_zstd(&batch, &frame, "gzip", why), -EPROTO);
    assert_non_null(strstr(why, "content-encoding"));
    assert_int_equal(read_zstd(&batch, &payload, "zstd", why), -EPROTO);
    batch_free(&batch);
    buffer_free(&payload);
    buffer_free(&frame);
    free(one);
}

/* At the bound: blanks around an array are fine. */
static void a_frame_of_more_than_the_bound_is_refused(void **state)
{
    char *one = fixture_compose("office-1", "log1", 5, LANE_RECORD, "x");
    struct batch batch = {0};
    char why[BATCH_WHY_ROOM];
    (void)state;
    for (size_t beyond = 0; beyond < 2; beyond++) {
        struct buffer payload = {0}, frame = {0};
        buffer_printf(&payload, "[%s]", one);
        size_t blanks = BATCH_BYTES_MAX + beyond - payload.length;
        memset(buffer_grow(&payload, blanks), ' ', blanks);
        squeeze_put(&frame, payload.bytes, payload.length, 0);
        assert_int_equal(read_zstd(&batch, &frame, "zstd", why), beyond ? -EPROTO : 0);
        buffer_free(&payload);
        buffer_free(&frame);
    }
    batch_free(&batch);
    free(one);
}

static void a_claim_that_is_not_true_is_refused(void **state)
{
    static const struct {
        struct batch_claim claim;
        const char *named;
    } WRONG[] = {
        {{"office-1", LANE_RECORD, NULL, "record", "-1", "5", NULL}, "log"},
        {{"office-1", LANE_RECORD, "a b", "record", "-1", "5", NULL}, "log"},
        {{"office-1", LANE_RECORD, "log2", "record", "-1", "5", NULL}, "log log2"},
        {{"office-2", LANE_RECORD, "log1", "record", "-1", "5", NULL}, "office office-2"},
        {{"office-1", LANE_RECORD, "log1", "alarm", "-1", "5", NULL}, "lane"},
        {{"office-1", LANE_ALARM, "log1", "alarm", "-1", "5", NULL}, "lane alarm"},
        {{"office-1", LANE_RECORD, "log1", "record", "x", "5", NULL}, "prev"},
        {{"office-1", LANE_RECORD, "log1", "record", "-2", "5", NULL}, "prev"},
        {{"office-1", LANE_RECORD, "log1", "record", "5", "6", NULL}, "above 5"},
        {{"office-1", LANE_RECORD, "log1", "record", "-1", "6", NULL}, "last"},
        {{"office-1", LANE_RECORD, "log1", "record", "-1", "99999999999999999999", NULL},
         "last"},
        {{"office-1", LANE_RECORD, "log1", "record", "-1", NULL, NULL}, "last"},
    };
    char *body = fixture_compose("office-1", "log1", 5, LANE_RECORD, "");
    struct buffer payload = {0};
    struct batch batch = {0};
    (void)state;
    buffer_printf(&payload, "[%s]", body);
    for (size_t i = 0; i < countof(WRONG); i++) {
        char why[BATCH_WHY_ROOM];
        assert_int_equal(
            batch_read(&batch, &WRONG[i].claim, payload.bytes, payload.length, why),
            -EPROTO);
        assert_non_null(strstr(why, WRONG[i].named));
    }
    batch_free(&batch);
    buffer_free(&payload);
    free(body);
}

/* Puts `to` in place of `from` in a good event; false when it is not there. */
static bool with(struct buffer *payload, const char *from, const char *to)
{
    char *body = fixture_compose("office-1", "log1", 5, LANE_RECORD, "");
    char *found = strstr(body, from);
    buffer_clear(payload);
    if (found != NULL)
        buffer_printf(payload, "[%.*s%s%s]", (int)(found - body), body, to,
                      found + strlen(from));
    free(body);
    return found != NULL;
}

static void an_event_that_contradicts_itself_is_refused(void **state)
{
    static const struct {
        const char *from, *to, *named;
    } WRONG[] = {
        {"\"1.0\"", "\"1.1\"", "CloudEvents"},
        {"office-1/log1/5", "office-1/log1/6", "id"},
        {"0000000000000005", "5", "sequence"},
        {"0000000000000005", "000000000000000x", "sequence"},
        {"\"/office-1/", "\"/office-2/", "office"},
        {"test.happened", "Test", "type"},
        {"test.happened", "test happened", "type"},
        {"2026-11-21T03:04:05.123456Z", "yesterday", "time"},
        {"2026-11-21T03:04:05.2Z", "2026-13-21T03:04:05.2Z", "time"},
        {"person/1", "Zhang San", "subject"},
        {"person/1", "\xff", "UTF-8"},
        {"person/1", "\xed\xa0\x80", "UTF-8"},
        {"\"data\":", "\"data\"", "JSON"},
    };
    struct buffer payload = {0};
    struct batch batch = {0};
    (void)state;
    for (size_t i = 0; i < countof(WRONG); i++) {
        char why[BATCH_WHY_ROOM];
        assert_true(with(&payload, WRONG[i].from, WRONG[i].to));
        assert_int_equal(batch_read(&batch, &claim, payload.bytes, payload.length, why),
                         -EPROTO);
        assert_non_null(strstr(why, WRONG[i].named));
    }
    batch_free(&batch);
    buffer_free(&payload);
}

static void too_much_is_refused(void **state)
{
    struct buffer payload = {0};
    struct batch batch = {0};
    char why[BATCH_WHY_ROOM];
    (void)state;
    memset(buffer_grow(&payload, BATCH_BYTES_MAX + 1), ' ', BATCH_BYTES_MAX + 1);
    assert_int_equal(batch_read(&batch, &claim, payload.bytes, payload.length, why),
                     -EPROTO);
    assert_non_null(strstr(why, "at most"));
    buffer_clear(&payload);
    buffer_append_text(&payload, "[");
    for (int i = 0; i <= BATCH_EVENTS_MAX; i++) {
        char *body = fixture_compose("office-1", "log1", i, LANE_RECORD, "");
        buffer_printf(&payload, "%s%s", i == 0 ? "" : ",", body);
        free(body);
    }
    buffer_append_text(&payload, "]");
    assert_int_equal(batch_read(&batch, &claim, payload.bytes, payload.length, why),
                     -EPROTO);
    assert_non_null(strstr(why, "at most 1024 events"));
    batch_free(&batch);
    buffer_free(&payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_is_found_byte_for_byte),
        cmocka_unit_test(what_is_no_array_of_events_is_refused),
        cmocka_unit_test(a_batch_in_zstd_is_found_byte_for_byte_too),
        cmocka_unit_test(a_frame_of_more_than_the_bound_is_refused),
        cmocka_unit_test(a_claim_that_is_not_true_is_refused),
        cmocka_unit_test(an_event_that_contradicts_itself_is_refused),
        cmocka_unit_test(too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
