/* One file on its way, by the book; then through seeded storms of cuts, losses and refusals. */
#include "courier/tus.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "courier/upload.h"

static void a_file_goes_up_and_its_receipt_comes(void **state)
{
    (void)state;
    struct tus tus;
    send_all(&tus);
    assert_int_equal(say(&tus, 200, -1), TUS_GO);
    assert_int_equal(tus.deed, TUS_TELL);
    assert_int_equal(tus_told(&tus, 0), TUS_GO);
    assert_int_equal(tus.deed, TUS_DONE);
}

static void an_empty_file_needs_no_byte(void **state)
{
    (void)state;
    struct tus tus;
    tus_begin(&tus, 0, "", false);
    say(&tus, 201, -1);
    tus_noted(&tus);
    assert_int_equal(tus.deed, TUS_NOTE);
    assert_true(tus.is_sent);
    tus_noted(&tus);
    assert_int_equal(tus.deed, TUS_FETCH);
}

static void after_any_interruption_the_server_is_asked(void **state)
{
    (void)state;
    static const int STATUSES[] = {409, 412, 413, 423, 460, 500, 503, 429, 403, 400, 204};
    struct tus tus;
    for (size_t i = 0; i < countof(STATUSES); i++) {
        create(&tus);
        assert_int_not_equal(say(&tus, STATUSES[i], -1), TUS_GO);
        assert_int_equal(tus.deed, TUS_ASK);
        assert_true(tus.wait_ms > 0 && tus.why[0] != '\0');
    }
    create(&tus);
    assert_int_equal(break_off(&tus, TUS_CUT), TUS_HALT);
    assert_int_equal(tus.deed, TUS_ASK);
    create(&tus);
    tus_interrupt(&tus);
    assert_int_equal(tus.deed, TUS_ASK);
    assert_int_equal(say(&tus, 200, 60), TUS_GO);
    assert_int_equal(tus.deed, TUS_SEND);
    assert_int_equal(tus.offset, 60);
}

static void one_that_began_before_a_restart_is_asked_for_first(void **state)
{
    (void)state;
    struct tus tus;
    tus_begin(&tus, 100, URL, false);
    assert_int_equal(tus.deed, TUS_ASK);
    tus_begin(&tus, 100, URL, true);
    assert_int_equal(tus.deed, TUS_FETCH);
}

static void an_answer_that_takes_a_part_is_gone_on_from(void **state)
{
    (void)state;
    struct tus tus;
    create(&tus);
    assert_int_equal(say(&tus, 204, 40), TUS_GO);
    assert_int_equal(tus.deed, TUS_SEND);
    assert_int_equal(tus.offset, 40);
}

static void an_answer_beyond_the_file_is_not_believed(void **state)
{
    (void)state;
    struct tus tus;
    create(&tus);
    assert_int_equal(say(&tus, 204, 101), TUS_REST);
    assert_int_equal(tus.deed, TUS_ASK);
    assert_int_equal(say(&tus, 200, 101), TUS_GO);
    assert_true(tus.is_lost);
}

static void what_the_server_lost_is_made_anew_when_there_is_no_receipt(void **state)
{
    (void)state;
    static const int GONE[] = {404, 410};
    struct tus tus;
    for (size_t i = 0; i < countof(GONE); i++) {
        tus_begin(&tus, 100, URL, false);
        assert_int_equal(say(&tus, GONE[i], -1), TUS_GO);
        for (int look = 0; look < TUS_LAST_LOOKS; look++) {
            assert_int_equal(tus.deed, TUS_FETCH);
            assert_int_equal(say(&tus, 404, -1), TUS_REST);
        }
        assert_int_equal(tus.deed, TUS_CREATE);
        assert_string_equal(tus.url, "");
        assert_false(tus.is_sent);
    }
}

static void what_the_city_has_taken_is_not_sent_again(void **state)
{
    (void)state;
    struct tus tus;
    tus_begin(&tus, 100, URL, false);
    say(&tus, 404, -1);
    assert_int_equal(say(&tus, 200, -1), TUS_GO);
    assert_int_equal(tus.deed, TUS_TELL);
}

static void a_receipt_that_does_not_come_is_looked_for_at_the_upload(void **state)
{
    (void)state;
    struct tus tus;
    send_all(&tus);
    for (int look = 1; look < TUS_LOOKS; look++) {
        assert_int_equal(say(&tus, 404, -1), TUS_REST);
        assert_int_equal(tus.deed, TUS_FETCH);
    }
    assert_int_equal(say(&tus, 404, -1), TUS_REST);
    assert_int_equal(tus.deed, TUS_ASK);
    assert_int_equal(say(&tus, 200, 100), TUS_GO);
    assert_int_equal(tus.deed, TUS_FETCH);
    for (int look = 0; look < 20; look++) {
        assert_true(tus.wait_ms <= TUS_LOOK_MOST_MS);
        if (tus.deed == TUS_ASK)
            assert_int_equal(say(&tus, 200, 100), TUS_GO);
        assert_int_equal(say(&tus, 404, -1), TUS_REST);
    }
    assert_int_equal(tus.wait_ms, TUS_LOOK_MOST_MS);
}

static void uploading_anew_gets_rarer_and_rarer(void **state)
{
    (void)state;
    struct tus tus;
    int64_t before = 0;
    tus_begin(&tus, 100, URL, false);
    for (int i = 0; i < 30; i++) {
        say(&tus, 404, -1);
        for (int look = 0; look < TUS_LAST_LOOKS; look++)
            say(&tus, 404, -1);
        assert_int_equal(tus.deed, TUS_CREATE);
        assert_true(tus.wait_ms >= before && tus.wait_ms <= TUS_ANEW_MOST_MS);
        before = tus.wait_ms;
        say(&tus, 201, -1);
        tus_noted(&tus);
        tus_interrupt(&tus);
    }
    assert_int_equal(before, TUS_ANEW_MOST_MS);
}

static void a_receipt_that_the_keeper_refuses_is_not_believed(void **state)
{
    (void)state;
    struct tus tus;
    send_all(&tus);
    say(&tus, 200, -1);
    assert_int_equal(tus_told(&tus, -EBADMSG), TUS_REST);
    assert_int_equal(tus.deed, TUS_ASK);
    assert_int_equal(tus.wait_ms, TUS_FIRST_MS);
    assert_int_equal(say(&tus, 200, 100),
                     TUS_GO); /* the upload is there: no byte again */
    assert_int_equal(tus.deed, TUS_FETCH);
    say(&tus, 200, -1);
    assert_int_equal(tus_told(&tus, -EBADMSG), TUS_REST);
    assert_int_equal(tus.wait_ms, 2 * TUS_FIRST_MS);
}

static void a_receipt_that_is_refused_for_ever_does_not_end_a_files_way(void **state)
{
    (void)state;
    struct tus tus;
    send_all(&tus);
    say(&tus, 200, -1);
    tus_told(&tus, -ESTALE);
    assert_int_equal(say(&tus, 404, -1), TUS_GO); /* the city has taken it, or refused */
    for (int look = 0; look < TUS_LAST_LOOKS; look++) {
        assert_int_equal(say(&tus, 200, -1), TUS_GO);
        assert_int_equal(tus_told(&tus, -ESTALE), TUS_REST);
    }
    assert_int_equal(tus.deed, TUS_CREATE);
}

static void one_that_was_left_by_another_log_does_not_stand_in_the_way(void **state)
{
    (void)state;
    struct tus tus;
    tus_begin(&tus, 100, URL, false);
    say(&tus, 404, -1);
    for (int look = 0; look < TUS_LAST_LOOKS; look++) {
        assert_int_equal(say(&tus, 200, -1), TUS_GO);
        assert_int_equal(tus_told(&tus, -ESTALE), TUS_REST);
    }
    assert_int_equal(tus.deed, TUS_CREATE);
}

static void waits_double_up_to_a_bound_and_progress_ends_them(void **state)
{
    (void)state;
    struct tus tus;
    create(&tus);
    tus_interrupt(&tus);
    for (int i = 0; i < 20; i++) {
        break_off(&tus, TUS_CUT);
        assert_true(tus.wait_ms <= TUS_AGAIN_MOST_MS);
    }
    assert_int_equal(tus.wait_ms, TUS_AGAIN_MOST_MS);
    say(&tus, 200, 0); /* it answers, but has taken nothing */
    break_off(&tus, TUS_CUT);
    assert_int_equal(tus.wait_ms, TUS_AGAIN_MOST_MS);
    say(&tus, 200, 50);
    break_off(&tus, TUS_CUT);
    assert_int_equal(tus.wait_ms, TUS_FIRST_MS);
}

static void who_is_not_trusted_is_left_alone(void **state)
{
    (void)state;
    struct tus tus;
    tus_begin(&tus, 100, "", false);
    assert_int_equal(break_off(&tus, TUS_TRUST), TUS_HALT);
    assert_int_equal(tus.wait_ms, TUS_REFUSED_MS);
    assert_int_equal(tus.deed, TUS_CREATE);
    assert_int_equal(say(&tus, 403, -1), TUS_HALT);
    assert_int_equal(tus.wait_ms, TUS_REFUSED_MS);
}

static void a_file_of_ours_that_cannot_be_read_holds_no_other_up(void **state)
{
    (void)state;
    struct tus tus;
    create(&tus);
    assert_int_equal(break_off(&tus, TUS_SHORT), TUS_REST);
    assert_int_equal(tus.wait_ms, TUS_REFUSED_MS);
    assert_int_equal(tus.deed, TUS_ASK);
}

static void a_place_on_another_server_is_none(void **state)
{
    (void)state;
    const struct tus_answer answer = {.status = 201, .offset = -1, .length = -1};
    struct tus tus;
    tus_begin(&tus, 100, "", false);
    assert_int_equal(tus_answer(&tus, &answer), TUS_REST);
    assert_int_equal(tus.deed, TUS_CREATE);
}

static void an_upload_of_another_length_is_not_ours(void **state)
{
    (void)state;
    const struct tus_answer answer = {.status = 200, .offset = 10, .length = 99};
    struct tus tus;
    tus_begin(&tus, 100, URL, false);
    assert_int_equal(tus_answer(&tus, &answer), TUS_GO);
    assert_true(tus.is_lost);
}

/* ---- Who answers in the server's place */

static void a_proxy_that_does_not_know_an_upload_has_not_lost_it(void **state)
{
    (void)state;
    struct tus_answer answer = {.status = 404, .offset = -1, .length = -1};
    struct tus tus;
    tus_begin(&tus, 100, URL, false);
    for (int i = 0; i < TUS_DOUBTS; i++) {
        assert_int_equal(tus_answer(&tus, &answer), TUS_REST);
        assert_int_equal(tus.deed, TUS_ASK);
        assert_string_equal(tus.url, URL);
    }
    assert_int_equal(tus_answer(&tus, &answer), TUS_GO); /* it is no proxy after all */
    assert_true(tus.is_lost);
}

static void a_page_in_the_place_of_an_answer_does_not_begin_anew(void **state)
{
    (void)state;
    struct tus_answer answer = {.status = 200, .offset = -1, .length = -1};
    struct tus tus;
    tus_begin(&tus, 100, URL, false);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(tus_answer(&tus, &answer), TUS_REST);
        assert_int_equal(tus.deed, TUS_ASK);
    }
    assert_int_equal(say(&tus, 200, 90), TUS_GO);
    assert_int_equal(tus.offset, 90);
}

static void a_page_in_the_place_of_a_receipt_is_not_asked_for_all_the_time(void **state)
{
    (void)state;
    struct tus tus;
    send_all(&tus);
    for (int i = 0; i < 20; i++) {
        if (tus.deed == TUS_ASK)
            say(&tus, 200, 100);
        assert_int_equal(say(&tus, 200, -1), TUS_GO);
        assert_int_equal(tus_told(&tus, -EPROTO), TUS_REST);
    }
    assert_int_equal(tus.wait_ms, TUS_AGAIN_MOST_MS);
}

static void a_server_that_says_when_is_not_asked_before(void **state)
{
    (void)state;
    struct tus_answer answer = {
        .status = 503, .offset = -1, .length = -1, .retry_s = 90, .is_tus = true};
    struct tus tus;
    create(&tus);
    assert_int_equal(tus_answer(&tus, &answer), TUS_HALT);
    assert_int_equal(tus.least_ms, 90 * 1000);
    answer.retry_s = INT64_MAX;
    assert_int_equal(tus_answer(&tus, &answer), TUS_HALT);
    assert_int_equal(tus.least_ms, TUS_RETRY_MOST_MS);
    say(&tus, 503, -1);
    assert_int_equal(tus.least_ms, 0);
}

static void what_lies_on_a_server_of_before_is_made_anew_on_this_one(void **state)
{
    (void)state;
    struct tus tus;
    tus_begin(&tus, 100, URL, true);
    tus_move(&tus);
    for (int look = 0; look < TUS_LAST_LOOKS; look++) {
        assert_int_equal(tus.deed, TUS_FETCH);
        say(&tus, 404, -1);
    }
    assert_int_equal(tus.deed, TUS_CREATE);
    tus_begin(&tus, 100, "", false);
    tus_move(&tus);
    assert_int_equal(tus.deed, TUS_CREATE);
}

/* ---- A server in numbers, and storms of everything at once */

struct server {
    bool has; /* the upload */
    bool has_receipt;
    int64_t stored, confirmed;
};

static unsigned roll(unsigned *seed, unsigned bound)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 16) % bound;
}

static struct tus_answer answer_of(struct server *server, struct tus *tus, unsigned *seed)
{
    struct tus_answer answer = {
        .status = 204, .offset = -1, .length = -1, .is_tus = true};
    bool cut = roll(seed, 3) == 0;
    switch (tus->deed) {
    case TUS_CREATE:
        *server = (struct server){.has = true};
        answer.status = 201;
        answer.location = URL;
        break;
    case TUS_ASK:
        answer.status = server->has ? 200 : server->has_receipt ? 410 : 404;
        answer.offset = server->has ? server->stored : -1;
        break;
    case TUS_SEND:
        if (!server->has) {
            answer.status = 404;
            break;
        }
        assert_int_equal(tus->offset, server->stored);
        assert_true(tus->offset >= server->confirmed);
        server->stored += 1 + roll(seed, (unsigned)(tus->size - server->stored));
        answer.offset = server->stored;
        break;
    default:
        answer.status = server->has_receipt ? 200 : 404;
    }
    if (server->has && server->stored == tus->size && roll(seed, 3) == 0)
        *server = (struct server){.has_receipt = true, .stored = tus->size};
    if (cut)
        return (struct tus_answer){.fault = TUS_CUT, .offset = -1, .length = -1};
    if (answer.offset > server->confirmed)
        server->confirmed = answer.offset;
    return answer;
}

static void play(unsigned seed)
{
    struct server server = {.has = false};
    struct tus tus;
    char noted[TUS_URL_MAX + 1] = "";
    bool noted_sent = false;
    tus_begin(&tus, 1000, "", false);
    for (int step = 0; tus.deed != TUS_DONE; step++) {
        assert_true(step < 10000);
        if (step < 500 && roll(&seed, 20) == 0) { /* the courier is killed */
            tus_begin(&tus, 1000, noted, noted_sent);
        } else if (tus.deed == TUS_NOTE) {
            strcpy(noted, tus.url);
            noted_sent = tus.is_sent;
            tus_noted(&tus);
        } else if (tus.deed == TUS_TELL) {
            tus_told(&tus, 0);
        } else {
            if (step < 500 && roll(&seed, 60) == 0 && !server.has_receipt)
                server.has = false; /* the server has lost it */
            struct tus_answer answer = answer_of(&server, &tus, &seed);
            tus_answer(&tus, &answer);
        }
    }
    assert_true(server.has_receipt);
}

static void through_any_storm_no_confirmed_byte_goes_twice_and_it_arrives(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 20000; seed++)
        play(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_goes_up_and_its_receipt_comes),
        cmocka_unit_test(an_empty_file_needs_no_byte),
        cmocka_unit_test(after_any_interruption_the_server_is_asked),
        cmocka_unit_test(one_that_began_before_a_restart_is_asked_for_first),
        cmocka_unit_test(an_answer_that_takes_a_part_is_gone_on_from),
        cmocka_unit_test(an_answer_beyond_the_file_is_not_believed),
        cmocka_unit_test(what_the_server_lost_is_made_anew_when_there_is_no_receipt),
        cmocka_unit_test(what_the_city_has_taken_is_not_sent_again),
        cmocka_unit_test(a_receipt_that_does_not_come_is_looked_for_at_the_upload),
        cmocka_unit_test(uploading_anew_gets_rarer_and_rarer),
        cmocka_unit_test(a_receipt_that_the_keeper_refuses_is_not_believed),
        cmocka_unit_test(a_receipt_that_is_refused_for_ever_does_not_end_a_files_way),
        cmocka_unit_test(one_that_was_left_by_another_log_does_not_stand_in_the_way),
        cmocka_unit_test(waits_double_up_to_a_bound_and_progress_ends_them),
        cmocka_unit_test(who_is_not_trusted_is_left_alone),
        cmocka_unit_test(a_file_of_ours_that_cannot_be_read_holds_no_other_up),
        cmocka_unit_test(a_place_on_another_server_is_none),
        cmocka_unit_test(an_upload_of_another_length_is_not_ours),
        cmocka_unit_test(a_proxy_that_does_not_know_an_upload_has_not_lost_it),
        cmocka_unit_test(a_page_in_the_place_of_an_answer_does_not_begin_anew),
        cmocka_unit_test(a_page_in_the_place_of_a_receipt_is_not_asked_for_all_the_time),
        cmocka_unit_test(a_server_that_says_when_is_not_asked_before),
        cmocka_unit_test(what_lies_on_a_server_of_before_is_made_anew_on_this_one),
        cmocka_unit_test(through_any_storm_no_confirmed_byte_goes_twice_and_it_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
