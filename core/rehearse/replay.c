/* replay - see replay.h.
 *
 * Who feeds us is our own program: a record that makes no sense ends the replay and is no finding about
 * the plugin. */
#include "rehearse/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/now.h"
#include "rehearse/office.h"
#include "rehearse/recording.h"
#include "rehearse/standins/now_clock.h"

enum {
    START_MAX = 1024 * 1024,
    CAPTURE_MAX = 64 * 1024 * 1024,
    LINE_ROOM = 256,
    SPOOL_ROOM = 256 * 1024,
    FORGET = 512
};

#ifdef SMALL_BOUNDS
enum { WAITING_MAX = 64 * 1024 };
#else
enum { WAITING_MAX = 64 * 1024 * 1024 };
#endif

struct replay {
    struct office *office;
    struct recording *recording; /* NULL: none */
    struct buffer capture;       /* its file */
    struct buffer body;
    struct buffer line;
    int64_t mono_us; /* of the last event, by the clock of the box */
    int64_t replayed;
    int restarts;
    bool is_over;
    char *why; /* it cannot go on */
};

static void give_up(struct replay *replay, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void give_up(struct replay *replay, const char *format, ...)
{
    char text[400];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    if (replay->why == NULL)
        replay->why = mem_text(text);
}

/* ---- What comes out */

static void print_line(void *owner, const struct ledger_draft *draft, bool by_event)
{
    struct replay *replay = owner;
    struct buffer *line = &replay->line;
    char at[NOW_TEXT_ROOM];
    now_format(at, now_utc_us());
    buffer_clear(line);
    buffer_printf(line,
                  "{\"at\":\"%s\",\"lane\":\"%s\",\"type\":\"%s\",\"subject\":\"%s\","
                  "\"of\":\"%s\",\"data\":",
                  at, talk_lane_name(draft->lane), draft->type,
                  draft->subject ? draft->subject : "office",
                  by_event ? "event" : "timer");
    buffer_append(line, draft->data, draft->data_length);
    buffer_append_text(line, "}\n");
    if (fwrite(line->bytes, 1, line->length, stdout) != line->length)
        give_up(replay, "what it emits cannot be written: %s", strerror(errno));
}

static void print_errors(struct buffer *out, const struct office *office)
{
    buffer_append_text(out, ",\"errors\":[");
    for (int i = 0; i < office->error_count; i++) {
        buffer_append_text(out, i > 0 ? "," : "");
        json_put_text(out, office->errors[i]);
    }
    buffer_append_text(out, "],\"unrecorded\":[");
    for (int i = 0; i < office->unrecorded.count; i++) {
        buffer_append_text(out, i > 0 ? ",{\"url\":" : "{\"url\":");
        json_put_text(out, office->unrecorded.devices[i].url);
        buffer_printf(out, ",\"asked\":%ld}", office->unrecorded.devices[i].asked);
    }
    buffer_append_text(out, "]");
}

static void print_end(struct replay *replay)
{
    static const struct office NONE;
    const struct office *office = replay->office ? replay->office : &NONE;
    struct buffer *line = &replay->line;
    buffer_clear(line);
    buffer_printf(line, "{\"replayed\":%" PRId64 ",\"raised\":%ld,\"restarts\":%d",
                  replay->replayed, office->raised, replay->restarts);
    print_errors(line, office);
    buffer_append_text(line, ",\"why\":");
    if (replay->why != NULL)
        json_put_text(line, replay->why);
    else
        buffer_append_text(line, "null");
    buffer_append_text(line, "}\n");
    fwrite(line->bytes, 1, line->length, stdout);
    fflush(stdout);
}

/* ---- What goes in */

static bool read_bytes(struct replay *replay, size_t length, size_t most)
{
    if (length > most) {
        give_up(replay, "expected at most %zu bytes, got %zu", most, length);
        return false;
    }
    buffer_clear(&replay->body);
    if (fread(buffer_grow(&replay->body, length), 1, length, stdin) == length)
        return true;
    give_up(replay, "the journal ended in the middle of an event");
    return false;
}

static void play(struct replay *replay, int64_t us)
{
    int64_t left_us;
    const char *why = office_play(replay->office, recording_state(replay->recording), us,
                                  false, &left_us);
    if (why != NULL)
        give_up(replay, "%s", why);
}

static void declare_all(struct replay *replay, const struct json *start)
{
    struct ledger *ledger = &replay->office->ledger;
    for (const struct json *event = json_first(json_get(start, "events")); event != NULL;
         event = json_next(event)) {
        int lane = json_value(event) != NULL ? talk_lane_of(json_value(event)) : -1;
        if (lane < 0 ||
            ledger_declare(ledger, json_name(event), (enum talk_lane)lane) != 0)
            give_up(replay, "events: \"%s\" is no type of an event, or one too many",
                    json_name(event));
    }
}

static void name_it(struct replay *replay, const struct json *start)
{
    struct ledger *ledger = &replay->office->ledger;
    const char *plugin = json_text(start, "plugin");
    const char *instance = json_text(start, "instance");
    const char *office = json_text(start, "office");
    if (plugin == NULL || instance == NULL || office == NULL)
        give_up(replay, "START: expected plugin, instance and office");
    else
        snprintf(ledger->source, sizeof(ledger->source), "%s/%s", plugin, instance);
    snprintf(ledger->office, sizeof(ledger->office), "%s", office != NULL ? office : "");
}

static void take_capture(struct replay *replay, size_t length)
{
    if (replay->office != NULL || !read_bytes(replay, length, CAPTURE_MAX))
        return give_up(replay, "expected one capture, before START");
    buffer_append(&replay->capture, replay->body.bytes, replay->body.length);
}

static void find_devices(struct replay *replay, const char *library)
{
    char why[300];
    if (replay->capture.length == 0 || replay->why != NULL)
        return;
    if (library == NULL)
        give_up(replay, "START: expected lua");
    else if (recording_open(&replay->recording, replay->office, replay->capture.bytes,
                            replay->capture.length, library, why, sizeof(why)) != 0)
        give_up(replay, "capture: %s", why);
}

static void begin(struct replay *replay, int64_t utc_us, size_t length)
{
    struct json *start;
    if (replay->office != NULL || !read_bytes(replay, length, START_MAX))
        return give_up(replay, "expected one START");
    if (json_parse(&start, replay->body.bytes, replay->body.length) != 0)
        return give_up(replay, "START: expected JSON");
    office_open(&replay->office, utc_us);
    struct office *office = replay->office;
    office->is_replay = true;
    office->trace.silent = true;
    office->blobs.forgets = true;
    office->ledger.told = print_line;
    office->ledger.owner = replay;
    buffer_append(&office->start, replay->body.bytes, replay->body.length);
    declare_all(replay, start);
    name_it(replay, start);
    find_devices(replay, json_text(start, "lua"));
    json_free(start);
    const char *why = replay->why == NULL
                          ? office_begin(office, recording_state(replay->recording))
                          : NULL;
    if (why != NULL)
        give_up(replay, "%s", why);
}

/* Time goes on to that of the event; when the box has started anew nothing of the time between was
 * seen by the plugin. */
static void pass_time(struct replay *replay, int64_t utc_us, int64_t mono_us,
                      bool is_new_boot)
{
    if (is_new_boot) {
        play(replay, 0); /* what it had been given it had seen */
        now_clock_jump(utc_us - now_utc_us());
        const char *why =
            office_restart(replay->office, recording_state(replay->recording), false);
        if (why != NULL)
            give_up(replay, "%s", why);
        replay->restarts++;
    } else {
        play(replay, replay->replayed > 0 && mono_us > replay->mono_us
                         ? mono_us - replay->mono_us
                         : 0);
        now_clock_jump(utc_us - now_utc_us());
    }
    replay->mono_us = mono_us;
}

/* Until start() has ended nobody has asked for events yet. */
static void forget(struct replay *replay)
{
    struct office *office = replay->office;
    int64_t given = keeper_given(&office->keeper);
    if (office->lives && office->plugin.started &&
        (given >= office->ledger.forgotten + FORGET ||
         office->ledger.bytes > WAITING_MAX / 2))
        ledger_forget(&office->ledger, given);
    if (office->ledger.bytes > WAITING_MAX)
        give_up(replay,
                "more than %d KiB of events wait for a handler that does not end: there "
                "is no room for so many in a replay",
                WAITING_MAX / 1024);
}

struct record {
    int64_t seq, utc_us, mono_us;
    int lane, is_new_boot;
    char type[WORD_TYPE_MAX + 1];
    size_t length;
};

static void take_event(struct replay *replay, const struct record *record)
{
    struct office *office = replay->office;
    if (office == NULL || !read_bytes(replay, record->length, TALK_EVENT_MAX))
        return give_up(replay, "expected an event behind a START");
    pass_time(replay, record->utc_us, record->mono_us, record->is_new_boot != 0);
    if (replay->why != NULL)
        return;
    ledger_give(&office->ledger, record->seq, record->type, (enum talk_lane)record->lane,
                replay->body.bytes, replay->body.length);
    if (office->lives)
        keeper_wake(&office->keeper);
    replay->replayed++;
    forget(replay);
}

static void take_end(struct replay *replay, int64_t utc_us)
{
    int64_t left_us = utc_us - now_utc_us();
    replay->is_over = true;
    if (replay->office != NULL)
        play(replay, utc_us > 0 && left_us > 0 ? left_us : 0);
}

static void take_record(struct replay *replay, const char *text)
{
    struct record record = {0};
    int64_t utc_us;
    size_t length;
    if (sscanf(text, "capture %zu", &length) == 1)
        take_capture(replay, length);
    else if (sscanf(text, "start %" SCNd64 " %zu", &utc_us, &record.length) == 2)
        begin(replay, utc_us, record.length);
    else if (sscanf(text, "event %" SCNd64 " %d %" SCNd64 " %" SCNd64 " %d %64s %zu",
                    &record.seq, &record.lane, &record.utc_us, &record.mono_us,
                    &record.is_new_boot, record.type, &record.length) == 7 &&
             record.lane >= 0 && record.lane < LANES)
        take_event(replay, &record);
    else if (sscanf(text, "end %" SCNd64, &utc_us) == 1)
        take_end(replay, utc_us);
    else
        give_up(replay, "expected start, event or end, got %.60s", text);
}

int replay_run(void)
{
    struct replay replay = {0};
    char text[LINE_ROOM];
    setvbuf(stdout, NULL, _IOFBF, SPOOL_ROOM);
    setvbuf(stdin, NULL, _IOFBF, SPOOL_ROOM);
    while (!replay.is_over && replay.why == NULL) {
        if (fgets(text, sizeof(text), stdin) == NULL)
            give_up(&replay, "the journal ended early");
        else
            take_record(&replay, text);
    }
    print_end(&replay);
    int code = replay.why == NULL ? 0 : 1;
    office_close(replay.office);
    recording_close(replay.recording);
    buffer_free(&replay.capture);
    buffer_free(&replay.body);
    buffer_free(&replay.line);
    mem_free(replay.why);
    return code;
}
