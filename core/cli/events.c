/* events - see events.h. What is there is read from the folder, so it works without a keeper and
 * on a copy; what comes is heard from the keeper. */
#include "cli/events.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/word.h"
#include "cli/journal/archive.h"
#include "cli/journal/ledger.h"
#include "cli/office/keeperline.h"
#include "cli/office/place.h"
#include "wire/talk.h"

static const char USAGE[] =
    "usage: outpost events [--state DIR] [--type PATTERN] [--lane LANE] [--from SEQ] "
    "[--last N]\n"
    "                      [--follow] [--json]\n"
    "\n"
    "Prints the journal's events, oldest first: sequence, time, lane, type, subject.\n"
    "\n"
    "  --state DIR      the state folder, or a copied journal folder; "
    "default " PLACE_STATE "\n"
    "  --type PATTERN   only types that match: wristband.strap_opened, 'wristband.*'\n"
    "  --lane LANE      only alarm, record or telemetry\n"
    "  --from SEQ       begin at this sequence\n"
    "  --last N         only the last N that match (with --follow: before what comes)\n"
    "  --follow         go on with what comes; without --from or --last only that\n"
    "  --json           each event as it is in the journal, one a line; erased ones in "
    "a\n"
    "                   row are one line "
    "{\"erased\":{\"first\",\"last\",\"lane\",\"by\"}}\n"
    "\n"
    "Exit: 0, 1 the keeper or something in the journal cannot be read (a bad bundle is "
    "named\n"
    "and passed over), 2 wrong usage.\n";

struct wish {
    const char *state;
    const char *type;
    const char *lane;
    int64_t from; /* -1: not said */
    int64_t last; /* -1: not said */
    bool follow;
    bool json;
};

static int read_count(int64_t *count, const char *option, const char *text)
{
    char *end;
    errno = 0;
    *count = strtoll(text, &end, 10);
    if (errno == 0 && *end == '\0' && end != text && *count >= 0)
        return 0;
    fprintf(stderr, "outpost events: %s: expected a whole number from 0, got \"%s\"\n",
            option, text);
    return -EINVAL;
}

static int take_option(struct wish *wish, int option)
{
    switch (option) {
    case 's':
        wish->state = optarg;
        return 0;
    case 't':
        wish->type = optarg;
        return 0;
    case 'l':
        wish->lane = optarg;
        return 0;
    case 'f':
        return read_count(&wish->from, "--from", optarg);
    case 'n':
        return read_count(&wish->last, "--last", optarg);
    case 'F':
        wish->follow = true;
        return 0;
    case 'j':
        wish->json = true;
        return 0;
    default:
        return -EINVAL;
    }
}

static int check_wish(const struct wish *wish)
{
    if (wish->lane != NULL && talk_lane_of(wish->lane) < 0)
        fprintf(
            stderr,
            "outpost events: --lane: expected alarm, record or telemetry, got \"%s\"\n",
            wish->lane);
    else if (!word_is_pattern(wish->type))
        fprintf(stderr,
                "outpost events: --type: expected an event type, 'prefix.*' or '*', got "
                "\"%s\"\n",
                wish->type);
    else
        return 0;
    return -EINVAL;
}

static int read_wish(struct wish *wish, int argc, char **argv)
{
    static const struct option KNOWN[] = {{"state", required_argument, NULL, 's'},
                                          {"type", required_argument, NULL, 't'},
                                          {"lane", required_argument, NULL, 'l'},
                                          {"from", required_argument, NULL, 'f'},
                                          {"last", required_argument, NULL, 'n'},
                                          {"follow", no_argument, NULL, 'F'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option, err = 0;
    *wish = (struct wish){.state = PLACE_STATE, .type = "*", .from = -1, .last = -1};
    while (!err && (option = getopt_long(argc, argv, "", KNOWN, NULL)) != -1) {
        if (option == 'h')
            return fputs(USAGE, stdout), 1;
        err = take_option(wish, option);
    }
    if (!err && optind < argc) {
        fprintf(stderr, "outpost events: unexpected \"%s\"\n", argv[optind]);
        err = -EINVAL;
    }
    if (!err)
        err = check_wish(wish);
    return err ? fputs(USAGE, stderr), 3 : 0;
}

static const char *text_or(const struct json *event, const char *name,
                           const char *otherwise)
{
    const char *text = json_text(event, name);
    return text ? text : otherwise;
}

/* Prints the event when it is wanted, and says by *wanted whether it was. */
static int print_event(const struct wish *wish, const void *body, size_t length,
                       bool silent, bool *wanted)
{
    struct json *event = NULL;
    if (json_parse(&event, body, length) != 0)
        return -EBADMSG;
    *wanted = word_matches(wish->type, text_or(event, "type", "")) &&
              (wish->lane == NULL || strcmp(wish->lane, text_or(event, "lane", "")) == 0);
    if (*wanted && !silent && wish->json)
        printf("%.*s\n", (int)length, (const char *)body);
    else if (*wanted && !silent)
        printf("%" PRId64 "  %s  %-9s  %-26s  %s\n",
               (int64_t)strtoll(text_or(event, "sequence", "0"), NULL, 10),
               text_or(event, "time", "-"), text_or(event, "lane", "-"),
               text_or(event, "type", "-"), text_or(event, "subject", "-"));
    json_free(event);
    return 0;
}

/* Erased events in a row, of one lane and one order; printed as one line when it ends. */
struct run {
    uint64_t first, count, by;
    bool is_ordered; /* else no event says by whose order */
    enum talk_lane lane;
};

/* The journal under way. Invariant: what cannot be read ends nothing; it is named once, passed
 * over, and kept in `err` for the end. */
struct reading {
    const struct wish *wish;
    struct archive *archive;
    uint64_t bad; /* the tile named last, from 1; 0 none */
    int err;
    struct ledger ledger; /* gathered when the first erased event is met */
    bool has_ledger;
    struct run run;
};

static void name_bad(struct reading *reading, uint64_t seq, int err)
{
    char name[TILE_PATH_ROOM];
    uint64_t index = seq / TILE_WIDTH;
    reading->err = err;
    if (reading->bad == index + 1)
        return;
    reading->bad = index + 1;
    tile_path(name, -1, index, TILE_WIDTH);
    fprintf(stderr,
            "outpost events: events %" PRIu64 "..%" PRIu64 " (%s) cannot be read: %s\n",
            index * TILE_WIDTH, index * TILE_WIDTH + TILE_WIDTH - 1, name,
            strerror(-err));
}

static void end_run(struct reading *reading)
{
    const struct run *run = &reading->run;
    char by[24] = "null";
    if (run->is_ordered)
        snprintf(by, sizeof(by), "%" PRIu64, run->by);
    if (run->count > 0 && reading->wish->json)
        printf("{\"erased\":{\"first\":%" PRIu64 ",\"last\":%" PRIu64
               ",\"lane\":\"%s\",\"by\":%s}}\n",
               run->first, run->first + run->count - 1, talk_lane_name(run->lane), by);
    else if (run->count > 0)
        printf("%" PRIu64 "..%" PRIu64 "  %s  erased, ordered by event %s\n", run->first,
               run->first + run->count - 1, talk_lane_name(run->lane),
               run->is_ordered ? by : "unknown");
    reading->run.count = 0;
}

/* What an erased event was is not known, but its lane: only a wish for all types includes it. */
static void pass_erased(struct reading *reading, uint64_t seq)
{
    const struct wish *wish = reading->wish;
    struct run next = {.first = seq,
                       .lane = (enum talk_lane)tail_lane(&reading->archive->tail, seq)};
    struct run *run = &reading->run;
    if (strcmp(wish->type, "*") != 0 ||
        (wish->lane != NULL && strcmp(wish->lane, talk_lane_name(next.lane)) != 0))
        return;
    if (!reading->has_ledger)
        ledger_gather(&reading->ledger, reading->archive, seq + 1);
    if (!reading->has_ledger && reading->archive->tail.is_live)
        ledger_gather_news(&reading->ledger, reading->archive);
    reading->has_ledger = true;
    next.is_ordered = ledger_find(&reading->ledger, seq, &next.by);
    if (run->count == 0 || run->first + run->count != seq || run->lane != next.lane ||
        run->is_ordered != next.is_ordered || run->by != next.by) {
        end_run(reading);
        *run = next;
    }
    run->count++;
}

/* Whether the event was wanted; it is printed, unless `silent`. */
static bool print_one(struct reading *reading, uint64_t seq, bool silent)
{
    const void *body;
    size_t length;
    bool wanted = false;
    int err = archive_event(reading->archive, seq, &body, &length);
    if (err != -ENODATA && !silent)
        end_run(reading);
    if (!err)
        err = print_event(reading->wish, body, length, silent, &wanted);
    if (err == -ENODATA && !silent)
        pass_erased(reading, seq);
    else if (err && !silent)
        name_bad(reading, seq, err);
    return wanted;
}

/* Where to begin so that the last N that match are printed. */
static uint64_t find_last(struct reading *reading)
{
    int64_t missing = reading->wish->last;
    uint64_t seq = archive_size(reading->archive);
    uint64_t first = reading->wish->from > 0 ? (uint64_t)reading->wish->from : 0;
    while (missing > 0 && seq > first &&
           tail_known(&reading->archive->tail, seq - 1) == seq - 1)
        missing -= print_one(reading, --seq, true);
    return seq;
}

/* Of a damaged tail.db rows of sealed tiles may be missing; then so are the events. */
static uint64_t pass_unknown(struct reading *reading, uint64_t seq)
{
    uint64_t known = tail_known(&reading->archive->tail, seq);
    if (known == seq)
        return seq;
    end_run(reading);
    reading->err = -EBADMSG;
    fprintf(stderr,
            "outpost events: tail.db does not know events %" PRIu64 "..%" PRIu64 "\n",
            seq, known - 1);
    return known;
}

static void print_all(struct reading *reading, uint64_t *next)
{
    const struct wish *wish = reading->wish;
    uint64_t size = archive_size(reading->archive);
    uint64_t seq = wish->from >= 0 ? (uint64_t)wish->from : wish->follow ? size : 0;
    if (wish->last >= 0)
        seq = find_last(reading);
    for (; seq < size; seq++)
        if ((seq = pass_unknown(reading, seq)) < size)
            print_one(reading, seq, false);
    end_run(reading);
    *next = seq;
}

/* Prints what is on disk; *next is what follows it, *bad says that something there could not be
 * read and was passed over. */
static int print_stored(const struct wish *wish, uint64_t *next, bool *bad)
{
    struct reading reading = {.wish = wish};
    struct finding finding = {0};
    char folder[ARCHIVE_PATH_MAX];
    int err = archive_find(folder, wish->state);
    if (!err)
        err = archive_open(&reading.archive, folder, &finding);
    if (err) {
        fprintf(stderr, "outpost events: %s: no journal can be read: %s\n", wish->state,
                finding.what[0] ? finding.what : strerror(-err));
        return err;
    }
    print_all(&reading, next);
    archive_close(reading.archive);
    ledger_free(&reading.ledger);
    *bad = reading.err != 0;
    return 0;
}

static int ask_for(int fd, const struct wish *wish, int64_t from)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_FETCH, 1);
    frame_put_number(&frame, TAG_SEQ, from);
    if (wish->lane != NULL)
        frame_put_number(&frame, TAG_LANE, talk_lane_of(wish->lane));
    int err = keeperline_say(fd, &frame);
    buffer_free(&frame);
    return err;
}

static int print_entry(const struct wish *wish, const struct field *entry)
{
    struct fields inside = field_inside(entry);
    struct field body;
    bool wanted;
    int err = fields_find(&inside, TAG_BODY, &body);
    return err ? err : print_event(wish, body.bytes, body.length, false, &wanted);
}

static int print_coming(const struct wish *wish, int fd, int64_t next)
{
    struct buffer room = {0};
    struct frame frame;
    struct field field;
    int err = 0;
    while (!err && (err = ask_for(fd, wish, next)) == 0 &&
           (err = keeperline_hear(fd, &room, &frame)) == 0) {
        int more;
        if (frame.type != TALK_EVENTS)
            err = -EPROTO;
        while (!err && (more = fields_next(&frame.fields, &field)) != 0) {
            if (more < 0)
                err = more;
            else if (field.tag == TAG_ENTRY)
                err = print_entry(wish, &field);
            else if (field.tag == TAG_SEQ)
                err = field_number(&field, &next);
        }
        fflush(stdout);
    }
    buffer_free(&room);
    if (err)
        fprintf(stderr, "outpost events: the keeper has gone: %s\n", strerror(-err));
    return err;
}

int events_run(int argc, char **argv)
{
    struct wish wish;
    uint64_t next = 0;
    bool bad = false;
    int fd;
    int stop = read_wish(&wish, argc, argv);
    if (stop)
        return stop - 1;
    int err = print_stored(&wish, &next, &bad);
    fflush(stdout);
    if (!err && wish.follow) {
        err = keeperline_open(&fd, wish.state);
        if (!err)
            err = print_coming(&wish, fd, (int64_t)next);
    }
    return err || bad ? 1 : 0;
}
