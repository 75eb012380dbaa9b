/* Who may have device bytes kept, and what is said when nothing is. */
#include "keeper/captures/capture.h"

#include <errno.h>

#include "keeper/captures/freezer.h"
#include "keeper/captures/reel.h"
#include "keeper/control/asking.h"
#include "keeper/house.h"
#include "wire/ring.h"

static struct house house;
static struct asking asking;
static struct freezer freezer;
static struct reel reel;

static int start(void **state)
{
    (void)state;
    house_open(&house);
    asking_open(&asking, house.loop, &house.children, house.config);
    house.children.asking = &asking;
    freezer_open(&freezer, house.loop, &house.children, "/nowhere");
    freezer.is_out = true; /* so that nobody begins */
    reel_open(&reel, &freezer, "band", "gate");
    reel_renew(&reel);
    house.peers[HOUSE_HOST].reel = &reel;
    house.peers[HOUSE_HOST].is_ready = house.peers[HOUSE_READER].is_ready = true;
    house.peers[HOUSE_READER].uid = 0; /* a technician */
    return 0;
}

static int stop(void **state)
{
    (void)state;
    freezer.is_out = false;
    asking_close(&asking);
    reel_close(&reel);
    freezer_close(&freezer);
    house.children.asking = NULL;
    house_close(&house);
    return 0;
}

static void put(void)
{
    struct ring *ring;
    assert_int_equal(ring_open(&ring, reel.ring), 0);
    ring_put(ring, ring_name(ring, "tcp://a"), RING_IN, 1, "x", 1);
    ring_close(ring);
}

static void ask(const char *instance, int64_t ms)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_CAPTURE, 5);
    frame_put_text(&frame, TAG_NAME, instance);
    frame_put_number(&frame, TAG_LIMIT, ms);
    ends_say(house.ends[HOUSE_READER], &frame);
    buffer_free(&frame);
}

static void told(int err, const char *words)
{
    char text[TALK_WHY_MAX] = "";
    struct field field;
    ends_expect(house.loop, house.ends[HOUSE_READER], &house.heard, TALK_DONE, 5);
    assert_int_equal(ends_number(&house.heard.frame.fields, TAG_ERROR), err);
    if (fields_find(&house.heard.frame.fields, TAG_TEXT, &field) == 0)
        assert_int_equal(field_text(&field, text, sizeof(text)), 0);
    assert_non_null(strstr(text, words));
}

static void what_there_is_is_kept(void **state)
{
    (void)state;
    put();
    ask("gate", 0);
    told(0, "");
    assert_int_equal(freezer.count, 1);
    assert_non_null(strstr(buffer_text(&freezer.orders[0].start), "\"who\":\"root\""));
    ask("gate", 0);
    told(EAGAIN, "within the last minute");
}

static void what_comes_is_recorded_first(void **state)
{
    (void)state;
    ask("gate", 50);
    told(0, "");
    ends_expect(house.loop, house.ends[HOUSE_HOST], &house.heard, TALK_RECORD, 0);
    assert_int_equal(ends_number(&house.heard.frame.fields, TAG_LIMIT), 50);
    assert_int_equal(freezer.count, 0);
    put();
    ends_run(house.loop, -1, 150);
    assert_int_equal(freezer.count, 1);
}

static void each_refusal_has_its_words(void **state)
{
    (void)state;
    ask("nowhere", 0);
    told(ENOENT, "got nowhere");
    ask("gate", 0);
    told(ENODATA, "nothing was recorded of gate");
    ask("gate", REEL_RECORD_MAX_MS + 1);
    told(EINVAL, "to 24 h");
    ask("gate", -1);
    told(EINVAL, "to 24 h");
    house.peers[HOUSE_READER].uid = 5; /* games */
    ask("gate", 0);
    told(EPERM, "an officer or a technician");
}

static void an_alarm_and_an_error_keep_it(void **state)
{
    struct buffer frame = {0};
    (void)state;
    put();
    ends_tell(house.ends[HOUSE_HOST], TALK_FREEZE, 0);
    ends_run(house.loop, -1, 30);
    assert_int_equal(freezer.count, 1);
    assert_non_null(strstr(buffer_text(&freezer.orders[0].start), "\"error\""));
    reel.frozen_us = 0;
    frame_begin(&frame, TALK_COMMIT, 9);
    size_t mark = frame_open(&frame, TAG_EVENT);
    frame_put_text(&frame, TAG_TYPE, "band.opened");
    frame_put_text(&frame, TAG_DATA, "{}");
    frame_close(&frame, mark);
    ends_say(house.ends[HOUSE_HOST], &frame);
    buffer_free(&frame);
    ends_done(house.loop, house.ends[HOUSE_HOST], &house.heard, 9, 0);
    assert_int_equal(freezer.count, 2);
    assert_non_null(strstr(buffer_text(&freezer.orders[1].start), "\"alarm\""));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_there_is_is_kept),
        CASE(what_comes_is_recorded_first),
        CASE(each_refusal_has_its_words),
        CASE(an_alarm_and_an_error_keep_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
