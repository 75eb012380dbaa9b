/* keeper - the other end of the host's line: START, PING, and an answer to all that it asks.
 *
 * Speaks wire/talk.h over a real line, as the keeper does for a host. What is durable is the ledger's;
 * what shall go wrong the fate's. Where fate strikes the keeper stops the loop and says nothing more:
 * the process at the other end is dead. */
#ifndef REHEARSE_KEEPER_H
#define REHEARSE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/loop.h"
#include "base/word.h"
#include "rehearse/blobs.h"
#include "rehearse/fate.h"
#include "rehearse/ledger.h"
#include "rehearse/trace.h"
#include "wire/line.h"

enum {
    KEEPER_FETCHES_MAX = 256,
    KEEPER_PING_MS = 5000,     /* as the supervisor of the real one */
    KEEPER_SILENCE_MS = 15000, /* then the process is killed */
    KEEPER_ENTRIES_MAX = 256
};

/* A handler's way through the journal. The host asks again from where it was answered to. */
struct keeper_fetch {
    uint32_t id; /* 0: nobody waits here */
    char pattern[WORD_TYPE_MAX + 1];
    int64_t from; /* place of the first event that it has not been given */
    size_t limit;
};

/* What the plugin was asked for last. */
struct keeper_question {
    uint32_t id; /* 0: nothing yet */
    bool is_answered;
    int64_t err;          /* 0 or an errno */
    struct buffer answer; /* the result as JSON, or what was wrong */
};

struct keeper {
    struct loop *loop;
    struct line *line; /* NULL: no process is there */
    struct ledger *ledger;
    struct blobs *blobs;
    struct fate *fate;
    struct trace *trace;
    const struct buffer *start; /* CONFIG of START */
    struct keeper_fetch
        fetches[KEEPER_FETCHES_MAX]; /* by pattern; of no pattern: not used */
    struct keeper_question question;
    struct loop_timer ping;
    int64_t heard_us;
    int commits; /* durable ones so far */
    bool news;   /* an event of the plugin has become durable; whoever looks resets it */
    bool was_killed; /* the process did not answer */
    /* What the process did before it sent its commit is to be seen before. */
    void (*before_commit)(void *owner);
    void *owner;
    char *fault; /* the host said what it must not; NULL: it did not */
};

/* A process begins at the other end of `fd`, which is taken over. */
int keeper_greet(struct keeper *keeper, int fd);
/* It has ended. Also when none is there. */
void keeper_hang_up(struct keeper *keeper);

/* Asks the process to end in order. */
void keeper_stop(struct keeper *keeper);

/* Somebody asks for an action or a view, with JSON: what he wants, who he is. One at a time. */
void keeper_ask(struct keeper *keeper, const char *type, const char *name,
                const struct buffer *params, const struct buffer *who);

/* There are new events: answers who waited for them. */
void keeper_wake(struct keeper *keeper);
/* Place of the first event that some handler has not been given. */
int64_t keeper_given(const struct keeper *keeper);

#endif
