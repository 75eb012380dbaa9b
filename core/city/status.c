/* status - see status.h. The report is composed as JSON; people get the same in lines. */
#include "city/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "city/options.h"
#include "city/presence.h"
#include "city/store.h"
#include "city/uploads.h"

static const char USAGE[] =
    "usage: outpost-city status --database sqlite:FILE [--uploads DIR] [--json]\n"
    "\n"
    "For each office whether it is online and when it last said "
    "so; for each of its logs up to\n"
    "which event each lane is complete and how many events are "
    "verified; the evidence\n"
    "files that it has receipts for; and the findings. With the "
    "folder of the tus server\n"
    "also how many uploads are on their way.\n"
    "Exit status: 0; 1 when there are findings or the database "
    "cannot be read; 2 on wrong use.\n";

struct status {
    struct store *store;
    bool json;
    const char *office; /* whose logs are printed now */
    const char *separator;
    const char *uploads; /* the tus server's folder, or NULL */
    struct uploads_count count;
    struct buffer out;
    int64_t findings, rejected, refused;
};

static int add_marks(struct status *status, const char *office, const char *log)
{
    const char *quote = status->json ? "\"" : "";
    for (int lane = 0; lane < LANES; lane++) {
        int64_t mark;
        int err = store_get_mark(status->store, office, log, (enum talk_lane)lane, &mark);
        if (err)
            return err;
        buffer_printf(&status->out, "%s%s%s%s%s%" PRId64, lane == 0 ? "" : ",",
                      lane > 0 && !status->json ? " " : "", quote,
                      talk_lane_name((enum talk_lane)lane), status->json ? "\":" : " ",
                      mark);
    }
    return 0;
}

static void add_log_head(struct status *status, const char *log,
                         const struct store_log *state, const struct store_orders *orders)
{
    if (orders->count > 0 && !status->json)
        buffer_printf(&status->out,
                      "  log %s: events were erased at the office, by order of %" PRId64
                      " of its events\n",
                      log, orders->count);
    if (status->json)
        buffer_printf(&status->out,
                      "%s{\"log\":\"%s\",\"verified\":%" PRId64
                      ",\"broken\":%s,\"erasures\":%" PRId64 ",\"complete\":{",
                      status->separator, log, state->size,
                      state->broken ? "true" : "false", orders->count);
    else
        buffer_printf(&status->out,
                      "  log %s: %" PRId64 " events verified%s; complete up to ", log,
                      state->size, state->broken ? ", BROKEN" : "");
}

static int add_log(void *owner, const char *office, const char *log)
{
    struct status *status = owner;
    struct store_log state;
    struct store_orders orders;
    if (strcmp(office, status->office) != 0)
        return 0;
    int err = store_sum_orders(status->store, office, log, &orders);
    if (err)
        return err;
    err = store_get_log(status->store, office, log, &state);
    if (!err) {
        add_log_head(status, log, &state, &orders);
        err = add_marks(status, office, log);
        buffer_append_text(&status->out, status->json ? "}}" : "\n");
    }
    status->separator = ",";
    store_log_free(&state);
    return err;
}

/* People are told only when there are any. */
static int add_evidence(struct status *status, const char *office)
{
    struct store_kept kept;
    int err = store_sum_evidence(status->store, office, &kept);
    if (err)
        return err;
    if (status->json)
        buffer_printf(&status->out,
                      ",\"evidence\":{\"files\":%" PRId64 ",\"bytes\":%" PRId64
                      ",\"newest\":\"%s\"}",
                      kept.count, kept.bytes, kept.newest);
    else if (kept.count > 0)
        buffer_printf(&status->out,
                      "  evidence files: %" PRId64 ", %" PRId64
                      " kB; the newest receipt at %s\n",
                      kept.count, (kept.bytes + 999) / 1000, kept.newest);
    return 0;
}

static void add_head(struct status *status, const char *office, const char *state,
                     const char *seen, int64_t findings)
{
    if (!status->json) {
        buffer_printf(&status->out,
                      "office %s: %s, last heard %s, %" PRId64 " findings\n", office,
                      state, seen, findings);
        return;
    }
    buffer_printf(&status->out, "{\"office\":\"%s\",\"state\":\"%s\",\"seen\":\"%s\"",
                  office, state, seen);
    buffer_printf(&status->out, ",\"findings\":%" PRId64, findings);
}

static int add_office(void *owner, const char *office, const char *said, const char *seen,
                      const char *verifier)
{
    struct status *status = owner;
    struct presence presence;
    int64_t findings;
    const char *state = "unknown";
    (void)verifier;
    if (said != NULL && presence_read(&presence, office, said, strlen(said)) == 0)
        state = presence.online ? "online" : "offline";
    int err = store_count_findings(status->store, office, &findings);
    if (err)
        return err;
    size_t length = status->out.length;
    if (status->json && length > 0 && status->out.bytes[length - 1] == '}')
        buffer_append_text(&status->out, ",");
    add_head(status, office, state, seen == NULL ? "never" : seen, findings);
    err = add_evidence(status, office);
    if (err)
        return err;
    status->office = office;
    status->separator = "";
    buffer_append_text(&status->out, status->json ? ",\"logs\":[" : "");
    err = store_each_log(status->store, add_log, status);
    if (status->json)
        buffer_append_text(&status->out, "]}");
    return err;
}

static void add_totals(struct status *status)
{
    const struct uploads_count *count = &status->count;
    if (status->json)
        buffer_printf(&status->out,
                      "{\"findings\":%" PRId64 ",\"rejected\":%" PRId64
                      ",\"refused\":%" PRId64,
                      status->findings, status->rejected, status->refused);
    else
        buffer_printf(&status->out,
                      "%" PRId64 " findings, %" PRId64 " messages rejected, %" PRId64
                      " uploads refused\n",
                      status->findings, status->rejected - status->refused,
                      status->refused);
    if (status->uploads != NULL)
        buffer_printf(&status->out,
                      status->json ? ",\"uploads\":{\"under_way\":%" PRId64
                                     ",\"waiting\":%" PRId64 "}"
                                   : "%" PRId64 " uploads on their way, %" PRId64
                                     " whole and waiting for their events\n",
                      count->under_way, count->waiting);
}

static int report(struct status *status)
{
    int err = store_count_findings(status->store, "", &status->findings);
    if (!err)
        err = store_count_rejected(status->store, &status->rejected);
    if (!err)
        err = store_count_refused(status->store, &status->refused);
    if (err)
        return err;
    if (status->json) {
        add_totals(status);
        buffer_append_text(&status->out, ",\"offices\":[");
    }
    err = store_each_office(status->store, add_office, status);
    if (!err && status->json)
        buffer_append_text(&status->out, "]}\n");
    else if (!err)
        add_totals(status);
    return err;
}

int status_run(int argc, char **argv)
{
    const char *database = NULL;
    char why[STORE_WHY_ROOM];
    struct status status = {0};
    const struct options_row rows[] = {{"database", &database, NULL, true},
                                       {"uploads", &status.uploads, NULL, false},
                                       {"json", NULL, &status.json, false}};
    struct options options = {
        .command = "status", .usage = USAGE, .rows = rows, .count = countof(rows)};
    int verdict;
    if (!options_read(&options, argc, argv, &verdict))
        return verdict;
    if (store_path(database) == NULL)
        return options_refuse(&options, "--database: expected sqlite:FILE, got \"%s\"",
                              database);
    int err = status.uploads ? uploads_count(status.uploads, &status.count) : 0;
    if (err) {
        options_refuse(&options, "--uploads: %s: %s", status.uploads, strerror(-err));
        return 1;
    }
    if (store_open(&status.store, store_path(database), false, why) != 0) {
        options_refuse(&options, "--database: %s", why);
        return 1;
    }
    err = report(&status);
    if (err)
        options_refuse(&options, "--database: %s", store_error(status.store));
    else
        fwrite(status.out.bytes, 1, status.out.length, stdout);
    buffer_free(&status.out);
    store_close(status.store);
    return err || status.findings > 0 ? 1 : 0;
}
