/* store - stands in for city/store.c: the same questions, answered from memory (rack.h).
 *
 * Every question may be the one at which the disk fails or the process dies. */
#include "city/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "actor.h"
#include "base/base.h"
#include "chance.h"
#include "checker.h"
#include "rack.h"
#include "weather.h"

struct store {
    bool is_open;
};

static int touch_disk(void)
{
    actor_risk();
    return chance_is(weather.city_disk) ? -EIO : 0;
}

static struct state *state_of(struct store *store)
{
    return store->is_open ? &rack_open : &rack_now;
}

static struct record *find(struct store *store, const char *office, const char *log)
{
    ASSERT(strcmp(office, LEDGER_OFFICE) == 0);
    return rack_find(state_of(store), log);
}

static struct blob blob_of(const void *bytes, size_t length)
{
    return (struct blob){length == 0 ? NULL : actor_keep(bytes, length), length};
}

static void give(struct buffer *out, struct blob blob)
{
    if (blob.length > 0)
        buffer_append(out, blob.bytes, blob.length);
}

const char *store_path(const char *database)
{
    return database;
}

int store_open(struct store **out, const char *path, bool write, char why[STORE_WHY_ROOM])
{
    static struct store store;
    (void)path;
    (void)write;
    (void)why;
    store.is_open = false;
    *out = &store;
    return 0;
}

void store_close(struct store *store)
{
    (void)store;
}

const char *store_error(const struct store *store)
{
    (void)store;
    return "the simulated disk";
}

int store_begin(struct store *store)
{
    int err = touch_disk();
    ASSERT(!store->is_open);
    if (err)
        return err;
    rack_copy(&rack_open, &rack_now);
    store->is_open = true;
    return 0;
}

/* A commit that fails may yet be on disk. */
int store_commit(struct store *store)
{
    int err = touch_disk();
    ASSERT(store->is_open);
    if (err && chance_below(2) == 0)
        return err;
    rack_copy(&rack_now, &rack_open);
    if (!err)
        store->is_open = false;
    checker_stored();
    actor_risk();
    return err;
}

void store_rollback(struct store *store)
{
    store->is_open = false;
}

int store_put_event(struct store *store, const struct store_event *event, bool *fresh)
{
    struct record *record = find(store, event->office, event->log);
    int err = touch_disk();
    if (err)
        return err;
    ASSERT(record != NULL);
    if (event->seq >= LEDGER_EVENTS) {
        checker_violated("the city is given event %lld, which never was",
                         (long long)event->seq);
        return -EIO;
    }
    *fresh = record->rows[event->seq] == NULL;
    if (!*fresh)
        return 0;
    struct shelf_row row = {event->seq, event->prev,
                            (enum talk_lane)talk_lane_of(event->lane), event->length,
                            actor_keep(event->body, event->length)};
    record->rows[event->seq] = actor_keep(&row, sizeof(row));
    rack_open.arrivals[rack_open.arrival_count++] =
        (uint16_t)((record - rack_open.records) * LEDGER_EVENTS + event->seq);
    return 0;
}

int store_get_body(struct store *store, const char *office, const char *log, int64_t seq,
                   struct buffer *out)
{
    struct record *record = find(store, office, log);
    int err = touch_disk();
    if (err)
        return err;
    if (record == NULL || record->rows[seq] == NULL)
        return -ENOENT;
    buffer_append(out, record->rows[seq]->body, record->rows[seq]->length);
    return 0;
}

int store_each_event(struct store *store, const char *office, const char *log,
                     int64_t seq, int64_t most,
                     int (*each)(void *owner, const struct store_event *event),
                     void *owner)
{
    struct record *record = find(store, office, log);
    int err = touch_disk();
    for (; !err && record != NULL && seq < LEDGER_EVENTS && most > 0; seq++) {
        const struct shelf_row *row = record->rows[seq];
        if (row == NULL)
            continue;
        struct store_event event = {.office = office,
                                    .log = log,
                                    .lane = talk_lane_name(row->lane),
                                    .seq = row->seq,
                                    .prev = row->prev,
                                    .body = row->body,
                                    .length = row->length};
        err = each(owner, &event);
        most--;
    }
    return err;
}

/* ---- Lanes */

int store_get_mark(struct store *store, const char *office, const char *log,
                   enum talk_lane lane, int64_t *mark)
{
    struct record *record = find(store, office, log);
    *mark = record == NULL ? -1 : record->marks[lane];
    return touch_disk();
}

int store_put_mark(struct store *store, const char *office, const char *log,
                   enum talk_lane lane, int64_t mark)
{
    find(store, office, log)->marks[lane] = mark;
    return touch_disk();
}

int store_put_run(struct store *store, const char *office, const char *log,
                  enum talk_lane lane, int64_t prev, int64_t last)
{
    struct record *record = find(store, office, log);
    unsigned *count = &record->run_count[lane];
    for (unsigned i = 0; i < *count; i++) {
        struct run *run = &record->runs[lane][i];
        if (run->last != last)
            continue;
        run->prev = run->prev < prev ? run->prev : prev;
        return touch_disk();
    }
    ASSERT(*count < RACK_RUNS);
    record->runs[lane][(*count)++] = (struct run){prev, last};
    return touch_disk();
}

int store_count_runs(struct store *store, const char *office, const char *log,
                     enum talk_lane lane, int64_t *count)
{
    *count = find(store, office, log)->run_count[lane];
    return touch_disk();
}

int store_reach(struct store *store, const char *office, const char *log,
                enum talk_lane lane, int64_t mark, int64_t *reach)
{
    struct record *record = find(store, office, log);
    *reach = mark;
    for (unsigned i = 0; i < record->run_count[lane]; i++) {
        const struct run *run = &record->runs[lane][i];
        if (run->prev <= mark && run->last > *reach)
            *reach = run->last;
    }
    return touch_disk();
}

int store_drop_runs(struct store *store, const char *office, const char *log,
                    enum talk_lane lane, int64_t mark)
{
    struct record *record = find(store, office, log);
    unsigned kept = 0;
    for (unsigned i = 0; i < record->run_count[lane]; i++)
        if (record->runs[lane][i].last > mark)
            record->runs[lane][kept++] = record->runs[lane][i];
    record->run_count[lane] = kept;
    return touch_disk();
}

/* ---- Logs */

int store_get_log(struct store *store, const char *office, const char *log,
                  struct store_log *out)
{
    struct record *record = find(store, office, log);
    memset(out, 0, sizeof(*out));
    int err = touch_disk();
    if (err || record == NULL)
        return err ? err : -ENOENT;
    snprintf(out->suite, sizeof(out->suite), "%s", record->suite);
    out->size = record->size;
    out->broken = record->broken;
    give(&out->edge, record->edge);
    give(&out->verified, record->verified);
    give(&out->aim, record->aim);
    give(&out->newest, record->newest);
    return 0;
}

void store_log_free(struct store_log *log)
{
    buffer_free(&log->edge);
    buffer_free(&log->verified);
    buffer_free(&log->aim);
    buffer_free(&log->newest);
}

static void clear_record(struct record *record, const char *log)
{
    memset(record, 0, offsetof(struct record, runs));
    memset(record->rows, 0, sizeof(record->rows));
    snprintf(record->name, sizeof(record->name), "%s", log);
    for (int lane = 0; lane < LANES; lane++)
        record->marks[lane] = -1;
}

int store_admit_log(struct store *store, const char *office, const char *log,
                    const char *when)
{
    struct record *record = find(store, office, log);
    if (record == NULL && ledger_find(log) == NULL) {
        checker_violated("the city admits log %s, which never was", log);
        return -EIO;
    }
    if (record == NULL) {
        record = &rack_open.records[rack_open.count++];
        clear_record(record, log);
    }
    snprintf(record->touched, sizeof(record->touched), "%s", when);
    return touch_disk();
}

int store_aim_log(struct store *store, const char *office, const char *log,
                  const struct buffer *aim, const struct buffer *newest)
{
    struct record *record = find(store, office, log);
    if (record != NULL) {
        record->aim = blob_of(aim->bytes, aim->length);
        record->newest = blob_of(newest->bytes, newest->length);
    }
    return touch_disk();
}

int store_log_verified(struct store *store, const char *office, const char *log,
                       const struct store_log *state)
{
    struct record *record = find(store, office, log);
    snprintf(record->suite, sizeof(record->suite), "%s", state->suite);
    record->size = state->size;
    record->edge = blob_of(state->edge.bytes, state->edge.length);
    record->verified = blob_of(state->verified.bytes, state->verified.length);
    record->aim = blob_of(state->aim.bytes, state->aim.length);
    record->newest = (struct blob){NULL, 0};
    return touch_disk();
}

int store_break_log(struct store *store, const char *office, const char *log,
                    const char *why)
{
    (void)why;
    find(store, office, log)->broken = true;
    return touch_disk();
}

int store_each_log(struct store *store,
                   int (*each)(void *owner, const char *office, const char *log),
                   void *owner)
{
    struct state *state = state_of(store);
    bool told[LEDGER_LOGS] = {false};
    int err = touch_disk();
    for (unsigned i = 0; i < state->count && !err; i++) {
        unsigned oldest = state->count;
        for (unsigned k = 0; k < state->count; k++)
            if (!told[k] &&
                (oldest == state->count ||
                 strcmp(state->records[k].touched, state->records[oldest].touched) < 0))
                oldest = k;
        told[oldest] = true;
        err = each(owner, LEDGER_OFFICE, state->records[oldest].name);
    }
    return err;
}

int store_get_tile(struct store *store, const char *office, const char *log, int64_t n,
                   struct buffer *out)
{
    struct record *record = find(store, office, log);
    int err = touch_disk();
    if (err || n >= RACK_TILES || record->tiles[n].length == 0)
        return err ? err : -ENOENT;
    give(out, record->tiles[n]);
    return 0;
}

int store_put_tile(struct store *store, const char *office, const char *log, int64_t n,
                   const struct buffer *leaves)
{
    ASSERT(n < RACK_TILES);
    find(store, office, log)->tiles[n] = blob_of(leaves->bytes, leaves->length);
    return touch_disk();
}

int store_put_checkpoint(struct store *store, const char *office, const char *log,
                         int64_t size, const struct buffer *note)
{
    (void)store;
    (void)office;
    (void)log;
    (void)size;
    (void)note;
    return touch_disk();
}

/* ---- The office, and what must not be */

int store_get_office(struct store *store, const char *office, struct store_office *out)
{
    struct state *state = state_of(store);
    (void)office;
    memset(out, 0, sizeof(*out));
    int err = touch_disk();
    if (err || !state->office_known)
        return err ? err : -ENOENT;
    give(&out->verifier, state->verifier);
    give(&out->status, state->status);
    give(&out->early, state->early);
    return 0;
}

void store_office_free(struct store_office *office)
{
    buffer_free(&office->verifier);
    buffer_free(&office->status);
    buffer_free(&office->early);
}

int store_pin_office(struct store *store, const char *office, const char *verifier,
                     const char *when)
{
    struct state *state = state_of(store);
    (void)office;
    (void)when;
    state->office_known = true;
    if (state->verifier.length == 0)
        state->verifier = blob_of(verifier, strlen(verifier));
    return touch_disk();
}

int store_put_status(struct store *store, const char *office, const void *json,
                     size_t length, const char *when)
{
    struct state *state = state_of(store);
    (void)office;
    (void)when;
    state->office_known = true;
    state->status = blob_of(json, length);
    return touch_disk();
}

int store_put_early(struct store *store, const char *office, const void *note,
                    size_t length)
{
    struct state *state = state_of(store);
    (void)office;
    state->office_known = true;
    state->early = blob_of(note, length);
    return touch_disk();
}

int store_put_finding(struct store *store, const struct store_finding *finding,
                      bool *fresh)
{
    struct state *state = state_of(store);
    *fresh = true;
    for (unsigned i = 0; i < state->finding_count; i++)
        if (strcmp(state->findings[i].kind, finding->kind) == 0 &&
            state->findings[i].seq == finding->seq)
            *fresh = false;
    if (*fresh && state->finding_count < RACK_FINDINGS) {
        struct finding *kept = &state->findings[state->finding_count++];
        snprintf(kept->kind, sizeof(kept->kind), "%s", finding->kind);
        snprintf(kept->log, sizeof(kept->log), "%s", finding->log);
        kept->seq = finding->seq;
    }
    return touch_disk();
}

int store_put_rejected(struct store *store, const char *topic, const char *reason,
                       const void *payload, size_t length, const char *when)
{
    (void)topic;
    (void)reason;
    (void)payload;
    (void)length;
    (void)when;
    state_of(store)->rejected++;
    return touch_disk();
}

/* No office of the simulation says what it has erased: a tile has more events than a log here. */
int store_put_erased(struct store *store, const char *office, const char *log, int64_t n,
                     int64_t seq)
{
    (void)store;
    checker_violated("event %lld of %s, %s is taken for an order to erase tile %lld",
                     (long long)seq, office, log, (long long)n);
    return touch_disk();
}

int store_each_order(struct store *store, const char *office, const char *log, int64_t n,
                     int (*each)(void *owner, int64_t seq, const char *body,
                                 size_t length),
                     void *owner)
{
    (void)store;
    (void)office;
    (void)log;
    (void)n;
    (void)each;
    (void)owner;
    return touch_disk();
}

int store_drop_missing(struct store *store, const char *office, const char *log,
                       int64_t size)
{
    struct state *state = state_of(store);
    unsigned kept = 0;
    (void)office;
    for (unsigned i = 0; i < state->finding_count; i++)
        if (strcmp(state->findings[i].kind, "missing") != 0 ||
            strcmp(state->findings[i].log, log) != 0 || state->findings[i].seq >= size)
            state->findings[kept++] = state->findings[i];
    state->finding_count = kept;
    return touch_disk();
}

/* No office of the simulation has files. */
int store_put_evidence(struct store *store, const struct store_evidence *evidence)
{
    (void)store, (void)evidence;
    base_abort("a file in the simulation", __FILE__, __LINE__);
}
