/* What every program says to the keeper that started it, and when its line is over. */
#include "wire/tether.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/loop.h"

enum { PATIENCE_MS = 60 * 1000 };

static struct world {
    struct loop *loop;
    struct loop_timer patience;
    struct tether tether;
    int keeper; /* the other end's bare socket */
    int told, closed;
    uint32_t id;
} world;

static int came(struct tether *tether, const struct frame *frame)
{
    assert_ptr_equal(tether, &world.tether);
    loop_stop(world.loop);
    world.told++;
    world.id = frame->id;
    return frame->type == TALK_STOP ? 0 : -EPROTO;
}

static void closed(struct tether *tether)
{
    assert_ptr_equal(tether, &world.tether);
    loop_stop(world.loop);
    world.closed++;
}

static const struct tether_calls CALLS = {.came = came, .closed = closed};

static void patience_over(struct loop_timer *timer)
{
    (void)timer;
    fail_msg("nothing happened");
}

static void hear(struct frame *frame, uint8_t *room)
{
    ssize_t length = recv(world.keeper, room, FRAME_MAX, 0);
    assert_true(length > 0);
    assert_int_equal(frame_read(frame, room, (size_t)length), 0);
}

static void say(enum talk_type type, uint32_t id)
{
    struct buffer frame = {0};
    frame_begin(&frame, (uint8_t)type, id);
    assert_int_equal(send(world.keeper, frame.bytes, frame.length, 0), frame.length);
    buffer_free(&frame);
}

static int start(void **state)
{
    int fds[2];
    (void)state;
    world = (struct world){.patience.fire = patience_over};
    assert_int_equal(loop_open(&world.loop), 0);
    assert_int_equal(line_pair(fds), 0);
    world.keeper = fds[0];
    assert_int_equal(tether_open(&world.tether, world.loop, fds[1], &CALLS), 0);
    loop_timer_start(world.loop, &world.patience, PATIENCE_MS);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    loop_timer_stop(&world.patience);
    tether_close(&world.tether);
    loop_close(world.loop);
    if (world.keeper >= 0)
        close(world.keeper);
    return 0;
}

static void the_first_frame_says_which_version_it_is(void **state)
{
    static uint8_t room[FRAME_MAX];
    struct frame frame;
    struct field version;
    char text[64];
    (void)state;
    hear(&frame, room);
    assert_int_equal(frame.type, TALK_HELLO);
    assert_int_equal(fields_find(&frame.fields, TAG_VERSION, &version), 0);
    assert_int_equal(field_text(&version, text, sizeof(text)), 0);
    assert_string_equal(text, OUTPOST_VERSION);
}

static void a_ping_is_answered_under_its_id_and_the_rest_is_told(void **state)
{
    static uint8_t room[FRAME_MAX];
    struct frame frame;
    (void)state;
    hear(&frame, room);
    say(TALK_PING, 7);
    say(TALK_STOP, 8);
    loop_run(world.loop);
    assert_int_equal(world.told, 1);
    assert_int_equal(world.id, 8);
    hear(&frame, room);
    assert_int_equal(frame.type, TALK_PONG);
    assert_int_equal(frame.id, 7);
    assert_int_equal(world.closed, 0);
}

static void what_is_not_as_agreed_closes_it(void **state)
{
    (void)state;
    say(TALK_HELLO, 1);
    loop_run(world.loop);
    assert_int_equal(world.told, 1);
    assert_int_equal(world.closed, 1);
}

static void a_keeper_that_is_gone_closes_it(void **state)
{
    (void)state;
    close(world.keeper);
    world.keeper = -1;
    loop_run(world.loop);
    assert_int_equal(world.told, 0);
    assert_int_equal(world.closed, 1);
}

static void a_keeper_that_takes_nothing_closes_it_at_once(void **state)
{
    static const char BYTES[FRAME_MAX / 2];
    (void)state;
    for (int i = 0; i < 64 && world.closed == 0; i++) {
        struct buffer *frame = tether_begin(&world.tether, TALK_HEALTH, 0);
        frame_put(frame, TAG_TEXT, BYTES, sizeof(BYTES));
        tether_give(&world.tether);
    }
    assert_int_equal(world.closed, 1);
}

static void what_it_says_of_its_health_is_a_text(void **state)
{
    static uint8_t room[FRAME_MAX];
    struct frame frame;
    struct field text;
    (void)state;
    hear(&frame, room);
    tether_health(&world.tether, "{\"well\":true}");
    hear(&frame, room);
    assert_int_equal(frame.type, TALK_HEALTH);
    assert_int_equal(fields_find(&frame.fields, TAG_TEXT, &text), 0);
    assert_int_equal(text.length, 13);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_first_frame_says_which_version_it_is),
        CASE(a_ping_is_answered_under_its_id_and_the_rest_is_told),
        CASE(what_is_not_as_agreed_closes_it),
        CASE(a_keeper_that_is_gone_closes_it),
        CASE(a_keeper_that_takes_nothing_closes_it_at_once),
        CASE(what_it_says_of_its_health_is_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
