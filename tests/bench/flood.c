/* flood - stands where the host would, and writes a long history as fast as the keeper takes it.
 *
 * Installed as libexec/host of an appliance under test. Of a thousand events 2 are alarms, 18
 * records and 980 telemetry, each lane in COMMITs of its own, of some 700 bytes when composed.
 * Telemetry that is left out for want of room is asked again until it is taken, for at most
 * FLOOD_PATIENCE_S; any other refusal counts as failed. From the environment:
 *
 *   FLOOD_EVENTS=300000   how many in all
 *   FLOOD_RATE=0          at most so many a second
 *   FLOOD_PATIENCE_S=60   telemetry that is left out for so long is given up
 *   FLOOD_RESULT=FILE     rewritten each second: what was acknowledged by lane, refused, gave_up
 *                         (events), failed, done
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "base/buffer.h"
#include "base/now.h"
#include "wire/line.h"
#include "wire/talk.h"

enum { CYCLE = 1000, WINDOW = 4, DATA_MAX = 512, RETRY_US = 20000 };

/* A cycle of a thousand events, in COMMITs. */
static const struct {
    enum talk_lane lane;
    int events;
} ROUND[] = {
    {LANE_TELEMETRY, 98}, {LANE_RECORD, 3},     {LANE_TELEMETRY, 98}, {LANE_RECORD, 3},
    {LANE_TELEMETRY, 98}, {LANE_ALARM, 1},      {LANE_TELEMETRY, 98}, {LANE_RECORD, 3},
    {LANE_TELEMETRY, 98}, {LANE_RECORD, 3},     {LANE_TELEMETRY, 98}, {LANE_RECORD, 3},
    {LANE_TELEMETRY, 98}, {LANE_ALARM, 1},      {LANE_TELEMETRY, 98}, {LANE_RECORD, 3},
    {LANE_TELEMETRY, 98}, {LANE_TELEMETRY, 98},
};

static const char *const TYPES[LANES] = {"flood.alarm", "flood.record", "flood.reading"};

struct flood {
    int64_t most, rate, patience_us;
    int64_t sent, acked[LANES], refused, gave_up, failed;
    int under_way;
    bool stops;
    struct {
        size_t step; /* of the round */
        int64_t since_us;
        int64_t again_us; /* 0: under way or free */
        bool used;
    } slots[WINDOW];
    struct buffer frame;
};

static int64_t setting(const char *name, int64_t otherwise)
{
    const char *value = getenv(name);
    return value ? strtoll(value, NULL, 10) : otherwise;
}

static void put_event(struct flood *flood, enum talk_lane lane)
{
    char data[DATA_MAX];
    int length = snprintf(
        data, sizeof(data),
        "{\"band\":\"1094%04d\",\"lng\":119.%06d,\"lat\":26.%06d,\"accuracy\":%d,"
        "\"speed\":%d.%d,\"heading\":%d,\"battery\":%d,\"rssi\":-%d,\"strap\":\"closed\","
        "\"satellites\":%d,\"raw\":\"%08x%08x%08x%08x\"}",
        rand() % 9999, rand() % 1000000, rand() % 1000000, rand() % 60, rand() % 20,
        rand() % 10, rand() % 360, rand() % 100, 40 + rand() % 60, rand() % 18,
        (unsigned)rand(), (unsigned)rand(), (unsigned)rand(), (unsigned)rand());
    size_t mark = frame_open(&flood->frame, TAG_EVENT);
    frame_put_text(&flood->frame, TAG_TYPE, TYPES[lane]);
    frame_put_text(&flood->frame, TAG_SUBJECT, "person/3501050012");
    frame_put(&flood->frame, TAG_DATA, data, (size_t)length);
    frame_close(&flood->frame, mark);
}

static void say(struct flood *flood, uint8_t type)
{
    frame_begin(&flood->frame, type, 0);
    ASSERT(send(LINE_CHILD_FD, flood->frame.bytes, flood->frame.length, MSG_NOSIGNAL) >
           0);
}

static void send_slot(struct flood *flood, size_t slot)
{
    size_t step = flood->slots[slot].step;
    frame_begin(&flood->frame, TALK_COMMIT, (uint32_t)slot + 1);
    for (int i = 0; i < ROUND[step].events; i++)
        put_event(flood, ROUND[step].lane);
    flood->slots[slot].again_us = 0;
    ASSERT(send(LINE_CHILD_FD, flood->frame.bytes, flood->frame.length, MSG_NOSIGNAL) >
           0);
}

static void take_answer(struct flood *flood, const struct frame *frame)
{
    size_t slot = frame->id - 1;
    struct field error, first;
    int64_t code = -1, seq = -1;
    ASSERT(slot < WINDOW && flood->slots[slot].used);
    size_t step = flood->slots[slot].step;
    if (fields_find(&frame->fields, TAG_ERROR, &error) == 0)
        field_number(&error, &code);
    if (fields_find(&frame->fields, TAG_SEQ, &first) == 0)
        field_number(&first, &seq);
    if (code == 0 && seq < 0) { /* left out */
        flood->refused++;
        if (now_mono_us() - flood->slots[slot].since_us < flood->patience_us) {
            flood->slots[slot].again_us = now_mono_us() + RETRY_US;
            return;
        }
        flood->gave_up += ROUND[step].events;
    } else if (code == 0) {
        flood->acked[ROUND[step].lane] += ROUND[step].events;
    } else {
        flood->failed++;
    }
    flood->slots[slot].used = false;
    flood->under_way--;
}

static void report(const struct flood *flood, bool done)
{
    const char *path = getenv("FLOOD_RESULT");
    char beside[4096];
    if (path == NULL)
        return;
    snprintf(beside, sizeof(beside), "%s.new", path);
    FILE *out = fopen(beside, "w");
    ASSERT(out != NULL);
    fprintf(out,
            "{\"alarm\":%lld,\"record\":%lld,\"telemetry\":%lld,\"refused\":%lld,"
            "\"gave_up\":%lld,\"failed\":%lld,\"done\":%s}\n",
            (long long)flood->acked[LANE_ALARM], (long long)flood->acked[LANE_RECORD],
            (long long)flood->acked[LANE_TELEMETRY], (long long)flood->refused,
            (long long)flood->gave_up, (long long)flood->failed, done ? "true" : "false");
    fclose(out);
    ASSERT(rename(beside, path) == 0);
}

/* One frame, if one comes within `ms`. */
static void hear(struct flood *flood, int ms)
{
    static uint8_t room[FRAME_MAX];
    struct pollfd ready = {.fd = LINE_CHILD_FD, .events = POLLIN};
    struct frame frame;
    if (poll(&ready, 1, ms) <= 0)
        return;
    ssize_t length = recv(LINE_CHILD_FD, room, sizeof(room), 0);
    if (length <= 0 || frame_read(&frame, room, (size_t)length) != 0)
        exit(0);
    if (frame.type == TALK_DONE)
        take_answer(flood, &frame);
    else if (frame.type == TALK_PING)
        say(flood, TALK_PONG);
    flood->stops |= frame.type == TALK_STOP;
}

/* The next COMMIT of the history into a free slot. */
static void begin_slot(struct flood *flood, size_t slot, size_t *step)
{
    flood->slots[slot].used = true;
    flood->slots[slot].step = *step;
    flood->slots[slot].since_us = now_mono_us();
    flood->under_way++;
    flood->sent += ROUND[*step].events;
    *step = (*step + 1) % countof(ROUND);
    send_slot(flood, slot);
}

static bool is_due(const struct flood *flood, int64_t began_us)
{
    return flood->rate == 0 ||
           flood->sent < (now_mono_us() - began_us) * flood->rate / 1000000 + CYCLE;
}

static void run(struct flood *flood)
{
    int64_t began_us = now_mono_us(), told_us = began_us;
    size_t step = 0;
    while (!flood->stops && (flood->sent < flood->most || flood->under_way > 0)) {
        for (size_t slot = 0; slot < WINDOW; slot++) {
            if (!flood->slots[slot].used && flood->sent < flood->most &&
                is_due(flood, began_us))
                begin_slot(flood, slot, &step);
            else if (flood->slots[slot].again_us > 0 &&
                     now_mono_us() >= flood->slots[slot].again_us)
                send_slot(flood, slot);
        }
        hear(flood, flood->under_way == WINDOW && flood->refused == 0 ? 1000 : 5);
        if (now_mono_us() - told_us < 1000000)
            continue;
        told_us = now_mono_us();
        report(flood, false);
    }
}

int main(void)
{
    static struct flood flood;
    flood.most = setting("FLOOD_EVENTS", 300000);
    flood.rate = setting("FLOOD_RATE", 0);
    flood.patience_us = setting("FLOOD_PATIENCE_S", 60) * 1000000;
    say(&flood, TALK_HELLO);
    run(&flood);
    report(&flood, !flood.stops);
    while (!flood.stops)
        hear(&flood, -1);
    return 0;
}
