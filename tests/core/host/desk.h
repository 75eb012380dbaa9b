/* desk - a plugin under test, and a keeper that is the test: the other end of its line. */
#ifndef TESTS_HOST_DESK_H
#define TESTS_HOST_DESK_H

#include "host/instance/plugin.h"

#include <errno.h>
#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/file.h"
#include "base/log.h"
#include "wire/line.h"
#include "wire/talk.h"

enum { EVENTS_MAX = 64, TURNS_MAX = 2000, PATIENCE_MS = 20000 };

/* What the plugin under test did, and the keeper's answers. */
static struct {
    int fd;
    struct loop *loop;
    struct plugin plugin;
    char types[EVENTS_MAX][40];
    char data[EVENTS_MAX][300];
    int events;
    int commits;
    int64_t consumed;
    char key[40], value[120]; /* the store holds one key */
    int refuse;               /* so many commits are refused */
    bool silent;              /* commits are not answered now */
    uint32_t fetch_id;
    int64_t fetch_at;
    bool told_health;
    char health[300];
    int64_t reads, errors; /* of the last PONG */
    bool has_ponged;
    bool is_trial; /* what is opened is only loaded */
    int answers;   /* of what the plugin was asked; the last one: */
    uint32_t answer_id;
    int64_t answer_err;
    char answer[300]; /* what was wrong, or how the result begins */
    void (*hear_more)(const struct frame *frame); /* what only some tests expect, */
    void (*take_more)(const struct field *field); /* and such effects */
} desk;

static const char *desk_library; /* NULL: none */
static char folder[] = "/tmp/outpost-plugin-XXXXXX";

/* ---- The keeper's side */

static inline void say(struct buffer *frame)
{
    assert_int_equal(send(desk.fd, frame->bytes, frame->length, 0),
                     (ssize_t)frame->length);
    buffer_free(frame);
}

static inline int64_t number_in(const struct fields *fields, enum talk_tag tag,
                                int64_t otherwise)
{
    struct field field;
    int64_t number = otherwise;
    if (fields_find(fields, (uint8_t)tag, &field) == 0)
        assert_int_equal(field_number(&field, &number), 0);
    return number;
}

static inline void text_in(const struct fields *fields, enum talk_tag tag, char *text,
                           size_t room)
{
    struct field field;
    assert_int_equal(fields_find(fields, (uint8_t)tag, &field), 0);
    assert_int_equal(field_text(&field, text, room), 0);
}

static inline void take_effect(const struct field *field)
{
    struct fields inside = field_inside(field);
    if (field->tag == TAG_EVENT) {
        assert_in_range(desk.events, 0, EVENTS_MAX - 1);
        text_in(&inside, TAG_TYPE, desk.types[desk.events], sizeof(desk.types[0]));
        text_in(&inside, TAG_DATA, desk.data[desk.events++], sizeof(desk.data[0]));
    } else if (field->tag == TAG_PUT) {
        text_in(&inside, TAG_KEY, desk.key, sizeof(desk.key));
        text_in(&inside, TAG_VALUE, desk.value, sizeof(desk.value));
    } else if (field->tag == TAG_REMOVE) {
        desk.key[0] = '\0';
    } else if (field->tag == TAG_CONSUMED) {
        desk.consumed = number_in(&inside, TAG_SEQ, -2);
    } else {
        assert_non_null(desk.take_more);
        desk.take_more(field);
    }
}

static inline void hear_commit(const struct frame *frame)
{
    struct fields fields = frame->fields;
    struct buffer done = {0};
    struct field field;
    bool refused = desk.refuse > 0 && desk.refuse--;
    while (!refused && fields_next(&fields, &field) == 1)
        take_effect(&field);
    desk.commits++;
    if (desk.silent)
        return;
    frame_begin(&done, TALK_DONE, frame->id);
    frame_put_number(&done, TAG_ERROR, refused ? ENOSPC : 0);
    frame_put_text(&done, TAG_TEXT, refused ? "the disk is full" : "");
    frame_put_number(&done, TAG_SEQ, desk.events - 1);
    say(&done);
}

static inline void hear_get(const struct frame *frame)
{
    char key[40];
    struct buffer values = {0};
    text_in(&frame->fields, TAG_KEY, key, sizeof(key));
    frame_begin(&values, TALK_VALUES, frame->id);
    if (desk.key[0] != '\0' && strcmp(key, desk.key) == 0) {
        size_t mark = frame_open(&values, TAG_PUT);
        frame_put_text(&values, TAG_KEY, desk.key);
        frame_put_text(&values, TAG_VALUE, desk.value);
        frame_close(&values, mark);
    }
    say(&values);
}

/* Answers the fetch that waits with events numbered from `seq`, whose data is {"n":seq}. */
static inline void give_events(int64_t seq, int count)
{
    struct buffer events = {0};
    char body[80];
    assert_int_not_equal(desk.fetch_id, 0);
    frame_begin(&events, TALK_EVENTS, desk.fetch_id);
    for (int i = 0; i < count; i++) {
        size_t mark = frame_open(&events, TAG_ENTRY);
        snprintf(body, sizeof(body), "{\"type\":\"x.y\",\"data\":{\"n\":%d}}",
                 (int)seq + i);
        frame_put_number(&events, TAG_SEQ, seq + i);
        frame_put_number(&events, TAG_LANE, LANE_RECORD);
        frame_put_text(&events, TAG_BODY, body);
        frame_close(&events, mark);
    }
    frame_put_number(&events, TAG_SEQ, seq + count);
    desk.fetch_id = 0;
    say(&events);
}

static inline void hear_answer(const struct frame *frame)
{
    struct field field;
    desk.answers++;
    desk.answer_id = frame->id;
    desk.answer_err = number_in(&frame->fields, TAG_ERROR, -1);
    assert_int_equal(
        fields_find(&frame->fields, desk.answer_err ? TAG_TEXT : TAG_DATA, &field), 0);
    snprintf(desk.answer, sizeof(desk.answer), "%.*s", (int)field.length, field.bytes);
}

static inline void hear(const struct frame *frame)
{
    switch (frame->type) {
    case TALK_COMMIT:
        hear_commit(frame);
        break;
    case TALK_GET:
        hear_get(frame);
        break;
    case TALK_FETCH:
        desk.fetch_id = frame->id;
        desk.fetch_at = number_in(&frame->fields, TAG_SEQ, -1);
        break;
    case TALK_ANSWER:
        hear_answer(frame);
        break;
    case TALK_HEALTH:
        desk.told_health = true;
        text_in(&frame->fields, TAG_TEXT, desk.health, sizeof(desk.health));
        break;
    case TALK_PONG:
        desk.has_ponged = true;
        desk.reads = number_in(&frame->fields, TAG_READS, -2);
        desk.errors = number_in(&frame->fields, TAG_ERRORS, -2);
        break;
    case TALK_HELLO:
        break;
    default:
        assert_non_null(desk.hear_more);
        desk.hear_more(frame);
    }
}

static inline void hear_all(void)
{
    static char room[FRAME_MAX];
    struct frame frame;
    ssize_t length;
    while ((length = recv(desk.fd, room, sizeof(room), MSG_DONTWAIT)) > 0) {
        assert_int_equal(frame_read(&frame, room, (size_t)length), 0);
        hear(&frame);
    }
}

static inline void tick(struct loop_timer *timer)
{
    loop_timer_start(desk.loop, timer, 1);
}

/* Lets the plugin and the keeper talk until `done`. */
static inline void talk_until(bool (*done)(void))
{
    struct loop_timer beat = {.fire = tick};
    loop_timer_start(desk.loop, &beat, 1);
    int64_t until_ms = plugin_now_ms() + PATIENCE_MS;
    while (!done() && plugin_now_ms() < until_ms) {
        loop_turn(desk.loop);
        hear_all();
    }
    loop_timer_stop(&beat);
    assert_true(done());
}

static inline bool ended(void)
{
    return desk.plugin.stopping;
}

static inline bool has_started(void)
{
    return desk.plugin.started;
}

static inline bool told_why(void)
{
    return desk.told_health;
}

static inline bool ponged(void)
{
    return desk.has_ponged;
}

static inline bool some_events(void)
{
    return desk.events > 0;
}

static inline bool consumed_five(void)
{
    return desk.consumed == 5;
}

static inline bool asked_again(void)
{
    return desk.consumed == 5 && desk.fetch_id != 0 && desk.fetch_at == 6;
}

/* ---- The plugin's side */

/* `needs` as in a manifest. The plugin sees `config.port`. */
static inline void desk_start(const char *needs, int port, const char *events,
                              const char *body)
{
    char path[100], text[4000], config[400];
    int fds[2];
    desk.consumed = -1;
    snprintf(path, sizeof(path), "%s/plugin.lua", folder);
    snprintf(text, sizeof(text),
             "local plugin = { api = 1, name = 'p', needs = { %s }, events = { %s } }\n"
             "function plugin.start(host, config)\n%s\nend\nreturn plugin\n",
             needs, events, body);
    assert_int_equal(file_put(path, text, strlen(text), 0600), 0);
    assert_int_equal(line_pair(fds), 0);
    desk.fd = fds[0];
    assert_int_equal(loop_open(&desk.loop), 0);
    assert_int_equal(plugin_open(&desk.plugin, desk.loop, fds[1]), 0);
    desk.plugin.is_trial = desk.is_trial;
    struct buffer frame = {0};
    snprintf(config, sizeof(config),
             "{\"plugin\":\"p\",\"instance\":\"test\",\"folder\":\"%s\",\"lua\":\"%s\","
             "\"config\":{\"word\":\"hello\",\"port\":%d}}",
             folder, desk_library ? desk_library : folder, port);
    frame_begin(&frame, TALK_START, 0);
    frame_put_text(&frame, TAG_CONFIG, config);
    say(&frame);
}

static inline void start(const char *events, const char *body)
{
    desk_start("", 0, events, body);
}

static inline void tell(enum talk_type type)
{
    struct buffer frame = {0};
    frame_begin(&frame, type, 0);
    say(&frame);
}

/* Ends the plugin if it has not; checks its exit code. */
static inline void finish(int code)
{
    if (!desk.plugin.stopping) {
        tell(TALK_STOP);
        talk_until(ended);
    }
    assert_int_equal(desk.plugin.exit_code, code);
    plugin_close(&desk.plugin);
    loop_close(desk.loop);
    close(desk.fd);
    memset(&desk, 0, sizeof(desk));
}

static const char ONE_EVENT[] = "['x.y'] = { lane = 'record' }";

static inline int desk_make_folder(void **state)
{
    (void)state;
    setenv("OUTPOST_LOG", "error", 1);
    log_open("plugin_test");
    return mkdtemp(folder) == NULL;
}

static inline int desk_remove_folder(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

#endif
