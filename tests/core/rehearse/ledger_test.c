/* What is durable in a rehearsal, held against what the keeper promises. */
#include "rehearse/ledger.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/strict.h"
#include "rehearse/standins/now_clock.h"

static struct ledger ledger;
static struct buffer frame, said, text;
static int64_t first;

static int set_up(void **state)
{
    (void)state;
    now_clock_begin(1795305600LL * 1000000);
    strcpy(ledger.source, "example/cabinet");
    assert_int_equal(ledger_declare(&ledger, "a.hot", LANE_ALARM), 0);
    assert_int_equal(ledger_declare(&ledger, "a.seen", LANE_TELEMETRY), 0);
    frame_begin(&frame, TALK_COMMIT, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ledger_free(&ledger);
    buffer_free(&frame);
    buffer_free(&said);
    buffer_free(&text);
    return 0;
}

static void add_event(const char *type)
{
    size_t mark = frame_open(&frame, TAG_EVENT);
    frame_put_text(&frame, TAG_TYPE, type);
    frame_put_text(&frame, TAG_DATA, "{\"n\":1}");
    frame_close(&frame, mark);
}

static void add_put(const char *key, const char *value)
{
    size_t mark = frame_open(&frame, TAG_PUT);
    frame_put_text(&frame, TAG_KEY, key);
    frame_put_text(&frame, TAG_VALUE, value);
    frame_close(&frame, mark);
}

static void add_consumed(const char *name, int64_t seq)
{
    size_t mark = frame_open(&frame, TAG_CONSUMED);
    frame_put_text(&frame, TAG_NAME, name);
    frame_put_number(&frame, TAG_SEQ, seq);
    frame_close(&frame, mark);
}

static int commit(void)
{
    struct fields fields = fields_of(frame.bytes, FRAME_HEAD, frame.length);
    buffer_clear(&said);
    buffer_clear(&text);
    int err = ledger_commit(&ledger, &fields, &first, &said, &text);
    frame_begin(&frame, TALK_COMMIT, 1);
    return err;
}

static void a_commit_is_done_whole(void **state)
{
    (void)state;
    add_event("a.hot");
    add_put("state", "{\"hot\":true}");
    add_event("a.seen");
    assert_int_equal(commit(), 0);
    assert_int_equal(first, 0);
    assert_string_equal(buffer_text(&said), "a.hot put state a.seen");
    assert_int_equal(ledger.event_count, 2);
    assert_int_equal(ledger.events[1].lane, LANE_TELEMETRY);
    assert_memory_equal(ledger_get(&ledger, "state")->value, "{\"hot\":true}", 12);
}

static void or_not_at_all(void **state)
{
    (void)state;
    add_put("state", "1");
    add_event("a.hot");
    add_event("b.undeclared");
    assert_int_equal(commit(), EINVAL);
    assert_non_null(strstr(buffer_text(&text), "b.undeclared"));
    assert_int_equal(ledger.event_count, 0);
    assert_null(ledger_get(&ledger, "state"));
}

static void an_event_is_the_json_that_a_journal_holds(void **state)
{
    char body[1024];
    (void)state;
    add_event("a.hot");
    assert_int_equal(commit(), 0);
    const struct ledger_event *event = &ledger.events[0];
    assert_true(strict_is_object(event->body, event->length, STRICT_DEPTH_MAX));
    snprintf(body, sizeof(body), "%.*s", (int)event->length, event->body);
    assert_non_null(strstr(body, "\"source\":\"/350105-003/example/cabinet\""));
    assert_non_null(strstr(body, "\"time\":\"2026-11-22T00:00:00.000000Z\""));
    assert_non_null(strstr(body, "\"sequence\":\"0000000000000000\",\"lane\":\"alarm\""));
    assert_non_null(strstr(body, "\"data\":{\"n\":1}}"));
    assert_true(event->own);
}

static void a_cursor_is_never_ahead_of_the_journal(void **state)
{
    (void)state;
    assert_int_equal(ledger_cursor(&ledger, "a.*"), -1);
    add_event("a.hot");
    assert_int_equal(commit(), 0);
    add_consumed("a.*", 1);
    assert_int_equal(commit(), EINVAL);
    add_consumed("a.*", 0);
    assert_int_equal(commit(), 0);
    assert_int_equal(first, -1);
    assert_int_equal(ledger_cursor(&ledger, "a.*"), 0);
    assert_int_equal(ledger_cursor(&ledger, "*"), -1);
}

static void keys_are_in_order_and_can_go(void **state)
{
    (void)state;
    add_put("b", "2");
    add_put("c", "3");
    add_put("a", "1");
    add_put("b", "4");
    assert_int_equal(commit(), 0);
    assert_int_equal(ledger.row_count, 3);
    assert_string_equal(ledger.rows[ledger_at(&ledger, "aa")].key, "b");
    assert_memory_equal(ledger_get(&ledger, "b")->value, "4", 1);
    size_t mark = frame_open(&frame, TAG_REMOVE);
    frame_put_text(&frame, TAG_KEY, "b");
    frame_close(&frame, mark);
    assert_int_equal(commit(), 0);
    assert_string_equal(buffer_text(&said), "remove b");
    assert_null(ledger_get(&ledger, "b"));
    assert_int_equal(ledger.row_count, 2);
}

static void a_blob_that_nobody_has_sealed_is_refused(void **state)
{
    (void)state;
    add_event("a.hot");
    size_t mark = frame_open(&frame, TAG_BLOB);
    frame_put_text(&frame, TAG_DIGEST, "00ff");
    frame_put_text(&frame, TAG_NAME, "picture");
    frame_put_number(&frame, TAG_LIMIT, -1);
    frame_close(&frame, mark);
    assert_int_equal(commit(), EINVAL);
    assert_string_equal(buffer_text(&said), "a.hot blob picture");
    assert_non_null(strstr(buffer_text(&text), "got \"00ff\""));
    assert_int_equal(ledger.event_count, 0);
}

/* Of a replay: the journal's own sequences, and what every handler has been given is gone. */
static void what_is_forgotten_keeps_its_place(void **state)
{
    (void)state;
    for (int64_t seq = 100; seq < 110; seq++)
        ledger_give(&ledger, seq, "b.other", LANE_RECORD, "{}", 2);
    assert_int_equal(ledger_end(&ledger), 10);
    add_consumed("*", 104);
    assert_int_equal(commit(), 0);
    assert_int_equal(ledger_place(&ledger, "*"), 5);
    assert_int_equal(ledger_place(&ledger, "b.*"), 0);
    ledger_forget(&ledger, 3);
    assert_int_equal(ledger_end(&ledger), 10);
    assert_int_equal(ledger.event_count, 7);
    assert_int_equal(ledger.events[0].seq, 103);
    assert_int_equal(ledger_place(&ledger, "*"), 5);
    assert_int_equal(ledger_place(&ledger, "b.*"), 3);
    ledger_forget(&ledger, 10);
    assert_int_equal(ledger.bytes, 0);
    assert_int_equal(ledger_place(&ledger, "*"), 10);
}

static void what_the_plugin_says_is_numbered_behind_what_came(void **state)
{
    (void)state;
    ledger_give(&ledger, 100, "b.other", LANE_RECORD, "{}", 2);
    add_event("a.hot");
    assert_int_equal(commit(), 0);
    assert_int_equal(first, 101);
}

static void a_store_has_the_bound_that_the_keeper_has(void **state)
{
    char key[20];
    (void)state;
    for (int i = 0; i < TALK_STORE_KEYS_MAX; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        add_put(key, "v");
    }
    assert_int_equal(commit(), 0);
    add_put("one more", "v");
    add_event("a.hot");
    assert_int_equal(commit(), EDQUOT);
    assert_non_null(strstr(buffer_text(&text), "this would make it 65 keys and 1 KiB"));
    assert_int_equal(ledger.event_count, 0);
    add_put("k0", "w");
    assert_int_equal(commit(), 0);
    size_t mark = frame_open(&frame, TAG_REMOVE);
    frame_put_text(&frame, TAG_KEY, "k1");
    frame_close(&frame, mark);
    add_put("one more", "v");
    add_put("one more", "w");
    assert_int_equal(commit(), 0);
    assert_int_equal(ledger.row_count, TALK_STORE_KEYS_MAX);
    assert_int_equal(ledger.stored, 9 * 3 + 54 * 4 + 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_commit_is_done_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(or_not_at_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_event_is_the_json_that_a_journal_holds, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_cursor_is_never_ahead_of_the_journal, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_forgotten_keeps_its_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_the_plugin_says_is_numbered_behind_what_came,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_blob_that_nobody_has_sealed_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keys_are_in_order_and_can_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_store_has_the_bound_that_the_keeper_has, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
