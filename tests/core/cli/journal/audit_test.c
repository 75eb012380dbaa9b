/* A journal with erased events verifies when an event ordered each, and only then. */
#include "cli/journal/audit.h"

#include <errno.h>

#include "cli/fixture.h"

enum { SIZE = 1400, SEALED = 1280 };

static struct cover whole(void)
{
    struct cover cover;
    memset(&cover, 0xff, sizeof(cover));
    return cover;
}

/* The telemetry of tile 1 is gone, by event 1300. */
static uint64_t thin(struct fixture *f)
{
    fixture_fill(f, 1300);
    struct cover cover = fixture_telemetry(f, 1);
    return fixture_erase(f, 1, &cover, "journal.thinned", "quota", "telemetry");
}

static void expect_ok(struct fixture *f, uint64_t erased, uint64_t lost)
{
    struct ledger ledger;
    struct finding finding;
    fixture_fill(f, SIZE);
    fixture_save(f, SEALED);
    int err = fixture_audit(f, &ledger, &finding);
    if (err)
        print_message("%s: %s\n", finding.place, finding.what);
    assert_int_equal(err, 0);
    assert_int_equal(ledger.thinned.events, erased);
    assert_int_equal(ledger.damaged.events, lost);
    ledger_free(&ledger);
}

static void expect_bad(struct fixture *f, const char *place, const char *what)
{
    struct ledger ledger;
    struct finding finding;
    fixture_fill(f, SIZE);
    fixture_save(f, SEALED);
    assert_int_equal(fixture_audit(f, &ledger, &finding), -EBADMSG);
    if (strstr(finding.place, place) == NULL || strstr(finding.what, what) == NULL)
        fail_msg("found: %s: %s", finding.place, finding.what);
    ledger_free(&ledger);
}

static void a_whole_journal_verifies(void **state)
{
    expect_ok(*state, 0, 0);
}

static void erased_events_are_counted_with_who_ordered_it(void **state)
{
    struct fixture *f = *state;
    uint64_t by = thin(f);
    assert_int_equal(by, 1300);
    expect_ok(f, 230, 0);
}

static void a_tile_that_is_erased_whole_has_no_bundle(void **state)
{
    struct fixture *f = *state;
    while (f->size < 512)
        fixture_put(f, LANE_TELEMETRY, "band/gate", "band.heard", "{}");
    fixture_fill(f, 1300);
    struct cover cover = whole();
    fixture_erase(f, 0, &cover, "journal.thinned", "quota", "telemetry");
    fixture_erase(f, 1, &cover, "journal.thinned", "retention", "telemetry");
    expect_ok(f, 512, 0);
}

static void damage_may_have_taken_any_lane(void **state)
{
    struct fixture *f = *state;
    struct cover cover = {{0}};
    fixture_fill(f, 1300);
    cover_put(&cover, 44); /* event 300, an alarm */
    cover_put(&cover, 45);
    fixture_erase(f, 1, &cover, "journal.damaged", "bundle", "any");
    expect_ok(f, 0, 2);
}

static void remove_hashes(const struct fixture *f)
{
    char path[ARCHIVE_PATH_MAX];
    snprintf(path, sizeof(path), "%s/tile/0/001", f->folder);
    assert_int_equal(unlink(path), 0);
}

static void of_a_tile_that_is_lost_with_its_hashes_the_hash_above_is_enough(void **state)
{
    struct fixture *f = *state;
    struct ledger ledger;
    struct finding finding;
    struct cover cover = whole();
    fixture_fill(f, 1300);
    fixture_erase(f, 1, &cover, "journal.damaged", "both", "any");
    fixture_fill(f, SIZE);
    fixture_save(f, SEALED);
    remove_hashes(f);
    assert_int_equal(fixture_audit(f, &ledger, &finding), 0);
    assert_int_equal(ledger.damaged.events, 256);
    ledger_free(&ledger);
}

static void hashes_that_are_missing_for_any_other_reason_are_named(void **state)
{
    struct fixture *f = *state;
    struct ledger ledger;
    struct finding finding;
    thin(f);
    fixture_fill(f, SIZE);
    fixture_save(f, SEALED);
    remove_hashes(f);
    assert_int_equal(fixture_audit(f, &ledger, &finding), -EBADMSG);
    assert_string_equal(finding.place, "tile/0/001");
    ledger_free(&ledger);
}

static void a_tile_can_be_thinned_twice(void **state)
{
    struct fixture *f = *state;
    struct cover early = {{0}}, late = {{0}};
    fixture_fill(f, 1300);
    for (unsigned i = 1; i < 9; i++)
        cover_put(&early, i + 4); /* events 261 to 268 and not 270 */
    cover_put(&late, 3);
    cover_put(&late, 15);
    fixture_erase(f, 1, &late, "journal.thinned", "quota", "telemetry");
    early.bits[0] = 0;
    cover_put(&early, 5);
    early.bits[1] = 0;
    fixture_erase(f, 1, &early, "journal.thinned", "quota", "telemetry");
    expect_ok(f, 3, 0);
}

static void a_bundle_that_a_cut_left_whole_is_no_damage(void **state)
{
    struct fixture *f = *state;
    thin(f);
    f->events[262].is_emptied = false;
    expect_ok(f, 230, 0);
}

static void an_emptied_entry_without_an_event_is_named(void **state)
{
    struct fixture *f = *state;
    f->events[261].is_emptied = true;
    expect_bad(f, "event 261 (tile/entries/001, entry 5)",
               "no event says by whose order");
}

static void a_row_without_an_event_is_named(void **state)
{
    struct fixture *f = *state;
    f->events[261].is_emptied = f->events[261].is_marked = true;
    expect_bad(f, "event 261 (tile/entries/001, entry 5)",
               "no event says by whose order");
}

static void a_missing_bundle_without_an_event_is_named(void **state)
{
    struct fixture *f = *state;
    fixture_fill(f, 1300);
    for (uint64_t i = 256; i < 512; i++)
        f->events[i].is_emptied = true;
    expect_bad(f, "event 256 (tile/entries/001)", "missing");
}

static void an_event_that_claims_what_the_rows_do_not_is_named(void **state)
{
    struct fixture *f = *state;
    thin(f);
    f->events[261].is_emptied = f->events[261].is_marked = false;
    expect_bad(f, "event 1300 (journal.thinned)",
               "event 261 is erased, tail.db does not");
}

static void an_alarm_erased_for_the_quota_is_named(void **state)
{
    struct fixture *f = *state;
    struct cover cover = {{0}};
    fixture_fill(f, 1300);
    cover_put(&cover, 44);
    fixture_erase(f, 1, &cover, "journal.thinned", "quota", "alarm");
    expect_bad(f, "event 1300 (journal.thinned)", "may only take telemetry");
}

static void an_alarm_erased_as_telemetry_is_named(void **state)
{
    struct fixture *f = *state;
    struct cover cover = {{0}};
    fixture_fill(f, 1300);
    cover_put(&cover, 44);
    fixture_erase(f, 1, &cover, "journal.thinned", "quota", "telemetry");
    expect_bad(f, "event 1300 (journal.thinned)", "event 300 is of lane alarm");
}

static void a_tile_that_is_not_sealed_cannot_be_thinned(void **state)
{
    struct fixture *f = *state;
    struct cover cover = {{0}};
    fixture_fill(f, 1300);
    cover_put(&cover, 4);
    fixture_erase(f, 5, &cover, "journal.thinned", "quota", "telemetry");
    expect_bad(f, "event 1300 (journal.thinned)", "not sealed");
}

/* The keeper itself commits, signs and seals what is not so. */
static void a_hash_that_is_not_the_trees_is_named(void **state)
{
    struct fixture *f = *state;
    struct digest leaf = f->leaves[0];
    fixture_fill(f, 1300);
    leaf = f->leaves[262];
    f->leaves[262].bytes[0] ^= 1;
    thin(f);
    f->leaves[262] = leaf;
    expect_bad(f, "event 1300 (journal.thinned)", "not those of tile/0/001");
}

static void a_list_that_cannot_be_read_is_named(void **state)
{
    struct fixture *f = *state;
    fixture_fill(f, 1300);
    fixture_put(f, LANE_RECORD, "keeper/keeper", "journal.thinned", "{\"tiles\":[7]}");
    expect_bad(f, "event 1300", "cannot be read");
}

/* The keeper erases after the tail was read and before the bundles are: `tile` by event 1400. */
static void audit_while_erasing(struct fixture *f, uint64_t tile,
                                const struct cover *cover)
{
    struct archive *archive = NULL;
    struct papers papers = {.office = NULL};
    struct papers_trust trust = {.office = NULL};
    struct inventory inventory = {.size = f->size, .covered = f->size};
    struct ledger ledger = {.hint = 0};
    struct finding finding = {.place = ""};
    char path[ARCHIVE_PATH_MAX];
    assert_int_equal(archive_open(&archive, f->folder, &finding), 0);
    assert_int_equal(papers_read(&papers, archive, &trust, &finding), 0);
    archive->tail.is_live = true;
    fixture_erase(f, tile, cover, "journal.thinned", "quota", "telemetry");
    snprintf(path, sizeof(path), "%s/tail.db", f->folder);
    unlink(path);
    tile_path(path + snprintf(path, sizeof(path), "%s/", f->folder), -1, tile,
              TILE_WIDTH);
    unlink(path);
    fixture_save(f, SEALED);
    int err = audit_events(archive, &papers, &inventory, &ledger, &finding);
    if (err)
        print_message("%s: %s\n", finding.place, finding.what);
    assert_int_equal(err, 0);
    assert_int_equal(ledger.thinned.events, cover_count(cover));
    ledger_free(&ledger);
    papers_free(&papers);
    archive_close(archive);
}

static void what_a_keeper_erases_meanwhile_is_no_damage(void **state)
{
    struct fixture *f = *state;
    fixture_fill(f, SIZE);
    fixture_save(f, SEALED);
    struct cover cover = fixture_telemetry(f, 1);
    audit_while_erasing(f, 1, &cover);
}

static void a_bundle_that_a_keeper_removes_meanwhile_is_no_damage(void **state)
{
    struct fixture *f = *state;
    struct cover cover = whole();
    while (f->size < 512)
        fixture_put(f, LANE_TELEMETRY, "band/gate", "band.heard", "{}");
    fixture_fill(f, SIZE);
    fixture_save(f, SEALED);
    audit_while_erasing(f, 1, &cover);
}

static void a_changed_leaf_of_an_erased_event_is_found(void **state)
{
    struct fixture *f = *state;
    struct ledger ledger;
    struct finding finding;
    thin(f);
    fixture_fill(f, SIZE);
    fixture_save(f, SEALED);
    f->leaves[262].bytes[0] ^= 1;
    fixture_write_hashes(f, 0, 1, TILE_WIDTH, f->leaves + 256);
    assert_int_equal(fixture_audit(f, &ledger, &finding), -EBADMSG);
    ledger_free(&ledger);
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_journal_verifies),
        TEST(erased_events_are_counted_with_who_ordered_it),
        TEST(a_tile_that_is_erased_whole_has_no_bundle),
        TEST(damage_may_have_taken_any_lane),
        TEST(of_a_tile_that_is_lost_with_its_hashes_the_hash_above_is_enough),
        TEST(hashes_that_are_missing_for_any_other_reason_are_named),
        TEST(a_tile_can_be_thinned_twice),
        TEST(a_bundle_that_a_cut_left_whole_is_no_damage),
        TEST(an_emptied_entry_without_an_event_is_named),
        TEST(a_row_without_an_event_is_named),
        TEST(a_missing_bundle_without_an_event_is_named),
        TEST(an_event_that_claims_what_the_rows_do_not_is_named),
        TEST(an_alarm_erased_for_the_quota_is_named),
        TEST(an_alarm_erased_as_telemetry_is_named),
        TEST(a_tile_that_is_not_sealed_cannot_be_thinned),
        TEST(a_hash_that_is_not_the_trees_is_named),
        TEST(a_list_that_cannot_be_read_is_named),
        TEST(what_a_keeper_erases_meanwhile_is_no_damage),
        TEST(a_bundle_that_a_keeper_removes_meanwhile_is_no_damage),
        TEST(a_changed_leaf_of_an_erased_event_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
