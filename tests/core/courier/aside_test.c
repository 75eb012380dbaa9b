/* Who comes to nothing gives its place to another, for longer and longer, and yet arrives. */
#include "courier/aside.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "courier/upload.h"

static void one_that_is_refused_is_set_aside_at_once_and_longer_each_time(void **state)
{
    (void)state;
    struct tus tus;
    tus_begin(&tus, 100, "", false);
    assert_int_equal(aside_ms(&tus), 0);
    assert_int_equal(say(&tus, 413, -1), TUS_REST);
    assert_int_equal(aside_ms(&tus), ASIDE_FIRST_MS);
    for (int64_t ms = ASIDE_FIRST_MS; ms < ASIDE_MOST_MS; ms *= 2) {
        tus.aside_ms = ms;
        assert_int_equal(aside_ms(&tus), 2 * ms < ASIDE_MOST_MS ? 2 * ms : ASIDE_MOST_MS);
    }
}

static void one_that_only_fails_has_more_tries_and_progress_gives_new_ones(void **state)
{
    (void)state;
    struct tus tus;
    create(&tus);
    for (int i = 1; i < ASIDE_FAILURES; i++) {
        break_off(&tus, TUS_CUT);
        assert_int_equal(aside_ms(&tus), 0);
    }
    break_off(&tus, TUS_CUT);
    assert_int_equal(aside_ms(&tus), ASIDE_FIRST_MS);
    say(&tus, 200, 50);
    assert_int_equal(aside_ms(&tus), 0);
}

static void one_that_comes_back_has_fewer_tries_until_it_moves(void **state)
{
    (void)state;
    struct tus tus;
    tus_begin(&tus, 100, URL, false);
    tus.aside_ms = ASIDE_FIRST_MS;
    say(&tus, 200, 50);
    for (int i = 0; i < ASIDE_BACK_FAILURES; i++)
        break_off(&tus, TUS_CUT);
    assert_int_equal(aside_ms(&tus), 2 * ASIDE_FIRST_MS);
    say(&tus, 200, 50);
    say(&tus, 204, 60);
    for (int i = 1; i < ASIDE_FAILURES; i++)
        break_off(&tus, TUS_CUT);
    assert_int_equal(aside_ms(&tus), 0);
}

/* Whatever it was set aside for, each time it comes back the upload itself is asked for, or it is made
 * anew: it would not arrive else. */
static void one_without_a_receipt_is_asked_for_before_it_is_set_aside_again(void **state)
{
    (void)state;
    struct tus tus;
    send_all(&tus);
    int looks = 0;
    while (aside_ms(&tus) == 0) {
        if (tus.deed == TUS_ASK)
            say(&tus, 200, 100);
        say(&tus, 404, -1);
        looks++;
    }
    assert_int_equal(looks, ASIDE_LOOKS);
    bool is_asked = false;
    tus_begin(&tus, 100, URL, true);
    tus.aside_ms = ASIDE_FIRST_MS;
    while (aside_ms(&tus) == 0) {
        is_asked |= tus.deed == TUS_ASK;
        if (tus.deed == TUS_ASK)
            say(&tus, 200, 100);
        say(&tus, 404, -1);
    }
    assert_true(is_asked);
}

static void one_that_the_city_refuses_is_uploaded_again_once_a_day_at_last(void **state)
{
    (void)state;
    struct tus tus;
    int64_t last_ms = 0;
    for (int i = 0; i < 12; i++) {
        tus_begin(&tus, 100, last_ms ? "" : URL, false);
        tus.aside_ms = last_ms;
        for (int creations = 0; aside_ms(&tus) == 0; creations++) {
            assert_true(creations < ASIDE_ANEW);
            if (tus.deed == TUS_CREATE) {
                say(&tus, 201, -1);
                tus_noted(&tus);
                say(&tus, 204, 100);
                tus_noted(&tus);
                tus.deed = TUS_ASK;
            }
            say(&tus, 404, -1);
            for (int look = 0; look < TUS_LAST_LOOKS; look++)
                say(&tus, 404, -1);
        }
        assert_string_equal(tus.url, "");
        assert_true(aside_ms(&tus) > last_ms || last_ms == TUS_ANEW_MOST_MS);
        last_ms = aside_ms(&tus);
    }
    assert_int_equal(last_ms, TUS_ANEW_MOST_MS);
}

static void
a_receipt_that_is_always_refused_ends_in_an_upload_also_when_it_comes_back(void **state)
{
    (void)state;
    struct tus tus;
    tus_begin(&tus, 100, URL, true);
    tus.aside_ms = ASIDE_FIRST_MS;
    while (aside_ms(&tus) == 0) {
        if (tus.deed == TUS_ASK)
            say(&tus, 404, -1);
        say(&tus, 200, -1);
        tus_told(&tus, -ESTALE);
    }
    assert_int_equal(tus.deed, TUS_CREATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_refused_is_set_aside_at_once_and_longer_each_time),
        cmocka_unit_test(one_that_only_fails_has_more_tries_and_progress_gives_new_ones),
        cmocka_unit_test(one_that_comes_back_has_fewer_tries_until_it_moves),
        cmocka_unit_test(one_without_a_receipt_is_asked_for_before_it_is_set_aside_again),
        cmocka_unit_test(one_that_the_city_refuses_is_uploaded_again_once_a_day_at_last),
        cmocka_unit_test(
            a_receipt_that_is_always_refused_ends_in_an_upload_also_when_it_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
