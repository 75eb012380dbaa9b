/* disk - see disk.h. Stands in for keeper/journal/journal.c, keeper/journal/scan.c and keeper/journal/store.c.
 *
 * Invariant: the ledger's newest log, `marks` and `sealed` are what is on disk; `open_marks` and
 * `added` are what the open transaction would make of them. */
#include "disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "actor.h"
#include "base/base.h"
#include "chance.h"
#include "checker.h"
#include "clock.h"
#include "keeper/children/commit.h"
#include "keeper/children/holding.h"
#include "keeper/journal/scan.h"
#include "keeper/self.h"
#include "storm.h"
#include "story.h"
#include "weather.h"

enum { ADDED_MOST = 64, LOOK_MOST = 40 };

struct store {
    int nothing;
};

static int64_t marks[LANES], open_marks[LANES], sealed;
static struct ledger_event added[ADDED_MOST];
static int added_count;
static struct tree tree; /* over what is committed */

void disk_begin(void)
{
    bool made = disk_renew();
    ASSERT(made);
}

bool disk_renew(void)
{
    struct ledger_log *log = ledger_add();
    if (log == NULL)
        return false;
    for (int lane = 0; lane < LANES; lane++)
        marks[lane] = -1;
    sealed = 0;
    tree_begin(&tree, suite_named("sha256+ed25519"));
    story_say("the journal is new: %s", log->name);
    return true;
}

void disk_load(struct journal *journal)
{
    static struct store store;
    const struct ledger_log *log = ledger_newest();
    memset(journal, 0, sizeof(*journal));
    journal->store = &store;
    journal->suite = tree.suite;
    snprintf(journal->log.office, sizeof(journal->log.office), "%s", LEDGER_OFFICE);
    snprintf(journal->log.log, sizeof(journal->log.log), "%s", log->name);
    journal->size = log->size;
    tail_begin(&journal->tail, sealed);
    for (int64_t seq = sealed; seq < log->size; seq++)
        tail_push(&journal->tail, log->events[seq].lane, &log->events[seq].leaf);
    memcpy(journal->marks, marks, sizeof(marks));
    journal->bundle_index = -1;
    added_count = 0;
}

void disk_unload(struct journal *journal)
{
    tail_free(&journal->tail);
    buffer_free(&journal->receipt);
}

int64_t disk_mark(enum talk_lane lane)
{
    return marks[lane];
}

/* ---- Events */

static void compose(struct ledger_event *event, const char *log, int64_t seq,
                    unsigned bytes)
{
    static const char PADDING[] = "................................................"
                                  "................................................";
    char text[700];
    unsigned padding = bytes < sizeof(PADDING) ? bytes : sizeof(PADDING) - 1;
    int length =
        snprintf(text, sizeof(text),
                 "{\"specversion\":\"1.0\",\"id\":\"%s/%s/%lld\",\"source\":\"/%s/p/i\","
                 "\"type\":\"sim.event\",\"time\":\"2026-11-21T03:04:05.123456Z\","
                 "\"subject\":\"person/1\",\"office\":\"%s\",\"log\":\"%s\","
                 "\"sequence\":\"%016lld\",\"lane\":\"%s\",\"recorded\":"
                 "\"2026-11-21T03:04:05.2Z\",\"data\":{\"x\":\"%.*s\"}}",
                 LEDGER_OFFICE, log, (long long)seq, LEDGER_OFFICE, LEDGER_OFFICE, log,
                 (long long)seq, talk_lane_name(event->lane), (int)padding, PADDING);
    ASSERT(length > 0 && (size_t)length < sizeof(text));
    event->length = (size_t)length;
    event->body = actor_keep(text, event->length);
    suite_leaf(tree.suite, &event->leaf, event->body, event->length);
}

bool disk_add(struct journal *journal, enum talk_lane lane, unsigned bytes)
{
    const struct ledger_log *log = ledger_newest();
    ASSERT(journal->is_open);
    if (log->size + added_count == LEDGER_EVENTS || added_count == ADDED_MOST)
        return false;
    struct ledger_event *event = &added[added_count];
    *event = (struct ledger_event){.lane = lane};
    compose(event, log->name, log->size + added_count++, bytes);
    return true;
}

static void apply(struct journal *journal)
{
    struct ledger_log *log = ledger_newest();
    for (int i = 0; i < added_count; i++) {
        struct ledger_event *event = &log->events[log->size++];
        *event = added[i];
        event->committed_us = clock_us();
        tree_append(&tree, &event->leaf);
        tree_root(&tree, &event->root);
        story_say("event %lld of %s is committed (%s)", (long long)log->size - 1,
                  log->name, talk_lane_name(event->lane));
    }
    memcpy(marks, open_marks, sizeof(marks));
    (void)journal;
    checker_marked();
}

void disk_erase(unsigned count)
{
    struct ledger_log *log = ledger_newest();
    for (int64_t seq = 0; seq < sealed && count > 0; seq++) {
        struct ledger_event *event = &log->events[seq];
        if (event->lane != LANE_TELEMETRY || event->erased)
            continue;
        event->erased = true;
        log->erased++;
        count--;
        story_say("the body of event %lld of %s is erased", (long long)seq, log->name);
    }
}

void disk_seal(struct journal *journal)
{
    sealed = journal->size;
    tail_drop(&journal->tail, sealed);
}

/* ---- keeper/journal/journal.h */

static int fail(void)
{
    if (!chance_is(weather.keeper_disk))
        return 0;
    return chance_below(2) == 0 ? -ENOSPC : -EIO;
}

int journal_begin(struct journal *journal)
{
    int err = fail();
    if (err)
        return err;
    ASSERT(!journal->is_open);
    journal->is_open = true;
    added_count = 0;
    memcpy(open_marks, marks, sizeof(marks));
    return 0;
}

/* What fails with -EIO may yet be on disk: the keeper does not know, and starts anew. */
int journal_commit(struct journal *journal)
{
    int err = fail();
    actor_risk();
    journal->is_open = false;
    if (err == -ENOSPC || (err && chance_below(2) == 0))
        return err;
    apply(journal);
    actor_risk();
    if (err)
        return err;
    for (int i = 0; i < added_count; i++)
        tail_push(&journal->tail, added[i].lane, &added[i].leaf);
    journal->size += added_count;
    return 0;
}

void journal_rollback(struct journal *journal)
{
    journal->is_open = false;
}

int journal_root(struct journal *journal, struct digest *root, uint64_t size)
{
    if (size > (uint64_t)journal->size)
        return -ERANGE;
    if (size > 0)
        *root = ledger_newest()->events[size - 1].root;
    return 0;
}

/* ---- keeper/journal/scan.h: as scan.c, a call may end before it has looked at everything */

int scan_events(struct journal *journal, const struct scan_filter *filter, int64_t *seq,
                int (*each)(void *owner, const struct store_event *event), void *owner)
{
    const struct ledger_log *log = ledger_newest();
    int64_t until =
        chance_below(4) == 0 ? *seq + 1 + chance_below(LOOK_MOST) : journal->size;
    actor_risk();
    for (; *seq < journal->size && *seq < until; (*seq)++) {
        const struct ledger_event *event = &log->events[*seq];
        struct store_event out = {.seq = *seq,
                                  .lane = event->lane,
                                  .body = event->body,
                                  .length = event->length};
        bool wanted = filter->lane < 0 || (int)event->lane == filter->lane;
        if (wanted && !event->erased && each(owner, &out) != 0)
            return 0;
    }
    return 0;
}

/* ---- keeper/journal/store.h */

int store_put_mark(struct store *store, enum talk_lane lane, int64_t seq)
{
    (void)store;
    int err = fail();
    open_marks[lane] = seq;
    return err;
}

int store_put_receipt(struct store *store, const void *note, size_t length)
{
    (void)store;
    (void)note;
    (void)length;
    return fail();
}

int store_get_tile(struct store *store, int64_t index, struct store_tile *tile)
{
    const struct ledger_log *log = ledger_newest();
    (void)store;
    for (int i = 0; i < TILE_WIDTH && index * TILE_WIDTH + i < log->size; i++) {
        const struct ledger_event *event = &log->events[index * TILE_WIDTH + i];
        tile->lanes[i] = (uint8_t)(event->lane | (event->erased ? STORE_ERASED : 0));
    }
    return 0;
}

/* The uplink has no durable cursor. */
int store_get_cursor(struct store *store, const char *instance, const char *name,
                     int64_t *seq)
{
    (void)store;
    (void)instance;
    (void)name;
    *seq = -1;
    return -EIO;
}

/* ---- keeper/self.h */

int self_record(struct group *group, const char *type, const char *text)
{
    bool alarm = strcmp(type, "sync.stalled") == 0;
    if (strcmp(type, "journal.contradicted") == 0 || (alarm && storm_is_over()))
        checker_violated("the keeper records %s: %s", type, text);
    int err = group_enter(group);
    if (!err && !disk_add(group->journal, alarm ? LANE_ALARM : LANE_RECORD, 0))
        err = -EIO;
    if (err)
        return err;
    group->has_alarm |= alarm;
    group_ask(group, 1, alarm);
    return 0;
}

/* No plugin of the simulation keeps anything in its store. */
void holdings_settle(struct holdings *holdings, bool done)
{
    (void)holdings;
    (void)done;
}

void holdings_free(struct holdings *holdings)
{
    (void)holdings;
}
