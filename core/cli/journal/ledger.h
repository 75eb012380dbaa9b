/* ledger - which events of a journal are erased, and which events ordered it.
 *
 * Made of the keeper's own events journal.thinned and journal.damaged (proof/erasure.h). What they
 * claim is checked against the hash tiles and tail.db as each is taken. */
#ifndef CLI_JOURNAL_LEDGER_H
#define CLI_JOURNAL_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/json.h"
#include "cli/journal/archive.h"
#include "cli/journal/finding.h"
#include "proof/cover.h"

/* Of one tile, by one event. */
struct ledger_entry {
    uint64_t seq; /* the event that says so */
    uint64_t n;
    struct cover cover;
};

/* Events that say so, and events of which they say it. */
struct ledger_sum {
    uint64_t by, events;
};

/* Zeroed: empty. */
struct ledger {
    struct buffer entries;     /* struct ledger_entry */
    struct ledger_sum thinned; /* as the quota or the law ordered */
    struct ledger_sum damaged; /* nobody ordered it */
    size_t hint; /* the entry found last: neighbours are asked for in turn */
};

/* Takes what event `seq` says; most say nothing. 0; -EBADMSG with the finding when it cannot be
 * read, when its hashes are not the tree's, when tail.db does not call the same events erased, or
 * when an alarm or a record went for want of space; or the errno of reading. */
int ledger_take(struct ledger *ledger, struct archive *archive, uint64_t seq,
                const struct json *event, struct finding *finding);

/* Takes what all events say from `from` on, unchecked, passing over what cannot be read. */
void ledger_gather(struct ledger *ledger, struct archive *archive, uint64_t from);

/* The same of what a keeper at work has committed since the archive was opened. */
void ledger_gather_news(struct ledger *ledger, const struct archive *archive);

/* The event that ordered `seq` to be erased. False: none. */
bool ledger_find(struct ledger *ledger, uint64_t seq, uint64_t *by);

/* The first event that tail.db calls erased and nobody ordered. False: there is none. */
bool ledger_has_gap(const struct ledger *ledger, const struct tail *tail, uint64_t *seq);

void ledger_free(struct ledger *ledger);

#endif
