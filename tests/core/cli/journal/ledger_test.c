/* Who ordered an erasure is found from the sealed events and from the tail. */
#include "cli/journal/ledger.h"

#include <errno.h>

#include "cli/fixture.h"

/* Event 700 erases of tile 0 and is sealed, event 1100 of tile 1 and is in the tail. */
static struct archive *open_thinned(struct fixture *f)
{
    struct archive *archive;
    struct finding finding = {.place = ""};
    fixture_fill(f, 700);
    struct cover cover = fixture_telemetry(f, 0);
    fixture_erase(f, 0, &cover, "journal.thinned", "quota", "telemetry");
    fixture_fill(f, 1100);
    cover = fixture_telemetry(f, 1);
    fixture_erase(f, 1, &cover, "journal.thinned", "quota", "telemetry");
    fixture_fill(f, 1200);
    fixture_save(f, 1024);
    assert_int_equal(archive_open(&archive, f->folder, &finding), 0);
    return archive;
}

static void each_erased_event_finds_who_ordered_it(void **state)
{
    struct archive *archive = open_thinned(*state);
    struct ledger ledger = {.hint = 0};
    uint64_t by;
    ledger_gather(&ledger, archive, 0);
    assert_true(ledger_find(&ledger, 1, &by));
    assert_int_equal(by, 700);
    assert_true(ledger_find(&ledger, 511, &by));
    assert_int_equal(by, 1100);
    assert_true(ledger_find(&ledger, 9, &by));
    assert_int_equal(by, 700);
    assert_false(ledger_find(&ledger, 10, &by));
    assert_false(ledger_find(&ledger, 513, &by));
    assert_false(ledger_has_gap(&ledger, &archive->tail, &by));
    assert_int_equal(ledger.thinned.by, 2);
    ledger_free(&ledger);
    archive_close(archive);
}

static void what_nobody_ordered_is_a_gap(void **state)
{
    struct archive *archive = open_thinned(*state);
    struct ledger ledger = {.hint = 0};
    uint64_t seq;
    ledger_gather(&ledger, archive, 701);
    assert_true(ledger_has_gap(&ledger, &archive->tail, &seq));
    assert_int_equal(seq, 1);
    ledger_free(&ledger);
    archive_close(archive);
}

static void an_erased_event_has_no_bytes(void **state)
{
    struct archive *archive = open_thinned(*state);
    const void *body;
    size_t length;
    assert_int_equal(archive_event(archive, 1, &body, &length), -ENODATA);
    assert_int_equal(archive_event(archive, 10, &body, &length), 0);
    assert_int_equal(archive_event(archive, 513, &body, &length), 0);
    archive_close(archive);
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(each_erased_event_finds_who_ordered_it),
        TEST(what_nobody_ordered_is_a_gap),
        TEST(an_erased_event_has_no_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
