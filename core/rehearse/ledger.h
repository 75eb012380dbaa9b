/* ledger - what is durable in a rehearsal: events, keys, cursors. Outlives the process of the plugin.
 *
 * Plays the journal and the store of the real keeper for one plugin, in memory: a COMMIT is done whole
 * or not at all, events are CloudEvents in the form that the keeper gives them. A zeroed struct ledger
 * is an empty one.
 *
 * A test keeps all events. A replay forgets those that every handler has been given: an event is found
 * by its place, counted from the first one there ever was; a journal that is replayed gives its own
 * sequences, and then place and sequence are two numbers. */
#ifndef REHEARSE_LEDGER_H
#define REHEARSE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/word.h"
#include "wire/frame.h"
#include "wire/talk.h"

enum { LEDGER_TYPES_MAX = 256, LEDGER_CURSORS_MAX = 256 };

#define LEDGER_OFFICE "350105-003"
#define LEDGER_LOG    "rehearsal"

struct ledger_event {
    int64_t seq;
    char type[WORD_TYPE_MAX + 1];
    enum talk_lane lane;
    bool own; /* of the plugin; else somebody else's, that the test has put there */
    char *body;
    size_t length;
};

struct ledger_row {
    char key[TALK_KEY_MAX + 1];
    char *value;
    size_t length;
};

struct ledger_type {
    char type[WORD_TYPE_MAX + 1];
    enum talk_lane lane;
};

struct ledger_cursor {
    char name[WORD_ID_MAX + 1];
    int64_t seq;
};

struct ledger_draft;
struct blobs;

struct ledger {
    char source[2 * WORD_ID_MAX + 2]; /* "plugin/instance" */
    char office[WORD_ID_MAX + 1];     /* empty: LEDGER_OFFICE */
    /* An event of the plugin is durable; `by_event` when a commit of a host.on handler had it. May be
     * NULL. */
    void (*told)(void *owner, const struct ledger_draft *draft, bool by_event);
    void *owner;
    struct blobs *blobs; /* those that a commit may name; NULL: none */
    struct ledger_type types[LEDGER_TYPES_MAX];
    size_t type_count;
    struct ledger_event *events; /* the first is at the place `forgotten` */
    size_t event_count, event_room;
    size_t bytes; /* of their bodies */
    int64_t forgotten;
    int64_t next_seq;
    struct ledger_row *rows; /* by key */
    size_t row_count, row_room;
    int64_t stored; /* bytes of keys and values */
    struct ledger_cursor cursors[LEDGER_CURSORS_MAX];
    size_t cursor_count;
};

/* What the plugin may emit. 0, or -EINVAL (no type), -E2BIG. */
int ledger_declare(struct ledger *ledger, const char *type, enum talk_lane lane);

/* What an event of somebody else is made of. Texts are not checked. */
struct ledger_draft {
    const char *source; /* NULL: the plugin's own */
    const char *type;
    const char *subject; /* NULL: "office" */
    enum talk_lane lane;
    int64_t time_us; /* 0: now */
    const char *data;
    size_t data_length;
};

/* Its sequence. */
int64_t ledger_append(struct ledger *ledger, const struct ledger_draft *draft);

/* An event as a journal has it comes in; later ones of the plugin are numbered behind it. */
void ledger_give(struct ledger *ledger, int64_t seq, const char *type,
                 enum talk_lane lane, const void *body, size_t length);
/* Forgets the events before that place. */
void ledger_forget(struct ledger *ledger, int64_t place);
/* The place behind the last event, and that behind what the cursor has done. */
int64_t ledger_end(const struct ledger *ledger);
int64_t ledger_place(const struct ledger *ledger, const char *cursor);

/* Does what a COMMIT says, or nothing; 0, or a positive errno and why in `text`. `first` is the first
 * event's sequence or -1. `said` gets what it is, as "TYPE put KEY remove KEY consumed CURSOR". */
int ledger_commit(struct ledger *ledger, const struct fields *fields, int64_t *first,
                  struct buffer *said, struct buffer *text);

/* Bytes of a key, which may be the same as before. -E2BIG when there are too many. */
int ledger_put(struct ledger *ledger, const char *key, const void *value, size_t length);
/* NULL when it is not there. */
const struct ledger_row *ledger_get(const struct ledger *ledger, const char *key);
/* The first row whose key is not before this one; `row_count` when there is none. */
size_t ledger_at(const struct ledger *ledger, const char *key);

/* The last sequence that the cursor has done, or -1. */
int64_t ledger_cursor(const struct ledger *ledger, const char *name);

void ledger_free(struct ledger *ledger);

#endif
