/* The policy of trials, played through on a clock of its own. */
#include "keeper/versions/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const int64_t MS = 1000;
static const struct pulse_rate NEVER = {.ms = 60000, .reads = 0, .errors = 0};
static const struct pulse_rate EACH_SECOND = {.ms = 60000, .reads = 60, .errors = 0};

/* A new version that answers PING, whose devices answer every `read_ms` until `until_ms`, and whose
 * handlers raise every `error_ms` (0: never). What is found, and when. */
struct play {
    int64_t read_ms;
    int64_t until_ms;
    int64_t error_ms;
    int64_t deaf_from_ms; /* it answers no PING from then on; 0: it does */
    int64_t unheard;      /* questions without an answer */
    bool starts_for_ever;
    int64_t at_ms; /* when it was decided */
};

static enum trial_fault play(struct play *play, int64_t for_ms,
                             const struct pulse_rate *old)
{
    struct trial trial;
    struct trial_sign sign = {.unheard = play->unheard,
                              .started = !play->starts_for_ever};
    int64_t period = trial_period_ms(for_ms);
    trial_begin(&trial, 0, for_ms, old);
    for (int64_t ms = period;; ms += period) {
        int64_t until = play->until_ms && ms > play->until_ms ? play->until_ms : ms;
        sign.reads = play->read_ms ? until / play->read_ms : 0;
        sign.errors = play->error_ms ? ms / play->error_ms : 0;
        if (play->deaf_from_ms == 0 || ms < play->deaf_from_ms)
            sign.heard_us = ms * MS;
        enum trial_fault fault = trial_look(&trial, ms * MS, &sign);
        play->at_ms = ms;
        if (fault || trial_is_over(&trial, ms * MS, &sign))
            return fault;
    }
}

static void one_that_reads_as_before_is_good_when_its_time_is_over(void **state)
{
    struct play good = {.read_ms = 1000};
    (void)state;
    assert_int_equal(play(&good, 90000, &EACH_SECOND), TRIAL_GOOD);
    assert_int_equal(good.at_ms, 90000);
}

static void one_that_reads_never_is_found_in_a_quarter_of_the_time(void **state)
{
    struct play bad = {.read_ms = 0};
    (void)state;
    assert_int_equal(play(&bad, 90000, &EACH_SECOND), TRIAL_READS);
    assert_in_range(bad.at_ms, 22500, 28000);
}

static void one_that_stops_reading_after_a_minute_is_found(void **state)
{
    struct play bad = {.read_ms = 1000, .until_ms = 60000};
    (void)state;
    assert_int_equal(play(&bad, 90000, &EACH_SECOND), TRIAL_READS);
    assert_in_range(bad.at_ms, 82500, 90000);
}

static void who_reads_seldom_is_given_the_whole_time(void **state)
{
    static const struct pulse_rate THRICE = {.ms = 60000, .reads = 3, .errors = 0};
    struct play bad = {.read_ms = 0}, once = {.read_ms = 80000};
    (void)state;
    assert_int_equal(play(&bad, 90000, &THRICE), TRIAL_READS);
    assert_int_equal(bad.at_ms, 90000);
    assert_int_equal(play(&once, 90000, &THRICE), TRIAL_GOOD);
}

static void what_the_old_one_hardly_read_is_not_judged(void **state)
{
    static const struct pulse_rate ONCE = {.ms = 60000, .reads = 1, .errors = 0},
                                   FRESH = {.ms = 0};
    struct play quiet = {.read_ms = 0};
    (void)state;
    assert_int_equal(play(&quiet, 90000, &ONCE), TRIAL_GOOD);
    assert_int_equal(play(&quiet, 90000, &NEVER), TRIAL_GOOD);
    assert_int_equal(play(&quiet, 90000, &FRESH), TRIAL_GOOD);
}

static const struct pulse_rate SELDOM = {.ms = 60000, .answered = true, .started = true};

static void who_is_read_seldom_is_judged_by_what_was_asked(void **state)
{
    struct play refused = {.unheard = 1}, well = {.read_ms = 80000, .unheard = 1};
    (void)state;
    assert_int_equal(play(&refused, 90000, &SELDOM), TRIAL_READS);
    assert_int_equal(refused.at_ms, 90000);
    assert_int_equal(play(&well, 90000, &SELDOM), TRIAL_GOOD);
    assert_int_equal(play(&refused, 90000, &NEVER), TRIAL_GOOD); /* it was away before */
}

static void that_nobody_was_asked_is_known(void **state)
{
    struct trial trial;
    struct trial_sign sign = {.started = true};
    (void)state;
    trial_begin(&trial, 0, 90000, &SELDOM);
    assert_int_equal(trial_look(&trial, 90000 * MS, &sign), TRIAL_SILENT); /* no PONG */
    assert_true(trial_has_asked_nobody(&trial, &sign));
    sign.unheard = 1;
    assert_false(trial_has_asked_nobody(&trial, &sign));
    trial_begin(&trial, 0, 90000, &NEVER);
    assert_false(trial_has_asked_nobody(&trial, &(struct trial_sign){.reads = 0}));
}

static void one_whose_start_never_ends_is_no_good(void **state)
{
    struct play hangs = {.starts_for_ever = true};
    static const struct pulse_rate HUNG = {.ms = 60000, .started = false};
    (void)state;
    assert_int_equal(play(&hangs, 90000, &SELDOM), TRIAL_START);
    assert_int_equal(hangs.at_ms, 90000);
    assert_int_equal(play(&hangs, 90000, &HUNG), TRIAL_GOOD); /* no worse than before */
}

static void one_that_answers_no_more_is_silent(void **state)
{
    struct play deaf = {.read_ms = 1000, .deaf_from_ms = 30000};
    (void)state;
    assert_int_equal(play(&deaf, 90000, &EACH_SECOND), TRIAL_SILENT);
    assert_in_range(deaf.at_ms, 40000, 46000);
}

static void one_that_stops_answering_just_before_the_end_is_waited_for(void **state)
{
    struct play deaf = {.read_ms = 1000, .deaf_from_ms = 80000};
    (void)state;
    assert_int_equal(play(&deaf, 90000, &EACH_SECOND), TRIAL_SILENT);
    assert_in_range(deaf.at_ms, 90001, 99000);
}

static void handlers_that_raise_again_and_again_are_a_fault(void **state)
{
    static const struct pulse_rate RAISED = {.ms = 60000, .reads = 60, .errors = 60};
    struct play bad = {.read_ms = 1000, .error_ms = 1000};
    struct play few = {.read_ms = 1000, .error_ms = 20000};
    (void)state;
    assert_int_equal(play(&bad, 90000, &EACH_SECOND), TRIAL_ERRORS);
    assert_in_range(bad.at_ms, 6000, 12000);
    assert_int_equal(play(&few, 90000, &EACH_SECOND), TRIAL_GOOD);
    assert_int_equal(play(&bad, 90000, &RAISED), TRIAL_GOOD); /* no worse than before */
}

static void a_short_trial_leaves_time_to_begin(void **state)
{
    static const struct pulse_rate FAST = {.ms = 2000, .reads = 100, .errors = 0};
    struct play bad = {.read_ms = 0};
    (void)state;
    assert_int_equal(play(&bad, 2000, &FAST), TRIAL_READS);
    assert_in_range(bad.at_ms, 1500, 2000);
}

static void it_is_looked_at_often_enough_and_not_too_often(void **state)
{
    (void)state;
    assert_int_equal(trial_period_ms(2000), 100);
    assert_int_equal(trial_period_ms(90 * 1000), 4500);
    assert_int_equal(trial_period_ms(3600 * 1000), 5000);
}

static void a_start_prefers_the_accepted_version_to_a_marked_one(void **state)
{
    (void)state;
    assert_true(trial_prefers_accepted("new", "old", "new"));
    assert_false(trial_prefers_accepted("newer", "old", "new"));
    assert_false(trial_prefers_accepted("new", "old", NULL));
    assert_false(trial_prefers_accepted("new", NULL, "new"));
}

static void every_fault_has_a_name_and_words(void **state)
{
    (void)state;
    for (int fault = 0; fault < TRIAL_FAULTS; fault++) {
        assert_non_null(trial_fault_name((enum trial_fault)fault));
        assert_non_null(trial_fault_words((enum trial_fault)fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_reads_as_before_is_good_when_its_time_is_over),
        cmocka_unit_test(one_that_reads_never_is_found_in_a_quarter_of_the_time),
        cmocka_unit_test(one_that_stops_reading_after_a_minute_is_found),
        cmocka_unit_test(who_reads_seldom_is_given_the_whole_time),
        cmocka_unit_test(what_the_old_one_hardly_read_is_not_judged),
        cmocka_unit_test(who_is_read_seldom_is_judged_by_what_was_asked),
        cmocka_unit_test(that_nobody_was_asked_is_known),
        cmocka_unit_test(one_whose_start_never_ends_is_no_good),
        cmocka_unit_test(one_that_answers_no_more_is_silent),
        cmocka_unit_test(one_that_stops_answering_just_before_the_end_is_waited_for),
        cmocka_unit_test(handlers_that_raise_again_and_again_are_a_fault),
        cmocka_unit_test(a_short_trial_leaves_time_to_begin),
        cmocka_unit_test(it_is_looked_at_often_enough_and_not_too_often),
        cmocka_unit_test(a_start_prefers_the_accepted_version_to_a_marked_one),
        cmocka_unit_test(every_fault_has_a_name_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
