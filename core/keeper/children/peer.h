/* peer - one end of a line to the keeper: a child it started, or a reader that connected.
 *
 * What a peer may ask depends on its role; children.c has the table. */
#ifndef KEEPER_CHILDREN_PEER_H
#define KEEPER_CHILDREN_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "keeper/children/allowance.h"
#include "keeper/config.h"
#include "wire/line.h"
#include "wire/talk.h"

enum peer_role {
    PEER_HOST = 1,     /* runs a plugin instance */
    PEER_UPLINK = 2,   /* speaks with the city */
    PEER_READER = 4,   /* `outpost status`, `events`, `reload`, `do`, `show` */
    PEER_CANARY = 8,   /* loads a plugin, and that is all */
    PEER_COURIER = 16, /* takes files to the city */
    PEER_FREEZER = 32  /* makes a blob of a ring */
};

enum { PEER_COMPLAINT_MAX = 400 };

struct children;
struct reel;

struct peer {
    enum peer_role role;
    struct line *line;
    const struct config_plugin *plugin; /* of a host */
    const char *name;           /* of the instance; "uplink"; "courier"; "reader" */
    bool is_ready;              /* HELLO came */
    bool is_ended;              /* its line is about to be over */
    int64_t uid;                /* of a reader: its Unix user, -1 not known */
    int64_t heard_us;           /* monotonic, of the last PONG */
    struct allowance allowance; /* of a host */
    int64_t held_ms;            /* that it has been made to wait in all */
    int64_t held_told_us;       /* when that was last said aloud; 0 never */
    struct json *health;        /* what it last said of itself, or NULL */
    int64_t reads;              /* answers of its devices since it started, */
    int64_t unheard;  /* questions that they have left open since the last one, */
    int64_t errors;   /* and what its handlers raised: of the last PONG */
    bool has_started; /* its start() has come to an end */
    char complaint[PEER_COMPLAINT_MAX + 1]; /* why it cannot start, in its own words */
    struct reel *reel; /* of a host that can be recorded, else NULL */
    struct children *children;
    void *owner;
    void (*gone)(struct peer *peer, int why); /* the line is over; frees the peer */
    struct peer *next;                        /* in the list of children.c */
};

/* Ends the line: what still stands on it is not heard, and nothing more is said. */
void peer_end(struct peer *peer);

/* Sends; a peer that does not take what it asked for is ended. */
void peer_send(struct peer *peer, const struct buffer *frame);

/* The same, and hands it a descriptor (-1: none), which is taken over. */
void peer_send_descriptor(struct peer *peer, const struct buffer *frame, int fd);

/* Says something without fields: PING, STOP. */
void peer_tell(struct peer *peer, enum talk_type type);

/* Answers a question: DONE with an errno (0: well), its words, and the first sequence (-1 none). */
void peer_done(struct peer *peer, uint32_t id, int err, const char *text, int64_t seq);

#endif
