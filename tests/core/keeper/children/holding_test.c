/* What an instance may keep: up to the bound, told clearly beyond it, counted rightly through
 * replacing, removing, failing groups and restarts. The bounds are small here. */
#include "keeper/children/holding.h"

#include "keeper/house.h"

static struct house house;
static char big[TALK_VALUE_MAX + 1];

static int start(void **state)
{
    (void)state;
    house_open(&house);
    house_greet(&house);
    memset(big, 'x', sizeof(big) - 1);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    house_close(&house);
    return 0;
}

static void remove_key(struct buffer *frame, const char *key)
{
    size_t mark = frame_open(frame, TAG_REMOVE);
    frame_put_text(frame, TAG_KEY, key);
    frame_close(frame, mark);
}

static void begin(struct buffer *frame)
{
    frame_begin(frame, TALK_COMMIT, 9);
}

/* The commit in the frame is answered so. */
static void expect(struct buffer *frame, int64_t err)
{
    ends_say(house.ends[HOUSE_HOST], frame);
    buffer_free(frame);
    ends_done(house.loop, house.ends[HOUSE_HOST], &house.heard, 9, err);
}

static void put_one(const char *key, const char *value, int64_t err)
{
    struct buffer frame = {0};
    begin(&frame);
    house_put(&frame, key, value);
    expect(&frame, err);
}

/* Keys k0, k1 ... until the instance holds `count`. */
static void put_keys(int from, int count, const char *value)
{
    for (int i = from; i < count; i++) {
        char key[20];
        snprintf(key, sizeof(key), "k%d", i);
        put_one(key, value, 0);
    }
}

static void expect_sum(int64_t keys, int64_t bytes)
{
    struct holding *holding;
    assert_int_equal(holding_find(&house.group.holdings, house.fixture.journal->store,
                                  "gate", &holding),
                     0);
    assert_int_equal(holding->now.keys, keys);
    assert_int_equal(holding->now.bytes, bytes);
    assert_int_equal(holding->durable.keys, keys);
    assert_int_equal(
        fixture_ask(&house.fixture, "SELECT count(*) FROM kv WHERE instance = 'gate'"),
        keys);
}

static void one_key_more_than_the_bound_is_refused_and_says_why(void **state)
{
    struct field why;
    char text[200];
    (void)state;
    put_keys(0, TALK_STORE_KEYS_MAX, "v");
    put_one("one more", "v", -EDQUOT);
    assert_int_equal(fields_find(&house.heard.frame.fields, TAG_TEXT, &why), 0);
    assert_int_equal(field_text(&why, text, sizeof(text)), 0);
    assert_string_equal(text, "store: expected at most 64 keys and 1024 KiB in all, this "
                              "would make it 65 keys and 1 KiB");
    expect_sum(TALK_STORE_KEYS_MAX, 10 * 3 + 54 * 4);
}

static void at_the_bound_keys_are_replaced_and_make_room_for_each_other(void **state)
{
    struct buffer frame = {0};
    (void)state;
    put_keys(0, TALK_STORE_KEYS_MAX, "v");
    put_one("k0", "another", 0);
    begin(&frame);
    remove_key(&frame, "k0");
    house_put(&frame, "new", "v");
    house_put(&frame, "new", "w");
    expect(&frame, 0);
    begin(&frame);
    house_put(&frame, "newer", "v"); /* before there is room: the end counts */
    remove_key(&frame, "new");
    expect(&frame, 0);
    put_one("one more", "v", -EDQUOT);
    expect_sum(TALK_STORE_KEYS_MAX, 9 * 3 + 54 * 4 + 6);
}

static void bytes_have_their_bound_too(void **state)
{
    int fit = TALK_STORE_BYTES_MAX / (TALK_VALUE_MAX + 3);
    (void)state;
    put_keys(10, 10 + fit, big);
    put_one("last", big, -EDQUOT);
    put_one("k10", big, 0);
    put_one("k10", "", 0);
    put_one("last", big, 0);
    expect_sum(fit + 1,
               (int64_t)(fit - 1) * (TALK_VALUE_MAX + 3) + 3 + TALK_VALUE_MAX + 4);
}

static void a_key_that_is_put_and_removed_in_one_commit_counts_once_or_not(void **state)
{
    struct buffer frame = {0};
    (void)state;
    begin(&frame);
    house_put(&frame, "a", "1");
    house_put(&frame, "a", "22");
    house_put(&frame, "b", "1");
    remove_key(&frame, "b");
    remove_key(&frame, "never there");
    expect(&frame, 0);
    expect_sum(1, 3);
}

static void a_group_that_fails_takes_its_keys_back(void **state)
{
    struct buffer frame = {0};
    struct holding *holding;
    (void)state;
    put_one("a", "1", 0);
    begin(&frame);
    house_put(&frame, "b", "1");
    ends_say(house.ends[HOUSE_HOST], &frame);
    buffer_free(&frame);
    assert_int_equal(holding_find(&house.group.holdings, house.fixture.journal->store,
                                  "gate", &holding),
                     0);
    while (holding->now.keys == 1)
        loop_turn(house.loop);
    group_fail(&house.group, -ENOSPC);
    expect_sum(1, 2);
}

static void after_a_restart_it_is_counted_again(void **state)
{
    (void)state;
    put_keys(0, TALK_STORE_KEYS_MAX, "v");
    holdings_free(&house.group.holdings);
    expect_sum(TALK_STORE_KEYS_MAX, 10 * 3 + 54 * 4);
    put_one("one more", "v", -EDQUOT);
    put_one("k1", "w", 0);
}

static void who_has_more_already_may_only_make_it_less(void **state)
{
    struct buffer frame = {0};
    (void)state;
    for (int i = 0; i < TALK_STORE_KEYS_MAX + 10;
         i++) { /* from before there was a bound */
        char key[20];
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(
            store_put(house.fixture.journal->store, "gate", key, "long value", 10), 0);
    }
    put_one("k1", "short", 0);
    put_one("one more", "v", -EDQUOT);
    put_one("k1", "long value and more", -EDQUOT);
    begin(&frame);
    for (int i = 0; i < 11; i++) {
        char key[20];
        snprintf(key, sizeof(key), "k%d", i);
        remove_key(&frame, key);
    }
    expect(&frame, 0);
    put_one("one more", "v", 0);
}

static void consume(const char *name, int64_t err)
{
    struct buffer frame = {0};
    begin(&frame);
    house_consume(&frame, name, 0);
    expect(&frame, err);
}

/* Native code in a host could make a row with each message, for ever. */
static void places_in_the_journal_have_their_bound_and_move_on_at_it(void **state)
{
    struct buffer frame = {0};
    char name[20];
    (void)state;
    house_commit(&house, "band.seen");
    for (int i = 0; i < TALK_CURSORS_MAX - 1; i++) {
        snprintf(name, sizeof(name), "band.n%d", i);
        consume(name, 0);
    }
    begin(&frame);
    house_consume(&frame, "band.x", 0);
    house_consume(&frame, "band.y", 0);
    expect(&frame, -EDQUOT);
    consume("band.x", 0);
    consume("band.y", -EDQUOT);
    consume("band.x", 0);
    assert_int_equal(fixture_ask(&house.fixture,
                                 "SELECT count(*) FROM consumer WHERE instance = 'gate'"),
                     TALK_CURSORS_MAX);
}

static void each_instance_has_its_own(void **state)
{
    struct holding *holding;
    (void)state;
    put_keys(0, TALK_STORE_KEYS_MAX, "v");
    for (int i = 0; i < 2 * HOLDINGS_MAX; i++) {
        char name[20];
        snprintf(name, sizeof(name), "hall%d", i);
        assert_int_equal(holding_find(&house.group.holdings, house.fixture.journal->store,
                                      name, &holding),
                         0);
        assert_int_equal(holding->now.keys, 0);
    }
    put_one("k1", "w", 0); /* the group that ends here forgets them: they are too many */
    assert_true(house.group.holdings.count <= HOLDINGS_MAX);
    put_one("one more", "v", -EDQUOT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_key_more_than_the_bound_is_refused_and_says_why),
        CASE(at_the_bound_keys_are_replaced_and_make_room_for_each_other),
        CASE(bytes_have_their_bound_too),
        CASE(a_key_that_is_put_and_removed_in_one_commit_counts_once_or_not),
        CASE(a_group_that_fails_takes_its_keys_back),
        CASE(after_a_restart_it_is_counted_again),
        CASE(who_has_more_already_may_only_make_it_less),
        CASE(places_in_the_journal_have_their_bound_and_move_on_at_it),
        CASE(each_instance_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
