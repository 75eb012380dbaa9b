/* status - see status.h. */
#include "cli/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/json.h"
#include "cli/office/keeperline.h"
#include "cli/office/options.h"
#include "cli/office/place.h"
#include "cli/office/table.h"
#include "wire/talk.h"

static const char USAGE[] =
    "usage: outpost status [--state DIR] [--json]\n"
    "\n"
    "Prints how the running appliance is: journal, clock, what the city has, each child "
    "process.\n"
    "\n"
    "  --state DIR   default " PLACE_STATE "\n"
    "  --json        as one JSON object\n"
    "\n"
    "Exit: 0 all children run, 1 not so or nothing runs, 2 wrong usage.\n";

struct wish {
    const char *state;
    bool json;
};

static int read_wish(struct wish *wish, int argc, char **argv)
{
    *wish = (struct wish){.state = PLACE_STATE};
    const struct option_place places[] = {{"state", .text = &wish->state},
                                          {"json", .flag = &wish->json}};
    return options_alone(places, countof(places), USAGE, argc, argv);
}

static int ask(struct buffer *report, const char *state)
{
    struct buffer question = {0}, room = {0};
    struct frame frame;
    struct field text;
    int fd;
    int err = keeperline_open(&fd, state);
    if (err)
        return err;
    frame_begin(&question, TALK_STATUS, 1);
    err = keeperline_say(fd, &question);
    if (!err)
        err = keeperline_hear(fd, &room, &frame);
    if (!err)
        err = frame.type == TALK_REPORT ? fields_find(&frame.fields, TAG_TEXT, &text)
                                        : -EPROTO;
    if (!err)
        buffer_append(report, text.bytes, text.length);
    else
        fprintf(stderr, "outpost status: the keeper's answer cannot be read: %s\n",
                strerror(-err));
    buffer_free(&question);
    buffer_free(&room);
    close(fd);
    return err;
}

static void print_event_number(const char *what, int64_t seq)
{
    if (seq < 0)
        printf("%s none", what);
    else
        printf("%s %" PRId64, what, seq);
}

/* What the city has of each lane, where there is one. */
static void print_lanes(const struct json *lanes, bool has_city)
{
    for (const struct json *lane = json_first(lanes); lane != NULL;
         lane = json_next(lane)) {
        int64_t last = json_number(lane, "last", -1),
                synced = json_number(lane, "synced", -1);
        printf("  %-10s", json_name(lane));
        print_event_number(" last", last);
        if (has_city)
            print_event_number(", at the city", synced);
        printf("%s\n", has_city && last != synced ? "  (waiting)" : "");
    }
    if (!has_city)
        printf("  no city is set: everything stays here for later\n");
}

static void print_storage(const struct json *storage)
{
    const struct json *reserve = json_get(storage, "reserve");
    const char *full = json_text(storage, "full");
    int64_t used = json_number(storage, "used", -1);
    int64_t days = json_number(storage, "days_left", -1);
    if (storage == NULL)
        return;
    if (used < 0)
        printf("storage: being counted");
    else
        printf("storage: %" PRId64 " of %" PRId64 " MB used (%" PRId64 " %%)", used >> 20,
               json_number(storage, "quota", 0) >> 20,
               json_number(storage, "percent", 0));
    if (days >= 0)
        printf(", %" PRId64 " days left without the city", days);
    printf("; disk %" PRId64 " %% full; reserve %" PRId64 " of %" PRId64 " MB%s\n",
           json_number(storage, "disk_percent", 0),
           json_number(reserve, "bytes", 0) >> 20, json_number(reserve, "of", 0) >> 20,
           json_true(reserve, "is_whole") ? "" : ", being made");
    if (full != NULL && full[0] != '\0')
        printf("  FULL (%s): telemetry is refused, alarms and records go on\n", full);
}

/* Files that came to nothing on their way to the city. */
static void print_aside(const struct json *aside)
{
    const char *why = json_text(aside, "why");
    int64_t count = json_number(aside, "count", 0);
    struct buffer line = {0};
    if (count == 0)
        return;
    table_put_text(&line, why ? why : "");
    printf("  SET ASIDE: %" PRId64
           " of them did not get to the city, others go first; tried "
           "again within a day. Of one: %s\n",
           count, buffer_text(&line));
    buffer_free(&line);
}

/* What is kept as evidence, and what the city has of it; nothing when there is none. */
static void print_evidence(const struct json *classes)
{
    int64_t count[CLASSES] = {0}, all = 0, waiting = 0, uploaded = 0;
    for (int i = CLASS_ORDINARY; i < CLASSES; i++) {
        const struct json *class = json_get(classes, talk_class_name((enum talk_class)i));
        count[i] = json_number(class, "count", 0);
        waiting += json_number(class, "waiting", 0);
        uploaded += json_number(class, "uploaded", 0);
        all += count[i];
    }
    if (all > 0)
        printf("evidence: %" PRId64 " ordinary, %" PRId64 " important, %" PRId64
               " of a case; at the city %" PRId64 ", waiting to go %" PRId64 "\n",
               count[CLASS_ORDINARY], count[CLASS_IMPORTANT], count[CLASS_CASE], uploaded,
               waiting);
}

static void print_blobs(const struct json *blobs)
{
    const char *full = json_text(blobs, "full");
    int64_t days = json_number(blobs, "days_left", -1);
    int64_t damaged = json_number(blobs, "damaged", 0);
    if (blobs == NULL)
        return;
    printf("blobs: %" PRId64 ", %" PRId64 " of %" PRId64 " MB used (%" PRId64 " %%)",
           json_number(blobs, "count", 0), json_number(blobs, "bytes", 0) >> 20,
           json_number(blobs, "quota", 0) >> 20, json_number(blobs, "percent", 0));
    if (days >= 0)
        printf(", %" PRId64 " days left", days);
    printf("; %" PRId64 " being written, %" PRId64 " being erased\n",
           json_number(blobs, "open", 0), json_number(blobs, "releasing", 0));
    if (full != NULL && full[0] != '\0')
        printf("  FULL: no room for blobs of class %s\n", full);
    if (damaged > 0)
        printf("  DAMAGED: %" PRId64 " blobs are not what was stored\n", damaged);
    print_evidence(json_get(blobs, "classes"));
    print_aside(json_get(blobs, "aside"));
}

static void print_stall(const char *stall)
{
    if (stall != NULL && stall[0] != '\0')
        printf("  STALLED: what is sent to the city comes to nothing: %s\n", stall);
}

/* The line to the city: whether it is up, and what was wrong with it last. */
static void print_line(const struct json *health)
{
    const char *broker = json_text(health, "broker");
    const char *why = json_text(health, "last_error");
    bool has_why = why != NULL && why[0] != '\0';
    printf("  %-16s %s%s%s%s%s\n", "",
           json_true(health, "connected") ? "connected" : "OFFLINE", broker ? " to " : "",
           broker ? broker : "", has_why ? ": " : "", has_why ? why : "");
}

/* The courier: what it does, and what is wrong. */
static void print_uploads(const struct json *health)
{
    const char *state = json_text(health, "state"),
               *trouble = json_text(health, "trouble");
    int64_t without = json_number(health, "without_receipt", 0);
    int64_t anew = json_number(health, "anew", 0);
    bool is_closed = state != NULL && strcmp(state, "closed") == 0;
    printf("  %-16s %s", "", is_closed ? "waits for its hours" : state ? state : "");
    if (json_get(health, "size") != NULL)
        printf(" %.12s, %" PRId64 " of %" PRId64 " kB", json_text(health, "sha256"),
               json_number(health, "sent", 0) / 1000,
               json_number(health, "size", 0) / 1000);
    if (without > 0)
        printf(", %" PRId64 " sent and without a receipt", without);
    if (anew > 0)
        printf(", %" PRId64 " REFUSED or lost by the city, sent again", anew);
    printf("%s%s\n", trouble ? ": " : "", trouble ? trouble : "");
}

static void print_update(const char *update)
{
    if (update == NULL)
        return;
    if (strcmp(update, "on trial") == 0)
        printf("  %-16s a new version, on trial\n", "");
    else
        printf("  %-16s RETURNED: the version that is installed was no good\n", "");
}

static bool print_children(const struct json *children)
{
    bool all_run = true;
    for (const struct json *child = json_first(children); child != NULL;
         child = json_next(child)) {
        const char *plugin = json_text(child, "plugin"),
                   *state = json_text(child, "state");
        const char *last_exit = json_text(child, "last_exit");
        const struct json *health = json_get(child, "health");
        printf("  %-16s %-12s %-12s pid %-7" PRId64 " up %" PRId64 " s, starts %" PRId64
               "%s%s\n",
               json_text(child, "name"), plugin ? plugin : "", state,
               json_number(child, "pid", 0), json_number(child, "up_s", 0),
               json_number(child, "starts", 0), last_exit ? ", last " : "",
               last_exit ? last_exit : "");
        if (json_get(health, "connected") != NULL)
            print_line(health);
        if (plugin == NULL && json_get(health, "without_receipt") != NULL)
            print_uploads(health);
        print_update(json_text(child, "update"));
        all_run &= strcmp(state, "running") == 0;
    }
    return all_run;
}

static void print_salvage(const struct json *report)
{
    const struct json *salvage = json_get(report, "salvage");
    int64_t aside = json_number(salvage, "aside", 0);
    const char *folder = json_text(salvage, "folder");
    if (aside > 0)
        printf("  DAMAGED: %" PRId64 " journal%s set aside in the state folder\n", aside,
               aside == 1 ? " was" : "s were");
    if (folder != NULL)
        printf("  salvaging %s: %" PRId64 " events found so far\n", folder,
               json_number(salvage, "found", 0));
    if (json_text(report, "key") != NULL)
        printf(
            "  NEW KEY: the old one was lost and the city does not know this one; bring "
            "journal/key.pub to it\n");
}

static void print_changes(const struct json *changes)
{
    for (const struct json *change = json_first(changes); change != NULL;
         change = json_next(change)) {
        const char *why = json_text(change, "why");
        printf("  %-16s %s%s%s\n", json_text(change, "instance"),
               json_text(change, "state"), why ? ": " : "", why ? why : "");
    }
}

/* The reload that is under way, and how the last one ended. */
static void print_reload(const struct json *reload)
{
    const struct json *last = json_get(reload, "last");
    const char *why = json_text(last, "why");
    if (json_true(reload, "under_way"))
        printf("reload: under way%s\n",
               json_true(reload, "queued") ? ", and another waits its turn" : "");
    print_changes(json_get(reload, "changes"));
    if (!json_is_object(last))
        return;
    printf("last reload: ended %s, %" PRId64 " accepted, %" PRId64 " removed, %" PRId64
           " returned%s%s\n",
           json_text(last, "ended"), json_number(last, "accepted", 0),
           json_number(last, "removed", 0), json_number(last, "returned", 0),
           why[0] ? ": " : "", why);
    print_changes(json_get(last, "changes"));
}

/* Whether the appliance has this program. */
static bool has_child(const struct json *children, const char *name)
{
    for (const struct json *child = json_first(children); child != NULL;
         child = json_next(child))
        if (strcmp(json_text(child, "name"), name) == 0)
            return true;
    return false;
}

static bool print_report(const struct json *report)
{
    printf("office %s, log %s (%s), version %s, up %" PRId64 " s\n",
           json_text(report, "office"), json_text(report, "log"),
           json_text(report, "suite"), json_text(report, "version"),
           json_number(report, "up_s", 0));
    printf("journal: %" PRId64 " events, %" PRId64 " sealed, checkpoint over %" PRId64
           "; clock %s\n",
           json_number(report, "events", 0), json_number(report, "sealed", 0),
           json_number(report, "checkpoint", 0), json_text(report, "clock"));
    print_lanes(json_get(report, "lanes"),
                has_child(json_get(report, "children"), "uplink"));
    print_storage(json_get(report, "storage"));
    print_blobs(json_get(report, "blobs"));
    print_stall(json_text(report, "stalled"));
    print_salvage(report);
    print_reload(json_get(report, "reload"));
    return print_children(json_get(report, "children"));
}

int status_run(int argc, char **argv)
{
    struct wish wish;
    struct buffer text = {0};
    struct json *report = NULL;
    bool all_run = false;
    int stop = read_wish(&wish, argc, argv);
    if (stop)
        return stop - 1;
    int err = ask(&text, wish.state);
    if (!err && wish.json)
        all_run = printf("%s\n", buffer_text(&text)) > 0;
    else if (!err && json_parse(&report, text.bytes, text.length) == 0)
        all_run = print_report(report);
    json_free(report);
    buffer_free(&text);
    return all_run ? 0 : 1;
}
