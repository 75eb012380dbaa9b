/* ledger - what a journal must hold: after each transaction that was told done, its events and a digest
 * of all that is no event. Shared with the processes that examine what a cut has left. */
#ifndef TESTS_FAULTS_POWERCUT_LEDGER_H
#define TESTS_FAULTS_POWERCUT_LEDGER_H

#include "keeper/journal/journal.h"

enum { LEDGER_MOMENTS = 20000, LEDGER_EVENTS = 40000 };

struct moment {
    int64_t size;
    struct digest state; /* keys, cursors, marks, receipt */
};

struct ledger {
    char log[WORD_ID_MAX + 1];
    int64_t number; /* where the plugin goes on counting after a cut; settle() sets it */
    int count; /* moments[1] to moments[count]; moments[0] is before there was a log */
    bool is_intended; /* moments[count + 1] may be */
    struct moment moments[LEDGER_MOMENTS];
    struct digest leaves[LEDGER_EVENTS];
};

struct ledger *ledger_new(void);

/* Nothing has been done yet. */
void ledger_clear(struct ledger *ledger);

/* A transaction has been told done: the journal is as it must be found. Marks the trace. */
void ledger_note(struct ledger *ledger, struct journal *journal);

/* The open transaction is about to be committed: should nobody be told how that ended, it may be there.
 * With `journal` NULL it has been told that it is not. */
void ledger_intend(struct ledger *ledger, struct journal *journal);

/* What a cut has left. */
struct found {
    int at;         /* the transactions that are there */
    int64_t number; /* the next that the plugin has to count */
};

/* Reads all of it, the first `marks` transactions having been told done. NULL, or what is wrong.
 * With `found` NULL more may have been done since. */
const char *ledger_check(const struct ledger *ledger, struct journal *journal, int marks,
                         struct found *found);

#endif
