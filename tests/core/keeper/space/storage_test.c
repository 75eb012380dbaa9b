/* Who may still write, what has to go, and what is told of it. */
#include "keeper/space/storage.h"

#include "base/mem.h"
#include "keeper/fixture.h"
#include "keeper/journal/scan.h"

enum { MB = 1024 * 1024, QUOTA = 64 * MB, RESERVE = 8 * MB };

struct here {
    struct fixture fixture;
    struct loop *loop;
    struct group group;
    struct storage storage;
    int wanted;
};

static struct here *here;

static void committed(void *owner, int err, bool had_alarm)
{
    (void)owner;
    (void)had_alarm;
    assert_int_equal(err, 0);
}

static void wanted(void *owner)
{
    (void)owner;
    here->wanted++;
}

static void open_storage(void)
{
    const struct config config = {.quota = QUOTA, .reserve = RESERVE};
    group_open(&here->group, here->loop, here->fixture.journal, committed, NULL);
    storage_open(&here->storage, here->loop, &here->group, &config);
    here->storage.wanted = wanted;
    storage_start(&here->storage);
}

static void close_storage(void)
{
    storage_close(&here->storage);
    group_commit(&here->group);
    group_close(&here->group);
}

static int start(void **state)
{
    (void)state;
    here = mem_new(struct here);
    fixture_open(&here->fixture);
    assert_int_equal(loop_open(&here->loop), 0);
    open_storage();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    close_storage();
    fixture_close(&here->fixture);
    loop_close(here->loop);
    mem_free(here);
    return 0;
}

static void reopen(void)
{
    close_storage();
    assert_int_equal(fixture_reopen(&here->fixture), 0);
    open_storage();
}

static int join_types(void *owner, const struct store_event *event)
{
    char type[WORD_TYPE_MAX + 1];
    const char *of = memmem(event->body, event->length, "\"of\":\"quota\"", 12);
    assert_int_equal(event_type(type, event->body, event->length), 0);
    if (strcmp(type, "storage.low") == 0 && of == NULL)
        return 0; /* the disk of who runs this */
    buffer_printf(owner, "%s ", type);
    return 0;
}

static void expect_types(const char *types)
{
    struct scan_filter all = {-1, NULL};
    struct buffer said = {0};
    int64_t seq = 0;
    group_commit(&here->group);
    assert_int_equal(scan_events(here->fixture.journal, &all, &seq, join_types, &said),
                     0);
    assert_string_equal(buffer_text(&said), types);
    buffer_free(&said);
}

/* So that the whole journal takes so much of the quota, without what is kept free in it. */
static void take(int64_t bytes)
{
    const struct store_space *space = &here->storage.reserve.space;
    group_commit(&here->group);
    storage_counted(&here->storage, bytes - space->file - space->ahead +
                                        reserve_bytes(&here->storage.reserve));
}

/* Thinning finds nothing. */
static void find_nothing(void)
{
    storage_thinned(&here->storage, -ENOENT, NULL);
    storage_shortage(&here->storage);
}

static void pass(int64_t ms)
{
    here->storage.full_us -= ms * 1000;
}

static void the_files_are_counted_first(void **state)
{
    (void)state;
    assert_true(storage_wants_count(&here->storage));
    assert_true(here->wanted > 0);
    assert_false(storage_wants_thinning(&here->storage));
    assert_int_equal(storage_admit(&here->storage), 0);
    take(10 * MB);
    assert_false(storage_wants_count(&here->storage));
    assert_false(storage_wants_thinning(&here->storage));
}

static void telemetry_is_thinned_before_it_is_refused(void **state)
{
    (void)state;
    take(QUOTA - RESERVE - RESERVE / 2 + MB);
    assert_true(storage_wants_thinning(&here->storage));
    assert_false(storage_is_behind(&here->storage));
    take(QUOTA - RESERVE + MB);
    assert_true(storage_is_behind(&here->storage));
    assert_int_equal(storage_admit(&here->storage), 0);
    find_nothing();
    assert_int_equal(storage_admit(&here->storage), -ENOSPC);
    assert_false(storage_is_behind(&here->storage));
}

static void what_a_round_frees_is_free(void **state)
{
    struct thin_score score = {.freed = 10 * MB, .events = 77, .next = 5, .broken = -1};
    (void)state;
    take(QUOTA - RESERVE);
    int64_t before = here->storage.used;
    storage_thinned(&here->storage, 0, &score);
    assert_int_equal(here->storage.used, before - 10 * MB);
    assert_int_equal(here->storage.thin_from, 5);
    assert_int_equal(here->storage.thinned, 77);
    assert_false(storage_wants_thinning(&here->storage));
}

static void full_and_back_are_told_and_the_gap_between(void **state)
{
    (void)state;
    take(QUOTA);
    find_nothing();
    storage_admit(&here->storage);
    storage_admit(&here->storage);
    expect_types("storage.low storage.full ");
    take(10 * MB);
    assert_int_equal(storage_admit(&here->storage), -ENOSPC); /* it is held for a while */
    pass(STORAGE_HOLD_MS);
    take(10 * MB);
    assert_int_equal(storage_admit(&here->storage), 0);
    expect_types("storage.low storage.full storage.back gap.recorded ");
}

static void without_a_refusal_there_is_no_gap(void **state)
{
    (void)state;
    take(QUOTA);
    find_nothing();
    pass(STORAGE_HOLD_MS);
    take(10 * MB);
    expect_types("storage.low storage.full storage.back ");
}

static void a_gap_is_told_by_the_next_keeper_too(void **state)
{
    (void)state;
    take(QUOTA);
    find_nothing();
    storage_admit(&here->storage);
    int64_t from_us = here->storage.gap_from_us;
    reopen();
    expect_types("storage.low storage.full gap.recorded ");
    assert_true(from_us > 0);
    assert_int_equal(here->storage.gap_from_us, 0);
    reopen();
    expect_types("storage.low storage.full gap.recorded ");
}

static void each_level_is_told_once_also_across_a_restart(void **state)
{
    (void)state;
    take(QUOTA / 100 * 60);
    expect_types("");
    take(QUOTA / 100 * 68); /* and the room kept free in tail.db counts as well */
    take(QUOTA / 100 * 75);
    take(QUOTA / 100 * 76);
    expect_types("storage.low ");
    reopen();
    take(QUOTA / 100 * 76);
    expect_types("storage.low ");
    take(QUOTA / 100 * 40);
    take(QUOTA / 100 * 76);
    expect_types("storage.low storage.low ");
}

static void the_report_says_what_is_so(void **state)
{
    struct buffer text = {0};
    struct json *json = NULL;
    (void)state;
    take(QUOTA);
    find_nothing();
    storage_print(&here->storage, &text);
    assert_int_equal(json_parse(&json, text.bytes, text.length), 0);
    assert_int_equal(json_number(json, "quota", 0), QUOTA);
    assert_int_equal(json_number(json, "used", 0), here->storage.used);
    assert_int_equal(json_number(json, "days_left", 0), -1);
    assert_string_equal(json_text(json, "full"), "quota");
    assert_int_equal(json_number(json_get(json, "reserve"), "of", 0), RESERVE);
    json_free(json);
    buffer_free(&text);
}

#define EACH(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(the_files_are_counted_first),
        EACH(telemetry_is_thinned_before_it_is_refused),
        EACH(what_a_round_frees_is_free),
        EACH(full_and_back_are_told_and_the_gap_between),
        EACH(without_a_refusal_there_is_no_gap),
        EACH(a_gap_is_told_by_the_next_keeper_too),
        EACH(each_level_is_told_once_also_across_a_restart),
        EACH(the_report_says_what_is_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
