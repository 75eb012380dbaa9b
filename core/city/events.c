/* events - see events.h. */
#include "city/events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "base/json.h"
#include "base/word.h"
#include "city/options.h"
#include "city/store.h"

enum { LOOK_MS = 10 };

static const char USAGE[] =
    "usage: outpost-city events --database sqlite:FILE [OPTION ...]\n"
    "\n"
    "Prints the stored events in the order in which they arrived: time, office, "
    "sequence, lane,\n"
    "type, subject.\n"
    "\n"
    "  --follow          go on with what comes; also waits for the database to appear\n"
    "  --type PATTERN    only types that match: wristband.strap_opened, 'wristband.*'\n"
    "  --office OFFICE   only this office\n"
    "  --json            one JSON object a line: office, log, seq, lane, type, subject, "
    "time,\n"
    "                    recorded, received, body\n";

struct events {
    const char *database, *type, *office;
    bool follow, json;
    int64_t row; /* the last one looked at */
    struct buffer line;
};

static void put(struct buffer *line, const char *name, const char *value)
{
    buffer_printf(line, ",\"%s\":", name);
    if (value == NULL)
        buffer_append_text(line, "null");
    else
        json_put_text(line, value);
}

static void compose_json(struct buffer *line, const struct store_event *event)
{
    buffer_append_text(line, "{\"office\":");
    json_put_text(line, event->office);
    put(line, "log", event->log);
    buffer_printf(line, ",\"seq\":%" PRId64, event->seq);
    put(line, "lane", event->lane);
    put(line, "type", event->type);
    put(line, "subject", event->subject);
    put(line, "time", event->time);
    put(line, "recorded", event->recorded);
    put(line, "received", event->received);
    buffer_append_text(line, ",\"body\":");
    size_t start = line->length;
    buffer_append(line, event->body, event->length);
    for (size_t i = start; i < line->length;
         i++) /* JSON may hold line ends between its words */
        if (line->bytes[i] == '\n' || line->bytes[i] == '\r')
            line->bytes[i] = ' ';
    buffer_append_text(line, "}\n");
}

static int print_event(void *owner, const struct store_event *event)
{
    struct events *events = owner;
    events->row = event->row;
    if (!word_matches(events->type, event->type))
        return 0;
    buffer_clear(&events->line);
    if (events->json)
        compose_json(&events->line, event);
    else
        buffer_printf(&events->line, "%s %s %8" PRId64 " %-9s %-32s %s\n", event->time,
                      event->office, event->seq, event->lane, event->type,
                      event->subject == NULL ? "" : event->subject);
    fwrite(events->line.bytes, 1, events->line.length, stdout);
    return ferror(stdout) ? -EPIPE : 0;
}

static void pause_ms(int ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
}

static int print_new(struct events *events, struct store *store)
{
    int err = store_each_since(store, events->row, events->office, print_event, events);
    return fflush(stdout) == 0 ? err : -EPIPE;
}

static int follow(struct events *events, struct store *store)
{
    int64_t seen = -1, version;
    int err = 0;
    while (!err) {
        err = store_version(store, &version);
        if (!err && version != seen)
            err = print_new(events, store);
        if (!err && version == seen)
            pause_ms(LOOK_MS);
        seen = version;
    }
    return err;
}

static int open_store(struct events *events, struct store **store, char *why)
{
    int err = store_open(store, store_path(events->database), false, why);
    while (events->follow && (err == -ENOENT || err == -EPROTO || err == -EBUSY)) {
        pause_ms(10 * LOOK_MS);
        err = store_open(store, store_path(events->database), false, why);
    }
    return err;
}

static int print_all(struct events *events, const struct options *options)
{
    struct store *store;
    char why[STORE_WHY_ROOM];
    if (open_store(events, &store, why) != 0) {
        options_refuse(options, "--database: %s", why);
        return 1;
    }
    int err = events->follow ? follow(events, store) : print_new(events, store);
    if (err && err != -EPIPE)
        options_refuse(options, "--database: %s", store_error(store));
    store_close(store);
    buffer_free(&events->line);
    return err ? 1 : 0;
}

int events_run(int argc, char **argv)
{
    struct events events = {.type = "*", .office = ""};
    const struct options_row rows[] = {
        {"database", &events.database, NULL, true},
        {"type", &events.type, NULL, false},
        {"office", &events.office, NULL, false},
        {"follow", NULL, &events.follow, false},
        {"json", NULL, &events.json, false},
    };
    struct options options = {
        .command = "events", .usage = USAGE, .rows = rows, .count = countof(rows)};
    int status;
    if (!options_read(&options, argc, argv, &status))
        return status;
    if (store_path(events.database) == NULL)
        return options_refuse(&options, "--database: expected sqlite:FILE, got \"%s\"",
                              events.database);
    if (!word_is_pattern(events.type))
        return options_refuse(&options,
                              "--type: expected a pattern like 'wristband.*', got \"%s\"",
                              events.type);
    return print_all(&events, &options);
}
