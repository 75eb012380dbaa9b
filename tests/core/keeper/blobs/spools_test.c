/* What a host writes goes to disk by a scribe; what it names in no commit goes when it does. */
#include "keeper/blobs/spools.h"

#include "keeper/cellar.h"

static struct cellar cellar;

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

static void what_a_host_writes_is_sealed_by_its_hash(void **state)
{
    struct digest digest, expected;
    int64_t number;
    int fd;
    (void)state;
    assert_int_equal(cellar_ask(&cellar, "picture", 100, &number, &fd), 0);
    assert_int_equal(spools_count(&cellar.blobs.spools), 1);
    assert_int_equal(spools_promised(&cellar.blobs.spools), cask_bytes(100));
    cellar_write(fd, "a picture", 9);
    assert_int_equal(cellar_seal(&cellar, number, fd, &digest), 0);
    suite_hash(suite_named(FIXTURE_SUITE), &expected, "a picture", 9);
    assert_true(digest_equal(&digest, &expected));
    assert_int_equal(ends_number(&cellar.house.heard.frame.fields, TAG_SIZE), 9);
    assert_int_equal(spools_count(&cellar.blobs.spools), 0);
    assert_int_equal(spools_promised(&cellar.blobs.spools), cask_bytes(9));
    assert_int_equal(cellar_count_new(&cellar), 1);
    assert_non_null(
        spools_find(&cellar.blobs.spools, &cellar.house.peers[HOUSE_HOST], &digest));
    assert_null(
        spools_find(&cellar.blobs.spools, &cellar.house.peers[HOUSE_READER], &digest));
}

static void what_the_disk_has_of_it_has_arrived(void **state)
{
    enum { SIZE = 4 * 1024 * 1024 };
    const struct spools *spools = &cellar.blobs.spools;
    static uint8_t bytes[SIZE];
    struct digest digest;
    int64_t number;
    int fd;
    (void)state;
    assert_int_equal(cellar_ask(&cellar, "ordinary", 2 * SIZE, &number, &fd), 0);
    assert_true(spools_arrived(spools) < SIZE);
    cellar_write(fd, bytes, SIZE);
    for (int i = 0; i < 6000 && spools_arrived(spools) < SIZE / 2; i++)
        usleep(10000);
    assert_true(spools_arrived(spools) >= SIZE / 2);
    assert_int_equal(spools_promised(spools), cask_bytes(2 * SIZE));
    assert_int_equal(cellar_seal(&cellar, number, fd, &digest), 0);
    assert_int_equal(spools_arrived(spools), cask_bytes(SIZE));
    assert_int_equal(spools_promised(spools), cask_bytes(SIZE));
}

/* The scribe may be done before SEAL comes, or long after it. */
static void the_hashes_may_come_before_or_after_they_are_asked_for(void **state)
{
    struct digest digest;
    int64_t number;
    int fd;
    (void)state;
    assert_int_equal(cellar_ask(&cellar, "picture", 100, &number, &fd), 0);
    close(fd);
    assert_false(ends_run(cellar.house.loop, cellar_host(&cellar), 100));
    assert_int_equal(cellar_seal(&cellar, number, dup(0), &digest), 0);
    assert_int_equal(cellar_ask(&cellar, "picture", 100, &number, &fd), 0);
    cellar_say(&cellar, TALK_SEAL, 40, number);
    assert_false(ends_run(cellar.house.loop, cellar_host(&cellar), 50));
    close(fd);
    ends_expect(cellar.house.loop, cellar_host(&cellar), &cellar.house.heard, TALK_SEALED,
                40);
}

static void the_fifth_at_once_has_to_wait(void **state)
{
    int64_t numbers[TALK_SPOOLS_MAX + 1];
    int fds[TALK_SPOOLS_MAX + 1];
    (void)state;
    for (int i = 0; i < TALK_SPOOLS_MAX; i++)
        assert_int_equal(cellar_ask(&cellar, "picture", 10, &numbers[i], &fds[i]), 0);
    assert_int_equal(cellar_ask(&cellar, "picture", 10, &numbers[4], &fds[4]), -EBUSY);
    close(fds[0]);
    cellar_say(&cellar, TALK_ABANDON, 0, numbers[0]);
    assert_int_equal(cellar_ask(&cellar, "picture", 10, &numbers[0], &fds[0]), 0);
    for (int i = 0; i < TALK_SPOOLS_MAX; i++)
        close(fds[i]);
}

static void what_is_abandoned_leaves_nothing(void **state)
{
    int64_t number;
    int fd;
    struct digest digest;
    (void)state;
    assert_int_equal(cellar_ask(&cellar, "picture", 1 << 20, &number, &fd), 0);
    cellar_write(fd, "half of it", 10);
    cellar_say(&cellar, TALK_ABANDON, 0, number);
    ends_run(cellar.house.loop, -1, 30);
    assert_int_equal(cellar_count_new(&cellar), 0);
    assert_true(eraser_wants(&cellar.blobs));
    cellar_erase(&cellar);
    assert_int_equal(write(fd, "x", 1), -1); /* and nobody reads it */
    assert_int_equal(cellar_seal(&cellar, number, fd, &digest), -ENOENT);
}

static void a_host_that_goes_leaves_nothing_that_it_has_not_named(void **state)
{
    int64_t number;
    int fd;
    (void)state;
    cellar_spool(&cellar, "sealed");
    assert_int_equal(cellar_ask(&cellar, "picture", 10, &number, &fd), 0);
    cellar_write(fd, "open", 4);
    struct digest kept = cellar_spool(&cellar, "kept");
    cellar_keep(&cellar, &kept, "picture", 1000000, false, 0);
    shutdown(cellar_host(&cellar), SHUT_RDWR);
    ends_run(cellar.house.loop, -1, 50);
    assert_int_equal(cellar.house.gone, 1);
    assert_null(cellar.blobs.spools.first);
    assert_int_equal(cellar_count_new(&cellar), 0);
    assert_int_equal(cellar_count_placed(&cellar), 1);
    close(fd);
}

static void more_bytes_than_agreed_are_refused(void **state)
{
    int64_t number;
    int fd;
    struct digest digest;
    (void)state;
    assert_int_equal(cellar_ask(&cellar, "picture", 3, &number, &fd), 0);
    cellar_write(fd, "four", 4);
    assert_int_equal(cellar_seal(&cellar, number, fd, &digest), -EFBIG);
    assert_int_equal(cellar_count_new(&cellar), 0);
    assert_null(cellar.blobs.spools.first);
}

static void a_silent_spool_is_ended_and_its_host_learns_why(void **state)
{
    int64_t number;
    int fd;
    struct digest digest;
    (void)state;
    cellar.blobs.spools.silence_ms = 20;
    assert_int_equal(cellar_ask(&cellar, "picture", 3, &number, &fd), 0);
    while (spools_promised(&cellar.blobs.spools) !=
           cask_bytes(0)) /* the scribe is over */
        loop_turn(cellar.house.loop);
    assert_int_equal(spools_count(&cellar.blobs.spools), 1); /* until it has asked */
    assert_int_equal(cellar_seal(&cellar, number, fd, &digest), -ETIMEDOUT);
    assert_int_equal(spools_count(&cellar.blobs.spools), 0);
}

/* Out of memory, for instance. */
static void a_scribe_that_dies_is_told_and_leaves_nothing(void **state)
{
    int64_t number;
    int fd, scribe = 0;
    struct digest digest;
    (void)state;
    assert_int_equal(cellar_ask(&cellar, "picture", 100, &number, &fd), 0);
    cellar_write(fd, "half", 4);
    FILE *children = fopen("/proc/thread-self/children", "r");
    bool found = children != NULL && fscanf(children, "%d", &scribe) == 1;
    if (children != NULL)
        fclose(children);
    if (!found)
        skip();
    assert_true(scribe > 1);
    assert_int_equal(kill(scribe, SIGKILL), 0);
    assert_int_equal(cellar_seal(&cellar, number, fd, &digest), -EIO);
    assert_int_equal(cellar_count_new(&cellar), 0);
    assert_null(cellar.blobs.spools.first);
}

static void of_too_many_that_are_sealed_the_oldest_goes(void **state)
{
    struct digest first = {{0}}, digest;
    (void)state;
    for (int i = 0; i <= SPOOLS_SEALED_MAX; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", i);
        digest = cellar_spool(&cellar, text);
        if (i == 0)
            first = digest;
    }
    assert_int_equal(cellar_count_new(&cellar), SPOOLS_SEALED_MAX);
    cellar_keep(&cellar, &first, "picture", 1, false, -EINVAL);
    cellar_keep(&cellar, &digest, "picture", 1, false, 0);
}

/* What SEALED said of a blob of that text. */
static bool is_known(const char *text)
{
    struct field more;
    cellar_spool(&cellar, text);
    return fields_find(&cellar.house.heard.frame.fields, TAG_MORE, &more) == 0;
}

/* From now on it is the reader who speaks, as a second host; and back. */
static void take_turns(void)
{
    struct house *house = &cellar.house;
    int end = house->ends[HOUSE_HOST];
    house->ends[HOUSE_HOST] = house->ends[HOUSE_READER];
    house->ends[HOUSE_READER] = end;
    house->peers[HOUSE_READER].role = PEER_HOST;
}

/* The other host has sealed a twin, and this one asks for its own to be sealed. */
static struct digest write_twin(void)
{
    struct digest digest = cellar_spool(&cellar, "twin");
    int64_t number;
    int fd;
    take_turns();
    assert_int_equal(cellar_ask(&cellar, "picture", 4, &number, &fd), 0);
    cellar_write(fd, "twin", 4);
    close(fd);
    cellar_say(&cellar, TALK_SEAL, 32, number);
    for (int i = 0; i < 50 && !loop_timer_is_running(&cellar.blobs.spools.patience); i++)
        ends_run(cellar.house.loop, -1, 50);
    assert_true(loop_timer_is_running(&cellar.blobs.spools.patience));
    return digest;
}

static bool hears_that_it_is_known(void)
{
    struct field more;
    ends_expect(cellar.house.loop, cellar_host(&cellar), &cellar.house.heard, TALK_SEALED,
                32);
    return fields_find(&cellar.house.heard.frame.fields, TAG_MORE, &more) == 0;
}

static void who_was_second_is_the_first_when_the_first_has_died(void **state)
{
    (void)state;
    write_twin();
    spools_forget(&cellar.blobs.spools, &cellar.house.peers[HOUSE_HOST]);
    assert_false(hears_that_it_is_known());
}

static void who_was_second_hears_when_the_first_has_named_it(void **state)
{
    struct digest digest = write_twin();
    (void)state;
    take_turns();
    cellar_keep(&cellar, &digest, "picture", 1000, false, 0);
    take_turns();
    assert_true(hears_that_it_is_known());
}

static void who_was_second_waits_for_one_that_names_nothing_only_so_long(void **state)
{
    (void)state;
    write_twin();
    loop_timer_start(cellar.house.loop, &cellar.blobs.spools.patience, 0);
    assert_true(hears_that_it_is_known());
}

static void who_seals_the_same_bytes_behind_another_host_hears_of_it(void **state)
{
    (void)state;
    cellar.blobs.spools.await_ms = 1;
    assert_false(is_known("twin"));
    assert_false(is_known("twin")); /* its own, which it has not named */
    take_turns();
    assert_true(is_known("twin"));
    assert_false(is_known("no twin"));
    spools_forget(&cellar.blobs.spools, &cellar.house.peers[HOUSE_HOST]);
    assert_false(is_known("twin"));
    take_turns();
    assert_true(is_known("twin"));
}

static void what_is_not_as_agreed_is_refused(void **state)
{
    int64_t number;
    int fd;
    (void)state;
    assert_int_equal(cellar_ask(&cellar, "unknown", 3, &number, &fd), -EINVAL);
    assert_int_equal(cellar_ask(&cellar, "picture", -1, &number, &fd), -EINVAL);
    assert_int_equal(cellar_ask(&cellar, "picture", SPOOLS_BYTES_MAX + 1, &number, &fd),
                     -EINVAL);
    ends_tell(cellar_host(&cellar), TALK_ABANDON, 0); /* none of its */
    struct buffer frame = {0};
    frame_begin(&frame, TALK_SPOOL, 1);
    frame_put_text(&frame, TAG_NAME, "picture");
    ends_say(cellar_host(&cellar), &frame);
    buffer_free(&frame);
    ends_expect_end(cellar.house.loop, cellar_host(&cellar), &cellar.house.heard);
}

static void asking_twice_for_the_same_seal_ends_the_host(void **state)
{
    int64_t number;
    int fd;
    (void)state;
    assert_int_equal(cellar_ask(&cellar, "picture", 3, &number, &fd), 0);
    cellar_say(&cellar, TALK_SEAL, 1, number);
    cellar_say(&cellar, TALK_SEAL, 2, number);
    ends_expect_end(cellar.house.loop, cellar_host(&cellar), &cellar.house.heard);
    close(fd);
}

#define in_a_cellar(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_cellar(what_a_host_writes_is_sealed_by_its_hash),
        in_a_cellar(what_the_disk_has_of_it_has_arrived),
        in_a_cellar(the_hashes_may_come_before_or_after_they_are_asked_for),
        in_a_cellar(the_fifth_at_once_has_to_wait),
        in_a_cellar(what_is_abandoned_leaves_nothing),
        in_a_cellar(a_host_that_goes_leaves_nothing_that_it_has_not_named),
        in_a_cellar(more_bytes_than_agreed_are_refused),
        in_a_cellar(a_silent_spool_is_ended_and_its_host_learns_why),
        in_a_cellar(a_scribe_that_dies_is_told_and_leaves_nothing),
        in_a_cellar(of_too_many_that_are_sealed_the_oldest_goes),
        in_a_cellar(who_was_second_is_the_first_when_the_first_has_died),
        in_a_cellar(who_was_second_hears_when_the_first_has_named_it),
        in_a_cellar(who_was_second_waits_for_one_that_names_nothing_only_so_long),
        in_a_cellar(who_seals_the_same_bytes_behind_another_host_hears_of_it),
        in_a_cellar(what_is_not_as_agreed_is_refused),
        in_a_cellar(asking_twice_for_the_same_seal_ends_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
