/* Which blobs stay, how long, and who goes when room is scarce. */
#include "keeper/blobs/blobs.h"

#include <sys/stat.h>

#include "base/now.h"
#include "keeper/cellar.h"

static struct cellar cellar;

enum { DAY_MS = 24 * 3600 * 1000 };

static int start(void **state)
{
    (void)state;
    cellar_open(&cellar);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    cellar_close(&cellar);
    return 0;
}

static struct digest keep(const char *text, const char *class, int64_t keep_ms,
                          bool is_prompt)
{
    struct digest digest = cellar_spool(&cellar, text);
    cellar_keep(&cellar, &digest, class, keep_ms, is_prompt, 0);
    return digest;
}

/* As if its time were over. */
static void let_time_pass(const struct digest *digest)
{
    struct catalog_blob row = cellar_row(&cellar, digest);
    assert_int_equal(group_enter(&cellar.house.group), 0);
    row.until_us = now_utc_us() - 1;
    assert_int_equal(catalog_put(cellar.house.fixture.journal->store, &row), 0);
    group_commit(&cellar.house.group);
}

static void a_blob_stays_with_the_event_that_names_it(void **state)
{
    (void)state;
    struct digest digest = cellar_spool(&cellar, "evidence");
    assert_false(cellar_has_row(&cellar, &digest));
    int64_t before = now_utc_us();
    cellar_keep(&cellar, &digest, "important", DAY_MS, false, 0);
    struct catalog_blob row = cellar_row(&cellar, &digest);
    assert_int_equal(row.size, 8);
    assert_int_equal(row.class, CLASS_IMPORTANT);
    assert_int_equal(row.seq, 0);
    assert_true(row.has_sm3);
    assert_true(row.until_us >= before + DAY_MS * 1000LL);
    assert_int_equal(cellar_count_new(&cellar), 0);
    assert_true(cellar_can_read(&cellar, &digest));
    assert_int_equal(cellar.blobs.sum.count[CLASS_IMPORTANT], 1);
    assert_int_equal(cellar.blobs.sum.bytes[CLASS_IMPORTANT], cask_bytes(8));
}

static void what_the_host_has_not_sealed_it_cannot_keep(void **state)
{
    struct digest digest = {{7}};
    (void)state;
    cellar_keep(&cellar, &digest, "picture", DAY_MS, false, -EINVAL);
    assert_int_equal(cellar.house.fixture.journal->size, 0); /* nor its event */
    struct digest sealed = cellar_spool(&cellar, "one");
    spools_forget(&cellar.blobs.spools, &cellar.house.peers[HOUSE_HOST]); /* anew */
    cellar_keep(&cellar, &sealed, "picture", DAY_MS, false, -EINVAL);
    assert_false(cellar_has_row(&cellar, &sealed));
}

static void an_undone_group_gives_it_back(void **state)
{
    struct buffer frame = {0};
    (void)state;
    struct digest digest = cellar_spool(&cellar, "again");
    frame_begin(&frame, TALK_COMMIT, 5);
    cellar_put(&frame, &digest, "picture", DAY_MS, false);
    ends_say(cellar_host(&cellar), &frame);
    buffer_free(&frame);
    while (!cellar.house.group.journal->is_open)
        loop_turn(cellar.house.loop);
    assert_int_equal(cellar.blobs.sum.count[CLASS_PICTURE], 1);
    group_fail(&cellar.house.group, -ENOSPC);
    ends_done(cellar.house.loop, cellar_host(&cellar), &cellar.house.heard, 5, -ENOSPC);
    assert_false(cellar_has_row(&cellar, &digest));
    assert_int_equal(cellar.blobs.sum.count[CLASS_PICTURE], 0);
    assert_int_equal(cellar_count_new(&cellar), 1);
    cellar_keep(&cellar, &digest, "picture", DAY_MS, false, 0);
    assert_true(cellar_can_read(&cellar, &digest));
}

static void a_host_that_dies_before_its_group_is_on_disk_loses_nothing(void **state)
{
    struct buffer frame = {0};
    (void)state;
    struct digest digest = cellar_spool(&cellar, "last words");
    frame_begin(&frame, TALK_COMMIT, 5);
    cellar_put(&frame, &digest, "picture", DAY_MS, false);
    ends_say(cellar_host(&cellar), &frame);
    buffer_free(&frame);
    while (!cellar.house.group.journal->is_open)
        loop_turn(cellar.house.loop);
    spools_forget(&cellar.blobs.spools, &cellar.house.peers[HOUSE_HOST]);
    group_commit(&cellar.house.group);
    assert_true(cellar_has_row(&cellar, &digest));
    assert_true(cellar_can_read(&cellar, &digest));
    assert_null(cellar.blobs.spools.first);
}

static bool is_known(const char *text)
{
    struct field more;
    cellar_spool(&cellar, text);
    return fields_find(&cellar.house.heard.frame.fields, TAG_MORE, &more) == 0;
}

static void who_stores_what_this_log_has_named_hears_of_it(void **state)
{
    struct buffer frame = {0};
    (void)state;
    struct digest digest = cellar_spool(&cellar, "named");
    frame_begin(&frame, TALK_COMMIT, 5);
    house_event(&frame, "band.seen", "{}");
    cellar_put(&frame, &digest, "picture", DAY_MS, false);
    ends_say(cellar_host(&cellar), &frame);
    buffer_free(&frame);
    while (!cellar.house.group.journal->is_open)
        loop_turn(cellar.house.loop);
    loop_timer_stop(&cellar.house.group.window);
    assert_true(is_known("named")); /* also while its group is open */
    group_commit(&cellar.house.group);
    ends_done(cellar.house.loop, cellar_host(&cellar), &cellar.house.heard, 5, 0);
    assert_true(is_known("named"));
    struct catalog_blob row = cellar_row(&cellar, &digest);
    assert_int_equal(group_enter(&cellar.house.group), 0);
    row.seq = -1; /* of another log */
    assert_int_equal(catalog_put(cellar.house.fixture.journal->store, &row), 0);
    group_commit(&cellar.house.group);
    assert_false(is_known("named"));
}

static void the_same_bytes_are_one_file_whose_time_only_grows(void **state)
{
    (void)state;
    struct digest digest = keep("twice", "ordinary", 10 * DAY_MS, true);
    struct catalog_blob first = cellar_row(&cellar, &digest);
    assert_true(first.is_prompt);
    keep("twice", "picture", DAY_MS, false);
    struct catalog_blob row = cellar_row(&cellar, &digest);
    assert_int_equal(row.class, CLASS_ORDINARY);
    assert_int_equal(row.until_us, first.until_us);
    assert_false(row.is_prompt);
    assert_int_equal(cellar_count_placed(&cellar), 1);
    assert_int_equal(cellar_count_new(&cellar), 0);
    assert_int_equal(cellar.blobs.sum.count[CLASS_ORDINARY], 1);
    cellar_keep(&cellar, &digest, "important", 20LL * DAY_MS, false, 0); /* not sealed */
    row = cellar_row(&cellar, &digest);
    assert_int_equal(row.class, CLASS_IMPORTANT);
    assert_true(row.until_us > first.until_us);
    cellar_keep(&cellar, &digest, "case", 1, false, 0);
    row = cellar_row(&cellar, &digest);
    assert_int_equal(row.keep_ms, -1);
    assert_int_equal(row.until_us, -1);
    assert_int_equal(row.seq, 0);
    assert_true(cellar_can_read(&cellar, &digest));
}

static void a_time_that_is_over_releases_at_once_only_what_is_prompt(void **state)
{
    (void)state;
    struct digest prompt = keep("prompt", "picture", DAY_MS, true);
    struct digest patient = keep("patient", "picture", DAY_MS, false);
    struct digest young = keep("young", "picture", DAY_MS, true);
    let_time_pass(&prompt);
    let_time_pass(&patient);
    blobs_look(&cellar.blobs);
    group_commit(&cellar.house.group);
    assert_true(cellar_row(&cellar, &prompt).is_released);
    assert_false(cellar_row(&cellar, &patient).is_released);
    assert_false(cellar_row(&cellar, &young).is_released);
    assert_int_equal(cellar_events(&cellar, "blob.released"), 1);
    assert_int_equal(cellar.blobs.sum.count[CLASS_PICTURE], 2);
    assert_int_equal(cellar.blobs.sum.released, 1);
    cellar_erase(&cellar);
    assert_false(cellar_has_row(&cellar, &prompt));
    assert_int_equal(cellar.blobs.sum.released, 0);
    assert_int_equal(cellar_count_placed(&cellar), 2);
    assert_true(cellar_can_read(&cellar, &patient));
    assert_false(eraser_wants(&cellar.blobs));
}

/* The head of its file is gone, whoever had a link to it. */
static void what_is_released_is_erased_and_not_only_removed(void **state)
{
    char path[DEPOT_PATH_MAX], link_path[DEPOT_PATH_MAX];
    char head[CASK_HEAD];
    static const char NOTHING[CASK_HEAD];
    (void)state;
    struct digest digest = keep("secret", "picture", DAY_MS, true);
    assert_int_equal(depot_place(&cellar.blobs.depot, path, &digest), 0);
    assert_int_equal(file_join(link_path, sizeof(link_path), cellar.state, "link"), 0);
    assert_int_equal(link(path, link_path), 0);
    let_time_pass(&digest);
    blobs_look(&cellar.blobs);
    cellar_erase(&cellar);
    struct buffer bytes = {0};
    assert_int_equal(file_read(&bytes, link_path, 1000), 0);
    memcpy(head, bytes.bytes, sizeof(head));
    buffer_free(&bytes);
    assert_memory_equal(head, NOTHING, sizeof(head));
    assert_int_equal(access(path, F_OK), -1);
}

static void nothing_moves_before_its_release_is_on_disk(void **state)
{
    (void)state;
    struct digest digest = keep("not yet", "picture", DAY_MS, true);
    let_time_pass(&digest);
    blobs_look(&cellar.blobs);
    assert_true(cellar.house.group.journal->is_open);
    assert_true(cellar_can_read(&cellar, &digest));
    group_fail(&cellar.house.group, -ENOSPC);
    assert_false(cellar_row(&cellar, &digest).is_released);
    assert_int_equal(cellar.blobs.sum.count[CLASS_PICTURE], 1);
    assert_int_equal(cellar.blobs.sum.released, 0);
    cellar_erase(&cellar);
    assert_true(cellar_can_read(&cellar, &digest));
}

static void what_is_stored_again_while_it_is_erased_stays(void **state)
{
    struct buffer left = {0};
    (void)state;
    for (int when = 0; when < 3; when++) {
        struct digest digest = keep("phoenix", "picture", DAY_MS, true);
        let_time_pass(&digest);
        blobs_look(&cellar.blobs);
        group_commit(&cellar.house.group);
        cellar_keep(&cellar, &digest, "picture", DAY_MS, false, -EINVAL);
        if (when == 0)
            keep("phoenix", "picture", DAY_MS, true);
        assert_int_equal(eraser_begin(&cellar.blobs), 0);
        if (when == 1)
            keep("phoenix", "picture", DAY_MS, true);
        assert_int_equal(eraser_work(&cellar.blobs, &left), 0);
        if (when == 2)
            keep("phoenix", "picture", DAY_MS, true);
        assert_int_equal(eraser_end(&cellar.blobs, &left), 0);
        group_commit(&cellar.house.group);
        buffer_free(&left);
        cellar_erase(&cellar);
        assert_false(cellar_row(&cellar, &digest).is_released);
        assert_true(cellar_can_read(&cellar, &digest));
        assert_int_equal(cellar.blobs.sum.count[CLASS_PICTURE], 1);
        assert_int_equal(cellar.blobs.sum.released, 0);
    }
}

/* Its second file is in its place, of which nothing but the row tells. */
static void what_is_stored_and_released_again_while_it_is_erased_goes_too(void **state)
{
    struct buffer left = {0};
    (void)state;
    struct digest digest = keep("phoenix", "picture", DAY_MS, true);
    let_time_pass(&digest);
    blobs_look(&cellar.blobs);
    group_commit(&cellar.house.group);
    assert_int_equal(eraser_begin(&cellar.blobs), 0);
    assert_int_equal(eraser_work(&cellar.blobs, &left), 0);
    keep("phoenix", "picture", DAY_MS, true);
    let_time_pass(&digest);
    blobs_look(&cellar.blobs);
    group_commit(&cellar.house.group);
    assert_int_equal(eraser_end(&cellar.blobs, &left), 0);
    buffer_free(&left);
    assert_true(cellar_has_row(&cellar, &digest));
    cellar_erase(&cellar);
    assert_false(cellar_has_row(&cellar, &digest));
    assert_int_equal(cellar_count_placed(&cellar), 0);
}

static void one_file_that_cannot_be_erased_keeps_no_other_from_going(void **state)
{
    char path[DEPOT_PATH_MAX];
    (void)state;
    assert_int_equal(file_join(path, sizeof(path), cellar.state, "blobs/old/no-file"), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    struct digest digest = keep("others", "picture", DAY_MS, true);
    let_time_pass(&digest);
    blobs_look(&cellar.blobs);
    cellar_erase(&cellar);
    assert_false(cellar_has_row(&cellar, &digest));
    assert_int_equal(cellar_count_placed(&cellar), 0);
    assert_int_equal(cellar.blobs.left, 1);
    blobs_look(&cellar.blobs);
    assert_false(eraser_wants(&cellar.blobs)); /* not at once */
    cellar.blobs.left_us -= BLOBS_LEFT_MS * 1000LL;
    blobs_look(&cellar.blobs);
    assert_true(eraser_wants(&cellar.blobs));
    assert_int_equal(rmdir(path), 0);
    cellar_erase(&cellar);
    assert_int_equal(cellar.blobs.left, 0);
    assert_false(eraser_wants(&cellar.blobs));
}

/* A file of that name, where its folder should be made: so does a full disk refuse it. */
static void one_that_cannot_go_to_its_place_goes_there_later(void **state)
{
    char folder[DEPOT_PATH_MAX];
    (void)state;
    struct digest digest = cellar_spool(&cellar, "in the way");
    assert_int_equal(depot_place(&cellar.blobs.depot, folder, &digest), 0);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(file_put(folder, "", 0, 0600), 0);
    cellar_keep(&cellar, &digest, "important", DAY_MS, false, 0);
    assert_int_equal(cellar_count_new(&cellar), 1);
    blobs_damaged(&cellar.blobs, &digest, "missing"); /* as who reads it would say */
    blobs_look(&cellar.blobs);
    assert_int_equal(cellar_count_new(&cellar), 1);
    assert_int_equal(unlink(folder), 0);
    struct digest other = cellar_spool(&cellar, "of a host, and not named");
    blobs_look(&cellar.blobs);
    assert_int_equal(cellar_count_new(&cellar), 1);
    assert_true(cellar_can_read(&cellar, &digest));
    assert_false(cellar_row(&cellar, &digest).is_damaged);
    assert_int_equal(cellar_events(&cellar, "blob.damaged"), 0);
    cellar_keep(&cellar, &other, "picture", DAY_MS, false, 0);
    assert_true(cellar_can_read(&cellar, &other));
}

/* The quota leaves room for what is stored and `more`, the reserve not counted. */
static void leave_room(int64_t more)
{
    int64_t bytes = 0;
    for (int class = 0; class < CATALOG_CLASSES; class ++)
        bytes += cellar.blobs.sum.bytes[class];
    cellar.blobs.stock.reserve = 1000;
    cellar.blobs.stock.quota = bytes + more + cellar.blobs.stock.reserve;
}

static int ask(const char *class, int64_t most)
{
    int64_t number;
    int fd;
    int err = cellar_ask(&cellar, class, most, &number, &fd);
    if (!err) {
        close(fd);
        cellar_say(&cellar, TALK_ABANDON, 0, number);
        ends_run(cellar.house.loop, -1, 10);
    }
    return err;
}

static void beyond_the_quota_only_important_ones_are_taken(void **state)
{
    (void)state;
    keep("something", "picture", DAY_MS, false);
    leave_room(cask_bytes(100));
    assert_int_equal(ask("ordinary", 100), 0);
    assert_int_equal(ask("ordinary", 101), -ENOSPC);
    assert_int_equal(ask("capture", 101), -ENOSPC);
    assert_int_equal(cellar_events(&cellar, "storage.full"), 1); /* once */
    assert_int_equal(ask("important", 101), 0);
    assert_int_equal(ask("case", 100 + 1000), 0);
    assert_int_equal(ask("case", 100 + 1001), -ENOSPC);
    assert_int_equal(cellar_events(&cellar, "storage.full"), 2); /* and this is worse */
    leave_room(0);
    cellar.blobs.refusal.last_us -= REFUSAL_HOLD_MS * 1000LL + 1;
    blobs_look(&cellar.blobs);
    assert_int_equal(cellar_events(&cellar, "storage.back"), 0);
    leave_room(1 << 20);
    blobs_look(&cellar.blobs);
    assert_int_equal(cellar_events(&cellar, "storage.back"), 1);
}

/* As if so long ago somebody had been refused for the last time. */
static void look_later(int64_t ms)
{
    cellar.blobs.refusal.last_us -= ms * 1000 + 1;
    blobs_look(&cellar.blobs);
}

static void room_for_less_than_was_refused_is_no_end_of_it(void **state)
{
    (void)state;
    keep("something", "picture", DAY_MS, false);
    leave_room(1 << 20);
    assert_int_equal(ask("ordinary", 2 << 20), -ENOSPC);
    assert_int_equal(ask("ordinary", 1 << 21), -ENOSPC);
    assert_int_equal(ask("ordinary", 100), 0);
    for (int i = 0; i < 3; i++) {
        look_later(REFUSAL_HOLD_MS);
        assert_int_equal(ask("ordinary", 2 << 20), -ENOSPC); /* a dock, again */
    }
    assert_int_equal(cellar_events(&cellar, "storage.full"), 1);
    assert_int_equal(cellar_events(&cellar, "storage.back"), 0);
    leave_room(4 << 20);
    look_later(REFUSAL_HOLD_MS);
    assert_int_equal(cellar_events(&cellar, "storage.back"), 1);
}

static void what_was_refused_and_comes_leaves_no_wish(void **state)
{
    (void)state;
    keep("something", "picture", DAY_MS, false);
    leave_room(1 << 20);
    assert_int_equal(ask("ordinary", 2 << 20), -ENOSPC);
    leave_room(3 << 20);
    assert_int_equal(ask("ordinary", 2 << 20), 0);
    leave_room(1 << 20); /* which it has taken */
    look_later(REFUSAL_HOLD_MS);
    assert_int_equal(cellar_events(&cellar, "storage.back"), 1);
}

static void what_nobody_asks_for_any_more_is_forgotten(void **state)
{
    (void)state;
    keep("something", "picture", DAY_MS, false);
    leave_room(1 << 20);
    assert_int_equal(ask("ordinary", 2 << 20), -ENOSPC);
    look_later(REFUSAL_FORGET_MS - REFUSAL_HOLD_MS);
    assert_int_equal(cellar_events(&cellar, "storage.back"), 0);
    look_later(REFUSAL_HOLD_MS);
    assert_int_equal(cellar_events(&cellar, "storage.back"), 1);
    assert_int_equal(ask("ordinary", 2 << 20), -ENOSPC);
    assert_int_equal(cellar_events(&cellar, "storage.full"), 2);
}

static void who_is_past_its_time_goes_first_the_weakest_and_oldest(void **state)
{
    (void)state;
    struct digest important = keep("important", "important", DAY_MS, false);
    struct digest ordinary = keep("ordinary", "ordinary", DAY_MS, false);
    struct digest young = keep("young", "picture", DAY_MS, false);
    struct digest of_case = keep("case", "case", 1, false);
    struct digest late = keep("late", "picture", DAY_MS, false);
    struct digest early = keep("early", "picture", DAY_MS, false);
    let_time_pass(&early);
    let_time_pass(&late);
    let_time_pass(&ordinary);
    let_time_pass(&important);
    leave_room(0);
    assert_int_equal(ask("ordinary", 5), 0);
    group_commit(&cellar.house.group);
    assert_true(cellar_row(&cellar, &early).is_released);
    assert_false(cellar_row(&cellar, &late).is_released);
    leave_room(0);
    assert_int_equal(ask("ordinary", 100), 0); /* it needs all of them */
    assert_true(cellar_row(&cellar, &late).is_released);
    assert_true(cellar_row(&cellar, &ordinary).is_released);
    assert_true(cellar_row(&cellar, &important).is_released);
    assert_false(cellar_row(&cellar, &young).is_released);
    assert_false(cellar_row(&cellar, &of_case).is_released);
    assert_int_equal(cellar_events(&cellar, "blob.released"), 4);
    assert_int_equal(cellar_events(&cellar, "storage.full"), 0);
}

static void a_filling_quota_is_told_by_levels(void **state)
{
    (void)state;
    keep("a few bytes", "picture", DAY_MS, false);
    cellar.blobs.stock.reserve = 0;
    cellar.blobs.stock.quota = cask_bytes(11) * 100 / 90;
    blobs_look(&cellar.blobs);
    blobs_look(&cellar.blobs);
    assert_int_equal(cellar_events(&cellar, "storage.low"), 1);
    assert_int_equal(cellar.blobs.told, 85);
    blobs_close(&cellar.blobs); /* and not again after a restart */
    cellar_open_blobs(&cellar);
    assert_int_equal(cellar.blobs.told, 85);
}

static void what_was_stored_while_the_clock_was_not_set_is_dated_later(void **state)
{
    (void)state;
    struct digest digest = keep("undated", "picture", DAY_MS, true);
    struct catalog_blob row = cellar_row(&cellar, &digest);
    row.until_us = -1;
    assert_int_equal(group_enter(&cellar.house.group), 0);
    assert_int_equal(catalog_put(cellar.house.fixture.journal->store, &row), 0);
    group_commit(&cellar.house.group);
    assert_int_equal(blobs_count(&cellar.blobs), 0);
    assert_true(cellar.blobs.has_undated);
    int64_t before = now_utc_us();
    blobs_look(&cellar.blobs);
    group_commit(&cellar.house.group);
    row = cellar_row(&cellar, &digest);
    assert_false(row.is_released);
    assert_true(row.until_us >= before + DAY_MS * 1000LL);
    assert_false(cellar.blobs.has_undated);
}

static void damage_is_told_once_and_healed_by_the_same_bytes(void **state)
{
    char path[DEPOT_PATH_MAX];
    (void)state;
    struct digest digest = keep("fragile", "picture", DAY_MS, false);
    assert_int_equal(depot_place(&cellar.blobs.depot, path, &digest), 0);
    fixture_flip(path, CASK_HEAD);
    assert_false(cellar_can_read(&cellar, &digest));
    blobs_damaged(&cellar.blobs, &digest, "changed");
    blobs_damaged(&cellar.blobs, &digest, "changed");
    assert_int_equal(cellar_events(&cellar, "blob.damaged"), 1);
    assert_int_equal(cellar.blobs.sum.damaged, 1);
    keep("fragile", "picture", DAY_MS, false);
    assert_false(cellar_row(&cellar, &digest).is_damaged);
    assert_true(cellar_can_read(&cellar, &digest));
    assert_int_equal(cellar.blobs.sum.damaged, 0);
}

static void the_report_says_what_there_is(void **state)
{
    struct buffer out = {0};
    struct json *json;
    (void)state;
    keep("one", "picture", DAY_MS, false);
    keep("two", "case", -1, false);
    blobs_print(&cellar.blobs, &out);
    assert_int_equal(json_parse(&json, out.bytes, out.length), 0);
    assert_int_equal(json_number(json, "count", 0), 2);
    assert_int_equal(json_number(json, "bytes", 0), 2 * cask_bytes(3));
    assert_int_equal(json_number(json_get(json_get(json, "classes"), "case"), "count", 0),
                     1);
    json_free(json);
    buffer_free(&out);
}

#define in_a_cellar(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_cellar(a_blob_stays_with_the_event_that_names_it),
        in_a_cellar(what_the_host_has_not_sealed_it_cannot_keep),
        in_a_cellar(an_undone_group_gives_it_back),
        in_a_cellar(a_host_that_dies_before_its_group_is_on_disk_loses_nothing),
        in_a_cellar(who_stores_what_this_log_has_named_hears_of_it),
        in_a_cellar(the_same_bytes_are_one_file_whose_time_only_grows),
        in_a_cellar(a_time_that_is_over_releases_at_once_only_what_is_prompt),
        in_a_cellar(what_is_released_is_erased_and_not_only_removed),
        in_a_cellar(nothing_moves_before_its_release_is_on_disk),
        in_a_cellar(what_is_stored_again_while_it_is_erased_stays),
        in_a_cellar(what_is_stored_and_released_again_while_it_is_erased_goes_too),
        in_a_cellar(one_file_that_cannot_be_erased_keeps_no_other_from_going),
        in_a_cellar(one_that_cannot_go_to_its_place_goes_there_later),
        in_a_cellar(beyond_the_quota_only_important_ones_are_taken),
        in_a_cellar(room_for_less_than_was_refused_is_no_end_of_it),
        in_a_cellar(what_was_refused_and_comes_leaves_no_wish),
        in_a_cellar(what_nobody_asks_for_any_more_is_forgotten),
        in_a_cellar(who_is_past_its_time_goes_first_the_weakest_and_oldest),
        in_a_cellar(a_filling_quota_is_told_by_levels),
        in_a_cellar(what_was_stored_while_the_clock_was_not_set_is_dated_later),
        in_a_cellar(damage_is_told_once_and_healed_by_the_same_bytes),
        in_a_cellar(the_report_says_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
