/* store - see store.h. What each question means is beside its SQL in schema.c. */
#include "city/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "city/database.h"
#include "city/schema.h"
#include "proof/suite.h"

struct store {
    struct database *db;
};

const char *store_path(const char *database)
{
    return strncmp(database, "sqlite:", 7) == 0 && database[7] != '\0' ? database + 7
                                                                       : NULL;
}

int store_open(struct store **out, const char *path, bool write, char why[STORE_WHY_ROOM])
{
    struct database *db;
    int err = database_open(&db, path, write, why);
    if (err)
        return err;
    struct store *store = mem_new(struct store);
    store->db = db;
    *out = store;
    return 0;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    database_close(store->db);
    mem_free(store);
}

const char *store_error(const struct store *store)
{
    return database_error(store->db);
}

int store_begin(struct store *store)
{
    return database_begin(store->db);
}

int store_commit(struct store *store)
{
    return database_commit(store->db);
}

void store_rollback(struct store *store)
{
    database_rollback(store->db);
}

/* ---- Events */

int store_put_event(struct store *store, const struct store_event *event, bool *fresh)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_EVENT_PUT, "ttitttttbti", event->office,
                           event->log, event->seq, event->lane, event->type,
                           event->subject, event->time, event->recorded, event->body,
                           event->length, event->received, event->prev);
    if (err)
        return err;
    err = database_tell(s);
    *fresh = database_changes(store->db) > 0;
    return err;
}

int store_get_body(struct store *store, const char *office, const char *log, int64_t seq,
                   struct buffer *out)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_EVENT_BODY, "tti", office, log, seq);
    if (err)
        return err;
    int more = database_next(s);
    if (more > 0)
        database_take(s, 0, out);
    return database_done(s, more < 0 ? more : more == 0 ? -ENOENT : 0);
}

int store_each_event(struct store *store, const char *office, const char *log,
                     int64_t seq, int64_t most,
                     int (*each)(void *owner, const struct store_event *event),
                     void *owner)
{
    struct rows *s;
    int err =
        database_ask(store->db, &s, QUERY_EVENT_FROM, "ttii", office, log, seq, most);
    while (!err && (err = database_next(s)) > 0) {
        struct store_event event = {
            .office = office,
            .log = log,
            .seq = database_number(s, 0),
            .lane = database_text(s, 1),
            .type = database_text(s, 2),
            .subject = database_text(s, 3),
            .time = database_text(s, 4),
            .recorded = database_text(s, 5),
            .body = database_text(s, 6),
            .length = database_length(s, 6),
            .prev = database_number(s, 7),
        };
        err = each(owner, &event);
    }
    return database_done(s, err);
}

int store_each_since(struct store *store, int64_t since, const char *office,
                     int (*each)(void *owner, const struct store_event *event),
                     void *owner)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_EVENT_SINCE, "it", since, office);
    while (!err && (err = database_next(s)) > 0) {
        struct store_event event = {
            .row = database_number(s, 0),
            .office = database_text(s, 1),
            .log = database_text(s, 2),
            .seq = database_number(s, 3),
            .lane = database_text(s, 4),
            .type = database_text(s, 5),
            .subject = database_text(s, 6),
            .time = database_text(s, 7),
            .recorded = database_text(s, 8),
            .body = database_text(s, 9),
            .length = database_length(s, 9),
            .received = database_text(s, 10),
        };
        err = each(owner, &event);
    }
    return database_done(s, err);
}

int store_newest_row(struct store *store, int64_t *newest)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_EVENT_NEWEST, "");
    return err ? err : database_tell_number(s, newest, 0);
}

/* ---- Lanes */

int store_get_mark(struct store *store, const char *office, const char *log,
                   enum talk_lane lane, int64_t *mark)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_LANE_GET, "ttt", office, log,
                           talk_lane_name(lane));
    return err ? err : database_tell_number(s, mark, -1);
}

int store_put_mark(struct store *store, const char *office, const char *log,
                   enum talk_lane lane, int64_t mark)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_LANE_PUT, "ttti", office, log,
                           talk_lane_name(lane), mark);
    return err ? err : database_tell(s);
}

int store_put_run(struct store *store, const char *office, const char *log,
                  enum talk_lane lane, int64_t prev, int64_t last)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_AHEAD_PUT, "tttii", office, log,
                           talk_lane_name(lane), last, prev);
    return err ? err : database_tell(s);
}

int store_count_runs(struct store *store, const char *office, const char *log,
                     enum talk_lane lane, int64_t *count)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_AHEAD_COUNT, "ttt", office, log,
                           talk_lane_name(lane));
    return err ? err : database_tell_number(s, count, 0);
}

int store_reach(struct store *store, const char *office, const char *log,
                enum talk_lane lane, int64_t mark, int64_t *reach)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_AHEAD_REACH, "ttti", office, log,
                           talk_lane_name(lane), mark);
    return err ? err : database_tell_number(s, reach, mark);
}

int store_drop_runs(struct store *store, const char *office, const char *log,
                    enum talk_lane lane, int64_t mark)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_AHEAD_DROP, "ttti", office, log,
                           talk_lane_name(lane), mark);
    return err ? err : database_tell(s);
}

/* ---- Logs */

static void take_log(struct rows *s, struct store_log *out)
{
    const char *suite = database_text(s, 0);
    snprintf(out->suite, sizeof(out->suite), "%s", suite == NULL ? "" : suite);
    out->size = database_number(s, 1);
    database_take(s, 2, &out->edge);
    database_take(s, 3, &out->verified);
    database_take(s, 4, &out->aim);
    database_take(s, 5, &out->newest);
    out->broken = !database_is_null(s, 6);
}

int store_get_log(struct store *store, const char *office, const char *log,
                  struct store_log *out)
{
    struct rows *s;
    memset(out, 0, sizeof(*out));
    int err = database_ask(store->db, &s, QUERY_LOG_GET, "tt", office, log);
    if (err)
        return err;
    int more = database_next(s);
    if (more > 0)
        take_log(s, out);
    return database_done(s, more < 0 ? more : more == 0 ? -ENOENT : 0);
}

void store_log_free(struct store_log *log)
{
    buffer_free(&log->edge);
    buffer_free(&log->verified);
    buffer_free(&log->aim);
    buffer_free(&log->newest);
}

int store_admit_log(struct store *store, const char *office, const char *log,
                    const char *now)
{
    struct rows *s;
    int64_t others = 0;
    int err = database_ask(store->db, &s, QUERY_LOG_COUNT, "tt", office, log);
    if (!err)
        err = database_tell_number(s, &others, 0);
    if (!err && others >= STORE_LOGS)
        err = -E2BIG;
    if (!err)
        err = database_ask(store->db, &s, QUERY_LOG_TOUCH, "ttt", office, log, now);
    return err ? err : database_tell(s);
}

int store_aim_log(struct store *store, const char *office, const char *log,
                  const struct buffer *aim, const struct buffer *newest)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_LOG_AIM, "ttbb", office, log, aim->bytes,
                           aim->length, newest->bytes, newest->length);
    return err ? err : database_tell(s);
}

int store_log_verified(struct store *store, const char *office, const char *log,
                       const struct store_log *state)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_LOG_VERIFIED, "tttixbb", office, log,
                           state->suite, state->size, state->edge.bytes,
                           state->edge.length, state->verified.bytes,
                           state->verified.length, state->aim.bytes, state->aim.length);
    return err ? err : database_tell(s);
}

int store_break_log(struct store *store, const char *office, const char *log,
                    const char *why)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_LOG_BREAK, "ttt", office, log, why);
    return err ? err : database_tell(s);
}

int store_each_log(struct store *store,
                   int (*each)(void *owner, const char *office, const char *log),
                   void *owner)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_LOG_ALL, "");
    while (!err && (err = database_next(s)) > 0)
        err = each(owner, database_text(s, 0), database_text(s, 1));
    return database_done(s, err);
}

int store_get_tile(struct store *store, const char *office, const char *log, int64_t n,
                   struct buffer *out)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_TILE_GET, "tti", office, log, n);
    if (err)
        return err;
    int more = database_next(s);
    if (more > 0)
        database_take(s, 0, out);
    return database_done(s, more < 0 ? more : more == 0 ? -ENOENT : 0);
}

int store_put_tile(struct store *store, const char *office, const char *log, int64_t n,
                   const struct buffer *leaves)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_TILE_PUT, "ttix", office, log, n,
                           leaves->bytes, leaves->length);
    return err ? err : database_tell(s);
}

int store_put_erased(struct store *store, const char *office, const char *log, int64_t n,
                     int64_t seq)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_ERASED_PUT, "ttii", office, log, n, seq);
    return err ? err : database_tell(s);
}

int store_each_order(struct store *store, const char *office, const char *log, int64_t n,
                     int (*each)(void *owner, int64_t seq, const char *body,
                                 size_t length),
                     void *owner)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_ERASED_BODIES, "ttii", office, log, n,
                           (int64_t)STORE_ORDERS);
    while (!err && (err = database_next(s)) > 0)
        err = each(owner, database_number(s, 0), database_text(s, 1),
                   database_length(s, 1));
    return database_done(s, err);
}

int store_sum_orders(struct store *store, const char *office, const char *log,
                     struct store_orders *orders)
{
    struct rows *s;
    memset(orders, 0, sizeof(*orders));
    int err = database_ask(store->db, &s, QUERY_ERASED_SUM, "tt", office, log);
    if (err)
        return err;
    int more = database_next(s);
    if (more > 0)
        *orders = (struct store_orders){database_number(s, 0), database_number(s, 1),
                                        database_number(s, 2)};
    return database_done(s, more < 0 ? more : 0);
}

int store_put_checkpoint(struct store *store, const char *office, const char *log,
                         int64_t size, const struct buffer *note)
{
    struct rows *s;
    int err =
        database_ask(store->db, &s, QUERY_CHECKPOINT_THIN, "tti", office, log, size);
    if (!err)
        err = database_tell(s);
    if (!err)
        err = database_ask(store->db, &s, QUERY_CHECKPOINT_PUT, "ttib", office, log, size,
                           note->bytes, note->length);
    return err ? err : database_tell(s);
}

int store_each_checkpoint(struct store *store, const char *office, const char *log,
                          int (*each)(void *owner, int64_t size, const char *note,
                                      size_t length),
                          void *owner)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_CHECKPOINT_ALL, "tt", office, log);
    while (!err && (err = database_next(s)) > 0)
        err = each(owner, database_number(s, 0), database_text(s, 1),
                   database_length(s, 1));
    return database_done(s, err);
}

/* ---- Offices */

int store_get_office(struct store *store, const char *office, struct store_office *out)
{
    struct rows *s;
    memset(out, 0, sizeof(*out));
    int err = database_ask(store->db, &s, QUERY_OFFICE_GET, "t", office);
    if (err)
        return err;
    int more = database_next(s);
    if (more > 0) {
        database_take(s, 0, &out->verifier);
        database_take(s, 1, &out->status);
        database_take(s, 2, &out->early);
    }
    return database_done(s, more < 0 ? more : more == 0 ? -ENOENT : 0);
}

void store_office_free(struct store_office *office)
{
    buffer_free(&office->verifier);
    buffer_free(&office->status);
    buffer_free(&office->early);
}

int store_pin_office(struct store *store, const char *office, const char *verifier,
                     const char *now)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_OFFICE_PIN, "ttt", office, verifier, now);
    return err ? err : database_tell(s);
}

int store_put_status(struct store *store, const char *office, const void *json,
                     size_t length, const char *now)
{
    struct rows *s;
    int err =
        database_ask(store->db, &s, QUERY_OFFICE_SAID, "tbt", office, json, length, now);
    return err ? err : database_tell(s);
}

int store_put_early(struct store *store, const char *office, const void *note,
                    size_t length)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_OFFICE_EARLY, "tb", office, note, length);
    return err ? err : database_tell(s);
}

int store_each_office(struct store *store,
                      int (*each)(void *owner, const char *office, const char *status,
                                  const char *seen, const char *verifier),
                      void *owner)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_OFFICE_ALL, "");
    while (!err && (err = database_next(s)) > 0)
        err = each(owner, database_text(s, 0), database_text(s, 1), database_text(s, 2),
                   database_text(s, 3));
    return database_done(s, err);
}

/* ---- What must not be */

int store_put_finding(struct store *store, const struct store_finding *finding,
                      bool *fresh)
{
    struct rows *s;
    struct digest digest;
    char hex[2 * DIGEST_BYTES + 1];
    suite_hash(suite_named("sha256+ed25519"), &digest, finding->evidence,
               finding->length);
    hex_encode(hex, digest.bytes, sizeof(digest.bytes));
    int err = database_ask(store->db, &s, QUERY_FINDING_PUT, "ttittbtti", finding->office,
                           finding->log, finding->seq, finding->kind, finding->detail,
                           finding->evidence, finding->length, hex, finding->now,
                           (int64_t)STORE_FINDINGS);
    if (err)
        return err;
    err = database_tell(s);
    *fresh = database_changes(store->db) > 0;
    return err;
}

int store_count_findings(struct store *store, const char *office, int64_t *count)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_FINDING_COUNT, "t", office);
    return err ? err : database_tell_number(s, count, 0);
}

int store_each_kind(struct store *store,
                    int (*each)(void *owner, const char *kind, int64_t count),
                    void *owner)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_FINDING_KINDS, "");
    while (!err && (err = database_next(s)) > 0)
        err = each(owner, database_text(s, 0), database_number(s, 1));
    return database_done(s, err);
}

int store_drop_missing(struct store *store, const char *office, const char *log,
                       int64_t size)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_FINDING_FOUND, "tti", office, log, size);
    return err ? err : database_tell(s);
}

int store_put_rejected(struct store *store, const char *topic, const char *reason,
                       const void *payload, size_t length, const char *now)
{
    struct rows *s;
    size_t kept = length < STORE_REJECTED_BYTES ? length : STORE_REJECTED_BYTES;
    int err = database_ask(store->db, &s, QUERY_REJECTED_PUT, "tttx", now, topic, reason,
                           payload, kept);
    if (!err)
        err = database_tell(s);
    if (!err)
        err = database_ask(store->db, &s, QUERY_REJECTED_THIN, "i",
                           (int64_t)STORE_REJECTED);
    return err ? err : database_tell(s);
}

int store_count_rejected(struct store *store, int64_t *count)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_REJECTED_COUNT, "");
    return err ? err : database_tell_number(s, count, 0);
}

int store_count_refused(struct store *store, int64_t *count)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_REJECTED_UPLOADS, "");
    return err ? err : database_tell_number(s, count, 0);
}

int store_put_evidence(struct store *store, const struct store_evidence *evidence)
{
    struct rows *s;
    int err =
        database_ask(store->db, &s, QUERY_EVIDENCE_PUT, "ttittitt", evidence->office,
                     evidence->log, evidence->seq, evidence->sha256, evidence->sm3,
                     evidence->size, evidence->class, evidence->received);
    return err ? err : database_tell(s);
}

int store_sum_evidence(struct store *store, const char *office, struct store_kept *kept)
{
    struct rows *s;
    memset(kept, 0, sizeof(*kept));
    int err = database_ask(store->db, &s, QUERY_EVIDENCE_SUM, "t", office);
    if (err)
        return err;
    int more = database_next(s);
    if (more > 0) {
        kept->count = database_number(s, 0);
        kept->bytes = database_number(s, 1);
        snprintf(kept->newest, sizeof(kept->newest), "%s", database_text(s, 2));
    }
    return database_done(s, more < 0 ? more : 0);
}

int store_version(struct store *store, int64_t *version)
{
    struct rows *s;
    int err = database_ask(store->db, &s, QUERY_DATA_VERSION, "");
    return err ? err : database_tell_number(s, version, 0);
}
