/* collect - see collect.h.
 *
 * Invariant: while `open` is false no transaction is open and `touched` only holds logs that have
 * something left to verify. Whatever fails ends in undo(), after which the database is as it was.
 *
 * Person data never reaches the log: offices, logs, lanes, sequences and reasons do. */
#include "city/collect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/now.h"
#include "city/batch.h"
#include "city/presence.h"
#include "city/receipts.h"
#include "city/topic.h"
#include "city/verify.h"
#include "proof/erasure.h"

enum { QUIET_MS = 10 * 1000 };

struct touched {
    char office[WORD_ID_MAX + 1];
    char log[WORD_ID_MAX + 1];
    bool tell; /* a receipt is due */
};

struct collect {
    struct store *store;
    struct offices *offices;
    struct verify *verify;
    const struct key *key;
    const struct collect_calls *calls;
    void *owner;
    bool open;
    size_t events;
    size_t count;
    struct touched touched[COLLECT_LOGS];
    struct batch batch;
    struct buffer body; /* of an event that is compared */
    char now[NOW_TEXT_ROOM];
    int64_t told_ms; /* when a rejection was last logged */
    unsigned untold;
};

void collect_open(struct collect **out, struct store *store, struct offices *offices,
                  const struct key *key, const struct collect_calls *calls, void *owner)
{
    struct collect *collect = mem_new(struct collect);
    collect->store = store;
    collect->offices = offices;
    collect->key = key;
    collect->calls = calls;
    collect->owner = owner;
    collect->told_ms = INT64_MIN / 2;
    verify_open(&collect->verify, store, offices);
    *out = collect;
}

static void undo(struct collect *collect)
{
    if (collect->open)
        store_rollback(collect->store);
    collect->open = false;
    collect->events = collect->count = 0;
    offices_forget(collect->offices);
    verify_forget(collect->verify);
}

void collect_close(struct collect *collect)
{
    if (collect == NULL)
        return;
    undo(collect);
    verify_close(collect->verify);
    batch_free(&collect->batch);
    buffer_free(&collect->body);
    mem_free(collect);
}

static int begin(struct collect *collect)
{
    if (collect->open)
        return 0;
    int err = store_begin(collect->store);
    collect->open = err == 0;
    now_format(collect->now, now_utc_us());
    return err;
}

/* The caller has made sure of room by collect_is_full(). */
static void touch(struct collect *collect, const char *office, const char *log, bool tell)
{
    struct touched *touched = collect->touched;
    for (size_t i = 0; i < collect->count; i++, touched++)
        if (strcmp(touched->office, office) == 0 && strcmp(touched->log, log) == 0) {
            touched->tell |= tell;
            return;
        }
    if (collect->count == COLLECT_LOGS)
        return; /* it will send again, or the next checkpoint comes */
    snprintf(touched->office, sizeof(touched->office), "%s", office);
    snprintf(touched->log, sizeof(touched->log), "%s", log);
    touched->tell = tell;
    collect->count++;
}

/* One line, then one more for all that follow within QUIET_MS. */
static int reject(struct collect *collect, const struct mqtt_message *message,
                  const char *reason)
{
    int64_t now_ms = now_mono_us() / 1000;
    if (now_ms - collect->told_ms >= QUIET_MS) {
        log_warn("%.120s: %s; kept in table rejected (%u others not logged)",
                 message->topic, reason, collect->untold);
        collect->told_ms = now_ms;
        collect->untold = 0;
    } else {
        collect->untold++;
    }
    return store_put_rejected(collect->store, message->topic, reason, message->payload,
                              message->length, collect->now);
}

static int note_finding(struct collect *collect, const struct store_finding *finding)
{
    bool fresh;
    int err = store_put_finding(collect->store, finding, &fresh);
    if (!err && fresh)
        log_error("office %s, %s, event %" PRId64 ": %s (kept in table finding)",
                  finding->office, finding->log[0] == '\0' ? "no log" : finding->log,
                  finding->seq, finding->detail);
    return err;
}

/* ---- Events */

static int compare_again(struct collect *collect, const struct batch_event *event)
{
    buffer_clear(&collect->body);
    int err = store_get_body(collect->store, collect->batch.office, collect->batch.log,
                             event->seq, &collect->body);
    if (err)
        return err;
    if (collect->body.length == event->length &&
        memcmp(collect->body.bytes, event->bytes, event->length) == 0)
        return 0;
    struct store_finding finding = {
        .office = collect->batch.office,
        .log = collect->batch.log,
        .kind = "different",
        .detail = "came a second time with other bytes; the first stays, the second is "
                  "kept here",
        .now = collect->now,
        .seq = event->seq,
        .evidence = event->bytes,
        .length = event->length,
    };
    return note_finding(collect, &finding);
}

static int refuse_erasure(struct collect *collect, const struct batch_event *event,
                          const char *detail)
{
    struct store_finding finding = {
        .office = collect->batch.office,
        .log = collect->batch.log,
        .kind = "erased",
        .detail = detail,
        .now = collect->now,
        .seq = event->seq,
        .evidence = event->bytes,
        .length = event->length,
    };
    return note_finding(collect, &finding);
}

static int note_erasure(struct collect *collect, const struct batch_event *event,
                        const struct erasure *erasure)
{
    const struct batch *batch = &collect->batch;
    int err = 0;
    if (strcmp(erasure->reason, "quota") == 0 && strcmp(erasure->lane, "telemetry") != 0)
        err = refuse_erasure(
            collect, event,
            "erased alarms or records for the quota, which may only take telemetry");
    for (size_t i = 0; i < erasure->tile_count && !err; i++) {
        int64_t n = (int64_t)erasure->tiles[i].n;
        if (n * COVER_WIDTH + COVER_WIDTH > event->seq)
            err = refuse_erasure(collect, event,
                                 "says that events were erased before they were sealed");
        else
            err = store_put_erased(collect->store, batch->office, batch->log, n,
                                   event->seq);
    }
    return err;
}

/* The keeper of the office may say that it has erased events: verification will want to know. */
static int look_for_erasure(struct collect *collect, const struct batch_event *event)
{
    struct json *json = NULL;
    struct erasure *erasure = NULL;
    if (strncmp(event->type, "journal.", 8) != 0 ||
        json_parse(&json, event->bytes, event->length) != 0)
        return 0;
    int err = erasure_read(&erasure, json, collect->batch.office);
    if (err)
        err = refuse_erasure(collect, event, "its list of erased events cannot be read");
    else if (erasure != NULL)
        err = note_erasure(collect, event, erasure);
    mem_free(erasure);
    json_free(json);
    return err;
}

static int put_event(struct collect *collect, const struct batch_event *event,
                     int64_t prev)
{
    bool fresh;
    struct store_event row = {
        .office = collect->batch.office,
        .log = collect->batch.log,
        .lane = talk_lane_name(collect->batch.lane),
        .type = event->type,
        .subject = event->subject,
        .time = event->time,
        .recorded = event->recorded,
        .received = collect->now,
        .seq = event->seq,
        .prev = prev,
        .body = event->bytes,
        .length = event->length,
    };
    int err = store_put_event(collect->store, &row, &fresh);
    if (!err)
        err = fresh ? look_for_erasure(collect, event) : compare_again(collect, event);
    return err;
}

static int put_events(struct collect *collect)
{
    const struct batch *batch = &collect->batch;
    int64_t prev = batch->prev;
    int err = 0;
    for (size_t i = 0; i < batch->count && !err; i++) {
        err = put_event(collect, &batch->events[i], prev);
        prev = batch->events[i].seq;
    }
    collect->events += batch->count;
    return err;
}

static int put_run(struct collect *collect, int64_t prev, int64_t last)
{
    const struct batch *batch = &collect->batch;
    int64_t count;
    int err =
        store_count_runs(collect->store, batch->office, batch->log, batch->lane, &count);
    if (err || count >= COLLECT_RUNS)
        return err; /* it must come again: only the receipt counts */
    return store_put_run(collect->store, batch->office, batch->log, batch->lane, prev,
                         last);
}

/* The lane is complete up to the mark. A run that begins at or before the mark extends it, and
 * then perhaps others do that came too early. */
static int move_mark(struct collect *collect)
{
    const struct batch *batch = &collect->batch;
    int64_t mark, before;
    int err =
        store_get_mark(collect->store, batch->office, batch->log, batch->lane, &mark);
    if (err || batch->last <= mark)
        return err;
    if (batch->prev > mark)
        return put_run(collect, batch->prev, batch->last);
    mark = batch->last;
    do {
        before = mark;
        err = store_reach(collect->store, batch->office, batch->log, batch->lane, before,
                          &mark);
    } while (!err && mark > before);
    if (!err)
        err =
            store_drop_runs(collect->store, batch->office, batch->log, batch->lane, mark);
    if (!err)
        err =
            store_put_mark(collect->store, batch->office, batch->log, batch->lane, mark);
    return err;
}

static const char *property(const struct mqtt_message *message, const char *name)
{
    for (size_t i = 0; i < message->users; i++)
        if (strcmp(message->user[i].name, name) == 0)
            return message->user[i].value;
    return NULL;
}

static int came_events(struct collect *collect, const struct topic *topic,
                       const struct mqtt_message *message)
{
    char why[BATCH_WHY_ROOM];
    struct batch_claim claim = {
        .office = topic->office,
        .lane = topic->lane,
        .log = property(message, "log"),
        .lane_name = property(message, "lane"),
        .prev = property(message, "prev"),
        .last = property(message, "last"),
        .encoding = property(message, "content-encoding"),
    };
    if (batch_read(&collect->batch, &claim, message->payload, message->length, why) != 0)
        return reject(collect, message, why);
    int err =
        store_admit_log(collect->store, topic->office, collect->batch.log, collect->now);
    if (err == -E2BIG)
        return reject(collect, message, "this office has too many logs");
    if (!err)
        err = put_events(collect);
    if (!err)
        err = move_mark(collect);
    if (!err)
        touch(collect, topic->office, collect->batch.log, true);
    return err;
}

/* ---- Checkpoints and statuses */

static int came_checkpoint(struct collect *collect, const struct topic *topic,
                           const struct mqtt_message *message)
{
    char log[WORD_ID_MAX + 1];
    int err = verify_note(collect->verify, topic->office, message->payload,
                          message->length, collect->now, log);
    switch (err) {
    case 0:
        touch(collect, topic->office, log, false);
        return 0;
    case -ENOKEY: /* it is looked at again when the key comes */
        return store_put_early(collect->store, topic->office, message->payload,
                               message->length);
    case -EPROTO:
        return reject(collect, message, "no checkpoint of this office");
    case -EBADMSG:
        return reject(collect, message,
                      "a checkpoint that the office's key has not signed");
    case -E2BIG:
        return reject(collect, message, "this office has too many logs");
    default:
        return err;
    }
}

static int take_early(struct collect *collect, const char *office)
{
    struct store_office known;
    char log[WORD_ID_MAX + 1];
    int err = store_get_office(collect->store, office, &known);
    if (!err && known.early.length > 0) {
        err = verify_note(collect->verify, office, known.early.bytes, known.early.length,
                          collect->now, log);
        if (!err)
            touch(collect, office, log, false);
        if (err == -EPROTO || err == -EBADMSG || err == -E2BIG || err == -ENOKEY)
            err = 0;
        if (!err)
            err = store_put_early(collect->store, office, NULL, 0);
    }
    store_office_free(&known);
    return err;
}

static int came_key(struct collect *collect, const char *office, const char *verifier)
{
    enum offices_answer answer;
    int err = offices_show(collect->offices, office, verifier, collect->now, &answer);
    if (err)
        return err;
    if (answer == OFFICES_PINNED) {
        log_info("office %s: its key was seen for the first time and is pinned", office);
        return take_early(collect, office);
    }
    if (answer != OFFICES_CHANGED)
        return 0;
    struct store_finding finding = {
        .office = office,
        .log = "",
        .kind = "key",
        .detail = "shows another key than the one known; the known one stays",
        .now = collect->now,
        .seq = -1,
        .evidence = verifier,
        .length = strlen(verifier),
    };
    return note_finding(collect, &finding);
}

/* The broker may publish the will of an earlier boot after the newer boot has come online. */
static bool is_old_will(struct collect *collect, const char *office,
                        const struct presence *presence)
{
    struct store_office known;
    struct presence before;
    bool old =
        !presence->online && store_get_office(collect->store, office, &known) == 0 &&
        presence_read(&before, office, known.status.bytes, known.status.length) == 0 &&
        before.online && strcmp(before.boot, presence->boot) != 0;
    if (!presence->online)
        store_office_free(&known);
    return old;
}

/* Whoever says that it is there is told what is held of its log: after the city has lost its
 * database, an office with no news would not know. */
static int answer_status(struct collect *collect, const char *office, const char *log)
{
    int err = store_admit_log(collect->store, office, log, collect->now);
    if (!err)
        touch(collect, office, log, true);
    return err == -E2BIG ? 0 : err;
}

static int came_status(struct collect *collect, const struct topic *topic,
                       const struct mqtt_message *message)
{
    struct presence presence;
    if (presence_read(&presence, topic->office, message->payload, message->length) != 0)
        return reject(collect, message, "no status of this office");
    if (is_old_will(collect, topic->office, &presence))
        return 0;
    int err = store_put_status(collect->store, topic->office, message->payload,
                               message->length, collect->now);
    if (!err && presence.verifier[0] != '\0')
        err = came_key(collect, topic->office, presence.verifier);
    if (!err && presence.online && presence.log[0] != '\0')
        err = answer_status(collect, topic->office, presence.log);
    return err;
}

static int (*const CAME[])(struct collect *, const struct topic *,
                           const struct mqtt_message *) = {
    [TOPIC_EVENTS] = came_events,
    [TOPIC_CHECKPOINT] = came_checkpoint,
    [TOPIC_STATUS] = came_status,
};

int collect_message(struct collect *collect, const struct mqtt_message *message)
{
    struct topic topic;
    int err = begin(collect);
    if (!err)
        err = topic_read(&topic, message->topic) == 0
                  ? CAME[topic.kind](collect, &topic, message)
                  : reject(collect, message, "not a topic of an office");
    if (err)
        undo(collect);
    return err;
}

bool collect_is_full(const struct collect *collect)
{
    return collect->events >= COLLECT_EVENTS || collect->count == COLLECT_LOGS;
}

bool collect_has_work(const struct collect *collect)
{
    return collect->open || collect->count > 0;
}

/* ---- Commit */

static int verify_touched(struct collect *collect, bool more[COLLECT_LOGS])
{
    int err = 0;
    for (size_t i = 0; i < collect->count && !err; i++) {
        struct touched *touched = &collect->touched[i];
        bool moved;
        err = verify_step(collect->verify, touched->office, touched->log, COLLECT_BUDGET,
                          collect->now, &moved, &more[i]);
        touched->tell |= moved;
    }
    return err;
}

static void tell_receipt(struct collect *collect, const char *office, const char *log,
                         bool began)
{
    struct buffer note = {0};
    int err = receipts_write(&note, collect->store, collect->key, office, log);
    if (err)
        log_error(
            "office %s log %s: no receipt (%s: %s); the office will ask by sending again",
            office, log, strerror(-err), store_error(collect->store));
    else
        collect->calls->receipt(collect->owner, office, note.bytes, note.length, began);
    buffer_free(&note);
}

/* Keeps only the logs that have something left to verify. */
static void tell_touched(struct collect *collect, const bool more[COLLECT_LOGS])
{
    size_t kept = 0;
    for (size_t i = 0; i < collect->count; i++) {
        struct touched *touched = &collect->touched[i];
        if (touched->tell)
            tell_receipt(collect, touched->office, touched->log, false);
        touched->tell = false;
        if (more[i])
            collect->touched[kept++] = *touched;
    }
    collect->count = kept;
}

int collect_commit(struct collect *collect)
{
    bool more[COLLECT_LOGS] = {false};
    int err = begin(collect);
    if (!err)
        err = verify_touched(collect, more);
    if (!err)
        err = store_commit(collect->store);
    if (err) {
        undo(collect);
        return err;
    }
    collect->open = false;
    collect->events = 0;
    tell_touched(collect, more);
    return 0;
}

struct newest {
    struct collect *collect;
    char office[WORD_ID_MAX + 1];
    char log[WORD_ID_MAX + 1];
};

static void tell_newest(struct newest *newest)
{
    if (newest->office[0] != '\0')
        tell_receipt(newest->collect, newest->office, newest->log, true);
}

/* Logs come by office and then by age: the last one of an office is its newest. */
static int next_log(void *owner, const char *office, const char *log)
{
    struct newest *newest = owner;
    if (strcmp(newest->office, office) != 0)
        tell_newest(newest);
    snprintf(newest->office, sizeof(newest->office), "%s", office);
    snprintf(newest->log, sizeof(newest->log), "%s", log);
    touch(newest->collect, office, log, false);
    return 0;
}

/* Reading would see what the open transaction has, which may yet be undone: it is ended first. */
int collect_begin(struct collect *collect)
{
    struct newest newest = {.collect = collect};
    int err = collect->open ? collect_commit(collect) : 0;
    if (!err)
        err = store_each_log(collect->store, next_log, &newest);
    if (!err)
        tell_newest(&newest);
    return err;
}
