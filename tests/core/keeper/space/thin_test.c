/* Thinning: telemetry only, oldest first, recorded and provable; and cut anywhere, it comes to its
 * end. */
#include "keeper/space/thin.h"

#include <sys/stat.h>

#include "base/mem.h"
#include "keeper/fixture.h"
#include "keeper/journal/scan.h"
#include "proof/bundle.h"
#include "proof/erasure.h"

enum { TILES = 3, ALL = TILES * 256 + 40, DAY_MS = 24 * 3600 * 1000 };

struct here {
    struct fixture fixture;
    struct loop *loop;
    struct group group;
};

static struct here *here;

static void committed(void *owner, int err, bool had_alarm)
{
    (void)owner;
    (void)had_alarm;
    assert_int_equal(err, 0);
}

static void open_group(void)
{
    group_open(&here->group, here->loop, here->fixture.journal, committed, NULL);
}

static int start(void **state)
{
    (void)state;
    here = calloc(1, sizeof(*here));
    fixture_open(&here->fixture);
    assert_int_equal(loop_open(&here->loop), 0);
    open_group();
    fixture_fill(here->fixture.journal, ALL);
    fixture_seal(&here->fixture);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    group_close(&here->group);
    fixture_close(&here->fixture);
    loop_close(here->loop);
    free(here);
    return 0;
}

static void reopen(void)
{
    group_close(&here->group);
    assert_int_equal(fixture_reopen(&here->fixture), 0);
    open_group();
}

/* Tile 1 has telemetry only. */
static void make_plain_tile(void)
{
    struct journal *journal = here->fixture.journal;
    assert_int_equal(journal_begin(journal), 0);
    while (journal->tree.size % TILE_WIDTH != 0)
        fixture_append(journal, LANE_TELEMETRY, "pulse.read", "{}");
    for (int i = 0; i < TILE_WIDTH; i++)
        fixture_append(journal, LANE_TELEMETRY, "pulse.read", "{}");
    assert_int_equal(journal_commit(journal), 0);
    fixture_seal(&here->fixture);
}

static struct thin_score thin_once(int64_t from, int64_t keep_ms)
{
    struct thin thin;
    struct thin_score score;
    struct buffer answer = {0};
    assert_int_equal(thin_begin(&thin, here->fixture.journal, from, keep_ms), 0);
    assert_int_equal(thin_work(&thin, &answer), 0);
    assert_int_equal(thin_end(&thin, &here->group, &answer, &score), 0);
    buffer_free(&answer);
    return score;
}

struct found {
    int count;
    int lanes[LANES];
    struct erasure *erasure; /* of the newest journal.thinned */
};

static int take(void *owner, const struct store_event *event)
{
    struct found *found = owner;
    char type[WORD_TYPE_MAX + 1];
    struct json *json = NULL;
    found->count++;
    found->lanes[event->lane]++;
    assert_int_equal(event_type(type, event->body, event->length), 0);
    if (strcmp(type, "journal.thinned") != 0)
        return 0;
    mem_free(found->erasure);
    assert_int_equal(json_parse(&json, event->body, event->length), 0);
    assert_int_equal(erasure_read(&found->erasure, json, FIXTURE_OFFICE), 0);
    json_free(json);
    return 0;
}

static struct found read_all(void)
{
    struct scan_filter all = {-1, NULL};
    struct found found = {.count = 0};
    int64_t seq = 0;
    while (seq < here->fixture.journal->size)
        assert_int_equal(scan_events(here->fixture.journal, &all, &seq, take, &found), 0);
    return found;
}

static void read_leaves(int64_t index, struct digest leaves[TILE_WIDTH])
{
    char name[TILE_PATH_ROOM];
    struct buffer file = {0};
    tile_path(name, 0, (uint64_t)index, TILE_WIDTH);
    assert_int_equal(file_read(&file, fixture_path(&here->fixture, name), 10000), 0);
    memcpy(leaves, file.bytes, TILE_WIDTH * sizeof(leaves[0]));
    buffer_free(&file);
}

/* The telemetry of all sealed tiles is gone, and only that; the event says so with good hashes. */
static void expect_thinned(int rounds)
{
    static struct digest leaves[TILE_WIDTH];
    struct found found = read_all();
    int left = 0;
    for (int64_t seq = TILES * 256; seq < ALL; seq++)
        left += seq % LANES == LANE_TELEMETRY;
    assert_int_equal(found.lanes[LANE_TELEMETRY], left);
    assert_int_equal(found.lanes[LANE_ALARM], (ALL + 2) / LANES);
    assert_int_equal(found.lanes[LANE_RECORD], (ALL + 1) / LANES + rounds);
    assert_non_null(found.erasure);
    assert_int_equal(found.erasure->tile_count, TILES);
    assert_int_equal(found.erasure->count, TILES * 256 / LANES);
    for (size_t i = 0; i < found.erasure->tile_count; i++) {
        read_leaves((int64_t)found.erasure->tiles[i].n, leaves);
        assert_true(
            erasure_fits(&found.erasure->tiles[i], here->fixture.journal->suite, leaves));
    }
    mem_free(found.erasure);
}

static int64_t length_of(const char *name)
{
    struct stat file;
    return stat(fixture_path(&here->fixture, name), &file) == 0 ? (int64_t)file.st_size
                                                                : -1;
}

/* Each bundle is the one its row says. */
static void expect_files(void)
{
    for (int64_t index = 0; index < TILES; index++) {
        char name[TILE_PATH_ROOM];
        struct store_tile row;
        struct buffer file = {0};
        struct digest digest;
        tile_path(name, -1, (uint64_t)index, TILE_WIDTH);
        assert_int_equal(file_read(&file, fixture_path(&here->fixture, name), 1 << 20),
                         0);
        suite_hash(suite_named("sha256+ed25519"), &digest, file.bytes, file.length);
        assert_int_equal(store_get_tile(here->fixture.journal->store, index, &row), 0);
        assert_true(digest_equal(&digest, &row.file));
        strcat(name, ".0.new");
        assert_int_equal(length_of(name), -1);
        buffer_free(&file);
    }
}

static void only_telemetry_goes_and_the_event_proves_it(void **state)
{
    (void)state;
    int64_t before = length_of("tile/entries/000");
    struct thin_score score = thin_once(0, 0);
    assert_int_equal(score.events, TILES * 256 / LANES);
    assert_int_equal(score.next, TILES);
    assert_int_equal(score.broken, -1);
    assert_true(length_of("tile/entries/000") < before);
    expect_thinned(1);
    expect_files();
    reopen();
    assert_int_equal(thin_finish(here->fixture.journal), 0);
    expect_thinned(1);
}

static void a_tile_of_which_nothing_is_left_has_no_file(void **state)
{
    (void)state;
    struct store_tile row;
    struct digest nothing;
    make_plain_tile();
    assert_true(length_of("tile/entries/004") > 0);
    struct thin_score score = thin_once(4, 0);
    assert_int_equal(score.events, 256);
    assert_true(score.freed > 0);
    assert_int_equal(length_of("tile/entries/004"), -1);
    assert_int_equal(length_of("tile/0/004"), 256 * 32);
    assert_int_equal(store_get_tile(here->fixture.journal->store, 4, &row), 0);
    suite_hash(suite_named("sha256+ed25519"), &nothing, "", 0);
    assert_true(digest_equal(&nothing, &row.file));
    struct found found = read_all();
    assert_int_equal(found.erasure->tiles[0].count, 1);
    mem_free(found.erasure);
    reopen();
}

static void without_telemetry_there_is_nothing_to_do(void **state)
{
    struct thin thin;
    (void)state;
    thin_once(0, 0);
    assert_int_equal(thin_begin(&thin, here->fixture.journal, 0, 0), -ENOENT);
    assert_int_equal(thin_begin(&thin, here->fixture.journal, 1000, 0), -ENOENT);
}

/* The first tile is at the city, the others are not: two rounds, each with its reason. */
static void what_the_city_has_and_is_old_enough_goes_for_that_reason(void **state)
{
    struct thin thin;
    (void)state;
    here->fixture.journal->marks[LANE_TELEMETRY] = 255;
    assert_int_equal(thin_begin(&thin, here->fixture.journal, 0, 0), 0);
    assert_true(thin.is_over);
    assert_int_equal(thin.count, 1);
    assert_int_equal(thin_begin(&thin, here->fixture.journal, 1, 0), 0);
    assert_false(thin.is_over);
    assert_int_equal(thin.count, TILES - 1);
    assert_int_equal(thin_begin(&thin, here->fixture.journal, 0, DAY_MS), 0);
    assert_false(thin.is_over);
    thin_once(0, 0);
    struct found found = read_all();
    assert_string_equal(found.erasure->reason, "retention");
    mem_free(found.erasure);
}

/* The city has the telemetry up to 299, in the middle of tile 1. */
static void what_the_city_has_does_not_go_with_what_it_will_never_get(void **state)
{
    (void)state;
    here->fixture.journal->marks[LANE_TELEMETRY] = 300;
    struct thin_score score = thin_once(0, 0);
    assert_int_equal(score.events, 100);
    assert_int_equal(score.next, 1);
    struct found found = read_all();
    assert_int_equal(found.erasure->tile_count, 2);
    assert_true(cover_has(&found.erasure->tiles[1].cover, 299 - 256));
    assert_false(cover_has(&found.erasure->tiles[1].cover, 302 - 256));
    mem_free(found.erasure);
    score = thin_once(score.next, 0);
    assert_int_equal(score.events, TILES * 256 / LANES - 100);
    assert_int_equal(score.next, TILES);
    found = read_all();
    assert_false(cover_has(&found.erasure->tiles[0].cover, 299 - 256));
    assert_true(cover_has(&found.erasure->tiles[0].cover, 302 - 256));
    mem_free(found.erasure);
}

/* Else it would be tried again for ever. */
static void a_broken_tile_is_passed_over_also_when_the_city_has_a_part_of_it(void **state)
{
    (void)state;
    here->fixture.journal->marks[LANE_TELEMETRY] = 300;
    fixture_flip(fixture_path(&here->fixture, "tile/entries/001"), -40);
    struct thin_score score = thin_once(1, 0);
    assert_int_equal(score.broken, 1);
    assert_int_equal(score.next, 2);
}

static void a_body_that_is_not_what_was_sealed_is_not_erased(void **state)
{
    (void)state;
    fixture_flip(fixture_path(&here->fixture, "tile/entries/001"), -40);
    struct thin_score score = thin_once(0, 0);
    assert_int_equal(score.broken, 1);
    assert_int_equal(score.next, TILES);
    assert_int_equal(score.events, (TILES - 1) * 256 / LANES + 1);
    assert_int_equal(length_of("tile/entries/001.0.new"), -1);
}

static void a_tile_that_is_gone_is_passed_over(void **state)
{
    (void)state;
    unlink(fixture_path(&here->fixture, "tile/entries/000"));
    unlink(fixture_path(&here->fixture, "tile/entries/001"));
    unlink(fixture_path(&here->fixture, "tile/entries/002"));
    struct thin_score score = thin_once(0, 0);
    assert_int_equal(score.events, 0);
    assert_int_equal(score.next, TILES);
    assert_int_equal(here->fixture.journal->size, ALL);
}

/* Every third event of sixteen tiles: more hashes than an event has room for. */
static void what_does_not_fit_into_one_event_goes_into_the_next(void **state)
{
    (void)state;
    int64_t from = 0, events = 0;
    fixture_fill(here->fixture.journal, THIN_TILES_MAX * 256);
    fixture_seal(&here->fixture);
    for (int round = 0; round < 2; round++) {
        struct thin_score score = thin_once(from, 0);
        struct found found = read_all();
        assert_true(score.next - from < THIN_TILES_MAX);
        assert_int_equal(found.erasure->tile_count, score.next - from);
        assert_int_equal(found.erasure->count, score.events);
        mem_free(found.erasure);
        from = score.next;
        events += score.events;
    }
    assert_int_equal(from, TILES + THIN_TILES_MAX);
    assert_true(events >= (TILES + THIN_TILES_MAX) * 256 / LANES - 1);
}

/* ---- Cuts: what the steps leave behind is all that the next start finds. */

static void cut_before_the_commit_nothing_has_happened(void **state)
{
    struct thin thin;
    struct buffer answer = {0};
    (void)state;
    assert_int_equal(thin_begin(&thin, here->fixture.journal, 0, 0), 0);
    assert_int_equal(thin_work(&thin, &answer), 0);
    assert_true(length_of("tile/entries/000.0.new") > 0);
    reopen();
    assert_int_equal(thin_finish(here->fixture.journal), 0);
    assert_int_equal(read_all().count, ALL);
    thin_once(0, 0);
    expect_thinned(1);
    expect_files();
    buffer_free(&answer);
}

/* As far as the commit, and so many of the files put in place. */
static void commit_and_cut(int placed)
{
    struct thin thin;
    struct thin_score score;
    struct buffer answer = {0}, old[TILES] = {{0}}, new[TILES] = {{0}};
    char name[TILES][TILE_PATH_ROOM], beside[TILE_PATH_ROOM + 8];
    for (int i = 0; i < TILES; i++) {
        tile_path(name[i], -1, (uint64_t)i, TILE_WIDTH);
        file_read(&old[i], fixture_path(&here->fixture, name[i]), 1 << 20);
    }
    assert_int_equal(thin_begin(&thin, here->fixture.journal, 0, 0), 0);
    assert_int_equal(thin_work(&thin, &answer), 0);
    assert_int_equal(thin_end(&thin, &here->group, &answer, &score), 0);
    for (int i = placed; i < TILES; i++) {
        const char *path = fixture_path(&here->fixture, name[i]);
        assert_int_equal(file_read(&new[i], path, 1 << 20), 0);
        assert_int_equal(file_put(path, old[i].bytes, old[i].length, 0640), 0);
        snprintf(beside, sizeof(beside), "%s.0.new", name[i]);
        assert_int_equal(file_put(fixture_path(&here->fixture, beside), new[i].bytes,
                                  new[i].length, 0640),
                         0);
    }
    for (int i = 0; i < TILES; i++) {
        buffer_free(&old[i]);
        buffer_free(&new[i]);
    }
    buffer_free(&answer);
}

static void cut_between_any_two_files_it_comes_to_its_end(void **state)
{
    for (int placed = 0; placed <= TILES; placed++) {
        start(state);
        commit_and_cut(placed);
        reopen();
        expect_thinned(1); /* readers see it so even before */
        assert_int_equal(thin_finish(here->fixture.journal), 0);
        expect_files();
        expect_thinned(1);
        stop(state);
    }
}

/* The keys of a damaged journal are copied into the new one: the old round means nothing there. */
static void a_round_of_another_log_does_nothing(void **state)
{
    (void)state;
    int64_t tiles[] = {5, 1};
    assert_int_equal(
        store_put(here->fixture.journal->store, "", "thinned", tiles, sizeof(tiles)), 0);
    assert_int_equal(thin_finish(here->fixture.journal), 0);
    expect_files();
    assert_int_equal(read_all().count, ALL);
    assert_int_equal(store_put(here->fixture.journal->store, "", "thinned", "short", 5),
                     0);
    assert_int_equal(thin_finish(here->fixture.journal), 0);
}

static void a_round_that_is_dropped_leaves_no_file(void **state)
{
    struct thin thin;
    struct buffer answer = {0};
    (void)state;
    assert_int_equal(thin_begin(&thin, here->fixture.journal, 0, 0), 0);
    assert_int_equal(thin_work(&thin, &answer), 0);
    assert_int_equal(
        file_put(fixture_path(&here->fixture, "tile/entries/002.0.new.77.new"), "half", 4,
                 0640),
        0);
    thin_drop(&thin, 77);
    assert_int_equal(length_of("tile/entries/002.0.new.77.new"), -1);
    expect_files();
    assert_true(thin_is_leftover("000.0.new"));
    assert_true(thin_is_leftover("000.0.new.77.new"));
    assert_false(thin_is_leftover("000.17.new"));
    assert_false(thin_is_leftover(".0.new"));
    buffer_free(&answer);
}

static void an_answer_that_was_cut_short_changes_nothing(void **state)
{
    struct thin thin;
    struct thin_score score;
    struct buffer answer = {0};
    (void)state;
    assert_int_equal(thin_begin(&thin, here->fixture.journal, 0, 0), 0);
    assert_int_equal(thin_work(&thin, &answer), 0);
    answer.length = 100;
    assert_int_equal(thin_end(&thin, &here->group, &answer, &score), -ECHILD);
    assert_int_equal(here->fixture.journal->size, ALL);
    buffer_free(&answer);
}

#define EACH(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(only_telemetry_goes_and_the_event_proves_it),
        EACH(a_tile_of_which_nothing_is_left_has_no_file),
        EACH(without_telemetry_there_is_nothing_to_do),
        EACH(what_the_city_has_and_is_old_enough_goes_for_that_reason),
        EACH(what_the_city_has_does_not_go_with_what_it_will_never_get),
        EACH(a_broken_tile_is_passed_over_also_when_the_city_has_a_part_of_it),
        EACH(a_body_that_is_not_what_was_sealed_is_not_erased),
        EACH(a_tile_that_is_gone_is_passed_over),
        EACH(what_does_not_fit_into_one_event_goes_into_the_next),
        EACH(cut_before_the_commit_nothing_has_happened),
        cmocka_unit_test(cut_between_any_two_files_it_comes_to_its_end),
        EACH(a_round_of_another_log_does_nothing),
        EACH(a_round_that_is_dropped_leaves_no_file),
        EACH(an_answer_that_was_cut_short_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
