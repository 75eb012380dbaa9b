/* ledger - see ledger.h. A cut may leave all that was told done and, of what was under way, one whole
 * transaction more. */
#include "ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "keeper/journal/scan.h"
#include "trace.h"

static const char *const INSTANCES[] = {"gate", "hall"};
static const char *const CURSORS[] = {"one", "two"};

struct ledger *ledger_new(void)
{
    return trace_share(sizeof(struct ledger));
}

void ledger_clear(struct ledger *ledger)
{
    ledger->count = 0;
    ledger->is_intended = false;
    ledger->log[0] = '\0';
    ledger->moments[0] = (struct moment){.size = 0};
}

static int print_key(void *owner, const char *key, const void *value, size_t length)
{
    struct buffer *out = owner;
    buffer_append(out, key, strlen(key) + 1);
    buffer_append(out, value, length);
    return 0;
}

/* Memory that is to fail fails the keeper, not who watches it. */
static void digest_state(struct journal *journal, struct digest *digest)
{
    long left = trace_fail_memory(0);
    struct buffer all = {0};
    int64_t marks[LANES], seq;
    for (size_t i = 0; i < countof(INSTANCES); i++) {
        store_each_key(journal->store, INSTANCES[i], "", NULL, print_key, &all);
        for (size_t k = 0; k < countof(CURSORS); k++) {
            store_get_cursor(journal->store, INSTANCES[i], CURSORS[k], &seq);
            buffer_append(&all, &seq, sizeof(seq));
        }
    }
    store_get_marks(journal->store, marks);
    buffer_append(&all, marks, sizeof(marks));
    store_get_receipt(journal->store, &all);
    suite_hash(journal->suite, digest, all.bytes, all.length);
    buffer_free(&all);
    trace_fail_memory(left);
}

static void take_moment(struct ledger *ledger, struct journal *journal, int64_t size)
{
    struct moment *moment = &ledger->moments[ledger->count + 1];
    moment->size = size;
    if (ledger->count + 2 == LEDGER_MOMENTS || moment->size > LEDGER_EVENTS)
        abort();
    for (int64_t seq = moment[-1].size; seq < moment->size; seq++)
        ledger->leaves[seq] = *tail_leaf(&journal->tail, seq);
    digest_state(journal, &moment->state);
    strcpy(ledger->log, journal->log.log);
}

void ledger_note(struct ledger *ledger, struct journal *journal)
{
    take_moment(ledger, journal, journal->size); /* the next one may be open already */
    ledger->is_intended = false;
    ledger->count++;
    trace_mark((uint64_t)ledger->count);
}

void ledger_intend(struct ledger *ledger, struct journal *journal)
{
    ledger->is_intended = journal != NULL;
    if (journal != NULL)
        take_moment(ledger, journal, (int64_t)journal->tree.size);
}

/* ---- Checking */

static char why[160];

struct reading {
    const struct ledger *ledger;
    struct journal *journal;
    struct tree tree;
    int64_t known;  /* events of the ledger that are there */
    int64_t erased; /* before the next one that is there */
    int64_t number; /* the next `n` of a plugin's event */
    bool is_wrong;
};

/* The plugin counts what it emits: whatever the journal says, none of its numbers may be missing or
 * twice, but those that were erased meanwhile. */
static bool has_next_number(struct reading *reading, const struct store_event *event)
{
    char text[64];
    const char *at = memmem(event->body, event->length, "\"data\":{\"n\":", 12);
    if (at == NULL)
        return true;
    size_t left = event->length - (size_t)(at - (const char *)event->body);
    snprintf(text, sizeof(text), "%.*s", (int)(left < 40 ? left : 40), at + 12);
    int64_t passed = strtoll(text, NULL, 10) - reading->number;
    reading->number += passed + 1;
    bool well = passed >= 0 && passed <= reading->erased;
    reading->erased = 0;
    return well;
}

/* An event that was erased has its leaf in the hash tile still. */
static void pass_erased(struct reading *reading, int64_t until)
{
    struct buffer tile = {0};
    int64_t seq = (int64_t)reading->tree.size;
    if (journal_read_tile(reading->journal, &tile, 0, (uint64_t)seq / TILE_WIDTH,
                          TILE_WIDTH) != 0)
        reading->is_wrong = true;
    for (; seq < until && !reading->is_wrong; seq++) {
        const struct digest *leaf = (const struct digest *)tile.bytes + seq % TILE_WIDTH;
        if (reading->known == seq && digest_equal(leaf, &reading->ledger->leaves[seq]))
            reading->known++;
        tree_append(&reading->tree, leaf);
        reading->erased++;
        if (seq % TILE_WIDTH == TILE_WIDTH - 1)
            break;
    }
    buffer_free(&tile);
}

/* Nothing that was only not written yet is damage. */
static bool tells_of_damage(const struct store_event *event)
{
    return memmem(event->body, event->length, "\"type\":\"journal.damaged\"", 24) !=
               NULL ||
           memmem(event->body, event->length, "\"type\":\"journal.salvaged\"", 25) !=
               NULL;
}

static int read_one(void *owner, const struct store_event *event)
{
    struct reading *reading = owner;
    struct digest leaf;
    while ((int64_t)reading->tree.size < event->seq && !reading->is_wrong &&
           event->seq < (int64_t)reading->journal->size)
        pass_erased(reading, event->seq);
    suite_leaf(reading->journal->suite, &leaf, event->body, event->length);
    bool known = event->seq < LEDGER_EVENTS &&
                 digest_equal(&leaf, &reading->ledger->leaves[event->seq]);
    if (event->seq != (int64_t)reading->tree.size || !has_next_number(reading, event)) {
        snprintf(why, sizeof(why), "event %" PRId64 " is not in its place", event->seq);
        reading->is_wrong = true;
    }
    if (tells_of_damage(event)) {
        snprintf(why, sizeof(why), "event %" PRId64 " tells of damage", event->seq);
        reading->is_wrong = true;
    }
    if (known && reading->known == event->seq)
        reading->known++;
    tree_append(&reading->tree, &leaf);
    return reading->is_wrong;
}

static const char *read_all(struct reading *reading)
{
    static const struct scan_filter ALL = {.lane = -1};
    struct journal *journal = reading->journal;
    struct digest root, own;
    int64_t seq = 0;
    tree_begin(&reading->tree, journal->suite);
    while (seq < journal->size && !reading->is_wrong) {
        int err = scan_events(journal, &ALL, &seq, read_one, reading);
        if (err) {
            snprintf(why, sizeof(why), "lost: event %" PRId64 " cannot be read: %s", seq,
                     strerror(-err));
            return why;
        }
    }
    if (reading->is_wrong)
        return why;
    tree_root(&reading->tree, &root);
    tree_root(&journal->tree, &own);
    return digest_equal(&root, &own) && reading->tree.size == (uint64_t)journal->size
               ? NULL
               : "the tree is not that of the events";
}

/* Where a transaction ends: all events up to there, and the keys, cursors and marks of then. */
static bool is_at(const struct ledger *ledger, int at, int64_t known,
                  const struct digest *state)
{
    const struct moment *moment = &ledger->moments[at];
    return at <= ledger->count + ledger->is_intended && moment->size == known &&
           (at == 0 || digest_equal(&moment->state, state));
}

const char *ledger_check(const struct ledger *ledger, struct journal *journal, int marks,
                         struct found *found)
{
    struct reading reading = {.ledger = ledger, .journal = journal};
    struct digest state;
    if (marks > 0 && strcmp(ledger->log, journal->log.log) != 0)
        return "lost: the whole log";
    const char *wrong = read_all(&reading);
    if (wrong)
        return wrong;
    if (reading.known < ledger->moments[marks].size) {
        snprintf(why, sizeof(why), "lost: event %" PRId64 " of %" PRId64, reading.known,
                 ledger->moments[marks].size);
        return why;
    }
    if (found == NULL)
        return NULL;
    digest_state(journal, &state);
    *found = (struct found){.at = marks + 1, .number = reading.number};
    if (is_at(ledger, marks + 1, reading.known, &state))
        return NULL;
    found->at = marks;
    if (is_at(ledger, marks, reading.known, &state))
        return NULL;
    snprintf(why, sizeof(why),
             "lost: keys, cursors or marks after transaction %d, %" PRId64 " events",
             marks, reading.known);
    return why;
}
