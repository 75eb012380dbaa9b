/* The tail in memory: pushed at the end, cut at the end, dropped at the front. */
#include "keeper/journal/tail.h"

#include "keeper/fixture.h"

static void push(struct tail *tail, int64_t from, int64_t until)
{
    for (int64_t seq = from; seq < until; seq++) {
        struct digest leaf;
        memset(leaf.bytes, (int)seq, sizeof(leaf.bytes));
        tail_push(tail, (enum talk_lane)(seq % LANES), &leaf);
    }
}

static void check(const struct tail *tail, int64_t from, int64_t until)
{
    assert_int_equal(tail->base, from);
    assert_int_equal(tail->count, until - from);
    for (int64_t seq = from; seq < until; seq++) {
        assert_int_equal(tail_lane(tail, seq), seq % LANES);
        assert_int_equal(tail_leaf(tail, seq)->bytes[31], (uint8_t)seq);
    }
}

static void what_was_pushed_is_found_by_its_sequence(void **state)
{
    struct tail tail = {0};
    (void)state;
    tail_begin(&tail, 512);
    push(&tail, 512, 900);
    check(&tail, 512, 900);
    tail_free(&tail);
}

static void a_cut_forgets_the_end_and_a_drop_the_beginning(void **state)
{
    struct tail tail = {0};
    (void)state;
    tail_begin(&tail, 0);
    push(&tail, 0, 300);
    tail_cut(&tail, 280);
    check(&tail, 0, 280);
    tail_drop(&tail, 256);
    check(&tail, 256, 280);
    push(&tail, 280, 290);
    check(&tail, 256, 290);
    tail_drop(&tail, 290);
    check(&tail, 290, 290);
    tail_cut(&tail, 290);
    check(&tail, 290, 290);
    tail_free(&tail);
}

static void beginning_anew_forgets_all(void **state)
{
    struct tail tail = {0};
    (void)state;
    push(&tail, 0, 10);
    tail_begin(&tail, 256);
    check(&tail, 256, 256);
    tail_free(&tail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_pushed_is_found_by_its_sequence),
        cmocka_unit_test(a_cut_forgets_the_end_and_a_drop_the_beginning),
        cmocka_unit_test(beginning_anew_forgets_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
