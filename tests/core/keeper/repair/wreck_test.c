/* Of a damaged journal what verifies is found, with what vouches for it, and the rest is lost. */
#include "keeper/repair/wreck.h"

#include "keeper/fixture.h"
#include "proof/receipt.h"

enum { EVENTS = 1000 };

/* What came of each sequence. */
struct found {
    int64_t next;
    int64_t count;
    bool is_there[EVENTS], is_lost[EVENTS], is_proven[EVENTS];
    int lane[EVENTS];
    int most; /* then it has enough; 0 never */
};

static int take(void *owner, const struct wreck_event *event)
{
    struct found *found = owner;
    assert_true(event->seq >= 0 && event->seq < EVENTS);
    assert_false(found->is_there[event->seq] || found->is_lost[event->seq]);
    if (found->most > 0 && found->most-- == 1)
        return 1;
    found->is_there[event->seq] = !event->is_lost;
    found->is_lost[event->seq] = event->is_lost;
    found->is_proven[event->seq] = event->is_proven;
    found->lane[event->seq] = event->lane;
    found->count += !event->is_lost;
    if (!event->is_lost) {
        char data[40];
        snprintf(data, sizeof(data), "\"data\":{\"n\":%d}}", (int)event->seq);
        assert_non_null(memmem(event->body, event->length, data, strlen(data)));
    }
    return 0;
}

static struct found read_all(struct fixture *here, const struct key *city)
{
    struct found found = {.next = 0};
    struct wreck *wreck;
    journal_close(here->journal);
    here->journal = NULL;
    assert_int_equal(wreck_open(&wreck, here->folder, here->key, city), 0);
    found.next = wreck_first(wreck);
    while (wreck_read(wreck, &found.next, take, &found) == 0)
        ;
    wreck_close(wreck);
    return found;
}

static int64_t count_lost(const struct found *found)
{
    int64_t count = 0;
    for (int i = 0; i < EVENTS; i++)
        count += found->is_lost[i];
    return count;
}

/* 600 events, two tiles sealed, a checkpoint over 590 of them. */
static int start(void **state)
{
    struct fixture *here = malloc(sizeof(*here));
    fixture_open(here);
    fixture_fill(here->journal, 300);
    fixture_sign(here);
    fixture_fill(here->journal, 290);
    fixture_seal(here);
    fixture_sign(here);
    fixture_fill(here->journal, 10);
    *state = here;
    return 0;
}

static int stop(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

static void of_a_sound_journal_everything_is_found_and_what_is_signed_proven(void **state)
{
    struct found found = read_all(*state, NULL);
    assert_int_equal(found.count, 600);
    assert_int_equal(count_lost(&found), 0);
    assert_true(found.is_proven[0] && found.is_proven[511] && found.is_proven[589]);
    assert_false(found.is_proven[590]);
    assert_int_equal(found.lane[4], LANE_RECORD);
}

static void a_changed_row_is_lost_and_the_others_are_not(void **state)
{
    fixture_sql(*state, "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), "
                        "'\"n\":550}', '\"n\":551}') AS BLOB) WHERE seq = 550;"
                        "DELETE FROM event WHERE seq = 595");
    struct found found = read_all(*state, NULL);
    assert_int_equal(found.count, 598);
    assert_true(found.is_lost[550] && found.is_lost[595]);
    assert_int_equal(found.lane[550], LANES);
}

/* Who can write the file can make body and leaf fit; the signature still tells. */
static void
a_changed_row_with_its_leaf_is_not_taken_where_a_checkpoint_covers_it(void **state)
{
    struct fixture *here = *state;
    struct buffer body = {0}, sql = {0};
    struct digest leaf;
    buffer_printf(&body,
                  "{\"specversion\":\"1.0\",\"id\":\"%s/%s/550\",\"lane\":\"record\"}",
                  FIXTURE_OFFICE, here->journal->log.log);
    suite_leaf(here->journal->suite, &leaf, body.bytes, body.length);
    buffer_printf(&sql, "UPDATE event SET body = CAST('%s' AS BLOB), leaf = x'",
                  buffer_text(&body));
    for (int i = 0; i < DIGEST_BYTES; i++)
        buffer_printf(&sql, "%02x", leaf.bytes[i]);
    buffer_append_text(&sql, "' WHERE seq = 550");
    fixture_sql(here, buffer_text(&sql));
    struct found found = read_all(here, NULL);
    assert_true(found.is_lost[550]);
    assert_int_equal(found.count, 599);
    buffer_free(&body);
    buffer_free(&sql);
}

static void without_tail_db_the_bundles_are_still_there(void **state)
{
    struct fixture *here = *state;
    journal_close(here->journal);
    here->journal = NULL;
    unlink(fixture_path(here, "tail.db"));
    unlink(fixture_path(here, "tail.db-wal"));
    struct found found = read_all(here, NULL);
    assert_int_equal(found.count, 512);
    assert_int_equal(count_lost(&found), 78); /* those that the checkpoint covers */
    assert_true(found.is_proven[511]);
    assert_int_equal(found.lane[3], LANE_ALARM);
}

static void without_a_bundle_its_events_are_lost_with_their_lanes(void **state)
{
    struct fixture *here = *state;
    unlink(fixture_path(here, "tile/entries/001"));
    struct found found = read_all(here, NULL);
    assert_int_equal(found.count, 344);
    assert_true(found.is_lost[256] && found.is_lost[511]);
    assert_int_equal(found.lane[256], 256 % LANES);
}

static void a_hash_tile_that_is_gone_is_made_from_its_bundle(void **state)
{
    struct fixture *here = *state;
    unlink(fixture_path(here, "tile/0/000"));
    fixture_flip(fixture_path(here, "tile/0/001"), 5000);
    struct found found = read_all(here, NULL);
    assert_int_equal(found.count, 600);
    assert_true(found.is_proven[0] && found.is_proven[511]);
}

static void without_a_checkpoint_nothing_is_proven(void **state)
{
    struct fixture *here = *state;
    fixture_flip(fixture_path(here, "checkpoint"), 60);
    struct found found = read_all(here, NULL);
    assert_int_equal(found.count, 600);
    assert_false(found.is_proven[0] || found.is_proven[520]);
}

static void put_receipt(struct fixture *here, const struct key *key, int64_t alarm,
                        int64_t record, int64_t telemetry)
{
    struct receipt receipt = {.lane = {alarm, record, telemetry}};
    struct buffer note = {0};
    strcpy(receipt.office, FIXTURE_OFFICE);
    strcpy(receipt.log, here->journal->log.log);
    receipt_sign(&note, &receipt, key);
    assert_int_equal(
        file_put(fixture_path(here, "receipt"), note.bytes, note.length, 0640), 0);
    buffer_free(&note);
}

static void what_the_city_has_signed_for_is_passed_over(void **state)
{
    struct fixture *here = *state;
    struct key *city, *other;
    assert_int_equal(key_make(&city, suite_named(FIXTURE_SUITE), "outpost-city/city"), 0);
    assert_int_equal(key_make(&other, suite_named(FIXTURE_SUITE), "outpost-city/city"),
                     0);
    put_receipt(here, city, 597, 301, -1);
    struct found found = read_all(here, city);
    assert_int_equal(found.next, 600);
    for (int seq = 0; seq < 600; seq++) {
        int lane = seq % LANES;
        bool has =
            (lane == LANE_ALARM && seq <= 597) || (lane == LANE_RECORD && seq <= 301);
        assert_int_equal(found.is_there[seq], !has);
    }
    assert_int_equal(fixture_reopen(here), 0);
    found = read_all(here, other); /* nobody's receipt */
    assert_int_equal(found.count, 600);
    key_free(city);
    key_free(other);
}

static void what_is_erased_is_not_lost(void **state)
{
    struct fixture *here = *state;
    struct store_tile tile;
    assert_int_equal(store_get_tile(here->journal->store, 1, &tile), 0);
    for (int i = 0; i < TILE_WIDTH; i++)
        tile.lanes[i] |= STORE_ERASED;
    assert_int_equal(store_begin(here->journal->store), 0);
    assert_int_equal(store_add_tile(here->journal->store, 1, &tile), 0);
    assert_int_equal(store_commit(here->journal->store), 0);
    unlink(fixture_path(here, "tile/entries/001"));
    struct found found = read_all(here, NULL);
    assert_int_equal(found.count, 344);
    assert_int_equal(count_lost(&found), 0);
}

static void it_goes_on_where_the_reader_had_enough(void **state)
{
    struct fixture *here = *state;
    struct found found = {.most = 11};
    struct wreck *wreck;
    journal_close(here->journal);
    here->journal = NULL;
    assert_int_equal(wreck_open(&wreck, here->folder, here->key, NULL), 0);
    assert_int_equal(wreck_read(wreck, &found.next, take, &found), 0);
    assert_int_equal(found.next, 10);
    wreck_close(wreck);
    assert_int_equal(wreck_open(&wreck, here->folder, here->key, NULL), 0);
    while (wreck_read(wreck, &found.next, take, &found) == 0)
        ;
    assert_int_equal(found.count, 600);
    wreck_close(wreck);
}

/* Every page of tail.db in its turn is noise: what is found is always what was committed. */
static void with_any_page_of_tail_db_gone_nothing_wrong_is_found(void **state)
{
    struct fixture *here = *state;
    struct buffer before = {0};
    char noise[4096];
    fixture_sql(here, "PRAGMA wal_checkpoint(TRUNCATE)");
    journal_close(here->journal);
    here->journal = NULL;
    assert_int_equal(file_read(&before, fixture_path(here, "tail.db"), 1 << 24), 0);
    memset(noise, 0xa5, sizeof(noise));
    for (size_t at = 0; at < before.length; at += sizeof(noise)) {
        assert_int_equal(
            file_put(fixture_path(here, "tail.db"), before.bytes, before.length, 0640),
            0);
        FILE *file = fopen(fixture_path(here, "tail.db"), "r+b");
        assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
        assert_int_equal(fwrite(noise, 1, sizeof(noise), file), sizeof(noise));
        fclose(file);
        struct found found = read_all(here, NULL);
        assert_true(found.count >= 512); /* take() compares each with what it was */
    }
    buffer_free(&before);
}

static void where_not_even_a_name_is_left_nothing_can_be_read(void **state)
{
    struct fixture *here = *state;
    struct wreck *wreck;
    unlink(fixture_path(here, "tail.db"));
    unlink(fixture_path(here, "checkpoint"));
    assert_int_equal(wreck_open(&wreck, here->folder, here->key, NULL), -EBADMSG);
    assert_int_equal(wreck_open(&wreck, "/no/such", here->key, NULL), -EBADMSG);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(of_a_sound_journal_everything_is_found_and_what_is_signed_proven),
        CASE(a_changed_row_is_lost_and_the_others_are_not),
        CASE(a_changed_row_with_its_leaf_is_not_taken_where_a_checkpoint_covers_it),
        CASE(without_tail_db_the_bundles_are_still_there),
        CASE(without_a_bundle_its_events_are_lost_with_their_lanes),
        CASE(a_hash_tile_that_is_gone_is_made_from_its_bundle),
        CASE(without_a_checkpoint_nothing_is_proven),
        CASE(what_the_city_has_signed_for_is_passed_over),
        CASE(what_is_erased_is_not_lost),
        CASE(it_goes_on_where_the_reader_had_enough),
        CASE(with_any_page_of_tail_db_gone_nothing_wrong_is_found),
        CASE(where_not_even_a_name_is_left_nothing_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
