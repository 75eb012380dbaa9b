/* load - stands where the host would, and puts a load on the keeper through its socket.
 *
 * Installed as libexec/host of a bench appliance. From the environment:
 *
 *   LOAD_BATCH=100      events of 400 bytes in a COMMIT
 *   LOAD_WINDOW=2       COMMITs under way at once (closed loop)
 *   LOAD_RATE=0         COMMITs a second instead (open loop), evenly
 *   LOAD_SECONDS=3      how long
 *   LOAD_WAIT_MS=300    before the first, so that all hosts begin together
 *   LOAD_COUNT=0        so many events instead of so many seconds
 *   LOAD_TYPE=...       the event's type (its lane is in the configuration); "mixed": of a thousand
 *                       one is bench.alarm, a hundred bench.record and the rest bench.reading,
 *                       each with data as a wristband has them; "readings": all bench.reading,
 *                       with such data
 *   LOAD_LOG=FILE       a line for each commit: its first sequence, and when it was asked for
 *                       (microseconds of the monotonic clock)
 *   LOAD_RESULT=FILE    one JSON line is appended there at the end
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
#include "base/mem.h"
#include "base/now.h"
#include "wire/line.h"
#include "wire/talk.h"

enum { DATA = 400, ROOM = FRAME_MAX, IDS = 1 << 20 };

struct load {
    int batch, window;
    double rate, seconds;
    const char *type;
    bool mixed, like_a_band; /* its types, its data */
    FILE *log;               /* or NULL */
    struct buffer frame;
    int64_t sent, done, failed, most; /* commits */
    int64_t events;
    int64_t *began_us; /* by id */
    int64_t *took_us;  /* of each answered */
};

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value ? value : otherwise;
}

static int print_padded(char data[DATA + 1])
{
    int length = snprintf(data, DATA + 1, "{\"band\":\"B-%04d\",\"rssi\":-%d,\"raw\":\"",
                          rand() % 9999, rand() % 99);
    memset(data + length, 'x', (size_t)(DATA - length));
    memcpy(data + DATA - 2, "\"}", 2);
    return DATA;
}

static int print_reading(char data[DATA + 1])
{
    return snprintf(data, DATA + 1,
                    "{\"band\":\"B-%04d\",\"latitude\":24.%06d,\"longitude\":118.%06d,"
                    "\"speed\":%d.%d,\"rssi\":-%d,\"battery\":%d,\"steps\":%d}",
                    rand() % 30, rand() % 1000000, rand() % 1000000, rand() % 20,
                    rand() % 10, 40 + rand() % 60, rand() % 100, rand() % 20000);
}

static const char *type_of(struct load *load)
{
    int64_t at = load->events++;
    if (!load->mixed)
        return load->type;
    return at % 1000 == 500 ? "bench.alarm"
           : at % 10 == 1   ? "bench.record"
                            : "bench.reading";
}

static void put_event(struct load *load)
{
    char data[DATA + 1];
    int length = load->like_a_band ? print_reading(data) : print_padded(data);
    size_t mark = frame_open(&load->frame, TAG_EVENT);
    frame_put_text(&load->frame, TAG_TYPE, type_of(load));
    frame_put_text(&load->frame, TAG_SUBJECT, "device/wristband/B-0193");
    frame_put(&load->frame, TAG_DATA, data, (size_t)length);
    frame_close(&load->frame, mark);
}

static void send_commit(struct load *load)
{
    load->sent++;
    frame_begin(&load->frame, TALK_COMMIT, (uint32_t)load->sent);
    for (int i = 0; i < load->batch; i++)
        put_event(load);
    load->began_us[load->sent % IDS] = now_mono_us();
    ASSERT(send(LINE_CHILD_FD, load->frame.bytes, load->frame.length, MSG_NOSIGNAL) > 0);
}

static void say(struct load *load, enum talk_type type)
{
    frame_begin(&load->frame, (uint8_t)type, 0);
    ASSERT(send(LINE_CHILD_FD, load->frame.bytes, load->frame.length, MSG_NOSIGNAL) > 0);
}

static void take_answer(struct load *load, const struct frame *frame)
{
    struct field error, first;
    int64_t code = -1, seq = -1;
    if (fields_find(&frame->fields, TAG_ERROR, &error) == 0)
        field_number(&error, &code);
    if (fields_find(&frame->fields, TAG_SEQ, &first) == 0)
        field_number(&first, &seq);
    load->failed += code != 0;
    load->took_us[load->done++ % IDS] = now_mono_us() - load->began_us[frame->id % IDS];
    if (load->log != NULL)
        fprintf(load->log, "%lld %lld\n", (long long)seq,
                (long long)load->began_us[frame->id % IDS]);
}

/* Waits at most `us` (-1: for ever) for one frame. False when the keeper says stop. */
static int hear(struct load *load, int64_t us)
{
    struct timespec most = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    static uint8_t room[ROOM];
    struct pollfd ready = {.fd = LINE_CHILD_FD, .events = POLLIN};
    struct frame frame;
    if (ppoll(&ready, 1, us < 0 ? NULL : &most, NULL) <= 0)
        return 1;
    ssize_t length = recv(LINE_CHILD_FD, room, sizeof(room), 0);
    if (length <= 0 || frame_read(&frame, room, (size_t)length) != 0)
        exit(0);
    if (frame.type == TALK_DONE)
        take_answer(load, &frame);
    else if (frame.type == TALK_PING)
        say(load, TALK_PONG);
    return frame.type != TALK_STOP;
}

static void run_closed(struct load *load, int64_t until_us)
{
    while (now_mono_us() < until_us && load->sent < load->most) {
        while (load->sent - load->done < load->window && load->sent < load->most)
            send_commit(load);
        hear(load, 1000000);
    }
}

static void run_open(struct load *load, int64_t began_us, int64_t until_us)
{
    for (;;) {
        int64_t now_us = now_mono_us();
        if (now_us >= until_us || load->sent == load->most)
            return;
        int64_t due = (int64_t)((double)(now_us - began_us) * load->rate / 1e6);
        if (load->sent < due)
            send_commit(load);
        int64_t next_us =
            began_us + (int64_t)((double)(load->sent + 1) / load->rate * 1e6);
        hear(load, next_us > now_us ? next_us - now_us : 0);
    }
}

static int by_time(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void report(struct load *load, int64_t took_us)
{
    FILE *out = fopen(setting("LOAD_RESULT", "/dev/null"), "a");
    int64_t count = load->done < IDS ? load->done : IDS;
    qsort(load->took_us, (size_t)count, sizeof(int64_t), by_time);
    ASSERT(out != NULL && count > 0);
    fprintf(out,
            "{\"events\":%lld,\"commits\":%lld,\"failed\":%lld,\"seconds\":%.6f,\"p50_"
            "us\":%lld,"
            "\"p99_us\":%lld,\"max_us\":%lld}\n",
            (long long)(load->done * load->batch), (long long)load->done,
            (long long)load->failed, (double)took_us / 1e6,
            (long long)load->took_us[count / 2],
            (long long)load->took_us[count * 99 / 100],
            (long long)load->took_us[count - 1]);
    fclose(out);
}

static FILE *open_log(void)
{
    const char *path = getenv("LOAD_LOG");
    FILE *log = path != NULL ? fopen(path, "a") : NULL;
    if (log != NULL)
        setlinebuf(log);
    return log;
}

int main(void)
{
    struct load load = {.batch = atoi(setting("LOAD_BATCH", "100")),
                        .window = atoi(setting("LOAD_WINDOW", "2")),
                        .rate = atof(setting("LOAD_RATE", "0")),
                        .seconds = atof(setting("LOAD_SECONDS", "3")),
                        .type = setting("LOAD_TYPE", "bench.reading"),
                        .log = open_log(),
                        .most = INT64_MAX,
                        .began_us = mem_zeroed(IDS * sizeof(int64_t)),
                        .took_us = mem_zeroed(IDS * sizeof(int64_t))};
    int64_t count = atoll(setting("LOAD_COUNT", "0"));
    bool readings = strcmp(load.type, "readings") == 0;
    load.mixed = strcmp(load.type, "mixed") == 0;
    load.like_a_band = load.mixed || readings;
    if (readings)
        load.type = "bench.reading";
    if (count > 0) {
        load.most = count / load.batch;
        load.seconds = 1e9;
    }
    say(&load, TALK_HELLO);
    hear(&load, 1000000); /* START */
    usleep((useconds_t)atoi(setting("LOAD_WAIT_MS", "300")) * 1000);
    int64_t began_us = now_mono_us();
    int64_t until_us = began_us + (int64_t)(load.seconds * 1e6);
    if (load.rate > 0)
        run_open(&load, began_us, until_us);
    else
        run_closed(&load, until_us);
    while (load.done < load.sent)
        hear(&load, 1000000);
    report(&load, now_mono_us() - began_us);
    while (hear(&load, -1))
        ;
    return 0;
}
